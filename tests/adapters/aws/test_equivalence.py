"""The fake and the table do the same, whatever is asked of them in whatever order."""

from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imagegen.aws.ledger_store import DynamoLedgerStore
from imagegen.domain.ledger import Hold, Ledger, Limits
from imagegen.domain.ports import Known, LedgerStore, Refused, Seen
from tests.adapters.aws.conftest import NUMBERS
from tests.fakes.clock import NOON_MS
from tests.fakes.ledgers import MemoryLedgerStore

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

    @property
    def limits(self) -> Limits:
        return Limits(
            (3, 0, 2)[self.number % 3], 4, 9, (250_000, 60_000, 10**9)[self.number // 3 % 3]
        )

    def hold(self, now_ms: int, run: int) -> Hold:
        day = "20261122" if self.number % 5 else "20261121"
        lease_ms = now_ms + (200_000, 330_000)[self.number % 2]
        price = 20_000 + 10_000 * (self.number % 7)
        return Hold(self.quote, f"run-{run}", day, price, now_ms + 600_000, lease_ms, self.number)


@dataclass(slots=True)
class Asked:
    """A store, and what its runs have seen."""

    store: LedgerStore
    user: str
    seen: dict[str, Seen] = field(default_factory=dict)

    def take(self, step: Step, now_ms: int, run: int) -> Any:
        """Return what the store says, in a form in which two stores can be compared."""
        if step.kind == "reserve":
            return self._reserve(step, now_ms, run)
        if step.kind == "lapsed":
            return self.user in self.store.lapsed(now_ms=now_ms, limit=EVERYBODY)
        if step.kind == "forget":
            return self.store.forget_lease(self.user)
        seen = self.seen.get(step.quote)
        if seen is None:
            return None
        if step.fresh:
            seen = self._fresh(seen)
        if seen is None:
            return None
        if step.kind == "settle":
            charge = min(step.number * 1000, seen.op.price_microusd)
            return self.store.settle(self.user, seen, charged_microusd=charge, now_ms=now_ms)
        retryable = step.number % 2 == 0
        return self.store.release(self.user, seen, code="c", retryable=retryable, now_ms=now_ms)

    def _fresh(self, seen: Seen) -> Seen | None:
        ledger = self.store.load(self.user)
        return replace(seen, ledger=ledger) if seen.quote_id in ledger.ops else None

    def _reserve(self, step: Step, now_ms: int, run: int) -> Any:
        came = self.store.reserve(self.user, step.hold(now_ms, run), step.limits, now_ms=now_ms)
        if isinstance(came, Refused):
            return came.limit.code, came.limit.retry_after_seconds, comparable(came.ledger)
        if not isinstance(came, Known) or step.fresh:
            self.seen[step.quote] = came.seen
        return type(came).__name__, came.seen.op.owner, comparable(came.seen.ledger)


def comparable(ledger: Ledger) -> Any:
    """Return a ledger without which slot is whose: a free one is picked at random."""
    ops = {
        name: replace(op, slot=None if op.slot is None else 0) for name, op in ledger.ops.items()
    }
    return replace(ledger, ops=ops, slots={}), sorted(ledger.slots.values())


STEPS = st.lists(
    st.builds(
        Step,
        kind=st.sampled_from(["reserve"] * 4 + ["settle", "release"] * 2 + ["lapsed", "forget"]),
        quote=st.sampled_from(QUOTES),
        wait_ms=st.sampled_from([0, 0, 1, 1000, 200_001, 3_600_000, 50_000_000, 200_000_000]),
        number=st.integers(0, 12),
        fresh=st.booleans(),
    ),
    min_size=1,
    max_size=25,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(STEPS)
def test_two_ledger_stores_say_and_keep_the_same(
    dynamo_ledgers: DynamoLedgerStore, steps: list[Step]
) -> None:
    user = f"{next(NUMBERS):032x}"
    fake, real = Asked(MemoryLedgerStore(), user), Asked(dynamo_ledgers, user)
    now_ms = NOON_MS
    for run, step in enumerate(steps):
        now_ms += step.wait_ms
        assert fake.take(step, now_ms, run) == real.take(step, now_ms, run)
        assert comparable(fake.store.load(user)) == comparable(real.store.load(user))
