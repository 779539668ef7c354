"""The ledgers in DynamoDB: each change is one conditional UpdateItem on one user's item.

A write that the SDK sends twice changes nothing the second time: the first made its own condition
false, and the stored item, which the error contains, shows which run wrote it.
"""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from imagegen.aws.items import (
    ConditionFailedError,
    from_item,
    read_item,
    store_errors,
    to_item,
)
from imagegen.aws.ledger_items import (
    DEFERRED,
    STORE,
    latest_lease,
    lease_key,
    lease_partition,
    to_ledger,
)
from imagegen.aws.ledger_updates import (
    moving_lease,
    releasing,
    reserving,
    setting_limits,
    settling,
    taking,
    waiting,
)
from imagegen.aws.updates import Update
from imagegen.domain import ledger as rules
from imagegen.domain.errors import StoreUnavailableError
from imagegen.domain.ledger import Hold, Ledger, Limits, OpState, PersonalLimits
from imagegen.domain.personal_limits import applied
from imagegen.domain.standing import limit_reached
from imagegen.domain.stores import Held, Known, LedgerSnapshot, Refused, Reservation

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from imagegen.domain.personal_limits import Change
    from imagegen.domain.takeovers import Takeover

TRIES = 25
"""A hold loses its slot to others at most once for each slot; the other tries are a reserve."""


