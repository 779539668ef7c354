"""The ledgers in DynamoDB: each move is one conditional UpdateItem on one user's item.

The conditions say what ``domain/ledger.py`` says. A write that the SDK sends twice changes nothing
the second time: the first made its own condition false, and the answer shows whose it was.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from imagegen.aws.expressions import Update
from imagegen.aws.items import ConditionFailedError, from_item, store_errors, to_item
from imagegen.aws.ledger_items import (
    LEASE_PARTITION,
    held_op,
    lease_key,
    op_values,
    to_ledger,
)
from imagegen.domain import ledger as rules
from imagegen.domain.days import utc_day
from imagegen.domain.errors import StoreUnavailableError
from imagegen.domain.ledger import Hold, Ledger, Limits, OpState
from imagegen.domain.stores import Held, Known, Refused, Reservation, Seen

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

STORE = "The ledger"
TRIES = 25
"""A hold loses a slot to another at most as often as there are slots; the rest is luck."""
LEASES_INDEX = "leases"
DAY_MS = 86_400_000
MAX_PRUNED = 40
"""Attributes removed by one write: an expression may have 4 KB. The next write goes on."""


@dataclass(frozen=True, slots=True)
class DynamoLedgerStore:
    """``LedgerStore`` over a table with ``pk`` and ``sk``."""

    client: "DynamoDBClient"
    table: str

    def load(self, user: str) -> Ledger:
        """Return the user's ledger, as of now."""
        with store_errors(STORE):
            answer = self.client.get_item(TableName=self.table, Key=_key(user), ConsistentRead=True)
        return to_ledger(from_item(answer.get("Item", {})))

    def reserve(self, user: str, hold: Hold, limits: Limits, *, now_ms: int) -> Reservation:
        """Hold money, slot, counts and the request together, or nothing."""
        for _ in range(TRIES):
            try:
                values = self._update(user, _reserve_update(hold, limits, now_ms=now_ms))
            except ConditionFailedError as error:
                ledger = to_ledger(error.item)
                if answer := _why_not(ledger, hold, limits, now_ms=now_ms):
                    return answer
                free = rules.free_slots(ledger, limits, now_ms=now_ms)
                hold = replace(hold, slot=random.choice(free) if free else hold.slot)
            else:
                return Held(Seen(hold.quote_id, to_ledger(values)))
        raise StoreUnavailableError("The ledger is too busy. Try again.", retry_after_seconds=1)

    def settle(self, user: str, seen: Seen, *, charged_microusd: int, now_ms: int) -> bool:
        """Lower the hold to the charge. An image charged by the reconciler is charged, too."""

        def build(ledger: Ledger) -> Update:
            op = ledger.ops[seen.quote_id]
            update = _ending(seen, ledger, OpState.SETTLED, now_ms=now_ms)
            update.add(f"u_{op.day}", charged_microusd - op.price_microusd)
            _set_in_op(update, seen.quote_id, "p", charged_microusd)
            return update

        return self._end(user, seen, OpState.SETTLED, build)

    def release(self, user: str, seen: Seen, *, code: str, retryable: bool, now_ms: int) -> bool:
        """Give money, count and slot back; the attempt stays counted."""

        def build(ledger: Ledger) -> Update:
            # As stored, where that is known: whoever lost the answer only guessed the slot.
            op = ledger.ops[seen.quote_id]
            update = _ending(seen, ledger, OpState.RELEASED, now_ms=now_ms)
            update.add(f"u_{op.day}", -op.price_microusd)
            update.add(f"n_{op.day}", -1)
            _set_in_op(update, seen.quote_id, "c", code)
            _set_in_op(update, seen.quote_id, "r", retryable)
            if op.slot is not None and ledger.slots.get(op.slot) == op.started_ms:
                slot = update.name(f"s{op.slot}")
                update.require(f"{slot} = {update.value(op.started_ms)}")
                update.removes.append(slot)
            return update

        return self._end(user, seen, OpState.RELEASED, build)

    def lapsed(self, *, now_ms: int, limit: int) -> list[str]:
        """Return users whose newest hold has outlived its lease, the oldest first."""
        with store_errors(STORE):
            answer = self.client.query(
                TableName=self.table,
                IndexName=LEASES_INDEX,
                KeyConditionExpression="lp = :p AND lx < :now",
                ExpressionAttributeValues=to_item(
                    {":p": LEASE_PARTITION, ":now": lease_key(now_ms, "")}
                ),
                Limit=limit,
            )
        return [from_item(item)["pk"].removeprefix("U#") for item in answer["Items"]]

    def forget_lease(self, user: str) -> bool:
        """Take a user without any hold off the index; with one, put its lease there."""
        with store_errors(STORE):
            answer = self.client.get_item(TableName=self.table, Key=_key(user), ConsistentRead=True)
        values = from_item(answer.get("Item", {}))
        ledger, seen = to_ledger(values), values.get("lx")
        wanted = _latest_lease(ledger)
        if seen == wanted:
            return False
        update = Update()
        update.add("v", 1)
        update.require(f"{update.name('v')} = {update.value(ledger.version)}")
        _set_lease(update, wanted)
        try:
            self._update(user, update)
        except ConditionFailedError:
            return False  # Somebody is at it; the next sweep sees what is left.
        return True

    def _end(
        self, user: str, seen: Seen, state: OpState, build: Callable[[Ledger], Update]
    ) -> bool:
        """Return whether the request is in ``state`` now, by us or by another for the same run."""
        ledger = seen.ledger
        for _ in range(TRIES):
            try:
                self._update(user, build(ledger))
            except ConditionFailedError as error:
                ledger = to_ledger(error.item)
                found = ledger.ops.get(seen.quote_id)
                if found is None or found.owner != seen.op.owner:
                    return False
                if found.state is not OpState.HELD:
                    return found.state is state
            else:
                return True
        raise StoreUnavailableError("The ledger is too busy. Try again.", retry_after_seconds=1)

    def _update(self, user: str, update: Update) -> dict[str, Any]:
        with store_errors(STORE):
            answer = self.client.update_item(
                TableName=self.table,
                Key=_key(user),
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **update.arguments(),
            )
        return from_item(answer["Attributes"])


