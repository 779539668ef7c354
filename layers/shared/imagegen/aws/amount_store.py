"""The amounts that operators set, in DynamoDB: one item for each level.

They have a partition of their own, so that whoever may write them cannot write a counter.

d of the day · m of the month, in micro-dollars; one that is absent is not limited.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from imagegen.aws.items import ConditionFailedError, read_item, store_errors, to_item
from imagegen.aws.updates import Update
from imagegen.domain.budget_amounts import Amounts

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

STORE = "The store of budgets"
PARTITION = "AMOUNTS"


@dataclass(frozen=True, slots=True)
class DynamoAmountStore:
    """``AmountStore`` in a table with ``pk`` and ``sk``."""

    client: "DynamoDBClient"
    table: str

    def amounts(self, level: str) -> Amounts | None:
        """Return the amounts of a level, ``None`` if an operator has set none."""
        values = read_item(self.client, self.table, _key(level), store=STORE)
        return _amounts(values)

    def replace(self, level: str, before: Amounts | None, after: Amounts | None) -> bool:
        """Replace the amounts of a level; return ``False`` if they are not those of before.

        The write may be sent twice: if the amounts are those that it writes, it returns ``True``.
        """
        given: Any = {"TableName": self.table, **_still(before)}
        given["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        try:
            with store_errors(STORE):
                if after is None:
                    self.client.delete_item(Key=_key(level), **given)
                else:
                    item = {**_key(level), **to_item(_values(after))}
                    self.client.put_item(Item=item, **given)
        except ConditionFailedError as error:
            return _amounts(error.item) == after
        return True


def _values(amounts: Amounts) -> dict[str, int]:
    values = {"d": amounts.daily_microusd, "m": amounts.monthly_microusd}
    return {name: value for name, value in values.items() if value is not None}


def _amounts(values: Mapping[str, Any]) -> Amounts | None:
    return Amounts(values.get("d"), values.get("m")) if values else None


def _still(before: Amounts | None) -> dict[str, Any]:
    """Return the condition that the amounts are those of before."""
    if before is None:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    update, values = Update(), _values(before)
    update.require(f"attribute_exists({update.name('pk')})")
    for name in ("d", "m"):
        absent = f"attribute_not_exists({update.name(name)})"
        update.require(update.equals(values[name], name) if name in values else absent)
    return update.arguments()


def _key(level: str) -> dict[str, Any]:
    return to_item({"pk": PARTITION, "sk": level})
