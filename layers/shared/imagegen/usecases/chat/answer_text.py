"""The text of one answer as it is written: in paragraphs, and as far as it fits into a message."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from imagegen.usecases.chat.limits import MAX_ANSWER_CHARACTERS, TooLongError
from imagegen.wire.messages import TextDelta


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
