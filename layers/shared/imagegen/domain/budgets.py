"""Budgets above a person: of the organisation, a team, a program's key; each by day and month.

A confirmed request counts in its user's ledger and at each level. Every change of a level is one
atomic write. A mark stands at the level for each open hold, so that a change which is sent twice
changes nothing the second time: to take adds the mark, to give removes it. A fence forbids a mark
that was given back to come again, for a write that may still be on its way.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal, Protocol

from imagegen.domain.days import day_limit, month_limit
from imagegen.domain.errors import LimitError
from imagegen.domain.money import label_text

ORGANISATION, TEAM_PREFIX, PROGRAM_PREFIX = "O", "T#", "K#"
TEAM_CHARACTERS = 16
"""Hex digits of a hash: a team's name may be of any length, and each level's name is in entries."""

CODES = {
    ("organisation", "day"): "total_daily_spend",
    ("organisation", "month"): "total_monthly_spend",
    ("team", "day"): "team_daily_spend",
    ("team", "month"): "team_monthly_spend",
    ("key", "day"): "key_daily_spend",
    ("key", "month"): "key_monthly_spend",
}

PRICE_BYTES, NAME_BYTES = 5, 6
"""A price of up to a million dollars. Of two open holds of the same second and price, one in 10^14
pairs has the same name."""
DAY_SECONDS = 86_400
YOUNG_SECONDS = 1
"""A hold that is younger may still be given back because another level refuses it."""
FENCE_SECONDS = 3_600
"""How long a fence stays: a write does not arrive later than this."""


@dataclass(frozen=True, slots=True)
class Level:
    """A level above a person, and the most that may be spent there; amounts are micro-dollars."""

    name: str = ORGANISATION
    daily_microusd: int | None = None
    """``None``: it is counted and not limited; the same holds for the month."""
    monthly_microusd: int | None = None

    @property
    def is_limited(self) -> bool:
        """Whether it has a limit; without one it need not be counted."""
        return (self.daily_microusd, self.monthly_microusd) != (None, None)

    @property
    def title(self) -> Literal["organisation", "team", "key"]:
        """The word for it in JSON and in messages."""
        if self.name == ORGANISATION:
            return "organisation"
        return "team" if self.name.startswith(TEAM_PREFIX) else "key"


@dataclass(frozen=True, slots=True)
class LevelHold:
    """What one request holds at each of its levels."""

    day: str
    """The day of its quote, ``YYYYMMDD``: it counts in this day and in its month."""
    price_microusd: int
    mark: bytes


@dataclass(frozen=True, slots=True)
class Budget:
    """What is held and charged at one level in one month, in micro-dollars."""

    days: Mapping[str, int] = field(default_factory=dict)
    month_microusd: int = 0
    marks: frozenset[bytes] = frozenset()
    fences: frozenset[bytes] = frozenset()


class Taken(StrEnum):
    """What became of a hold at a level."""

    TAKEN = "taken"
    """It is counted, by this write or by an earlier one of the same run."""
    DAY_FULL = "day full"
    MONTH_FULL = "month full"
    ENDED = "ended"
    """The run was ended, and its hold given back."""


@dataclass(frozen=True, slots=True)
class Take:
    """The answer to a hold at a level."""

    result: Taken
    budget: Budget
    is_unsure: bool = False
    """Whether the write was sent more than once, so that a copy may still arrive."""


class BudgetStore(Protocol):
    """The levels' counters; every change is one atomic write of one level's month."""

    def load(self, level: str, month: str) -> Budget:
        """Return what is counted at a level in a month, ``YYYYMM``, as of now.

        Raises:
            StoreUnavailableError: it cannot be read.
        """
        ...

    def take(self, level: Level, hold: LevelHold) -> Take:
        """Count a hold at a level within its limits, or return why it does not fit.

        Raises:
            StoreUnavailableError: it may or may not be counted, now or later.
        """
        ...

    def give(
        self, level: str, hold: LevelHold, change_microusd: int, *, is_unsure: bool, now_ms: int
    ) -> None:
        """End a hold: change what is counted by the charge less the price. It is safe to repeat.

        With ``is_unsure``, a copy of the take may still arrive; a fence then makes it fail.

        Raises:
            StoreUnavailableError: it may or may not have been ended.
        """
        ...


def team_level(team: str) -> str:
    """Return the name of a team's level."""
    digest = hashlib.sha256(team.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{TEAM_PREFIX}{digest[:TEAM_CHARACTERS]}"


def mark_of(quote_id: str, owner: str, day: str, price_microusd: int, *, started_ms: int) -> bytes:
    """Return the mark of one hold, 14 bytes: day and second, price, and a hash.

    The owner is in the hash, because a quote that was given back may be tried again by another run.
    The price is in the mark, so that the marks of a level show what it holds.
    """
    second = int(day[6:8]) << 17 | started_ms // 1000 % DAY_SECONDS
    name = hashlib.sha256(f"{quote_id}/{owner}/{started_ms}".encode()).digest()[:NAME_BYTES]
    return second.to_bytes(3) + price_microusd.to_bytes(PRICE_BYTES) + name


def price_in(mark: bytes) -> int:
    """Return the price of a mark's hold, in micro-dollars."""
    return int.from_bytes(mark[3 : 3 + PRICE_BYTES])


def day_in(mark: bytes) -> int:
    """Return the day of the month in which a mark's hold counts."""
    return int.from_bytes(mark[:3]) >> 17


def age_seconds(mark: bytes, *, now_ms: int) -> int:
    """Return the seconds since a mark's hold was made, less than a day.

    One from a clock that is up to an hour ahead counts as new.
    """
    age = (now_ms // 1000 - (int.from_bytes(mark[:3]) & 0x1FFFF)) % DAY_SECONDS
    return 0 if age >= DAY_SECONDS - FENCE_SECONDS else age


def full_at(budget: Budget, level: Level, day: str, price_microusd: int) -> Taken | None:
    """Return which limit of a level stops a price, ``None`` if it fits."""
    return next(
        (
            full
            for full, most, spent in used(budget, level, day)
            if most is not None and spent + price_microusd > most
        ),
        None,
    )


def take_result(budget: Budget, level: Level, hold: LevelHold) -> Taken:
    """Return whether a hold is counted at a level, has ended there, or which limit stops it."""
    if hold.mark in budget.marks:
        return Taken.TAKEN
    if hold.mark in budget.fences:
        return Taken.ENDED
    return full_at(budget, level, hold.day, hold.price_microusd) or Taken.TAKEN


def is_nearly_full(budget: Budget, level: Level, day: str, *, percent: int) -> bool:
    """Return whether a percentage of one of a level's limits is used."""
    return any(
        most is not None and spent * 100 >= most * percent
        for _, most, spent in used(budget, level, day)
    )


def level_limit(level: Level, full: Taken, hold: LevelHold, *, now_ms: int) -> LimitError:
    """Return the limit of a level that stops a hold, with the time at which it begins anew."""
    is_month = full is Taken.MONTH_FULL
    most = (level.monthly_microusd if is_month else level.daily_microusd) or 0
    span = "month" if is_month else "day"
    text = f"This image could take the {span} of your {level.title} above {label_text(most)}."
    error, fits = LimitError(CODES[level.title, span], text), hold.price_microusd <= most
    if is_month:
        return month_limit(error, hold.day, now_ms=now_ms, fits_a_month=fits)
    return day_limit(error, hold.day, now_ms=now_ms, fits_a_day=fits)


def taken(budget: Budget, hold: LevelHold) -> Budget:
    """Return the budget with a hold, which counts in its day and in the month."""
    if hold.mark in budget.marks:
        return budget
    return replace(
        _changed(budget, hold.day, hold.price_microusd), marks=budget.marks | {hold.mark}
    )


def given(budget: Budget, hold: LevelHold, change_microusd: int, *, is_unsure: bool) -> Budget:
    """Return the budget with a hold ended; without its mark, nothing is counted."""
    fences = budget.fences | {hold.mark} if is_unsure else budget.fences
    if hold.mark in budget.marks:
        budget = _changed(budget, hold.day, change_microusd)
    return replace(budget, marks=budget.marks - {hold.mark}, fences=fences)


def old_fences(budget: Budget, *, now_ms: int) -> frozenset[bytes]:
    """Return the fences that no write can need any more."""
    return frozenset(
        mark for mark in budget.fences if age_seconds(mark, now_ms=now_ms) > FENCE_SECONDS
    )


def may_fit_soon(budget: Budget, level: Level, hold: LevelHold, *, now_ms: int) -> bool:
    """Return whether a refused hold would fit if the youngest holds were given back.

    A refusal must not rest on a hold that another level is about to refuse.
    """
    young = sum(
        price_in(mark) for mark in budget.marks if age_seconds(mark, now_ms=now_ms) <= YOUNG_SECONDS
    )
    return full_at(budget, level, hold.day, hold.price_microusd - young) is None


def used(budget: Budget, level: Level, day: str) -> tuple[tuple[Taken, int | None, int], ...]:
    """Return each limit: what a level answers when it is full, its amount, and what is used."""
    return (
        (Taken.MONTH_FULL, level.monthly_microusd, budget.month_microusd),
        (Taken.DAY_FULL, level.daily_microusd, budget.days.get(day, 0)),
    )


def _changed(budget: Budget, day: str, amount: int) -> Budget:
    days = {**budget.days, day: budget.days.get(day, 0) + amount}
    return replace(budget, days=days, month_microusd=budget.month_microusd + amount)
