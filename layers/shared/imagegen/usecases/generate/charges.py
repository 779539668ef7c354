"""What an error may say about the charge: only what has been looked up.

An image is charged if and only if it is stored, so the image store answers for a ledger that cannot
be reached. An image that is not stored at this moment may still be on its way: only the ledger
shows whether a run is making it.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from imagegen.domain.errors import ImagegenError, StoreUnavailableError
from imagegen.domain.ids import ImageRef
from imagegen.domain.records import ImageRecord, image_deleted
from imagegen.domain.stores import ImageStore


@contextmanager
def charged_if_unavailable() -> Iterator[None]:
    """Mark a ``StoreUnavailableError`` as charged: by the ledger, the image has been charged."""
    try:
        yield
    except StoreUnavailableError as error:
        error.charged = True
        raise


@contextmanager
def not_charged() -> Iterator[None]:
    """Mark errors as not charged: the caller has looked, and nothing of this request is stored.

    An unreachable store is left out, because a write of this request may have reached it.
    """
    try:
        yield
    except ImagegenError as error:
        if error.charged is None and not isinstance(error, StoreUnavailableError):
            error.charged = False
        raise


@contextmanager
def stored_is_charged(images: ImageStore, ref: ImageRef) -> Iterator[None]:
    """Look for the image if a store cannot be reached: the error is ``charged`` if it is stored.

    If its owner deleted it, the error is that.

    ``charged`` stays ``None`` if no image is stored: a run may still be making it.
    """
    try:
        yield
    except StoreUnavailableError as error:
        stored = _stored(images, ref) if error.charged is None else None
        if stored is None:
            raise
        raise image_deleted() if stored.deleted_ms else _charged(error) from error


def _stored(images: ImageStore, ref: ImageRef) -> ImageRecord | None:
    with suppress(StoreUnavailableError):
        return images.find(ref)
    return None


def _charged(error: StoreUnavailableError) -> StoreUnavailableError:
    found = StoreUnavailableError(
        "The image was made and charged, and a store cannot be reached now. Send the same request "
        "again to get the image.",
        retry_after_seconds=error.retry_after_seconds,
    )
    found.charged = True
    return found
