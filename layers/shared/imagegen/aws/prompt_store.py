"""The prompts of stored images: one item each, which DynamoDB deletes when the image's time ends.

They are in partitions of their own, so that a role can be kept from them. The words are deflated:
each KB of an item that is begun is a write unit, and a prompt may have 32,000 characters.
"""

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from imagegen.aws.items import from_item, read_item, store_errors, to_item
from imagegen.domain.gallery import KeptPrompt
from imagegen.domain.ids import ImageRef
from imagegen.domain.records import Place

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

STORE = "The prompts"
PARTITION = "P#"
_WORDS, _TTL = "w", "ttl"


@dataclass(frozen=True, slots=True)
class DynamoPromptStore:
    """``PromptStore`` in a table with ``pk`` and ``sk``."""

    client: "DynamoDBClient"
    table: str

    def put(self, ref: ImageRef, words: KeptPrompt, *, until_ms: int) -> None:
        """Keep the words until a time; DynamoDB removes them within days after it."""
        text = json.dumps(asdict(words), ensure_ascii=False)
        item = _key(ref) | {_WORDS: zlib.compress(text.encode(), 9), _TTL: until_ms // 1000}
        with store_errors(STORE):
            self.client.put_item(TableName=self.table, Item=to_item(item))

    def get(self, ref: ImageRef) -> KeptPrompt | None:
        """Return the words, ``None`` if they were not kept; the read is strongly consistent."""
        values = read_item(self.client, self.table, to_item(_key(ref)), store=STORE)
        return _words(values) if values else None

    def between(self, user: str, newest: Place, oldest: Place) -> Mapping[str, KeptPrompt]:
        """Return the words of the user's images between two places, by quote id."""
        items = self._items(user, _sort_key(newest), _sort_key(oldest))
        found = (from_item(item) for item in items)
        return {values["sk"].partition("#")[2]: _words(values) for values in found}

    def forget(self, ref: ImageRef) -> None:
        """Remove the words; without any, nothing happens."""
        with store_errors(STORE):
            self.client.delete_item(TableName=self.table, Key=to_item(_key(ref)))

    def _items(self, user: str, newest: str, oldest: str) -> Iterator[Any]:
        values = to_item({":p": f"{PARTITION}{user}", ":old": oldest, ":new": newest})
        start: dict[str, Any] = {}
        while True:
            with store_errors(STORE):
                answer = self.client.query(
                    TableName=self.table,
                    KeyConditionExpression="pk = :p AND sk BETWEEN :old AND :new",
                    ExpressionAttributeValues=values,
                    ConsistentRead=True,
                    **start,
                )
            yield from answer["Items"]
            if not (last := answer.get("LastEvaluatedKey")):
                return
            start = {"ExclusiveStartKey": last}


def _key(ref: ImageRef) -> dict[str, Any]:
    sort_key = _sort_key(Place(ref.issued_ms, ref.quote_id))
    return {"pk": f"{PARTITION}{ref.user}", "sk": sort_key}


def _sort_key(place: Place) -> str:
    return f"{place.issued_ms:015d}#{place.quote_id}"


def _words(values: Mapping[str, Any]) -> KeptPrompt:
    return KeptPrompt(**json.loads(zlib.decompress(values[_WORDS])))
