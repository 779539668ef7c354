"""What every store of operators does, in memory and in DynamoDB."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from imagegen.aws.block_store import DynamoBlockStore
from imagegen.aws.circuit_store import DynamoCircuitStore
from imagegen.aws.ledger_store import DynamoLedgerStore
from imagegen.aws.record_scan import ATTRIBUTES, DynamoRecordScan
from imagegen.aws.record_store import DynamoRecordStore
from imagegen.aws.trail_store import DynamoTrailStore
from imagegen.domain.blocks import BlockStore
from imagegen.domain.breaker import Circuit
from imagegen.domain.fleet import Switch
from imagegen.domain.ids import ImageRef
from imagegen.domain.stores import LedgerStore
from imagegen.domain.trail import Action, Change, TrailEntry, TrailStore
from local.parameters import read_template
from tests.adapters.aws.world import Aws
from tests.fakes.admin import MemoryBlockStore, MemoryTrailStore
from tests.fakes.circuits import MemoryCircuitStore
from tests.fakes.clock import NOON_MS as NOW
from tests.fakes.ledgers import MemoryLedgerStore
from tests.unit.test_metrics import MADE

CHANGE = Change(Action.USER_BLOCKED, "a1" * 16, "free", "blocked", "abuse, seen \N{SNOWMAN}")
both = pytest.fixture(params=["memory", "aws"])


@both
def trail(request: pytest.FixtureRequest) -> TrailStore:
    if request.param == "memory":
        return MemoryTrailStore()
    aws: Aws = request.getfixturevalue("aws")
    return DynamoTrailStore(aws.dynamodb, aws.new_table())


@both
def ledgers_and_blocks(request: pytest.FixtureRequest) -> tuple[LedgerStore, BlockStore]:
    if request.param == "memory":
        ledgers = MemoryLedgerStore()
        return ledgers, MemoryBlockStore(ledgers)
    aws: Aws = request.getfixturevalue("aws")
    table = aws.new_table()
    return DynamoLedgerStore(aws.dynamodb, table), DynamoBlockStore(aws.dynamodb, table)


@both
def fleet(request: pytest.FixtureRequest) -> Iterator[MemoryCircuitStore | DynamoCircuitStore]:
    if request.param == "memory":
        yield MemoryCircuitStore()
    else:
        aws: Aws = request.getfixturevalue("aws")
        yield DynamoCircuitStore(aws.dynamodb, aws.new_table())


def entry(number: int, at_ms: int = NOW) -> TrailEntry:
    return TrailEntry(at_ms, f"id{number}", "user:me", CHANGE)


def test_the_trail_returns_what_was_added_the_newest_first(trail: TrailStore) -> None:
    for number in range(5):
        trail.add(entry(number, NOW + number // 2))
    first = trail.page(None, limit=3)
    assert [one.id for one in first.entries] == ["id4", "id3", "id2"]
    assert first.entries[0] == entry(4, NOW + 2)
    second = trail.page(first.rest, limit=3)
    assert [one.id for one in second.entries] == ["id1", "id0"]
    assert second.rest is None


def test_an_entry_is_never_replaced(trail: TrailStore) -> None:
    trail.add(entry(1))
    trail.add(replace(entry(1), who="somebody else"))
    assert trail.page(None, limit=10).entries == (entry(1),)


def test_the_trail_is_where_the_role_may_write_it(aws: Aws) -> None:
    store = DynamoTrailStore(aws.dynamodb, aws.new_table())
    store.add(entry(1))
    (item,) = aws.dynamodb.scan(TableName=store.table)["Items"]
    assert (item["pk"], item["sk"]) == ({"S": "TRAIL"}, {"S": entry(1).place})


def test_an_empty_trail_is_empty(trail: TrailStore) -> None:
    assert trail.page(None, limit=10).entries == ()


def test_a_user_is_blocked_and_let_in_again(
    ledgers_and_blocks: tuple[LedgerStore, BlockStore],
) -> None:
    ledgers, blocks = ledgers_and_blocks
    for blocked in (True, True, False, False, True):
        blocks.set_blocked("b2" * 16, blocked=blocked)
        assert ledgers.load("b2" * 16).blocked is blocked
    assert not ledgers.load("c3" * 16).blocked


def test_a_switch_stands_beside_the_circuits_and_the_last_one_wins(
    fleet: MemoryCircuitStore | DynamoCircuitStore,
) -> None:
    assert fleet.load().switches == {}
    fleet.save_switch("alpha", Switch(is_on=False, at_ms=NOW, reason="drill"))
    fleet.save_switch("beta", Switch(is_on=False, at_ms=NOW))
    fleet.save_switch("beta", Switch(is_on=True, at_ms=NOW + 1))
    fleet.rest("alpha", 0, NOW + 5)
    found = fleet.load()
    assert found.switches == {
        "alpha": Switch(is_on=False, at_ms=NOW, reason="drill"),
        "beta": Switch(is_on=True, at_ms=NOW + 1),
    }
    assert found.circuits == {"alpha": Circuit(until_ms=NOW + 5)}
    assert found.switched_off() == {"alpha"}


def test_a_scan_reads_records_of_all_users_and_no_other_item(aws: Aws) -> None:
    table = aws.new_table()
    records = DynamoRecordStore(aws.dynamodb, table)
    for number in range(5):
        ref = ImageRef(f"q{number}", f"{number:032x}", NOW + number)
        records.put(ref, replace(MADE, quote_id=ref.quote_id, issued_ms=ref.issued_ms))
    blocks = DynamoBlockStore(aws.dynamodb, table)
    blocks.set_blocked("a1" * 16, blocked=True)
    DynamoTrailStore(aws.dynamodb, table).add(entry(1))
    prompt = {"pk": {"S": "P#" + "0" * 32}, "sk": {"S": f"I#{NOW:015d}#q9"}, "w": {"B": b"secret"}}
    aws.dynamodb.put_item(TableName=table, Item=prompt)  # type: ignore[arg-type]
    scan = DynamoRecordScan(aws.dynamodb, table, page_items=2)
    found = sorted(scan.between(NOW + 1, NOW + 4), key=lambda one: one.user)
    assert [one.user for one in found] == [f"{number:032x}" for number in (1, 2, 3)]
    assert found[0].record.charged_microusd == MADE.charged_microusd
    assert found[0].record.attempts == MADE.attempts


def test_a_scan_finds_all_that_a_report_says_and_asks_as_its_role_must(aws: Aws) -> None:
    table, selected = aws.new_table(), list[object]()
    record = replace(
        MADE,
        team="T#1",
        actual_microusd=5,
        in_doubt_microusd=7,
        code="odd",
        retryable=True,
        deleted_ms=NOW,
    )
    DynamoRecordStore(aws.dynamodb, table).put(ImageRef("q", "a1" * 16, NOW), record)

    def note(params: dict[str, object], **_: object) -> None:
        selected.append(params.get("Select"))

    event = "before-parameter-build.dynamodb.Scan"
    aws.dynamodb.meta.events.register(event, note)
    try:
        (found,) = DynamoRecordScan(aws.dynamodb, table).between(NOW, NOW + 1)
    finally:
        aws.dynamodb.meta.events.unregister(event, note)
    for name in ATTRIBUTES[2:]:
        assert getattr(found.record, name) == getattr(record, name), name
    assert selected == ["SPECIFIC_ATTRIBUTES"]


def test_the_role_may_scan_exactly_what_is_read_and_never_a_prompt() -> None:
    role = read_template()["Resources"]["AdminFunctionRole"]["Properties"]
    statements = role["Policies"][0]["PolicyDocument"]["Statement"]
    (scanning,) = (one for one in statements if one["Sid"] == "ScanRecords")
    allowed = scanning["Condition"]["ForAllValues:StringEquals"]["dynamodb:Attributes"]
    assert sorted(allowed) == sorted(ATTRIBUTES)
    assert not {"w", "j", "blk"} & set(ATTRIBUTES)
    assert scanning["Condition"]["StringEquals"] == {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"}
