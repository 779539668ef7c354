"""Uploads: pictures that a person sends in as inputs. They are kept for a day and never served.

A user has a fixed number of places for uploads on each day. The id of an upload names its day and
its place, and the object of a place is written only once. So nobody can store more than
``PLACES_A_DAY`` uploads a day, without a counter: however many links are handed out, two for the
same place cannot both be used.
"""

import base64
import binascii
import hmac
from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from imagegen.domain.days import next_day_seconds
from imagegen.domain.errors import LimitError, NotFoundError

PLACES_A_DAY = 100
"""Twice the images that a user may make on a day by default; with ``MOST_UPLOAD_BYTES``, a user can
store 1 GB a day. One byte of the id has the place."""
LINK_SECONDS = 300
"""How long an upload may begin after its link was handed out."""
DAY_MS = 86_400_000
_DAY_BYTES = 2
_CHECK_BYTES = 7
_CHARACTERS = 16
_OWNER_CHARACTERS = 32


@dataclass(frozen=True, slots=True)
class UploadRef:
    """The reference under which an upload is stored."""

    user: str
    """32 hex digits: the only user who can use it."""
    upload_id: str


@dataclass(frozen=True, slots=True)
class UploadRequest:
    """The only file that a link accepts."""

    media_type: str
    size_bytes: int
    sha256: str
    """In hex."""


@dataclass(frozen=True, slots=True)
class UploadLink:
    """Where a file is sent, with the headers that must be sent with it."""

    url: str
    headers: dict[str, str]


class UploadStore(Protocol):
    """The pictures that users sent in as inputs. They are removed after a day."""

    def used(self, user: str) -> frozenset[str]:
        """Return the ids of the user's uploads that are stored.

        Raises:
            StoreUnavailableError: they cannot be read.
        """
        ...

    def link(self, ref: UploadRef, request: UploadRequest) -> UploadLink:
        """Return where exactly this file can be stored, once, within five minutes."""
        ...

    def size(self, ref: UploadRef) -> int | None:
        """Return the number of bytes of an upload, or ``None`` if it is not stored.

        Raises:
            StoreUnavailableError: it cannot be read.
        """
        ...

    def read(self, ref: UploadRef, *, limit_bytes: int) -> bytes | None:
        """Return the bytes of an upload, or ``None`` if it is not stored or exceeds the limit.

        Raises:
            StoreUnavailableError: they cannot be read.
        """
        ...

    def delete(self, ref: UploadRef) -> None:
        """Remove an upload, if it is stored.

        Raises:
            StoreUnavailableError: it may or may not have been removed.
        """
        ...


def owner_name(user: str, key: bytes) -> str:
    """Return the part of an upload's key that depends on its owner, 32 hex digits."""
    signed = b"pseudonym.uploads." + user.encode()
    return hmac.digest(key, signed, "sha256").hex()[:_OWNER_CHARACTERS]


def upload_id(user: str, day: int, place: int, key: bytes) -> str:
    """Return the id of the upload in one place of a day; ``day`` counts from 1970.

    It is the same each time, and no other user has it.
    """
    plain = day.to_bytes(_DAY_BYTES) + place.to_bytes()
    return base64.b32encode(plain + _check(plain, user, key)).decode().lower()


def sent_upload_id(user: str, index: int, key: bytes) -> str:
    """Return an id for a picture that is part of a call: one under which none is ever stored.

    Its place is beyond those of a day. Every call has the same ids: the digest of the bytes, which
    a quote has as well, distinguishes its pictures from those of another call.
    """
    return upload_id(user, 0, PLACES_A_DAY + index, key)


def check_upload_id(text: str, user: str, key: bytes) -> UploadRef:
    """Return the reference of an upload of this user. It may not be stored.

    Raises:
        NotFoundError: the text is not the id of an upload of this user. The error is the same for
            the upload of another user.
    """
    missing = NotFoundError("There is no such upload.")
    if len(text) != _CHARACTERS or text != text.lower():
        raise missing
    try:
        data = base64.b32decode(text, casefold=True)
    except (binascii.Error, ValueError):
        raise missing from None
    plain, check = data[:-_CHECK_BYTES], data[-_CHECK_BYTES:]
    if not hmac.compare_digest(check, _check(plain, user, key)):
        raise missing
    return UploadRef(user, text)


def free_upload_id(
    user: str, used: Collection[str], key: bytes, *, now_ms: int, random_number: int
) -> str:
    """Return the id of a place that is free today, chosen by a random number.

    Raises:
        LimitError: the user has no place left today.
    """
    day = now_ms // DAY_MS
    ids = [upload_id(user, day, place, key) for place in range(PLACES_A_DAY)]
    free = [one for one in ids if one not in used]
    if not free:
        raise LimitError(
            "upload_limit",
            f"{PLACES_A_DAY} pictures were uploaded today (UTC), which is the limit. Use the ones "
            "that are there, or wait for the next day.",
            retry_after_seconds=next_day_seconds(now_ms),
        )
    return free[random_number % len(free)]


def _check(plain: bytes, user: str, key: bytes) -> bytes:
    signed = b"upload-id." + user.encode() + b"." + plain
    return hmac.digest(key, signed, "sha256")[:_CHECK_BYTES]
