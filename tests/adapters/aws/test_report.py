"""A month's report, read from a table as the service leaves it."""

from imagegen.aws.record_store import DynamoRecordStore
from imagegen.domain.ids import ImageRef
from imagegen.domain.spending import added_up
from operations.report import month_ms, records
from tests.adapters.aws.world import Aws, Meter
from tests.unit.test_metrics import FAILED, MADE

NOVEMBER_MS, DECEMBER_MS = month_ms("2026-11")


def filled(aws: Aws) -> str:
    """Return a table with records around a month, and with what else there is in a table."""
    table = aws.new_table()
    store = DynamoRecordStore(aws.dynamodb, table)
    for at_ms in (NOVEMBER_MS - 1, NOVEMBER_MS, DECEMBER_MS - 1, DECEMBER_MS):
        for user in ("ann", "bob", "cay"):
            store.put(ImageRef(f"quote-{at_ms}", user, at_ms), MADE)
    store.put(ImageRef("refused", "ann", NOVEMBER_MS + 1), FAILED)
    ledger = {"pk": {"S": "U#ann"}, "sk": {"S": "L"}, "v": {"N": "1"}}
    aws.dynamodb.put_item(TableName=table, Item=ledger)
    return table


def test_a_month_is_every_page_of_it_and_nothing_else(aws: Aws) -> None:
    table, meter = filled(aws), Meter()
    with meter.running(aws.dynamodb):
        sums = added_up(records(aws.dynamodb, table, "2026-11", page_items=3))
    assert {(one.user, one.outcome): amount.requests for one, amount in sums.items()} == {
        ("ann", "complete"): 2,
        ("bob", "complete"): 2,
        ("cay", "complete"): 2,
        ("ann", "failed"): 1,
    }
    assert sum(amount.charged for amount in sums.values()) == 6 * 52_700
    assert set(meter.calls) == {"Scan"}
    assert len(meter.calls) > 4


def test_a_month_without_records_is_empty(aws: Aws) -> None:
    assert added_up(records(aws.dynamodb, filled(aws), "2027-01")) == {}
