"""The items as they lie in the table, written out: in a rollout two versions share them."""

from dataclasses import replace
from typing import Any

import pytest

from imagegen.aws.circuit_store import DynamoCircuitStore
from imagegen.aws.items import from_item, to_item
from imagegen.aws.ledger_items import lease_partition, op_values, to_ledger
from imagegen.aws.ledger_store import DynamoLedgerStore
from imagegen.domain import breaker
from imagegen.domain.breaker import Circuit, Failure, Policy, State
from imagegen.domain.errors import StoreUnavailableError
from imagegen.domain.fleet import FleetState, KeyCheck
from imagegen.domain.ledger import Hold, Limits, Op, OpState
from imagegen.domain.stores import Held, Known, LedgerSnapshot
from tests.fakes.clock import NOON_MS as NOW

DAY = "20261122"
OPENED = breaker.opened(Circuit(), until_ms=NOW, why="account")
FAILURE = Failure(NOW, "call-1")
HOLD = Hold("one", "me", DAY, 70_000, NOW + 600_000, NOW + 330_000, 4)
HELD = {
    "st": "S",
    "p": 70_000,
    "ow": "me",
    "ts": NOW,
    "lx": NOW + 330_000,
    "ex": NOW + 600_000,
    "d": DAY,
    "sl": 4,
}
LEDGER = {
    "sk": "LEDGER",
    "v": 1,
    "s4": NOW,
    f"u_{DAY}": 70_000,
    f"m_{DAY[:6]}": 70_000,
    f"n_{DAY}": 1,
    f"a_{DAY}": 1,
    "o_one": HELD,
    "lp": "of the user",
    "lx": f"00{NOW + 330_000}#one",
}
ENDED = {name: value for name, value in LEDGER.items() if name not in {"lp", "lx"}} | {"v": 2}


def item(store: Any, pk: str, sk: str) -> dict[str, Any]:
    key = to_item({"pk": pk, "sk": sk})
    return from_item(store.client.get_item(TableName=store.table, Key=key)["Item"])


def put(store: Any, **values: Any) -> None:
    store.client.put_item(TableName=store.table, Item=to_item(values))


def test_trials_lie_in_a_set_beside_an_open_circuit(dynamo_circuits: DynamoCircuitStore) -> None:
    probing = breaker.probing(OPENED, Policy(), owner="me", now_ms=NOW, user="0a1b2c3d")
    assert dynamo_circuits.swap("alpha", Circuit(), OPENED)
    assert dynamo_circuits.swap("alpha", OPENED, probing)
    assert item(dynamo_circuits, "FLEET", "C#alpha")["tr"] == {f"{NOW + 135_000}#me@0a1b2c3d"}
    failed = breaker.failed_again(probing, Policy(), now_ms=NOW + 5, why="unavailable")
    assert dynamo_circuits.swap("alpha", probing, failed)
    assert item(dynamo_circuits, "FLEET", "C#alpha")["tr"] == {f"!{NOW + 5}#me@0a1b2c3d"}
    assert dynamo_circuits.swap("alpha", failed, breaker.closed(failed))
    assert "tr" not in item(dynamo_circuits, "FLEET", "C#alpha")


def held(store: DynamoLedgerStore, user: str) -> LedgerSnapshot:
    came = store.reserve(user, HOLD, Limits(), now_ms=NOW)
    assert isinstance(came, Held)
    return came.snapshot


def test_circuits_and_probes_lie_side_by_side_under_letters(
    dynamo_circuits: DynamoCircuitStore,
) -> None:
    assert dynamo_circuits.swap("alpha", Circuit(), OPENED)
    stored = item(dynamo_circuits, "FLEET", "C#alpha")
    stored.pop("by")
    place = {"pk": "FLEET", "sk": "C#alpha"}
    assert stored == place | {
        "st": "O", "gen": 1, "until": NOW, "po": "", "why": "account"
    }  # fmt: skip
    probing = breaker.probing(OPENED, Policy(), owner="me", now_ms=NOW)
    assert dynamo_circuits.swap("alpha", OPENED, probing)
    stored = item(dynamo_circuits, "FLEET", "C#alpha")
    assert (stored["st"], stored["gen"], stored["po"]) == ("H", 2, "me")
    assert dynamo_circuits.swap("alpha", probing, breaker.closed(probing))
    assert item(dynamo_circuits, "FLEET", "C#alpha")["st"] == "C"
    dynamo_circuits.add_failure("alpha", 3, FAILURE)
    assert item(dynamo_circuits, "FLEET", "C#alpha")["fs"] == {f"{NOW}#call-1"}
    dynamo_circuits.add_failure("alpha", 3, Failure(NOW, "call-2", "0a1b2c3d"))
    both = {f"{NOW}#call-1", f"{NOW}#call-2@0a1b2c3d"}
    assert item(dynamo_circuits, "FLEET", "C#alpha")["fs"] == both
    dynamo_circuits.rest("alpha", 3, NOW + 5)
    assert item(dynamo_circuits, "FLEET", "C#alpha")["until"] == NOW + 5
    dynamo_circuits.save("beta", KeyCheck(NOW, "valid"))
    probe = {"pk": "FLEET", "sk": "P#beta", "at": NOW, "out": "valid"}
    stored = item(dynamo_circuits, "FLEET", "P#beta")
    assert {name: stored[name] for name in probe} == probe


