"""A run that goes on with what it saw: the table decides, and the run is told what is so."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from imagegen.aws.circuit_store import DynamoCircuitStore
from imagegen.aws.items import to_item
from imagegen.aws.ledger_items import op_values
from imagegen.aws.ledger_store import DynamoLedgerStore
from imagegen.domain import breaker
from imagegen.domain.breaker import Circuit, State
from imagegen.domain.errors import StoreUnavailableError
from imagegen.domain.ledger import Hold, Ledger, Limits, Op, OpState
from imagegen.domain.stores import Held, Known, LedgerSnapshot, Refused
from tests.adapters.aws.world import Aws, Meter
from tests.fakes.clock import NOON_MS as NOW

DAY = "20261122"
LIMITS = Limits()
HOUR_MS = 3_600_000
HALF_A_DAY_MS = 43_200_000
HOLD = Hold("one", "me", DAY, 70_000, NOW + 600_000, NOW + 330_000, 0)
OP = Op(OpState.HELD, 70_000, "me", NOW, NOW + 330_000, NOW + 600_000, DAY, 0)


def held(
    store: DynamoLedgerStore, user: str, *, now_ms: int = NOW, **changes: Any
) -> LedgerSnapshot:
    came = store.reserve(user, replace(HOLD, **changes), LIMITS, now_ms=now_ms)
    assert isinstance(came, Held)
    return came.snapshot


def release(store: DynamoLedgerStore, user: str, snapshot: LedgerSnapshot) -> bool:
    return store.release(user, snapshot, code="why", retryable=False, now_ms=NOW)


def test_a_slot_that_was_taken_anew_is_left_to_its_new_holder(
    dynamo_ledgers: DynamoLedgerStore, user: str
) -> None:
    late = NOW + HOUR_MS
    first = held(dynamo_ledgers, user)
    second = held(dynamo_ledgers, user, quote_id="two", owner="other", now_ms=late)
    assert second.ledger.slots == {0: late}
    assert release(dynamo_ledgers, user, LedgerSnapshot("one", second.ledger))
    assert dynamo_ledgers.load(user).slots == {0: late}
    assert first.op.slot == second.op.slot == 0


def test_a_slot_that_was_taken_anew_since_it_was_seen_is_left_as_well(
    dynamo_ledgers: DynamoLedgerStore, user: str
) -> None:
    late = NOW + HOUR_MS
    held(dynamo_ledgers, user, quote_id="living", slot=5)
    first = held(dynamo_ledgers, user)
    held(dynamo_ledgers, user, quote_id="two", owner="other", now_ms=late)
    assert release(dynamo_ledgers, user, first)
    ledger = dynamo_ledgers.load(user)
    assert ledger.slots == {0: late, 5: NOW}
    assert ledger.ops["one"].state is OpState.RELEASED


def test_a_hold_without_a_slot_takes_none_away(
    dynamo_ledgers: DynamoLedgerStore, user: str
) -> None:
    came = dynamo_ledgers.reserve(user, HOLD, replace(LIMITS, hourly_images=0), now_ms=NOW)
    assert isinstance(came, Held)
    held(dynamo_ledgers, user, quote_id="two")
    assert release(dynamo_ledgers, user, LedgerSnapshot("one", dynamo_ledgers.load(user)))
    assert dynamo_ledgers.load(user).slots == {0: NOW}


def test_a_request_that_is_not_there_is_forgotten_and_not_released(
    dynamo_ledgers: DynamoLedgerStore, user: str
) -> None:
    snapshot = LedgerSnapshot("one", Ledger(ops={"one": OP}))
    # It was settled and pruned, for all that its run can see: its image must stay.
    assert dynamo_ledgers.settle(user, snapshot, charged_microusd=1, now_ms=NOW) is True
    assert release(dynamo_ledgers, user, snapshot) is False
    assert dynamo_ledgers.load(user) == Ledger()


def test_the_run_that_was_charged_does_not_hold_again(
    dynamo_ledgers: DynamoLedgerStore, user: str
) -> None:
    snapshot = held(dynamo_ledgers, user)
    assert dynamo_ledgers.settle(user, snapshot, charged_microusd=1, now_ms=NOW)
    assert isinstance(dynamo_ledgers.reserve(user, HOLD, LIMITS, now_ms=NOW), Known)


def test_attempts_are_limited_though_a_slot_and_everything_else_is_free(
    dynamo_ledgers: DynamoLedgerStore, user: str
) -> None:
    limits = replace(LIMITS, daily_attempts=1)
    release(dynamo_ledgers, user, held(dynamo_ledgers, user))
    came = dynamo_ledgers.reserve(user, replace(HOLD, quote_id="two", slot=7), limits, now_ms=NOW)
    assert isinstance(came, Refused)
    assert came.limit.code == "daily_attempts"


def test_an_ending_beside_another_hold_is_one_write_whatever_else_was_written(
    aws: Aws, dynamo_ledgers: DynamoLedgerStore, user: str
) -> None:
    one = held(dynamo_ledgers, user)
    two = held(dynamo_ledgers, user, quote_id="two", slot=1)
    release(dynamo_ledgers, user, LedgerSnapshot("one", two.ledger))
    meter = Meter()
    with meter.running(aws.dynamodb):
        assert dynamo_ledgers.settle(user, two, charged_microusd=1, now_ms=NOW)
    assert meter.calls == ["UpdateItem"]
    assert one.op.state is OpState.HELD


def test_a_lease_that_ends_now_has_not_ended_whatever_the_request_is_called(
    dynamo_ledgers: DynamoLedgerStore, user: str
) -> None:
    snapshot = held(dynamo_ledgers, user, quote_id="0", lease_ms=7_000)
    assert user not in dynamo_ledgers.lapsed(now_ms=7_000, limit=1_000)
    assert user in dynamo_ledgers.lapsed(now_ms=7_001, limit=1_000)
    release(dynamo_ledgers, user, snapshot)


def test_a_lease_is_not_forgotten_while_somebody_writes(
    aws: Aws, dynamo_ledgers: DynamoLedgerStore, user: str
) -> None:
    key = to_item({"pk": f"U#{user}", "sk": "LEDGER"})
    table = dynamo_ledgers.table
    row = to_item({"v": 5, "lp": "L", "lx": "000000000000007#x"})
    aws.dynamodb.put_item(TableName=table, Item=key | row)

    def write(**_: Any) -> None:
        aws.dynamodb.update_item(
            TableName=table,
            Key=key,
            UpdateExpression="ADD v :one",
            ExpressionAttributeValues=to_item({":one": 1}),
        )

    event = "after-call.dynamodb.GetItem"
    aws.dynamodb.meta.events.register(event, write)
    try:
        assert dynamo_ledgers.forget_lease(user) is False
    finally:
        aws.dynamodb.meta.events.unregister(event, write)
    assert dynamo_ledgers.load(user).version == 6
    assert dynamo_ledgers.forget_lease(user) is True


def test_a_ledger_is_read_as_it_is_now(
    aws: Aws, dynamo_ledgers: DynamoLedgerStore, user: str
) -> None:
    asked: list[Any] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        asked.append(params.get("ConsistentRead"))

    event = "provide-client-params.dynamodb.GetItem"
    aws.dynamodb.meta.events.register(event, note)
    try:
        dynamo_ledgers.load(user)
        dynamo_ledgers.forget_lease(user)
    finally:
        aws.dynamodb.meta.events.unregister(event, note)
    assert asked == [True, True]


@pytest.mark.parametrize("now_ms", [NOW - HALF_A_DAY_MS, NOW + HALF_A_DAY_MS - 1])
def test_days_are_kept_by_the_day_and_not_by_the_hour(
    aws: Aws, dynamo_ledgers: DynamoLedgerStore, user: str, now_ms: int
) -> None:
    key = to_item({"pk": f"U#{user}", "sk": "LEDGER"})
    days = {f"u_202611{day}": 1 for day in (19, 20, 21)}
    aws.dynamodb.put_item(TableName=dynamo_ledgers.table, Item=key | to_item(days | {"v": 1}))
    snapshot = held(dynamo_ledgers, user, now_ms=now_ms)
    assert dynamo_ledgers.settle(user, snapshot, charged_microusd=1, now_ms=now_ms)
    assert set(dynamo_ledgers.load(user).spent) == {"20261120", "20261121", DAY}


@dataclass(slots=True)
class Busy:
    """A table in which somebody else is always faster."""

    found: dict[str, Any]
    writes: int = 0

    def update_item(self, **_: Any) -> Any:
        self.writes += 1
        error: Any = {
            "Error": {"Code": "ConditionalCheckFailedException", "Message": ""},
            "Item": to_item(self.found),
        }
        raise ClientError(error, "UpdateItem")


SEEN = LedgerSnapshot("one", Ledger(ops={"one": OP}))
WRITES: dict[str, Callable[[DynamoLedgerStore], object]] = {
    "reserve": lambda store: store.reserve(
        "user", replace(HOLD, quote_id="new"), LIMITS, now_ms=NOW
    ),
    "reserve without an hour": lambda store: store.reserve(
        "user", replace(HOLD, quote_id="new"), replace(LIMITS, hourly_images=0), now_ms=NOW
    ),
    "settle": lambda store: store.settle("user", SEEN, charged_microusd=1, now_ms=NOW),
    "release": lambda store: release(store, "user", SEEN),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=list(WRITES))
def test_a_ledger_that_is_too_busy_is_unavailable_after_25_tries(
    write: Callable[[DynamoLedgerStore], object],
) -> None:
    busy = Busy({"v": 1, "o_one": op_values(OP)})
    with pytest.raises(StoreUnavailableError) as caught:
        write(DynamoLedgerStore(cast("Any", busy), "table"))
    assert busy.writes == 25
    assert str(caught.value) == "The ledger is too busy. Try again."
    assert caught.value.retry_after_seconds == 1


def test_a_circuit_that_is_gone_is_not_moved(dynamo_circuits: DynamoCircuitStore) -> None:
    old = Circuit(State.OPEN, 3)
    assert not dynamo_circuits.swap("alpha", old, breaker.closed(old))
    assert not dynamo_circuits.load().circuits


def test_of_two_that_open_a_circuit_alike_one_has_done_it(
    dynamo_circuits: DynamoCircuitStore,
) -> None:
    opened = breaker.opened(Circuit(), until_ms=NOW, why="failures")
    assert dynamo_circuits.swap("alpha", Circuit(), opened) is True
    assert dynamo_circuits.swap("alpha", Circuit(), opened) is False
