"""The amounts that operators set, in DynamoDB: one item for each level.

They have a partition of their own, so that whoever may write them cannot write a counter.

d of the day · m of the month, in micro-dollars; one that is absent is not limited.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from imagegen.aws.items import read_item, store_errors, to_item
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
        return Amounts(values.get("d"), values.get("m")) if values else None

    def set_amounts(self, level: str, amounts: Amounts | None) -> None:
        """Set the amounts of a level, or remove them.

        The write may be sent twice: it sets the same values again.
        """
        with store_errors(STORE):
            if amounts is None:
                self.client.delete_item(TableName=self.table, Key=_key(level))
                return
            values = {"d": amounts.daily_microusd, "m": amounts.monthly_microusd}
            some = {name: value for name, value in values.items() if value is not None}
            self.client.put_item(TableName=self.table, Item={**_key(level), **to_item(some)})


def _key(level: str) -> dict[str, Any]:
    return to_item({"pk": PARTITION, "sk": level})
