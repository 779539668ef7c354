"""The keys for programs in DynamoDB: one item each, in a partition of their own.

n name · s scopes · d, m, i, t the line: day and month in micro-dollars, images and chat requests of
a day · h hash · c, b when it was made and by whom · e expires · o, u the hash before a rotation and
until when it counts · r revoked · v version. Nothing in it can be turned back into a key.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from imagegen.aws.items import (
    ConditionFailedError,
    from_item,
    read_item,
    store_errors,
    to_item,
)
from imagegen.domain.keys import DAILY_CHATS, EarlierSecret, KeyLine, ProgramKey

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

STORE = "The keys for programs"
KEYS_PARTITION = "KEYS"
PREFIX = "K#"


@dataclass(frozen=True, slots=True)
class DynamoKeyStore:
    """``KeyStore`` in a table with ``pk`` and ``sk``."""

    client: "DynamoDBClient"
    table: str

    def find(self, key_id: str) -> ProgramKey | None:
        """Return a key as it is now; the read is strongly consistent."""
        values = read_item(self.client, self.table, to_item(_place(key_id)), store=STORE)
        return to_key(values) if values else None

    def add(self, key: ProgramKey) -> bool:
        """Store a new key, unless another one has its id."""
        return self._put(key, "attribute_not_exists(pk)", {})

    def change(self, key: ProgramKey) -> bool:
        """Replace the version before this one, unless it was changed since."""
        return self._put(key, "v = :before", {":before": key.version - 1})

    def all(self) -> list[ProgramKey]:
        """Return all keys; the read is strongly consistent."""
        pages = self.client.get_paginator("query").paginate(
            TableName=self.table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues=to_item({":pk": KEYS_PARTITION, ":prefix": PREFIX}),
            ConsistentRead=True,
        )
        with store_errors(STORE):
            return [to_key(from_item(item)) for page in pages for item in page["Items"]]

    def _put(self, key: ProgramKey, condition: str, values: dict[str, Any]) -> bool:
        item = to_values(key)
        extra: Any = {"ExpressionAttributeValues": to_item(values)} if values else {}
        try:
            with store_errors(STORE):
                self.client.put_item(
                    TableName=self.table,
                    Item=to_item(item),
                    ConditionExpression=condition,
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    **extra,
                )
        except ConditionFailedError as error:
            # If it is there as it was sent, the SDK sent it twice, and the first succeeded.
            return bool(error.item) and to_key(error.item) == key
        return True


def to_values(key: ProgramKey) -> dict[str, Any]:
    """Return the values of a key's item; what the key does not have is not there."""
    values = {
        **_place(key.id),
        "n": key.name,
        "s": " ".join(sorted(key.scopes)),
        "d": key.line.daily_microusd,
        "m": key.line.monthly_microusd,
        "i": key.line.daily_images,
        "t": key.line.daily_chats,
        "h": key.digest.hex(),
        "c": key.created_ms,
        "b": key.made_by,
        "e": key.expires_ms,
        "o": key.earlier.digest.hex() if key.earlier else None,
        "u": key.earlier.until_ms if key.earlier else None,
        "r": key.revoked_ms,
        "v": key.version,
    }
    return {name: one for name, one in values.items() if one is not None}


def to_key(values: dict[str, Any]) -> ProgramKey:
    """Return the key in an item's values."""
    earlier = EarlierSecret(bytes.fromhex(values["o"]), values["u"]) if "o" in values else None
    return ProgramKey(
        id=values["sk"].removeprefix(PREFIX),
        name=values["n"],
        scopes=frozenset(values["s"].split()),
        # Keys were stored without t at first, and had the default.
        line=KeyLine(values["d"], values.get("m"), values["i"], values.get("t", DAILY_CHATS)),
        digest=bytes.fromhex(values["h"]),
        created_ms=values["c"],
        made_by=values["b"],
        expires_ms=values.get("e"),
        earlier=earlier,
        revoked_ms=values.get("r"),
        version=values["v"],
    )


def _place(key_id: str) -> dict[str, Any]:
    return {"pk": KEYS_PARTITION, "sk": f"{PREFIX}{key_id}"}