def _key(user: str) -> dict[str, Any]:
    return to_item({"pk": f"U#{user}", "sk": "LEDGER"})


def _reserve_update(hold: Hold, limits: Limits, *, now_ms: int) -> Update:
    # A quote may name a slot of a limit that was lowered since.
    slot = hold.slot % limits.hourly_images if limits.hourly_images else None
    update = Update()
    update.add("v", 1)
    update.add(f"u_{hold.day}", hold.ceiling_microusd)
    update.add(f"n_{hold.day}", 1)
    update.add(f"a_{hold.day}", 1)
    op = held_op(hold, slot=slot, now_ms=now_ms)
    update.set(f"o_{hold.quote_id}", op_values(op))
    _set_lease(update, lease_key(hold.lease_ms, hold.quote_id))
    name = update.name(f"o_{hold.quote_id}")
    released = f"{name}.{update.name('st')} = {update.value(OpState.RELEASED.value)}"
    again = f"{released} AND {name}.{update.name('r')} = {update.value(True)}"  # noqa: FBT003
    update.require(f"attribute_not_exists({name}) OR ({again})")
    update.at_most(f"u_{hold.day}", limits.daily_microusd - hold.ceiling_microusd)
    update.at_most(f"n_{hold.day}", limits.daily_images - 1)
    update.at_most(f"a_{hold.day}", limits.daily_attempts - 1)
    blocked = update.name("blk")
    free = f"{blocked} = {update.value(False)}"  # noqa: FBT003
    update.require(f"attribute_not_exists({blocked}) OR {free}")
    if slot is not None:
        update.set(f"s{slot}", now_ms)
        update.at_most(f"s{slot}", now_ms - rules.HOUR_MS)
    return update


def _why_not(
    ledger: Ledger, hold: Hold, limits: Limits, *, now_ms: int
) -> Held | Known | Refused | None:
    """Return what a failed reservation found, ``None`` when only the slot was taken."""
    op = ledger.ops.get(hold.quote_id)
    if op is not None and op.state is OpState.HELD and op.owner == hold.owner:
        # The SDK sent it twice and the first one arrived.
        return Held(Seen(hold.quote_id, ledger))
    if not rules.may_reserve_op(ledger, hold.quote_id):
        return Known(Seen(hold.quote_id, ledger))
    if limit := rules.limit_reached(ledger, hold, limits, now_ms=now_ms):
        return Refused(limit, ledger)
    return None


def _ending(seen: Seen, ledger: Ledger, state: OpState, *, now_ms: int) -> Update:
    """Return what a settle and a release have in common."""
    update, op = Update(), seen.op
    update.add("v", 1)
    _set_in_op(update, seen.quote_id, "st", state.value)
    name = update.name(f"o_{seen.quote_id}")
    held = f"{name}.{update.name('st')} = {update.value(OpState.HELD.value)}"
    update.require(f"{held} AND {name}.{update.name('ow')} = {update.value(op.owner)}")
    _hand_lease_on(update, seen.quote_id, ledger)
    for attribute in _prunable(ledger, now_ms=now_ms, beside=op.day):
        update.remove(attribute)
    return update


def _set_in_op(update: Update, quote_id: str, attribute: str, value: Any) -> None:
    path = f"{update.name(f'o_{quote_id}')}.{update.name(attribute)}"
    update.sets.append(f"{path} = {update.value(value)}")


def _hand_lease_on(update: Update, quote_id: str, ledger: Ledger) -> None:
    """Put the lease of another hold on the index; without one take the user off it.

    Leases do not end in the order in which they were put there, so none is looked for. A lease
    too many only brings a sweep; the last one may go only while nobody adds another.
    """
    others = {name: op for name, op in ledger.ops.items() if name != quote_id}
    lease = _latest_lease(replace(ledger, ops=others))
    if lease is None:
        update.require(f"{update.name('v')} = {update.value(ledger.version)}")
    _set_lease(update, lease)


def _set_lease(update: Update, lease: str | None) -> None:
    if lease is None:
        update.remove("lp")
        update.remove("lx")
    else:
        update.set("lp", LEASE_PARTITION)
        update.set("lx", lease)


def _latest_lease(ledger: Ledger) -> str | None:
    held = (
        lease_key(op.lease_ms, quote_id)
        for quote_id, op in ledger.ops.items()
        if op.state is OpState.HELD
    )
    return max(held, default=None)


def _prunable(ledger: Ledger, *, now_ms: int, beside: str) -> list[str]:
    oldest = min(beside, utc_day(now_ms - 2 * DAY_MS))
    ops, days = rules.prunable(ledger, now_ms=now_ms, oldest_day=oldest)
    names = [f"o_{one}" for one in ops] + [f"{kind}_{day}" for day in days for kind in "una"]
    return names[:MAX_PRUNED]
