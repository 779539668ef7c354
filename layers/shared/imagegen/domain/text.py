"""Text as people see it and as UTF-8 can carry it, and the texts that an image is made of."""

import re
import unicodedata
from typing import Annotated, Final

from pydantic import AfterValidator, StringConstraints

REPLACED = "\ufffd"
"""The replacement character: a decoder wrote it in place of bytes that it could not read."""
_CARRIES_NOTHING = frozenset({"Cc", "Cf", "Cs", "Zs", "Zl", "Zp", "Mn", "Me"})
"""Controls, formats, halves of characters, spaces, and marks, which need a character to mark."""
_BLANK_OF_OTHER_CATEGORIES = (
    # Default_Ignorable_Code_Point beside the categories above: Hangul fillers, and code points that
    # are reserved to be invisible. https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt
    *((0x115F, 0x1160), (0x2065, 0x2065), (0x3164, 0x3164), (0xFFA0, 0xFFA0)),
    *((0xFFF0, 0xFFF8), (0xE0000, 0xE0FFF)),
    # Characters whose picture is empty by their name: Braille's pattern without dots, the null
    # notehead, the Egyptian blanks.
    *((0x2800, 0x2800), (0x1D159, 0x1D159), (0x13441, 0x13442)),
    # What a copied text has in place of a picture or another object.
    (0xFFFC, 0xFFFC),
    # Code points that will never be characters, beside the last two of each plane.
    (0xFDD0, 0xFDEF),
)

_SEPARATORS: Final = re.compile(r"[-_\s]|:\d+\Z")
MAX_PROMPT_CHARACTERS = 32_000
MAX_STYLE_CHARACTERS = 200


def is_blank(text: str) -> bool:
    """Return whether the text is invisible: no character of it has a shape of its own.

    Unassigned code points count as visible: Unicode's next version may have a picture there.
    """
    return not any(map(_is_visible, text))


def legible(text: str) -> str:
    r"""Return the text with surrogate pairs joined and lone surrogates replaced.

    JSON may name half a character (``\ud83d``), which cannot be sent or logged as UTF-8:
    https://www.rfc-editor.org/rfc/rfc8259#section-8.2
    """
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def name_alone(name: str) -> str:
    """Return a name in small letters, without separators and a number behind it."""
    return _SEPARATORS.sub("", name).lower()


def is_same_name(name: str, other: str) -> bool:
    """Return whether two names are the same, except for capitals, separators and a number."""
    return name_alone(name) == name_alone(other)


def is_first_half(character: str) -> bool:
    """Return whether it is a high surrogate, whose low one may be in the next part of a text."""
    return "\ud800" <= character <= "\udbff"


def _is_visible(character: str) -> bool:
    if "!" <= character <= "~":
        return True
    if unicodedata.category(character) in _CARRIES_NOTHING:
        return False
    point = ord(character)
    is_reserved = any(first <= point <= last for first, last in _BLANK_OF_OTHER_CATEGORIES)
    return not is_reserved and point & 0xFFFE != 0xFFFE


def _visible(text: str) -> str:
    if is_blank(text):
        raise ValueError("must not be empty: it has no visible character")
    return text


def _undamaged(text: str) -> str:
    if REPLACED in text:
        # What it stood for is lost, and an image of the rest would be paid for.
        raise ValueError("contains U+FFFD, the mark of text that was not valid UTF-8; leave it out")
    return text


Prompt = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_PROMPT_CHARACTERS),
    AfterValidator(_visible),
    AfterValidator(_undamaged),
]
PromptOrNone = Annotated[
    str,
    StringConstraints(max_length=MAX_PROMPT_CHARACTERS),
    AfterValidator(lambda text: text and _visible(text)),
    AfterValidator(_undamaged),
]
"""A prompt, or an empty text where an operation has none."""
Style = Annotated[
    str, StringConstraints(max_length=MAX_STYLE_CHARACTERS), AfterValidator(_undamaged)
]