@dataclass(frozen=True, slots=True)
class DynamoLedgerStore:
    """``LedgerStore`` in a table with ``pk`` and ``sk``."""

    client: "DynamoDBClient"
    table: str

    def load(self, user: str) -> Ledger:
        """Return the user's ledger; the read is strongly consistent."""
        return to_ledger(read_item(self.client, self.table, _key(user), store=STORE))

    def reserve(self, user: str, hold: Hold, limits: Limits, *, now_ms: int) -> Reservation:
        """Hold money, slot, counts and the request together, or nothing.

        A person with limits of their own is met at the second write: few have any.
        """
        personal = PersonalLimits()
        build = partial(reserving, partition=lease_partition(user), now_ms=now_ms)
        for _ in range(TRIES):
            try:
                within = applied(limits, personal)
                update = build(hold, within, personal=personal)
                ledger = self._updated(user, update)
            except ConditionFailedError as error:
                ledger = to_ledger(error.item)
                personal = ledger.personal
                if answer := _why_not(ledger, hold, limits, now_ms=now_ms):
                    return answer
                free = rules.free_slots(ledger, limits, now_ms=now_ms)
                hold = replace(hold, slot=secrets.choice(free) if free else hold.slot)
            else:
                return Held(LedgerSnapshot(hold.quote_id, ledger))
        raise StoreUnavailableError("The ledger is too busy. Try again.", retry_after_seconds=1)

    def take(self, user: str, takeover: "Takeover", *, now_ms: int) -> LedgerSnapshot | None:
        """Return the hold as this run's own, ``None`` if it may not be taken over any more."""
        try:
            ledger = self._updated(user, taking(takeover, now_ms=now_ms))
        except ConditionFailedError as error:
            ledger = to_ledger(error.item)
            op = ledger.ops.get(takeover.quote_id)
            # The SDK may have sent the write twice, and the first one succeeded.
            if op is None or op.state is not OpState.HELD or op.owner != takeover.owner:
                return None
        return LedgerSnapshot(takeover.quote_id, ledger)

    def settle(
        self, user: str, snapshot: LedgerSnapshot, *, charged_microusd: int, now_ms: int
    ) -> bool:
        """Lower the hold to the charge. Return whether it is settled, also by the reconciler."""
        build = partial(settling, snapshot, charged_microusd=charged_microusd, now_ms=now_ms)
        return self._end(user, snapshot, OpState.SETTLED, build)

    def release(
        self,
        user: str,
        snapshot: LedgerSnapshot,
        *,
        code: str,
        retryable: bool,
        is_attempt: bool = True,
        now_ms: int,
    ) -> bool:
        """Give money, count and slot back. Return whether this run's hold is given back now."""
        build = partial(
            releasing,
            snapshot,
            code=code,
            retryable=retryable,
            is_attempt=is_attempt,
            now_ms=now_ms,
        )
        return self._end(user, snapshot, OpState.RELEASED, build)

    def wait(self, user: str, quote_id: str, *, until_ms: int, now_ms: int) -> bool:
        """Take the place of the one call that waits for a held request, until a time.

        If the SDK sends the write twice, the second finds the place taken: this call does not wait.
        """
        try:
            self._update(user, waiting(quote_id, until_ms=until_ms, now_ms=now_ms))
        except ConditionFailedError:
            return False
        return True

    def set_limits(self, user: str, change: "Change") -> PersonalLimits:
        """Change a person's limits; return the new ones."""
        before = self.load(user).personal
        for _ in range(TRIES):
            after = change(before)
            if after == before:
                return after
            try:
                self._update(user, setting_limits(before, after))
            except ConditionFailedError as error:
                before = to_ledger(error.item).personal
            else:
                return after
        raise StoreUnavailableError("The ledger is too busy. Try again.", retry_after_seconds=1)

    def lapsed(self, *, now_ms: int, limit: int) -> Iterator[str]:
        """Yield users whose lease in the index has ended, the oldest first."""
        # Imported here: only a sweep reads the index.
        from imagegen.aws.lease_index import due  # noqa: PLC0415

        return due(self.client, self.table, now_ms=now_ms, limit=limit)

    def forget_lease(self, user: str) -> bool:
        """Remove a user without holds from the index, else set the latest lease there.

        Return whether the index changed.
        """
        ledger, place = self._load_with_lease(user)
        partition, wanted = lease_partition(user), latest_lease(ledger)
        if place == ((partition, wanted) if wanted else (None, None)):
            return False
        return self._move_lease(user, ledger, wanted)

    def defer_lease(self, user: str, *, now_ms: int) -> bool:
        """Move a user to the end of those in the index whose lease has ended before ``now_ms``."""
        ledger, (_, lease) = self._load_with_lease(user)
        last = lease_key(now_ms - 1, DEFERRED)
        if lease is None or lease >= last:
            return False
        return self._move_lease(user, ledger, last)

    def _load_with_lease(self, user: str) -> tuple[Ledger, tuple[str | None, str | None]]:
        """Return the user's ledger, and partition and sort key of the user in the index."""
        values = read_item(self.client, self.table, _key(user), store=STORE)
        return to_ledger(values), (values.get("lp"), values.get("lx"))

    def _move_lease(self, user: str, ledger: Ledger, lease: str | None) -> bool:
        try:
            self._update(user, moving_lease(ledger, lease_partition(user), lease))
        except ConditionFailedError:
            return False  # Another write changed the ledger; the next sweep looks again.
        return True

    def _end(
        self, user: str, snapshot: LedgerSnapshot, state: OpState, build: Callable[[Ledger], Update]
    ) -> bool:
        """End a request. Return whether it is in ``state`` now, by us or by another for its run."""
        ledger = snapshot.ledger
        for _ in range(TRIES):
            ended = rules.is_ended(snapshot.op, ledger.ops.get(snapshot.quote_id), state)
            if ended is not None:
                return ended
            try:
                self._update(user, build(ledger))
            except ConditionFailedError as error:
                ledger = to_ledger(error.item)
            else:
                return True
        raise StoreUnavailableError("The ledger is too busy. Try again.", retry_after_seconds=1)

    def _updated(self, user: str, update: Update) -> Ledger:
        """Write, and return the ledger as it is then."""
        answer = self._update(user, update, ReturnValues="ALL_NEW")
        return to_ledger(from_item(answer["Attributes"]))

    def _update(self, user: str, update: Update, **more: Any) -> Any:
        """Write. A ledger may have tens of kilobytes: it is asked for only where it is read."""
        with store_errors(STORE):
            return self.client.update_item(
                TableName=self.table,
                Key=_key(user),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **more,
                **update.arguments(),
            )


def _key(user: str) -> dict[str, Any]:
    return to_item({"pk": f"U#{user}", "sk": "LEDGER"})


def _why_not(
    ledger: Ledger, hold: Hold, limits: Limits, *, now_ms: int
) -> Held | Known | Refused | None:
    """Return why a reservation failed, or ``None`` if only its slot was taken."""
    op = ledger.ops.get(hold.quote_id)
    if op is not None and op.state is OpState.HELD and op.owner == hold.owner:
        # The SDK sent the write twice, and the first one succeeded.
        return Held(LedgerSnapshot(hold.quote_id, ledger))
    if not rules.may_reserve_op(ledger, hold.quote_id):
        return Known(LedgerSnapshot(hold.quote_id, ledger))
    if limit := limit_reached(ledger, hold, limits, now_ms=now_ms):
        return Refused(limit, ledger)
    return None
