"""What is left of the budgets above a user, before a click and in the report of usage."""

from collections.abc import Iterable
from dataclasses import dataclass

from imagegen.domain.budgets import Budget, BudgetStore, Level, LevelHold, full_at, level_limit
from imagegen.domain.errors import LimitError
from imagegen.wire.estimates import LevelAllowance


@dataclass(frozen=True, slots=True)
class LevelStanding:
    """A level, and what is used of it in one month."""

    level: Level
    budget: Budget

    def left(self, day: str) -> LevelAllowance:
        """Return what may still be spent on a day and in its month, in micro-dollars."""
        level, used = self.level, self.budget
        return LevelAllowance(
            level=level.title,
            usd_today=_left(level.daily_microusd, used.days.get(day, 0)),
            usd_this_month=_left(level.monthly_microusd, used.month_microusd),
        )

    def limit(self, day: str, price_microusd: int, *, now_ms: int) -> LimitError | None:
        """Return the limit that would refuse a price now, ``None`` if none would."""
        full = full_at(self.budget, self.level, day, price_microusd)
        hold = LevelHold(day, price_microusd, b"")
        return level_limit(self.level, full, hold, now_ms=now_ms) if full else None


def standings(budgets: BudgetStore, levels: Iterable[Level], day: str) -> tuple[LevelStanding, ...]:
    """Return what is used of each level in the month of a day, as of now.

    Raises:
        StoreUnavailableError: a level cannot be read.
    """
    return tuple(LevelStanding(level, budgets.load(level.name, day[:6])) for level in levels)


def _left(most: int | None, used: int) -> int | None:
    return None if most is None else max(0, most - used)
