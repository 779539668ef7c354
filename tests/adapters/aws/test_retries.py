"""What the SDK sends twice counts once; what nobody answers is said so; what it all costs."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ParamValidationError

from imagegen.aws import clients
from imagegen.aws.amount_store import DynamoAmountStore
from imagegen.aws.block_store import DynamoBlockStore
from imagegen.aws.budget_store import DynamoBudgetStore
from imagegen.aws.chat_usage_store import DynamoChatUsageStore
from imagegen.aws.circuit_store import DynamoCircuitStore
from imagegen.aws.erasure_store import DynamoErasureStore
from imagegen.aws.image_store import S3ImageStore
from imagegen.aws.items import to_item
from imagegen.aws.job_store import DynamoJobStore
from imagegen.aws.key_store import DynamoKeyStore, to_key
from imagegen.aws.ledger_store import DynamoLedgerStore
from imagegen.aws.preview_store import S3PreviewStore
from imagegen.aws.prompt_store import DynamoPromptStore
from imagegen.aws.record_scan import DynamoRecordScan
from imagegen.aws.record_store import DynamoRecordStore
from imagegen.aws.trail_store import DynamoTrailStore
from imagegen.aws.upload_store import S3UploadStore
from imagegen.aws.warning_store import DynamoBudgetWarningStore
from imagegen.domain import breaker
from imagegen.domain.breaker import Circuit, Failure, Policy, State
from imagegen.domain.budget_amounts import Amounts
from imagegen.domain.budget_warnings import BudgetWarning
from imagegen.domain.budgets import Level, LevelHold
from imagegen.domain.chat_usage import ChatReservation, DailyChatLimits
from imagegen.domain.erasures import Erasure
from imagegen.domain.errors import StoreUnavailableError
from imagegen.domain.fleet import KeyCheck
from imagegen.domain.gallery import KeptPrompt
from imagegen.domain.ids import ImageRef
from imagegen.domain.inputs import PreviewFrame
from imagegen.domain.jobs import Job
from imagegen.domain.ledger import Hold, Ledger, Limits, Op, OpState
from imagegen.domain.records import Place
from imagegen.domain.stores import Held, LedgerSnapshot
from imagegen.domain.trail import Action, Change, TrailEntry
from imagegen.domain.uploads import UploadRef
from local.processes import LOOPBACK, free_port
from tests.adapters.aws.test_image_contract import COMPLETE
from tests.adapters.aws.world import Aws, Meter, build_client, every_request_sent_twice
from tests.fakes.clock import NOON_MS as NOW
from tests.fakes.pictures import png
from tests.fakes.service import IMAGE_ID_KEY

DAY = "20261122"
HOLD = Hold("a" * 24, "0" * 32, DAY, 70_000, NOW + 600_000, NOW + 330_000, 0)
POLICY = Policy()


@pytest.fixture
def twice(aws: Aws) -> Iterator[None]:
    with (
        every_request_sent_twice(aws.dynamodb, "UpdateItem"),
        every_request_sent_twice(aws.dynamodb, "PutItem"),
        every_request_sent_twice(aws.s3, "PutObject"),
    ):
        yield


def held(store: DynamoLedgerStore, user: str) -> LedgerSnapshot:
    came = store.reserve(user, HOLD, Limits(), now_ms=NOW)
    assert isinstance(came, Held)
    return came.snapshot


@pytest.mark.usefixtures("twice")
def test_a_hold_sent_twice_holds_once(dynamo_ledgers: DynamoLedgerStore, user: str) -> None:
    snapshot = held(dynamo_ledgers, user)
    ledger = dynamo_ledgers.load(user)
    assert snapshot.ledger == ledger
    assert (ledger.version, ledger.spent, ledger.attempts) == (1, {DAY: 70_000}, {DAY: 1})


@pytest.mark.usefixtures("twice")
def test_a_settle_sent_twice_charges_once(dynamo_ledgers: DynamoLedgerStore, user: str) -> None:
    snapshot = held(dynamo_ledgers, user)
    assert dynamo_ledgers.settle(user, snapshot, charged_microusd=50_000, now_ms=NOW)
    ledger = dynamo_ledgers.load(user)
    assert (ledger.version, ledger.spent) == (2, {DAY: 50_000})


@pytest.mark.usefixtures("twice")
def test_a_release_sent_twice_gives_back_once(dynamo_ledgers: DynamoLedgerStore, user: str) -> None:
    snapshot = held(dynamo_ledgers, user)
    assert dynamo_ledgers.release(user, snapshot, code="x", retryable=True, now_ms=NOW)
    ledger = dynamo_ledgers.load(user)
    assert (ledger.version, ledger.spent, ledger.images) == (2, {DAY: 0}, {DAY: 0})


@pytest.mark.usefixtures("twice")
def test_a_failure_sent_twice_counts_once_and_a_move_sent_twice_is_won(
    dynamo_circuits: DynamoCircuitStore,
) -> None:
    circuit = dynamo_circuits.add_failure("alpha", 0, Failure(NOW, "one", "a user"))
    assert circuit is not None
    assert len(circuit.failures) == 1
    dynamo_circuits.rest("alpha", 0, NOW)
    assert dynamo_circuits.load().circuits["alpha"].until_ms == NOW
    opened = breaker.opened(circuit, until_ms=NOW, why="failures")
    assert dynamo_circuits.swap("alpha", circuit, opened)
    assert dynamo_circuits.load().circuits["alpha"] == opened
    probing = breaker.probing(opened, POLICY, owner="me", now_ms=NOW)
    assert dynamo_circuits.swap("alpha", opened, probing)
    assert dynamo_circuits.swap("alpha", probing, breaker.closed(probing))
    assert dynamo_circuits.load().circuits["alpha"] == Circuit(State.CLOSED, 3)


@pytest.mark.usefixtures("twice")
def test_an_image_and_a_record_sent_twice_are_there_once(
    s3_images: S3ImageStore, dynamo_records: DynamoRecordStore, user: str
) -> None:
    ref = ImageRef("c" * 24, user, NOW)
    # The second one finds the first: the caller reads what is there, which is its own.
    s3_images.put(ref, png(), COMPLETE)
    assert s3_images.find(ref) == COMPLETE
    dynamo_records.put(ref, COMPLETE)
    assert dynamo_records.recent(user, limit=5) == [COMPLETE]


def test_one_image_costs_at_most_six_write_units_in_three_round_trips(
    aws: Aws, dynamo_ledgers: DynamoLedgerStore, dynamo_records: DynamoRecordStore, user: str
) -> None:
    meter = Meter()
    with meter.running(aws.dynamodb):
        snapshot = held(dynamo_ledgers, user)
        dynamo_ledgers.settle(user, snapshot, charged_microusd=50_000, now_ms=NOW)
        dynamo_records.put(ImageRef(HOLD.quote_id, user, NOW), COMPLETE)
    assert meter.calls == ["UpdateItem", "UpdateItem", "PutItem"]
    assert 0 < meter.units <= 6


def test_the_tenth_image_of_ten_minutes_costs_no_more_than_the_first(
    aws: Aws, dynamo_ledgers: DynamoLedgerStore, user: str
) -> None:
    days = {f"{kind}_2026112{day}": 9_999_999 for day in (0, 1) for kind in "una"}
    key = {"pk": f"U#{user}", "sk": "LEDGER", "v": 999}
    aws.dynamodb.put_item(TableName=dynamo_ledgers.table, Item=to_item(key | days))
    costs = []
    for n in range(10):
        meter = Meter()
        hold = replace(HOLD, quote_id=f"{n:024d}", owner="0" * 12, slot=n, ceiling_microusd=999_999)
        with meter.running(aws.dynamodb):
            came = dynamo_ledgers.reserve(user, hold, Limits(), now_ms=NOW)
            assert isinstance(came, Held)
            dynamo_ledgers.settle(user, came.snapshot, charged_microusd=999_999, now_ms=NOW)
        costs.append(meter.units)
    assert len(set(costs)) == 1, costs


def test_a_replay_and_a_refusal_cost_one_round_trip(
    aws: Aws, dynamo_ledgers: DynamoLedgerStore, user: str
) -> None:
    dynamo_ledgers.settle(user, held(dynamo_ledgers, user), charged_microusd=1, now_ms=NOW)
    meter = Meter()
    with meter.running(aws.dynamodb):
        again = Hold("a" * 24, "1" * 32, DAY, 70_000, NOW + 600_000, NOW + 330_000, 0)
        dynamo_ledgers.reserve(user, again, Limits(), now_ms=NOW)
        other = Hold("b" * 24, "1" * 32, DAY, 70_000, NOW + 600_000, NOW + 330_000, 0)
        dynamo_ledgers.reserve(user, other, Limits(1, 1, 1, 1), now_ms=NOW)
    assert meter.calls == ["UpdateItem"] * 2


def test_reading_the_circuits_is_one_round_trip(
    aws: Aws, dynamo_circuits: DynamoCircuitStore
) -> None:
    meter = Meter()
    with meter.running(aws.dynamodb):
        dynamo_circuits.load()
    assert meter.calls == ["Query"]


OP = Op(OpState.HELD, 1, "me", NOW, NOW, NOW, DAY, None)
SEEN = LedgerSnapshot("one", Ledger(ops={"one": OP}))
REF = ImageRef("c" * 24, "d" * 32, NOW)
LEDGER_CALLS: dict[str, Callable[[Any], object]] = {
    "load": lambda store: store.load("user"),
    "reserve": lambda store: store.reserve("user", HOLD, Limits(), now_ms=NOW),
    "settle": lambda store: store.settle("user", SEEN, charged_microusd=1, now_ms=NOW),
    "release": lambda store: store.release("user", SEEN, code="", retryable=False, now_ms=NOW),
    "lapsed": lambda store: list(store.lapsed(now_ms=NOW, limit=1)),
    "forget_lease": lambda store: store.forget_lease("user"),
    "defer_lease": lambda store: store.defer_lease("user", now_ms=NOW),
}
CIRCUIT_CALLS: dict[str, Callable[[Any], object]] = {
    "load": lambda store: store.load(),
    "add_failure": lambda store: store.add_failure("a", 0, Failure(1, "x")),
    "rest": lambda store: store.rest("a", 0, 1),
    "drop_failures": lambda store: store.drop_failures("a", 0, frozenset({Failure(1, "x")})),
    "swap": lambda store: store.swap("a", Circuit(), Circuit(generation=1)),
    "save": lambda store: store.save("a", KeyCheck(1, "valid")),
}
IMAGE_CALLS: dict[str, Callable[[Any], object]] = {
    "put": lambda store: store.put(REF, b"x", COMPLETE),
    "find": lambda store: store.find(REF),
    "delete": lambda store: store.delete(REF),
}
RECORD_CALLS: dict[str, Callable[[Any], object]] = {
    "put": lambda store: store.put(REF, COMPLETE),
    "get": lambda store: store.get(REF),
    "recent": lambda store: store.recent("user", limit=1),
    "page": lambda store: store.page("user", None, since_ms=0, limit=1),
}
LEVEL_HOLD = LevelHold(DAY, 1, b"mark")
WARNING = BudgetWarning("O", "organisation", "day", DAY, 80, 80, 100)
BUDGET_CALLS: dict[str, Callable[[Any], object]] = {
    "load": lambda store: store.load("O", DAY[:6]),
    "take": lambda store: store.take(Level("O", 5), LEVEL_HOLD),
    "give": lambda store: store.give("O", LEVEL_HOLD, 0, is_unsure=False, now_ms=NOW),
}
AMOUNT_CALLS: dict[str, Callable[[Any], object]] = {
    "amounts": lambda store: store.amounts("O"),
    "set": lambda store: store.replace("O", None, Amounts(1)),
    "remove": lambda store: store.replace("O", Amounts(1), None),
}
WARNING_CALLS: dict[str, Callable[[Any], object]] = {"add": lambda store: store.add(WARNING, NOW)}
KEY = to_key(
    {"sk": "K#a", "n": "", "s": "chat", "d": 1, "i": 1, "h": "00", "c": 1, "b": "", "v": 1}
)
KEY_CALLS: dict[str, Callable[[Any], object]] = {
    "find": lambda store: store.find("a"),
    "all": lambda store: store.all(),
    "add": lambda store: store.add(KEY),
}
PROMPT_CALLS: dict[str, Callable[[Any], object]] = {
    "put": lambda store: store.put(REF, KeptPrompt("x"), until_ms=NOW),
    "get": lambda store: store.get(REF),
    "between": lambda store: store.between("user", Place(2, "b"), Place(1, "a")),
    "forget": lambda store: store.forget(REF),
}
JOB_CALLS: dict[str, Callable[[Any], object]] = {
    "put": lambda store: store.put(REF, Job("ticket", NOW, 1, "1x1", COMPLETE)),
    "get": lambda store: store.get(REF),
}
RESERVATION = ChatReservation("user", DAY, "one", 1)
CHAT_CALLS: dict[str, Callable[[Any], object]] = {
    "load": lambda store: store.load("user", DAY),
    "reserve": lambda store: store.reserve(RESERVATION, DailyChatLimits(1, 1), now_ms=NOW),
    "settle": lambda store: store.settle(RESERVATION, tokens=1),
}
ENTRY = TrailEntry(NOW, "id", "me", Change(Action.USER_BLOCKED, "a", "b", "c", "d"))
TRAIL_CALLS: dict[str, Callable[[Any], object]] = {
    "add": lambda store: store.add(ENTRY),
    "page": lambda store: store.page(None, limit=1),
}
BLOCK_CALLS: dict[str, Callable[[Any], object]] = {
    "set_blocked": lambda store: store.set_blocked("user", blocked=True)
}
ERASURE = Erasure("user", NOW, "self")
ERASURE_CALLS: dict[str, Callable[[Any], object]] = {
    "ask": lambda store: store.ask(ERASURE),
    "find": lambda store: store.find("user"),
    "pending": lambda store: store.pending(limit=1),
    "advance": lambda store: store.advance(ERASURE, Place(1, "a")),
    "finish": lambda store: store.finish(ERASURE),
}
SCAN_CALLS: dict[str, Callable[[Any], object]] = {"between": lambda store: [*store.between(0, 1)]}
UPLOAD = UploadRef("user", "id")
UPLOAD_CALLS: dict[str, Callable[[Any], object]] = {
    "used": lambda store: store.used("user"),
    "size": lambda store: store.size(UPLOAD),
    "read": lambda store: store.read(UPLOAD, limit_bytes=1),
    "delete": lambda store: store.delete(UPLOAD),
}
PREVIEW_CALLS: dict[str, Callable[[Any], object]] = {
    "put": lambda store: store.put(REF, PreviewFrame(0, b"x"), "image/png"),
    "newest": lambda store: store.newest(REF, most=1),
    "delete": lambda store: store.delete(REF, 0),
}


def image_store(client: Any, bucket: str) -> S3ImageStore:
    """Return a store whose objects are named with the tests' key."""
    return S3ImageStore(client, bucket, lambda: IMAGE_ID_KEY)


