"""Many at once: the limits hold to the cent, and every race has one winner."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from threading import Barrier

from imagegen.aws.circuit_store import DynamoCircuitStore
from imagegen.aws.image_store import S3ImageStore
from imagegen.aws.job_store import DynamoJobStore
from imagegen.aws.ledger_store import DynamoLedgerStore
from imagegen.aws.prompt_store import DynamoPromptStore
from imagegen.aws.record_store import DynamoRecordStore
from imagegen.domain import breaker
from imagegen.domain.breaker import Circuit, Policy, State
from imagegen.domain.call_errors import ProviderError
from imagegen.domain.ids import ImageRef
from imagegen.domain.ledger import Hold, Limits, OpState
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageAnswer
from imagegen.domain.stores import Held, Known, LedgerSnapshot, Refused, Reservation, Stores
from imagegen.guard import Guard, Transition
from imagegen.usecases.generate.jobs import Jobs
from imagegen.usecases.generate.reconciler import Reconciled, Reconciler
from imagegen.usecases.generate.storage import ImageKeeper
from tests.adapters.aws.test_image_contract import COMPLETE
from tests.adapters.aws.world import at_once
from tests.fakes.catalogs import three_providers
from tests.fakes.clock import NOON_MS as NOW
from tests.fakes.clock import Clock
from tests.fakes.pictures import png

DAY = "20261122"
POLICY = Policy()


def hold(number: int, *, price: int = 170_000, quote: str | None = None) -> Hold:
    # Leases do not come in order: whoever starts later may have less time left.
    lease_ms = NOW + 330_000 + number * 7919 % 200 - 100
    return Hold(
        quote or f"op-{number}", f"run-{number}", DAY, price, NOW + 600_000, lease_ms, number % 10
    )


def reserving(store: DynamoLedgerStore, user: str, limits: Limits) -> Callable[[Hold], Reservation]:
    return lambda one: store.reserve(user, one, limits, now_ms=NOW)


def kinds(came: list[Reservation]) -> Counter[type]:
    return Counter(type(one) for one in came)


def test_of_200_images_at_17_cents_at_once_exactly_58_fit_into_10_dollars(
    dynamo_ledgers: DynamoLedgerStore, user: str
) -> None:
    limits = Limits(0, 1_000, 1_000, 10_000_000)
    came = at_once(reserving(dynamo_ledgers, user, limits), [hold(n) for n in range(200)])
    assert kinds(came) == {Held: 58, Refused: 142}
    assert {one.limit.code for one in came if isinstance(one, Refused)} == {"daily_spend"}
    ledger = dynamo_ledgers.load(user)
    assert ledger.spent == {DAY: 58 * 170_000}
    assert ledger.images == ledger.attempts == {DAY: 58}
    assert ledger.version == 58
    held = [one.snapshot for one in came if isinstance(one, Held)]

    def end(snapshot: LedgerSnapshot) -> bool:
        if int(snapshot.quote_id[3:]) % 2:
            return dynamo_ledgers.settle(user, snapshot, charged_microusd=100_000, now_ms=NOW)
        return dynamo_ledgers.release(user, snapshot, code="x", retryable=False, now_ms=NOW)

    assert all(at_once(end, held))
    made = sum(int(snapshot.quote_id[3:]) % 2 for snapshot in held)
    ledger = dynamo_ledgers.load(user)
    assert ledger.spent == {DAY: made * 100_000}
    assert ledger.images == {DAY: made}
    dynamo_ledgers.forget_lease(user)
    assert user not in dynamo_ledgers.lapsed(now_ms=NOW + 10**9, limit=1_000)


def test_of_200_images_at_once_exactly_10_fit_into_the_hour(
    dynamo_ledgers: DynamoLedgerStore, user: str
) -> None:
    limits = Limits(10, 1_000, 1_000, 10**12)
    came = at_once(reserving(dynamo_ledgers, user, limits), [hold(n) for n in range(200)])
    assert kinds(came) == {Held: 10, Refused: 190}
    ledger = dynamo_ledgers.load(user)
    assert ledger.slots == dict.fromkeys(range(10), NOW)
    assert len({op.slot for op in ledger.ops.values()}) == 10


def test_of_50_clicks_on_one_offer_one_holds_and_49_are_told_of_it(
    dynamo_ledgers: DynamoLedgerStore, user: str
) -> None:
    clicks = [hold(n, quote="one-quote") for n in range(50)]
    came = at_once(reserving(dynamo_ledgers, user, Limits()), clicks)
    assert kinds(came) == {Held: 1, Known: 49}
    (winner,) = (one.snapshot.op.owner for one in came if isinstance(one, Held))
    assert {one.snapshot.op.owner for one in came if isinstance(one, Known)} == {winner}
    assert dynamo_ledgers.load(user).spent == {DAY: 170_000}


def test_a_settle_and_a_release_at_once_end_in_one_of_the_two(
    dynamo_ledgers: DynamoLedgerStore, user: str
) -> None:
    ends = Counter[OpState]()
    for number in range(25):
        me = f"{user}-{number}"
        came = dynamo_ledgers.reserve(me, hold(number), Limits(), now_ms=NOW)
        assert isinstance(came, Held)
        snapshot = came.snapshot

        def end(settles: bool, me: str = me, snapshot: LedgerSnapshot = snapshot) -> bool:  # noqa: FBT001
            if settles:
                return dynamo_ledgers.settle(me, snapshot, charged_microusd=50_000, now_ms=NOW)
            return dynamo_ledgers.release(me, snapshot, code="x", retryable=True, now_ms=NOW)

        order = [True, False] if number % 2 else [False, True]
        assert sum(at_once(end, order)) == 1
        ledger = dynamo_ledgers.load(me)
        state = ledger.ops[f"op-{number}"].state
        assert ledger.spent == {DAY: 50_000 if state is OpState.SETTLED else 0}
        assert ledger.version == 2
        ends[state] += 1
    assert set(ends) <= {OpState.SETTLED, OpState.RELEASED}


@dataclass(frozen=True, slots=True)
class Everything:
    ledgers: DynamoLedgerStore
    images: S3ImageStore
    records: DynamoRecordStore

    @property
    def prompts(self) -> DynamoPromptStore:
        return DynamoPromptStore(self.records.client, self.records.table)

    def reconciler(self, clock: Clock) -> Reconciler:
        stores = Stores(self.ledgers, self.images, self.records, self.prompts)
        return Reconciler(stores, clock, lambda: self.jobs(stores, clock))

    def jobs(self, stores: Stores, clock: Clock) -> Jobs:
        """Return the jobs of runs that ordered none."""
        return Jobs(
            store=DynamoJobStore(self.records.client, self.records.table),
            ledgers=self.ledgers,
            catalog=three_providers(),
            get_provider=dict[str, object]().__getitem__,
            keeper=ImageKeeper(stores, clock, lambda _: None, lambda _: None),
            now_ms=clock,
            new_run_id=lambda: "run-of-a-job",
            on_unexpected=lambda _: None,
        )


def test_a_run_that_settles_while_eight_reconcilers_come_is_charged_once(
    dynamo_ledgers: DynamoLedgerStore,
    s3_images: S3ImageStore,
    dynamo_records: DynamoRecordStore,
    user: str,
) -> None:
    world = Everything(dynamo_ledgers, s3_images, dynamo_records)
    late = Clock(NOW + 400_000)
    for number, stored in enumerate((True, False) * 4):
        me = f"{user}-{number}"
        one = hold(number)
        came = dynamo_ledgers.reserve(me, one, Limits(), now_ms=NOW)
        assert isinstance(came, Held)
        if stored:
            s3_images.put(ImageRef(one.quote_id, me, NOW), png(), COMPLETE)

        def work(
            which: int,
            me: str = me,
            snapshot: LedgerSnapshot = came.snapshot,
            stored: bool = stored,  # noqa: FBT001
        ) -> Reconciled | bool:
            if which == 0 and stored:
                return dynamo_ledgers.settle(me, snapshot, charged_microusd=60_000, now_ms=NOW)
            return world.reconciler(late).reconcile(me, dynamo_ledgers.load(me))

        at_once(work, range(9))
        ledger = dynamo_ledgers.load(me)
        assert ledger.spent == {DAY: 60_000 if stored else 0}
        assert ledger.images == {DAY: int(stored)}
        assert ledger.version in (2, 3)
        version = ledger.version
        world.reconciler(late).reconcile(me, ledger)
        assert dynamo_ledgers.load(me).version == version


def test_of_32_callers_at_once_one_probes(dynamo_circuits: DynamoCircuitStore) -> None:
    resting = breaker.opened(Circuit(), until_ms=NOW, why="failures")
    for name in ("alpha", "beta", "gamma"):
        assert dynamo_circuits.swap(name, Circuit(), resting)
        moves, called = list[Transition](), list[str]()

        def call(
            number: int,
            name: str = name,
            moves: list[Transition] = moves,
            called: list[str] = called,
        ) -> Outcome | None:
            call_id = f"call-{number}"
            guard = Guard(dynamo_circuits, POLICY, Clock(), lambda: call_id, moves.append)

            def ask() -> ImageAnswer:
                called.append(call_id)
                raise ProviderError(name, Outcome.UNAVAILABLE, "still down")

            try:
                guard.call(name, "model", ask)
            except ProviderError as error:
                return error.outcome
            return None

        came = Counter(at_once(call, range(32)))
        assert len(called) == 1
        assert came == {Outcome.UNAVAILABLE: 1, Outcome.NOT_CALLED: 31}
        assert [(one.old, one.new) for one in moves] == [
            (State.OPEN, State.HALF_OPEN),
            (State.HALF_OPEN, State.OPEN),
        ]
        assert dynamo_circuits.load().circuits[name].generation == 3


def test_of_32_users_at_once_one_probes_and_the_next_time_another_one(
    dynamo_circuits: DynamoCircuitStore,
) -> None:
    resting = breaker.opened(Circuit(), until_ms=NOW, why="failures")
    assert dynamo_circuits.swap("alpha", Circuit(), resting)
    called, all_tried = list[str](), Barrier(32)

    def call(place: tuple[int, int]) -> Outcome | None:
        turn, number = place
        user = f"{number:08x}"
        guard = Guard(dynamo_circuits, POLICY, Clock(), lambda: f"call-{turn}-{number}")

        def ask() -> ImageAnswer:
            called.append(user)
            all_tried.wait(30)
            raise ProviderError("alpha", Outcome.REFUSED, "not this prompt")

        try:
            guard.call("alpha", "model", ask, user=user)
        except ProviderError as error:
            if error.outcome is Outcome.NOT_CALLED:
                all_tried.wait(30)
            return error.outcome
        return None

    for turn in range(1, 4):
        came = Counter(at_once(call, [(turn, number) for number in range(32)]))
        assert came == {Outcome.REFUSED: 1, Outcome.NOT_CALLED: 31}
        assert len(called) == len(set(called)) == turn
    assert {one.user for one in dynamo_circuits.load().circuits["alpha"].trials} == set(called)


def test_of_20_instances_that_fail_at_once_one_opens_the_circuit(
    dynamo_circuits: DynamoCircuitStore,
) -> None:
    moves = list[Transition]()

    def call(number: int) -> None:
        guard = Guard(dynamo_circuits, POLICY, Clock(), lambda: f"call-{number}", moves.append)

        def ask() -> ImageAnswer:
            raise ProviderError("alpha", Outcome.UNAVAILABLE, "down")

        try:
            guard.call("alpha", "model", ask)
        except ProviderError:
            return

    at_once(call, range(4))
    assert not moves
    assert dynamo_circuits.load().circuits["alpha"].state is State.CLOSED
    at_once(call, range(4, 24))
    assert [(one.old, one.new) for one in moves] == [(State.CLOSED, State.OPEN)]
    circuit = dynamo_circuits.load().circuits["alpha"]
    assert (circuit.state, circuit.generation) == (State.OPEN, 1)
