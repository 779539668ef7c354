"""Conversion of plain values to DynamoDB's typed ones and back, and of boto3's errors to ours."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import BotoCoreError, ClientError

from imagegen.domain.errors import StoreUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

type Item = Mapping[str, Any]

_WRITE = TypeSerializer()


def to_item(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as DynamoDB's typed values."""
    return {name: _WRITE.serialize(value) for name, value in values.items()}


def from_item(item: Item) -> dict[str, Any]:
    """Return an item's plain values; every number is an integer."""
    return {name: _plain(value) for name, value in item.items()}


def read_item(
    client: "DynamoDBClient", table: str, key: Mapping[str, Any], *, store: str
) -> dict[str, Any]:
    """Return an item's plain values as of now, none if it does not exist.

    Raises:
        StoreUnavailableError: ``store``, by this name, cannot be read.
    """
    with store_errors(store):
        answer = client.get_item(TableName=table, Key=key, ConsistentRead=True)
    return from_item(answer.get("Item", {}))


def _plain(value: Item) -> Any:
    ((kind, content),) = value.items()
    match kind:
        case "N":
            return int(Decimal(content))
        case "M":
            return from_item(content)
        case "L":
            return [_plain(one) for one in content]
        case "NS":
            return frozenset(int(Decimal(one)) for one in content)
        case "SS" | "BS":
            return frozenset(content)
        case "NULL":
            return None
    return content


def was_sent_again(answer: Mapping[str, Any]) -> bool:
    """Return whether the SDK sent a call more than once, by the metadata of an answer or error."""
    return bool(answer.get("ResponseMetadata", {}).get("RetryAttempts", 0) > 0)


class ConditionFailedError(Exception):
    """The condition of a write did not hold; ``item`` has the values that were stored."""

    def __init__(self, item: dict[str, Any], *, was_sent_again: bool) -> None:
        super().__init__("conditional check failed")
        self.item = item
        self.was_sent_again = was_sent_again
        """Whether the SDK sent it more than once, so that a copy may still arrive."""


@contextmanager
def store_errors(store: str) -> Iterator[None]:
    """Translate the errors that boto3 raises into ours.

    Raises:
        ConditionFailedError: the write's condition did not hold.
        StoreUnavailableError: anything else; the call may or may not have been carried out.
    """
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            found: Any = error.response
            item = from_item(found.get("Item", {}))
            raise ConditionFailedError(item, was_sent_again=was_sent_again(found)) from error
        raise _unavailable(store) from error
    except BotoCoreError as error:
        raise _unavailable(store) from error


def _unavailable(store: str) -> StoreUnavailableError:
    return StoreUnavailableError(f"{store} cannot be reached. Try again.", retry_after_seconds=2)