def upload_store(client: Any, bucket: str) -> S3UploadStore:
    """Return a store whose objects are named with the tests' key."""
    return S3UploadStore(client, bucket, lambda: IMAGE_ID_KEY)


def preview_store(client: Any, bucket: str) -> S3PreviewStore:
    """Return a store whose objects are named with the tests' key."""
    return S3PreviewStore(client, bucket, lambda: IMAGE_ID_KEY)


STORES: list[tuple[str, Callable[..., Any], dict[str, Callable[[Any], object]]]] = [
    ("dynamodb", DynamoLedgerStore, LEDGER_CALLS),
    ("dynamodb", DynamoCircuitStore, CIRCUIT_CALLS),
    ("s3", image_store, IMAGE_CALLS),
    ("dynamodb", DynamoRecordStore, RECORD_CALLS),
    ("dynamodb", DynamoBudgetStore, BUDGET_CALLS),
    ("dynamodb", DynamoAmountStore, AMOUNT_CALLS),
    ("dynamodb", DynamoBudgetWarningStore, WARNING_CALLS),
    ("dynamodb", DynamoKeyStore, KEY_CALLS),
    ("dynamodb", DynamoPromptStore, PROMPT_CALLS),
    ("dynamodb", DynamoJobStore, JOB_CALLS),
    ("dynamodb", DynamoChatUsageStore, CHAT_CALLS),
    ("dynamodb", DynamoTrailStore, TRAIL_CALLS),
    ("dynamodb", DynamoBlockStore, BLOCK_CALLS),
    ("dynamodb", DynamoErasureStore, ERASURE_CALLS),
    ("dynamodb", DynamoRecordScan, SCAN_CALLS),
    ("s3", upload_store, UPLOAD_CALLS),
    ("s3", preview_store, PREVIEW_CALLS),
]
CALLS = [
    pytest.param(service, store, call, id=f"{store.__name__}.{name}")
    for service, store, calls in STORES
    for name, call in calls.items()
]


