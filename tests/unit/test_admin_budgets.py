"""Operators see and set budgets: of all, of a team, of each team, of a person; the trail has it."""

from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from typing import Any

import pytest
from pydantic import ValidationError

from imagegen.domain.budget_amounts import EACH_TEAM, Amounts
from imagegen.domain.budgets import ORGANISATION, Budget, team_level
from imagegen.domain.errors import ParameterError, StoreUnavailableError
from imagegen.domain.ledger import Ledger, PersonalLimits
from imagegen.domain.trail import TrailEntry
from imagegen.edge.tokens import user_id
from imagegen.usecases.admin.budgets import BudgetControl
from imagegen.usecases.admin.trail import Trail
from imagegen.wire.admin_budgets import BudgetPlace, SetBudget, SharedBudget
from operations.admin_tables import budget_text
from tests.fakes.admin import MemoryTrailStore
from tests.fakes.amounts import MemoryAmountStore
from tests.fakes.budgets import MemoryBudgetStore
from tests.fakes.clock import NOON_MS
from tests.fakes.ledgers import MemoryLedgerStore

ISSUER, WHO = "https://issuer.test", "user:0123"
ALICE = user_id(ISSUER, "alice")
DAY, MONTH = "20261122", "202611"


@dataclass(slots=True)
class Overtaken(MemoryAmountStore):
    """Another operator sets the month right after each of the first reads."""

    times: int = 1

    def amounts(self, level: str) -> Amounts | None:
        found = self.kept.get(level)
        if self.times:
            self.times -= 1
            self.kept[level] = Amounts(100_000_000, 9_000_000 + self.times)
        return found


class Desk:
    """The budgets and the trail of one stack."""

    def __init__(self, amounts: MemoryAmountStore | None = None) -> None:
        self.amounts, self.ledgers = amounts or MemoryAmountStore(), MemoryLedgerStore()
        used = Budget({DAY: 1_230_000}, 7_000_000)
        counted = MemoryBudgetStore({(ORGANISATION, MONTH): used})
        self.entries, numbers = MemoryTrailStore(), count()
        self.control = BudgetControl(
            amounts=self.amounts,
            counted=lambda: counted,
            ledgers=self.ledgers,
            personal=self.ledgers,
            organisation=Amounts(100_000_000),
            team=Amounts(5_000_000),
            trail=Trail(self.entries, lambda: NOON_MS, lambda: f"{next(numbers):03d}"),
            user_of=partial(user_id, ISSUER),
            now_ms=lambda: NOON_MS,
        )

    def show(self, **place: Any) -> SharedBudget:
        return self.control.show(BudgetPlace.model_validate(place))

    def set(self, **new: Any) -> SharedBudget:
        return self.control.set(SetBudget.model_validate(new), WHO)

    def changes(self) -> list[tuple[str, str, str, str]]:
        found: list[TrailEntry] = list(self.entries.entries.values())
        return [
            (one.change.target, one.change.old, one.change.new, one.change.reason) for one in found
        ]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_what_nobody_has_set_is_the_stacks(desk: Desk) -> None:
    found = desk.show()
    assert (found.daily_spend, found.monthly_spend, found.is_set) == (100_000_000, None, False)
    assert (found.spent_today, found.spent_this_month) == (1_230_000, 7_000_000)
    assert budget_text(found).split("\n") == [
        "organisation, not set by an operator       limit      used",
        "a UTC day                             100.000000  1.230000",
        "a UTC month                             no limit  7.000000",
    ]
    assert not desk.changes()


def test_one_amount_leaves_the_other_and_null_removes_it(desk: Desk) -> None:
    assert desk.set(monthlySpend="2000", reason="the launch").daily_spend == 100_000_000
    desk.set(dailySpend=None)
    assert desk.amounts.amounts(ORGANISATION) == Amounts(None, 2_000_000_000)
    first, second = desk.changes()
    before, between = "$100.00 a day, no limit a month", "$100.00 a day, $2000.00 a month"
    assert first == ("organisation", before, between, "the launch")
    assert second == ("organisation", between, "no limit a day, $2000.00 a month", "")


def test_a_reset_goes_back_to_the_stacks_settings(desk: Desk) -> None:
    desk.set(dailySpend="1", monthlySpend="2")
    assert not desk.set(reset=True).is_set
    assert desk.amounts.amounts(ORGANISATION) is None
    assert len(desk.changes()) == 2


def test_a_team_starts_from_what_each_team_has(desk: Desk) -> None:
    assert desk.show(level="team", team="design").daily_spend == 5_000_000
    each = desk.set(level="teams", monthlySpend="50")
    assert (each.spent_today, each.spent_this_month) == (None, None)
    assert desk.show(level="team", team="design").monthly_spend == 50_000_000
    desk.set(level="team", team="design", dailySpend="8.50")
    assert desk.amounts.amounts(team_level("design")) == Amounts(8_500_000, 50_000_000)
    assert desk.amounts.amounts(EACH_TEAM) == Amounts(5_000_000, 50_000_000)
    assert desk.changes()[-1][0] == "team design"


def test_where_nothing_is_spent_nothing_is_shown_as_spent(desk: Desk) -> None:
    for place in ({"level": "team", "team": "design"}, {"level": "person", "subject": "alice"}):
        found = desk.show(**place)
        assert (found.spent_today, found.spent_this_month, found.is_set) == (0, 0, False)


