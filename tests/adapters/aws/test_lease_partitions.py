"""The index of leases over its partitions: every due user is found, whatever wrote their key."""

import threading
from collections import Counter
from itertools import count
from typing import Any

import pytest

from imagegen.aws.items import from_item, to_item
from imagegen.aws.lease_index import INDEX, SWEPT_PARTITIONS
from imagegen.aws.ledger_items import LEASE_PARTITIONS, lease_partition
from imagegen.aws.ledger_store import DynamoLedgerStore
from imagegen.domain.errors import StoreUnavailableError
from imagegen.domain.ledger import Hold, Limits
from imagegen.domain.stores import Held, LedgerSnapshot
from tests.adapters.aws.world import Aws
from tests.fakes.clock import NOON_MS as NOW

DAY = "20261122"
LEASE = NOW + 330_000
OLD_LEASE = f"{NOW + 100:015d}#old"
NUMBERS = count(1)


@pytest.fixture
def ledgers(aws: Aws) -> DynamoLedgerStore:
    """Return a store with a table of its own: these tests are about everybody who is due."""
    return DynamoLedgerStore(aws.dynamodb, aws.new_table())


def hold(quote_id: str = "one", lease_ms: int = LEASE) -> Hold:
    return Hold(quote_id, "me", DAY, 70_000, NOW + 600_000, lease_ms, next(NUMBERS))


def held(store: DynamoLedgerStore, user: str, one: Hold | None = None) -> LedgerSnapshot:
    came = store.reserve(user, one or hold(), Limits(0), now_ms=NOW)
    assert isinstance(came, Held)
    return came.snapshot


def stored(store: DynamoLedgerStore, user: str) -> dict[str, Any]:
    key = to_item({"pk": f"U#{user}", "sk": "LEDGER"})
    return from_item(store.client.get_item(TableName=store.table, Key=key)["Item"])


def place(store: DynamoLedgerStore, user: str) -> tuple[str | None, str | None]:
    values = stored(store, user)
    return values.get("lp"), values.get("lx")


def put_back(store: DynamoLedgerStore, user: str, lease: str = OLD_LEASE) -> None:
    """Put a user where an earlier release would have put them."""
    store.client.update_item(
        TableName=store.table,
        Key=to_item({"pk": f"U#{user}", "sk": "LEDGER"}),
        UpdateExpression="SET lp = :p, lx = :x",
        ExpressionAttributeValues=to_item({":p": "L", ":x": lease}),
    )


def in_index(store: DynamoLedgerStore, partition: str) -> list[str]:
    answer = store.client.query(
        TableName=store.table,
        IndexName=INDEX,
        KeyConditionExpression="lp = :p",
        ExpressionAttributeValues=to_item({":p": partition}),
    )
    return [from_item(one)["pk"].removeprefix("U#") for one in answer["Items"]]


def test_a_users_partition_is_the_same_in_every_process_and_release() -> None:
    assert lease_partition("0" * 32) == "L16"
    assert lease_partition("alice") == "L7"
    assert lease_partition("ü") == "L21"
    assert ("L", *(f"L{number}" for number in range(32))) == SWEPT_PARTITIONS


def test_users_are_spread_evenly() -> None:
    spread = Counter(lease_partition(f"{number:032x}") for number in range(16_000))
    assert set(spread) == set(SWEPT_PARTITIONS[1:])
    assert len(spread) == LEASE_PARTITIONS
    assert max(spread.values()) < 600


def test_every_due_user_is_found_oldest_first_over_all_partitions(
    ledgers: DynamoLedgerStore,
) -> None:
    users = [f"{number:032x}" for number in range(40)]
    assert len({lease_partition(user) for user in users}) > 10
    for number, user in enumerate(users):
        # Not in the order in which they are written, nor in that of their names.
        held(ledgers, user, hold(lease_ms=LEASE + number * 7 % 40))
    order = sorted(users, key=lambda user: users.index(user) * 7 % 40)
    assert list(ledgers.lapsed(now_ms=LEASE + 40, limit=100)) == order
    assert list(ledgers.lapsed(now_ms=LEASE + 40, limit=5)) == order[:5]
    assert list(ledgers.lapsed(now_ms=LEASE + 10, limit=100)) == order[:10]


