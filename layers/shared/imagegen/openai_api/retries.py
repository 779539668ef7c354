"""Which quote a call of an OpenAI client belongs to, without anything stored for it.

With an idempotency key the quote id is a keyed hash of user and key: the same key is the same
quote, whose image is made and charged once. Without a key, each call has a new quote id that ends
in a keyed hash of user and body. A call that says it is a retry (OpenAI's SDKs count their retries
in a header) is recognised by that ending: it belongs to the earlier attempt that still runs, else
to the latest one. Equal calls without a key and without a counted retry are different calls.
"""

import base64
import hmac
from collections.abc import Iterable, Mapping

from imagegen.domain import ids
from imagegen.domain.ids import NONCE_BYTES, digest_in_run_name
from imagegen.domain.ledger import Op, OpState
from imagegen.openai_api.calls import Call

RANDOM_BYTES = 5
"""The part of a nonce that tells calls with one body apart: 8 characters of the quote id."""
RANDOM_CHARACTERS = 8
RETRIED_MS = 3_600_000
"""How far back a counted retry looks: an SDK gives up an attempt after 600 s and makes three."""
DIGEST_CHARACTERS = 10


def nonce_of(call: Call, ops: Mapping[str, Op], secret: bytes, *, random: bytes) -> bytes:
    """Return what the quote id of this call is made from.

    ``ops`` are the user's, by quote id; ``random`` is ``RANDOM_BYTES`` long.
    """
    if call.key is not None:
        return _hash(secret, call.user, "key", call.key)
    earlier = earlier_attempt(call, ops, secret) if call.is_retry else None
    if earlier is not None:
        return base64.b32decode(earlier, casefold=True)
    return random + _body_hash(call, secret)


def earlier_attempt(call: Call, ops: Mapping[str, Op], secret: bytes) -> str | None:
    """Return the quote id of the attempt that a retry of this call belongs to.

    That is the attempt that runs, else the latest: never an earlier failure before a later image.
    Which of the two is retried cannot be known, and an image whose answer was lost must not be
    bought twice.
    """
    same = {quote_id: ops[quote_id] for quote_id in with_same_body(call, ops, secret)}
    running = {quote_id: op for quote_id, op in same.items() if op.state is OpState.HELD}
    candidates = running or same
    return max(candidates, key=lambda one: (candidates[one].expires_ms, one), default=None)


def with_same_body(call: Call, quote_ids: Iterable[str], secret: bytes) -> list[str]:
    """Return the quote ids of calls by the same user with the same body and without a key."""
    ending = ids.quote_id(bytes(RANDOM_BYTES) + _body_hash(call, secret))[RANDOM_CHARACTERS:]
    return [one for one in quote_ids if one[RANDOM_CHARACTERS:] == ending]


def may_retry(call: Call, quote_id: str, ops: Mapping[str, Op], secret: bytes) -> bool:
    """Return whether a client's automatic retry would belong to this very call."""
    return call.key is not None or earlier_attempt(call, ops, secret) in (None, quote_id)


def run_name(call: Call, random: str) -> str:
    """Return the name of a run that holds the digest of its request: the ledger keeps it."""
    return f"{call.digest[:DIGEST_CHARACTERS]}.{random}"


def has_other_body(call: Call, run: str) -> bool:
    """Return whether a run with this idempotency key was for a request with another body."""
    own = call.digest[:DIGEST_CHARACTERS]
    return call.key is not None and digest_in_run_name(run) not in ("", own)


def _body_hash(call: Call, secret: bytes) -> bytes:
    return _hash(secret, call.user, "body", call.digest)[RANDOM_BYTES:]


def _hash(secret: bytes, *parts: str) -> bytes:
    text = "\n".join(("call", *parts)).encode("utf-8", "surrogatepass")
    return hmac.digest(secret, text, "sha256")[:NONCE_BYTES]
