"""Hands out links under which a person stores a picture as an input: one file, once."""

from collections.abc import Callable
from dataclasses import dataclass

from imagegen.domain.uploads import (
    LINK_SECONDS,
    UploadRef,
    UploadRequest,
    UploadStore,
    free_upload_id,
)
from imagegen.wire.inputs import UploadOrder, UploadTarget, UploadTicket


@dataclass(frozen=True, slots=True)
class Uploader:
    """Hands out links for uploads; nothing is written before a link is used."""

    uploads: Callable[[], UploadStore]
    image_id_key: Callable[[], bytes]
    now_ms: Callable[[], int]
    random_bytes: Callable[[int], bytes]

    def ticket(self, order: UploadOrder, user: str) -> UploadTicket:
        """Return the id of an upload, and where exactly this file can be stored.

        Raises:
            LimitError: the user's uploads of today are used up.
            StoreUnavailableError: the user's uploads cannot be counted.
        """
        store, now_ms = self.uploads(), self.now_ms()
        upload_id = free_upload_id(
            user,
            store.used(user),
            self.image_id_key(),
            now_ms=now_ms,
            random_number=int.from_bytes(self.random_bytes(4)),
        )
        request = UploadRequest(order.media_type, order.bytes, order.sha256)
        link = store.link(UploadRef(user, upload_id), request)
        return UploadTicket(
            upload_id=upload_id,
            upload=UploadTarget(url=link.url, headers=link.headers),
            expires_at=now_ms + LINK_SECONDS * 1000,
        )
