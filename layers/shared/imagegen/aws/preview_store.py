"""Preview frames in S3, under a prefix of their own: what settles a hold looks at images only."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imagegen.aws.s3_errors import s3_errors
from imagegen.domain.ids import ImageRef, object_name
from imagegen.domain.inputs import PreviewFrame
from imagegen.domain.previews import PreviewLink

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PREFIX = "previews/"
URL_SECONDS = 60
"""How long a link to a frame opens it. Each look at the status has a new one."""


@dataclass(frozen=True, slots=True)
class S3PreviewStore:
    """``PreviewStore`` in the bucket of the images."""

    client: "S3Client"
    bucket: str
    name_key: Callable[[], bytes]
    """The key of the objects' names; it never changes."""

    def put(self, ref: ImageRef, frame: PreviewFrame, media_type: str) -> None:
        """Store a frame, or replace the one of the same index."""
        with s3_errors():
            self.client.put_object(
                Bucket=self.bucket,
                Key=self.object_key(ref, frame.index),
                Body=frame.content,
                ContentType=media_type,
            )

    def newest(self, ref: ImageRef, *, most: int) -> PreviewLink | None:
        """Return a new URL that opens the newest frame for a minute, or ``None`` without frames."""
        # A HEAD for each frame that there can be costs a sixth of one list
        # (https://aws.amazon.com/s3/pricing).
        for index in reversed(range(most)):
            key = self.object_key(ref, index)
            place = {"Bucket": self.bucket, "Key": key}
            with suppress(FileNotFoundError), s3_errors():
                self.client.head_object(Bucket=self.bucket, Key=key)
                url = self.client.generate_presigned_url("get_object", place, ExpiresIn=URL_SECONDS)
                return PreviewLink(index, url)
        return None

    def delete(self, ref: ImageRef, index: int) -> None:
        """Remove a frame, if it is stored."""
        with s3_errors():
            self.client.delete_object(Bucket=self.bucket, Key=self.object_key(ref, index))

    def object_key(self, ref: ImageRef, index: int) -> str:
        """Return the key of a frame in the bucket; only its last two parts may be in the logs."""
        return f"{PREFIX}{object_name(ref, self.name_key())}/{ref.quote_id}/{index}"
