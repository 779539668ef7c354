"""The commands of operators print what the routes answer, and the trail names who changed it."""

import argparse
import os
import subprocess
from typing import Any

import pytest

from imagegen.domain import breaker
from imagegen.domain.breaker import Circuit
from imagegen.domain.budget_amounts import Amounts
from imagegen.domain.budgets import team_level
from imagegen.domain.ledger import PersonalLimits
from imagegen.monitoring.observer import LogObserver
from imagegen.settings import AdminSettings
from local.paths import ROOT
from operations.admin import COMMANDS, TerminalWorld, settings_of
from tests.fakes.service import OTHER_USER, USER, Service

ARN = "arn:aws:sts::123456789012:assumed-role/operators/ann"
NONE = {
    **dict.fromkeys(("day", "month", "name", "set", "subject", "user", "before", "why"), ""),
    "hours": 24,
    "level": "organisation",
    "reset": False,
}


def printed(service: Service, command: str, **given: Any) -> str:
    asked = argparse.Namespace(**{**NONE, **given}, who=ARN)
    text = COMMANDS[command](service.functions, asked)
    for line in text.splitlines():
        assert line == line.rstrip()
    return text


def whos(service: Service) -> list[str]:
    return [one.who for one in service.trail.entries.values()]


def test_today_is_a_table_by_everything() -> None:
    service = Service()
    service.make()
    service.make(user=OTHER_USER)
    text = printed(service, "today")
    assert "everything" in text
    assert "0.100000" in text
    for name in (USER, OTHER_USER, "alpha", "complete"):
        assert name in text


def test_failures_name_the_users() -> None:
    service = Service()
    assert "Nothing failed." in printed(service, "failures")
    service.react("alpha", b"broken")
    service.make()
    text = printed(service, "failures")
    assert USER in text
    assert "broken_image" in text


def test_a_provider_is_switched_and_the_reason_is_shown() -> None:
    service = Service()
    assert "alpha" in printed(service, "providers")
    text = printed(service, "providers", name="alpha", set="off", why="outage")
    assert "alpha was switched off" in text
    assert "outage" in text
    assert whos(service) == [ARN]
    with pytest.raises(SystemExit, match="SET=off"):
        printed(service, "providers", name="alpha", set="of")


def test_a_circuit_is_shown_with_its_reason_and_closed() -> None:
    service = Service()
    circuit = breaker.opened(Circuit(), until_ms=service.clock() + 5, why="account")
    service.circuits.swap("alpha", Circuit(), circuit)
    assert "account" in printed(service, "providers")
    assert "account" not in printed(service, "circuit", name="alpha", why="new key")
    assert whos(service) == [ARN]
    with pytest.raises(SystemExit, match="Name a circuit"):
        printed(service, "circuit")


@pytest.mark.parametrize("named", [{"subject": "alice"}, {"user": USER}])
def test_a_person_is_shown_blocked_and_let_in_again(named: dict[str, str]) -> None:
    service = Service()
    assert "blocked         no" in printed(service, "user", **named)
    assert "blocked         yes" in printed(service, "user", **named, set="blocked", why="abuse")
    assert "blocked         no" in printed(service, "user", **named, set="free")
    assert whos(service) == [ARN, ARN]
    assert "abuse" in printed(service, "trail")


def test_a_person_is_erased_by_a_command_too() -> None:
    service = Service()
    assert "being erased    since" in printed(service, "user", user=USER, set="erased", why="law")
    assert list(service.erasures.erasures) == [USER]
    assert whos(service) == [ARN]


def test_a_persons_newest_requests_are_shown_without_what_opens_them() -> None:
    service = Service()
    made = service.make()
    text = printed(service, "user", user=USER)
    assert made.record.quote_id in text
    assert service.image_id(made) not in text


@pytest.mark.parametrize("given", [{}, {"user": USER, "set": "block"}])
def test_what_is_missing_is_said(given: dict[str, str]) -> None:
    with pytest.raises(SystemExit, match=r"SUBJECT=|SET=blocked"):
        printed(Service(), "user", **given)


def test_an_empty_trail_says_so() -> None:
    assert printed(Service(), "trail") == "No operator has changed anything."


def test_a_stacks_settings_are_those_of_its_function() -> None:
    found = {
        "StackName": "prod",
        "Outputs": [{"OutputKey": "TableName", "OutputValue": "prod-table"}],
        "Parameters": [
            {"ParameterKey": "JwtIssuer", "ParameterValue": "https://issuer.test"},
            {"ParameterKey": "DailyImages", "ParameterValue": "7"},
            {"ParameterKey": "PriceDriftCloses", "ParameterValue": "false"},
        ],
    }
    settings = settings_of(found, {})
    assert isinstance(settings, AdminSettings)
    assert (settings.table_name, settings.parameters_path) == ("prod-table", "/imagegen/prod")
    assert (settings.jwt_issuer, settings.limits.daily_images) == ("https://issuer.test", 7)


def test_a_terminal_is_told_what_a_function_logs_and_logs_nothing() -> None:
    found = {
        "StackName": "prod",
        "Outputs": [{"OutputKey": "TableName", "OutputValue": "prod-table"}],
    }
    world = TerminalWorld(settings_of(found, {}))
    methods = [name for name in vars(LogObserver) if not name.startswith("_")]
    assert "key_set_aside" in methods
    for name in methods:
        assert getattr(world.observer, name)("openai", 1) is None


def test_a_budget_is_shown_set_and_reset() -> None:
    service = Service()
    assert "organisation, not set by an operator" in printed(service, "budget")
    team = {"level": "team:design", "why": "the launch"}
    assert "25.000000" in printed(service, "budget", day="25", month="none", **team)
    assert service.amounts.amounts(team_level("design")) == Amounts(25_000_000)
    assert "40.000000" in printed(service, "budget", month="40", **team)
    assert service.amounts.amounts(team_level("design")) == Amounts(25_000_000, 40_000_000)
    assert "no limit" in printed(service, "budget", reset=True, **team)
    assert whos(service) == [ARN] * 3


def test_a_persons_budget_is_named_by_subject_or_hash() -> None:
    service = Service()
    printed(service, "budget", level="person", user=USER, day="0.10")
    assert service.ledger().personal == PersonalLimits(daily_microusd=100_000)
    assert USER not in printed(service, "budget", level="person:alice")


@pytest.mark.parametrize("given", [{"level": "everybody"}, {"day": "ten"}, {"month": "-1"}])
def test_a_budget_that_cannot_be_read_is_not_set(given: dict[str, str]) -> None:
    service = Service()
    with pytest.raises(SystemExit, match="Cannot read"):
        printed(service, "budget", **given)
    assert not service.amounts.kept


def test_the_month_of_a_report_is_no_amount_of_a_budget() -> None:
    """``MONTH`` has a value for ``make report`` where none is given."""
    for words, month in ([], '""'), (["MONTH=40"], '"40"'):
        done = subprocess.run(  # noqa: S603 our own Makefile
            ["make", "-n", "budget", "DAY=5", *words],  # noqa: S607
            cwd=ROOT,
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=True,
        )
        assert f'--day "5" --month {month} ' in done.stdout


def test_every_command_has_a_target_of_its_name() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert all(f"\n{name}: .venv/stamp ## " in makefile for name in COMMANDS)
