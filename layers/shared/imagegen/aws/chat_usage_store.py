"""The chat's counts in DynamoDB: one item for each person and day, changed by conditional writes.

The partitions are not those of the ledgers, so that the chat's role can write only these.
n requests · t tokens · h_ID the reservation of a request · ttl when the item may be deleted.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from imagegen.aws.items import ConditionFailedError, read_item, store_errors, to_item
from imagegen.aws.updates import Update
from imagegen.domain.chat_usage import (
    ChatReservation,
    ChatUsage,
    DailyChatLimits,
    chat_limit_reached,
)
from imagegen.domain.errors import LimitError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

STORE = "The chat's counts"
CHAT_PARTITION = "C#"
KEPT_SECONDS = 3 * 86_400


@dataclass(frozen=True, slots=True)
class DynamoChatUsageStore:
    """``ChatUsageStore`` in a table with ``pk`` and ``sk``."""

    client: "DynamoDBClient"
    table: str

    def load(self, user: str, day: str) -> ChatUsage:
        """Return what the person used on that day; the read is strongly consistent."""
        return _to_usage(read_item(self.client, self.table, _key(user, day), store=STORE))

    def reserve(
        self, reservation: ChatReservation, limits: DailyChatLimits, *, now_ms: int
    ) -> LimitError | None:
        """Count the request and reserve its tokens, or return the limit that stops it."""
        update = Update()
        update.add("n", 1)
        update.add("t", reservation.tokens)
        update.set(f"h_{reservation.id}", reservation.tokens)
        update.set("ttl", now_ms // 1000 + KEPT_SECONDS)
        update.require(f"attribute_not_exists({update.name(f'h_{reservation.id}')})")
        update.at_most("n", limits.chats - 1)
        update.at_most("t", limits.tokens - reservation.tokens)
        try:
            self._update(reservation, update)
        except ConditionFailedError as error:
            usage = _to_usage(error.item)
            # If the reservation is there, the SDK sent the write twice, and the first succeeded.
            if reservation.id in usage.reservations:
                return None
            return chat_limit_reached(usage, reservation.tokens, limits, now_ms=now_ms)
        return None

    def settle(self, reservation: ChatReservation, *, tokens: int) -> None:
        """Replace the reservation by what was used; a second time changes nothing."""
        update = Update()
        update.add("t", tokens - reservation.tokens)
        update.remove(f"h_{reservation.id}")
        update.require(update.equals(reservation.tokens, f"h_{reservation.id}"))
        with suppress(ConditionFailedError):
            self._update(reservation, update)

    def _update(self, reservation: ChatReservation, update: Update) -> None:
        with store_errors(STORE):
            self.client.update_item(
                TableName=self.table,
                Key=_key(reservation.user, reservation.day),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **update.arguments(),
            )


def _key(user: str, day: str) -> dict[str, Any]:
    return to_item({"pk": f"{CHAT_PARTITION}{user}", "sk": f"DAY#{day}"})


def _to_usage(values: dict[str, Any]) -> ChatUsage:
    reservations = {name[2:]: one for name, one in values.items() if name.startswith("h_")}
    return ChatUsage(values.get("n", 0), values.get("t", 0), reservations)
