"""A team's budget over HTTP: who counts in it, what an offer says, and what stops a click."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from imagegen.bootstrap import verifier
from imagegen.domain.budget_amounts import KEPT_MS, Amounts
from imagegen.domain.budgets import ORGANISATION, team_level
from imagegen.edge.tokens import user_id
from local.issuer import Issuer
from tests.handlers.conftest import Functions

CLAIM = "https://acme.test/team"
MONTH = "202611"


@pytest.fixture
def teams(functions: Functions, monkeypatch: pytest.MonkeyPatch) -> Iterator[Functions]:
    """Return the functions of a stack whose tokens name teams."""
    monkeypatch.setenv("JWT_TEAM_CLAIM", CLAIM)
    verifier.get_settings.cache_clear()
    verifier.get_verifier.cache_clear()
    functions.service.amounts.kept[team_level("design")] = Amounts(100_000)
    yield functions
    verifier.get_settings.cache_clear()
    verifier.get_verifier.cache_clear()


def token(people: Issuer, subject: str = "alice", team: Any = None) -> str:
    return people.token(subject, **{CLAIM: team})


def offer(functions: Functions, bearer: str) -> dict[str, Any]:
    status, body = functions.answer("estimate/prompt-only", TOKEN=bearer)
    assert status == 200
    return body


def click(functions: Functions, body: dict[str, Any], bearer: str) -> tuple[int, dict[str, Any]]:
    confirmed = {"quote": body["quote"], "prompt": body["prompt"]}
    return functions.answer("generate/confirmed", confirmed, TOKEN=bearer)


def test_an_offer_says_what_the_team_and_all_have_left(teams: Functions, people: Issuer) -> None:
    levels = offer(teams, token(people, team="design"))["remaining"]["levels"]
    assert [(one["level"], one["usdToday"]) for one in levels] == [
        ("team", "0.100000"),
        ("organisation", "100.000000"),
    ]
    assert len(offer(teams, token(people))["remaining"]["levels"]) == 1


def test_the_team_counts_what_its_people_spend_and_stops_them(
    teams: Functions, people: Issuer
) -> None:
    ann, bob = (token(people, one, team="design") for one in ("ann", "bob"))
    service, spent = teams.service, 0
    for bearer in (ann, bob):
        status, made = click(teams, offer(teams, bearer), bearer)
        if status == 200:
            spent += round(float(made["cost"]["charged"]) * 1_000_000)
    team = service.budgets.load(team_level("design"), MONTH)
    assert 0 < team.month_microusd == spent <= 100_000
    assert service.budgets.load(ORGANISATION, MONTH).month_microusd == spent
    service.amounts.kept[team_level("design")] = Amounts(spent)
    service.clock.advance(KEPT_MS)
    full = offer(teams, bob)
    assert full["blocked"]["reason"] == "team_daily_spend"
    status, problem = click(teams, full, bob)
    assert (status, problem["code"], problem["charged"]) == (429, "team_daily_spend", False)
    outside = token(people, "cy", team="sales")
    assert click(teams, offer(teams, outside), outside)[0] == 200


def test_of_several_teams_the_first_counts(teams: Functions, people: Issuer) -> None:
    bearer = token(people, team=["design", "sales"])
    assert offer(teams, bearer)["remaining"]["levels"][0]["usdToday"] == "0.100000"


@pytest.mark.parametrize("value", ["", [], None])
def test_a_token_without_a_team_counts_in_none(
    teams: Functions, people: Issuer, value: object
) -> None:
    assert len(offer(teams, token(people, team=value))["remaining"]["levels"]) == 1


@pytest.mark.parametrize("value", [7, True, {"name": "design"}, [7], [["design"]], "x" * 256])
def test_a_claim_that_is_no_name_is_refused(
    teams: Functions, people: Issuer, value: object
) -> None:
    bearer = token(people, team=value)
    assert teams.answer("estimate/prompt-only", TOKEN=bearer)[0] == 401


def test_without_the_setting_a_claim_means_nothing(functions: Functions, people: Issuer) -> None:
    bearer = token(people, team={"name": "design"})
    assert len(offer(functions, bearer)["remaining"]["levels"]) == 1


def test_a_person_who_changes_team_between_offer_and_click_counts_in_the_new_one(
    teams: Functions, people: Issuer
) -> None:
    made = offer(teams, token(people, team="design"))
    teams.service.amounts.kept[team_level("sales")] = Amounts(5_000_000)
    assert click(teams, made, token(people, team="sales"))[0] == 200
    assert teams.service.budgets.load(team_level("design"), MONTH).month_microusd == 0
    assert teams.service.budgets.load(team_level("sales"), MONTH).month_microusd > 0


def test_usage_and_chat_have_the_teams_budget_too(teams: Functions, people: Issuer) -> None:
    bearer = token(people, team="design")
    status, usage = teams.answer("generate/usage", TOKEN=bearer)
    assert status == 200
    assert usage["limits"]["levels"][0] == {
        "level": "team",
        "usdToday": "0.100000",
        "usdThisMonth": None,
    }
    assert user_id(people.url, "alice") not in json.dumps(usage)
