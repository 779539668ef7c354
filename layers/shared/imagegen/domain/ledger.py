"""The ledger of one user: what is held, what is charged, and which requests were made.

Every change is one atomic write of the user's entry. Stores must behave as these rules do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from imagegen.domain.budgets import TEAM_PREFIX, Level, LevelHold, mark_of

HOUR_MS = 3_600_000


class OpState(StrEnum):
    """The state of a request."""

    HELD = "held"
    SETTLED = "settled"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Op:
    """One request: its hold or its charge."""

    state: OpState
    price_microusd: int
    """Held: the ceiling. Settled: the charge."""
    owner: str
    """The run that holds it; no other run may settle it. Settled: empty, because that is final."""
    started_ms: int
    """When the hold was made. Settled: 0."""
    lease_ms: int
    """After this time the run counts as dead, and the reconciler ends it. Ended: 0."""
    expires_ms: int
    """When the quote expires; the entry must stay until then."""
    day: str
    """The UTC day whose limits it counts against. Ended: empty."""
    slot: int | None
    """The hour slot that it took, if the hour is limited. Ended: ``None``."""
    code: str = ""
    """Released: the code of the reason."""
    retryable: bool = False
    """Released: the same quote may be tried again."""
    waiter_until_ms: int = 0
    """Held: until when one repetition waits for its end."""
    partials: int = 0
    """Held: how many preview frames its quote has a price for."""
    levels: tuple[str, ...] = ()
    """Held: the levels at which it counts as well, by its mark there. Ended: empty."""
    mark: bytes = b""

    @property
    def at_levels(self) -> LevelHold:
        """What it holds at each of its levels."""
        return LevelHold(self.day, self.price_microusd, self.mark)

    @property
    def team(self) -> str:
        """The team's level among its levels, empty without one."""
        return next((level for level in self.levels if level.startswith(TEAM_PREFIX)), "")


NOT_HELD: Final[Mapping[str, Any]] = {
    "lease_ms": 0,
    "day": "",
    "slot": None,
    "waiter_until_ms": 0,
    "partials": 0,
    "levels": (),
    "mark": b"",
}
"""What an ended request no longer needs: so an hour's images fit in 1 KB, one write unit."""


@dataclass(frozen=True, slots=True)
class PersonalLimits:
    """Amounts of one person in micro-dollars; ``None`` is not set. The lower ones hold."""

    daily_microusd: int | None = None
    """Set by an operator in place of everybody's limit, as ``monthly_microusd`` is."""
    monthly_microusd: int | None = None
    own_daily_microusd: int | None = None
    """Set by the person, as ``own_monthly_microusd`` is."""
    own_monthly_microusd: int | None = None


@dataclass(frozen=True, slots=True)
class Ledger:
    """One user's entry."""

    version: int = 0
    slots: Mapping[int, int] = field(default_factory=dict)
    """Hour slots: when each was taken, in ms."""
    spent: Mapping[str, int] = field(default_factory=dict)
    """By UTC day: micro-dollars held and charged."""
    images: Mapping[str, int] = field(default_factory=dict)
    """By UTC day: images held and made."""
    attempts: Mapping[str, int] = field(default_factory=dict)
    """By UTC day. A release does not give them back, unless a level refused the hold."""
    ops: Mapping[str, Op] = field(default_factory=dict)
    """By quote id."""
    blocked: bool = False
    months: Mapping[str, int] = field(default_factory=dict)
    """By UTC month: micro-dollars held and charged."""
    personal: PersonalLimits = PersonalLimits()


@dataclass(frozen=True, slots=True)
class Limits:
    """What one user may do."""

    hourly_images: int = 10
    """In any rolling hour, not in a clock hour; 0 switches this limit off."""
    daily_images: int = 50
    daily_attempts: int = 100
    daily_microusd: int = 10_000_000
    monthly_microusd: int | None = None
    """``None``: counted, and not limited."""
    levels: tuple[Level, ...] = ()
    """The levels at which a hold counts as well; the one that all users share is last."""


@dataclass(frozen=True, slots=True)
class Hold:
    """What is to be reserved for a confirmed request."""

    quote_id: str
    owner: str
    day: str
    ceiling_microusd: int
    expires_ms: int
    lease_ms: int
    slot: int
    partials: int = 0


def free_slots(ledger: Ledger, limits: Limits, *, now_ms: int) -> tuple[int, ...]:
    """Return the hour slots that may be taken.

    A slot stays taken for a full hour, so that the limit holds in any rolling hour.
    """
    until_ms = now_ms - HOUR_MS
    return tuple(s for s in range(limits.hourly_images) if ledger.slots.get(s, 0) <= until_ms)


