"""The mark of a blocked user: one attribute of the user's ledger, also of a user without one.

The write names no other attribute, so the role that sends it may be limited to this one.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imagegen.aws.items import store_errors, to_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

STORE = "The ledger"


@dataclass(frozen=True, slots=True)
class DynamoBlockStore:
    """``BlockStore`` in a table with ``pk`` and ``sk``."""

    client: "DynamoDBClient"
    table: str

    def set_blocked(self, user: str, *, blocked: bool) -> None:
        """Block a user, or let the user in again."""
        with store_errors(STORE):
            self.client.update_item(
                TableName=self.table,
                Key=to_item({"pk": f"U#{user}", "sk": "LEDGER"}),
                UpdateExpression="SET blk = :b",
                ExpressionAttributeValues=to_item({":b": blocked}),
            )
