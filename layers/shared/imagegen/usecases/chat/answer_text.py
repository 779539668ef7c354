"""The text of one answer: in paragraphs, as far as it fits, with the service's own sentences."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from imagegen.domain.call_errors import LlmError
from imagegen.domain.errors import ImagegenError
from imagegen.domain.outcomes import Outcome
from imagegen.usecases.chat.limits import MAX_ANSWER_CHARACTERS, TooLongError
from imagegen.wire.messages import TextDelta

STOPPED = "I stopped here: I used my tool too often for one message."
FAILED = "I could not finish my answer: the language model did not respond as it should."
DECLINED = "The language model declined to answer this. Please put it another way."
BUSY = "The language model is asked too often right now. Please try again in a minute."
TOO_LONG = "I stopped here: my answer is too long for one message."
RAN_OUT = "I ran out of room before I could answer. Please ask for less at a time."
CUT_OFF = "My answer ends here: it reached the limit of its length."
NOTHING = "I have no answer to that. Please rephrase your message."
FAILURES = {Outcome.REFUSED: DECLINED, Outcome.RATE_LIMITED: BUSY}
UNEXPECTED = "An unexpected error. It is in the logs."
"""The detail of a problem, not a part of the answer."""


def failure_text(error: ImagegenError) -> str:
    """Return the sentence with which an answer ends that failed: what the person can do."""
    if isinstance(error, TooLongError):
        return TOO_LONG
    outcome = error.outcome if isinstance(error, LlmError) else None
    return FAILED if outcome is None else FAILURES.get(outcome, FAILED)


@dataclass(slots=True)
class AnswerText:
    """The text so far; each method yields the events that add to it."""

    parts: list[str] = field(default_factory=list)
    characters: int = 0

    def whole(self) -> str:
        """Return the whole text."""
        return "".join(self.parts)

    def stream(self, text: str, *, continues: bool) -> Iterator[TextDelta]:
        """Yield the LLM's text as far as it fits into one message.

        Raises:
            TooLongError: it did not fit.
        """
        fits = text[: max(0, MAX_ANSWER_CHARACTERS - self.characters)]
        if fits:
            yield from self._add(fits) if continues else self.paragraph(fits)
        if fits != text:
            raise TooLongError("The LLM's answer was too long for one message.")

    def paragraph(self, text: str) -> Iterator[TextDelta]:
        """Yield text that does not continue the text before it: it starts a new paragraph."""
        if self.parts and not self.parts[-1].endswith("\n"):
            yield from self._add("\n\n")
        yield from self._add(text)

    def _add(self, text: str) -> Iterator[TextDelta]:
        self.parts.append(text)
        self.characters += len(text)
        yield TextDelta(text=text)
