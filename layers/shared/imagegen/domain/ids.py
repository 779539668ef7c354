"""The ids of an image, and the names of people for outsiders, which no outsider can work out.

The quote id, which may be logged, is 15 random bytes. The image id, which opens the image, is the
quote id, followed by the time of issue and the user, both masked with a keyed hash of the quote id.
The image is found by its id alone, without an index. Without the key it is not possible to read the
user from an image id, or to make a valid image id from a quote id or from another image id: a keyed
check precedes the masked part, and the mask depends on that check. Both ids are lower-case base32
of whole groups, so that each has only one spelling.

A user's id is a plain hash of issuer and subject. Whoever guesses a subject can compute it, so it
never leaves the service; a name for outsiders cannot be guessed without the key. The key never
changes, so that a name stays the same when the quote keys are rotated. Each purpose has names of
its own, so that a log, a provider and an object in the bucket cannot be compared.
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
_NAME_CHARACTERS = 32
_LOG_CHARACTERS = 16


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


WAITING = "wait-"
"""How the name of a hold's owner begins while no run has the hold: see ``domain.takeovers``."""


def is_waiting(owner: str) -> bool:
    """Return whether a hold waits for a run in another invocation, by the name of its owner."""
    return owner.startswith(WAITING)


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


def log_name(user: str, key: bytes) -> str:
    """Return the name of a user in log lines, 16 hex digits: support can compute it."""
    return _name("log", user, key)[:_LOG_CHARACTERS]


def provider_name(user: str, provider: str, key: bytes) -> str:
    """Return the name of a user for a provider, 32 hex digits, as in ``safety_identifier``."""
    return _name(f"provider.{provider}", user, key)


def object_name(ref: ImageRef, key: bytes) -> str:
    """Return the part of an object's key that depends on its owner, 32 hex digits.

    It is different for each image, so that two images of one user cannot be linked.
    """
    return _name("object", f"{ref.user}.{ref.quote_id}", key)


def _check(plain: bytes, nonce: str, key: bytes) -> bytes:
    signed = b"image-id-check." + nonce.encode() + b"." + plain
    return hmac.digest(key, signed, "sha256")[:_CHECK_BYTES]


def _masked(data: bytes, nonce: str, check: bytes, key: bytes) -> bytes:
    mask = hmac.digest(key, b"image-id." + nonce.encode() + b"." + check, "sha256")
    return bytes(a ^ b for a, b in zip(data, mask, strict=False))


def _name(purpose: str, text: str, key: bytes) -> str:
    signed = f"pseudonym.{purpose}.{text}".encode()
    return hmac.digest(key, signed, "sha256").hex()[:_NAME_CHARACTERS]