def may_reserve_op(ledger: Ledger, quote_id: str) -> bool:
    """Return whether the request is new, or was released in a way that may be tried again."""
    op = ledger.ops.get(quote_id)
    return op is None or (op.state is OpState.RELEASED and op.retryable)


def held_op(hold: Hold, limits: Limits, *, slot: int | None, now_ms: int) -> Op:
    """Return the request of a new hold."""
    price, levels = hold.ceiling_microusd, tuple(level.name for level in limits.levels)
    held = (OpState.HELD, price, hold.owner, now_ms, hold.lease_ms, hold.expires_ms, hold.day)
    mark = mark_of(hold.quote_id, hold.owner, hold.day, price, started_ms=now_ms) if levels else b""
    return Op(*held, slot, partials=hold.partials, levels=levels, mark=mark)


def reserved(ledger: Ledger, hold: Hold, limits: Limits, *, now_ms: int) -> Ledger:
    """Return the ledger with the hold: money, slot, both counts and the request together."""
    slot = hold.slot if limits.hourly_images else None
    op = held_op(hold, limits, slot=slot, now_ms=now_ms)
    return replace(
        ledger,
        version=ledger.version + 1,
        slots=ledger.slots if slot is None else {**ledger.slots, slot: now_ms},
        images=_plus(ledger.images, hold.day, 1),
        attempts=_plus(ledger.attempts, hold.day, 1),
        ops={**ledger.ops, hold.quote_id: op},
        spent=_plus(ledger.spent, hold.day, hold.ceiling_microusd),
        months=_plus(ledger.months, hold.day[:6], hold.ceiling_microusd),
    )


def settled(ledger: Ledger, quote_id: str, charged_microusd: int) -> Ledger:
    """Return the ledger with the hold lowered to the charge."""
    op = ledger.ops[quote_id]
    done = replace(
        op,
        state=OpState.SETTLED,
        price_microusd=charged_microusd,
        owner="",
        started_ms=0,
        **NOT_HELD,
    )
    change = charged_microusd - op.price_microusd
    return replace(
        ledger,
        version=ledger.version + 1,
        ops={**ledger.ops, quote_id: done},
        spent=_plus(ledger.spent, op.day, change),
        months=_plus(ledger.months, op.day[:6], change),
    )


def released(
    ledger: Ledger, quote_id: str, *, code: str, retryable: bool, is_attempt: bool = True
) -> Ledger:
    """Return the ledger with money, count and slot given back.

    The attempt stays counted, unless the hold was refused by a level: that is no attempt.
    """
    op = ledger.ops[quote_id]
    keep = op.slot is None or ledger.slots.get(op.slot) != op.started_ms
    slots = {s: at for s, at in ledger.slots.items() if keep or s != op.slot}
    done = replace(op, state=OpState.RELEASED, code=code, retryable=retryable, **NOT_HELD)
    attempts = ledger.attempts if is_attempt else _plus(ledger.attempts, op.day, -1)
    return replace(
        ledger,
        version=ledger.version + 1,
        slots=slots,
        images=_plus(ledger.images, op.day, -1),
        attempts=attempts,
        ops={**ledger.ops, quote_id: done},
        spent=_plus(ledger.spent, op.day, -op.price_microusd),
        months=_plus(ledger.months, op.day[:6], -op.price_microusd),
    )


def is_ended(mine: Op, found: Op | None, state: OpState) -> bool | None:
    """Return whether the stored request ``found`` ended in ``state`` for the run of ``mine``.

    ``None`` if the run still holds the request, so that the caller must end it. A settled request
    counts whichever run settled it; a release only if it ended the hold of this run, because
    another run may have held the request since. A request that was pruned counts as settled: its
    end is forgotten, and only a release that is seen permits to delete a stored image.
    """
    if found is None:
        return state is OpState.SETTLED
    if found.state is OpState.SETTLED:
        return state is OpState.SETTLED
    if found.owner != mine.owner:
        return False
    return None if found.state is OpState.HELD else found.state is state


def abandoned(ledger: Ledger, *, now_ms: int) -> dict[str, Op]:
    """Return the holds whose run is dead, by quote id."""
    return {
        quote_id: op
        for quote_id, op in ledger.ops.items()
        if op.state is OpState.HELD and op.lease_ms < now_ms
    }


def _plus(counts: Mapping[str, int], span: str, amount: int) -> dict[str, int]:
    """Return the counts of days or months with more in one of them."""
    return {**counts, span: counts.get(span, 0) + amount}
