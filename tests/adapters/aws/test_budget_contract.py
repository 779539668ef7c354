"""What every store of budgets does: one suite for the one in memory and the one in DynamoDB."""

from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from imagegen.aws.budget_store import DynamoBudgetStore
from imagegen.domain.budgets import (
    ORGANISATION,
    Budget,
    BudgetStore,
    Level,
    LevelHold,
    Taken,
    mark_of,
    team_level,
)
from tests.adapters.aws.world import Aws
from tests.fakes.budgets import MemoryBudgetStore
from tests.fakes.clock import NOON_MS as NOW

DAY, MONTH = "20261122", "202611"
PRICE = 170_000
HOUR_MS = 3_600_000
NUMBERS = count(1)


@pytest.fixture(params=["memory", "aws"])
def store(request: pytest.FixtureRequest) -> BudgetStore:
    if request.param == "memory":
        return MemoryBudgetStore()
    aws: Aws = request.getfixturevalue("aws")
    return DynamoBudgetStore(aws.dynamodb, request.getfixturevalue("table"))


@pytest.fixture
def level() -> Level:
    return Level(team_level(f"team {next(NUMBERS)}"), 10_000_000, 200_000_000)


def hold(
    owner: str = "run-1", *, price: int = PRICE, day: str = DAY, started_ms: int = NOW
) -> LevelHold:
    return LevelHold(day, price, mark_of("q1", owner, day, price, started_ms=started_ms))


def give(store: BudgetStore, level: Level, one: LevelHold, change: int, **how: Any) -> None:
    store.give(level.name, one, change, **{"is_unsure": False, "now_ms": NOW, **how})


def test_a_level_that_nobody_used_is_empty(store: BudgetStore, level: Level) -> None:
    assert store.load(level.name, MONTH) == Budget()


def test_a_hold_counts_in_its_day_and_in_its_month(store: BudgetStore, level: Level) -> None:
    took = store.take(level, hold())
    assert (took.result, took.is_unsure) == (Taken.TAKEN, False)
    expected = Budget({DAY: PRICE}, PRICE, frozenset({hold().mark}))
    assert took.budget == expected == store.load(level.name, MONTH)


def test_the_same_hold_again_is_counted_once(store: BudgetStore, level: Level) -> None:
    first = store.take(level, hold())
    assert store.take(level, hold()).result is Taken.TAKEN
    assert store.load(level.name, MONTH) == first.budget


def test_the_same_hold_again_is_counted_though_the_level_is_full_now(
    store: BudgetStore, level: Level
) -> None:
    full = replace(level, daily_microusd=PRICE)
    store.take(full, hold())
    assert store.take(full, hold()).result is Taken.TAKEN
    assert store.take(full, hold("run-2")).result is Taken.DAY_FULL


def test_another_run_of_the_same_quote_is_another_hold(store: BudgetStore, level: Level) -> None:
    store.take(level, hold("run-1"))
    give(store, level, hold("run-1"), -PRICE)
    store.take(level, hold("run-2"))
    give(store, level, hold("run-1"), -PRICE)
    assert store.load(level.name, MONTH).days == {DAY: PRICE}


@pytest.mark.parametrize("charge", [PRICE, 120_000, 0])
def test_a_settled_hold_leaves_its_charge(store: BudgetStore, level: Level, charge: int) -> None:
    store.take(level, hold())
    for _ in range(2):
        give(store, level, hold(), charge - PRICE)
        assert store.load(level.name, MONTH) == Budget({DAY: charge}, charge)


def test_what_was_never_taken_gives_nothing_back(store: BudgetStore, level: Level) -> None:
    give(store, level, hold(), -PRICE)
    assert store.load(level.name, MONTH) == Budget()


@pytest.mark.parametrize(
    ("limits", "full"),
    [
        ((2 * PRICE - 1, None), Taken.DAY_FULL),
        ((None, 2 * PRICE - 1), Taken.MONTH_FULL),
        ((2 * PRICE - 1, 2 * PRICE - 1), Taken.MONTH_FULL),
        ((2 * PRICE, 2 * PRICE), Taken.TAKEN),
        ((None, None), Taken.TAKEN),
    ],
)
def test_the_limit_that_is_reached_is_named_and_nothing_is_counted(
    store: BudgetStore, level: Level, limits: tuple[int | None, int | None], full: Taken
) -> None:
    level = Level(level.name, *limits)
    before = store.take(level, hold()).budget
    took = store.take(level, hold("run-2"))
    assert took.result is full
    assert (store.load(level.name, MONTH) == before) is (full is not Taken.TAKEN)
    assert store.load(level.name, MONTH) == took.budget


