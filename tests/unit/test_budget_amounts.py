"""The amounts above a person: the stack's, or an operator's, live within a minute."""

import pytest

from imagegen.domain.budget_amounts import EACH_TEAM, KEPT_MS, MOST_KEPT, Amounts, CurrentAmounts
from imagegen.domain.budgets import ORGANISATION, Level, team_level
from tests.fakes.amounts import MemoryAmountStore
from tests.fakes.clock import Clock

ALL, TEAM = Amounts(100_000_000), Amounts(5_000_000, 50_000_000)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store() -> MemoryAmountStore:
    return MemoryAmountStore()


@pytest.fixture
def current(store: MemoryAmountStore, clock: Clock) -> CurrentAmounts:
    return CurrentAmounts(store, ALL, TEAM, clock)


def test_without_an_operators_amounts_the_stacks_hold(current: CurrentAmounts) -> None:
    assert current.levels("") == (Level(ORGANISATION, 100_000_000, None),)
    team = Level(team_level("design"), 5_000_000, 50_000_000)
    assert current.levels("design") == (team, Level(ORGANISATION, 100_000_000, None))


def test_a_level_that_is_not_limited_is_left_out(store: MemoryAmountStore, clock: Clock) -> None:
    current = CurrentAmounts(store, Amounts(), Amounts(), clock)
    assert current.levels("design") == ()


def test_a_limit_of_nothing_is_a_limit(store: MemoryAmountStore, clock: Clock) -> None:
    current = CurrentAmounts(store, Amounts(0), Amounts(), clock)
    assert current.levels("") == (Level(ORGANISATION, 0, None),)


def test_an_operators_amounts_replace_both_of_the_stack(
    current: CurrentAmounts, store: MemoryAmountStore
) -> None:
    store.kept[team_level("design")] = Amounts(monthly_microusd=7)
    assert current.levels("design")[0] == Level(team_level("design"), None, 7)
    store.kept[ORGANISATION] = Amounts()
    assert current.levels("other")[0] == Level(team_level("other"), 5_000_000, 50_000_000)


def test_a_team_without_its_own_has_those_of_each_team(
    current: CurrentAmounts, store: MemoryAmountStore
) -> None:
    store.kept[EACH_TEAM] = Amounts(9)
    store.kept[team_level("design")] = Amounts(8)
    assert [current.levels(team)[0].daily_microusd for team in ("design", "other")] == [8, 9]


def test_amounts_are_read_once_a_minute_and_then_are_the_new_ones(
    current: CurrentAmounts, store: MemoryAmountStore, clock: Clock
) -> None:
    current.levels("")
    store.kept[ORGANISATION] = Amounts(1)
    clock.advance(KEPT_MS - 1)
    assert current.levels("")[0].daily_microusd == 100_000_000
    assert store.reads == 1
    clock.advance(1)
    assert current.levels("")[0].daily_microusd == 1
    assert store.reads == 2


def test_tokens_that_name_ever_new_teams_do_not_fill_the_memory(
    current: CurrentAmounts, store: MemoryAmountStore
) -> None:
    for number in range(2 * MOST_KEPT):
        current.levels(f"team {number}")
    assert len(current._kept) <= MOST_KEPT
    reads = store.reads
    current.levels(f"team {2 * MOST_KEPT - 1}")
    assert store.reads == reads


def test_a_level_that_was_read_again_is_not_the_first_to_be_forgotten(
    current: CurrentAmounts, store: MemoryAmountStore, clock: Clock
) -> None:
    current.levels("")
    clock.advance(KEPT_MS)
    for number in range(MOST_KEPT - 2):
        current.levels(f"team {number}")
    reads = store.reads
    current.levels("one more")
    assert store.reads == reads + 1, "only the new team's are read, not the organisation's again"