def test_what_a_person_has_spent_is_that_of_the_day_and_of_the_month(desk: Desk) -> None:
    desk.ledgers.ledgers[ALICE] = Ledger(
        spent={DAY: 3, "20261121": 4}, months={MONTH: 7, "202610": 9}
    )
    found = desk.set(level="person", subject="alice", monthlySpend="5")
    assert (found.spent_today, found.spent_this_month, found.is_set) == (3, 7, True)


def test_only_a_team_has_a_teams_name_and_hash(desk: Desk) -> None:
    team = desk.show(level="team", team="design")
    assert (team.team, f"T#{team.team_hash}") == ("design", team_level("design"))
    for place in ({}, {"level": "teams"}, {"level": "person", "subject": "alice"}):
        found = desk.show(**place)
        assert (found.team, found.team_hash) == ("", "")


def test_a_reset_of_each_team_is_written_down_with_what_holds_after_it(desk: Desk) -> None:
    desk.set(level="teams", dailySpend="8")
    desk.set(level="teams", reset=True)
    no_month = "a day, no limit a month"
    assert desk.changes()[-1][1:3] == (f"$8.00 {no_month}", f"$5.00 {no_month}")


def test_a_person_keeps_the_limits_they_set(desk: Desk) -> None:
    own = PersonalLimits(own_daily_microusd=1_000_000)
    desk.ledgers.set_limits(ALICE, lambda _: own)
    found = desk.set(level="person", subject="alice", dailySpend="50")
    assert (found.user, found.daily_spend, found.own_daily_spend) == (ALICE, 50_000_000, 1_000_000)
    assert desk.ledgers.load(ALICE) == Ledger(personal=replace(own, daily_microusd=50_000_000))
    desk.set(level="person", user=ALICE, reset=True)
    assert desk.ledgers.load(ALICE).personal == own
    said = [(target, old, new) for target, old, new, _ in desk.changes()]
    everybodys = "everybody's limit a day, everybody's limit a month"
    raised = "$50.00 a day, everybody's limit a month"
    assert said == [(ALICE, everybodys, raised), (ALICE, raised, everybodys)]
    assert "own limit" in budget_text(found)


def test_the_same_again_changes_nothing_and_is_in_no_trail(desk: Desk) -> None:
    for _ in range(2):
        desk.set(level="teams", dailySpend="7")
        desk.set(level="person", subject="alice", dailySpend="7")
    assert len(desk.changes()) == 2
    desk.set(level="team", team="unknown", reset=True)
    assert len(desk.changes()) == 2


def test_what_two_operators_set_at_once_is_both_set() -> None:
    desk = Desk(Overtaken())
    found = desk.set(dailySpend="5")
    assert (found.daily_spend, found.monthly_spend) == (5_000_000, 9_000_000)


def test_a_budget_that_others_change_all_the_time_is_not_set() -> None:
    desk = Desk(Overtaken(times=100))
    with pytest.raises(StoreUnavailableError):
        desk.set(dailySpend="5")
    assert desk.amounts.kept[ORGANISATION].daily_microusd == 100_000_000


@pytest.mark.parametrize(
    "body",
    [
        {"level": "team", "dailySpend": "1"},
        {"level": "organisation", "team": "design", "dailySpend": "1"},
        {"level": "person", "dailySpend": "1"},
        {"level": "person", "subject": "alice", "user": ALICE, "dailySpend": "1"},
        {"level": "person", "user": "nobody", "dailySpend": "1"},
        {"level": "teams"},
        {"reason": "only words"},
        {"user": ALICE, "dailySpend": "1"},
        {"subject": "alice", "reset": True},
        {"level": "team", "team": "design", "user": ALICE, "dailySpend": "1"},
        {"reset": True, "dailySpend": "1"},
    ],
)
def test_what_is_not_clear_changes_nothing(desk: Desk, body: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        desk.set(**body)
    assert not desk.changes()
    assert not desk.amounts.kept
    assert not desk.ledgers.ledgers


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"reason": "only words"}, "reset"),
        ({"user": ALICE, "dailySpend": "1"}, "level"),
        ({"level": "team", "dailySpend": "1"}, "team"),
        ({"level": "person", "dailySpend": "1"}, "subject"),
        ({"level": "person", "user": "nobody", "dailySpend": "1"}, "user"),
    ],
)
def test_what_is_not_clear_is_said_of_a_field(desk: Desk, body: dict[str, Any], field: str) -> None:
    with pytest.raises(ParameterError) as error:
        desk.set(**body)
    assert error.value.param == field


@pytest.mark.parametrize(
    "body", [{"dailySpend": "ten"}, {"dailySpend": "-1"}, {"level": "all"}, {"dailySpend": True}]
)
def test_what_is_no_amount_and_no_level_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SetBudget.model_validate(body)


class BrokenTrailStore(MemoryTrailStore):
    """A trail that takes nothing."""

    def add(self, _entry: TrailEntry) -> None:
        raise StoreUnavailableError("down")


def test_nothing_is_set_without_its_entry_in_the_trail(desk: Desk) -> None:
    broken = replace(desk.control.trail, store=BrokenTrailStore())
    desk.control = replace(desk.control, trail=broken)
    for body in ({"dailySpend": "1"}, {"level": "person", "subject": "alice", "dailySpend": "1"}):
        with pytest.raises(StoreUnavailableError):
            desk.set(**body)
    assert not desk.amounts.kept
    assert not desk.ledgers.ledgers
