"""The two ids of an image: the quote's, which logs may hold, and the image's, which opens it.

The quote id is 15 random bytes. The image id is the quote id and, masked with a keyed hash of it,
the time of issue and the user: whoever has the image id can be served without an index, and
nobody who lacks the key can tell whose image it is or make an id up from a quote id or from
another image id: a keyed check stands before what is masked, and the mask hangs on it.
Both are lower-case base32 of whole groups, so that each has one spelling.
"""

import base64
import binascii
import hmac
from dataclasses import dataclass

from imagegen.domain.errors import NotFoundError

NONCE_BYTES = 15
_NONCE_CHARACTERS = 24
_CHECK_BYTES = 3
"""A made-up id is told from a real one without asking the store."""
_TIME_BYTES = 6
_IMAGE_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class ImageRef:
    """Where an image and its record are kept."""

    quote_id: str
    user: str
    """32 hex digits."""
    issued_ms: int


def quote_id(nonce: bytes) -> str:
    """Return the quote id of 15 random bytes."""
    return base64.b32encode(nonce).decode().lower()


def digest_in_run_name(run: str) -> str:
    """Return the digest of the request in a run's name, ``""`` where the name holds none."""
    digest, dot, _ = run.partition(".")
    return digest if dot else ""


def image_id(ref: ImageRef, key: bytes) -> str:
    """Return the id that opens the image, 64 characters."""
    plain = ref.issued_ms.to_bytes(_TIME_BYTES) + bytes.fromhex(ref.user)
    check = _check(plain, ref.quote_id, key)
    masked = check + _masked(plain, ref.quote_id, check, key)
    return ref.quote_id + base64.b32encode(masked).decode().lower()


def parse_image_id(text: str, key: bytes) -> ImageRef:
    """Return what an image id stands for.

    Raises:
        NotFoundError: no image id of ours.
    """
    missing = NotFoundError("There is no such image.")
    if len(text) != _IMAGE_CHARACTERS or text != text.lower():
        raise missing
    nonce, tail = text[:_NONCE_CHARACTERS], text[_NONCE_CHARACTERS:]
    try:
        base64.b32decode(nonce, casefold=True)
        data = base64.b32decode(tail, casefold=True)
    except (binascii.Error, ValueError):
        raise missing from None
    check = data[:_CHECK_BYTES]
    plain = _masked(data[_CHECK_BYTES:], nonce, check, key)
    if not hmac.compare_digest(check, _check(plain, nonce, key)):
        raise missing
    return ImageRef(nonce, plain[_TIME_BYTES:].hex(), int.from_bytes(plain[:_TIME_BYTES]))


def _check(plain: bytes, nonce: str, key: bytes) -> bytes:
    signed = b"image-id-check." + nonce.encode() + b"." + plain
    return hmac.digest(key, signed, "sha256")[:_CHECK_BYTES]


def _masked(data: bytes, nonce: str, check: bytes, key: bytes) -> bytes:
    mask = hmac.digest(key, b"image-id." + nonce.encode() + b"." + check, "sha256")
    return bytes(a ^ b for a, b in zip(data, mask, strict=False))
