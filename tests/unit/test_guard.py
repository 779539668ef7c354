"""The guard: every move of a circuit, by one caller of the whole fleet."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from imagegen.domain.breaker import EFFECTS, Circuit, Effect, Failure, Policy, State
from imagegen.domain.call_errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageAnswer
from imagegen.guard import CACHE_MS, Guard, Transition, model_circuit
from tests.examples import examples
from tests.fakes.circuits import MemoryCircuitStore
from tests.fakes.clock import Clock
from tests.fakes.faults import Fault, Wire, wired

MODEL = "a-model"
MODEL_CIRCUIT = model_circuit("alpha", MODEL)
ANSWER = ImageAnswer(b"an image")
POLICY = Policy()
ONE_REQUEST = [Outcome.REFUSED, Outcome.BLOCKED, Outcome.NO_IMAGE, Outcome.BAD_PARAMETER]
FAILURES = [Outcome.UNAVAILABLE, Outcome.UNKNOWN, Outcome.RATE_LIMITED]


@dataclass(slots=True)
class Instances:
    """Many instances of the service, with one store and one clock between them."""

    clock: Clock = field(default_factory=Clock)
    store: MemoryCircuitStore = field(default_factory=MemoryCircuitStore)
    wire: Wire = field(default_factory=Wire)
    moves: list[Transition] = field(default_factory=list)
    asked: int = 0
    numbers: int = 0

    def new(self) -> Guard:
        store = wired("circuits", self.store, self.wire)
        return Guard(store, POLICY, self.clock, self._call_id, self.moves.append)

    def call(
        self,
        outcome: Outcome | None = None,
        *,
        guard: Guard | None = None,
        during: Callable[[], object] = lambda: None,
        user: str = "",
        wait: int | None = None,
    ) -> str:
        """Return how a call at a new instance ended; without a user it is that of one more user."""

        def ask() -> ImageAnswer:
            self.asked += 1
            during()
            if outcome is not None:
                raise ProviderError("alpha", outcome, "as told", retry_after_seconds=wait)
            return ANSWER

        try:
            assert (guard or self.new()).call("alpha", MODEL, ask, user=user) is ANSWER
        except ProviderError as error:
            return error.outcome
        return "success"

    def circuit(self, name: str = "alpha") -> Circuit:
        return self.store.circuits.get(name, Circuit())

    def told(self) -> list[tuple[str, State, State]]:
        return [(one.name, one.old, one.new) for one in self.moves]

    def opened(self) -> "Instances":
        for _ in range(POLICY.threshold):
            self.call(Outcome.UNAVAILABLE)
        assert self.circuit().state is State.OPEN
        return self

    def rested(self) -> "Instances":
        self.opened()
        self.clock.advance(POLICY.open_ms)
        return self

    def _call_id(self) -> str:
        self.numbers += 1
        return f"call-{self.numbers}"


@pytest.fixture
def fleet() -> Instances:
    return Instances()


@pytest.mark.parametrize("outcome", FAILURES)
def test_five_instances_that_fail_once_each_open_the_circuit(
    fleet: Instances, outcome: Outcome
) -> None:
    for _ in range(4):
        fleet.call(outcome)
    assert fleet.circuit().state is State.CLOSED
    fleet.call(outcome)
    circuit = fleet.circuit()
    assert (circuit.state, circuit.why) == (State.OPEN, outcome)
    assert circuit.until_ms == fleet.clock() + 600_000
    assert fleet.told() == [("alpha", State.CLOSED, State.OPEN)]
    assert fleet.call() == Outcome.NOT_CALLED
    assert fleet.asked == 5


def test_five_failures_over_exactly_600_seconds_open_it(fleet: Instances) -> None:
    fleet.call(Outcome.UNAVAILABLE)
    fleet.clock.advance(600_000)
    for _ in range(4):
        fleet.call(Outcome.UNAVAILABLE)
    assert fleet.circuit().state is State.OPEN


def test_five_failures_over_600_001_ms_do_not(fleet: Instances) -> None:
    fleet.call(Outcome.UNAVAILABLE)
    fleet.clock.advance(600_001)
    for _ in range(4):
        fleet.call(Outcome.UNAVAILABLE)
    assert fleet.circuit().state is State.CLOSED


def test_a_success_between_failures_does_not_wipe_them(fleet: Instances) -> None:
    for _ in range(4):
        fleet.call(Outcome.UNAVAILABLE)
        fleet.call()
    fleet.call(Outcome.UNAVAILABLE)
    assert fleet.circuit().state is State.OPEN


@pytest.mark.parametrize("outcome", [None, *ONE_REQUEST])
def test_an_answer_in_time_writes_nothing(fleet: Instances, outcome: Outcome | None) -> None:
    for _ in range(20):
        fleet.call(outcome)
    assert fleet.store.writes == 0


def test_a_bad_key_opens_the_provider_at_once(fleet: Instances) -> None:
    fleet.call(Outcome.ACCOUNT)
    assert fleet.circuit().state is State.OPEN
    assert fleet.circuit(MODEL_CIRCUIT) == Circuit()
    assert fleet.told() == [("alpha", State.CLOSED, State.OPEN)]


def test_a_model_that_is_gone_opens_that_model_for_an_hour(fleet: Instances) -> None:
    fleet.call(Outcome.MODEL_GONE)
    assert fleet.circuit() == Circuit()
    assert fleet.circuit(MODEL_CIRCUIT).state is State.OPEN
    assert fleet.circuit(MODEL_CIRCUIT).until_ms == fleet.clock() + 3_600_000
    assert fleet.call() == Outcome.NOT_CALLED
    assert fleet.new().call("alpha", "another", lambda: ANSWER) is ANSWER


def test_an_open_circuit_lets_nobody_through_and_says_how_long(fleet: Instances) -> None:
    fleet.opened()
    fleet.clock.advance(1_500)
    with pytest.raises(ProviderError) as caught:
        fleet.new().call("alpha", MODEL, lambda: ANSWER)
    assert caught.value.outcome is Outcome.NOT_CALLED
    assert caught.value.retry_after_seconds == 599


def test_it_stays_open_to_the_last_millisecond(fleet: Instances) -> None:
    fleet.opened()
    fleet.clock.advance(599_999)
    assert fleet.call() == Outcome.NOT_CALLED
    fleet.clock.advance(1)
    assert fleet.call() == "success"


def test_only_circuits_that_let_no_call_through_are_reported_as_blocked(fleet: Instances) -> None:
    assert fleet.new().blocked_until_ms() == {}
    fleet.call(Outcome.UNAVAILABLE)
    assert fleet.new().blocked_until_ms() == {}, "one failure blocks nothing"
    fleet.opened()
    until_ms = fleet.clock() + POLICY.open_ms
    assert fleet.new().blocked_until_ms() == {"alpha": until_ms}
    fleet.clock.advance(POLICY.open_ms - 1)
    assert fleet.new().blocked_until_ms() == {"alpha": until_ms}
    fleet.clock.advance(1)
    assert fleet.new().blocked_until_ms() == {}, "the next image is the probe"


def test_calls_for_which_no_user_is_named_count_as_those_of_as_many_users(fleet: Instances) -> None:
    def fail() -> ImageAnswer:
        raise ProviderError("alpha", Outcome.UNAVAILABLE, "as told")

    for _ in range(POLICY.threshold):
        with pytest.raises(ProviderError):
            fleet.new().call("alpha", MODEL, fail)
    assert fleet.circuit().state is State.OPEN


def test_one_instance_of_all_probes(fleet: Instances) -> None:
    fleet.rested()
    others = [fleet.new() for _ in range(30)]
    for guard in others:
        guard.circuits()
    asked = fleet.asked
    came: list[str] = []
    fleet.call(during=lambda: came.extend(fleet.call(guard=guard) for guard in others))
    assert came == [Outcome.NOT_CALLED] * 30
    assert fleet.asked == asked + 1


def test_a_probe_that_succeeds_closes_it_and_the_old_failures_are_gone(fleet: Instances) -> None:
    fleet.rested()
    assert fleet.call() == "success"
    assert fleet.circuit() == Circuit(State.CLOSED, 3)
    assert fleet.told()[1:] == [
        ("alpha", State.OPEN, State.HALF_OPEN),
        ("alpha", State.HALF_OPEN, State.CLOSED),
    ]
    for _ in range(4):
        fleet.call(Outcome.UNAVAILABLE)
    assert fleet.circuit().state is State.CLOSED


@pytest.mark.parametrize("outcome", [*FAILURES, Outcome.ACCOUNT])
def test_a_probe_that_fails_opens_it_for_another_rest(fleet: Instances, outcome: Outcome) -> None:
    fleet.rested()
    fleet.call(outcome)
    circuit = fleet.circuit()
    assert (circuit.state, circuit.generation, circuit.why) == (State.OPEN, 3, outcome)
    assert circuit.until_ms == fleet.clock() + 600_000
    assert fleet.call() == Outcome.NOT_CALLED


@pytest.mark.parametrize("outcome", [*ONE_REQUEST, Outcome.MODEL_GONE])
def test_a_probe_without_an_image_closes_nothing_and_is_given_back(
    fleet: Instances, outcome: Outcome
) -> None:
    fleet.rested()
    fleet.call(outcome)
    assert fleet.circuit().state is State.OPEN
    assert fleet.new().call("alpha", "another", lambda: ANSWER) is ANSWER
    assert fleet.circuit().state is State.CLOSED


def test_a_model_that_is_gone_opens_its_circuit_also_when_it_was_the_providers_probe(
    fleet: Instances,
) -> None:
    fleet.rested()
    fleet.call(Outcome.MODEL_GONE)
    assert fleet.circuit(MODEL_CIRCUIT).state is State.OPEN


@pytest.mark.parametrize("outcome", FAILURES)
def test_one_users_failures_never_open_the_circuit_for_others(
    fleet: Instances, outcome: Outcome
) -> None:
    came = [fleet.call(outcome, user="one") for _ in range(20)]
    assert came == [outcome] * 5 + [Outcome.NOT_CALLED] * 15
    assert fleet.circuit().state is State.CLOSED
    assert fleet.call(user="another") == "success"
    assert fleet.new().blocked_until_ms() == fleet.new().blocked_until_ms("another") == {}
    assert list(fleet.new().blocked_until_ms("one")) == ["alpha"]
    assert fleet.new().open_circuits() == []


def test_a_user_kept_away_is_told_how_long_and_comes_back_without_a_probe(
    fleet: Instances,
) -> None:
    for _ in range(5):
        fleet.call(Outcome.UNAVAILABLE, user="one")
    with pytest.raises(ProviderError) as caught:
        fleet.new().call("alpha", MODEL, lambda: ANSWER, user="one")
    assert caught.value.retry_after_seconds == 601
    fleet.clock.advance(600_001)
    assert fleet.call(user="one") == "success"
    assert fleet.told() == []


def test_users_are_told_apart_by_the_first_eight_characters(fleet: Instances) -> None:
    for number in range(8):
        fleet.call(Outcome.UNAVAILABLE, user=f"the-same-{number}")
    assert {one.user for one in fleet.circuit().failures} == {"the-same"}
    assert fleet.circuit().state is State.CLOSED
    for number in range(4):
        fleet.call(Outcome.UNAVAILABLE, user=f"another{number}")
    assert fleet.circuit().state is State.OPEN


def test_calls_without_a_user_count_as_those_of_as_many_users(fleet: Instances) -> None:
    def fail() -> ImageAnswer:
        raise ProviderError("alpha", Outcome.UNAVAILABLE, "as told")

    for _ in range(5):
        assert fleet.circuit().state is State.CLOSED
        with pytest.raises(ProviderError):
            fleet.new().call("alpha", MODEL, fail)
    assert fleet.circuit().state is State.OPEN


def test_the_fifth_user_who_fails_opens_the_circuit(fleet: Instances) -> None:
    for user in ("one", "one", "two", "three", "four", "four"):
        fleet.call(Outcome.UNAVAILABLE, user=user)
    assert fleet.circuit().state is State.CLOSED
    fleet.call(Outcome.UNAVAILABLE, user="five")
    assert fleet.circuit().state is State.OPEN
    assert fleet.new().open_circuits() == ["alpha"]


@pytest.mark.parametrize("outcome", ONE_REQUEST)
def test_what_one_request_causes_opens_nothing_from_any_number_of_users(
    fleet: Instances, outcome: Outcome
) -> None:
    for number in range(30):
        assert fleet.call(outcome, user=f"user-{number}") == outcome
    assert fleet.store.writes == 0


def test_a_429_rests_the_provider_for_its_retry_after_and_counts_nothing(
    fleet: Instances,
) -> None:
    guard = fleet.new()
    assert fleet.call(Outcome.RATE_LIMITED, guard=guard, wait=2) == Outcome.RATE_LIMITED
    assert fleet.circuit() == Circuit(until_ms=fleet.clock() + 2_000)
    with pytest.raises(ProviderError) as caught:
        guard.call("alpha", MODEL, lambda: ANSWER, user="another")
    assert (caught.value.outcome, caught.value.retry_after_seconds) == (Outcome.NOT_CALLED, 2)
    fleet.clock.advance(2_000)
    came: list[str] = []
    fleet.call(during=lambda: came.extend(fleet.call() for _ in range(3)))
    assert came == ["success"] * 3, "after a rest every call goes, not one probe"
    assert fleet.told() == []


def test_a_burst_of_429_writes_one_rest_and_never_opens(fleet: Instances) -> None:
    guards = [fleet.new() for _ in range(30)]
    for guard in guards:
        guard.circuits()
    for number, guard in enumerate(guards):
        fleet.call(Outcome.RATE_LIMITED, guard=guard, wait=2, user=f"user-{number}")
    assert fleet.circuit() == Circuit(until_ms=fleet.clock() + 2_000)
    assert fleet.store.writes == 1


@pytest.mark.parametrize("wait", [3_600, 61])
def test_a_long_retry_after_rests_the_provider_for_a_minute(fleet: Instances, wait: int) -> None:
    fleet.call(Outcome.RATE_LIMITED, wait=wait)
    assert fleet.circuit().until_ms == fleet.clock() + 60_000


def test_a_rest_is_never_shortened(fleet: Instances) -> None:
    fleet.call(
        Outcome.RATE_LIMITED, wait=30, during=lambda: fleet.call(Outcome.RATE_LIMITED, wait=50)
    )
    assert fleet.circuit().until_ms == fleet.clock() + 50_000


def test_failures_before_a_rest_still_count_after_it(fleet: Instances) -> None:
    for _ in range(4):
        fleet.call(Outcome.UNAVAILABLE)
    fleet.call(Outcome.RATE_LIMITED, wait=2)
    fleet.clock.advance(2_000)
    fleet.call(Outcome.UNAVAILABLE)
    assert fleet.circuit().state is State.OPEN


def test_a_429_without_a_wait_counts_as_a_failure(fleet: Instances) -> None:
    fleet.call(Outcome.RATE_LIMITED, wait=0)
    assert len(fleet.circuit().failures) == 1


def test_a_probe_that_gets_a_429_lets_the_next_one_go_after_the_rest(fleet: Instances) -> None:
    fleet.rested()
    fleet.call(Outcome.RATE_LIMITED, wait=2)
    circuit = fleet.circuit()
    assert (circuit.state, circuit.until_ms) == (State.OPEN, fleet.clock() + 2_000)
    fleet.clock.advance(2_000)
    assert fleet.call() == "success"


def test_a_rest_of_an_older_generation_moves_nothing(fleet: Instances) -> None:
    def opens_and_closes() -> None:
        fleet.rested()
        fleet.call()

    fleet.call(Outcome.RATE_LIMITED, wait=2, during=opens_and_closes)
    assert fleet.circuit() == Circuit(State.CLOSED, 3)


def test_a_lost_rest_does_not_fail_the_request(fleet: Instances) -> None:
    guard = fleet.new()
    guard.circuits()
    fleet.wire.faults[len(fleet.wire.calls)] = Fault.BEFORE
    assert fleet.call(Outcome.RATE_LIMITED, guard=guard, wait=2) == Outcome.RATE_LIMITED
    assert fleet.circuit() == Circuit()


def test_a_probe_that_came_to_nothing_is_given_back_at_once(fleet: Instances) -> None:
    fleet.rested()
    fleet.call(Outcome.NOT_CALLED)
    assert fleet.circuit().state is State.OPEN
    assert fleet.call() == "success"


def test_a_probe_cut_short_by_a_bug_of_ours_is_given_back_at_once(fleet: Instances) -> None:
    fleet.rested()

    def bug() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fleet.call(during=bug)
    assert fleet.call() == "success"


def test_a_probe_that_dies_frees_the_circuit_with_its_lease(fleet: Instances) -> None:
    fleet.rested()

    def die() -> None:
        fleet.wire.dead = True
        raise KeyboardInterrupt

    with suppress(BaseException):
        fleet.call(during=die)
    fleet.wire.mend()
    fleet.clock.advance(134_999)
    assert fleet.call() == Outcome.NOT_CALLED
    fleet.clock.advance(1)
    assert fleet.call() == "success"


def test_a_late_result_of_a_dead_probe_moves_nothing(fleet: Instances) -> None:
    fleet.rested()

    def another_takes_over() -> None:
        fleet.clock.advance(135_000)
        fleet.call(Outcome.UNAVAILABLE)

    fleet.call(during=another_takes_over)
    assert fleet.circuit().state is State.OPEN
    assert fleet.circuit().generation == 4


@pytest.mark.parametrize("outcome", [*FAILURES, Outcome.ACCOUNT])
def test_a_failure_admitted_before_the_circuit_moved_moves_nothing(
    fleet: Instances, outcome: Outcome
) -> None:
    def opens_and_closes() -> None:
        fleet.rested()
        fleet.call()

    fleet.call(outcome, during=opens_and_closes)
    assert fleet.circuit() == Circuit(State.CLOSED, 3)


def test_whoever_reads_five_failures_opens_for_the_one_that_died(fleet: Instances) -> None:
    failures = frozenset(Failure(fleet.clock(), f"x-{n}") for n in range(5))
    fleet.store.circuits["alpha"] = Circuit(failures=failures)
    assert fleet.call() == Outcome.NOT_CALLED
    assert fleet.asked == 0
    assert fleet.circuit().state is State.OPEN
    assert fleet.told() == [("alpha", State.CLOSED, State.OPEN)]


def test_five_failures_of_long_ago_open_nothing(fleet: Instances) -> None:
    failures = frozenset(Failure(fleet.clock() - 600_001, f"x-{n}") for n in range(5))
    fleet.store.circuits["alpha"] = Circuit(failures=failures)
    assert fleet.call() == "success"


def test_a_set_of_old_failures_does_not_grow_for_ever(fleet: Instances) -> None:
    for _ in range(60):
        fleet.call(Outcome.UNAVAILABLE)
        fleet.clock.advance(200_001)
    assert fleet.circuit().state is State.CLOSED
    assert len(fleet.circuit().failures) <= 10


@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER])
@pytest.mark.parametrize("outcome", [None, *Outcome])
def test_without_the_store_calls_go_on(
    fleet: Instances, outcome: Outcome | None, fault: Fault
) -> None:
    fleet.wire.faults = dict.fromkeys(range(100), fault)
    assert fleet.call(outcome) == (outcome or "success")
    assert fleet.asked == 1


def test_a_store_that_comes_back_is_read_again_after_two_seconds(fleet: Instances) -> None:
    fleet.opened()
    guard = fleet.new()
    fleet.wire.mend()
    fleet.wire.faults[0] = Fault.BEFORE
    assert fleet.call(guard=guard) == "success"
    fleet.clock.advance(CACHE_MS)
    assert fleet.call(guard=guard) == Outcome.NOT_CALLED


def test_the_circuits_are_read_once_in_two_seconds(fleet: Instances) -> None:
    guard = fleet.new()
    for _ in range(10):
        fleet.call(guard=guard)
    assert fleet.store.loads == 1
    fleet.clock.advance(CACHE_MS - 1)
    fleet.call(guard=guard)
    assert fleet.store.loads == 1
    fleet.clock.advance(1)
    fleet.call(guard=guard)
    assert fleet.store.loads == 2


def test_an_opening_reaches_every_instance_within_two_seconds(fleet: Instances) -> None:
    guard = fleet.new()
    fleet.call(guard=guard)
    fleet.opened()
    fleet.clock.advance(CACHE_MS)
    assert fleet.call(guard=guard) == Outcome.NOT_CALLED


def test_a_refused_key_opens_at_once_and_only_once(fleet: Instances) -> None:
    guard, other = fleet.new(), fleet.new()
    other.circuits()
    guard.trip("alpha", "account")
    other.trip("alpha", "account")
    guard.trip("alpha", "account")
    assert fleet.circuit().generation == 1
    assert fleet.told() == [("alpha", State.CLOSED, State.OPEN)]


def test_a_probe_of_the_provider_is_given_back_where_the_model_is_gone(fleet: Instances) -> None:
    fleet.call(Outcome.MODEL_GONE)
    guard = fleet.new()
    guard.trip("alpha", "account")
    fleet.clock.advance(POLICY.open_ms)
    assert fleet.call() == Outcome.NOT_CALLED
    assert fleet.circuit().state is State.OPEN
    assert fleet.new().call("alpha", "another", lambda: ANSWER) is ANSWER
    assert fleet.circuit().state is State.CLOSED


@pytest.mark.parametrize("outcome", FAILURES)
def test_a_probe_of_a_model_that_met_a_sick_provider_is_given_back(
    fleet: Instances, outcome: Outcome
) -> None:
    fleet.call(Outcome.MODEL_GONE)
    fleet.clock.advance(POLICY.gone_ms)
    fleet.call(outcome)
    assert fleet.circuit(MODEL_CIRCUIT).state is State.OPEN
    assert fleet.call() == "success"
    assert fleet.circuit(MODEL_CIRCUIT).state is State.CLOSED


@dataclass(slots=True)
class TickingClock(Clock):
    """A clock on which a millisecond passes with each look."""

    def __call__(self) -> int:
        """Return the time."""
        self.at_ms += 1
        return self.at_ms


@pytest.mark.parametrize("before_ms", range(12))
def test_a_call_is_admitted_by_both_circuits_or_not_made(fleet: Instances, before_ms: int) -> None:
    """A rest may end between the first look at a circuit and the second one."""
    fleet.call(Outcome.MODEL_GONE)
    fleet.clock = TickingClock(fleet.circuit(MODEL_CIRCUIT).until_ms - before_ms)
    fleet.call(Outcome.UNAVAILABLE, user="one")
    assert len(fleet.circuit().failures) == fleet.asked - 1


def test_a_model_that_is_still_gone_rests_another_hour(fleet: Instances) -> None:
    fleet.call(Outcome.MODEL_GONE)
    fleet.clock.advance(POLICY.gone_ms)
    fleet.call(Outcome.MODEL_GONE)
    assert fleet.circuit(MODEL_CIRCUIT).until_ms == fleet.clock() + 3_600_000


class FleetState(RuleBasedStateMachine):
    """Four instances, calls that overlap, and a clock: no illegal move, one probe at a time."""

    @initialize()
    def begin(self) -> None:
        self.fleet = Instances()
        self.guards = [self.fleet.new() for _ in range(4)]

    @rule(
        which=st.integers(0, 3),
        outcome=st.none() | st.sampled_from(list(Outcome)),
        user=st.sampled_from(["", *"abcdefg"]),
        wait=st.none() | st.sampled_from([0, 2, 90]),
        overlaps=st.lists(
            st.tuples(st.integers(0, 3), st.none() | st.sampled_from(FAILURES)), max_size=3
        ),
        takes_ms=st.sampled_from([0, 1, 3_000, 120_000, 140_000]),
    )
    def call(
        self,
        *,
        which: int,
        outcome: Outcome | None,
        user: str,
        wait: int | None,
        overlaps: list[tuple[int, Outcome | None]],
        takes_ms: int,
    ) -> None:
        def during() -> None:
            for other, came in overlaps:
                self.fleet.call(came, guard=self.guards[other])
            self.fleet.clock.advance(takes_ms)

        guard = self.guards[which]
        self.fleet.call(outcome, guard=guard, during=during, user=user, wait=wait)

    @rule(outcome=st.none() | st.sampled_from(FAILURES))
    def call_at_an_instance_without_a_cache(self, outcome: Outcome | None) -> None:
        names = ("alpha", MODEL_CIRCUIT)
        rests = any(self.fleet.clock() < one.until_ms for one in map(self.fleet.circuit, names))
        asked = self.fleet.asked
        self.fleet.call(outcome)
        assert self.fleet.asked == asked + int(not rests)

    @rule(ms=st.sampled_from([1, 1_000, CACHE_MS, 60_000, 135_000, 600_000, 86_400_000]))
    def wait(self, ms: int) -> None:
        self.fleet.clock.advance(ms)

    @rule(which=st.integers(0, 3))
    def key_refused(self, which: int) -> None:
        self.guards[which].trip("alpha", "account")

    @invariant()
    def every_move_was_told_once_and_is_a_legal_one(self) -> None:
        legal = {
            (State.CLOSED, State.OPEN),
            (State.OPEN, State.HALF_OPEN),
            (State.HALF_OPEN, State.HALF_OPEN),
            (State.HALF_OPEN, State.CLOSED),
            (State.HALF_OPEN, State.OPEN),
        }
        for name in ("alpha", MODEL_CIRCUIT):
            told = [(old, new) for at, old, new in self.fleet.told() if at == name]
            assert set(told) <= legal
            assert len(told) == self.fleet.circuit(name).generation
            states = [State.CLOSED, *(new for _, new in told)]
            assert [old for old, _ in told] == states[:-1]
            assert states[-1] is self.fleet.circuit(name).state


TestFleet = FleetState.TestCase
TestFleet.settings = settings(examples(40), stateful_step_count=25)


def test_every_effect_is_met_by_some_outcome_and_only_an_image_is_a_success() -> None:
    assert set(EFFECTS.values()) == set(Effect) - {Effect.SUCCESS}
