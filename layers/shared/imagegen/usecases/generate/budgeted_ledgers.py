"""Ledgers whose holds count at the levels above the user as well: the team, the organisation.

To hold, the user's entry is written first, then each level; to end a hold, each level is written
first, then the entry. So each hold at a level has an open entry, and once an entry has ended, its
hold has ended at every level. If a run dies in between, the reconciler ends the hold in the same
order. A level does not store whose a hold is, so only the owner may end it there: a hold that waits
for a run is first taken back from that run.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from imagegen.domain import budgets as rules
from imagegen.domain.budgets import BudgetStore, Level, LevelHold, Take, Taken
from imagegen.domain.errors import StoreUnavailableError
from imagegen.domain.ids import is_waiting
from imagegen.domain.ledger import (
    Hold,
    Ledger,
    Limits,
    OpState,
    is_ended,
    may_reserve_op,
    released,
)
from imagegen.domain.standing import limit_reached
from imagegen.domain.stores import (
    Held,
    Known,
    LedgerSnapshot,
    LedgerStore,
    Refused,
    Reservation,
)

if TYPE_CHECKING:
    from imagegen.domain.takeovers import Takeover
    from imagegen.usecases.generate.budget_warnings import BudgetWarner

PAUSES_SECONDS = (0.05, 0.1, 0.15)
"""The pauses before a full level is asked again, while it has holds that may be given back."""
WATCH_MS = 10_000
"""How long a level that refused, or was nearly full, is looked at before anything is held."""
NEARLY_FULL_PERCENT = 90
WARNED_PERCENT = 80
"""Below this share of its limits a level needs no warning."""
LATE_MS = 5_000
"""Before its lease ends by this, a run has made its last write. After that, another instance may
have ended the hold, so that the entry is read first."""


@dataclass(frozen=True, slots=True)
class BudgetedLedgers:
    """``LedgerStore`` over the users' entries, whose holds count at the levels as well."""

    ledgers: LedgerStore
    budgets: BudgetStore
    now_ms: Callable[[], int]
    pause: Callable[[float], None]
    warner: "Callable[[], BudgetWarner]"
    """Warns of a level that is nearly full."""
    _watched: dict[str, int] = field(default_factory=dict)
    """Until when, in ms, a level that was nearly full, or refused, is looked at first."""

    def load(self, user: str) -> Ledger:
        """Return the user's ledger; it is empty if there is no entry."""
        return self.ledgers.load(user)

    def reserve(self, user: str, hold: Hold, limits: Limits, *, now_ms: int) -> Reservation:
        """Hold in the user's entry and at each level, or nothing.

        If a level cannot be reached, the entry stays open: the caller must release the hold.
        """
        if refused := self._refused_at_once(user, hold, limits, now_ms=now_ms):
            return refused
        came = self.ledgers.reserve(user, hold, limits, now_ms=now_ms)
        if not isinstance(came, Held):
            return came
        snapshot, counted = came.snapshot, came.snapshot.op.at_levels
        for index, level in enumerate(limits.levels):
            took = self._take(level, counted)
            if took.is_unsure:
                snapshot = replace(snapshot, unsure=snapshot.unsure | {level.name})
            self._warn(level, counted, took)
            if took.result is not Taken.TAKEN:
                taken = [one.name for one in limits.levels[:index]]
                return self._refused(user, snapshot, level, took, taken)
        return Held(snapshot)

    def take(self, user: str, takeover: "Takeover", *, now_ms: int) -> LedgerSnapshot | None:
        """Return a waiting hold as this run's own; the levels have it already."""
        return self.ledgers.take(user, takeover, now_ms=now_ms)

    def settle(
        self, user: str, snapshot: LedgerSnapshot, *, charged_microusd: int, now_ms: int
    ) -> bool:
        """Lower the hold to the charge, at each level and then in the entry."""
        ended = self._ended_late(user, snapshot, OpState.SETTLED, now_ms=now_ms)
        if ended is not None:
            return ended
        change = charged_microusd - snapshot.op.price_microusd
        self._give(snapshot, snapshot.op.levels, change, now_ms=now_ms)
        return self.ledgers.settle(user, snapshot, charged_microusd=charged_microusd, now_ms=now_ms)

    def release(
        self,
        user: str,
        snapshot: LedgerSnapshot,
        *,
        code: str,
        retryable: bool,
        is_attempt: bool = True,
        now_ms: int,
    ) -> bool:
        """Give the hold back, at each level and then in the entry."""
        ended = self._ended_late(user, snapshot, OpState.RELEASED, now_ms=now_ms)
        if ended is not None:
            return ended
        own = self._taken_back(user, snapshot, now_ms=now_ms)
        if own is None:
            return False
        self._give(own, own.op.levels, -own.op.price_microusd, now_ms=now_ms)
        return self.ledgers.release(
            user, own, code=code, retryable=retryable, is_attempt=is_attempt, now_ms=now_ms
        )

    def lapsed(self, *, now_ms: int, limit: int) -> Iterable[str]:
        """Yield users who may have a hold of a dead run."""
        return self.ledgers.lapsed(now_ms=now_ms, limit=limit)

    def forget_lease(self, user: str) -> bool:
        """Remove a user without any hold from the list of ``lapsed``."""
        return self.ledgers.forget_lease(user)

    def defer_lease(self, user: str, *, now_ms: int) -> bool:
        """Move a user to the end of the list of ``lapsed``. Return whether it changed."""
        return self.ledgers.defer_lease(user, now_ms=now_ms)

    def _take(self, level: Level, hold: LevelHold) -> Take:
        return self._patiently(level, hold, lambda: self.budgets.take(level, hold))

    def _patiently(self, level: Level, hold: LevelHold, ask: Callable[[], Take]) -> Take:
        """Return the answer of a level; a full one is asked again while it has young holds."""
        is_unsure, took = False, ask()
        for seconds in PAUSES_SECONDS:
            self._watch(level, hold, took)
            is_unsure |= took.is_unsure
            if took.result not in (Taken.DAY_FULL, Taken.MONTH_FULL) or not rules.may_fit_soon(
                took.budget, level, hold, now_ms=self.now_ms()
            ):
                break
            self.pause(seconds)
            took = ask()
        return replace(took, is_unsure=True) if is_unsure else took

    def _watch(self, level: Level, hold: LevelHold, took: Take) -> None:
        if took.result is not Taken.TAKEN or rules.is_nearly_full(
            took.budget, level, hold.day, percent=NEARLY_FULL_PERCENT
        ):
            self._watched[level.name] = self.now_ms() + WATCH_MS

    def _refused_at_once(
        self, user: str, hold: Hold, limits: Limits, *, now_ms: int
    ) -> Refused | None:
        """Return the refusal of a watched level that is full, ``None`` if the hold is to be tried.

        Without this look, a refusal costs as many writes as an image.
        """
        wanted = LevelHold(hold.day, hold.ceiling_microusd, b"")
        for level in limits.levels:
            if self._watched.get(level.name, 0) < self.now_ms():
                continue
            look = self._patiently(level, wanted, partial(self._look, level, wanted))
            self._warn(level, wanted, look)
            if look.result is not Taken.TAKEN:
                ledger = self.ledgers.load(user)
                if not may_reserve_op(ledger, hold.quote_id) or limit_reached(
                    ledger, hold, limits, now_ms=now_ms
                ):
                    return None  # The entry has the answer.
                return Refused(rules.level_limit(level, look.result, wanted, now_ms=now_ms), ledger)
        return None

    def _warn(self, level: Level, hold: LevelHold, took: Take) -> None:
        """Warn of a level, once it has answered for good."""
        if took.result in (Taken.DAY_FULL, Taken.MONTH_FULL) or rules.is_nearly_full(
            took.budget, level, hold.day, percent=WARNED_PERCENT
        ):
            self.warner().look(level, hold, took)

    def _look(self, level: Level, hold: LevelHold) -> Take:
        budget = self.budgets.load(level.name, hold.day[:6])
        full = rules.full_at(budget, level, hold.day, hold.price_microusd)
        return Take(full or Taken.TAKEN, budget)

    def _refused(
        self, user: str, snapshot: LedgerSnapshot, level: Level, took: Take, taken: Iterable[str]
    ) -> Reservation:
        """End a hold that a level has not taken, and return its refusal."""
        if took.result is Taken.ENDED:
            raise StoreUnavailableError("This request was given up. Try again.")
        now_ms, hold = self.now_ms(), snapshot.op.at_levels
        limit = rules.level_limit(level, took.result, hold, now_ms=now_ms)
        self._give(snapshot, {*taken, *snapshot.unsure}, -hold.price_microusd, now_ms=now_ms)
        code, name = limit.code, snapshot.quote_id
        if self.ledgers.release(
            user, snapshot, code=code, retryable=True, is_attempt=False, now_ms=now_ms
        ):
            after = released(snapshot.ledger, name, code=code, retryable=True, is_attempt=False)
            return Refused(limit, after)
        # Its image was made by an earlier run, and found meanwhile.
        return Known(LedgerSnapshot(name, self.ledgers.load(user)))

    def _give(
        self, snapshot: LedgerSnapshot, levels: Iterable[str], change: int, *, now_ms: int
    ) -> None:
        hold = snapshot.op.at_levels
        for level in levels:
            is_unsure = level in snapshot.unsure
            self.budgets.give(level, hold, change, is_unsure=is_unsure, now_ms=now_ms)

    def _taken_back(
        self, user: str, snapshot: LedgerSnapshot, *, now_ms: int
    ) -> LedgerSnapshot | None:
        """Return a hold that no run can take over any more, ``None`` if its run has done so.

        After its lease no run takes it over, and a hold without levels ends in a single write.
        """
        op = snapshot.op
        if not op.levels or not is_waiting(op.owner) or op.lease_ms < now_ms:
            return snapshot
        # Imported here: few runs are in another invocation than their hold.
        from imagegen.domain.takeovers import taking_back  # noqa: PLC0415

        own = self.ledgers.take(user, taking_back(snapshot.quote_id, op), now_ms=now_ms)
        return own and replace(own, unsure=snapshot.unsure)

    def _ended_late(
        self, user: str, snapshot: LedgerSnapshot, state: OpState, *, now_ms: int
    ) -> bool | None:
        """Return how another instance ended a hold late, as ``is_ended``; ``None`` if none did."""
        op = snapshot.op
        if op.state is not OpState.HELD or not op.levels or now_ms < op.lease_ms - LATE_MS:
            return None
        return is_ended(op, self.ledgers.load(user).ops.get(snapshot.quote_id), state)
