"""Which request of an OpenAI client is the same one again, without anything kept for it.

The quote id of a call is a keyed hash of the caller and, where there is one, of the idempotency
key: the same key is the same quote, whose image is made and charged once. Without a key it is a
hash of the body and of ten minutes of the clock, moved on by a number: the first call takes the
number behind those in the user's ledger; a repeated one meets the call that runs, or the last that
there is. A ledger keeps what was begun for longer than those ten minutes, so no number is taken
twice.
"""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from imagegen.domain import ids
from imagegen.domain.ids import NONCE_BYTES, digest_in_run_name
from imagegen.domain.ledger import Op, OpState
from imagegen.domain.quote import LIFETIME_MS
from imagegen.openai_api.calls import Call

WINDOW_MS = LIFETIME_MS
WINDOWS_BACK = 6
"""An SDK gives up an attempt after 600 s and makes three: an hour holds them all."""
WINDOWS_AHEAD = 1
"""The first attempt may have met an instance whose clock was ahead."""
DIGEST_CHARACTERS = 10
HEAD_BYTES, HEAD_CHARACTERS = 5, 8
"""The part of a nonce that counts, and the same of a quote id; the rest tells windows apart."""
NUMBERS = 1 << 8 * HEAD_BYTES

type Place = tuple[int, int]
"""A window of the clock and a number in it: of two equal calls the later has the greater."""


@dataclass(frozen=True, slots=True)
class Places:
    """The quote ids that calls with one body and without a key may have now, and had lately."""

    bases: Mapping[int, bytes]
    """Each window's nonce of number 0."""
    windows: Mapping[str, int]
    """By what the quote ids of a window end in."""

    @classmethod
    def of(cls, call: Call, secret: bytes, *, now_ms: int) -> Self:
        """Return those of a call's body."""
        now = now_ms // WINDOW_MS
        bases = {
            window: _nonce(secret, call.user, "body", call.digest, str(window))
            for window in range(now - WINDOWS_BACK, now + WINDOWS_AHEAD + 1)
        }
        return cls(bases, {_tail(ids.quote_id(base)): window for window, base in bases.items()})

    def find(self, quote_id: str) -> Place | None:
        """Return where a quote id stands, ``None`` where it is of no such call."""
        window = self.windows.get(_tail(quote_id))
        if window is None:
            return None
        base, head = _head(self.bases[window]), _head(base64.b32decode(quote_id, casefold=True))
        return window, (head - base) % NUMBERS

    def nonce(self, place: Place) -> bytes:
        """Return what the quote id of a place is made from; the first byte counts fastest."""
        window, number = place
        base = self.bases[window]
        head = (_head(base) + number) % NUMBERS
        return head.to_bytes(HEAD_BYTES, "little") + base[HEAD_BYTES:]

    def last(self, ops: Mapping[str, Op]) -> Place | None:
        """Return where a repetition belongs: at the call that runs, else at the last there is.

        Never at an earlier failure before a later image: which of the two is repeated cannot be
        told, and an image whose reply was lost must not be bought twice.
        """
        known = {at: op for quote_id, op in ops.items() if (at := self.find(quote_id))}
        running = [at for at, op in known.items() if op.state is OpState.HELD]
        return max(running or known, default=None)

    def next(self, ops: Mapping[str, Op], *, now_ms: int) -> Place:
        """Return the place of a new call."""
        window = now_ms // WINDOW_MS
        known = (at for quote_id in ops if (at := self.find(quote_id)))
        taken = (number for where, number in known if where == window)
        return window, max(taken, default=-1) + 1


def nonce_of(call: Call, ops: Mapping[str, Op], secret: bytes, *, now_ms: int) -> bytes:
    """Return what the quote id of this call is made from; ``ops`` are the user's, by quote id."""
    if call.key is not None:
        return _nonce(secret, call.user, "key", call.key)
    places = Places.of(call, secret, now_ms=now_ms)
    last = None if call.is_first else places.last(ops)
    if last is not None and _meets(call, ops[ids.quote_id(places.nonce(last))]):
        return places.nonce(last)
    return places.nonce(places.next(ops, now_ms=now_ms))


def may_repeat(
    call: Call, quote_id: str, ops: Mapping[str, Op], secret: bytes, *, now_ms: int
) -> bool:
    """Return whether a client's automatic repetition of this call would meet no other call."""
    if call.key is not None:
        return True
    places = Places.of(call, secret, now_ms=now_ms)
    last = places.last(ops)
    return last is None or ids.quote_id(places.nonce(last)) == quote_id


def run_name(call: Call, random: str) -> str:
    """Return a run's name that says which body it works for: the ledger keeps it."""
    return f"{call.digest[:DIGEST_CHARACTERS]}.{random}"


def is_other(call: Call, run: str) -> bool:
    """Return whether the run worked for another body under the same idempotency key."""
    return call.key is not None and digest_in_run_name(run) not in (
        "",
        call.digest[:DIGEST_CHARACTERS],
    )


def _meets(call: Call, op: Op) -> bool:
    """Return whether a call is taken for the one before it.

    One that does not say how often it was tried is, while that one runs: a client whose connection
    broke may be trying again.
    """
    return call.is_again or (call.retries is None and op.state is OpState.HELD)


def _nonce(secret: bytes, *parts: str) -> bytes:
    text = "\n".join(("call", *parts)).encode("utf-8", "surrogatepass")
    return hmac.digest(secret, text, "sha256")[:NONCE_BYTES]


def _head(nonce: bytes) -> int:
    return int.from_bytes(nonce[:HEAD_BYTES], "little")


def _tail(quote_id: str) -> str:
    return quote_id[HEAD_CHARACTERS:]