LOOKS_EMPTY = {"image_store.find", "upload_store.size", "preview_store.newest"}


@pytest.mark.parametrize(("service", "store", "call"), CALLS)
def test_a_store_that_nobody_answers_for_is_unavailable_and_nothing_else(
    service: str, store: Callable[..., Any], call: Callable[[Any], object]
) -> None:
    client = build_client(service, f"http://{LOOPBACK}:{free_port()}", attempts=1)
    with pytest.raises(StoreUnavailableError):
        call(store(client, "nowhere"))
    client.close()


@pytest.mark.parametrize(
    ("service", "store", "call"),
    # HEAD has no body: a missing bucket looks like a missing object.
    [call for call in CALLS if call.id not in LOOKS_EMPTY],
)
def test_a_table_or_bucket_that_is_not_there_is_unavailable_and_nothing_else(
    aws: Aws, service: str, store: Callable[..., Any], call: Callable[[Any], object]
) -> None:
    client = aws.s3 if service == "s3" else aws.dynamodb
    with pytest.raises(StoreUnavailableError):
        call(store(client, "not-there"))


AS_IT_IS_NOW: list[tuple[Callable[..., Any], Callable[[Any], object]]] = [
    (DynamoRecordStore, RECORD_CALLS["get"]),
    (DynamoRecordStore, RECORD_CALLS["page"]),
    (DynamoBudgetStore, BUDGET_CALLS["load"]),
    (DynamoAmountStore, AMOUNT_CALLS["amounts"]),
    (DynamoKeyStore, KEY_CALLS["find"]),
    (DynamoKeyStore, KEY_CALLS["all"]),
    (DynamoPromptStore, PROMPT_CALLS["get"]),
    (DynamoPromptStore, PROMPT_CALLS["between"]),
    (DynamoJobStore, JOB_CALLS["get"]),
    (DynamoChatUsageStore, CHAT_CALLS["load"]),
    (DynamoTrailStore, TRAIL_CALLS["page"]),
    (DynamoErasureStore, ERASURE_CALLS["find"]),
    (DynamoErasureStore, ERASURE_CALLS["pending"]),
]


