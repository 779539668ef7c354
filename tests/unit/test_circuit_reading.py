"""What an instance does with the circuits it has read, has moved itself, or cannot read."""

import pytest

from imagegen.domain.breaker import Circuit, Failure, Policy, State
from imagegen.domain.call_errors import ProviderError
from imagegen.domain.fleet import Switch
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageAnswer
from imagegen.guard import Guard, Transition, model_circuit
from tests.fakes.circuits import MemoryCircuitStore
from tests.fakes.clock import Clock
from tests.fakes.faults import Fault, Wire, wired

MODEL = "a-model"
ANSWER = ImageAnswer(b"an image")


class World:
    """Instances with one store, one clock and one wire."""

    def __init__(self) -> None:
        self.clock, self.store, self.wire = Clock(), MemoryCircuitStore(), Wire()
        self.moves: list[Transition] = []
        self.asked = 0

    def guard(self) -> Guard:
        store = wired("circuits", self.store, self.wire)
        return Guard(store, Policy(), self.clock, self._call_id, self.moves.append)

    def call(self, guard: Guard, outcome: Outcome | None = None) -> ProviderError | None:
        try:
            guard.call("alpha", MODEL, lambda: self._ask(outcome))
        except ProviderError as error:
            return error
        return None

    def rested(self) -> None:
        self.store.circuits["alpha"] = Circuit(State.OPEN, 1, until_ms=self.clock(), why="account")

    def _ask(self, outcome: Outcome | None) -> ImageAnswer:
        self.asked += 1
        if outcome is not None:
            raise ProviderError("alpha", outcome, "as told")
        return ANSWER

    def _call_id(self) -> str:
        return f"call-{self.asked}"


@pytest.fixture
def world() -> World:
    return World()


def test_a_model_has_a_circuit_under_the_name_of_its_provider() -> None:
    assert model_circuit("alpha", MODEL) == "alpha/a-model"


def test_what_was_read_is_good_for_less_than_2000_ms(world: World) -> None:
    guard = world.guard()
    guard.circuits()
    world.clock.advance(1_999)
    guard.circuits()
    assert world.store.loads == 1
    world.clock.advance(1)
    guard.circuits()
    assert world.store.loads == 2


def test_whoever_opens_a_circuit_calls_no_more_at_once(world: World) -> None:
    guard = world.guard()
    world.call(guard, Outcome.ACCOUNT)
    refused = world.call(guard)
    assert refused is not None
    assert refused.outcome is Outcome.NOT_CALLED
    assert world.asked == 1


def test_a_circuit_that_was_open_and_cannot_be_read_any_more_stops_nobody(world: World) -> None:
    guard = world.guard()
    world.rested()
    world.store.circuits["alpha"] = Circuit(State.OPEN, 1, until_ms=world.clock() + 10**9)
    assert world.call(guard) is not None
    world.clock.advance(2_000)
    world.wire.faults = dict.fromkeys(range(100), Fault.BEFORE)
    assert world.call(guard) is None
    assert world.asked == 1


def test_a_probe_that_cannot_be_put_down_is_not_made_and_may_be_tried_in_a_second(
    world: World,
) -> None:
    world.rested()
    world.wire.faults[1] = Fault.BEFORE
    refused = world.call(world.guard())
    assert world.wire.calls[1] == "circuits.swap"
    assert refused is not None
    assert (refused.outcome, refused.retry_after_seconds) == (Outcome.NOT_CALLED, 1)
    assert world.asked == 0


def test_a_probe_of_a_provider_whose_model_cannot_be_probed_is_given_back_at_once(
    world: World,
) -> None:
    due = Circuit(State.OPEN, 1, until_ms=world.clock())
    world.store.circuits |= {"alpha": due, "alpha/a-model": due}
    world.wire.faults[3] = Fault.BEFORE
    assert world.call(world.guard()) is not None
    assert world.wire.calls[:5] == ["circuits.load", "circuits.swap"] * 2 + ["circuits.swap"]
    assert world.asked == 0
    assert world.call(world.guard()) is None, "the next call probes both"


class Meanwhile(MemoryCircuitStore):
    """Another instance opens the model's circuit while this one takes the provider's probe."""

    def swap(self, name: str, old: Circuit, new: Circuit) -> bool:
        won = MemoryCircuitStore.swap(self, name, old, new)
        if name == "alpha" and new.state is State.HALF_OPEN:
            self.circuits["alpha/a-model"] = Circuit(State.OPEN, 1, until_ms=new.until_ms)
        return won


