"""``make budget``: shows and sets the amounts of each level and of one person."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from imagegen.domain.budget_amounts import EACH_TEAM, Amounts
from imagegen.domain.budgets import ORGANISATION, Budget, team_level
from imagegen.domain.ledger import Ledger, PersonalLimits
from imagegen.edge.tokens import user_id
from operations.budgets import Budgets, parser
from tests.fakes.amounts import MemoryAmountStore
from tests.fakes.budgets import MemoryBudgetStore
from tests.fakes.clock import NOON_MS
from tests.fakes.ledgers import MemoryLedgerStore

ISSUER = "https://issuer.test"
STACK = {"TotalDailySpendUsd": "100", "TotalMonthlySpendUsd": "", "TeamDailySpendUsd": "5"}


@pytest.fixture
def budgets() -> Budgets:
    counted = MemoryBudgetStore(
        {(ORGANISATION, "202611"): Budget({"20261122": 1_230_000}, 7_000_000)}
    )
    return Budgets(MemoryAmountStore(), counted, MemoryLedgerStore(), STACK, ISSUER, NOON_MS)


@pytest.fixture
def run(budgets: Budgets) -> Callable[..., list[str]]:
    def run(*words: str) -> list[str]:
        given = parser().parse_args(["--stack", "imagegen", *words])
        return budgets.done(given).split("\n")

    return run


def test_without_amounts_it_only_shows(budgets: Budgets, run: Callable[..., list[str]]) -> None:
    assert run() == [
        "now     $100.00 a day, no limit a month (the stack's settings)",
        "used    $1.23 a day, $7.00 a month, with what is held",
    ]
    assert budgets.amounts.amounts(ORGANISATION) is None


def test_one_amount_leaves_the_other_as_it_was(
    budgets: Budgets, run: Callable[..., list[str]]
) -> None:
    lines = run("--month", "2000")
    assert lines[0] == "before  $100.00 a day, no limit a month (the stack's settings)"
    assert lines[1] == "now     $100.00 a day, $2000.00 a month (set by an operator)"
    run("--day", "none")
    assert budgets.amounts.amounts(ORGANISATION) == Amounts(None, 2_000_000_000)


def test_a_reset_goes_back_to_the_stacks_settings(
    budgets: Budgets, run: Callable[..., list[str]]
) -> None:
    run("--day", "1", "--month", "2")
    assert run("--reset")[1] == "now     $100.00 a day, no limit a month (the stack's settings)"
    assert budgets.amounts.amounts(ORGANISATION) is None


def test_a_team_starts_from_what_each_team_has(
    budgets: Budgets, run: Callable[..., list[str]]
) -> None:
    assert run("--level", "teams")[0].startswith("now     $5.00 a day")
    run("--level", "teams", "--month", "50")
    assert run("--level", "team:design")[0].startswith("now     $5.00 a day, $50.00 a month")
    run("--level", "team:design", "--day", "8.50")
    assert budgets.amounts.amounts(team_level("design")) == Amounts(8_500_000, 50_000_000)
    assert budgets.amounts.amounts(EACH_TEAM) == Amounts(5_000_000, 50_000_000)


def test_a_person_keeps_the_limits_they_set(
    budgets: Budgets, run: Callable[..., list[str]]
) -> None:
    user = user_id(ISSUER, "alice")
    own = PersonalLimits(own_daily_microusd=1_000_000)
    budgets.ledgers.set_limits(user, lambda _: own)
    lines = run("--level", "person:alice", "--day", "50")
    assert lines == [
        "before  everybody's limit a day, own $1.00; everybody's limit a month",
        "now     $50.00 a day, own $1.00; everybody's limit a month",
        "used    $0.00 a day, $0.00 a month, with what is held",
    ]
    assert budgets.ledgers.load(user) == Ledger(personal=replace(own, daily_microusd=50_000_000))
    run("--level", "person:alice", "--reset")
    assert budgets.ledgers.load(user).personal == own


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (["--level", "everybody"], "'everybody'"),
        (["--level", "team:"], "'team:'"),
        (["--level", "person:"], "SUBJECT"),
        (["--day", "ten"], "'ten'"),
        (["--month", "-1"], "'-1'"),
    ],
)
def test_what_cannot_be_read_changes_nothing(
    budgets: Budgets, run: Callable[..., list[str]], words: list[str], wrong: str
) -> None:
    with pytest.raises(SystemExit, match=wrong):
        run(*words)
    assert budgets.amounts.amounts(ORGANISATION) is None
