"""Finds which fields of a request an endpoint's refusal names.

The refusal names them in a field of its own (OpenAI and Azure: ``param``; Mistral, vLLM and
FastAPI: pydantic's ``loc``; Gemini: ``fieldViolations``), or in a sentence. Only names of fields
that were sent, or that may be missing, are looked for: nothing else of the text is used.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from imagegen.domain.ports import Json
from imagegen.llm.llm_faults import error_objects
from imagegen.llm.unknown_fields import unknown_fields
from imagegen.providers.faults import items_at, text_at

MAX_SEARCHED_CHARACTERS: Final = 20_000
QUOTED_ONLY: Final = frozenset({"stream", "user", "model", "n", "stop"})
"""Names that are also words of a sentence: they count only in quotation marks."""
SCHEMA_WORDS: Final = (
    *(
        "additionalProperties",
        "additional_properties",
        "function_declarations",
        "functionDeclarations",
    ),
    *("parameters", "properties", "enum", "anyOf", "json_schema", "input_schema", "schema"),
)
REQUIRED: Final = frozenset({"reasoning_content", "reasoning", "reasoning_details"})
"""Fields that thinking models require of messages with tool calls (DeepSeek, Kimi)."""
MISSING: Final = re.compile(
    r"missing|must be (?:passed|provided|included|present)|required", re.IGNORECASE
)
NO_TOOLS: Final = re.compile(r"(?:not|n't) support (?:tools?|function)\b(?!_)", re.IGNORECASE)
LENGTH: Final = re.compile(
    r"context[ _](?:length|window|size)|too (?:long|many tokens)", re.IGNORECASE
)
SYSTEM: Final = re.compile(
    r"system[^.]{0,40}\brole|\brole[^.]{0,60}\bsystem\b|\bsystem (?:message|instruction|prompt)s?\b"
    r"[^.]{0,40}(?:not|n't)|(?:not|n't)[^.]{0,40}\bsystem (?:message|instruction|prompt)",
    re.IGNORECASE,
)
KNOWN_OF_MESSAGES: Final = frozenset({"role", "content", "tool_calls", "tool_call_id", "name"})
KNOWN_OF_CALLS: Final = frozenset({"id", "type", "function", "index"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a refusal contains about the request."""

    named: tuple[str, ...]
    """The fields that it names, the likeliest first: of the request, of its messages, ``strict`` or
    ``schema`` for the tool's definition, ``system`` for the role."""
    extras: Mapping[str, bool]
    """Fields of messages and calls that are not OpenAI's: whether it was refused that one was sent,
    and not that one is missing."""
    is_structured: bool
    """Whether every name is from a field made for it, so that all of them are meant."""
    is_final: bool
    """Whether no other request would be accepted: the model has no tools."""
    is_about_length: bool


def fields_in(answer: Json, sent: Mapping[str, Json]) -> Refusal:
    """Return what an endpoint's refusal of ``sent`` names."""
    text = _text(answer)
    extras = _extras(sent, text)
    paths = [_name(path, sent, extras) for path in _paths(answer)]
    structured = tuple(dict.fromkeys(one for one in paths if one))
    named = structured or tuple(_in_text(text, sent, extras))
    return Refusal(
        named, extras, bool(structured), bool(NO_TOOLS.search(text)), bool(LENGTH.search(text))
    )


def _text(answer: Json) -> str:
    """Return the whole answer as text; a message may be JSON or Python inside of JSON."""
    whole = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
    return whole.replace("\\", "")[:MAX_SEARCHED_CHARACTERS]


def _extras(sent: Mapping[str, Json], text: str) -> dict[str, bool]:
    """Return the fields of messages that are not OpenAI's, each with whether to keep it back."""
    messages = [one for one in items_at(sent.get("messages")) if isinstance(one, Mapping)]
    calls = [one for message in messages for one in items_at(message, "tool_calls")]
    present = {name for one in messages for name in unknown_fields(one, KNOWN_OF_MESSAGES)}
    present |= {name for one in calls for name in unknown_fields(one, KNOWN_OF_CALLS)}
    asking = [one for one in messages if one.get("tool_calls")]
    lacking = {name for name in REQUIRED for one in asking if name not in one}
    is_missing = bool(MISSING.search(text))
    return {
        name: name in present and not (is_missing and name in lacking)
        for name in present | (lacking if is_missing else set())
    }


def _paths(answer: Json) -> Iterator[tuple[str, ...]]:
    """Yield the paths of fields in the places that are made for them."""
    for one in error_objects(answer):
        if param := text_at(one, "param"):
            yield tuple(re.findall(r"\w+", param))
    for loc in _locations(answer):
        yield tuple(str(step) for step in loc)
    for one in error_objects(answer):
        for detail in items_at(one, "details"):
            for violation in items_at(detail, "fieldViolations"):
                found = re.search(r'Unknown name "(\w+)"', text_at(violation, "description"))
                place = re.findall(r"\w+", text_at(violation, "field"))
                yield (*place, *((found[1],) if found else ()))


def _locations(value: Json, depth: int = 6) -> Iterator[list[Json]]:
    """Yield pydantic's ``loc`` wherever it is, also in text that is JSON or Python."""
    if not depth:
        return
    if isinstance(value, Mapping):
        loc = value.get("loc")
        if isinstance(loc, list):
            yield loc
        for one in value.values():
            yield from _locations(one, depth - 1)
    elif isinstance(value, list):
        for one in value:
            yield from _locations(one, depth - 1)
    elif isinstance(value, str) and "loc" in value:
        for found in re.findall(
            r"""['"]loc['"]:\s*[\[(]([^\])]*)[\])]""", value[:MAX_SEARCHED_CHARACTERS]
        ):
            yield [step.strip(" '\"\\") for step in found.split(",") if step.strip(" '\"\\")]


def _name(path: tuple[str, ...], sent: Mapping[str, Json], extras: Mapping[str, bool]) -> str:
    """Return the name in a path that can be changed, or an empty text."""
    steps = [one for one in path if one not in ("body", "request")]
    if not steps:
        return ""
    known_extra = next((one for one in reversed(steps) if one in extras), "")
    if steps[0] == "messages" or known_extra:
        if known_extra:
            return known_extra
        if "content" in steps:
            return "content"
        return "system" if steps[-1] == "role" else ""
    if steps[0] in ("tools", "functions"):
        return "strict" if "strict" in steps else "schema"
    return next((one for one in steps if one in sent), "")


def _in_text(text: str, sent: Mapping[str, Json], extras: Mapping[str, bool]) -> Iterator[str]:
    """Yield the names in a sentence in the order in which they stand there.

    The words of a schema come last: a sentence about another field may have them, too.
    """
    names: dict[str, str] = {name: name for name in (*sent, *extras)}
    names |= {"strict": "strict", "content": "content", **dict.fromkeys(SCHEMA_WORDS, "schema")}
    for name in ("messages", "tools", "model"):
        names.pop(name, None)
    found: list[tuple[int, str]] = []
    for word, name in names.items():
        place = _place(text, word)
        if place is not None:
            found.append((place, name))
    if system := SYSTEM.search(text):
        found.append((system.start(), "system"))
    found.sort(key=lambda one: (one[1] == "schema", one))
    yield from dict.fromkeys(name for _, name in found)


def _place(text: str, word: str) -> int | None:
    pattern = rf"(?<![A-Za-z0-9_]){re.escape(word)}(?![A-Za-z0-9_])"
    if word in QUOTED_ONLY:
        pattern = rf"""['"`]{re.escape(word)}['"`]"""
    match = re.search(pattern, text)
    return match.start() if match else None
