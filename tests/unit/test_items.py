"""Values as DynamoDB has them, with their types, and as the stores read and write them."""

from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import Binary, TypeDeserializer
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st

from imagegen.aws.items import (
    ConditionFailedError,
    from_item,
    store_errors,
    to_item,
    was_sent_again,
)
from imagegen.domain.errors import StoreUnavailableError

NAMES = st.text(max_size=3)
NUMBERS = st.integers(-(10**18), 10**18)
ONE = st.none() | st.booleans() | NUMBERS | NAMES | st.binary(max_size=3)
SETS = st.one_of(
    *(st.frozensets(one, min_size=1, max_size=3) for one in (NUMBERS, NAMES, st.binary(max_size=3)))
)
VALUES = st.recursive(
    ONE | SETS,
    lambda one: st.lists(one, max_size=3) | st.dictionaries(NAMES, one, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_what_is_written_is_read_again(values: dict[str, Any]) -> None:
    assert from_item(to_item(values)) == values


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_an_item_is_read_as_boto3_reads_it(values: dict[str, Any]) -> None:
    read, item = TypeDeserializer(), to_item(values)
    assert from_item(item) == {name: unpacked(read.deserialize(one)) for name, one in item.items()}


def unpacked(value: Any) -> Any:
    """Return what boto3 read, without its own classes."""
    match value:
        case Decimal():
            return int(value)
        case Binary():
            return value.value  # type: ignore[attr-defined]  # the stub lacks it
        case dict():
            return {name: unpacked(one) for name, one in value.items()}
        case list():
            return [unpacked(one) for one in value]
        case set():
            return frozenset(map(unpacked, value))
    return value


def test_every_number_is_a_whole_one_however_it_is_written() -> None:
    item = {"a": {"N": "1E+3"}, "b": {"N": "12.0"}, "c": {"NS": ["7", "-2"]}}
    assert from_item(item) == {"a": 1000, "b": 12, "c": frozenset({7, -2})}


@pytest.mark.parametrize(
    ("retries", "was_again"), [(None, False), (0, False), (1, True), (2, True)]
)
def test_a_write_that_was_refused_says_what_is_stored_and_whether_a_copy_may_still_arrive(
    retries: int | None, *, was_again: bool
) -> None:
    stored, metadata = to_item({"v": 3}), {"RetryAttempts": retries}
    answer: Any = {
        "Error": {"Code": "ConditionalCheckFailedException", "Message": ""},
        "Item": stored,
        **({} if retries is None else {"ResponseMetadata": metadata}),
    }
    assert was_sent_again(answer) is was_again
    with pytest.raises(ConditionFailedError) as caught, store_errors("The ledger"):
        raise ClientError(answer, "UpdateItem")
    assert (caught.value.item, caught.value.was_sent_again) == ({"v": 3}, was_again)


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "GetItem"),
        EndpointConnectionError(endpoint_url="https://dynamodb.test"),
    ],
)
def test_any_other_error_is_a_store_to_ask_again_in_two_seconds(error: Exception) -> None:
    refused = pytest.raises(StoreUnavailableError, match=r"^The ledger cannot")
    with refused as caught, store_errors("The ledger"):
        raise error
    assert caught.value.retry_after_seconds == 2
