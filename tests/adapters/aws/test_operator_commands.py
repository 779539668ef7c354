"""The commands of operators over a real table and real parameters, in the world of a terminal."""

import argparse
import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from imagegen.aws import clients
from imagegen.bootstrap.admin import AdminService
from imagegen.monitoring.observer import LogObserver
from imagegen.settings import AdminSettings
from local.emulator import CREDENTIALS, REGION
from operations.admin import COMMANDS, QuietObserver, TerminalWorld
from tests.adapters.aws.world import Aws, build_client
from tests.unit.test_admin_commands import ARN, NONE

PATH = "/imagegen/commands"


@pytest.fixture
def service(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[AdminService]:
    environ = {
        **CREDENTIALS,
        "AWS_ENDPOINT_URL": aws.endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    ssm = build_client("ssm", aws.endpoint)
    for name in ("IMAGE_ID_KEY", "OPENAI_API_KEY"):
        value = "k" * 43
        ssm.put_parameter(Name=f"{PATH}/{name}", Value=value, Type="SecureString", Overwrite=True)
    settings = AdminSettings.from_env(
        {
            **environ,
            "TABLE_NAME": aws.new_table(),
            "PARAMETERS_PATH": PATH,
            "STACK_NAME": "commands",
            "JWT_ISSUER": "https://issuer.test",
        }
    )
    forget()
    yield AdminService(TerminalWorld(settings), settings)
    forget()


def forget() -> None:
    for one in (clients.dynamodb, clients.ssm):
        one.cache_clear()


def printed(service: AdminService, command: str, **given: Any) -> str:
    asked = argparse.Namespace(**{**NONE, **given}, who=ARN)
    return COMMANDS[command](service, asked)


@pytest.mark.parametrize(
    ("command", "given", "said"),
    [
        ("today", {}, "everything"),
        ("failures", {}, "Nothing failed."),
        ("providers", {}, "openai"),
        ("providers", {"name": "openai", "set": "off", "why": "outage"}, "outage"),
        ("circuit", {"name": "openai", "why": "new key"}, "openai"),
        ("user", {"subject": "alice"}, "name in logs"),
        ("user", {"subject": "alice", "set": "blocked", "why": "ticket"}, "blocked"),
        ("user", {"subject": "alice", "set": "erased", "why": "letter"}, "being erased    since"),
        ("budget", {"level": "team:design", "day": "5"}, "5.000000"),
        ("trail", {}, "No operator has changed anything."),
    ],
)
def test_every_command_works_with_the_terminals_own_world(
    service: AdminService, command: str, given: dict[str, str], said: str
) -> None:
    assert said in printed(service, command, **given)


def test_no_command_is_left_out() -> None:
    marks = test_every_command_works_with_the_terminals_own_world.pytestmark  # type: ignore[attr-defined]
    assert {one[0] for one in marks[0].args[1]} == COMMANDS.keys()


def test_a_terminal_observes_nothing_whatever_a_function_would_report() -> None:
    names = [name for name, _ in inspect.getmembers(LogObserver) if not name.startswith("_")]
    assert "key_set_aside" in names
    for name in names:
        assert getattr(QuietObserver(), name)("anything", more=1) is None
