"""Users whose prompts fail, as the probes of an open circuit: it never stays open for others."""

from contextlib import suppress

import pytest

from imagegen.domain.breaker import State
from imagegen.domain.outcomes import Outcome
from imagegen.guard import CACHE_MS
from tests.fakes.faults import Fault
from tests.unit.test_guard import ANSWER, FAILURES, MODEL_CIRCUIT, ONE_REQUEST, POLICY, Instances

MINUTE_MS = 60_000


@pytest.fixture
def fleet() -> Instances:
    """Return a fleet whose circuit of a provider may be probed now."""
    return Instances().rested()


@pytest.mark.parametrize("outcome", [*ONE_REQUEST, Outcome.NOT_CALLED])
def test_after_a_users_failed_prompt_another_users_image_closes_at_once(
    fleet: Instances, outcome: Outcome
) -> None:
    assert fleet.call(outcome, user="one") == outcome
    assert fleet.circuit().state is State.OPEN
    assert fleet.call(user="another") == "success"
    assert fleet.circuit().state is State.CLOSED


@pytest.mark.parametrize("outcome", ONE_REQUEST)
def test_a_user_who_tries_without_end_gets_one_trial_and_keeps_nobody_out(
    fleet: Instances, outcome: Outcome
) -> None:
    asked = fleet.asked
    came = [fleet.call(outcome, user="one") for _ in range(50)]
    assert came == [outcome, *[Outcome.NOT_CALLED] * 49]
    assert fleet.asked == asked + 1
    assert list(fleet.new().blocked_until_ms("one")) == ["alpha"]
    assert fleet.new().blocked_until_ms("another") == {}
    assert fleet.call(user="another") == "success"
    assert fleet.call(user="one") == "success", "closed for everyone"


@pytest.mark.parametrize("outcome", ONE_REQUEST)
def test_ten_users_who_try_without_end_get_one_trial_each(
    fleet: Instances, outcome: Outcome
) -> None:
    asked = fleet.asked
    for _ in range(20):
        for number in range(10):
            fleet.call(outcome, user=f"user-{number}")
    assert fleet.asked == asked + 10
    assert fleet.call(user="another") == "success"
    assert fleet.circuit().state is State.CLOSED


@pytest.mark.parametrize("outcome", FAILURES)
def test_a_user_whose_own_prompt_fails_keeps_others_out_for_a_minute_not_for_ten(
    fleet: Instances, outcome: Outcome
) -> None:
    assert fleet.call(outcome, user="one") == outcome
    assert fleet.call(user="another") == Outcome.NOT_CALLED
    fleet.clock.advance(MINUTE_MS)
    assert fleet.call(user="another") == "success"


