"""The fake and the table do the same, whatever is asked of them in whatever order."""

from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from imagegen.aws.ledger_store import DynamoLedgerStore
from imagegen.domain import pruning
from imagegen.domain.days import utc_day
from imagegen.domain.ledger import HOUR_MS, Hold, Ledger, Limits
from imagegen.domain.stores import LedgerSnapshot, LedgerStore, Refused
from tests.adapters.aws.conftest import NUMBERS
from tests.fakes.clock import NOON_MS
from tests.fakes.ledgers import MemoryLedgerStore

DAY_MS = 86_400_000
EVERYBODY = 100_000
QUOTES = ("q1", "q2", "q3", "q4", "q5")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing asked of a store."""

    kind: str
    quote: str
    wait_ms: int
    number: int
    """Slot, and what the price, the lease and the limits are derived from."""
    fresh: bool
    """Whether an end starts from the present ledger or from the one first seen."""

    def limits(self, hourly: int) -> Limits:
        return Limits(hourly, 4, 9, (250_000, 60_000, 10**9)[self.number // 3 % 3])

    def hold(self, now_ms: int, run: int) -> Hold:
        day = "20261122" if self.number % 5 else "20261121"
        lease_ms = now_ms + (200_000, 330_000)[self.number % 2]
        price = 20_000 + 10_000 * (self.number % 7)
        name = self.name(now_ms)
        return Hold(name, f"run-{run}", day, price, now_ms + 600_000, lease_ms, self.number)

    def name(self, now_ms: int) -> str:
        """Return the quote's id: a quote lives for ten minutes, then it is another one."""
        return f"{self.quote}-{now_ms // 600_000}"


@dataclass(slots=True)
class ToolUse:
    """A store, and what its runs have seen."""

    store: LedgerStore
    user: str
    hourly: int
    """One limit for a whole history: which slot is taken would matter where it is lowered."""
    snapshot: dict[str, LedgerSnapshot] = field(default_factory=dict)

    def take(self, step: Step, now_ms: int, run: int) -> Any:
        """Return what the store says, in a form in which two stores can be compared."""
        if step.kind == "reserve":
            return self._reserve(step, now_ms, run)
        if step.kind == "lapsed":
            return self.user in self.store.lapsed(now_ms=now_ms, limit=EVERYBODY)
        if step.kind == "defer":
            return self.store.defer_lease(self.user, now_ms=now_ms)
        if step.kind == "forget":
            return self.store.forget_lease(self.user)
        snapshot = self.snapshot.get(step.quote)
        if snapshot is not None and step.fresh:
            snapshot = self._fresh(snapshot)
        if snapshot is None or snapshot.op.expires_ms + pruning.PRUNE_MARGIN_MS < now_ms:
            return None
        if step.kind == "settle":
            charge = min(step.number * 1000, snapshot.op.price_microusd)
            return self.store.settle(self.user, snapshot, charged_microusd=charge, now_ms=now_ms)
        retryable = step.number % 2 == 0
        return self.store.release(self.user, snapshot, code="c", retryable=retryable, now_ms=now_ms)

    def _fresh(self, snapshot: LedgerSnapshot) -> LedgerSnapshot | None:
        ledger = self.store.load(self.user)
        return replace(snapshot, ledger=ledger) if snapshot.quote_id in ledger.ops else None

    def _reserve(self, step: Step, now_ms: int, run: int) -> Any:
        came = self.store.reserve(
            self.user, step.hold(now_ms, run), step.limits(self.hourly), now_ms=now_ms
        )
        if isinstance(came, Refused):
            return came.limit.code, came.limit.retry_after_seconds, comparable(came.ledger, now_ms)
        # Otherwise an old run goes on with what it saw, though another holds the quote by now.
        if step.fresh or step.quote not in self.snapshot:
            self.snapshot[step.quote] = came.snapshot
        return type(came).__name__, came.snapshot.op.owner, comparable(came.snapshot.ledger, now_ms)


def comparable(ledger: Ledger, now_ms: int) -> Any:
    """Return what matters of a ledger: not which slot is whose, for a free one is picked at
    random, and not what nobody needs any more, for that is dropped sooner or later.
    """
    old, old_days = pruning.prunable(ledger, now_ms=now_ms, oldest_day=utc_day(now_ms - 2 * DAY_MS))
    taken = sorted(at for at in ledger.slots.values() if at > now_ms - HOUR_MS)
    ops = {
        name: replace(op, slot=None if op.slot is None else 0)
        for name, op in ledger.ops.items()
        if name not in old
    }
    counts = [ledger.spent, ledger.images, ledger.attempts]
    young = [{day: n for day, n in one.items() if day not in old_days} for one in counts]
    return ledger.version, ops, young, taken


STEPS = st.lists(
    st.builds(
        Step,
        kind=st.sampled_from(
            ["reserve"] * 4 + ["settle", "release"] * 2 + ["lapsed", "forget", "defer"]
        ),
        quote=st.sampled_from(QUOTES),
        wait_ms=st.sampled_from([0, 0, 1, 1000, 200_001, 3_600_000, 50_000_000, 200_000_000]),
        number=st.integers(0, 12),
        fresh=st.booleans(),
    ),
    min_size=1,
    max_size=25,
)


@settings(
    max_examples=60,
    deadline=None,
    # Without shrinking: a history is short, and each is played on the emulator.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(STEPS, st.sampled_from([3, 2, 0]))
def test_two_ledger_stores_say_and_keep_the_same(
    dynamo_ledgers: DynamoLedgerStore, steps: list[Step], hourly: int
) -> None:
    user = f"{next(NUMBERS):032x}"
    fake, real = ToolUse(MemoryLedgerStore(), user, hourly), ToolUse(dynamo_ledgers, user, hourly)
    now_ms = NOON_MS
    for run, step in enumerate(steps):
        now_ms += step.wait_ms
        assert fake.take(step, now_ms, run) == real.take(step, now_ms, run)
        ours, theirs = fake.store.load(user), real.store.load(user)
        assert comparable(ours, now_ms) == comparable(theirs, now_ms)
