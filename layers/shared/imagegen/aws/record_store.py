"""One record per confirmed request, sorted by the quote's time of issue under its user."""

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from imagegen.aws.items import ConditionFailedError, from_item, store_errors, to_item
from imagegen.domain.ids import ImageRef
from imagegen.domain.records import ImageRecord, RecordStatus, parse_record, record_json

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

STORE = "The usage records"
_PREFIX = "I#"
_TTL = "ttl"
"""The attribute that the template names as the table's time to live, in seconds since 1970."""
_KEYS = ("pk", "sk", _TTL)


@dataclass(frozen=True, slots=True)
class DynamoRecordStore:
    """``RecordStore`` in a table with ``pk`` and ``sk``."""

    client: "DynamoDBClient"
    table: str
    retention_days: int = 0
    """DynamoDB deletes a record so many days after its quote's issue; 0 keeps it."""

    def put(self, ref: ImageRef, record: ImageRecord) -> None:
        """Store the record. The record of a failure never replaces that of an image."""
        values: dict[str, Any] = json.loads(record_json(record))
        if self.retention_days:
            values[_TTL] = ref.issued_ms // 1000 + self.retention_days * 86_400
        condition: dict[str, Any] = {}
        if record.status is RecordStatus.FAILED:
            condition = {
                "ConditionExpression": "attribute_not_exists(pk) OR #status <> :complete",
                "ExpressionAttributeNames": {"#status": "status"},
                "ExpressionAttributeValues": to_item({":complete": RecordStatus.COMPLETE.value}),
            }
        with suppress(ConditionFailedError), store_errors(STORE):
            self.client.put_item(
                TableName=self.table, Item=to_item(_key(ref) | values), **condition
            )

    def get(self, ref: ImageRef) -> ImageRecord | None:
        """Return the record, or ``None`` if there is none; the read is strongly consistent."""
        with store_errors(STORE):
            answer = self.client.get_item(
                TableName=self.table, Key=to_item(_key(ref)), ConsistentRead=True
            )
        return _to_record(answer["Item"]) if "Item" in answer else None

    def recent(self, user: str, *, limit: int) -> list[ImageRecord]:
        """Return the user's newest records, the newest first."""
        with store_errors(STORE):
            answer = self.client.query(
                TableName=self.table,
                KeyConditionExpression="pk = :p AND begins_with(sk, :s)",
                ExpressionAttributeValues=to_item({":p": f"U#{user}", ":s": _PREFIX}),
                ScanIndexForward=False,
                Limit=limit,
            )
        return [_to_record(item) for item in answer["Items"]]


def _key(ref: ImageRef) -> dict[str, Any]:
    return {"pk": f"U#{ref.user}", "sk": f"{_PREFIX}{ref.issued_ms:015d}#{ref.quote_id}"}


def _to_record(item: Any) -> ImageRecord:
    values = from_item(item)
    return parse_record({name: one for name, one in values.items() if name not in _KEYS})
