"""Warnings of budgets in DynamoDB: one item each, in a partition of their own.

They end by themselves after some weeks. What reads the table's changes sends them on.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from imagegen.aws.items import ConditionFailedError, store_errors, to_item
from imagegen.domain.budget_warnings import BudgetWarning

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

STORE: Final = "The store of warnings"
PARTITION: Final = "WARNINGS"
KEPT_SECONDS: Final = 40 * 86_400
"""Longer than the month that a warning is about."""


@dataclass(frozen=True, slots=True)
class DynamoBudgetWarningStore:
    """``BudgetWarningStore`` in a table with ``pk`` and ``sk``."""

    client: "DynamoDBClient"
    table: str

    def add(self, warning: BudgetWarning, at_ms: int) -> None:
        """Keep a warning; the first one of its place stays."""
        item = {
            "pk": PARTITION,
            "sk": warning.place,
            "level": warning.title,
            "name": warning.level,
            "span": warning.span,
            "time": warning.time,
            "percent": warning.percent,
            "used_microusd": warning.used_microusd,
            "limit_microusd": warning.limit_microusd,
            "at_ms": at_ms,
            "ttl": at_ms // 1000 + KEPT_SECONDS,
        }
        with suppress(ConditionFailedError), store_errors(STORE):
            self.client.put_item(
                TableName=self.table,
                Item=to_item(item),
                ConditionExpression="attribute_not_exists(pk)",
            )
