"""The levels' budgets in DynamoDB: one item for each level and month, changed by single writes.

u_DAY spend of a day · m spend of the month · h marks of open holds · t fences. An item is of one
month, so that nothing is pruned at its end, and its days are the report by day.

A take requires that its mark is absent, and a give that it is present, so that neither counts twice
when the SDK sends it twice, or when it arrives late. Limits are arguments of a take and are not
stored beside the counters: a give never looks at them.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from imagegen.aws.items import (
    ConditionFailedError,
    from_item,
    read_item,
    store_errors,
    to_item,
    was_sent_again,
)
from imagegen.aws.updates import Update
from imagegen.domain import budgets as rules
from imagegen.domain.budgets import Budget, Level, LevelHold, Take, Taken

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

STORE = "The store of budgets"
BUDGET_PARTITION = "L#"
NOTHING: frozenset[bytes] = frozenset()


@dataclass(frozen=True, slots=True)
class DynamoBudgetStore:
    """``BudgetStore`` in a table with ``pk`` and ``sk``."""

    client: "DynamoDBClient"
    table: str

    def load(self, level: str, month: str) -> Budget:
        """Return what is counted at a level in a month; the read is strongly consistent."""
        return to_budget(read_item(self.client, self.table, _key(level, month), store=STORE))

    def take(self, level: Level, hold: LevelHold) -> Take:
        """Count a hold at a level within its limits, or return why it does not fit."""
        try:
            answer = self._update(level.name, hold.day, taking(level, hold))
        except ConditionFailedError as error:
            budget = to_budget(error.item)
            result = rules.take_result(budget, level, hold)
            return Take(result, budget, error.was_sent_again)
        return Take(Taken.TAKEN, to_budget(from_item(answer["Attributes"])), was_sent_again(answer))

    def give(
        self, level: str, hold: LevelHold, change_microusd: int, *, is_unsure: bool, now_ms: int
    ) -> None:
        """End a hold: change what is counted by the charge less the price. A second time is safe.

        Without its mark the hold was ended before or never counted. If a copy of the take may still
        arrive, a fence is left, and the hold is looked for once more: it may have come in between.
        """
        update = giving(hold, change_microusd, is_unsure=is_unsure)
        try:
            answer = self._update(level, hold.day, update)
        except ConditionFailedError:
            if not is_unsure:
                return
            self._update(level, hold.day, fencing(hold.mark))
            with suppress(ConditionFailedError):
                self._update(level, hold.day, giving(hold, change_microusd, is_unsure=False))
            return
        old = rules.old_fences(to_budget(from_item(answer["Attributes"])), now_ms=now_ms)
        if old:
            self._update(level, hold.day, unfencing(old))

    def _update(self, level: str, day: str, update: Update) -> Any:
        with store_errors(STORE):
            return self.client.update_item(
                TableName=self.table,
                Key=_key(level, day[:6]),
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **update.arguments(),
            )


def taking(level: Level, hold: LevelHold) -> Update:
    """Return the write that counts a hold, once, within the level's limits."""
    update = Update()
    _spend(update, hold, hold.price_microusd)
    update.include("h", frozenset({hold.mark}))
    for attribute, most in ((_day(hold), level.daily_microusd), ("m", level.monthly_microusd)):
        if most is not None:
            update.at_most(attribute, most - hold.price_microusd)
    for attribute in ("h", "t"):
        update.require_absent_or(f"NOT {update.contains(hold.mark, attribute)}", attribute)
    return update


def giving(hold: LevelHold, change_microusd: int, *, is_unsure: bool) -> Update:
    """Return the write that ends a hold, once, and leaves a fence if it is unsure."""
    update = Update()
    _spend(update, hold, change_microusd)
    update.exclude("h", frozenset({hold.mark}))
    if is_unsure:
        update.include("t", frozenset({hold.mark}))
    update.require(update.contains(hold.mark, "h"))
    return update


def fencing(mark: bytes) -> Update:
    """Return the write that forbids a mark. It may be sent twice: a set has each member once."""
    update = Update()
    update.include("t", frozenset({mark}))
    return update


def unfencing(marks: frozenset[bytes]) -> Update:
    """Return the write that removes fences that are not needed any more."""
    update = Update()
    update.exclude("t", marks)
    return update


def to_budget(values: dict[str, Any]) -> Budget:
    """Return the budget in an item's values; it is empty if there are no values."""
    return Budget(
        days={name[2:]: used for name, used in values.items() if name.startswith("u_")},
        month_microusd=values.get("m", 0),
        marks=values.get("h", NOTHING),
        fences=values.get("t", NOTHING),
    )


def _spend(update: Update, hold: LevelHold, amount: int) -> None:
    update.add(_day(hold), amount)
    update.add("m", amount)


def _day(hold: LevelHold) -> str:
    return f"u_{hold.day}"


def _key(level: str, month: str) -> dict[str, Any]:
    return to_item({"pk": f"{BUDGET_PARTITION}{level}", "sk": f"B#{month}"})