@pytest.mark.parametrize("limits", [(PRICE - 1, None), (None, PRICE - 1), (0, 0)])
def test_the_first_hold_does_not_pass_a_limit_below_its_price(
    store: BudgetStore, level: Level, limits: tuple[int | None, int | None]
) -> None:
    took = store.take(Level(level.name, *limits), hold())
    assert took.result in (Taken.DAY_FULL, Taken.MONTH_FULL)
    assert store.load(level.name, MONTH) == Budget()


def test_a_limit_below_what_is_spent_refuses_and_takes_nothing_back(
    store: BudgetStore, level: Level
) -> None:
    store.take(level, hold())
    lowered = replace(level, daily_microusd=PRICE // 2)
    assert store.take(lowered, hold("run-2")).result is Taken.DAY_FULL
    give(store, lowered, hold(), 0)
    assert store.load(level.name, MONTH) == Budget({DAY: PRICE}, PRICE)


def test_days_and_months_are_counted_apart(store: BudgetStore, level: Level) -> None:
    level = replace(level, daily_microusd=PRICE, monthly_microusd=2 * PRICE)
    last, first = hold(day="20261130"), hold(day="20261201")
    assert store.take(level, hold()).result is Taken.TAKEN
    assert store.take(level, last).result is Taken.TAKEN
    assert store.take(level, hold(day="20261123")).result is Taken.MONTH_FULL
    assert store.take(level, first).result is Taken.TAKEN
    give(store, level, last, -70_000)
    assert store.load(level.name, MONTH).days == {DAY: PRICE, "20261130": 100_000}
    assert store.load(level.name, "202612") == Budget(
        {"20261201": PRICE}, PRICE, frozenset({first.mark})
    )


def test_a_fence_keeps_a_late_copy_of_a_take_out(store: BudgetStore, level: Level) -> None:
    store.take(level, hold())
    give(store, level, hold(), 0, is_unsure=True)
    took = store.take(level, hold())
    assert took.result is Taken.ENDED
    assert store.load(level.name, MONTH) == Budget(
        {DAY: PRICE}, PRICE, fences=frozenset({hold().mark})
    )


def test_a_take_that_was_lost_is_fenced_before_it_arrives(store: BudgetStore, level: Level) -> None:
    give(store, level, hold(), -PRICE, is_unsure=True)
    assert store.take(level, hold()).result is Taken.ENDED
    assert store.load(level.name, MONTH).month_microusd == 0


def test_a_fence_goes_after_an_hour_with_the_next_hold_that_ends(
    store: BudgetStore, level: Level
) -> None:
    give(store, level, hold(), -PRICE, is_unsure=True)
    for later_ms, stays in ((HOUR_MS, True), (HOUR_MS + 1000, False)):
        one = hold(f"run-{later_ms}", started_ms=NOW + later_ms)
        store.take(level, one)
        give(store, level, one, -PRICE, now_ms=NOW + later_ms)
        assert (hold().mark in store.load(level.name, MONTH).fences) is stays


def test_a_copy_of_a_take_that_comes_between_the_two_looks_for_it_is_given_back(
    aws: Aws, table: str, level: Level
) -> None:
    store, sent = DynamoBudgetStore(aws.dynamodb, table), list[int]()

    def arrive(**_: Any) -> None:
        sent.append(len(sent))
        if len(sent) == 2:  # it was not found, and is not fenced yet
            assert store.take(level, hold()).result is Taken.TAKEN

    event = "before-parameter-build.dynamodb.UpdateItem"
    aws.dynamodb.meta.events.register(event, arrive)
    try:
        give(store, level, hold(), -PRICE, is_unsure=True)
    finally:
        aws.dynamodb.meta.events.unregister(event, arrive)
    assert store.load(level.name, MONTH) == Budget({DAY: 0}, 0, fences=frozenset({hold().mark}))


def test_a_budget_is_in_the_partition_that_the_roles_may_write(aws: Aws, level: Level) -> None:
    store = DynamoBudgetStore(aws.dynamodb, aws.new_table())
    store.take(level, hold())
    (item,) = aws.dynamodb.scan(TableName=store.table)["Items"]
    assert item["pk"] == {"S": f"L#{level.name}"}
    assert item["sk"] == {"S": "B#202611"}


def test_levels_do_not_touch_each_other(store: BudgetStore, level: Level) -> None:
    store.take(level, hold())
    other = Level(team_level(f"other {next(NUMBERS)}"), PRICE)
    assert store.take(other, hold()).result is Taken.TAKEN
    give(store, other, hold(), -PRICE)
    assert store.load(level.name, MONTH).days == {DAY: PRICE}
    assert level.name not in (ORGANISATION, other.name)
