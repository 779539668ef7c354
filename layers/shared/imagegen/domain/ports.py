"""What the use cases need from the world, as protocols: adapters and fakes fit them alike."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol

from imagegen.domain.text import legible

type ServedModels = Mapping[str, date | None]
"""The models that a provider lists, by id, each with its last day where one is announced."""

type Json = bool | int | float | str | list[Json] | Mapping[str, Json] | None


@dataclass(frozen=True, slots=True)
class ImageOrder:
    """One image as the catalog priced it, for one provider."""

    model: str
    prompt: str
    """With the style already behind it."""
    params: Mapping[str, Json]
    """Exactly what was priced, in the provider's own words; sent as it stands."""
    width: int
    height: int
    """What ``params`` asks for, in pixels; the bytes may differ and are measured."""
    user: str
    """An opaque, stable reference to the end user, for providers that want one."""


@dataclass(frozen=True, slots=True)
class ImageAnswer:
    """What a provider gave: the bytes as they came."""

    content: bytes
    job_id: str | None = None
    usage: Mapping[str, int] | None = None
    """Billed tokens by kind, where the provider says so."""


@dataclass(frozen=True, slots=True)
class Moderation:
    """What moderation says of a prompt."""

    flagged: bool
    categories: tuple[str, ...] = ()


class ImageProvider(Protocol):
    """One provider with one key."""

    def generate(self, order: ImageOrder, *, timeout_seconds: float) -> ImageAnswer:
        """Return the image's bytes.

        Raises:
            ProviderError: every failure, with its ``Outcome``; never anything else.
        """
        ...

    def check_key(self, *, timeout_seconds: float) -> None:
        """Return when the key is good. Costs nothing.

        Raises:
            ProviderError: ``Outcome.ACCOUNT`` for a bad key, else what went wrong.
        """
        ...

    def models(self, *, timeout_seconds: float) -> ServedModels | None:
        """Return the models listed now, or ``None`` where there is no list. Costs nothing.

        Raises:
            ProviderError: what went wrong.
        """
        ...


class Moderator(Protocol):
    """Says whether a prompt may be drawn, before anything is spent."""

    def check(self, prompt: str, *, timeout_seconds: float) -> Moderation:
        """Return the verdict.

        Raises:
            ProviderError: there is no verdict.
        """
        ...


@dataclass(frozen=True, slots=True)
class TextPart:
    """Some words of an LLM, as they come; always text that UTF-8 can carry."""

    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", legible(self.text))


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A tool that an LLM wants to use; always text that UTF-8 can carry."""

    id: str
    name: str
    arguments: str
    """As it wrote them: JSON, if it did well."""

    def __post_init__(self) -> None:
        for name in ("id", "name", "arguments"):
            object.__setattr__(self, name, legible(getattr(self, name)))


@dataclass(frozen=True, slots=True)
class TokenCount:
    """The tokens that one call of an LLM took."""

    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class ChatTurn:
    """One turn of a conversation, as an LLM is told it."""

    role: Literal["user", "assistant", "tool"]
    text: str
    asked: tuple[ToolUse, ...] = ()
    """The tools an assistant's turn used."""
    call_id: str = ""
    """Which use of a tool a tool's turn answers."""


class Llm(Protocol):
    """An LLM that can use our tool."""

    @property
    def provider(self) -> str:
        """Return who runs it."""
        ...

    @property
    def model(self) -> str:
        """Return the model's id."""
        ...

    def answer(
        self, turns: Sequence[ChatTurn], *, timeout_seconds: float
    ) -> Iterator[TextPart | ToolUse | TokenCount]:
        """Yield the answer: words as they come, then the tools it wants, and what it took.

        Raises:
            LlmError: there is no answer, or it broke off; never anything else.
        """
        ...
