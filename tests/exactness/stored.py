"""The stored images as they are in the bucket, whatever the store that is tested says of them."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from imagegen.domain.ids import ImageRef, object_name
from imagegen.domain.records import ImageRecord, parse_record
from tests.fakes.service import IMAGE_ID_KEY

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def stored_by_quote(s3: "S3Client", bucket: str) -> dict[str, ImageRecord]:
    """Return the record of each stored image by quote id."""
    return {quote_id: record for _, quote_id, record in _objects(s3, bucket)}


def stored_by_user(
    s3: "S3Client", bucket: str, users: Iterable[str]
) -> dict[tuple[str, str], ImageRecord]:
    """Return the record of each image of these users by user and quote id.

    An object's key does not name its owner, so each user is tried.
    """
    everybody = list(users)
    found = {}
    for name, quote_id, record in _objects(s3, bucket):
        (user,) = (
            one
            for one in everybody
            if object_name(ImageRef(quote_id, one, 0), IMAGE_ID_KEY) == name
        )
        found[user, quote_id] = record
    return found


def _objects(s3: "S3Client", bucket: str) -> Iterator[tuple[str, str, ImageRecord]]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for one in page.get("Contents", []):
            _, name, quote_id = one["Key"].split("/")
            metadata = s3.head_object(Bucket=bucket, Key=one["Key"])["Metadata"]
            yield name, quote_id, parse_record(metadata["record"])
