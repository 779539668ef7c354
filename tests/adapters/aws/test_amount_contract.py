"""What every store of operators' amounts does: in memory and in DynamoDB."""

from itertools import count

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
    aws: Aws = request.getfixturevalue("aws")
    return DynamoAmountStore(aws.dynamodb, request.getfixturevalue("table"))


@pytest.fixture
def level() -> str:
    return f"T#{next(NUMBERS):016x}"


def test_a_level_without_amounts_has_none(store: AmountStore, level: str) -> None:
    assert store.amounts(level) is None
    store.set_amounts(level, None)
    assert store.amounts(level) is None


@pytest.mark.parametrize("amounts", SOME)
def test_what_was_set_is_found(store: AmountStore, level: str, amounts: Amounts) -> None:
    store.set_amounts(level, amounts)
    assert store.amounts(level) == amounts
    assert store.amounts(f"{level}0") is None


def test_amounts_replace_each_other_and_are_removed(store: AmountStore, level: str) -> None:
    for amounts in (*SOME, None, SOME[0]):
        store.set_amounts(level, amounts)
        assert store.amounts(level) == amounts
