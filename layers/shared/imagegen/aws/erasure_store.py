"""The erasures that are not finished: one small partition, an item for each user."""

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from imagegen.aws.items import (
    ConditionFailedError,
    from_item,
    read_item,
    store_errors,
    to_item,
)
from imagegen.domain.erasures import Erasure
from imagegen.domain.records import Place

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

STORE = "The erasures"
PARTITION = "ERASE"


@dataclass(frozen=True, slots=True)
class DynamoErasureStore:
    """``ErasureStore`` in a table with ``pk`` and ``sk``."""

    client: "DynamoDBClient"
    table: str

    def ask(self, erasure: Erasure) -> Erasure:
        """Store an erasure; one that is asked for already stays and is returned."""
        item = _key(erasure.user) | {"at": erasure.asked_ms, "who": erasure.who}
        try:
            with store_errors(STORE):
                self.client.put_item(
                    TableName=self.table,
                    Item=to_item(item),
                    ConditionExpression="attribute_not_exists(pk)",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ConditionFailedError as error:
            return _to_erasure(error.item)
        return erasure

    def find(self, user: str) -> Erasure | None:
        """Return the user's erasure; the read is strongly consistent."""
        values = read_item(self.client, self.table, to_item(_key(user)), store=STORE)
        return _to_erasure(values) if values else None

    def pending(self, *, limit: int) -> list[Erasure]:
        """Return erasures that are not finished."""
        with store_errors(STORE):
            answer = self.client.query(
                TableName=self.table,
                KeyConditionExpression="pk = :p",
                ExpressionAttributeValues=to_item({":p": PARTITION}),
                ConsistentRead=True,
                Limit=limit,
            )
        return [_to_erasure(from_item(item)) for item in answer["Items"]]

    def advance(self, erasure: Erasure, done: Place) -> None:
        """Store the place of the last erased image, if it is still the same erasure."""
        values = {":d": f"{done.issued_ms}.{done.quote_id}", ":at": erasure.asked_ms}
        with suppress(ConditionFailedError), store_errors(STORE):
            self.client.update_item(
                TableName=self.table,
                Key=to_item(_key(erasure.user)),
                UpdateExpression="SET done = :d",
                ConditionExpression="#at = :at",
                ExpressionAttributeNames={"#at": "at"},
                ExpressionAttributeValues=to_item(values),
            )

    def finish(self, erasure: Erasure) -> None:
        """Remove an erasure, unless another one was asked for since."""
        with suppress(ConditionFailedError), store_errors(STORE):
            self.client.delete_item(
                TableName=self.table,
                Key=to_item(_key(erasure.user)),
                ConditionExpression="#at = :at",
                ExpressionAttributeNames={"#at": "at"},
                ExpressionAttributeValues=to_item({":at": erasure.asked_ms}),
            )


def _key(user: str) -> dict[str, Any]:
    return {"pk": PARTITION, "sk": user}


def _to_erasure(values: dict[str, Any]) -> Erasure:
    issued_ms, dot, quote_id = values.get("done", "").partition(".")
    place = Place(int(issued_ms), quote_id) if dot else None
    return Erasure(values["sk"], values["at"], values["who"], place)