@pytest.mark.parametrize(("store", "call"), AS_IT_IS_NOW)
def test_what_decides_is_read_as_it_is_now(
    aws: Aws, table: str, store: Callable[..., Any], call: Callable[[Any], object]
) -> None:
    """The emulator always answers so; AWS does only where it is asked for it."""
    client, asked = build_client("dynamodb", aws.endpoint), list[object]()
    for operation in ("GetItem", "Query"):
        client.meta.events.register(
            f"before-parameter-build.dynamodb.{operation}",
            lambda params, **_: asked.append(params.get("ConsistentRead")),
        )
    call(store(client, table))
    client.close()
    assert asked == [True]


def test_only_a_hold_asks_for_the_ledger_which_may_be_long(aws: Aws, user: str) -> None:
    client, asked = build_client("dynamodb", aws.endpoint), list[str | None]()
    client.meta.events.register(
        "before-parameter-build.dynamodb.UpdateItem",
        lambda params, **_: asked.append(params.get("ReturnValues")),
    )
    ledgers = DynamoLedgerStore(client, aws.new_table())
    for name, end in (("a", settled), ("b", released)):
        hold = replace(HOLD, quote_id=name * 24, slot=len(asked))
        came = ledgers.reserve(user, hold, Limits(), now_ms=NOW)
        assert isinstance(came, Held)
        assert ledgers.wait(user, hold.quote_id, until_ms=NOW + 1, now_ms=NOW)
        assert end(ledgers, user, came.snapshot)
    assert asked == ["ALL_NEW", None, None] * 2


def test_the_contracts_check_the_shape_of_a_call_to_the_table_and_the_product_does_not_again(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    assert not checks_shapes(clients.dynamodb.__wrapped__())
    assert checks_shapes(build_client("dynamodb", aws.endpoint))


def checks_shapes(client: Any) -> bool:
    """Return whether a number that is no text is refused; the call itself is never sent."""
    answer: tuple[object, dict[str, Any]] = (SimpleNamespace(status_code=200), {})
    client.meta.events.register("before-call.dynamodb.PutItem", lambda **_: answer)
    try:
        client.put_item(TableName="table", Item={"pk": {"N": 5}})
    except ParamValidationError:
        return True
    return False


def settled(store: DynamoLedgerStore, user: str, snapshot: LedgerSnapshot) -> bool:
    return store.settle(user, snapshot, charged_microusd=50_000, now_ms=NOW)


def released(store: DynamoLedgerStore, user: str, snapshot: LedgerSnapshot) -> bool:
    return store.release(user, snapshot, code="why", retryable=False, now_ms=NOW)
