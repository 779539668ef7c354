"""The rows of the bar: what each must show, and what a run of it measured."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.exactness.ground import Ground

type Run = Callable[[Ground], "Measured"]


@dataclass(frozen=True, slots=True)
class Measured:
    """What a row came to."""

    figure: str
    wrong: tuple[str, ...] = ()
    """Why it falls short; nothing where it does not."""
    figures: dict[str, object] = field(default_factory=dict)
    """The same for programs."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row."""

    name: str
    must_show: str
    run: Run


@dataclass(slots=True)
class Verdict:
    """Collects what falls short."""

    wrong: list[str] = field(default_factory=list)

    def demand(self, holds: bool, said: str) -> None:  # noqa: FBT001 it reads as a sentence
        """Note what does not hold; only the first few are worth reading."""
        if not holds and len(self.wrong) < 5:
            self.wrong.append(said)

    def measured(self, figure: str, **figures: object) -> Measured:
        """Return the row's result."""
        return Measured(figure, tuple(self.wrong), figures)
