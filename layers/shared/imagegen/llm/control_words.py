"""Hides the control words with which a chat template ends an answer.

Servers whose template does not fit the model pass them on as text, after the last word.
"""

import re
from dataclasses import dataclass
from typing import Final

CONTROL_WORDS: Final = (
    *("<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|eom_id|>", "<|end|>", "<|end_of_text|>"),
    *("<|return|>", "<|eos|>", "<|user|>", "<|end_of_turn|>", "<end_of_turn>", "<eos>", "</s>"),
    *("<turn|>", "<|end_response|>", "<|end_text|>", "<|end_of_turn_token|>"),
    "<｜end▁of▁sentence｜>",  # noqa: RUF001 - as DeepSeek writes it
)
"""ChatML and Qwen, Llama 3, Phi, gpt-oss, GLM, Gemma, Mistral and Llama 2, Cohere,
DeepSeek."""
_WORD: Final = "|".join(map(re.escape, CONTROL_WORDS))
_ENDS: Final = re.compile(rf"(?:\s*(?:{_WORD}))+\s*", re.IGNORECASE)
_MAY_END: Final = re.compile(r"(?:<[^<>\s]{0,24}>?\s*){1,8}\Z")


@dataclass(slots=True)
class EndFilter:
    """Takes the text as it arrives, and holds back what may be control words at its end."""

    _held: str = ""

    def add(self, text: str) -> str:
        """Return the part of the text so far that was not returned before and may be shown."""
        text = self._held + text
        tail = _MAY_END.search(text, max(0, len(text) - 400))
        start = tail.start() if tail else len(text)
        self._held = text[start:]
        return text[:start]

    def end(self) -> str:
        """Return what was held back, unless it is nothing but control words."""
        return "" if _ENDS.fullmatch(self._held) else self._held
