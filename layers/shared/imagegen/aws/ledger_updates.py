"""The write of each change of a ledger, with its conditions.

An update expresses a rule of ``domain/ledger.py`` in DynamoDB's language. It makes its own
condition false, so that it changes nothing when it is sent a second time.
"""

from typing import TYPE_CHECKING

from imagegen.aws.ledger_items import (
    STORED_STATES,
    latest_lease,
    lease_key,
    op_values,
    personal_values,
)
from imagegen.aws.updates import Update
from imagegen.domain import ledger as rules
from imagegen.domain import pruning
from imagegen.domain.days import utc_day
from imagegen.domain.ids import WAITING
from imagegen.domain.ledger import Hold, Ledger, Limits, OpState, PersonalLimits
from imagegen.domain.stores import LedgerSnapshot

if TYPE_CHECKING:
    from imagegen.domain.takeovers import Takeover

DAY_MS = 86_400_000
NOTHING_SET = PersonalLimits()
MAX_PRUNED = 40
"""The most attributes that one write removes, as an expression has at most 4 KB.

The next write removes others.
"""


def reserving(
    hold: Hold,
    limits: Limits,
    *,
    partition: str,
    now_ms: int,
    personal: PersonalLimits = NOTHING_SET,
) -> Update:
    """Return the write that holds money, slot, counts and the request together.

    ``partition`` is the user's in the index of leases. The write requires that ``personal`` are the
    person's limits, which are in ``limits``.
    """
    # A quote may name a slot that no longer exists, because the limit was lowered since.
    slot = hold.slot % limits.hourly_images if limits.hourly_images else None
    update = Update()
    update.add("v", 1)
    _spend(update, hold.day, hold.ceiling_microusd)
    update.add(f"n_{hold.day}", 1)
    update.add(f"a_{hold.day}", 1)
    op = rules.held_op(hold, limits, slot=slot, now_ms=now_ms)
    update.set(f"o_{hold.quote_id}", op_values(op))
    _keep_lease(update, partition, lease_key(hold.lease_ms, hold.quote_id))
    _require_room(update, hold, limits)
    require_personal(update, personal)
    if slot is not None:
        update.set(f"s{slot}", now_ms)
        update.at_most(f"s{slot}", now_ms - rules.HOUR_MS)
    return update


def taking(takeover: "Takeover", *, now_ms: int) -> Update:
    """Return the write that gives a hold to its run, by the rule of ``may_take``."""
    # The index keeps the end of the earlier lease: most runs end before a sweep looks then.
    update = Update()
    update.add("v", 1)
    op = f"o_{takeover.quote_id}"
    owner, lease = update.name(op, "ow"), update.name(op, "lx")
    update.sets.append(f"{owner} = {update.value(takeover.owner)}")
    update.sets.append(f"{lease} = {update.value(takeover.lease_ms)}")
    held = update.equals(STORED_STATES[OpState.HELD], op, "st")
    update.require(f"{held} AND {owner} = {update.value(takeover.previous)}")
    if takeover.of_dead_run:
        update.require(f"{lease} < {update.value(now_ms)}")
    else:
        update.require(f"begins_with({owner}, {update.value(WAITING)})")
        update.require(f"{lease} >= {update.value(now_ms)}")
    return update


def settling(
    snapshot: LedgerSnapshot, ledger: Ledger, *, charged_microusd: int, now_ms: int
) -> Update:
    """Return the write that lowers a hold, as ``ledger`` has it, to the charge."""
    op = ledger.ops[snapshot.quote_id]
    after = rules.settled(ledger, snapshot.quote_id, charged_microusd)
    update = _end_update(snapshot, ledger, after, now_ms=now_ms)
    _spend(update, op.day, charged_microusd - op.price_microusd)
    return update


def releasing(
    snapshot: LedgerSnapshot,
    ledger: Ledger,
    *,
    code: str,
    retryable: bool,
    is_attempt: bool,
    now_ms: int,
) -> Update:
    """Return the write that gives back a hold, as ``ledger`` has it."""
    # From the ledger, which is the stored one if it is known: a run that lost the answer of its
    # reservation only guessed the slot.
    op = ledger.ops[snapshot.quote_id]
    after = rules.released(ledger, snapshot.quote_id, code=code, retryable=retryable)
    update = _end_update(snapshot, ledger, after, now_ms=now_ms)
    _spend(update, op.day, -op.price_microusd)
    update.add(f"n_{op.day}", -1)
    if not is_attempt:
        update.add(f"a_{op.day}", -1)
    if op.slot is not None and ledger.slots.get(op.slot) == op.started_ms:
        update.require(update.equals(op.started_ms, f"s{op.slot}"))
        update.remove(f"s{op.slot}")
    return update


