"""Keeps a warning when a level's budget is nearly used, or used up.

Nothing is written while less is used, and each instance writes a warning once. A warning that
cannot be kept stops no image: the next request that finds the level so full tries again.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from imagegen.domain.budget_warnings import BudgetWarningStore, warnings
from imagegen.domain.budgets import Level, LevelHold, Take
from imagegen.domain.errors import StoreUnavailableError

MOST_KNOWN = 1_000
"""How many warnings an instance remembers: there may be many teams."""


@dataclass(frozen=True, slots=True)
class BudgetWarner:
    """Warns of the levels that this instance has asked."""

    store: BudgetWarningStore
    now_ms: Callable[[], int]
    _known: set[str] = field(default_factory=set)

    def look(self, level: Level, hold: LevelHold, took: Take) -> None:
        """Keep what is to be warned of after a level's answer to a hold."""
        for warning in warnings(took.budget, level, hold.day, took.result):
            if warning.place in self._known:
                continue
            with suppress(StoreUnavailableError):
                self.store.add(warning, self.now_ms())
                if len(self._known) >= MOST_KNOWN:
                    self._known.clear()
                self._known.add(warning.place)
