"""Values as DynamoDB has them, with their types, and as the stores read and write them."""

from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import Binary, TypeDeserializer
from hypothesis import given
from hypothesis import strategies as st

from imagegen.aws.items import from_item, to_item

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
