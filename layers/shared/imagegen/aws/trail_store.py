"""The trail in DynamoDB: one partition, sorted by time. An entry is put once and never changed."""

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from imagegen.aws.items import ConditionFailedError, from_item, store_errors, to_item
from imagegen.domain.trail import Action, Change, TrailEntry, TrailPage

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

STORE = "The trail"
PARTITION = "TRAIL"


@dataclass(frozen=True, slots=True)
class DynamoTrailStore:
    """``TrailStore`` in a table with ``pk`` and ``sk``."""

    client: "DynamoDBClient"
    table: str

    def add(self, entry: TrailEntry) -> None:
        """Store an entry; one that is stored already stays as it is."""
        change = entry.change
        item = {
            "pk": PARTITION,
            "sk": entry.place,
            "who": entry.who,
            "action": change.action.value,
            "target": change.target,
            "old": change.old,
            "new": change.new,
            "reason": change.reason,
        }
        # The SDK may send the write twice: the first one is then there.
        with suppress(ConditionFailedError), store_errors(STORE):
            self.client.put_item(
                TableName=self.table,
                Item=to_item(item),
                ConditionExpression="attribute_not_exists(pk)",
            )

    def page(self, before: str | None, *, limit: int) -> TrailPage:
        """Return entries that are older than a place, the newest first."""
        with store_errors(STORE):
            answer = self.client.query(
                TableName=self.table,
                KeyConditionExpression="pk = :p AND sk < :before",
                ExpressionAttributeValues=to_item({":p": PARTITION, ":before": before or "~"}),
                ScanIndexForward=False,
                ConsistentRead=True,
                Limit=limit,
            )
        entries = tuple(map(_to_entry, answer["Items"]))
        return TrailPage(entries, entries[-1].place if "LastEvaluatedKey" in answer else None)


def _to_entry(item: Any) -> TrailEntry:
    values = from_item(item)
    at_ms, _, entry_id = values["sk"].partition(".")
    names = ("target", "old", "new", "reason")
    change = Change(Action(values["action"]), *(values[name] for name in names))
    return TrailEntry(int(at_ms), entry_id, values["who"], change)
