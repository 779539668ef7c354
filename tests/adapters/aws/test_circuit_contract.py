"""What every store of circuits does, in memory and in DynamoDB."""

from dataclasses import replace
from datetime import date
from typing import Protocol

from imagegen.domain import breaker
from imagegen.domain.breaker import Circuit, Failure, Policy, State
from imagegen.domain.fleet import CircuitStore, FleetState, KeyCheck, KeyCheckStore
from imagegen.domain.vendor_prices import Finding, PriceCheck, PriceCheckStore
from tests.fakes.clock import NOON_MS as NOW

POLICY = Policy()
ONE, TWO = Failure(NOW, "one"), Failure(NOW, "two")
OPENED = breaker.opened(Circuit(), until_ms=NOW, why="failures")


def stored(store: CircuitStore, name: str = "alpha") -> Circuit:
    return store.load().circuits.get(name, Circuit())


def opened(store: CircuitStore) -> Circuit:
    assert store.swap("alpha", Circuit(), OPENED)
    return OPENED


def test_a_fleet_nobody_has_seen_has_no_circuits_and_no_probes(circuits: CircuitStore) -> None:
    assert circuits.load() == FleetState({}, {})


def test_failures_gather_and_one_told_twice_counts_once(circuits: CircuitStore) -> None:
    circuits.add_failure("alpha", 0, ONE)
    circuits.add_failure("alpha", 0, ONE)
    came = circuits.add_failure("alpha", 0, TWO)
    assert came == stored(circuits) == Circuit(failures=frozenset({ONE, TWO}))


def test_a_failure_keeps_its_user_and_one_without_a_user_has_none(circuits: CircuitStore) -> None:
    mine = Failure(NOW, "three", "0a1b2c3d")
    circuits.add_failure("alpha", 0, ONE)
    assert circuits.add_failure("alpha", 0, mine) == stored(circuits)
    assert stored(circuits).failures == {ONE, mine}
    circuits.drop_failures("alpha", 0, frozenset({mine}))
    assert stored(circuits).failures == {ONE}


def test_a_rest_is_kept_beside_the_failures_and_never_shortened(circuits: CircuitStore) -> None:
    circuits.add_failure("alpha", 0, ONE)
    for until_ms in (NOW + 2_000, NOW + 1_000, NOW + 2_000):
        circuits.rest("alpha", 0, until_ms)
    assert stored(circuits) == Circuit(failures=frozenset({ONE}), until_ms=NOW + 2_000)
    circuits.rest("alpha", 0, NOW + 3_000)
    circuits.add_failure("alpha", 0, TWO)
    assert stored(circuits) == Circuit(failures=frozenset({ONE, TWO}), until_ms=NOW + 3_000)
    assert circuits.swap("alpha", stored(circuits), OPENED)
    assert stored(circuits) == OPENED


def test_a_circuit_that_nothing_has_stored_can_rest(circuits: CircuitStore) -> None:
    circuits.rest("alpha", 0, NOW + 2_000)
    assert stored(circuits) == Circuit(until_ms=NOW + 2_000)


def test_only_a_closed_circuit_of_that_generation_rests(circuits: CircuitStore) -> None:
    opened(circuits)
    circuits.rest("alpha", 1, NOW + 9_000)
    assert stored(circuits) == OPENED
    closed = breaker.closed(OPENED)
    assert circuits.swap("alpha", OPENED, closed)
    circuits.rest("alpha", 1, NOW + 9_000)
    assert stored(circuits) == closed
    circuits.rest("alpha", 2, NOW + 9_000)
    assert stored(circuits) == replace(closed, until_ms=NOW + 9_000)


def test_every_name_has_a_circuit_of_its_own(circuits: CircuitStore) -> None:
    circuits.add_failure("alpha", 0, ONE)
    circuits.add_failure("alpha/a model.x", 0, TWO)
    assert circuits.load().circuits == {
        "alpha": Circuit(failures=frozenset({ONE})),
        "alpha/a model.x": Circuit(failures=frozenset({TWO})),
    }


def test_a_swap_stores_every_field_and_forgets_the_failures(circuits: CircuitStore) -> None:
    circuits.add_failure("alpha", 0, ONE)
    opened(circuits)
    assert stored(circuits) == OPENED
    probing = breaker.probing(OPENED, POLICY, owner="me", now_ms=NOW)
    assert circuits.swap("alpha", OPENED, probing)
    assert stored(circuits) == probing
    assert (probing.owner, probing.state) == ("me", State.HALF_OPEN)
    assert circuits.swap("alpha", probing, breaker.closed(probing))
    assert stored(circuits) == Circuit(State.CLOSED, 3)


def test_a_swap_stores_the_trials_and_forgets_them_with_the_image(circuits: CircuitStore) -> None:
    circuit = opened(circuits)
    for number, user in enumerate(("0a1b2c3d", "another!", "we@ird#x")):
        probing = breaker.probing(circuit, POLICY, owner=f"p{number}", now_ms=NOW, user=user)
        assert circuits.swap("alpha", circuit, probing)
        assert stored(circuits) == probing
        circuit = breaker.wasted(probing, now_ms=NOW + number)
        assert circuits.swap("alpha", probing, circuit)
        assert stored(circuits) == circuit
    probing = breaker.probing(circuit, POLICY, owner="last", now_ms=NOW, user="0a1b2c3d")
    assert circuits.swap("alpha", circuit, probing)
    failed = breaker.failed_again(probing, POLICY, now_ms=NOW + 9, why="unknown")
    assert circuits.swap("alpha", probing, failed)
    assert stored(circuits) == failed
    assert circuits.swap("alpha", failed, breaker.closed(failed))
    assert not stored(circuits).trials


