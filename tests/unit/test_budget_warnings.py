"""Warnings of budgets: when there is one, that it is kept once, and that it stops no image."""

from dataclasses import replace
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.domain.budget_warnings import PERCENTS, BudgetWarning, warnings
from imagegen.domain.budgets import ORGANISATION, Budget, Level, LevelHold, Take, Taken, team_level
from imagegen.domain.errors import StoreUnavailableError
from imagegen.domain.stores import Held, Refused, Reservation
from imagegen.usecases.generate.budget_warnings import MOST_KNOWN, BudgetWarner
from imagegen.usecases.generate.budgeted_ledgers import WARNED_PERCENT
from tests.fakes.budgets import MemoryBudgetWarningStore
from tests.fakes.clock import Clock
from tests.fakes.service import Service
from tests.unit.test_budgeted_ledgers import DAY, LIMITS, MONTH, TEAM, USER, World

LIMIT = 1_000_000
ALL = Level(ORGANISATION, LIMIT, 10 * LIMIT)
HOLD = LevelHold(DAY, 1, b"mark")


def warned(used: int, level: Level = ALL, *, result: Taken = Taken.TAKEN) -> list[BudgetWarning]:
    return list(warnings(Budget({DAY: used}, used), level, DAY, result))


@pytest.mark.parametrize(
    ("used", "percents"),
    [
        (0, []),
        (799_999, []),
        (800_000, [80]),
        (999_999, [80]),
        (LIMIT, [80, 100]),
        (2_000_000, [80, 100]),
    ],
)
def test_a_day_is_warned_of_at_80_and_at_100_percent(used: int, percents: list[int]) -> None:
    found = warned(used)
    assert [one.percent for one in found] == percents
    assert all((one.span, one.time) == ("day", DAY) for one in found)
    assert all((one.used_microusd, one.limit_microusd) == (used, LIMIT) for one in found)


def test_a_month_is_warned_of_by_itself() -> None:
    budget = Budget({DAY: 1}, 9 * LIMIT)
    (one,) = warnings(budget, ALL, DAY, Taken.TAKEN)
    assert (one.span, one.time, one.percent) == ("month", MONTH, 80)
    assert (one.used_microusd, one.limit_microusd) == (9 * LIMIT, 10 * LIMIT)


@pytest.mark.parametrize(("result", "span"), [(Taken.DAY_FULL, "day"), (Taken.MONTH_FULL, "month")])
def test_a_limit_that_a_request_does_not_fit_into_is_used_up(result: Taken, span: str) -> None:
    found = warned(700_000, result=result)
    assert [(one.span, one.percent) for one in found] == [(span, 80), (span, 100)]


def test_a_level_without_a_limit_warns_of_nothing() -> None:
    assert not warned(10**9, Level(TEAM))
    (one,) = (one for one in warned(LIMIT, Level(TEAM, LIMIT)) if one.percent == 100)
    assert (one.title, one.level) == ("team", TEAM)


def test_a_limit_that_is_raised_has_warnings_of_its_own() -> None:
    before, after = warned(LIMIT), warned(2 * LIMIT, replace(ALL, daily_microusd=2 * LIMIT))
    places = {one.place for one in chain(before, after)}
    assert len(places) == len(before) + len(after) == 4


@given(st.integers(0, 10**12), st.integers(1, 10**12), st.sampled_from(Taken))
def test_a_later_step_is_never_warned_of_without_the_earlier_ones(
    used: int, most: int, result: Taken
) -> None:
    percents = [one.percent for one in warned(used, Level(TEAM, most), result=result)]
    assert percents == list(PERCENTS[: len(percents)])


def test_a_level_is_looked_at_from_the_first_step_on() -> None:
    assert min(PERCENTS) == WARNED_PERCENT


def took(used: int) -> Take:
    return Take(Taken.TAKEN, Budget({DAY: used}, used))


class CountingStore(MemoryBudgetWarningStore):
    """Counts the writes, and refuses as many as a test wants."""

    writes = 0
    refusals = 0

    def add(self, warning: BudgetWarning, at_ms: int) -> None:
        self.writes += 1
        if self.refusals:
            self.refusals -= 1
            raise StoreUnavailableError("away")
        super().add(warning, at_ms)


