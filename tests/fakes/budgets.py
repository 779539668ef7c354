"""The levels' budgets in memory: the same conditions and the same atomicity as the table's."""

import threading
from dataclasses import dataclass, field, replace

from imagegen.domain import budgets as rules
from imagegen.domain.budget_warnings import BudgetWarning
from imagegen.domain.budgets import Budget, Level, LevelHold, Take, Taken


@dataclass(slots=True)
class MemoryBudgetStore:
    """``BudgetStore`` in a dictionary."""

    budgets: dict[tuple[str, str], Budget] = field(default_factory=dict)
    """By level and month."""
    writes: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def load(self, level: str, month: str) -> Budget:
        with self._lock:
            return self.budgets.get((level, month), Budget())

    def take(self, level: Level, hold: LevelHold) -> Take:
        with self._lock:
            budget = self.load(level.name, hold.day[:6])
            result = rules.take_result(budget, level, hold)
            if result is Taken.TAKEN:
                budget = rules.taken(budget, hold)
                self._write(level.name, hold, budget)
            return Take(result, budget)

    def give(
        self, level: str, hold: LevelHold, change_microusd: int, *, is_unsure: bool, now_ms: int
    ) -> None:
        with self._lock:
            budget = self.load(level, hold.day[:6])
            after = rules.given(budget, hold, change_microusd, is_unsure=is_unsure)
            if hold.mark in budget.marks:
                old = rules.old_fences(after, now_ms=now_ms)
                after = replace(after, fences=after.fences - old)
            self._write(level, hold, after)

    def _write(self, level: str, hold: LevelHold, budget: Budget) -> None:
        key = (level, hold.day[:6])
        if budget != self.budgets.get(key, Budget()):
            self.budgets[key] = budget
            self.writes += 1


@dataclass(slots=True)
class MemoryBudgetWarningStore:
    """``BudgetWarningStore`` in a dictionary."""

    kept: dict[str, tuple[BudgetWarning, int]] = field(default_factory=dict)
    """By place, with the time of each."""

    def add(self, warning: BudgetWarning, at_ms: int) -> None:
        self.kept.setdefault(warning.place, (warning, at_ms))