def test_of_two_users_who_try_at_once_one_does(circuits: CircuitStore) -> None:
    opened(circuits)
    one = breaker.probing(OPENED, POLICY, owner="one", now_ms=NOW, user="0a1b2c3d")
    two = breaker.probing(OPENED, POLICY, owner="two", now_ms=NOW, user="4e5f6a7b")
    assert circuits.swap("alpha", OPENED, one)
    assert not circuits.swap("alpha", OPENED, two)
    assert circuits.swap("alpha", OPENED, one), "the same swap, sent once more"


def test_a_swap_from_another_generation_changes_nothing(circuits: CircuitStore) -> None:
    opened(circuits)
    assert not circuits.swap("alpha", Circuit(), replace(OPENED, why="late"))
    assert not circuits.swap("alpha", replace(OPENED, generation=2), Circuit(generation=3))
    assert stored(circuits) == OPENED


def test_a_failure_of_another_generation_counts_nothing(circuits: CircuitStore) -> None:
    opened(circuits)
    closed = replace(breaker.closed(OPENED))
    assert circuits.swap("alpha", OPENED, closed)
    assert circuits.add_failure("alpha", 0, ONE) is None
    assert circuits.add_failure("alpha", 3, ONE) is None
    assert stored(circuits) == closed
    assert circuits.add_failure("alpha", 2, ONE) is not None


def test_a_failure_of_a_circuit_that_is_not_closed_counts_nothing(circuits: CircuitStore) -> None:
    opened(circuits)
    assert circuits.add_failure("alpha", 1, ONE) is None
    probing = breaker.probing(OPENED, POLICY, owner="me", now_ms=NOW)
    circuits.swap("alpha", OPENED, probing)
    assert circuits.add_failure("alpha", 2, ONE) is None
    assert stored(circuits) == probing


def test_a_winner_that_asks_again_is_still_the_winner_and_nobody_else_is(
    circuits: CircuitStore,
) -> None:
    opened(circuits)
    mine = breaker.probing(OPENED, POLICY, owner="me", now_ms=NOW)
    other = breaker.probing(OPENED, POLICY, owner="other", now_ms=NOW)
    assert circuits.swap("alpha", OPENED, mine)
    assert circuits.swap("alpha", OPENED, mine)
    assert not circuits.swap("alpha", OPENED, other)


def test_old_failures_are_dropped_and_young_ones_stay(circuits: CircuitStore) -> None:
    circuits.add_failure("alpha", 0, ONE)
    circuits.add_failure("alpha", 0, TWO)
    circuits.drop_failures("alpha", 0, frozenset())
    circuits.drop_failures("alpha", 0, frozenset({ONE, Failure(NOW, "absent")}))
    assert stored(circuits).failures == {TWO}
    circuits.drop_failures("alpha", 0, frozenset({TWO}))
    assert stored(circuits) == Circuit()


def test_a_moved_circuit_is_not_pruned_by_who_saw_it_before(circuits: CircuitStore) -> None:
    opened(circuits)
    circuits.swap("alpha", OPENED, breaker.closed(OPENED))
    circuits.add_failure("alpha", 2, ONE)
    circuits.drop_failures("alpha", 1, frozenset({ONE}))
    assert stored(circuits).failures == {ONE}


class BothStores(CircuitStore, KeyCheckStore, PriceCheckStore, Protocol):
    """Circuits and checks in one place."""


def test_the_last_probe_of_a_provider_stands_beside_the_circuits(circuits: BothStores) -> None:
    circuits.save("alpha", KeyCheck(NOW, "account"))
    circuits.save("alpha", KeyCheck(NOW + 1, "valid"))
    opened(circuits)
    assert circuits.load() == FleetState({"alpha": OPENED}, {"alpha": KeyCheck(NOW + 1, "valid")})


def test_a_probe_is_kept_whole_and_whoever_replaces_it_learns_what_it_was(
    circuits: BothStores,
) -> None:
    first = KeyCheck(NOW, "unavailable", "account", ("one", "two"), {"three": date(2026, 12, 1)})
    second = KeyCheck(NOW + 1, "valid", "valid")
    assert circuits.save("alpha", first) is None
    assert circuits.load().key_checks == {"alpha": first}
    assert circuits.save("alpha", second) == first
    assert circuits.save("beta", second) is None


def test_a_price_check_is_kept_whole_beside_the_others_and_the_last_one_wins(
    circuits: BothStores,
) -> None:
    found = {"a-row": Finding("0123456789abcdef", 60_000), "gone-row": Finding("f" * 16, None)}
    first, second = PriceCheck(NOW, found), PriceCheck(NOW + 1)
    circuits.save_prices("alpha", first)
    circuits.save_prices("alpha", first)
    circuits.save("alpha", KeyCheck(NOW, "valid"))
    key_checks = {"alpha": KeyCheck(NOW, "valid")}
    assert circuits.load() == FleetState({}, key_checks, {"alpha": first})
    circuits.save_prices("beta", second)
    assert circuits.load().price_checks == {"alpha": first, "beta": second}
    circuits.save_prices("alpha", second)
    assert circuits.load().price_checks == {"alpha": second, "beta": second}
