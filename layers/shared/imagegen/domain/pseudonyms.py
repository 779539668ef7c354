"""Names of people for outsiders: keyed hashes, which cannot be guessed without the key.

A user's id is a plain hash of issuer and subject. Whoever guesses a subject can compute it, so it
never leaves the service. The key is the one of the image ids: it never changes, so that a name
stays the same when the quote keys are rotated. Each purpose has names of its own, so that a log, a
provider and an object in the bucket cannot be compared.
"""

import hmac

from imagegen.domain.ids import ImageRef

CHARACTERS = 32
LOG_CHARACTERS = 16


def log_name(user: str, key: bytes) -> str:
    """Return the name of a user in log lines, 16 hex digits: support can compute it."""
    return _name("log", user, key)[:LOG_CHARACTERS]


def provider_name(user: str, provider: str, key: bytes) -> str:
    """Return the name of a user for a provider, 32 hex digits, as in ``safety_identifier``."""
    return _name(f"provider.{provider}", user, key)


def object_name(ref: ImageRef, key: bytes) -> str:
    """Return the part of an object's key that depends on its owner, 32 hex digits.

    It is different for each image, so that two images of one user cannot be linked.
    """
    return _name("object", f"{ref.user}.{ref.quote_id}", key)


def _name(purpose: str, text: str, key: bytes) -> str:
    signed = f"pseudonym.{purpose}.{text}".encode()
    return hmac.digest(key, signed, "sha256").hex()[:CHARACTERS]
