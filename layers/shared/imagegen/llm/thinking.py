"""Hides what a model thinks aloud before its answer, in the text where the answer should be.

Models and servers mark it with different tags. Thinking with both tags stands at the beginning of
an answer; later, the same tag is a word that the answer is about.

The opening tag is missing where the chat template puts it into the request. Then only the closing
tag shows that the text before it was no answer. The first answer of a model has been streamed by
then, and loses the tag; its next answers are held back until the tag arrives.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

_NAMES: Final = (
    *("think", "thinking", "thought", "thoughts", "reasoning", "reason", "reflection"),
    *("seed:think", "mm:think", "antthinking", "scratchpad", "internal_thought"),
)
TAGS: Final[Mapping[str, str]] = {
    **{f"<{name}>": f"</{name}>" for name in _NAMES},
    **{f"[{name}]": f"[/{name}]" for name in ("think", "thinking")},
    "◁think▷": "◁/think▷",
    "<|begin_of_thought|>": "<|end_of_thought|>",
    "<|thinking|>": "<|/thinking|>",
    "<|start_thinking|>": "<|end_thinking|>",
    "<|channel>thought": "<channel|>",
    "<|channel|>analysis<|message|>": "<|channel|>final<|message|>",
    "<|start|>assistant<|channel|>analysis<|message|>": "<|channel|>final<|message|>",
}
"""The opening and the closing tags, in small letters.

``<think>``: DeepSeek R1, Qwen, MiniMax M2 and most others. ``[THINK]``: Magistral. ``◁think▷``:
Kimi VL. ``<reasoning>``: gpt-oss at Bedrock. ``<thought>``: Gemma and Gemini's compatible endpoint.
``<seed:think>``: Seed-OSS. ``<|channel|>``: gpt-oss where the server leaves its format as it is.
``<|channel>``: Gemma 4. ``<|START_THINKING|>``: Cohere.
"""
ALSO_CLOSING: Final[Mapping[str, str]] = {"<|channel|>final<|message|>": "<|end|>"}
"""A tag that ends the same. Behind gpt-oss' thinking, a call of the tool may follow at once."""
WRAPPERS: Final = (
    *("<|start_response|>", "<|start_text|>"),
    *("<|channel|>final<|message|>", "<|start|>assistant<|channel|>final<|message|>"),
    *("<|channel|>commentary<|message|>", "<|start|>assistant<|channel|>commentary<|message|>"),
)
"""The tags of Cohere and gpt-oss before the answer itself: nothing else is hidden with them."""
_HIDDEN: Final[Mapping[str, str]] = {**TAGS, **dict.fromkeys(WRAPPERS, "")}
LONGEST: Final = max(map(len, _HIDDEN))
PAIRS: Final = {opening: closing for opening, closing in TAGS.items() if "|" not in opening}
"""The tags whose opening one a chat template may put into the request."""
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
class ThinkingFilter:
    """Hides thinking that has both tags.

    It takes the text as it arrives, and returns what may be shown of it.
    """

    _held: str = ""
    _closing: str = ""
    """The tag that ends what is hidden now; empty outside of it."""
    _has_begun: bool = False
    """Whether a part of the answer itself was returned."""
    has_hidden: bool = False
    """Whether anything was hidden."""

    def add(self, text: str) -> str:
        """Return the part of the text so far that may be shown and was not returned before."""
        if self._has_begun:
            return text
        self._held += text
        while True:
            if self._closing and not self._close():
                return ""
            if not self._open():
                return self._begin()

    def end(self) -> str:
        """Return the text that was held back because it could have become a tag."""
        held, self._held = self._held, ""
        if self._closing:
            return ""
        return held.lstrip() if self.has_hidden else held

    def _open(self) -> bool:
        """Return whether a tag opens at the start of the text."""
        start = self._held.lstrip()
        for opening, closing in _HIDDEN.items():
            if start[: len(opening)].lower() == opening:
                self._held, self._closing = start[len(opening) :], closing
                self.has_hidden = True
                return True
        return False

    def _close(self) -> bool:
        """Remove what is hidden; return whether its closing tag has arrived."""
        endings = {self._closing, ALSO_CLOSING.get(self._closing, self._closing)}
        found = re.search("|".join(map(re.escape, endings)), self._held, re.IGNORECASE)
        if found is None:
            self._held = self._held[-(len(self._closing) - 1) :]
            return False
        self._held, self._closing = self._held[found.end() :].lstrip(), ""
        return True

    def _begin(self) -> str:
        """Return the text, unless it may still become an opening tag."""
        start = self._held.lstrip().lower()
        if not start and (self.has_hidden or len(self._held) < LONGEST):
            return ""
        if start and any(opening.startswith(start) for opening in _HIDDEN):
            return ""
        shown, self._held, self._has_begun = self._held, "", True
        return shown.lstrip() if self.has_hidden else shown


@dataclass(slots=True)
class UnopenedFilter:
    """Hides thinking that has only its closing tag.

    It takes the text that is left once thinking with both tags is hidden, as it arrives, and
    returns what may be shown of it.
    """

    is_expected: bool = False
    """Whether the model's last answer had a closing tag without an opening one."""
    was_found: bool = False
    """Whether this answer has such a tag."""
    _held: list[str] = field(default_factory=list)
    _before: str = ""
    """The end of the text so far: as long as a tag if the text is held, else one character."""
    _has_begun: bool = False
    """Whether any of the text was returned."""
    _is_over: bool = False
    _strips: bool = False
    """Whether the spaces and line ends behind the tag are still being removed."""

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
