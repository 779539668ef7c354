"""Finds the quote to which a call of an OpenAI client belongs, without storing anything for it.

With an idempotency key, the quote id is a keyed hash of user and key: the same key means the same
quote, whose image is made and charged once. Without a key, each call gets a new quote id that ends
in a keyed hash of user and body. OpenAI's SDKs count their retries in a header; a call with such a
count belongs to an earlier attempt whose quote id has the same ending: to the one that is still
running, else to the latest. Equal calls without a key and without a counted retry are different
calls. Each of several images of one call has a quote of its own, derived from its index as well.

A retry may arrive before the attempt that it repeats has reserved anything, because that attempt's
instance is still starting or reading the prompt. The retry then makes a quote id whose first bit is
set. By that bit the slower attempt recognises it and returns its image (``other_attempts`` has the
case that both reserve at the same time).
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from imagegen.domain import ids
from imagegen.domain.errors import ParameterError, ReusedKeyError
from imagegen.domain.ids import NONCE_BYTES, digest_in_run_name
from imagegen.domain.ledger import Op, OpState
from imagegen.domain.quote import LIFETIME_MS
from imagegen.usecases.generate.replay import not_charged
from imagegen.wire.headers import IDEMPOTENCY_KEY, RETRY_COUNT

MAX_KEY_CHARACTERS = 255
RANDOM_BYTES = 5
"""The random part of a nonce, which differs for calls with the same body. It becomes the first 8
characters of the quote id."""
RANDOM_CHARACTERS = 8
RETRY_WINDOW_MS = 3_600_000
"""How old the earlier attempt of a counted retry may be. An SDK gives up an attempt after 600 s and
makes at most three."""
DIGEST_CHARACTERS = 10
OF_RETRY = 0x80
"""The bit of a quote id's first byte that says whether a counted retry issued the quote."""
JOINED = "joined_another_attempt"
"""The code of a hold that was given back because another attempt of the call was faster."""


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
    arrived_ms: int | None = None
    """When the request reached Lambda, which may be before its instance started."""

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


def parse_call(
    headers: Mapping[str, str], body: str, user: str, *, arrived_ms: int | None = None
) -> Call:
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
    return Call(user, body, key, int(retries) if is_count else None, arrived_ms=arrived_ms)


def derive_nonce(
    call: Call, ops: Mapping[str, Op], secret: bytes, *, random: bytes, now_ms: int
) -> bytes:
    """Return the bytes from which the quote id of this call is made.

    ``ops`` are the user's requests in the ledger, by quote id; ``random`` has ``RANDOM_BYTES``.
    """
    if call.key is not None:
        return _hash(secret, call.user, "key", call.key, *_index(call))
    own = (call.random or fresh(call, random)) + _body_hash(call, secret)
    if call.random and _is_attempt(ops.get(ids.quote_id(own))):
        return own
    found = _joined(call, ops, secret, now_ms=now_ms)
    return own if found is None else base64.b32decode(found, casefold=True)


def fresh(call: Call, random: bytes) -> bytes:
    """Return random bytes for a new quote of a call, with the bit that says who issued it."""
    first = random[0] | OF_RETRY if call.is_retry else random[0] & ~OF_RETRY
    return bytes([first]) + random[1:]


def _joined(call: Call, ops: Mapping[str, Op], secret: bytes, *, now_ms: int) -> str | None:
    """Return the quote id of another attempt of this call, which has begun already."""
    if not call.is_retry:
        return overtaking(call, ops, secret)
    if call.random:
        # Of a set, an image that failed is tried again under the quote ids of its set.
        ops = {name: op for name, op in ops.items() if op.state is not OpState.RELEASED}
    return earlier_attempt(call, ops, secret, now_ms=now_ms)


def overtaking(call: Call, ops: Mapping[str, Op], secret: bytes) -> str | None:
    """Return the quote id of a retry of this call that was issued after the call arrived."""
    if call.retries != 0 or call.arrived_ms is None:
        return None
    found = {
        quote_id: op
        for quote_id in with_same_body(call, ops, secret)
        if base64.b32decode(quote_id[:RANDOM_CHARACTERS], casefold=True)[0] & OF_RETRY
        and (op := ops[quote_id]).expires_ms - LIFETIME_MS >= call.arrived_ms
        and _is_attempt(op)
    }
    return _running_or_latest(found)


