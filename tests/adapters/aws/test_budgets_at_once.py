"""Budgets above users in DynamoDB: many at once, requests sent twice, and what they cost."""

from collections import Counter
from dataclasses import replace

import pytest

from imagegen.aws.budget_store import DynamoBudgetStore
from imagegen.aws.ledger_store import DynamoLedgerStore
from imagegen.domain.budgets import Level, LevelHold, Taken, mark_of, team_level
from imagegen.domain.ledger import Hold, Limits
from imagegen.domain.stores import Held, Refused, Reservation
from imagegen.usecases.generate.budget_warnings import BudgetWarner
from imagegen.usecases.generate.budgeted_ledgers import BudgetedLedgers
from tests.adapters.aws.world import Aws, Meter, at_once, every_request_sent_twice
from tests.fakes.budgets import MemoryBudgetWarningStore
from tests.fakes.clock import NOON_MS as NOW

DAY, MONTH = "20261122", "202611"
PRICE = 170_000
ALONE = Limits(0, 1_000, 1_000, 10**12)


@pytest.fixture
def budgets(aws: Aws, table: str) -> DynamoBudgetStore:
    return DynamoBudgetStore(aws.dynamodb, table)


@pytest.fixture
def store(dynamo_ledgers: DynamoLedgerStore, budgets: DynamoBudgetStore) -> BudgetedLedgers:
    warner = BudgetWarner(MemoryBudgetWarningStore(), lambda: NOW)
    return BudgetedLedgers(
        dynamo_ledgers, budgets, lambda: NOW, lambda _seconds: None, lambda: warner
    )


def hold(number: int) -> Hold:
    return Hold(f"q-{number}", f"run-{number}", DAY, PRICE, NOW + 600_000, NOW + 330_000, 0)


def test_of_200_images_of_20_persons_at_once_exactly_58_fit_into_10_dollars_of_all(
    store: BudgetedLedgers, budgets: DynamoBudgetStore, user: str
) -> None:
    organisation = Level(team_level(user), 10_000_000)
    teams = [Level(team_level(f"{user}/{number}"), 10**9) for number in range(3)]

    def ask(number: int) -> tuple[str, Reservation]:
        person = f"{user}/{number % 20:02d}"
        limits = replace(ALONE, levels=(teams[number % 20 % 3], organisation))
        return person, store.reserve(person, hold(number), limits, now_ms=NOW)

    came = at_once(ask, list(range(200)))
    assert Counter(type(one) for _, one in came) == {Held: 58, Refused: 142}
    codes = {one.limit.code for _, one in came if isinstance(one, Refused)}
    assert codes == {"team_daily_spend"}
    assert budgets.load(organisation.name, MONTH).days == {DAY: 58 * PRICE}
    held = [(person, one.snapshot) for person, one in came if isinstance(one, Held)]
    for person, snapshot in held:
        assert store.settle(person, snapshot, charged_microusd=100_000, now_ms=NOW)
    for level in (organisation, *teams):
        used = budgets.load(level.name, MONTH)
        below = sum(level.name in snapshot.op.levels for _, snapshot in held) * 100_000
        assert (used.days.get(DAY, 0), used.month_microusd) == (below, below)
        assert not used.marks


def test_a_refused_take_that_the_sdk_sent_twice_is_reported_as_unsure(
    aws: Aws, budgets: DynamoBudgetStore, user: str
) -> None:
    level = Level(team_level(user), 2 * PRICE)
    holds = [
        LevelHold(DAY, PRICE, mark_of(str(n), "me", DAY, PRICE, started_ms=NOW)) for n in range(3)
    ]
    assert not budgets.take(level, holds[0]).is_unsure
    with every_request_sent_twice(aws.dynamodb, "UpdateItem"):
        found = [budgets.take(level, one) for one in holds[1:]]
    assert [one.result for one in found] == [Taken.TAKEN, Taken.DAY_FULL]
    assert [one.is_unsure for one in found] == [True, True]
    assert budgets.load(level.name, MONTH).days == {DAY: 2 * PRICE}


def test_everything_sent_twice_counts_once_at_each_level(
    aws: Aws, store: BudgetedLedgers, budgets: DynamoBudgetStore, user: str
) -> None:
    level = Level(team_level(user), 10**9)
    with every_request_sent_twice(aws.dynamodb, "UpdateItem"):
        came = store.reserve(user, hold(1), replace(ALONE, levels=(level,)), now_ms=NOW)
        assert isinstance(came, Held)
        assert came.snapshot.unsure == {level.name}
        assert store.settle(user, came.snapshot, charged_microusd=50_000, now_ms=NOW)
    used = budgets.load(level.name, MONTH)
    assert (used.days, used.month_microusd) == ({DAY: 50_000}, 50_000)
    assert not used.marks
    assert used.fences == {came.snapshot.op.mark}
    assert store.load(user).spent == {DAY: 50_000}


@pytest.mark.parametrize("levels", [0, 1, 2])
def test_a_level_adds_two_write_units_and_two_calls_to_an_image(
    aws: Aws, store: BudgetedLedgers, user: str, levels: int
) -> None:
    names = [team_level(f"{user}/{number}") for number in range(levels)]
    limits = replace(ALONE, levels=tuple(Level(name, 10**9) for name in names))
    meter = Meter()
    with meter.running(aws.dynamodb):
        came = store.reserve(user, hold(1), limits, now_ms=NOW)
        assert isinstance(came, Held)
        store.settle(user, came.snapshot, charged_microusd=50_000, now_ms=NOW)
    assert meter.calls == ["UpdateItem"] * (2 + 2 * levels)
    assert 0 < meter.units <= 4 + 2 * levels
