"""Reads a tool call that a model wrote loosely: its name, its JSON, its arguments.

Small models write words for "left out", capitals, code fences and raw line ends. Everything is
taken only in the one meaning that it can have; all else is refused, and the model reads why.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

LEFT_OUT: Final = frozenset(
    {"", "null", "none", "auto", "automatic", "default", "any", "undefined", "n/a", "unspecified"}
)
"""Values that say that nothing is wished."""
FREE_TEXT: Final = frozenset({"prompt"})
WORDS: Final = frozenset({"background", "format", "operation", "quality", "size"})
"""The arguments whose values are words of ours, all in small letters."""
SIZE: Final = re.compile(r"(\d+) ?[x×*] ?(\d+)(?: ?px)?")  # noqa: RUF001 - the multiplication sign
FENCE: Final = re.compile(r"```[a-z]*\s*(.*?)\s*```", re.DOTALL | re.IGNORECASE)
TEMPLATE_ENDS: Final = re.compile(r"(?:\s*<\|[^|<>]{1,40}\|>)+\s*\Z")


def bare_json(text: str) -> str:
    """Return the JSON in a text, without a code fence and control words of a chat template."""
    plain = TEMPLATE_ENDS.sub("", text).strip().removeprefix("\ufeff").strip()
    fenced = FENCE.fullmatch(plain)
    return fenced[1] if fenced else plain


def as_meant(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that say something, with words of ours in their own spelling."""
    return {
        name: _word(value) if name in WORDS and isinstance(value, str) else value
        for name, value in arguments.items()
        if name in FREE_TEXT or not _is_left_out(value)
    }


def _is_left_out(value: object) -> bool:
    return value is None or (isinstance(value, str) and value.strip().lower() in LEFT_OUT)


def _word(value: str) -> str:
    word = value.strip().lower()
    size = SIZE.fullmatch(word)
    return f"{size[1]}x{size[2]}" if size else word
