"""What a user, and the budgets above, have left: before a click and in the report of usage."""

from collections.abc import Iterable
from dataclasses import dataclass

from imagegen.domain.budgets import Budget, BudgetStore, Level, LevelHold, full_at, level_limit
from imagegen.domain.errors import LimitError
from imagegen.domain.ledger import Ledger, Limits
from imagegen.domain.standing import remaining
from imagegen.wire.estimates import Allowance, LevelAllowance


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


def to_allowance(
    ledger: Ledger,
    limits: Limits,
    day: str,
    *,
    now_ms: int,
    levels: tuple[LevelAllowance, ...] | None = None,
) -> Allowance:
    """Return what the user may still do within the limits; amounts are in micro-dollars."""
    left = remaining(ledger, limits, day, now_ms=now_ms)
    return Allowance(
        images_this_hour=left.images_this_hour,
        images_today=left.images_today,
        usd_today=left.spend_microusd,
        levels=levels,
    )


def _left(most: int | None, used: int) -> int | None:
    return None if most is None else max(0, most - used)