def test_circuits_written_by_hand_are_read(dynamo_circuits: DynamoCircuitStore) -> None:
    put(dynamo_circuits, pk="FLEET", sk="C#a", fs={f"{NOW}#x#y", "7#z"})
    put(dynamo_circuits, pk="FLEET", sk="C#b", st="H", gen=9, until=NOW, po="me", why="rate")
    put(dynamo_circuits, pk="FLEET", sk="C#c", st="O", gen=2, until=NOW, po="", why="account")
    put(dynamo_circuits, pk="FLEET", sk="P#a", at=NOW, out="valid")
    put(dynamo_circuits, pk="FLEET", sk="X#a", at=NOW)
    put(dynamo_circuits, pk="OTHER", sk="C#z", st="O", gen=2)
    assert dynamo_circuits.load() == FleetState(
        {
            "a": Circuit(failures=frozenset({Failure(NOW, "x#y"), Failure(7, "z")})),
            "b": Circuit(State.HALF_OPEN, 9, frozenset(), NOW, "me", "rate"),
            "c": Circuit(State.OPEN, 2, frozenset(), NOW, "", "account"),
        },
        {"a": KeyCheck(NOW, "valid")},
    )


def test_a_failure_of_a_circuit_without_a_generation_counts_for_any(
    dynamo_circuits: DynamoCircuitStore,
) -> None:
    put(dynamo_circuits, pk="FLEET", sk="C#alpha", st="C", fs={"7#z"})
    both = frozenset({FAILURE, Failure(7, "z")})
    assert dynamo_circuits.add_failure("alpha", 0, FAILURE) == Circuit(failures=both)


def test_a_ledger_is_flat_and_a_hold_is_on_the_index_of_leases(
    dynamo_ledgers: DynamoLedgerStore, user: str
) -> None:
    held(dynamo_ledgers, user)
    place = {"pk": f"U#{user}", "lp": lease_partition(user)}
    assert item(dynamo_ledgers, f"U#{user}", "LEDGER") == LEDGER | place


def test_a_hold_has_its_number_of_preview_frames_until_it_ends(
    dynamo_ledgers: DynamoLedgerStore, user: str
) -> None:
    came = dynamo_ledgers.reserve(user, replace(HOLD, partials=2), Limits(), now_ms=NOW)
    assert isinstance(came, Held)
    stored = item(dynamo_ledgers, f"U#{user}", "LEDGER")
    assert stored["o_one"] == HELD | {"pf": 2}
    assert dynamo_ledgers.load(user).ops["one"].partials == 2
    assert dynamo_ledgers.settle(user, came.snapshot, charged_microusd=1, now_ms=NOW)
    assert "pf" not in item(dynamo_ledgers, f"U#{user}", "LEDGER")["o_one"]


def test_a_charged_request_keeps_its_slot_and_is_off_the_index(
    dynamo_ledgers: DynamoLedgerStore, user: str
) -> None:
    snapshot = held(dynamo_ledgers, user)
    assert dynamo_ledgers.settle(user, snapshot, charged_microusd=50_000, now_ms=NOW)
    assert item(dynamo_ledgers, f"U#{user}", "LEDGER") == ENDED | {
        "pk": f"U#{user}",
        f"u_{DAY}": 50_000,
        f"m_{DAY[:6]}": 50_000,
        "o_one": {"st": "D", "p": 50_000, "ex": NOW + 600_000},
    }


def test_a_released_request_says_why_and_leaves_its_slot(
    dynamo_ledgers: DynamoLedgerStore, user: str
) -> None:
    snapshot = held(dynamo_ledgers, user)
    assert dynamo_ledgers.release(user, snapshot, code="why", retryable=True, now_ms=NOW)
    expected = ENDED | {
        "pk": f"U#{user}",
        f"u_{DAY}": 0,
        f"m_{DAY[:6]}": 0,
        f"n_{DAY}": 0,
        "o_one": {
            "st": "X",
            "p": 70_000,
            "ow": "me",
            "ex": NOW + 600_000,
            "ts": NOW,
            "c": "why",
            "r": True,
        },
    }
    expected.pop("s4")
    assert item(dynamo_ledgers, f"U#{user}", "LEDGER") == expected


