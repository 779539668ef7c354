"""Limits of one person: an operator's in place of everybody's, and the person's own, lower ones."""

from hypothesis import given
from hypothesis import strategies as st

from imagegen.domain.budget_amounts import Amounts
from imagegen.domain.ledger import Hold, Ledger, Limits, PersonalLimits
from imagegen.domain.personal_limits import applied, set_by_operator, set_by_person
from imagegen.domain.standing import limit_now, limit_reached, remaining
from tests.fakes.clock import NOON_MS

DAY = "20261122"
NOBODY = PersonalLimits()
EVERYBODY = Limits(daily_microusd=10_000_000, monthly_microusd=100_000_000)
AMOUNTS = st.none() | st.integers(0, 10**9)
PERSONAL = st.builds(PersonalLimits, AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS)


def test_with_nothing_set_everybodys_limits_hold() -> None:
    assert applied(EVERYBODY, NOBODY) is EVERYBODY


def test_an_operator_may_give_a_person_more_than_everybody_has() -> None:
    raised = set_by_operator(NOBODY, Amounts(50_000_000, 500_000_000))
    within = applied(EVERYBODY, raised)
    assert (within.daily_microusd, within.monthly_microusd) == (50_000_000, 500_000_000)


def test_a_person_cannot_give_themselves_more() -> None:
    wished = set_by_person(NOBODY, Amounts(50_000_000, 500_000_000))
    assert applied(EVERYBODY, wished) == EVERYBODY


def test_a_person_may_limit_a_month_that_is_not_limited_for_everybody() -> None:
    within = applied(Limits(), set_by_person(NOBODY, Amounts(monthly_microusd=5_000_000)))
    assert (within.daily_microusd, within.monthly_microusd) == (10_000_000, 5_000_000)


def test_what_an_operator_sets_leaves_the_persons_own_and_the_other_way_round() -> None:
    own = set_by_person(NOBODY, Amounts(1_000_000, 2_000_000))
    both = set_by_operator(own, Amounts(3_000_000))
    assert both == PersonalLimits(3_000_000, None, 1_000_000, 2_000_000)
    assert set_by_person(both, Amounts()) == PersonalLimits(3_000_000)
    assert set_by_operator(both, Amounts()) == own


@given(PERSONAL, AMOUNTS)
def test_the_lowest_that_is_set_holds(personal: PersonalLimits, monthly: int | None) -> None:
    within = applied(Limits(monthly_microusd=monthly), personal)
    given_day = personal.daily_microusd
    most = Limits().daily_microusd if given_day is None else given_day
    own = personal.own_daily_microusd
    assert within.daily_microusd == (most if own is None else min(most, own))
    months = [personal.own_monthly_microusd]
    months.append(monthly if personal.monthly_microusd is None else personal.monthly_microusd)
    left = [amount for amount in months if amount is not None]
    assert within.monthly_microusd == (min(left) if left else None)


@given(PERSONAL, st.integers(0, 10**8), st.integers(0, 10**8))
def test_what_is_left_and_what_is_refused_agree(
    personal: PersonalLimits, spent: int, price: int
) -> None:
    ledger = Ledger(spent={DAY: spent}, months={DAY[:6]: spent}, personal=personal)
    hold = Hold("one", "run", DAY, price, NOON_MS + 1, NOON_MS + 1, 0)
    left = remaining(ledger, EVERYBODY, DAY, now_ms=NOON_MS).spend_microusd
    refused = limit_reached(ledger, hold, EVERYBODY, now_ms=NOON_MS)
    shown = limit_now(ledger, EVERYBODY, day=DAY, ceiling_microusd=price, now_ms=NOON_MS)
    assert (refused is None) == (shown is None)
    if refused is None:
        assert price <= left
    elif price:
        assert price > left


def test_the_refusal_names_the_limit_that_holds() -> None:
    ledger = Ledger(personal=PersonalLimits(own_daily_microusd=100_000))
    hold = Hold("one", "run", DAY, 170_000, NOON_MS + 1, NOON_MS + 1, 0)
    refused = limit_reached(ledger, hold, EVERYBODY, now_ms=NOON_MS)
    assert refused is not None
    assert refused.code == "daily_spend"
    assert "$0.10" in str(refused)
