"""Reads a tool call that a model writes as one of a Python function: Gemma, Llama 4, LFM.

Gemma 4 and FunctionGemma have braces and quotes of their own.

Only literals are read, by expressions of ours: nothing that a model writes is run or parsed as
code.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from imagegen.domain.ports import Json

FORMS: Final = ("{}(", "[{}(", "print({}(", "default_api.{}(", "print(default_api.{}(")
"""What may stand before a function's name; an answer that is one begins so."""
_OPENING: Final = re.compile(
    r"(?:\[\s{0,20}|print\()?(?:default_api\.|functions\.)?([A-Za-z_]\w{0,79})\(\s*"
    r"|call:([A-Za-z_]\w{0,79})\{\s*"
)
_PLAIN_TEXT: Final = r'"(?:[^"\\]|\\.)*+"' + r"|'(?:[^'\\]|\\.)*+'"
_QUOTES: Final = ('<|"|>', "<escape>")
"""Gemma 4's and FunctionGemma's."""
_TEXT: Final = "|".join((_PLAIN_TEXT, *(f"{one}.*?{one}" for one in map(re.escape, _QUOTES))))
_ARGUMENT: Final = re.compile(
    rf"(\w{{1,80}})\s*[=:]\s*(?:({_TEXT})|\[((?:\s*+(?:{_TEXT})\s*+,?)*+)\s*\]|(\w[\w.]{{0,40}}))"
    r"\s*,?\s*",
    re.DOTALL,
)
"""Nothing in a list is matched in two ways (``+``), so that no text takes long."""
_TEXTS: Final = re.compile(_TEXT, re.DOTALL)
_END: Final = re.compile(r"\)\s{0,20}[\])]?|\}")
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED: Final[Mapping[str, str]] = {"n": "\n", "t": "\t", "r": "\r", "\n": ""}
_WORDS: Final[Mapping[str, Json]] = {"None": None, "True": True, "False": False}
_LOOSE: Final = re.compile(rf"{_PLAIN_TEXT}|,(?=\s*[}}\]])|\b(?:{'|'.join(_WORDS)})\b", re.DOTALL)


@dataclass(frozen=True, slots=True)
class PythonCall:
    """A call, and where it ends in the text."""

    name: str
    arguments: Mapping[str, Json]
    end: int


def python_call(text: str, at: int) -> PythonCall | None:
    """Return the call with named literals that begins at a place of the text, if one does."""
    opening = _OPENING.match(text, at)
    if opening is None:
        return None
    arguments: dict[str, Json] = {}
    at = opening.end()
    while found := _ARGUMENT.match(text, at):
        arguments[found[1]] = _value(found)
        at = found.end()
    end = _END.match(text, at)
    return PythonCall(opening[1] or opening[2], arguments, end.end()) if end else None


def strict_json(text: str) -> str:
    """Return JSON that is spelled as Python, or with a comma too many, as it should be spelled."""
    return _LOOSE.sub(_strict, text)


def _strict(found: re.Match[str]) -> str:
    word = found[0]
    if word == ",":
        return ""
    if word in _WORDS:
        return json.dumps(_WORDS[word])
    return json.dumps(_unquoted(word), ensure_ascii=False) if word[0] == "'" else word


def _value(found: re.Match[str]) -> Json:
    if found[2] is not None:
        return _unquoted(found[2])
    if found[3] is not None:
        return [_unquoted(one) for one in _TEXTS.findall(found[3])]
    # A number stays a text, which is read as one where a number is wanted.
    return _WORDS.get(found[4], found[4])


def _unquoted(text: str) -> str:
    for quote in _QUOTES:
        if text.startswith(quote):
            return text.removeprefix(quote).removesuffix(quote)
    return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), text[1:-1])
