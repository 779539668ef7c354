"""Hides what a model thinks aloud before its answer, in the text where the answer should be.

Models and servers mark it with different tags. Only the beginning of an answer is searched: later,
the same tag is a word that the answer is about.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
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


@dataclass(slots=True)
class ThinkingFilter:
    """Takes the text as it arrives, and returns what may be shown of it."""

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
