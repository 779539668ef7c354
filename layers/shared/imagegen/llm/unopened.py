"""Hides thinking whose opening tag is missing, because the chat template opens it in the request.

Only its closing tag shows that the text before was no answer. The first answer of a model has then
been streamed already, and loses the tag; its next ones are held back up to it.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from imagegen.llm.thinking import TAGS

PAIRS: Final = {opening: closing for opening, closing in TAGS.items() if "|" not in opening}
KEPT: Final = max(map(len, PAIRS.values())) + 5
"""The length of a tag with the spaces and the line end behind it."""
_ANY: Final = "|".join(map(re.escape, PAIRS.values()))
_CLOSING: Final = re.compile(
    rf"(?:\A|(?<=[\n.!?\u3002]))(?:{_ANY})|(?<=[^\s`\"'(])(?:{_ANY})(?=[ \t]{{0,3}}\r?\n)",
    re.IGNORECASE | re.ASCII,
)
"""At the start of a line, behind a sentence, or at the end of a line whose last word it touches.
Elsewhere, the tag is a word of the answer."""
_OPENING: Final = re.compile("|".join(map(re.escape, PAIRS)), re.IGNORECASE | re.ASCII)
_HALF: Final = re.compile(r"[<\[◁][^<\[◁\s]*[ \t]{0,3}\r?\Z")


@dataclass(slots=True)
class UnopenedFilter:
    """Takes the text behind thinking with both tags, and returns what may be shown of it."""

    is_expected: bool = False
    """Whether the model's last answer had a closing tag without an opening one."""
    was_found: bool = False
    _held: list[str] = field(default_factory=list)
    _before: str = ""
    """The end of the text that was returned or held, as long as a tag can be."""
    _has_begun: bool = False
    """Whether any of the text was returned."""
    _is_over: bool = False
    _strips: bool = False

    def pass_on(self) -> None:
        """Hide nothing any more: the thinking had both tags."""
        self._is_over = True

    def add(self, text: str) -> str:
        """Return the part of the text so far that may be shown and was not returned before."""
        if self._is_over:
            return self._stripped(text)
        if not self.is_expected and self._held:
            text, self._held = self._held.pop() + text, []
        window = self._before + text
        # The first character is there to be looked back at: a tag never begins with it.
        found = _CLOSING.search(window, 1 if self._before else 0)
        opening = _OPENING.search(window)
        if opening and not (found and found.start() < opening.start()):
            self._is_over = True
            return self._released() + text
        if found is None:
            return self._kept(text)
        self.was_found = self._is_over = True
        self._strips, self._held = not self._has_begun, []
        shown = text[: max(0, found.start() - len(self._before))] if self._has_begun else ""
        return shown + self._stripped(window[found.end() :])

    def end(self) -> str:
        """Return the text that was held back: the end of the answer is the end of a line."""
        return (self.add("\n") + self._released()).removesuffix("\n")

    def _released(self) -> str:
        held, self._held = "".join(self._held), []
        return held

    def _kept(self, text: str) -> str:
        """Return the text, unless it may be thinking, up to what may become a tag."""
        if self.is_expected:
            self._held.append(text)
            self._before = (self._before + text)[-KEPT:]
            return ""
        half = _HALF.search(text, max(0, len(text) - KEPT))
        end = half.start() if half and _may_be_tag(half[0]) else len(text)
        self._held = [text[end:]]
        self._before = (self._before + text[:end])[-1:]
        self._has_begun = self._has_begun or bool(text[:end])
        return text[:end]

    def _stripped(self, text: str) -> str:
        if self._strips:
            text = text.lstrip()
            self._strips = not text
        return text


def _may_be_tag(text: str) -> bool:
    start = text.strip().lower()
    return any(tag.startswith(start) for pair in PAIRS.items() for tag in pair)