def test_no_more_users_are_read_of_a_partition_than_are_wanted(
    aws: Aws, ledgers: DynamoLedgerStore
) -> None:
    for number in range(40):
        held(ledgers, f"{number:032x}")
    counts = list[int]()

    def count_items(parsed: dict[str, Any], **_: Any) -> None:
        counts.append(parsed["Count"])

    event = "after-call.dynamodb.Query"
    aws.dynamodb.meta.events.register(event, count_items)
    try:
        assert len(list(ledgers.lapsed(now_ms=LEASE + 1, limit=1))) == 1
    finally:
        aws.dynamodb.meta.events.unregister(event, count_items)
    assert len(counts) == len(SWEPT_PARTITIONS)
    assert max(counts) == 1


def test_a_partition_that_cannot_be_read_keeps_nobody_else(
    aws: Aws, ledgers: DynamoLedgerStore
) -> None:
    users = [f"{number:032x}" for number in range(20)]
    for user in users:
        held(ledgers, user)
    lost = lease_partition(users[0])

    def fail(params: dict[str, Any], **_: Any) -> None:
        if lost == partition_of(params):
            raise StoreUnavailableError("away")

    event = "provide-client-params.dynamodb.Query"
    aws.dynamodb.meta.events.register(event, fail)
    others = {user for user in users if lease_partition(user) != lost}
    try:
        due = iter(ledgers.lapsed(now_ms=LEASE + 1, limit=100))
        assert {next(due) for _ in others} == others
        with pytest.raises(StoreUnavailableError):
            next(due)
    finally:
        aws.dynamodb.meta.events.unregister(event, fail)


def partition_of(params: dict[str, Any]) -> str:
    return str(from_item(params["ExpressionAttributeValues"])[":p"])


# Users whom an earlier release put into its only partition.


def test_a_user_of_an_earlier_release_is_found_until_their_hold_ends(
    ledgers: DynamoLedgerStore, user: str
) -> None:
    snapshot = held(ledgers, user)
    put_back(ledgers, user)
    assert list(ledgers.lapsed(now_ms=LEASE, limit=10)) == [user]
    assert ledgers.release(user, snapshot, code="x", retryable=False, now_ms=NOW)
    assert place(ledgers, user) == (None, None)
    assert not list(ledgers.lapsed(now_ms=LEASE, limit=10))


def test_the_next_hold_moves_a_user_with_the_earlier_lease(
    ledgers: DynamoLedgerStore, user: str
) -> None:
    held(ledgers, user, hold(lease_ms=NOW + 100))
    put_back(ledgers, user)
    held(ledgers, user, hold("two"))
    assert place(ledgers, user) == (lease_partition(user), OLD_LEASE)
    assert in_index(ledgers, "L") == []
    assert in_index(ledgers, lease_partition(user)) == [user]
    assert list(ledgers.lapsed(now_ms=NOW + 101, limit=10)) == [user]


@pytest.mark.parametrize("lease", [OLD_LEASE, f"{LEASE:015d}#one"])
def test_a_sweep_moves_a_user_whose_hold_lives(
    ledgers: DynamoLedgerStore, user: str, lease: str
) -> None:
    held(ledgers, user)
    put_back(ledgers, user, lease)
    assert ledgers.forget_lease(user)
    assert place(ledgers, user) == (lease_partition(user), f"{LEASE:015d}#one")
    assert in_index(ledgers, "L") == []
    assert not ledgers.forget_lease(user)


def test_a_user_without_holds_is_taken_off_the_former_partition(
    ledgers: DynamoLedgerStore, user: str
) -> None:
    ledgers.client.put_item(
        TableName=ledgers.table,
        Item=to_item({"pk": f"U#{user}", "sk": "LEDGER", "v": 3, "lp": "L", "lx": OLD_LEASE}),
    )
    assert ledgers.forget_lease(user)
    assert place(ledgers, user) == (None, None)