def waiting(quote_id: str, *, until_ms: int, now_ms: int) -> Update:
    """Return the write that takes the one place in which a call waits for a held request.

    It leaves the version as it is: nothing that a settle or a release depends on changes.
    """
    update, op = Update(), f"o_{quote_id}"
    waits = update.name(op, "w")
    update.sets.append(f"{waits} = {update.value(until_ms)}")
    update.require(update.equals(STORED_STATES[OpState.HELD], op, "st"))
    update.require_absent_or(f"{waits} <= {update.value(now_ms)}", op, "w")
    return update


def moving_lease(ledger: Ledger, partition: str, lease: str | None) -> Update:
    """Return the write that sets a user's key in the index, or removes it.

    It requires that the ledger has not changed since it was read.
    """
    update = Update()
    update.add("v", 1)
    _require_version(update, ledger)
    if lease is None:
        _leave_index(update)
    else:
        update.set("lp", partition)
        update.set("lx", lease)
    return update


def _spend(update: Update, day: str, amount: int) -> None:
    """Add to what is held and charged, which the conditions of every write here protect."""
    update.add(f"u_{day}", amount)
    update.add(f"m_{day[:6]}", amount)


def setting_limits(before: PersonalLimits, after: PersonalLimits) -> Update:
    """Return the write that sets a person's limits, if they are still those of before."""
    update = Update()
    if values := personal_values(after):
        update.set("lim", values)
    else:
        update.remove("lim")
    require_personal(update, before)
    return update


def require_personal(update: Update, limits: PersonalLimits) -> None:
    """Require that these are the person's limits."""
    values = personal_values(limits)
    absent = f"attribute_not_exists({update.name('lim')})"
    update.require(update.equals(values, "lim") if values else absent)


def _require_room(update: Update, hold: Hold, limits: Limits) -> None:
    op = f"o_{hold.quote_id}"
    released = update.equals(STORED_STATES[OpState.RELEASED], op, "st")
    is_retryable = update.equals(True, op, "r")  # noqa: FBT003
    update.require_absent_or(f"({released} AND {is_retryable})", op)
    update.at_most(f"u_{hold.day}", limits.daily_microusd - hold.ceiling_microusd)
    if limits.monthly_microusd is not None:
        update.at_most(f"m_{hold.day[:6]}", limits.monthly_microusd - hold.ceiling_microusd)
    update.at_most(f"n_{hold.day}", limits.daily_images - 1)
    update.at_most(f"a_{hold.day}", limits.daily_attempts - 1)
    update.require_absent_or(update.equals(False, "blk"), "blk")  # noqa: FBT003


def _end_update(snapshot: LedgerSnapshot, ledger: Ledger, after: Ledger, *, now_ms: int) -> Update:
    """Return the part of the write that a settle and a release have in common."""
    update, op, name = Update(), snapshot.op, f"o_{snapshot.quote_id}"
    update.add("v", 1)
    update.set(name, op_values(after.ops[snapshot.quote_id]))
    held = update.equals(STORED_STATES[OpState.HELD], name, "st")
    update.require(f"{held} AND {update.equals(op.owner, name, 'ow')}")
    _end_lease(update, ledger, after)
    for attribute in _prunable(ledger, now_ms=now_ms, kept_day=op.day):
        update.remove(attribute)
    return update


def _keep_lease(update: Update, partition: str, lease: str) -> None:
    """Put a user into the index; a user who is there stays where they are.

    Each change of a key is two writes of the index. A sweep at the end of the earlier lease moves
    it to the leases that are left then. A user whom an earlier release put into another partition
    moves to this one with the earlier lease, so that they are in the index all the time.
    """
    name = update.name("lx")
    update.set("lp", partition)
    update.sets.append(f"{name} = if_not_exists({name}, {update.value(lease)})")


def _end_lease(update: Update, ledger: Ledger, after: Ledger) -> None:
    """Remove a user without holds from the index.

    Beside other holds the key stays: one that is kept too long only causes a needless sweep. The
    user may be removed only if no hold was added since, so that write requires an unchanged ledger.
    """
    if latest_lease(after) is None:
        _require_version(update, ledger)
        _leave_index(update)


def _require_version(update: Update, ledger: Ledger) -> None:
    update.require(update.equals(ledger.version, "v"))


def _leave_index(update: Update) -> None:
    update.remove("lp")
    update.remove("lx")


def _prunable(ledger: Ledger, *, now_ms: int, kept_day: str) -> list[str]:
    oldest = min(kept_day, utc_day(now_ms - 2 * DAY_MS))
    ops, days = pruning.prunable(ledger, now_ms=now_ms, oldest_day=oldest)
    names = [f"o_{one}" for one in ops] + [f"{kind}_{day}" for day in days for kind in "una"]
    months = pruning.prunable_months(ledger, oldest_day=oldest)
    return (names + [f"m_{month}" for month in months])[:MAX_PRUNED]
