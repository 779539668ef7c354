"""The finished images in S3. An image is charged if and only if it is stored here.

The record is in the object's metadata: if a run dies after the put, the object has everything that
is needed to charge and to answer. An image is written once: the first put for a quote wins.

An image that its owner deletes leaves an empty object with its record under another prefix, stored
before the bytes are removed: so it stays charged, and no repetition makes it again.

The address of an object is seen by everybody who opens the image, so it does not name its owner.
Images of earlier releases have their owner's id there. They are still read, and never written.
"""

from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from imagegen.aws.s3_errors import s3_errors
from imagegen.domain.errors import StoreUnavailableError
from imagegen.domain.ids import ImageRef, object_name
from imagegen.domain.records import ImageRecord, fitting_json, parse_record

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef

URL_SECONDS = 900
_METADATA = "record"
METADATA_BYTES = 2_048
"""S3's limit for the names and values of an object's own metadata together
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html)."""
RECORD_BYTES = METADATA_BYTES - len(f"x-amz-meta-{_METADATA}")
_EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


@dataclass(frozen=True, slots=True)
class S3ImageStore:
    """``ImageStore`` and ``ImageContent`` in a private bucket."""

    client: "S3Client"
    bucket: str
    name_key: Callable[[], bytes]
    """The key of the objects' names; it never changes."""

    def put(self, ref: ImageRef, content: bytes, record: ImageRecord) -> bool:
        """Store an image with its record. Return ``False`` if an image is already stored."""
        try:
            with s3_errors():
                self._put(self.object_key(ref), content, record)
        except FileExistsError:
            return False
        return True

    def mark_deleted(self, ref: ImageRef, record: ImageRecord) -> None:
        """Store that an image is deleted, with its record; the first mark stays."""
        with suppress(FileExistsError), s3_errors():
            self._put(self.mark_key(ref), b"", record)

    def find(self, ref: ImageRef) -> ImageRecord | None:
        """Return the record stored with an image or with the mark of its deletion."""
        # The mark is looked for last: it is stored before the image is removed.
        found = self._found((*self._keys(ref), self.mark_key(ref)), self._head)
        if found is None:
            return None
        try:
            return parse_record(found[1]["Metadata"][_METADATA])
        except (KeyError, ValidationError):
            # Another program or version wrote this object: an operator must look at it.
            raise StoreUnavailableError(f"The record of {ref.quote_id!r} is unreadable.") from None

    def read(self, ref: ImageRef, *, limit_bytes: int) -> bytes | None:
        """Return an image's bytes, or ``None`` if it does not exist or exceeds the limit."""

        def read(key: str) -> bytes | None:
            answer = self.client.get_object(Bucket=self.bucket, Key=key)
            with closing(answer["Body"]) as body:
                too_many = answer["ContentLength"] > limit_bytes
                return None if too_many else body.read()

        found = self._found(self._keys(ref), read)
        return found[1] if found else None

    def delete(self, ref: ImageRef) -> None:
        """Remove an image's bytes; without an image, nothing happens."""
        for key in self._keys(ref):
            with s3_errors():
                self.client.delete_object(Bucket=self.bucket, Key=key)

    def link(self, ref: ImageRef, *, for_head: bool = False) -> str | None:
        """Return a new URL that opens the image for 15 minutes, or ``None`` without an image.

        S3 accepts a signature for GET with no other method.
        """
        found = self._found(self._keys(ref), self._head)
        if found is None:
            return None
        key, answer = found
        media_type = answer["ContentType"]
        name = f"image-{ref.quote_id[:8]}.{_EXTENSIONS.get(media_type, 'img')}"
        return self.client.generate_presigned_url(
            "head_object" if for_head else "get_object",
            Params={
                "Bucket": self.bucket,
                "Key": key,
                "ResponseContentType": media_type,
                "ResponseContentDisposition": f'inline; filename="{name}"',
            },
            ExpiresIn=URL_SECONDS,
        )

    def object_key(self, ref: ImageRef) -> str:
        """Return the key of an image in the bucket; only its last part is in the logs."""
        return f"img/{object_name(ref, self.name_key())}/{ref.quote_id}"

    def mark_key(self, ref: ImageRef) -> str:
        """Return the key of the mark that an image is deleted."""
        return f"deleted/{object_name(ref, self.name_key())}/{ref.quote_id}"

    def _put(self, key: str, content: bytes, record: ImageRecord) -> None:
        self.client.put_object(
            Bucket=self.bucket,
            Key=key,
            Body=content,
            ContentType=record.media_type,
            Metadata={_METADATA: fitting_json(record, RECORD_BYTES)},
            IfNoneMatch="*",
        )

    def _keys(self, ref: ImageRef) -> tuple[str, str]:
        return self.object_key(ref), old_object_key(ref)

    def _head(self, key: str) -> "HeadObjectOutputTypeDef":
        return self.client.head_object(Bucket=self.bucket, Key=key)

    def _found[T](self, keys: Iterable[str], read: Callable[[str], T]) -> tuple[str, T] | None:
        """Return the first key with an object and what ``read`` returns for it, else ``None``."""
        for key in keys:
            with suppress(FileNotFoundError), s3_errors():
                return key, read(key)
        return None


def old_object_key(ref: ImageRef) -> str:
    """Return the key under which earlier releases stored an image; it names the owner."""
    return f"img/{ref.user}/{ref.quote_id}"
