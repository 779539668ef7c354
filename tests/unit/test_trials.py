"""The trials of an open circuit: whom they bar, and how long the circuit rests after them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.domain import breaker, trials
from imagegen.domain.breaker import Circuit, Policy, State
from imagegen.domain.trials import KEPT_TRIALS, LONGEST_PAUSE_MS, Trial
from tests.fakes.clock import NOON_MS as NOW

POLICY = Policy()
MINUTE_MS = 60_000
OPEN = Circuit(State.OPEN, 1, until_ms=NOW, why="failures")


def probed(circuit: Circuit, user: str, *, now_ms: int = NOW, owner: str = "") -> Circuit:
    owner = owner or f"call-{circuit.generation}"
    return breaker.probing(circuit, POLICY, owner=owner, now_ms=now_ms, user=user)


def wasted(circuit: Circuit, user: str, *, now_ms: int = NOW) -> Circuit:
    return breaker.wasted(probed(circuit, user, now_ms=now_ms), now_ms=now_ms)


def failed(circuit: Circuit, user: str, *, now_ms: int = NOW) -> Circuit:
    probing = probed(circuit, user, now_ms=now_ms)
    return breaker.failed_again(probing, POLICY, now_ms=now_ms, why="unavailable")


def blocked(circuit: Circuit, user: str, *, now_ms: int = NOW) -> int | None:
    return breaker.blocked_until_ms(circuit, POLICY, user, now_ms=now_ms)


def test_a_trial_without_an_image_bars_its_user_for_a_minute_and_no_other() -> None:
    circuit = wasted(OPEN, "one")
    assert (circuit.state, circuit.why) == (State.OPEN, "failures")
    assert blocked(circuit, "one") == NOW + MINUTE_MS
    assert blocked(circuit, "another") is None
    assert blocked(circuit, "") is None
    assert blocked(circuit, "one", now_ms=NOW + MINUTE_MS - 1) == NOW + MINUTE_MS
    assert blocked(circuit, "one", now_ms=NOW + MINUTE_MS) is None


def test_a_trial_that_fails_says_with_what_and_one_without_an_image_what_opened_the_circuit() -> (
    None
):
    assert failed(OPEN, "one").why == "unavailable"
    assert wasted(OPEN, "one").why == "failures"


def test_each_further_trial_bars_its_user_for_twice_as_long_up_to_an_hour() -> None:
    circuit, waits = OPEN, []
    for number in range(9):
        circuit = wasted(circuit, f"user-{number}")
        until_ms = blocked(circuit, f"user-{number}")
        waits.append(((until_ms or NOW) - NOW) // MINUTE_MS)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_wait_counts_from_the_end_of_the_trial() -> None:
    later_ms = NOW + 120_000
    circuit = breaker.wasted(probed(OPEN, "one"), now_ms=later_ms)
    assert blocked(circuit, "one", now_ms=later_ms) == later_ms + MINUTE_MS


def test_a_trial_that_died_bars_its_user_from_the_end_of_its_lease() -> None:
    dead = probed(OPEN, "one")
    ends_ms = NOW + POLICY.probe_ms
    assert blocked(dead, "one", now_ms=ends_ms) == ends_ms + MINUTE_MS
    assert blocked(dead, "another", now_ms=ends_ms) is None


def test_a_failed_trial_of_one_user_rests_the_circuit_for_a_minute_not_for_ten() -> None:
    circuit = failed(OPEN, "one")
    assert circuit.until_ms == NOW + MINUTE_MS
    assert blocked(circuit, "another") == NOW + MINUTE_MS
    assert blocked(circuit, "another", now_ms=NOW + MINUTE_MS) is None


def test_failed_trials_of_five_users_rest_it_for_its_whole_time_and_bar_nobody() -> None:
    circuit, rests = OPEN, []
    for number in range(5):
        circuit = failed(circuit, f"user-{number}")
        rests.append((circuit.until_ms - NOW) // MINUTE_MS)
    assert rests == [1, 2, 4, 8, 10]
    assert circuit.trials == frozenset()


def test_many_failed_trials_of_one_user_are_those_of_one() -> None:
    circuit = OPEN
    for _ in range(20):
        circuit = failed(circuit, "one")
        assert circuit.until_ms == NOW + MINUTE_MS


def test_a_failed_trial_without_a_user_rests_the_circuit_for_its_whole_time() -> None:
    assert failed(OPEN, "").until_ms == NOW + POLICY.open_ms


def test_a_trial_without_a_user_leaves_nothing() -> None:
    assert wasted(OPEN, "").trials == frozenset()


def test_a_call_that_sent_nothing_was_no_trial() -> None:
    circuit = breaker.given_back(probed(wasted(OPEN, "one"), "another"))
    assert {one.user for one in circuit.trials} == {"one"}
    assert blocked(circuit, "another") is None


@pytest.mark.parametrize("why", ["account", "rate_limited", "model_gone"])
def test_what_the_account_is_told_bars_no_user(why: str) -> None:
    probing = probed(wasted(OPEN, "one"), "another")
    circuit = breaker.opened(probing, until_ms=NOW + 5, why=why)
    assert {one.user for one in circuit.trials} == {"one"}


def test_an_image_forgets_all_trials() -> None:
    assert breaker.closed(probed(wasted(OPEN, "one"), "another")) == Circuit(State.CLOSED, 5)


@given(st.lists(st.sampled_from("abcdefghijkl"), max_size=60), st.lists(st.booleans(), min_size=60))
def test_a_user_who_never_tried_is_barred_by_nothing_but_the_circuits_rest(
    users: list[str], fails: list[bool]
) -> None:
    circuit = OPEN
    for user, fail in zip(users, fails, strict=False):
        circuit = (failed if fail else wasted)(circuit, user)
        assert trials.barred_until_ms(circuit.trials, "z") == 0
        assert circuit.until_ms <= NOW + POLICY.open_ms
        assert len(circuit.trials) <= KEPT_TRIALS


@given(
    st.lists(
        st.tuples(st.integers(0, 10**7), st.sampled_from("abc"), st.booleans()),
        min_size=1,
        max_size=40,
    )
)
def test_nobody_is_barred_for_longer_than_an_hour_after_the_last_trial(
    ends: list[tuple[int, str, bool]],
) -> None:
    found = frozenset(
        Trial(NOW + at, f"call-{n}", user, fail) for n, (at, user, fail) in enumerate(ends)
    )
    for user in "abc":
        own = [one.at_ms for one in found if one.user == user]
        until_ms = trials.barred_until_ms(found, user)
        assert until_ms == 0 if not own else max(own) < until_ms <= max(own) + LONGEST_PAUSE_MS


def free_after_ms(users: int, takes_ms: int, *, fail: bool) -> int:
    """Return when a call of another user first finds nobody ahead of it.

    The users take every trial that they may, one after the other, and each takes this long.
    """
    circuit, now_ms, names = OPEN, NOW, [f"user-{n}" for n in range(users)]
    for _ in range(10_000):
        now_ms = max(now_ms, circuit.until_ms)
        name = next((one for one in names if blocked(circuit, one, now_ms=now_ms) is None), None)
        if name is None:
            return now_ms - NOW
        probing = probed(circuit, name, now_ms=now_ms)
        now_ms += takes_ms
        circuit = (
            breaker.failed_again(probing, POLICY, now_ms=now_ms, why="unknown")
            if fail
            else breaker.wasted(probing, now_ms=now_ms)
        )
    raise AssertionError("the circuit stays closed to others")


@pytest.mark.parametrize(
    ("users", "takes_ms", "most_minutes"),
    [(1, 1, 1), (1, 120_000, 2), (10, 1, 1), (10, 30_000, 7), (10, 120_000, 30)],
)
def test_users_without_an_image_keep_others_out_for_a_bounded_time(
    users: int, takes_ms: int, most_minutes: int
) -> None:
    assert free_after_ms(users, takes_ms, fail=False) <= most_minutes * MINUTE_MS


@pytest.mark.parametrize("users", [1, 2, 3, 4])
@pytest.mark.parametrize("takes_ms", [1, 30_000, 120_000])
def test_fewer_than_five_users_whose_trials_fail_keep_others_out_for_a_bounded_time(
    users: int, takes_ms: int
) -> None:
    assert free_after_ms(users, takes_ms, fail=True) <= 60 * MINUTE_MS


@given(st.integers(1, 10), st.integers(1, 135_000))
def test_up_to_ten_users_keep_others_out_for_less_than_forty_minutes(
    users: int, takes_ms: int
) -> None:
    assert free_after_ms(users, takes_ms, fail=False) < 40 * MINUTE_MS


def test_a_trial_that_did_not_fail_does_not_lengthen_the_rest_after_one_that_did() -> None:
    circuit = failed(wasted(OPEN, "one"), "another")
    assert circuit.until_ms == NOW + MINUTE_MS


def test_the_end_of_a_trial_moves_no_other_users_wait() -> None:
    later_ms = NOW + 30_000
    circuit = wasted(wasted(OPEN, "one"), "another", now_ms=later_ms)
    assert blocked(circuit, "one", now_ms=later_ms) == NOW + MINUTE_MS


def test_of_too_many_trials_the_oldest_is_forgotten_and_as_many_as_may_be_are_kept() -> None:
    circuit = OPEN
    for number in range(KEPT_TRIALS + 1):
        circuit = wasted(circuit, f"user-{number}", now_ms=NOW + number)
    assert {one.user for one in circuit.trials} == {
        f"user-{number}" for number in range(1, KEPT_TRIALS + 1)
    }
