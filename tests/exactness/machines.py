"""R12: ten thousand steps each for circuit and ledger, one store call at a time, in any order.

Hypothesis picks who moves, what becomes of each call and how long it takes; two models say what may
follow. The circuit's is written here a second time, from the design and not from the code.
"""

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, ClassVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from imagegen.aws.circuit_store import DynamoCircuitStore
from imagegen.aws.items import from_item
from imagegen.aws.ledger_items import to_ledger
from imagegen.aws.ledger_store import DynamoLedgerStore
from imagegen.domain import ledger as rules
from imagegen.domain.breaker import Circuit, Failure, Policy, State
from imagegen.domain.call_errors import ProviderError
from imagegen.domain.errors import StoreUnavailableError
from imagegen.domain.ledger import Hold, Ledger, Limits, Op, OpState
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageAnswer
from imagegen.domain.standing import limit_reached
from imagegen.domain.stores import Held, Known, LedgerSnapshot, Refused
from imagegen.guard import Guard, Transition
from tests.exactness.ground import Clock, Ground, Place, Skewed
from tests.exactness.history import wrong_step
from tests.exactness.rows import Measured, Verdict
from tests.exactness.stepping import Actor, stop_at
from tests.exactness.wire import Fate, ThinDynamo
from tests.fakes.clock import NOON_MS
from tests.fakes.faults import DiedError
from tests.fakes.pictures import png

POLICY = Policy()
STEPS = 10_000
PER_RUN = 200
FATES = st.sampled_from([Fate.DONE] * 12 + [Fate.TWICE] * 2 + [Fate.LOST, Fate.UNHEARD, Fate.DEAD])
OK = ImageAnswer(png())
NAME, MODEL = "alpha", "a-model"


def r12(ground: Ground) -> Measured:
    """Run both machines."""
    verdict = Verdict()
    circuits = _run(ground, verdict, Circuits)
    ledgers = _run(ground, verdict, Ledgers)
    return verdict.measured(
        f"circuit: {circuits['steps']} steps, {circuits['moves']} moves = {circuits['told']} told, "
        f"{circuits['lost']} lost with their callers; ledger: {ledgers['steps']} steps, "
        f"{ledgers['moves']} moves; 0 illegal",
        circuit=circuits, ledger=ledgers,
    )  # fmt: skip


