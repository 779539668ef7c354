"""Pictures that are part of a call: inputs in memory, beside the uploads that are stored.

They are not stored. Only the run that a call starts reads them, in the same invocation; if it dies,
the reconciler ends its hold without them, and a repetition of the call contains them again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from imagegen.domain.uploads import UploadLink, UploadRef, UploadRequest, UploadStore


@dataclass(frozen=True, slots=True)
class SentPictures:
    """``UploadStore`` of one call: its own pictures, and the user's uploads."""

    sent: Mapping[UploadRef, bytes]
    stored: Callable[[], UploadStore]

    def used(self, user: str) -> frozenset[str]:
        """Return the ids of the user's uploads that are stored."""
        return self.stored().used(user)

    def link(self, ref: UploadRef, request: UploadRequest) -> UploadLink:
        """Return where exactly this file can be stored, once."""
        return self.stored().link(ref, request)

    def size(self, ref: UploadRef) -> int | None:
        """Return the number of bytes of a picture, or ``None`` if there is none."""
        content = self.sent.get(ref)
        return self.stored().size(ref) if content is None else len(content)

    def read(self, ref: UploadRef, *, limit_bytes: int) -> bytes | None:
        """Return the bytes of a picture, or ``None`` if there is none or it exceeds the limit."""
        content = self.sent.get(ref)
        if content is None:
            return self.stored().read(ref, limit_bytes=limit_bytes)
        return content if len(content) <= limit_bytes else None

    def delete(self, ref: UploadRef) -> None:
        """Remove an upload, if it is stored."""
        self.stored().delete(ref)
