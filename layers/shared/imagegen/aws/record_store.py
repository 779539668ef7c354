"""One record per confirmed request, sorted by the quote's time of issue under its user."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from imagegen.aws.items import (
    ConditionFailedError,
    from_item,
    read_item,
    store_errors,
    to_item,
)
from imagegen.domain.ids import ImageRef
from imagegen.domain.records import (
    ImageRecord,
    Place,
    RecordPage,
    RecordStatus,
    parse_record,
    record_json,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

STORE = "The usage records"
_PREFIX = "I#"
_TTL = "ttl"
"""The attribute that the template names as the table's time to live, in seconds since 1970."""
_BY = "by"
"""The user's name in logs. It is not in the record, whose copy is with the image's file."""
_KEYS = ("pk", "sk", _TTL, _BY)
READ_AT_ONCE = 200
MOST_READS = 5
"""How many reads one page of images may take: records of failures are passed over."""


def no_name(_user: str) -> str:
    """Return no name: for instances that write no records."""
    return ""


@dataclass(frozen=True, slots=True)
class DynamoRecordStore:
    """``RecordStore`` in a table with ``pk`` and ``sk``."""

    client: "DynamoDBClient"
    table: str
    retention_days: int = 0
    """DynamoDB deletes a record so many days after its quote's issue; 0 keeps it."""
    name_of: Callable[[str], str] = no_name
    """Returns the name of a user in logs, which is kept beside the record for the news."""

    def put(self, ref: ImageRef, record: ImageRecord) -> bool:
        """Store the record; return ``False`` if another one stays."""
        if record.deleted_ms:
            return self._put(ref, record, "")
        if record.status is RecordStatus.FAILED:
            return self._put(ref, record, "attribute_not_exists(pk) OR #status <> :complete")
        return self._put(ref, record, "attribute_not_exists(deleted_ms)")

    def withdraw(self, ref: ImageRef, record: ImageRecord) -> None:
        """Replace the record of an image that could not be charged, unless it was deleted."""
        self._put(ref, record, "attribute_not_exists(deleted_ms)")

    def get(self, ref: ImageRef) -> ImageRecord | None:
        """Return the record, or ``None`` if there is none; the read is strongly consistent."""
        values = read_item(self.client, self.table, to_item(_key(ref)), store=STORE)
        return _to_record(values) if values else None

    def recent(self, user: str, *, limit: int, since_ms: int = 0) -> list[ImageRecord]:
        """Return the user's newest records, the newest first."""
        values = {":p": f"U#{user}", ":old": f"{_PREFIX}{since_ms:015d}", ":new": f"{_PREFIX}~"}
        items: list[Any] = []
        start: Any = None
        while True:
            # One answer has at most 1 MB: some 1,500 records.
            with store_errors(STORE):
                answer = self.client.query(
                    TableName=self.table,
                    KeyConditionExpression="pk = :p AND sk BETWEEN :old AND :new",
                    ExpressionAttributeValues=to_item(values),
                    ScanIndexForward=False,
                    Limit=limit - len(items),
                    **({"ExclusiveStartKey": start} if start else {}),
                )
            items += answer["Items"]
            start = answer.get("LastEvaluatedKey")
            if start is None or len(items) >= limit:
                return [_to_record(from_item(item)) for item in items]

    def page(self, user: str, after: Place | None, *, since_ms: int, limit: int) -> RecordPage:
        """Return records of the user's images that are not deleted, the newest first."""
        start = to_item(_key(ImageRef(after.quote_id, user, after.issued_ms))) if after else None
        found: list[ImageRecord] = []
        for _ in range(MOST_READS):
            items, start = self._images(user, start, since_ms)
            found += [_to_record(from_item(item)) for item in items]
            if len(found) > limit or start is None:
                break
        if len(found) > limit:
            last = found[limit - 1]
            return RecordPage(tuple(found[:limit]), Place(last.issued_ms, last.quote_id))
        return RecordPage(tuple(found), _place(start) if start else None)

    def _images(self, user: str, start: Any, since_ms: int) -> tuple[list[Any], Any]:
        """Return items of images after a key, and the key after which the list goes on."""
        values = {
            ":p": f"U#{user}",
            ":old": f"{_PREFIX}{since_ms:015d}",
            ":new": f"{_PREFIX}~",
            ":complete": RecordStatus.COMPLETE.value,
        }
        with store_errors(STORE):
            answer = self.client.query(
                TableName=self.table,
                KeyConditionExpression="pk = :p AND sk BETWEEN :old AND :new",
                FilterExpression="#status = :complete AND attribute_not_exists(deleted_ms)",
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues=to_item(values),
                ScanIndexForward=False,
                ConsistentRead=True,
                Limit=READ_AT_ONCE,
                **({"ExclusiveStartKey": start} if start else {}),
            )
        return answer["Items"], answer.get("LastEvaluatedKey")

    def _put(self, ref: ImageRef, record: ImageRecord, condition: str) -> bool:
        values: dict[str, Any] = json.loads(record_json(record))
        if self.retention_days:
            values[_TTL] = ref.issued_ms // 1000 + self.retention_days * 86_400
        if name := self.name_of(ref.user):
            values[_BY] = name
        given: dict[str, Any] = {"ConditionExpression": condition} if condition else {}
        if "#status" in condition:
            given["ExpressionAttributeNames"] = {"#status": "status"}
            given["ExpressionAttributeValues"] = to_item({":complete": RecordStatus.COMPLETE.value})
        try:
            with store_errors(STORE):
                self.client.put_item(
                    TableName=self.table, Item=to_item(_key(ref) | values), **given
                )
        except ConditionFailedError:
            return False
        return True


def _key(ref: ImageRef) -> dict[str, Any]:
    return {"pk": f"U#{ref.user}", "sk": f"{_PREFIX}{ref.issued_ms:015d}#{ref.quote_id}"}


def _place(key: Any) -> Place:
    issued_ms, _, quote_id = from_item(key)["sk"].removeprefix(_PREFIX).partition("#")
    return Place(int(issued_ms), quote_id)


def _to_record(values: Mapping[str, Any]) -> ImageRecord:
    return parse_record({name: one for name, one in values.items() if name not in _KEYS})