def faster_attempt(
    call: Call, quote_id: str, seen: Mapping[str, Op], ops: Mapping[str, Op], secret: bytes
) -> str | None:
    """Return another attempt of this call that reserved since the call saw the ledger, if any.

    ``ops`` are the user's requests when this call, with its quote id, has reserved as well.
    """
    if call.key is not None or call.retries is None:
        return None
    new = {name: op for name, op in ops.items() if name not in seen and name != quote_id}
    if not call.is_retry:
        return overtaking(call, new, secret)
    same = [name for name in with_same_body(call, new, secret) if _is_attempt(new[name])]
    return same[0] if same else None


def earlier_attempt(call: Call, ops: Mapping[str, Op], secret: bytes, *, now_ms: int) -> str | None:
    """Return the quote id of the attempt that a retry of this call belongs to, if there is one.

    It is the attempt that is running, else the latest one of the last hour. If an attempt failed
    and a later one made an image, the request does not show which of the two is retried. The later
    one is assumed, because an image whose answer was lost must not be bought twice.
    """
    since_ms = now_ms - RETRY_WINDOW_MS
    same = {
        quote_id: op
        for quote_id in with_same_body(call, ops, secret)
        if (op := ops[quote_id]).expires_ms - LIFETIME_MS >= since_ms and _is_attempt(op)
    }
    return _running_or_latest(same)


def earlier_set(
    call: Call, count: int, ops: Mapping[str, Op], secret: bytes, *, now_ms: int
) -> bytes | None:
    """Return the random part of the earlier call for several images that a retry belongs to.

    As ``earlier_attempt``, for all of the images: one that had not begun belongs to it as well.
    """
    since_ms = now_ms - RETRY_WINDOW_MS
    calls = [replace(call, index=index) for index in range(count)]
    same = [
        (op.state is OpState.HELD, op.expires_ms, quote_id[:RANDOM_CHARACTERS])
        for one in calls
        for quote_id in with_same_body(one, ops, secret)
        if (op := ops[quote_id]).expires_ms - LIFETIME_MS >= since_ms and _is_attempt(op)
    ]
    return base64.b32decode(max(same)[2], casefold=True) if same else None


def with_same_body(call: Call, quote_ids: Iterable[str], secret: bytes) -> list[str]:
    """Return those of the quote ids that belong to keyless calls with the same user and body."""
    ending = ids.quote_id(bytes(RANDOM_BYTES) + _body_hash(call, secret))[RANDOM_CHARACTERS:]
    return [one for one in quote_ids if one[RANDOM_CHARACTERS:] == ending]


def may_retry(
    call: Call, quote_id: str, ops: Mapping[str, Op], secret: bytes, *, now_ms: int
) -> bool:
    """Return whether a client's automatic retry would belong to this call, not to another one."""
    if call.key is not None:
        return True
    return earlier_attempt(call, ops, secret, now_ms=now_ms) in (None, quote_id)


def run_name(call: Call, random: str) -> str:
    """Return the name of a run. It contains a digest of the request, and the ledger stores it."""
    return f"{call.digest[:DIGEST_CHARACTERS]}.{random}"


def has_other_body(call: Call, run: str) -> bool:
    """Return whether a run with the same idempotency key was for a request with another body.

    ``run`` is the run's name; the result is ``False`` for a name without a digest.
    """
    own = call.digest[:DIGEST_CHARACTERS]
    return call.key is not None and digest_in_run_name(run) not in ("", own)


def check_body(call: Call, run: str) -> None:
    """Raise ``ReusedKeyError`` if a run of the call's key was for a request with another body."""
    if has_other_body(call, run):
        with not_charged():  # The key's image is another one than this request's.
            raise ReusedKeyError("The Idempotency-Key was used with another body. Use a new key.")


def _is_attempt(op: Op | None) -> bool:
    """Return whether a request is an attempt that others may belong to."""
    return op is not None and op.code != JOINED


def _running_or_latest(ops: Mapping[str, Op]) -> str | None:
    running = {quote_id: op for quote_id, op in ops.items() if op.state is OpState.HELD}
    candidates = running or ops
    return max(candidates, key=lambda one: (candidates[one].expires_ms, one), default=None)


def _body_hash(call: Call, secret: bytes) -> bytes:
    return _hash(secret, call.user, "body", call.digest, *_index(call))[RANDOM_BYTES:]


def _index(call: Call) -> tuple[str, ...]:
    """Return what distinguishes the images of one call; a key contains no line break."""
    return (str(call.index),) if call.index else ()


def _hash(secret: bytes, *parts: str) -> bytes:
    text = "\n".join(("call", *parts)).encode()
    return hmac.digest(secret, text, "sha256")[:NONCE_BYTES]
