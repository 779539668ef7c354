"""What one endpoint accepts of a request, learned from the requests that it refused.

Compatible endpoints refuse different parts of a request, each in words of its own. A refusal (400
or 422) costs nothing, so the request is sent again without the part that it names, and what was
learned is kept as long as the instance lives.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from imagegen.domain.chat_usage import MAX_OUTPUT_TOKENS
from imagegen.domain.ports import ChatTurn, Json
from imagegen.llm.messages import MINIMAL, ContentForm, to_messages, tool_in_form
from imagegen.llm.refusal_words import Refusal, fields_in

LEARNING_CALLS: Final = 8
"""The most refused requests from which one call of the LLM learns."""
LIMITS: Final = ("max_tokens", "max_completion_tokens")
"""The names of the parameter that limits an answer's tokens: reasoning models of OpenAI and Azure
accept the second alone, many other endpoints the first alone."""
OPTIONAL: Final = frozenset({"stream_options", "safety_identifier", *LIMITS})


@dataclass(frozen=True, slots=True)
class Dialect:
    """What is sent to one endpoint, and how."""

    limit_names: tuple[str, ...] = LIMITS
    """The names of the limit that were not refused; the first is sent."""
    left_out: frozenset[str] = frozenset()
    """Fields of the request."""
    schema: int = 0
    """How much is left out of the tool's schema, from 0 to ``MINIMAL``."""
    content: ContentForm = ContentForm.NULL
    """The content of a message that has tool calls and no text."""
    is_streamed: bool = True
    has_system_role: bool = True
    kept_back: frozenset[str] = frozenset()
    """Fields of messages and tool calls that came from the endpoint and that it does not accept."""
    added: frozenset[str] = frozenset()
    """Fields that it requires of each message with tool calls, also where it sent none."""
    is_bare: bool = False
    """Whether everything is left out that can be."""

    def body(
        self,
        model: str,
        turns: Sequence[ChatTurn],
        *,
        instructions: str,
        tool: Mapping[str, Json],
        user: str,
    ) -> dict[str, Json]:
        """Return the request."""
        messages = to_messages(
            turns,
            instructions,
            form=self.content,
            kept_back=self.kept_back,
            added=self.added,
            has_system_role=self.has_system_role,
        )
        wanted: dict[str, Json] = {
            "model": model,
            "messages": messages,
            "tools": [tool_in_form(tool, self.schema)],
            "stream": self.is_streamed,
        }
        if self.is_streamed:
            wanted["stream_options"] = {"include_usage": True}
        if self.limit_names:
            wanted[self.limit_names[0]] = MAX_OUTPUT_TOKENS
        if user:
            wanted["safety_identifier"] = user
        return {name: value for name, value in wanted.items() if name not in self.left_out}


def learned(dialect: Dialect, sent: Mapping[str, Json], answer: Json) -> Dialect | None:
    """Return the dialect after a refusal of ``sent``, or ``None`` if nothing can be changed."""
    refusal = fields_in(answer, sent)
    if refusal.is_final:
        return None
    after = dialect
    for name in refusal.named:
        after = _without(after, name, sent, refusal)
        if after != dialect and not refusal.is_structured:
            # Text may go on to list everything that is accepted.
            break
    if after != dialect:
        return after
    if dialect.is_bare or refusal.is_about_length:
        return None
    return _bare(dialect)


def _bare(dialect: Dialect) -> Dialect:
    """Return the dialect of the smallest request: the refusal did not name what is wrong."""
    return replace(
        dialect,
        left_out=dialect.left_out | (OPTIONAL - set(LIMITS)),
        schema=MINIMAL,
        content=max(dialect.content, ContentForm.EMPTY),
        is_bare=True,
    )


def _without(dialect: Dialect, name: str, sent: Mapping[str, Json], refusal: Refusal) -> Dialect:
    """Return the dialect without the field that a refusal names, unchanged if there is no way."""
    if name in LIMITS:
        rest = tuple(one for one in dialect.limit_names if one != name)
        return replace(dialect, limit_names=rest) if name in sent else dialect
    if name == "stream":
        return replace(dialect, is_streamed=False)
    if name == "system":
        return replace(dialect, has_system_role=False)
    if name == "content":
        return _other_content(dialect, sent)
    if name in ("strict", "schema"):
        step = 1 if name == "strict" else MINIMAL
        return replace(dialect, schema=max(dialect.schema, step))
    if name in refusal.extras:
        return _other_extra(dialect, name, refusal)
    if name in sent and name not in ("model", "messages", "tools"):
        return replace(dialect, left_out=dialect.left_out | {name})
    return dialect


def _other_content(dialect: Dialect, sent: Mapping[str, Json]) -> Dialect:
    messages = sent.get("messages")
    listed = messages if isinstance(messages, list) else []
    if any(isinstance(one, Mapping) and isinstance(one.get("content"), list) for one in listed):
        return replace(dialect, kept_back=dialect.kept_back | {"content"})
    has_none = any(
        isinstance(one, Mapping) and one.get("tool_calls") and not one.get("content")
        for one in listed
    )
    if not has_none or dialect.content is ContentForm.WORDS:
        return dialect
    return replace(dialect, content=ContentForm(dialect.content + 1))


def _other_extra(dialect: Dialect, name: str, refusal: Refusal) -> Dialect:
    """Keep back a field that is not accepted, or add one that is required everywhere."""
    if refusal.extras[name]:
        return replace(dialect, kept_back=dialect.kept_back | {name}, added=dialect.added - {name})
    if name in dialect.kept_back:
        return dialect
    return replace(dialect, added=dialect.added | {name})


class DialectMemory:
    """What this instance has learned about one model at one endpoint.

    Two calls at once may learn the same; the later of them replaces what the earlier one kept, and
    both work.
    """

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.is_bare_useless = False
        """Whether the smallest request was refused as well."""
        self.leaves_thinking_open = False
        """Whether the last answer ended its thinking with a tag that none had opened."""

    def keep(self, dialect: Dialect) -> None:
        """Keep a dialect in which a request was accepted."""
        self.dialect = dialect

    def after(self, dialect: Dialect, sent: Mapping[str, Json], answer: Json) -> Dialect | None:
        """Return the dialect to try after a refusal, or ``None`` if there is none."""
        if dialect.is_bare and not self.dialect.is_bare:
            self.is_bare_useless = True
        found = learned(dialect, sent, answer)
        return None if found and found.is_bare and self.is_bare_useless else found
