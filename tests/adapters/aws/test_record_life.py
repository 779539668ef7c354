"""A record ends when the operator said so, counted from its quote; without that it is kept."""

from typing import Any

import pytest

from imagegen.aws.record_store import DynamoRecordStore
from imagegen.domain.ids import ImageRef
from local.parameters import read_template
from tests.adapters.aws.test_image_contract import COMPLETE
from tests.adapters.aws.world import Aws
from tests.fakes.clock import NOON_MS as NOW


def stored(aws: Aws, table: str, user: str) -> dict[str, Any]:
    answer = aws.dynamodb.query(
        TableName=table,
        KeyConditionExpression="pk = :p",
        ExpressionAttributeValues={":p": {"S": f"U#{user}"}},
    )
    (item,) = answer["Items"]
    return dict(item)


@pytest.mark.parametrize("days", [1, 400])
def test_a_record_is_written_with_the_second_at_which_it_may_go(
    aws: Aws, table: str, user: str, days: int
) -> None:
    store = DynamoRecordStore(aws.dynamodb, table, days)
    ref = ImageRef(f"quote-{days}", user, NOW)
    store.put(ref, COMPLETE)
    attribute = read_template()["Resources"]["Table"]["Properties"]["TimeToLiveSpecification"]
    ends = stored(aws, table, user)[attribute["AttributeName"]]
    # DynamoDB reads a number of seconds; with milliseconds nothing would ever be deleted.
    assert ends == {"N": str(NOW // 1000 + days * 86_400)}
    assert store.get(ref) == COMPLETE
    assert store.recent(user, limit=5) == [COMPLETE]


def test_without_a_retention_a_record_has_no_end(aws: Aws, table: str, user: str) -> None:
    DynamoRecordStore(aws.dynamodb, table).put(ImageRef("quote", user, NOW), COMPLETE)
    item = stored(aws, table, user)
    assert not {"ttl", "by"} & item.keys()
    # Erasures and reports look for it there.
    assert item["sk"] == {"S": f"I#{NOW:015d}#quote"}


def test_a_store_with_another_retention_reads_what_was_written_before(
    aws: Aws, table: str, user: str
) -> None:
    ref = ImageRef("quote", user, NOW)
    DynamoRecordStore(aws.dynamodb, table, 30).put(ref, COMPLETE)
    assert DynamoRecordStore(aws.dynamodb, table).get(ref) == COMPLETE
