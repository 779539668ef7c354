"""Everything that is kept of one user: records and prompts in the table, versions in the bucket.

A bucket may keep versions of what was deleted, so that each is removed by its own id. An object is
found by its owner without an index, because its key is computed of the owner and the quote id.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from imagegen.aws.items import from_item, store_errors, to_item
from imagegen.aws.s3_errors import s3_errors
from imagegen.domain.erasures import Remains
from imagegen.domain.ids import ImageRef, object_name
from imagegen.domain.records import ImageRecord, Place, parse_record
from imagegen.domain.uploads import owner_name

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

STORE = "The usage records"
_KEYS = ("pk", "sk", "ttl")


@dataclass(frozen=True, slots=True)
class AwsKeptStore:
    """``KeptStore`` over a table with ``pk`` and ``sk``, and a bucket."""

    dynamodb: "DynamoDBClient"
    table: str
    s3: "S3Client"
    bucket: str
    name_key: Callable[[], bytes]

    def records(self, user: str, after: Place | None, *, until_ms: int) -> Iterator[ImageRecord]:
        """Yield the user's records after a place, the oldest first; the read is consistent."""
        start = f"I#{after.issued_ms:015d}#{after.quote_id}~" if after else "I#"
        for item in self._items(f"U#{user}", start, f"I#{until_ms:015d}#~"):
            yield parse_record({name: one for name, one in item.items() if name not in _KEYS})

    def prompts(self, user: str, *, until_ms: int) -> list[ImageRef]:
        """Return the images whose prompt is kept."""
        keys = (item["sk"] for item in self._items(f"P#{user}", "0", f"{until_ms:015d}#~"))
        parts = (key.partition("#") for key in keys)
        return [ImageRef(quote_id, user, int(issued_ms)) for issued_ms, _, quote_id in parts]

    def remove_image(self, ref: ImageRef) -> None:
        """Remove every version of an image and of its preview frames."""
        name = object_name(ref, self.name_key())
        for prefix in (f"img/{name}/{ref.quote_id}", f"previews/{name}/{ref.quote_id}/"):
            self._remove(prefix)

    def remove_others(self, user: str, *, until_ms: int) -> None:
        """Remove every version of the user's uploads, and images of early releases."""
        for prefix in self._others(user):
            self._remove(prefix, until_ms=until_ms)

    def remains(self, user: str, *, until_ms: int) -> Remains:
        """Return what is left of prompts, of uploads and of images of early releases."""
        objects = sum(
            1 for prefix in self._others(user) for _ in self._versions(prefix, until_ms=until_ms)
        )
        return Remains(len(self.prompts(user, until_ms=until_ms)), objects)

    def _others(self, user: str) -> tuple[str, ...]:
        # The address of an image of an early release names its owner.
        return f"inputs/{owner_name(user, self.name_key())}/", f"img/{user}/"

    def _remove(self, prefix: str, *, until_ms: int | None = None) -> None:
        for key, version in self._versions(prefix, until_ms=until_ms):
            with s3_errors():
                self.s3.delete_object(Bucket=self.bucket, Key=key, VersionId=version)

    def _versions(self, prefix: str, *, until_ms: int | None) -> list[tuple[str, str]]:
        """Return key and version of all objects and deletion markers up to a time."""
        with s3_errors():
            pages = self.s3.get_paginator("list_object_versions").paginate(
                Bucket=self.bucket, Prefix=prefix
            )
            return [
                (one["Key"], one["VersionId"])
                for page in pages
                for one in [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
                if until_ms is None or one["LastModified"].timestamp() * 1000 <= until_ms
            ]

    def _items(self, partition: str, first: str, last: str) -> Iterator[dict[str, Any]]:
        values = to_item({":p": partition, ":first": first, ":last": last})
        given: dict[str, Any] = {}
        while True:
            with store_errors(STORE):
                answer = self.dynamodb.query(
                    TableName=self.table,
                    KeyConditionExpression="pk = :p AND sk BETWEEN :first AND :last",
                    ExpressionAttributeValues=values,
                    ConsistentRead=True,
                    **given,
                )
            yield from map(from_item, answer["Items"])
            if not (key := answer.get("LastEvaluatedKey")):
                return
            given = {"ExclusiveStartKey": key}
