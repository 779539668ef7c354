"""Which request of an OpenAI client is the same one again, without anything kept for it.

The quote id of a call is a keyed hash of the caller and, where there is one, of the idempotency
key: the same key is the same quote, whose image is made and charged once. Without a key it is a
hash of the body, of ten minutes of the clock and of a number: the first call takes the first number
that is not in the user's ledger, a repeated one the last that is. A ledger keeps what was begun for
longer than those ten minutes, so no number is ever taken twice.
"""

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import count

from imagegen.domain import ids
from imagegen.domain.ids import NONCE_BYTES
from imagegen.domain.ledger import Op, OpState
from imagegen.domain.quote import LIFETIME_MS

WINDOW_MS = LIFETIME_MS
WINDOWS_BACK = 6
"""An SDK gives up an attempt after 600 s and makes three: an hour holds them all."""
MOST_NUMBERS = 128
"""Equal requests of one user in ten minutes; more are told apart, but not met again."""
DIGEST_CHARACTERS = 10


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
    def is_again(self) -> bool:
        """Return whether an earlier attempt may have spent."""
        return self.key is not None or bool(self.retries)

    @property
    def is_first(self) -> bool:
        """Return whether this is surely no repetition: it may have an image of its own."""
        return self.key is None and self.retries == 0

    @cached_property
    def digest(self) -> str:
        """What tells two bodies apart."""
        return hashlib.sha256(self.body.encode("utf-8", "surrogatepass")).hexdigest()


def nonce_of(call: Call, ops: Mapping[str, Op], secret: bytes, *, now_ms: int) -> bytes:
    """Return what the quote id of this call is made from; ``ops`` are the user's, by quote id."""
    if call.key is not None:
        return _nonce(secret, call.user, "key", call.key)
    last = next(
        (nonce for nonce in earlier(call, secret, now_ms=now_ms) if _id(nonce) in ops), None
    )
    if last is not None and _meets(call, ops[_id(last)]):
        return last
    window = now_ms // WINDOW_MS
    return next(n for k in count() if _id(n := _numbered(call, secret, window, k)) not in ops)


def earlier(call: Call, secret: bytes, *, now_ms: int) -> Iterator[bytes]:
    """Yield the nonces that calls with this body may have had, the newest first."""
    newest = now_ms // WINDOW_MS
    if call.is_first:
        return
    for window in range(newest, newest - WINDOWS_BACK - 1, -1):
        for number in reversed(range(MOST_NUMBERS)):
            yield _numbered(call, secret, window, number)


def run_name(call: Call, random: str) -> str:
    """Return a run's name that says which body it works for: the ledger keeps it."""
    return f"{call.digest[:DIGEST_CHARACTERS]}.{random}"


def request_of(run: str) -> str:
    """Return the body that a run's name tells of, nothing where it tells of none."""
    digest, dot, _ = run.partition(".")
    return digest if dot else ""


def is_other(call: Call, run: str) -> bool:
    """Return whether the run worked for another body under the same idempotency key."""
    return call.key is not None and request_of(run) not in ("", call.digest[:DIGEST_CHARACTERS])


def _meets(call: Call, op: Op) -> bool:
    """Return whether a call is taken for the one before it.

    One that does not say how often it was tried is, while that one runs: a client whose connection
    broke may be trying again.
    """
    return call.is_again or (call.retries is None and op.state is OpState.HELD)


def _numbered(call: Call, secret: bytes, window: int, number: int) -> bytes:
    return _nonce(secret, call.user, "body", call.digest, str(window), str(number))


def _nonce(secret: bytes, *parts: str) -> bytes:
    text = "\n".join(("call", *parts)).encode("utf-8", "surrogatepass")
    return hmac.digest(secret, text, "sha256")[:NONCE_BYTES]


def _id(nonce: bytes) -> str:
    return ids.quote_id(nonce)