def test_an_earlier_release_may_put_a_user_back_and_they_are_still_found_once(
    ledgers: DynamoLedgerStore, user: str
) -> None:
    # In a rollout both run: the earlier one writes its partition with each hold.
    for number in range(3):
        held(ledgers, user, hold(f"new-{number}", lease_ms=NOW + 100))
        assert place(ledgers, user)[0] == lease_partition(user)
        put_back(ledgers, user)
        assert list(ledgers.lapsed(now_ms=NOW + 101, limit=10)) == [user]


def test_a_user_who_is_read_in_two_partitions_is_given_once(
    aws: Aws, ledgers: DynamoLedgerStore, user: str
) -> None:
    # The index follows its table late: between two queries a user may move.
    held(ledgers, user)
    put_back(ledgers, user, f"{LEASE:015d}#one")
    moved: list[bool] = []

    def move(**_: Any) -> None:
        if not moved:
            moved.append(True)
            assert ledgers.forget_lease(user)

    event = "after-call.dynamodb.Query"
    aws.dynamodb.meta.events.register(event, move)
    try:
        assert list(ledgers.lapsed(now_ms=LEASE + 1, limit=10)) == [user]
    finally:
        aws.dynamodb.meta.events.unregister(event, move)
    assert moved


# A user whose holds could not be ended gives way to the others.


def test_a_deferred_user_is_behind_all_who_are_due_and_still_due(
    ledgers: DynamoLedgerStore,
) -> None:
    users = [f"{number:032x}" for number in range(6)]
    for number, user in enumerate(users):
        held(ledgers, user, hold(lease_ms=LEASE + number))
    now_ms = LEASE + 100
    assert ledgers.defer_lease(users[0], now_ms=now_ms)
    assert list(ledgers.lapsed(now_ms=now_ms, limit=10)) == [*users[1:], users[0]]
    assert not ledgers.defer_lease(users[0], now_ms=now_ms)
    assert ledgers.load(users[0]).version == 2


def test_a_deferred_user_who_ends_leaves_the_index(ledgers: DynamoLedgerStore, user: str) -> None:
    held(ledgers, user)
    put_back(ledgers, user)
    assert ledgers.defer_lease(user, now_ms=LEASE + 100)
    assert place(ledgers, user) == (lease_partition(user), f"{LEASE + 99:015d}#~")
    snapshot = LedgerSnapshot("one", ledgers.load(user))
    assert ledgers.release(user, snapshot, code="x", retryable=False, now_ms=LEASE + 100)
    assert place(ledgers, user) == (None, None)
    assert not ledgers.defer_lease(user, now_ms=LEASE + 100)


def test_a_user_who_is_not_due_is_not_deferred(ledgers: DynamoLedgerStore, user: str) -> None:
    held(ledgers, user)
    assert ledgers.defer_lease(user, now_ms=LEASE + 1)
    assert not ledgers.defer_lease(user, now_ms=LEASE)
    assert not ledgers.defer_lease("nobody", now_ms=LEASE)


def test_a_hold_that_comes_between_keeps_a_user_where_they_are(
    aws: Aws, ledgers: DynamoLedgerStore, user: str
) -> None:
    held(ledgers, user)
    came = threading.Event()

    def reserve(**_: Any) -> None:
        if not came.is_set():
            came.set()
            held(ledgers, user, hold("two", lease_ms=LEASE + 500))

    event = "after-call.dynamodb.GetItem"
    aws.dynamodb.meta.events.register(event, reserve)
    try:
        assert not ledgers.defer_lease(user, now_ms=LEASE + 100)
    finally:
        aws.dynamodb.meta.events.unregister(event, reserve)
    assert place(ledgers, user) == (lease_partition(user), f"{LEASE:015d}#one")