def test_an_instance_writes_a_warning_once_and_the_first_one_stays() -> None:
    store, clock = CountingStore(), Clock()
    warner = BudgetWarner(store, clock)
    for used in (810_000, 820_000, 830_000):
        warner.look(ALL, HOLD, took(used))
    assert store.writes == 1
    first = clock()
    clock.advance(5_000)
    BudgetWarner(store, clock).look(ALL, HOLD, took(840_000))
    assert store.writes == 2
    ((warning, at_ms),) = store.kept.values()
    assert (warning.used_microusd, at_ms) == (810_000, first)


def test_a_warning_that_could_not_be_kept_is_tried_again_by_the_next_request() -> None:
    store = CountingStore()
    store.refusals = 1
    warner = BudgetWarner(store, Clock())
    warner.look(ALL, HOLD, took(810_000))
    assert not store.kept
    warner.look(ALL, HOLD, took(820_000))
    assert len(store.kept) == 1


def test_an_instance_remembers_a_bounded_number_of_warnings() -> None:
    store = CountingStore()
    warner = BudgetWarner(store, Clock())
    for number in range(MOST_KNOWN + 1):
        warner.look(Level(team_level(str(number)), LIMIT), HOLD, took(810_000))
    last = Level(team_level(str(MOST_KNOWN)), LIMIT)
    warner.look(last, HOLD, took(810_000))
    assert store.writes == MOST_KNOWN + 1
    warner.look(Level(team_level("0"), LIMIT), HOLD, took(810_000))
    assert store.writes == MOST_KNOWN + 2


def test_a_team_that_fills_up_is_warned_of_once_and_its_refusals_as_used_up() -> None:
    world = World()
    store = world.store()

    def click(number: int) -> Reservation:
        hold = world.hold(str(number))
        return store.reserve(f"{number:032x}", hold, LIMITS, now_ms=world.clock())

    # Twenty images of $0.17 are the team's $3.40.
    assert all(isinstance(click(number), Held) for number in range(15))
    assert not world.warnings.kept
    click(15)
    assert [one.percent for one, _ in world.warnings.kept.values()] == [80]
    assert all(isinstance(click(number), Held) for number in range(16, 19))
    assert len(world.warnings.kept) == 1
    click(19)
    world.clock.advance(2_000)
    assert isinstance(click(20), Refused)
    found = [(one.title, one.span, one.percent) for one, _ in world.warnings.kept.values()]
    assert found == [("team", "day", 80), ("team", "day", 100)]


def test_a_refusal_alone_says_that_a_budget_is_used_up() -> None:
    world = World()
    store = world.store()
    assert isinstance(
        store.reserve(USER, world.hold(price=1_000_000), LIMITS, now_ms=world.clock()), Held
    )
    world.clock.advance(2_000)
    dear = world.hold("two", price=3_000_000)
    assert isinstance(store.reserve(USER, dear, LIMITS, now_ms=world.clock()), Refused)
    assert {one.percent for one, _ in world.warnings.kept.values()} == {80, 100}


def test_a_refusal_before_anything_is_written_says_so_too() -> None:
    world = World()
    store = world.store()
    store.reserve(USER, world.hold(price=3_200_000), LIMITS, now_ms=world.clock())
    world.clock.advance(2_000)
    writes = world.ledgers.writes
    dear = world.hold("two", price=300_000)
    assert isinstance(store.reserve(USER, dear, LIMITS, now_ms=world.clock()), Refused)
    assert world.ledgers.writes == writes
    assert {one.percent for one, _ in world.warnings.kept.values()} == {80, 100}


def test_a_store_of_warnings_that_is_away_stops_no_image() -> None:
    service = Service(limits=replace(Service().limits, levels=(Level(ORGANISATION, 100_000),)))
    service.wire.refused = ("warnings.add",)
    made = service.make()
    assert made.record.charged_microusd
    service.check_charged_iff_stored()
    assert not service.warnings.kept


def test_far_below_its_limits_a_level_costs_no_write_of_a_warning() -> None:
    service = Service()
    service.make()
    assert "warnings.add" not in service.wire.calls