def test_a_circuit_that_opens_while_a_call_is_admitted_stops_it(world: World) -> None:
    world.store = Meanwhile({"alpha": Circuit(State.OPEN, 1, until_ms=world.clock())})
    refused = world.call(world.guard())
    assert refused is not None
    assert "'alpha/a-model'" in str(refused)
    assert world.asked == 0
    assert world.store.circuits["alpha"].state is State.OPEN, "its probe is given back"


def test_a_closed_circuit_stays_closed_where_another_one_stops_the_call(world: World) -> None:
    world.store.circuits["alpha/a-model"] = Circuit(State.OPEN, 1, until_ms=world.clock())
    world.wire.faults[1] = Fault.BEFORE
    assert world.call(world.guard()) is not None
    assert "alpha" not in world.store.circuits
    assert world.call(world.guard()) is None


def test_what_an_operator_switched_off_stays_off_while_nothing_can_be_read(world: World) -> None:
    world.store.switches["alpha"] = Switch(is_on=False, at_ms=world.clock())
    guard = world.guard()
    assert guard.fleet().switched_off() == {"alpha"}
    world.clock.advance(2_000)
    world.wire.faults = dict.fromkeys(range(1, 9), Fault.BEFORE)
    assert (guard.fleet().is_known, guard.fleet().switched_off()) == (False, {"alpha"})


def test_a_refused_call_names_its_circuit(world: World) -> None:
    world.store.circuits["alpha/a-model"] = Circuit(State.OPEN, 1, until_ms=world.clock() + 1)
    refused = world.call(world.guard())
    assert str(refused) == "The circuit of 'alpha/a-model' lets no call through now."


def test_a_circuit_opened_for_one_that_died_says_that_failures_did_it(world: World) -> None:
    failures = frozenset(Failure(world.clock(), f"x-{n}") for n in range(5))
    world.store.circuits["alpha"] = Circuit(failures=failures)
    world.call(world.guard())
    assert world.moves == [Transition("alpha", State.CLOSED, State.OPEN, "failures")]
    assert world.store.circuits["alpha"].why == "failures"


def test_old_failures_are_dropped_with_the_tenth_and_not_before(world: World) -> None:
    for number in range(10):
        assert len(world.store.circuits.get("alpha", Circuit()).failures) == number
        assert "circuits.drop_failures" not in world.wire.calls
        world.call(world.guard(), Outcome.UNAVAILABLE)
        world.clock.advance(200_001)
    assert world.wire.calls.count("circuits.drop_failures") == 1
    # Those of now, of 200 and of 400 seconds ago.
    assert len(world.store.circuits["alpha"].failures) == 3


def test_a_key_that_is_still_refused_rests_the_open_circuit_anew_and_tells_nobody(
    world: World,
) -> None:
    world.rested()
    guard = world.guard()
    guard.extend_open("alpha", "account")
    until_ms = world.clock() + 600_000
    assert world.store.circuits["alpha"] == Circuit(State.OPEN, 2, until_ms=until_ms, why="account")
    assert not world.moves
    refused = world.call(guard)
    assert refused is not None
    assert (refused.outcome, refused.retry_after_seconds) == (Outcome.NOT_CALLED, 600)


@pytest.mark.parametrize("circuit", [Circuit(State.CLOSED, 4), Circuit(State.HALF_OPEN, 4)])
def test_only_an_open_circuit_is_rested_anew(world: World, circuit: Circuit) -> None:
    world.guard().extend_open("alpha", "account")
    assert not world.store.circuits
    world.store.circuits["alpha"] = circuit
    world.guard().extend_open("alpha", "account")
    assert world.store.circuits["alpha"] == circuit


def test_an_instance_that_is_told_to_forget_reads_anew(world: World) -> None:
    guard = world.guard()
    guard.circuits()
    guard.forget()
    guard.circuits()
    assert world.store.loads == 2


def test_a_key_that_is_refused_once_more_leaves_an_open_circuit_as_it_is(world: World) -> None:
    world.rested()
    world.guard().trip("alpha", "account")
    assert world.store.circuits["alpha"].generation == 1


def test_a_slow_answer_of_the_store_is_as_old_as_the_question(world: World) -> None:
    guard = world.guard()
    load = world.store.load

    class Slow:
        def load(self) -> object:
            world.clock.advance(1_500)
            return load()

    guard.store = Slow()  # type: ignore[assignment]
    guard.circuits()
    world.clock.advance(500)
    guard.circuits()
    assert world.store.loads == 2
