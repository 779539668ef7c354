"""The records of all users in a time, for operators: a Scan of the table, which finds no prompts.

The table has no index by time, because each record would cost a write unit more for it. A Scan
reads every item: about two cents for each GB of the table.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from imagegen.aws.items import from_item, store_errors, to_item
from imagegen.domain.records import parse_record
from imagegen.domain.spending import UserRecord

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

STORE = "The usage records"
ATTRIBUTES = (
    *("pk", "sk", "status", "quote_id", "issued_ms", "created_ms", "duration_ms", "tier", "size"),
    *("expected_microusd", "ceiling_microusd", "charged_microusd", "actual_microusd"),
    *("in_doubt_microusd", "provider", "model", "code", "retryable", "attempts", "deleted_ms"),
    "team",
)
"""What is read of a record. The admin function's role may read no other attribute by a Scan."""
PAGE_ITEMS = 1_000


@dataclass(frozen=True, slots=True)
class DynamoRecordScan:
    """``RecordScan`` in a table with ``pk`` and ``sk``."""

    client: "DynamoDBClient"
    table: str
    page_items: int = PAGE_ITEMS

    def between(self, start_ms: int, end_ms: int) -> Iterator[UserRecord]:
        """Yield the records of quotes issued in a time; reads ``page_items`` at a time."""
        given: dict[str, Any] = {}
        while True:
            with store_errors(STORE):
                answer = self.client.scan(
                    TableName=self.table,
                    Select="SPECIFIC_ATTRIBUTES",
                    Limit=self.page_items,
                    FilterExpression="#pk BETWEEN :users AND :last AND #sk BETWEEN :start AND :end",
                    ProjectionExpression=", ".join(f"#{name}" for name in ATTRIBUTES),
                    ExpressionAttributeNames={f"#{name}": name for name in ATTRIBUTES},
                    ExpressionAttributeValues=_times(start_ms, end_ms),
                    **given,
                )
            yield from map(_to_user_record, answer["Items"])
            if not (last := answer.get("LastEvaluatedKey")):
                return
            given = {"ExclusiveStartKey": last}


def _times(start_ms: int, end_ms: int) -> dict[str, Any]:
    # The last key of the time sorts before the first moment after it.
    times = {":start": f"I#{start_ms:015d}", ":end": f"I#{end_ms:015d}"}
    return to_item({":users": "U#", ":last": "U#~", **times})


def _to_user_record(item: Any) -> UserRecord:
    values = from_item(item)
    user = values.pop("pk").removeprefix("U#")
    values.pop("sk")
    return UserRecord(user, parse_record(values))
