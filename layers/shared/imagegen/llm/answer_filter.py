"""What a person sees of an answer's text, while it arrives: the words, and nothing else.

Beside them, models and servers put into the text what the model thinks, tool calls, and control
words.
"""

from dataclasses import dataclass, field

from imagegen.domain.text import is_first_half
from imagegen.llm.call_filter import CallFilter
from imagegen.llm.control_words import EndFilter
from imagegen.llm.thinking import ThinkingFilter
from imagegen.llm.unopened import UnopenedFilter
from imagegen.llm.written_calls import WrittenCall


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
