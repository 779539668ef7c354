"""The amounts that operators set, in memory."""

from dataclasses import dataclass, field

from imagegen.domain.budget_amounts import Amounts


@dataclass(slots=True)
class MemoryAmountStore:
    """``AmountStore`` in a dictionary."""

    kept: dict[str, Amounts] = field(default_factory=dict)
    reads: int = 0

    def amounts(self, level: str) -> Amounts | None:
        self.reads += 1
        return self.kept.get(level)

    def replace(self, level: str, before: Amounts | None, after: Amounts | None) -> bool:
        if self.kept.get(level) != before:
            return False
        self.kept.pop(level, None)
        if after is not None:
            self.kept[level] = after
        return True