def test_a_request_that_ended_when_nothing_was_left_out_is_read_as_it_lies(
    dynamo_ledgers: DynamoLedgerStore, user: str
) -> None:
    ended = HELD | {"st": "X", "c": "why", "r": False}
    put(dynamo_ledgers, pk=f"U#{user}", sk="LEDGER", v=5, o_one=ended)
    assert dynamo_ledgers.load(user).ops["one"] == Op(
        OpState.RELEASED, 70_000, "me", NOW, NOW + 330_000, NOW + 600_000, DAY, 4, "why"
    )
    assert isinstance(dynamo_ledgers.reserve(user, HOLD, Limits(), now_ms=NOW), Known)


@pytest.mark.parametrize("value", [0, 1])
def test_what_may_be_left_out_is_so_only_where_it_says_nothing(value: int) -> None:
    state = OpState.RELEASED if value else OpState.HELD
    op = Op(state, value, "o" * value, value, value, value, "", value, "c" * value, bool(value))
    stored = {"st": "X" if value else "S", "p": value, "ex": value, "sl": value}
    more = {"ow": "o", "ts": 1, "lx": 1, "c": "c", "r": True} if value else {}
    assert op_values(op) == stored | more
    assert to_ledger({"o_one": op_values(op)}).ops["one"] == op


def test_a_ledger_that_is_on_the_index_without_any_hold_is_taken_off(
    dynamo_ledgers: DynamoLedgerStore, user: str
) -> None:
    put(dynamo_ledgers, pk=f"U#{user}", sk="LEDGER", v=5, lp="L", lx="000000000000007#x")
    assert user in dynamo_ledgers.lapsed(now_ms=8, limit=1_000)
    assert dynamo_ledgers.forget_lease(user)
    left = {"pk": f"U#{user}", "sk": "LEDGER", "v": 6}
    assert item(dynamo_ledgers, f"U#{user}", "LEDGER") == left
    assert user not in dynamo_ledgers.lapsed(now_ms=8, limit=1_000)


def test_a_hold_that_is_not_on_the_index_is_put_there(
    dynamo_ledgers: DynamoLedgerStore, user: str
) -> None:
    ops = {"o_one": HELD, "o_two": HELD | {"lx": NOW + 330_001}, "o_gone": HELD | {"st": "X"}}
    put(dynamo_ledgers, pk=f"U#{user}", sk="LEDGER", v=5, **ops)
    assert dynamo_ledgers.forget_lease(user)
    stored = item(dynamo_ledgers, f"U#{user}", "LEDGER")
    place = (lease_partition(user), f"00{NOW + 330_001}#two")
    assert (stored["v"], stored["lp"], stored["lx"]) == (6, *place)
    assert not dynamo_ledgers.forget_lease(user)


def test_a_write_removes_at_most_40_things_and_the_next_one_goes_on(
    dynamo_ledgers: DynamoLedgerStore, user: str
) -> None:
    old = {f"o_x{number}": HELD | {"st": "D", "ex": 1} for number in range(45)}
    put(dynamo_ledgers, pk=f"U#{user}", sk="LEDGER", v=5, **old)
    later = replace(HOLD, slot=0)
    for name, left in (("one", 5), ("two", 0)):
        came = dynamo_ledgers.reserve(user, replace(later, quote_id=name), Limits(), now_ms=NOW)
        assert isinstance(came, Held)
        assert dynamo_ledgers.settle(user, came.snapshot, charged_microusd=1, now_ms=NOW)
        ops = dynamo_ledgers.load(user).ops
        assert sum(one.startswith("x") for one in ops) == left


def test_a_day_is_kept_while_it_may_be_counted_on(
    dynamo_ledgers: DynamoLedgerStore, user: str
) -> None:
    days = {f"u_202611{day}": 1 for day in (18, 19, 20, 21)}
    put(dynamo_ledgers, pk=f"U#{user}", sk="LEDGER", v=5, **days)
    snapshot = held(dynamo_ledgers, user)
    dynamo_ledgers.settle(user, snapshot, charged_microusd=1, now_ms=NOW)
    assert set(dynamo_ledgers.load(user).spent) == {"20261120", "20261121", DAY}


@pytest.mark.parametrize("name", ["ledgers", "circuits"])
def test_a_store_that_fails_is_named_and_may_be_asked_again_in_two_seconds(
    dynamo_ledgers: DynamoLedgerStore, name: str
) -> None:
    client = dynamo_ledgers.client
    stores = {
        "ledgers": DynamoLedgerStore(client, "nowhere"),
        "circuits": DynamoCircuitStore(client, "nowhere"),
    }
    load: Any = {"ledgers": lambda one: one.load("user"), "circuits": lambda one: one.load()}[name]
    with pytest.raises(StoreUnavailableError, match=rf"^The {name.rstrip('s')}") as caught:
        load(stores[name])
    assert str(caught.value).endswith(" cannot be reached. Try again.")
    assert caught.value.retry_after_seconds == 2


def test_an_attribute_that_is_no_slot_is_not_taken_for_one() -> None:
    assert to_ledger({"s1": NOW, "x2": 5, "sk": "LEDGER"}).slots == {1: NOW}
