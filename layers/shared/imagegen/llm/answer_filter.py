"""What a person sees of an answer's text, while it arrives: the words, and nothing else.

Beside them, models and servers put into the text what the model thinks, tool calls, and control
words.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from imagegen.domain.text import is_first_half
from imagegen.llm.call_filter import CallFilter
from imagegen.llm.thinking import ThinkingFilter, UnopenedFilter
from imagegen.llm.written_calls import WrittenCall

CONTROL_WORDS: Final = (
    *("<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|eom_id|>", "<|end|>", "<|end_of_text|>"),
    *("<|return|>", "<|eos|>", "<|user|>", "<|end_of_turn|>", "<end_of_turn>", "<eos>", "</s>"),
    *("<turn|>", "<|end_response|>", "<|end_text|>", "<|end_of_turn_token|>"),
    "<｜end▁of▁sentence｜>",  # noqa: RUF001 - as DeepSeek writes it
)
"""With these, the chat templates of ChatML and Qwen, Llama 3, Phi, gpt-oss, GLM, Gemma, Mistral and
Llama 2, Cohere, and DeepSeek end an answer."""
_WORD: Final = "|".join(map(re.escape, CONTROL_WORDS))
_ENDS: Final = re.compile(rf"(?:\s*(?:{_WORD}))+\s*", re.IGNORECASE)
_MAY_END: Final = re.compile(r"(?:<[^<>\s]{0,24}>?\s*){1,8}\Z")


@dataclass(slots=True)
class EndFilter:
    """Hides control words at the end: it holds back what may be such words while text arrives.

    A server whose chat template does not fit the model passes them on as text.
    """

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


@dataclass(slots=True)
class AnswerFilter:
    """Takes the text as it arrives, and returns what may be shown of it."""

    calls: CallFilter = field(default_factory=CallFilter)
    unopened: UnopenedFilter = field(default_factory=UnopenedFilter)
    thinking: ThinkingFilter = field(default_factory=ThinkingFilter)
    ending: EndFilter = field(default_factory=EndFilter)
    raw: list[str] = field(default_factory=list)
    """The text as it was sent, with what is hidden."""
    pending_half: str = ""
    """The first half of a surrogate pair whose second half has not arrived yet."""

    def add(self, text: str) -> str:
        """Return the part of the text so far that may be shown and was not returned before.

        It ends with a whole character: a token may end inside of one.
        """
        self.raw.append(text)
        text = self.pending_half + text
        self.pending_half = text[-1:] if is_first_half(text[-1:]) else ""
        shown = self.thinking.add(text.removesuffix(self.pending_half))
        if self.thinking.has_hidden:
            self.unopened.pass_on()
        return self.ending.add(self.calls.add(self.unopened.add(shown)))

    def end(self, *, ran_out: bool) -> tuple[str, tuple[WrittenCall, ...]]:
        """Return the text that was held back, and the tool calls that some of it is."""
        rest = self.thinking.add(self.pending_half) + self.thinking.end()
        rest = self.calls.add(self.unopened.add(rest) + self.unopened.end())
        held, calls = self.calls.end(ran_out=ran_out)
        return self.ending.add(rest + held) + self.ending.end(), calls

    def sent_back(self) -> str | None:
        """Return the text for the endpoint; ``None`` if it is the one that was shown.

        A call goes back as a call, and not as text.
        """
        if not self.thinking.has_hidden and not self.unopened.was_found:
            return None
        raw = "".join(self.raw)
        return raw[: len(raw) - self.calls.hidden]