def test_a_user_whose_prompts_always_fail_never_takes_each_trial(fleet: Instances) -> None:
    """The user calls at the first moment of each trial, another user in the middle of a minute."""
    waited = 0
    for _ in range(60):
        fleet.call(Outcome.UNAVAILABLE, user="one")
        fleet.clock.advance(MINUTE_MS // 2)
        waited += 1
        if fleet.call(user="another") == "success":
            break
        fleet.clock.advance(MINUTE_MS // 2)
    assert waited <= 4
    assert fleet.circuit().state is State.CLOSED


def test_a_sick_provider_is_still_left_alone_after_five_users(fleet: Instances) -> None:
    for number in range(5):
        fleet.clock.advance(max(0, fleet.circuit().until_ms - fleet.clock()))
        assert fleet.call(Outcome.UNAVAILABLE, user=f"user-{number}") == Outcome.UNAVAILABLE
    assert fleet.circuit().until_ms == fleet.clock() + POLICY.open_ms


def test_a_user_who_was_kept_away_before_it_opened_has_one_trial(fleet: Instances) -> None:
    fleet.call(user="x")
    for _ in range(7):
        fleet.call(Outcome.UNAVAILABLE, user="one")
    assert list(fleet.new().blocked_until_ms("one")) == ["alpha"]
    for number in range(4):
        fleet.call(Outcome.UNAVAILABLE, user=f"user-{number}")
    assert fleet.circuit().state is State.OPEN
    fleet.clock.advance(POLICY.open_ms)
    asked = fleet.asked
    for _ in range(20):
        fleet.call(Outcome.UNKNOWN, user="one")
    assert fleet.asked == asked + 1
    fleet.clock.advance(MINUTE_MS)
    assert fleet.call(user="another") == "success"


def test_a_call_that_its_models_circuit_stops_never_takes_the_providers_trial(
    fleet: Instances,
) -> None:
    fleet.call(Outcome.MODEL_GONE, user="one")
    before = fleet.circuit()
    for _ in range(5):
        assert fleet.call(user="two") == Outcome.NOT_CALLED
    assert fleet.circuit() == before, "nothing is written"
    assert fleet.new().call("alpha", "another", lambda: ANSWER, user="two") is ANSWER


@pytest.mark.parametrize("outcome", ONE_REQUEST)
def test_the_probe_of_a_model_is_one_users_alone_too(fleet: Instances, outcome: Outcome) -> None:
    fleet.call(user="x")
    fleet.call(Outcome.MODEL_GONE, user="x")
    fleet.clock.advance(POLICY.gone_ms)
    came = [fleet.call(outcome, user="one") for _ in range(5)]
    assert came == [outcome, *[Outcome.NOT_CALLED] * 4]
    assert fleet.call(user="another") == "success"
    assert fleet.circuit(MODEL_CIRCUIT).state is State.CLOSED


def test_a_users_trial_that_dies_bars_the_user_and_frees_others_with_its_lease(
    fleet: Instances,
) -> None:
    def die() -> None:
        fleet.wire.dead = True
        raise KeyboardInterrupt

    with suppress(BaseException):
        fleet.call(during=die, user="one")
    fleet.wire.mend()
    fleet.clock.advance(POLICY.probe_ms)
    assert fleet.call(user="one") == Outcome.NOT_CALLED
    assert fleet.call(user="another") == "success"


def test_a_bug_that_one_prompt_meets_gives_the_trial_to_others(fleet: Instances) -> None:
    def bug() -> None:
        raise ZeroDivisionError

    for _ in range(3):
        with suppress(ZeroDivisionError):
            fleet.call(during=bug, user="one")
    assert fleet.call(user="another") == "success"


@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER])
def test_while_one_users_trial_runs_no_other_instance_takes_one(
    fleet: Instances, fault: Fault
) -> None:
    guards = [fleet.new() for _ in range(10)]
    for guard in guards:
        guard.circuits()
    asked, came = fleet.asked, list[str]()

    def others() -> None:
        came.extend(fleet.call(guard=guard, user=f"u{n}") for n, guard in enumerate(guards))

    fleet.call(Outcome.REFUSED, user="one", during=others)
    assert (came, fleet.asked) == ([Outcome.NOT_CALLED] * 10, asked + 1)
    fleet.wire.faults[len(fleet.wire.calls) + 1] = fault
    fleet.call(Outcome.REFUSED, user="two")
    fleet.clock.advance(CACHE_MS + POLICY.probe_ms)
    assert fleet.call(user="three") == "success"


def test_an_account_that_is_refused_bars_no_user(fleet: Instances) -> None:
    for _ in range(4):
        assert fleet.call(Outcome.ACCOUNT, user="one") == Outcome.ACCOUNT
        fleet.clock.advance(POLICY.open_ms)
    assert fleet.call(user="one") == "success"


def test_alone_a_user_closes_the_circuit_a_minute_after_a_refused_prompt(fleet: Instances) -> None:
    assert fleet.call(Outcome.REFUSED, user="one") == Outcome.REFUSED
    fleet.clock.advance(MINUTE_MS)
    assert fleet.call(user="one") == "success"
