"""The two ids of an image: the quote id, which may be logged, and the image id, which opens it.

The quote id is 15 random bytes. The image id is the quote id, followed by the time of issue and
the user, both masked with a keyed hash of the quote id. The image is found by its id alone,
without an index. Without the key it is not possible to read the user from an image id, or to make
a valid image id from a quote id or from another image id: a keyed check precedes the masked part,
and the mask depends on that check.
Both ids are lower-case base32 of whole groups, so that each has only one spelling.
"""

import base64
import binascii
import hmac
from dataclasses import dataclass

from imagegen.domain.errors import NotFoundError

NONCE_BYTES = 15
_NONCE_CHARACTERS = 24
_CHECK_BYTES = 3
"""This check recognises a made-up id without a read of the store."""
_TIME_BYTES = 6
_IMAGE_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class ImageRef:
    """The reference under which an image and its record are stored."""

    quote_id: str
    user: str
    """32 hex digits."""
    issued_ms: int


def quote_id(nonce: bytes) -> str:
    """Return the quote id of 15 random bytes."""
    return base64.b32encode(nonce).decode().lower()


def digest_in_run_name(run: str) -> str:
    """Return the digest of the request in a run's name, or ``""`` if the name has none."""
    digest, dot, _ = run.partition(".")
    return digest if dot else ""


def image_id(ref: ImageRef, key: bytes) -> str:
    """Return the id that opens the image, 64 characters."""
    plain = ref.issued_ms.to_bytes(_TIME_BYTES) + bytes.fromhex(ref.user)
    check = _check(plain, ref.quote_id, key)
    masked = check + _masked(plain, ref.quote_id, check, key)
    return ref.quote_id + base64.b32encode(masked).decode().lower()


def parse_image_id(text: str, key: bytes) -> ImageRef:
    """Return the reference that an image id contains.

    Raises:
        NotFoundError: the text is not an image id of this service.
    """
    missing = NotFoundError("There is no such image.")
    # The keyed check shows that no image of this service has this id, so none is charged. The error
    # is the same as for an image that was not made.
    missing.charged = False
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
