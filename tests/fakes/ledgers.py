"""The users' ledgers in memory: the same conditions and the same atomicity as the table's.

A move that starts from an old view is tried with that view first, as the real store does it, and
with the present one after that; so the lease list and the pruning end alike as well.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from imagegen.domain import ledger as rules
from imagegen.domain import pruning
from imagegen.domain.days import utc_day
from imagegen.domain.ledger import Hold, Ledger, Limits, OpState, PersonalLimits
from imagegen.domain.personal_limits import Change
from imagegen.domain.standing import limit_reached
from imagegen.domain.stores import Held, Known, LedgerSnapshot, Refused, Reservation
from imagegen.domain.takeovers import Takeover, may_take, taken

DAY_MS = 86_400_000


@dataclass(slots=True)
class MemoryLedgerStore:
    """``LedgerStore`` in a dictionary."""

    ledgers: dict[str, Ledger] = field(default_factory=dict)
    leases: dict[str, str] = field(default_factory=dict)
    """The list of ``lapsed``: by user, when a hold of theirs may be dead."""
    writes: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def load(self, user: str) -> Ledger:
        with self._lock:
            return self.ledgers.get(user, Ledger())

    def reserve(self, user: str, hold: Hold, limits: Limits, *, now_ms: int) -> Reservation:
        with self._lock:
            ledger = self.load(user)
            limit = limit_reached(ledger, hold, limits, now_ms=now_ms)
            if limit is None and rules.may_reserve_op(ledger, hold.quote_id):
                hold = replace(hold, slot=_free_slot(ledger, hold, limits, now_ms))
                held = rules.reserved(ledger, hold, limits, now_ms=now_ms)
                self._write(user, held)
                self.leases.setdefault(user, lease_key(hold.lease_ms, hold.quote_id))
                return Held(LedgerSnapshot(hold.quote_id, held))
            op = ledger.ops.get(hold.quote_id)
            if op is not None and op.state is OpState.HELD and op.owner == hold.owner:
                return Held(LedgerSnapshot(hold.quote_id, ledger))
            if limit is None or not rules.may_reserve_op(ledger, hold.quote_id):
                return Known(LedgerSnapshot(hold.quote_id, ledger))
            return Refused(limit, ledger)

    def set_limits(self, user: str, change: Change) -> PersonalLimits:
        with self._lock:
            ledger = self.load(user)
            after = change(ledger.personal)
            if after != ledger.personal:
                self._write(user, replace(ledger, personal=after))
            return after

    def take(self, user: str, takeover: Takeover, *, now_ms: int) -> LedgerSnapshot | None:
        with self._lock:
            ledger = self.load(user)
            op = ledger.ops.get(takeover.quote_id)
            if may_take(op, takeover, now_ms=now_ms):
                ledger = taken(ledger, takeover)
                self._write(user, ledger)
            elif op is None or op.state is not OpState.HELD or op.owner != takeover.owner:
                return None
            return LedgerSnapshot(takeover.quote_id, ledger)

    def settle(
        self, user: str, snapshot: LedgerSnapshot, *, charged_microusd: int, now_ms: int
    ) -> bool:
        def move(ledger: Ledger) -> Ledger:
            return rules.settled(ledger, snapshot.quote_id, charged_microusd)

        return self._end(user, snapshot, OpState.SETTLED, move, now_ms)

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
        def move(ledger: Ledger) -> Ledger:
            return rules.released(
                ledger, snapshot.quote_id, code=code, retryable=retryable, is_attempt=is_attempt
            )

        return self._end(user, snapshot, OpState.RELEASED, move, now_ms)

    def wait(self, user: str, quote_id: str, *, until_ms: int, now_ms: int) -> bool:
        with self._lock:
            ledger = self.load(user)
            op = ledger.ops.get(quote_id)
            if op is None or op.state is not OpState.HELD or op.waiter_until_ms > now_ms:
                return False
            waited = replace(op, waiter_until_ms=until_ms)
            self._write(user, replace(ledger, ops={**ledger.ops, quote_id: waited}))
            return True

    def lapsed(self, *, now_ms: int, limit: int) -> list[str]:
        with self._lock:
            due = sorted(
                (lease, user)
                for user, lease in self.leases.items()
                if lease < lease_key(now_ms, "")
            )
            return [user for _, user in due[:limit]]

    def defer_lease(self, user: str, *, now_ms: int) -> bool:
        with self._lock:
            last, ledger = lease_key(now_ms - 1, "~"), self.load(user)
            if self.leases.get(user, last) >= last:
                return False
            self._write(user, replace(ledger, version=ledger.version + 1))
            self.leases[user] = last
            return True

    def forget_lease(self, user: str) -> bool:
        with self._lock:
            ledger = self.load(user)
            wanted = _latest_lease(ledger)
            if self.leases.get(user) == wanted:
                return False
            self._write(user, replace(ledger, version=ledger.version + 1))
            self._put_lease(user, wanted)
            return True

    def _end(
        self,
        user: str,
        snapshot: LedgerSnapshot,
        state: OpState,
        move: Callable[[Ledger], Ledger],
        now_ms: int,
    ) -> bool:
        with self._lock:
            ledger = self.load(user)
            found = ledger.ops.get(snapshot.quote_id) if _is_held(snapshot) else snapshot.op
            ended = rules.is_ended(snapshot.op, found, state)
            if ended is not None:
                return ended
            view = snapshot.ledger if self._may_start_from(snapshot, ledger) else ledger
            self._write(user, _pruned(move(ledger), view, now_ms, snapshot.op.day))
            if _latest_lease(_without(view, snapshot.quote_id)) is None:
                self.leases.pop(user, None)
            return True

    def _may_start_from(self, snapshot: LedgerSnapshot, ledger: Ledger) -> bool:
        """Return whether the conditions made from an old view hold now."""
        alone = _latest_lease(_without(snapshot.ledger, snapshot.quote_id)) is None
        return not alone or snapshot.ledger.version == ledger.version

    def _put_lease(self, user: str, lease: str | None) -> None:
        if lease is None:
            self.leases.pop(user, None)
        else:
            self.leases[user] = lease

    def _write(self, user: str, ledger: Ledger) -> None:
        self.ledgers[user] = ledger
        self.writes += 1


def lease_key(lease_ms: int, quote_id: str) -> str:
    """Return a lease so that text sorts as time does."""
    return f"{lease_ms:015d}#{quote_id}"


def _free_slot(ledger: Ledger, hold: Hold, limits: Limits, now_ms: int) -> int:
    free = rules.free_slots(ledger, limits, now_ms=now_ms)
    wanted = hold.slot % limits.hourly_images if limits.hourly_images else hold.slot
    return wanted if wanted in free or not free else free[0]


def _is_held(snapshot: LedgerSnapshot) -> bool:
    """Return whether it was, as far as its run knows; what has ended is not begun again."""
    return snapshot.op.state is OpState.HELD


def _without(ledger: Ledger, quote_id: str) -> Ledger:
    return replace(ledger, ops={name: op for name, op in ledger.ops.items() if name != quote_id})


def _latest_lease(ledger: Ledger) -> str | None:
    held = (
        lease_key(op.lease_ms, name) for name, op in ledger.ops.items() if op.state is OpState.HELD
    )
    return max(held, default=None)


def _pruned(ledger: Ledger, view: Ledger, now_ms: int, day: str) -> Ledger:
    oldest = min(day, utc_day(now_ms - 2 * DAY_MS))
    ops, days = pruning.prunable(view, now_ms=now_ms, oldest_day=oldest)
    months = pruning.prunable_months(view, oldest_day=oldest)
    return replace(
        ledger,
        ops={name: op for name, op in ledger.ops.items() if name not in ops},
        spent={d: n for d, n in ledger.spent.items() if d not in days},
        images={d: n for d, n in ledger.images.items() if d not in days},
        attempts={d: n for d, n in ledger.attempts.items() if d not in days},
        months={m: n for m, n in ledger.months.items() if m not in months},
    )
