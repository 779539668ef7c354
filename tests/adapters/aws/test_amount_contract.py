"""What every store of operators' amounts does: in memory and in DynamoDB."""

from itertools import count, permutations

import pytest

from imagegen.aws.amount_store import DynamoAmountStore
from imagegen.domain.budget_amounts import Amounts, AmountStore
from tests.adapters.aws.world import Aws
from tests.fakes.amounts import MemoryAmountStore

NUMBERS = count(1)
SOME = [Amounts(1, 2), Amounts(0, None), Amounts(None, 0), Amounts()]


@pytest.fixture(params=["memory", "aws"])
def store(request: pytest.FixtureRequest) -> AmountStore:
    if request.param == "memory":
        return MemoryAmountStore()
    found: DynamoAmountStore = request.getfixturevalue("dynamo_amounts")
    return found


@pytest.fixture
def dynamo_amounts(aws: Aws, table: str) -> DynamoAmountStore:
    return DynamoAmountStore(aws.dynamodb, table)


@pytest.fixture
def level() -> str:
    return f"T#{next(NUMBERS):016x}"


def test_a_level_without_amounts_has_none(store: AmountStore, level: str) -> None:
    assert store.amounts(level) is None
    assert store.replace(level, None, None)
    assert store.amounts(level) is None


@pytest.mark.parametrize("amounts", SOME)
def test_what_was_set_is_found(store: AmountStore, level: str, amounts: Amounts) -> None:
    assert store.replace(level, None, amounts)
    assert store.amounts(level) == amounts
    assert store.amounts(f"{level}0") is None


def test_amounts_replace_each_other_and_are_removed(store: AmountStore, level: str) -> None:
    for amounts in (*SOME, None, SOME[0]):
        assert store.replace(level, store.amounts(level), amounts)
        assert store.amounts(level) == amounts


@pytest.mark.parametrize(("before", "stored"), [*permutations((None, *SOME), 2)])
def test_amounts_that_were_changed_meanwhile_stay(
    store: AmountStore, level: str, before: Amounts | None, stored: Amounts | None
) -> None:
    assert store.replace(level, None, stored)
    assert not store.replace(level, before, Amounts(5, 5))
    assert store.amounts(level) == stored


@pytest.mark.parametrize("after", [None, *SOME])
def test_a_write_that_is_sent_twice_replaces_once(
    dynamo_amounts: DynamoAmountStore, level: str, after: Amounts | None
) -> None:
    before = Amounts(3, 4)
    assert dynamo_amounts.replace(level, None, before)
    assert dynamo_amounts.replace(level, before, after)
    assert dynamo_amounts.replace(level, before, after)
    assert dynamo_amounts.amounts(level) == after


def test_amounts_are_where_the_roles_may_write_them_and_what_is_not_limited_is_not_there(
    aws: Aws, level: str
) -> None:
    store = DynamoAmountStore(aws.dynamodb, aws.new_table())
    assert store.replace(level, None, Amounts(5, None))
    (item,) = aws.dynamodb.scan(TableName=store.table)["Items"]
    assert item == {"pk": {"S": "AMOUNTS"}, "sk": {"S": level}, "d": {"N": "5"}}
