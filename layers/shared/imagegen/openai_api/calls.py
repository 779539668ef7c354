"""One request of an OpenAI client, with the headers by which a repetition is recognised."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from imagegen.domain.errors import ParameterError
from imagegen.wire.headers import IDEMPOTENCY_KEY, RETRY_COUNT

MAX_KEY_CHARACTERS = 255


@dataclass(frozen=True)
class Call:
    """The parts of a request that show whether it was sent before."""

    user: str
    body: str
    """The body in canonical form: equal requests have equal text."""
    key: str | None = None
    """The idempotency key."""
    retries: int | None = None
    """How often the client has already retried this request; ``None`` without the header."""
    index: int = 0
    """Which of the images of the request it is."""
    random: bytes = b""
    """The random part that the quotes of several images of a keyless call share."""

    @property
    def is_retry(self) -> bool:
        """Return whether the client has sent this request before, by its own count."""
        return bool(self.retries)

    @property
    def is_recognised(self) -> bool:
        """Return whether a repetition of this call can be told from a new call."""
        return self.key is not None or self.retries is not None

    @cached_property
    def digest(self) -> str:
        """The SHA-256 digest of the body, as hexadecimal text."""
        return hashlib.sha256(self.body.encode("utf-8", "surrogatepass")).hexdigest()


def parse_call(headers: Mapping[str, str], body: str, user: str) -> Call:
    """Return the call of a user; ``body`` is in canonical form.

    Raises:
        ParameterError: the idempotency key does not have 1 to 255 printable ASCII characters.
    """
    key, retries = headers.get(IDEMPOTENCY_KEY), headers.get(RETRY_COUNT, "")
    if key is not None and not (
        0 < len(key) <= MAX_KEY_CHARACTERS and key.isascii() and key.isprintable()
    ):
        detail = f"must be 1 to {MAX_KEY_CHARACTERS} printable ASCII characters"
        raise ParameterError(IDEMPOTENCY_KEY, f"{IDEMPOTENCY_KEY}: {detail}.")
    is_count = retries.isascii() and retries.isdigit() and len(retries) <= 3
    return Call(user, body, key, int(retries) if is_count else None)
