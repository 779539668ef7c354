"""A person's own, lower limits over HTTP: set, shown, held to, raised and removed."""

from typing import Any

import pytest

from imagegen.domain.ledger import Limits, PersonalLimits
from local.issuer import Issuer
from tests.handlers.conftest import Functions


def set_limits(functions: Functions, body: object) -> tuple[int, dict[str, Any]]:
    return functions.answer("generate/own-limits", body)


def test_what_a_person_sets_is_shown_and_stops_the_click(functions: Functions) -> None:
    before = functions.answer("estimate/prompt-only")[1]
    assert set_limits(functions, {"usdToday": "0.001"}) == (
        200,
        {"usdToday": "0.001000", "usdThisMonth": None},
    )
    _, usage = functions.answer("generate/usage")
    assert usage["ownLimits"] == {"usdToday": "0.001000", "usdThisMonth": None}
    assert usage["limits"]["usdToday"] == usage["remaining"]["usdToday"] == "0.001000"
    after = functions.answer("estimate/prompt-only")[1]
    assert (before["blocked"], after["blocked"]["reason"]) == (None, "daily_spend")
    confirmed = {"quote": before["quote"], "prompt": before["prompt"]}
    status, problem = functions.answer("generate/confirmed", confirmed)
    assert (status, problem["code"], problem["charged"]) == (429, "daily_spend", False)


def test_limits_are_replaced_raised_and_removed(functions: Functions, user: str) -> None:
    for body, kept in [
        ({"usdToday": "3", "usdThisMonth": 40}, PersonalLimits(None, None, 3_000_000, 40_000_000)),
        ({"usdThisMonth": "50"}, PersonalLimits(own_monthly_microusd=50_000_000)),
        ({"usdToday": 0}, PersonalLimits(own_daily_microusd=0)),
        ({}, PersonalLimits()),
    ]:
        assert set_limits(functions, body)[0] == 200
        assert functions.service.ledger(user).personal == kept


def test_more_than_everybody_may_spend_changes_nothing(functions: Functions, user: str) -> None:
    set_limits(functions, {"usdToday": "5000"})
    assert functions.answer("generate/usage")[1]["limits"]["usdToday"] == "10.000000"
    assert Limits().daily_microusd == 10_000_000
    assert functions.service.ledger(user).spent == {}


@pytest.mark.parametrize(
    "body", [{"usdToday": "ten"}, {"usdToday": -1}, {"usdToday": True}, {"other": 1}, []]
)
def test_what_cannot_be_read_changes_nothing(functions: Functions, user: str, body: object) -> None:
    set_limits(functions, {"usdToday": "3"})
    status, _ = set_limits(functions, body)
    assert status == 422
    assert functions.service.ledger(user).personal == PersonalLimits(own_daily_microusd=3_000_000)


def test_one_persons_limits_are_nobody_elses(functions: Functions, people: Issuer) -> None:
    set_limits(functions, {"usdToday": "0"})
    _, usage = functions.answer("generate/usage", TOKEN=people.token("bob"))
    assert usage["ownLimits"] == {"usdToday": None, "usdThisMonth": None}
    assert usage["remaining"]["usdToday"] == "10.000000"
