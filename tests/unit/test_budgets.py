"""The rules of the levels above a person: what fits, marks and fences, what a message says."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.domain import budgets as rules
from imagegen.domain.budgets import ORGANISATION, Budget, Level, LevelHold, Taken
from imagegen.domain.days import is_of_past_day
from tests.examples import examples
from tests.fakes.clock import NOON_MS as NOW

DAY = "20261122"
DAY_MS = 86_400_000
HOUR_MS = 3_600_000
PROGRAM = "K#abcd1234"
"""The level of a program's key, as it is stored."""
LEVEL = Level(ORGANISATION, 10_000_000, 100_000_000)
PRICES = st.integers(0, 10**12)


def hold(owner: str = "me", price: int = 170_000, *, day: str = DAY, at_ms: int = NOW) -> LevelHold:
    return LevelHold(day, price, rules.mark_of("q", owner, day, price, started_ms=at_ms))


@given(price=PRICES, day=st.integers(1, 31), at_ms=st.integers(0, 10**13))
def test_a_mark_has_fourteen_bytes_and_says_price_day_and_age(
    price: int, day: int, at_ms: int
) -> None:
    mark = hold(price=price, day=f"202612{day:02d}", at_ms=at_ms).mark
    assert len(mark) == 14
    assert (rules.price_in(mark), rules.day_in(mark)) == (price, day)
    for age in (0, 1, 3_600, 82_799):
        assert rules.age_seconds(mark, now_ms=at_ms // 1000 * 1000 + age * 1000) == age


def test_a_clock_that_is_behind_makes_no_mark_old() -> None:
    mark = hold(at_ms=NOW).mark
    assert rules.age_seconds(mark, now_ms=NOW - 60_000) == 0
    assert not rules.old_fences(Budget(fences=frozenset({mark})), now_ms=NOW - 60_000)


def test_a_clock_may_be_an_hour_behind() -> None:
    mark = hold(at_ms=NOW).mark
    assert rules.age_seconds(mark, now_ms=NOW - HOUR_MS) == 0


@pytest.mark.parametrize(("age_ms", "is_old"), [(HOUR_MS, False), (HOUR_MS + 1_000, True)])
def test_a_fence_is_kept_for_an_hour(age_ms: int, *, is_old: bool) -> None:
    """A copy of a write may arrive for as long; afterwards the fence would only take room."""
    fence, young = hold().mark, hold(at_ms=NOW + age_ms).mark
    found = rules.old_fences(Budget(fences=frozenset({fence, young})), now_ms=NOW + age_ms)

    assert found == ({fence} if is_old else set())


@pytest.mark.parametrize(
    "other",
    [
        hold("another"),
        hold(price=170_001),
        hold(day="20261123"),
        hold(at_ms=NOW + 1),
        replace(hold(), mark=rules.mark_of("p", "me", DAY, 170_000, started_ms=NOW)),
    ],
    ids=["owner", "price", "day", "time", "quote"],
)
def test_no_two_holds_have_the_same_mark(other: LevelHold) -> None:
    assert other.mark != hold().mark


def test_names_of_levels_are_keys_in_the_table_and_never_change() -> None:
    assert (rules.ORGANISATION, rules.TEAM_PREFIX, rules.PROGRAM_PREFIX) == ("O", "T#", "K#")


def test_a_team_has_a_short_name_of_its_own_whatever_it_is_called() -> None:
    names = {rules.team_level(team) for team in ("a", "b", "A", "x" * 10_000, "\ud800", "ö")}
    assert len(names) == 6
    assert all(len(name) == 18 and name.startswith("T#") for name in names)
    assert ORGANISATION not in names


@examples(300)
@given(st.lists(st.tuples(st.sampled_from("abcdef"), PRICES, st.integers(0, 100)), max_size=12))
def test_what_is_counted_is_the_charges_and_the_open_holds(
    steps: list[tuple[str, int, int]],
) -> None:
    """Each step takes a run's hold, or ends it if it has one; then it is given back once more."""
    budget, opened, charged = Budget(), dict[str, LevelHold](), 0
    for owner, price, percent in steps:
        if owner not in opened:
            one = hold(owner, price)
            assert rules.take_result(budget, Level(), one) is Taken.TAKEN
            budget = rules.taken(rules.taken(budget, one), one)
            opened[owner] = one
        else:
            one = opened.pop(owner)
            charge = one.price_microusd * percent // 100
            for _ in range(2):
                budget = rules.given(budget, one, charge - one.price_microusd, is_unsure=False)
            charged += charge
        held = sum(one.price_microusd for one in opened.values())
        assert budget.month_microusd == sum(budget.days.values()) == charged + held
        assert sum(map(rules.price_in, budget.marks)) == held


def test_a_hold_that_is_fenced_is_ended_and_counts_nothing() -> None:
    budget = rules.given(Budget(), hold(), -170_000, is_unsure=True)
    assert rules.take_result(budget, LEVEL, hold()) is Taken.ENDED
    assert rules.take_result(budget, LEVEL, hold("another")) is Taken.TAKEN
    assert budget == Budget(fences=frozenset({hold().mark}))


@given(spent=PRICES, price=PRICES, most=PRICES)
def test_a_price_fits_if_it_does_not_go_above_the_limit(spent: int, price: int, most: int) -> None:
    budget = Budget({DAY: spent}, spent)
    for level, full in (
        (Level(daily_microusd=most), Taken.DAY_FULL),
        (Level(monthly_microusd=most), Taken.MONTH_FULL),
    ):
        assert rules.full_at(budget, level, DAY, price) == (full if spent + price > most else None)
    assert rules.full_at(budget, Level(), DAY, price) is None


def test_a_hold_changes_no_other_day() -> None:
    budget = rules.taken(Budget({"20261121": 5}, 5), hold(price=7))
    assert budget.days == {"20261121": 5, DAY: 7}
    assert rules.given(budget, hold(price=7), -7, is_unsure=False).days == {"20261121": 5, DAY: 0}


def test_a_day_that_nobody_used_has_room_though_another_day_is_full() -> None:
    budget = Budget({DAY: 10_000_000}, 10_000_000)
    assert rules.full_at(budget, LEVEL, DAY, 1) is Taken.DAY_FULL
    assert rules.full_at(budget, LEVEL, "20261123", 10_000_000) is None


@pytest.mark.parametrize(("age_ms", "may"), [(0, True), (1_000, True), (2_000, False)])
def test_a_refusal_does_not_rest_on_a_hold_that_another_level_may_refuse(
    age_ms: int,
    may: bool,  # noqa: FBT001
) -> None:
    level = Level(daily_microusd=200_000)
    budget = rules.taken(Budget(), hold("first"))
    assert rules.full_at(budget, level, DAY, 170_000)
    soon = rules.may_fit_soon(budget, level, hold("second"), now_ms=NOW + age_ms)
    assert soon is may


def test_young_holds_do_not_matter_where_what_is_charged_is_too_much() -> None:
    budget = replace(rules.taken(Budget({DAY: 100_000}, 100_000), hold()), days={DAY: 270_000})
    level = Level(daily_microusd=200_000)
    assert not rules.may_fit_soon(budget, level, hold("second"), now_ms=NOW)


@pytest.mark.parametrize(
    ("level", "full", "code", "words"),
    [
        (LEVEL, Taken.DAY_FULL, "total_daily_spend", "the day of your organisation above $10.00"),
        (
            LEVEL,
            Taken.MONTH_FULL,
            "total_monthly_spend",
            "the month of your organisation above $100.00",
        ),
        (
            Level(rules.team_level("a"), 3_400_000),
            Taken.DAY_FULL,
            "team_daily_spend",
            "the day of your team above $3.40",
        ),
        (
            Level(rules.team_level("a"), None, 5_000_000),
            Taken.MONTH_FULL,
            "team_monthly_spend",
            "the month of your team above $5.00",
        ),
        (
            Level(PROGRAM, 3_400_000),
            Taken.DAY_FULL,
            "key_daily_spend",
            "the day of your key above $3.40",
        ),
        (
            Level(PROGRAM, None, 5_000_000),
            Taken.MONTH_FULL,
            "key_monthly_spend",
            "the month of your key above $5.00",
        ),
    ],
)
def test_a_refusal_names_the_level_the_limit_and_when_it_begins_anew(
    level: Level, full: Taken, code: str, words: str
) -> None:
    assert level.title in words
    limit = rules.level_limit(level, full, hold(), now_ms=NOW)
    assert (limit.code, limit.retryable) == (code, True)
    assert words in str(limit)
    days = 9 if full is Taken.MONTH_FULL else 1
    midnight_ms = (NOW // DAY_MS + days) * DAY_MS
    assert limit.retry_after_seconds == (midnight_ms - NOW) // 1000 + 60


def test_waiting_helps_an_image_that_costs_exactly_the_whole_budget() -> None:
    for full, price in ((Taken.DAY_FULL, 10_000_000), (Taken.MONTH_FULL, 100_000_000)):
        assert rules.level_limit(LEVEL, full, hold(price=price), now_ms=NOW).retryable


def test_waiting_does_not_help_an_image_that_costs_more_than_the_whole_budget() -> None:
    for full in (Taken.DAY_FULL, Taken.MONTH_FULL):
        limit = rules.level_limit(LEVEL, full, hold(price=200_000_000), now_ms=NOW)
        assert (limit.retryable, limit.retry_after_seconds) == (False, None)


@pytest.mark.parametrize(
    ("full", "day", "is_past"),
    [
        (Taken.DAY_FULL, "20261121", True),
        (Taken.DAY_FULL, DAY, False),
        (Taken.MONTH_FULL, "20261121", False),
        (Taken.MONTH_FULL, "20261031", True),
    ],
)
def test_a_new_quote_helps_only_if_the_day_or_the_month_of_the_old_one_is_over(
    full: Taken,
    day: str,
    is_past: bool,  # noqa: FBT001
) -> None:
    limit = rules.level_limit(LEVEL, full, hold(day=day), now_ms=NOW)
    assert is_of_past_day(limit, day, now_ms=NOW) is is_past


@pytest.mark.parametrize(("used", "is_full"), [(8_999_999, False), (9_000_000, True)])
def test_a_level_is_looked_at_first_once_nine_tenths_are_used(used: int, is_full: bool) -> None:  # noqa: FBT001
    assert rules.is_nearly_full(Budget({DAY: used}, used), LEVEL, DAY, percent=90) is is_full
    of_month = Budget({}, used * 10)
    assert rules.is_nearly_full(of_month, LEVEL, DAY, percent=90) is is_full
    assert not rules.is_nearly_full(of_month, Level(), DAY, percent=90)
