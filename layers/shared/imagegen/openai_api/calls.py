"""One request of an OpenAI client, and what its headers say of earlier attempts."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from imagegen.domain.errors import ParameterError
from imagegen.wire.headers import IDEMPOTENCY_KEY, RETRY_COUNT

MAX_KEY_CHARACTERS = 255


@dataclass(frozen=True)
class Call:
    """One request of a client, as far as it says whether it was made before."""

    user: str
    body: str
    """The same text for the same request."""
    key: str | None = None
    """The idempotency key."""
    retries: int | None = None
    """How often the client tried already; ``None`` where it does not say."""

    @property
    def is_retry(self) -> bool:
        """Return whether the client says that it sent this request before."""
        return bool(self.retries)

    @cached_property
    def digest(self) -> str:
        """What tells two bodies apart."""
        return hashlib.sha256(self.body.encode("utf-8", "surrogatepass")).hexdigest()


def call_of(headers: Mapping[str, str], body: str, user: str) -> Call:
    """Return which call of an SDK this is; ``body`` is the same text for the same request.

    Raises:
        ParameterError: the idempotency key is no plain text of 1 to 255 characters.
    """
    key, retries = headers.get(IDEMPOTENCY_KEY), headers.get(RETRY_COUNT, "")
    if key is not None and not (
        0 < len(key) <= MAX_KEY_CHARACTERS and key.isascii() and key.isprintable()
    ):
        detail = f"must be 1 to {MAX_KEY_CHARACTERS} plain characters"
        raise ParameterError(IDEMPOTENCY_KEY, f"{IDEMPOTENCY_KEY}: {detail}.")
    is_count = retries.isascii() and retries.isdigit() and len(retries) <= 3
    return Call(user, body, key, int(retries) if is_count else None)
