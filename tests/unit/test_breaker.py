"""The circuit's arithmetic: five failures within ten minutes, to the millisecond."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.domain import breaker
from imagegen.domain.breaker import EFFECTS, Circuit, Effect, Failure, Policy, State
from imagegen.domain.outcomes import Outcome

POLICY = Policy()
NOW = 10_000_000


def failed(*ages_ms: int) -> Circuit:
    failures = frozenset(Failure(NOW - age, f"call-{n}") for n, age in enumerate(ages_ms))
    return Circuit(failures=failures)


def test_five_failures_within_600_seconds_open_it() -> None:
    assert breaker.should_open(failed(0, 0, 0, 0, 600_000), POLICY, now_ms=NOW)


def test_a_failure_of_600_001_ms_ago_does_not_count() -> None:
    assert not breaker.should_open(failed(0, 0, 0, 0, 600_001), POLICY, now_ms=NOW)


def test_four_failures_leave_it_closed() -> None:
    assert not breaker.should_open(failed(0, 1, 2, 3), POLICY, now_ms=NOW)


@pytest.mark.parametrize("state", [State.OPEN, State.HALF_OPEN])
def test_only_a_closed_circuit_is_opened_by_counting(state: State) -> None:
    circuit = Circuit(state, failures=failed(0, 0, 0, 0, 0).failures)
    assert not breaker.should_open(circuit, POLICY, now_ms=NOW)


@given(st.lists(st.integers(-5_000, 1_200_000), max_size=12))
def test_recent_and_stale_failures_are_all_there_are_and_never_the_same(ages: list[int]) -> None:
    circuit = failed(*ages)
    recent = breaker.recent(circuit, POLICY, now_ms=NOW)
    stale = breaker.stale(circuit.failures, POLICY, now_ms=NOW)
    assert recent | stale == circuit.failures
    assert not recent & stale
    assert breaker.should_open(circuit, POLICY, now_ms=NOW) == (len(recent) >= 5)


def test_a_probe_may_go_when_the_rest_is_over_and_not_before() -> None:
    circuit = breaker.opened(Circuit(), until_ms=NOW, why="failures")
    assert not breaker.may_probe(circuit, now_ms=NOW - 1)
    assert breaker.may_probe(circuit, now_ms=NOW)


def test_a_closed_circuit_blocks_calls_from_the_fifth_failure_on() -> None:
    """The instance that counted the fifth may have died before it opened the circuit."""
    assert breaker.blocked_until_ms(failed(0, 1, 2, 3), POLICY, now_ms=NOW) is None
    assert breaker.blocked_until_ms(failed(0, 1, 2, 3, 4), POLICY, now_ms=NOW) is not None
    assert breaker.is_open(failed(0, 1, 2, 3, 4), POLICY, now_ms=NOW)


def test_an_open_circuit_blocks_calls_until_a_probe_is_due() -> None:
    circuit = breaker.opened(Circuit(), until_ms=NOW, why="failures")
    assert breaker.blocked_until_ms(circuit, POLICY, now_ms=NOW - 1) == NOW
    assert breaker.blocked_until_ms(circuit, POLICY, now_ms=NOW) is None


def by_users(*users: str, step_ms: int = 1) -> Circuit:
    """Return a closed circuit with a failure of each of the users, the last one now."""
    ages = range((len(users) - 1) * step_ms, -1, -step_ms)
    calls = enumerate(zip(users, ages, strict=True))
    return Circuit(failures=frozenset(Failure(NOW - age, f"c{n}", u) for n, (u, age) in calls))


def test_failures_of_five_users_open_it_and_any_number_of_one_user_does_not() -> None:
    assert breaker.should_open(by_users(*"abcde"), POLICY, now_ms=NOW)
    assert not breaker.should_open(by_users(*"abcdabcdabcd"), POLICY, now_ms=NOW)
    assert not breaker.should_open(by_users(*["a"] * 100), POLICY, now_ms=NOW)


def test_a_failure_without_a_user_counts_as_one_more_user() -> None:
    assert breaker.should_open(by_users("a", "b", "c", "", ""), POLICY, now_ms=NOW)


@given(st.lists(st.sampled_from("abcdefg"), max_size=30))
def test_it_opens_when_five_users_failed_whatever_the_order(users: list[str]) -> None:
    opens = breaker.should_open(by_users(*users), POLICY, now_ms=NOW)
    assert opens == (len(set(users)) >= 5)


@given(st.lists(st.sampled_from("abcd"), max_size=30))
def test_fewer_than_five_users_keep_nobody_else_away(users: list[str]) -> None:
    circuit = by_users(*users)
    for user in "abcdxyz":
        kept = breaker.blocked_until_ms(circuit, POLICY, user, now_ms=NOW) is not None
        assert kept == (users.count(user) >= 5)
    assert breaker.blocked_until_ms(circuit, POLICY, now_ms=NOW) is None


def test_a_users_own_five_failures_keep_this_user_away_until_the_first_leaves_the_window() -> None:
    circuit = by_users("a", "a", "a", "a", "a", step_ms=1_000)
    until_ms = NOW - 4_000 + 600_001
    assert breaker.blocked_until_ms(circuit, POLICY, "a", now_ms=NOW) == until_ms
    assert breaker.blocked_until_ms(circuit, POLICY, "a", now_ms=until_ms - 1) == until_ms
    assert breaker.blocked_until_ms(circuit, POLICY, "a", now_ms=until_ms) is None
    six = by_users("a", "a", "a", "a", "a", "a", step_ms=1_000)
    assert breaker.blocked_until_ms(six, POLICY, "a", now_ms=NOW) == until_ms


def test_a_rest_blocks_every_user_until_it_ends_and_is_no_open_circuit() -> None:
    circuit = Circuit(until_ms=NOW + 2_000)
    for user in ("", "a"):
        assert breaker.blocked_until_ms(circuit, POLICY, user, now_ms=NOW) == NOW + 2_000
        assert breaker.blocked_until_ms(circuit, POLICY, user, now_ms=NOW + 2_000) is None
    assert not breaker.is_open(circuit, POLICY, now_ms=NOW)
    assert not breaker.may_probe(circuit, now_ms=NOW + 2_000), "a rest needs no probe"


@pytest.mark.parametrize("user", ["", "a"])
def test_fewer_than_five_failures_or_no_user_keep_nobody_away(user: str) -> None:
    for circuit in (Circuit(), by_users("a", "a", "a", "a"), by_users("", "", "", "", "")):
        assert breaker.kept_away_until_ms(circuit, POLICY, user, now_ms=NOW) == 0


def test_a_user_waits_for_the_later_of_a_rest_and_the_users_own_failures() -> None:
    circuit = by_users("a", "a", "a", "a", "a")
    for until_ms in (NOW + 2_000, NOW + 900_000):
        resting = replace(circuit, until_ms=until_ms)
        own_ms = breaker.kept_away_until_ms(circuit, POLICY, "a", now_ms=NOW)
        latest_ms = max(until_ms, own_ms)
        assert breaker.blocked_until_ms(resting, POLICY, "a", now_ms=NOW) == latest_ms
        assert breaker.blocked_until_ms(resting, POLICY, "b", now_ms=NOW) == until_ms


@pytest.mark.parametrize(("seconds", "rest_ms"), [(1, 1_000), (60, 60_000), (61, 60_000)])
def test_a_rest_lasts_at_most_a_minute(seconds: int, rest_ms: int) -> None:
    assert breaker.rest_until_ms(POLICY, seconds, now_ms=NOW) == NOW + rest_ms


def test_a_closed_circuit_is_not_probed() -> None:
    assert not breaker.may_probe(Circuit(), now_ms=NOW)


def test_a_dead_probe_frees_the_circuit_after_its_lease_and_not_after_the_rest() -> None:
    circuit = breaker.probing(Circuit(State.OPEN, 1), POLICY, owner="me", now_ms=NOW)
    assert circuit.until_ms == NOW + 135_000
    assert not breaker.may_probe(circuit, now_ms=NOW + 134_999)
    assert breaker.may_probe(circuit, now_ms=NOW + 135_000)


def test_a_probe_that_came_to_nothing_lets_the_next_one_go_at_once() -> None:
    circuit = breaker.probing(Circuit(State.OPEN, 1, why="rate"), POLICY, owner="me", now_ms=NOW)
    back = breaker.given_back(circuit)
    assert back.state is State.OPEN
    assert back.why == "rate"
    assert breaker.may_probe(back, now_ms=NOW + 5)
    assert breaker.may_probe(back, now_ms=NOW - 2_000), "also where the clock is behind"


@given(st.sampled_from(["opened", "probing", "closed", "given_back"]), st.integers(0, 100))
def test_every_move_raises_the_generation_by_one_and_forgets_the_failures(
    move: str, generation: int
) -> None:
    old = Circuit(State.OPEN, generation, failed(1, 2).failures)
    new = {
        "opened": lambda: breaker.opened(old, until_ms=NOW, why=""),
        "probing": lambda: breaker.probing(old, POLICY, owner="me", now_ms=NOW),
        "closed": lambda: breaker.closed(old),
        "given_back": lambda: breaker.given_back(old),
    }[move]()
    assert new.generation == generation + 1
    assert not new.failures


def test_every_outcome_has_an_effect_as_the_design_says() -> None:
    assert EFFECTS == {
        Outcome.UNAVAILABLE: Effect.FAILURE,
        Outcome.UNKNOWN: Effect.FAILURE,
        Outcome.RATE_LIMITED: Effect.REST,
        Outcome.ACCOUNT: Effect.TRIP,
        Outcome.MODEL_GONE: Effect.TRIP_MODEL,
        Outcome.REFUSED: Effect.NONE,
        Outcome.BLOCKED: Effect.NONE,
        Outcome.NO_IMAGE: Effect.NONE,
        Outcome.BAD_PARAMETER: Effect.NONE,
        Outcome.NOT_CALLED: Effect.NONE,
    }
    assert set(EFFECTS) == set(Outcome)


def test_the_policy_is_the_one_that_is_promised() -> None:
    assert (POLICY.threshold, POLICY.window_ms, POLICY.open_ms) == (5, 600_000, 600_000)
    assert POLICY.probe_ms == 135_000
