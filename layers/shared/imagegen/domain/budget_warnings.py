"""Warnings that a level's budget is nearly used, or used up: one for each limit, time and step.

A warning is kept as an item of its own, because what reads the table's changes compares them with
fixed values only: it cannot see that one number has reached a share of another.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from imagegen.domain.budgets import Budget, Level, Taken, used

PERCENTS: Final = (80, 100)
"""At which shares of a limit a warning is kept."""
DAY_SPAN, MONTH_SPAN = "day", "month"


@dataclass(frozen=True, slots=True)
class BudgetWarning:
    """That a share of one limit is used, by what is held and charged; amounts in micro-dollars."""

    level: str
    """The level's name, as in the counters: ``O``, ``T#`` or ``K#`` with an id."""
    title: str
    """``organisation``, ``team`` or ``key``."""
    span: str
    time: str
    """The UTC day or month, ``YYYYMMDD`` or ``YYYYMM``."""
    percent: int
    used_microusd: int
    """At the time of the warning. At 100 % it may be less than the limit: a request did not fit."""
    limit_microusd: int

    @property
    def place(self) -> str:
        """The one place of all warnings of this limit, time and step.

        A limit that is raised has warnings of its own.
        """
        return f"{self.time}#{self.level}#{self.limit_microusd}#{self.percent}"


class BudgetWarningStore(Protocol):
    """Where warnings are kept."""

    def add(self, warning: BudgetWarning, at_ms: int) -> None:
        """Keep a warning; the first one of its place stays.

        Raises:
            StoreUnavailableError: it may or may not be kept.
        """
        ...


def warnings(budget: Budget, level: Level, day: str, result: Taken) -> Iterator[BudgetWarning]:
    """Yield what is to be warned of when a level has answered to a hold of a day.

    A limit counts as used up when nothing is left of it, or when a request did not fit.
    """
    for full, most, amount in used(budget, level, day):
        if most is None:
            continue
        span, time = (MONTH_SPAN, day[:6]) if full is Taken.MONTH_FULL else (DAY_SPAN, day)
        for percent in PERCENTS:
            if result is full or amount * 100 >= most * percent:
                yield BudgetWarning(level.name, level.title, span, time, percent, amount, most)
