"""The commands of operators print what the routes answer, and the trail names who changed it."""

import argparse
from typing import Any

import pytest

from imagegen.domain import breaker
from imagegen.domain.breaker import Circuit
from imagegen.settings import AdminSettings
from local.paths import ROOT
from operations.admin import COMMANDS, settings_of
from tests.fakes.service import OTHER_USER, USER, Service

ARN = "arn:aws:sts::123456789012:assumed-role/operators/ann"
NONE = {
    **dict.fromkeys(("day", "month", "name", "set", "subject", "user", "before", "why"), ""),
    "hours": 24,
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


def test_every_command_has_a_target_of_its_name() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert all(f"\n{name}: .venv/stamp ## " in makefile for name in COMMANDS)
