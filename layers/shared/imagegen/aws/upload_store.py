"""Uploads in S3, beside the images and never among them.

A link is a presigned PUT. Its signature covers the file's length, type and SHA-256, and the header
``If-None-Match: *``, so that S3 stores this file and no other one, and only if there is none yet.
A presigned POST could be used again while it is valid, and would replace the file.
"""

import base64
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imagegen.aws.s3_errors import s3_errors
from imagegen.domain.uploads import (
    LINK_SECONDS,
    UploadLink,
    UploadRef,
    UploadRequest,
    owner_name,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PREFIX = "inputs/"


@dataclass(frozen=True, slots=True)
class S3UploadStore:
    """``UploadStore`` in the bucket of the images, under a prefix of its own."""

    client: "S3Client"
    bucket: str
    name_key: Callable[[], bytes]
    """The key of the objects' names; it never changes."""

    def used(self, user: str) -> frozenset[str]:
        """Return the ids of the user's uploads that are stored.

        One page of 1,000 is enough: there are at most three days of them.
        """
        prefix = self._folder(user)
        with s3_errors():
            answer = self.client.list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return frozenset(one["Key"].removeprefix(prefix) for one in answer.get("Contents", ()))

    def link(self, ref: UploadRef, request: UploadRequest) -> UploadLink:
        """Return where exactly this file can be stored, once, within five minutes."""
        checksum = base64.b64encode(bytes.fromhex(request.sha256)).decode()
        url = self.client.generate_presigned_url(
            "put_object",
            Params={
                "Bucket": self.bucket,
                "Key": self.object_key(ref),
                "ContentType": request.media_type,
                "ContentLength": request.size_bytes,
                "ChecksumSHA256": checksum,
                "IfNoneMatch": "*",
            },
            ExpiresIn=LINK_SECONDS,
        )
        # The client sends the length itself: a browser does not let a page set it.
        headers = {
            "Content-Type": request.media_type,
            "If-None-Match": "*",
            "x-amz-checksum-sha256": checksum,
        }
        return UploadLink(url, headers)

    def size(self, ref: UploadRef) -> int | None:
        """Return the number of bytes of an upload, or ``None`` if it is not stored."""
        with suppress(FileNotFoundError), s3_errors():
            answer = self.client.head_object(Bucket=self.bucket, Key=self.object_key(ref))
            return answer["ContentLength"]
        return None

    def read(self, ref: UploadRef, *, limit_bytes: int) -> bytes | None:
        """Return the bytes of an upload, or ``None`` if it is not stored or exceeds the limit."""
        with suppress(FileNotFoundError), s3_errors():
            answer = self.client.get_object(Bucket=self.bucket, Key=self.object_key(ref))
            with closing(answer["Body"]) as body:
                return body.read() if answer["ContentLength"] <= limit_bytes else None
        return None

    def delete(self, ref: UploadRef) -> None:
        """Remove an upload, if it is stored."""
        with s3_errors():
            self.client.delete_object(Bucket=self.bucket, Key=self.object_key(ref))

    def object_key(self, ref: UploadRef) -> str:
        """Return the key of an upload in the bucket; only its last part may be in the logs."""
        return self._folder(ref.user) + ref.upload_id

    def _folder(self, user: str) -> str:
        return f"{PREFIX}{owner_name(user, self.name_key())}/"
