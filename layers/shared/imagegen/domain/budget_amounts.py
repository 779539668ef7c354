"""The amounts of the budgets above a person: the stack's, or others that an operator has set.

What an operator sets holds within a minute in every instance, without a deployment. A level without
any limit is not counted at all, so that it costs nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from imagegen.domain.budgets import ORGANISATION, Level, team_level

EACH_TEAM = "T"
"""The name under which the amounts of each team stand that has none of its own."""
KEPT_MS = 60_000
"""How long an instance uses amounts before it reads them again."""
MOST_KEPT = 1_000
"""How many levels an instance keeps: a token may name any team."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """The most that may be spent, in micro-dollars; ``None``: not limited, or not set."""

    daily_microusd: int | None = None
    monthly_microusd: int | None = None


class AmountStore(Protocol):
    """Where the amounts stand that operators set."""

    def amounts(self, level: str) -> Amounts | None:
        """Return the amounts of a level, ``None`` if an operator has set none.

        Raises:
            StoreUnavailableError: they cannot be read.
        """
        ...

    def replace(self, level: str, before: Amounts | None, after: Amounts | None) -> bool:
        """Replace the amounts of a level if they are still ``before``; ``None``: no amounts.

        Raises:
            StoreUnavailableError: they may or may not have been replaced.
        """
        ...


@dataclass(slots=True)
class CurrentAmounts:
    """The amounts as an instance uses them."""

    store: AmountStore
    organisation: Amounts
    """The stack's setting, which an operator may replace; the same holds for ``team``."""
    team: Amounts
    """Of each team."""
    now_ms: Callable[[], int]
    _kept: dict[str, tuple[int, Amounts | None]] = field(default_factory=dict)
    """By level: until when, in ms, the amounts may be used, and the amounts."""

    def levels(self, team: str) -> tuple[Level, ...]:
        """Return the levels with a limit at which a user's requests count, that of all users last.

        ``team`` is the team's name in the user's token, empty without one.

        Raises:
            StoreUnavailableError: amounts cannot be read. Without them nothing may be spent.
        """
        found = []
        if team:
            name = team_level(team)
            amounts = self._of(name) or self._of(EACH_TEAM) or self.team
            found.append(Level(name, amounts.daily_microusd, amounts.monthly_microusd))
        amounts = self._of(ORGANISATION) or self.organisation
        found.append(Level(ORGANISATION, amounts.daily_microusd, amounts.monthly_microusd))
        return tuple(level for level in found if level.is_limited)

    def _of(self, level: str) -> Amounts | None:
        now_ms = self.now_ms()
        until_ms, amounts = self._kept.get(level, (0, None))
        if now_ms >= until_ms:
            amounts = self.store.amounts(level)
            self._kept.pop(level, None)
            if len(self._kept) >= MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[level] = now_ms + KEPT_MS, amounts
        return amounts