def _run(ground: Ground, verdict: Verdict, machine: type["Machine"]) -> dict[str, int]:
    machine.place = ground.place()
    machine.counts = dict.fromkeys(("steps", "moves", "told", "lost"), 0)
    dice = ground.random(machine.__name__)
    seeded = settings(
        max_examples=10,
        stateful_step_count=PER_RUN,
        deadline=None,
        database=None,
        # To shrink a failure takes minutes; the seed repeats it.
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    try:
        while machine.counts["steps"] < STEPS:
            # Hypothesis says how it is given a seed by a decorator; a machine takes it so.
            machine._hypothesis_internal_use_seed = dice.getrandbits(32)
            run_state_machine_as_test(machine, settings=seeded)
    except AssertionError as error:
        where = "".join(traceback.format_exception(error)[-2:])
        verdict.demand(False, f"{machine.__name__}: {error} {where}")  # noqa: FBT003
    return machine.counts


class Machine(RuleBasedStateMachine):
    """What both have: actors that move one call at a time, a clock, a table."""

    place: ClassVar[Place]
    counts: ClassVar[dict[str, int]]
    numbers: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        Machine.numbers += 1
        self.number = Machine.numbers
        self.clock = Clock(NOON_MS)
        self.actors = list[Actor]()
        self.born = 0

    def thin(self) -> ThinDynamo:
        # Only one actor runs at a time: one connection serves all.
        return ThinDynamo(self.place.endpoint, stop_at, _local=SimpleNamespace())

    def add(self, work: Callable[[], object]) -> Actor:
        """Start an actor; it stands before its first call."""
        actor = Actor(work)
        actor.start()
        self.actors.append(actor)
        self._settle_down(actor)
        return actor

    def move(self, pick: int, fate: Fate) -> str:
        """Let one of the actors make its call; return which it was."""
        actor = self.actors[pick % len(self.actors)]
        call = actor.at
        actor.step(fate)
        self._settle_down(actor)
        return call

    def _settle_down(self, actor: Actor) -> None:
        self.counts["steps"] += 1
        if actor.is_done:
            self.actors.remove(actor)
            assert actor.failed is None or isinstance(
                actor.failed, ProviderError | StoreUnavailableError | DiedError
            ), f"an actor ended in {actor.failed!r}"

    def teardown(self) -> None:
        while self.actors:
            self.move(0, Fate.DEAD)


# --- the circuit


@dataclass(slots=True)
class Told:
    """What instances were told of a circuit's moves."""

    moves: list[Transition] = field(default_factory=list)


class Circuits(Machine):
    """Five instances over one circuit: every move must be one that the design allows."""

    @initialize(skews=st.tuples(*[st.integers(-2_000, 2_000)] * 5))
    def begin(self, skews: tuple[int, ...]) -> None:
        self.told = Told()
        self.name = f"{NAME}-{self.number}"
        self.snapshot = Circuit()
        self.asked: dict[str, int] = {}
        """The generation in which each call of the provider began, by call id."""
        self.outcomes: dict[str, Outcome | None] = {}
        self.dead: set[str] = set()
        self.expected = list[tuple[State, State]]()
        self.moved_by = list[str]()
        self.client = self.thin()
        self.reader = DynamoCircuitStore(self.place.thin(), self.place.table)  # type: ignore[arg-type]
        store = DynamoCircuitStore(self.client, self.place.table)  # type: ignore[arg-type]
        self.ids = list[str]()
        self.guards = [
            Guard(store, POLICY, Skewed(self.clock, skew), self.new_id, self.told.moves.append)
            for skew in skews
        ]
        self.of: dict[int, str] = {}

    def new_id(self) -> str:
        self.born += 1
        self.ids.append(f"call-{self.number}-{self.born}")
        return self.ids[-1]

    @rule(
        which=st.integers(0, 4),
        outcome=st.sampled_from(
            [Outcome.UNAVAILABLE] * 8
            + [Outcome.RATE_LIMITED] * 3
            + [None] * 2
            + [Outcome.ACCOUNT, Outcome.REFUSED, Outcome.NOT_CALLED, Outcome.BLOCKED]
        ),
        user=st.integers(0, 19),
        wait_seconds=st.sampled_from([None, None, 0, 1, 2, 3_600]),
    )
    def call(
        self, which: int, outcome: Outcome | None, user: int, wait_seconds: int | None
    ) -> None:
        """Begin a call at one of the instances."""
        if len(self.actors) >= 12:
            return

        def ask() -> ImageAnswer:
            call_id = self.ids_of[actor_id]
            self.asked[call_id] = self.snapshot.generation
            self.outcomes[call_id] = outcome
            if stop_at("provider") is Fate.DEAD:
                raise DiedError
            if outcome is not None:
                raise ProviderError(NAME, outcome, "told to", retry_after_seconds=wait_seconds)
            return OK

        actor_id = len(self.ids)
        guard, name = self.guards[which], f"{user:08d}"
        self.add(lambda: guard.call(self.name, MODEL, ask, user=name))

    @property
    def ids_of(self) -> list[str]:
        return self.ids

    @rule(pick=st.integers(0, 99), fate=FATES)
    def go(self, pick: int, fate: Fate) -> None:
        """Let one call make its next move."""
        if self.actors:
            self.observe(fate, self.move(pick, fate))

    @rule(pick=st.integers(0, 99))
    def end(self, pick: int) -> None:
        """Let one call go its way to the end."""
        if self.actors:
            actor = self.actors[pick % len(self.actors)]
            while not actor.is_done:
                self.observe(Fate.DONE, self.move(self.actors.index(actor), Fate.DONE))

    @precondition(lambda self: self.snapshot.state is not State.CLOSED)
    @rule(more_ms=st.sampled_from([-2_001, -1, 0, 2_000]))
    def rest(self, more_ms: int) -> None:
        """Let the rest or the lease end, nearly or just."""
        self.clock.at_ms = max(self.clock.at_ms, self.snapshot.until_ms + more_ms)
        self.counts["steps"] += 1

    @rule(ms=st.sampled_from([1, 500, 2_000, 2_000, 30_000]))
    def wait(self, ms: int) -> None:
        """Let time pass."""
        self.clock.at_ms += ms
        self.counts["steps"] += 1

    def observe(self, fate: str, call: str) -> None:
        """Compare the circuit with what it was one store call ago."""
        if call != "UpdateItem":
            return
        new = self.reader.load().circuits.get(self.name, Circuit())
        old, self.snapshot = self.snapshot, new
        if new == old:
            return
        if new.generation == old.generation:
            self._counted(old, new)
            return
        self.counts["moves"] += 1
        assert new.generation == old.generation + 1, f"{old} became {new} in one call"
        self._moved(old, new)
        self.expected.append((old.state, new.state))
        if fate in (Fate.UNHEARD, Fate.DEAD):
            self.counts["lost"] += 1
            self.moved_by.append("lost")
        else:
            self.moved_by.append("told")

    def _counted(self, old: Circuit, new: Circuit) -> None:
        """Failures may be added one by one while it is closed, and forgotten when they are old."""
        added, gone = new.failures - old.failures, old.failures - new.failures
        assert old.state is State.CLOSED, f"a failure was counted while {old.state}"
        assert (new.state, new.owner) == (old.state, old.owner)
        if new.until_ms != old.until_ms:
            assert not added, "one call both rests and counts"
            assert not gone, "a rest forgot failures"
            limit_ms = self.clock() + POLICY.rest_ms + 2_000
            assert old.until_ms < new.until_ms <= limit_ms, "rests too long, or shorter than before"
        assert len(added) <= 1, f"one call counted {len(added)} failures"
        for failure in added:
            assert self._failed(failure), f"{failure} was counted and is none"
            began = self.asked[failure.call_id]
            assert began == old.generation, f"{failure} of {began} was counted in {old.generation}"
        oldest_ms = self.clock() - 600_000 + 2_000
        assert all(one.at_ms < oldest_ms for one in gone), "a young failure was forgotten"

    def _failed(self, failure: Failure) -> bool:
        return self.outcomes.get(failure.call_id) in (Outcome.UNAVAILABLE, Outcome.RATE_LIMITED)

    def _moved(self, old: Circuit, new: Circuit) -> None:
        now_ms, slack_ms = self.clock(), 2_000
        edge = (old.state, new.state)
        assert not new.failures, "failures outlived a move"
        if edge == (State.CLOSED, State.OPEN):
            account = Outcome.ACCOUNT in self.outcomes.values()
            assert _five_together(old, 600_000 + 2 * slack_ms) or account, "opened too soon"
            # Who decided it may have waited since: no later than from now on.
            assert new.until_ms <= now_ms + 600_000 + slack_ms, "rests too long"
        elif new.state is State.HALF_OPEN:
            assert old.state is not State.CLOSED, "a closed circuit was probed"
            assert now_ms + slack_ms >= old.until_ms, "a probe before its time"
            assert new.owner in self.ids
            assert new.until_ms <= now_ms + POLICY.probe_ms + slack_ms, "a lease too long"
        else:
            self._ended(old, new, now_ms)

    def _ended(self, old: Circuit, new: Circuit, now_ms: int) -> None:
        """Only the owner of a probe ends it, by what came of its own call."""
        assert old.state is State.HALF_OPEN, f"{old.state} became {new.state}"
        if new.state is State.CLOSED:
            assert old.owner in self.asked, "closed by a probe that asked nobody"
            assert self.outcomes[old.owner] is None, "closed by what is no image"
        elif new.until_ms != 0:
            assert self.outcomes.get(old.owner) in (
                Outcome.UNAVAILABLE, Outcome.RATE_LIMITED, Outcome.ACCOUNT,
            ), "opened again without a failure"  # fmt: skip
            assert new.until_ms <= now_ms + 602_000, "rests too long"

    @invariant()
    def each_move_is_told_once(self) -> None:
        if not hasattr(self, "told"):
            return
        told = [(one.old, one.new) for one in self.told.moves if one.name == self.name]
        heard = [
            edge for edge, by in zip(self.expected, self.moved_by, strict=True) if by == "told"
        ]
        assert len(told) <= len(self.expected), "a move was told twice"
        for edge in set(heard):
            assert told.count(edge) >= heard.count(edge), f"{edge} was not told"

    def teardown(self) -> None:
        if hasattr(self, "told"):
            self.counts["told"] += len(self.told.moves)
        for actor in self.actors:
            self.dead.add(actor.at)
        super().teardown()


def _five_together(circuit: Circuit, span_ms: int) -> bool:
    """Return whether five users failed within the span."""
    starts = [one.at_ms for one in circuit.failures]
    groups = (
        {one.user for one in circuit.failures if start <= one.at_ms <= start + span_ms}
        for start in starts
    )
    return any(len(users) >= 5 for users in groups)


# --- the ledger

LIMITS = Limits(4, 40, 60, 1_500_000)


class Ledgers(Machine):
    """Runs, their zombies and sweeps over one ledger: every version must follow by the rules."""

    @initialize()
    def begin(self) -> None:
        self.user = f"{self.number:032x}"
        self.states: dict[int, Ledger] = {0: Ledger()}
        self.latest_ms = self.clock()
        self.held = list[LedgerSnapshot]()
        self.reserving = list[Actor]()
        self.expires_ms = dict[str, int]()
        self.client = self.thin()
        self.client.on_item = self.note
        self.store = DynamoLedgerStore(self.client, self.place.table)  # type: ignore[arg-type]
        self.bad = list[str]()

    def note(self, item: dict[str, Any]) -> None:
        """Check a version against the one before it, as soon as it is seen."""
        ledger = to_ledger(from_item(item))
        known = self.states.get(ledger.version)
        if known is not None:
            if known != ledger:
                self.bad.append(f"v{ledger.version} was seen in two states")
            return
        self.counts["moves"] += 1
        old = self.states.get(ledger.version - 1)
        if old is None:
            self.bad.append(f"v{ledger.version} came before v{ledger.version - 1}")
        elif said := wrong_step(old, ledger, LIMITS, latest_ms=self.latest_ms):
            self.bad.append(f"v{ledger.version}: {said}")
        self.states[ledger.version] = ledger

    @rule(quote=st.integers(0, 5), price=st.integers(1, 120_000), lease=st.integers(1, 400_000))
    def reserve(self, quote: int, price: int, lease: int) -> None:
        """Begin a run."""
        if len(self.actors) >= 10:
            return
        self.born += 1
        now_ms, quote_id = self.clock(), f"q{quote + self.born // 12}"
        expires_ms = self.expires_ms.setdefault(quote_id, now_ms + 600_000)
        if now_ms >= expires_ms:
            return  # the use case does not ask
        run = f"run-{self.born}"
        hold = Hold(
            quote_id,
            run,
            "20261122",
            price,
            expires_ms,
            now_ms + lease,
            quote % LIMITS.hourly_images,
        )

        def work() -> None:
            came = self.store.reserve(self.user, hold, LIMITS, now_ms=now_ms)
            self._justified(came, hold, now_ms)

        self.reserving.append(self.add(work))

    def _justified(self, came: Held | Known | Refused, hold: Hold, now_ms: int) -> None:
        if isinstance(came, Held):
            self.held.append(came.snapshot)
            if came.snapshot.op.owner != hold.owner:
                self.bad.append("a hold was given to another run")
            return
        ledger = came.ledger if isinstance(came, Refused) else came.snapshot.ledger
        if self.states.get(ledger.version) != ledger:
            self.bad.append("an answer came from a ledger that never was")
        if isinstance(came, Known) and rules.may_reserve_op(ledger, hold.quote_id):
            self.bad.append("a request was called known and may be made")
        if isinstance(came, Refused):
            limit = limit_reached(ledger, hold, LIMITS, now_ms=now_ms)
            if limit is None or limit.code != came.limit.code:
                self.bad.append(f"refused for {came.limit.code} at v{ledger.version}, wrongly")

    @rule(pick=st.integers(0, 99), part=st.integers(0, 100))
    def settle(self, pick: int, part: int) -> None:
        """End a run well: now, or long after somebody else has ended it."""
        if self.held and len(self.actors) < 10:
            seen, now_ms = self.held[pick % len(self.held)], self.clock()
            charged = seen.op.price_microusd * part // 100
            self._end(
                seen,
                lambda: self.store.settle(self.user, seen, charged_microusd=charged, now_ms=now_ms),
                OpState.SETTLED,
            )

    @rule(pick=st.integers(0, 99), retryable=st.booleans())
    def release(self, pick: int, retryable: bool) -> None:  # noqa: FBT001
        """End a run badly."""
        if self.held and len(self.actors) < 10:
            seen, now_ms = self.held[pick % len(self.held)], self.clock()
            self._end(
                seen,
                lambda: self.store.release(
                    self.user, seen, code="c", retryable=retryable, now_ms=now_ms
                ),
                OpState.RELEASED,
            )

    def _end(self, seen: LedgerSnapshot, end: Callable[[], bool], state: OpState) -> None:
        before = len(self.states)

        def work() -> None:
            if end():
                known = [one.ops.get(seen.quote_id) for one in self.states.values()]
                # What was pruned counts as settled: only a release that is seen deletes an image.
                forgotten = state is OpState.SETTLED and self._last(seen.quote_id) is None
                told = any(rules.is_ended(seen.op, op, state) for op in known if op is not None)
                if not forgotten and not told:
                    self.bad.append(f"a run was told {state.name} and never was")
            assert len(self.states) >= before

        self.add(work)

    def _last(self, quote_id: str) -> Op | None:
        return self.states[max(self.states)].ops.get(quote_id)

    @rule()
    def forget(self) -> None:
        """Let a sweep tidy the index."""
        if len(self.actors) < 10:
            self.add(lambda: self.store.forget_lease(self.user))

    @rule(pick=st.integers(0, 99), fate=FATES)
    def go(self, pick: int, fate: Fate) -> None:
        """Let one of them make its next call."""
        if self.actors:
            self.move(pick, fate)

    @rule(pick=st.integers(0, 99))
    def finish(self, pick: int) -> None:
        """Let one of them go its way to the end."""
        if self.actors:
            actor = self.actors[pick % len(self.actors)]
            while not actor.is_done:
                self.move(self.actors.index(actor), Fate.DONE)

    @rule(ms=st.sampled_from([1, 1_000, 200_000, 1_800_000, 3_600_000]))
    def wait(self, ms: int) -> None:
        """Let time pass. A hold that is half an hour on its way belongs to a run that is dead."""
        while ms > 200_000 and (late := [one for one in self.actors if one in self.reserving]):
            self.move(self.actors.index(late[0]), Fate.DEAD)
        self.clock.at_ms += ms
        self.latest_ms = self.clock()
        self.counts["steps"] += 1

    @invariant()
    def the_rules_hold(self) -> None:
        assert not getattr(self, "bad", ()), self.bad[0]

    @invariant()
    def the_limits_hold(self) -> None:
        if hasattr(self, "states"):
            last = self.states[max(self.states)]
            assert last.spent.get("20261122", 0) <= LIMITS.daily_microusd
            held = sum(
                op.price_microusd for op in last.ops.values() if op.state != OpState.RELEASED
            )
            assert held <= last.spent.get("20261122", 0), "more is held than is counted"
