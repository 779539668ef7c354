"""`make deploy` from its start to sam: what stops it before anything is made, and how it ends."""

import subprocess
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from operations import deploy
from operations.accounts import AccountError
from tests.unit.test_accounts import CloudFormation
from tests.unit.test_keys_and_flags import Ssm

WORKS = "CREATE_COMPLETE"


@dataclass
class Shell:
    """A shell in which somebody deploys: what AWS has, and what sam was told."""

    env_file: Path
    cloudformation: CloudFormation
    limit: int = 1_000
    status: int = 0
    afterwards: str = WORKS
    """The stack's state after sam has run."""
    commands: list[list[str]] = field(default_factory=list)
    ssm: Ssm = field(default_factory=Ssm)

    def client(self, service: str) -> Any:
        return {
            "sts": SimpleNamespace(
                get_caller_identity=lambda: {"Account": "123456789012", "Arn": "ann"}
            ),
            "cloudformation": self.cloudformation,
            "lambda": SimpleNamespace(
                get_account_settings=lambda: {"AccountLimit": {"ConcurrentExecutions": self.limit}}
            ),
            "dynamodb": SimpleNamespace(describe_table=self.absent),
            "ssm": self.ssm,
        }[service]

    def absent(self, **_asked: str) -> Any:
        raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "DescribeTable")

    def run(self, command: list[str], **_options: Any) -> Any:
        self.commands.append(command)
        self.cloudformation.state = self.afterwards
        return SimpleNamespace(returncode=self.status)

    def deploy(self, *lines: str, yes: bool = True) -> int:
        """Deploy with these lines in .env, and return sam's status."""
        self.env_file.write_text("\n".join(["JWT_ISSUER=https://a", *lines, ""]))
        return deploy.deploy(
            Namespace(
                stack="prod", architecture="arm64", env_file=self.env_file, fast=False, yes=yes
            )
        )


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    found = Shell(
        tmp_path / ".env",
        CloudFormation(WORKS, ("Url", "UPDATE_FAILED", "why"), ("prod", "UPDATE_IN_PROGRESS", "")),
    )
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    monkeypatch.setattr("boto3.client", found.client)
    monkeypatch.setattr(subprocess, "run", found.run)
    monkeypatch.setattr(deploy, "release", lambda *_: "r")
    return found


def no_urls(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setenv("AWS_REGION", "eu-central-2")
    return shell.deploy()


def stuck(shell: Shell, _: pytest.MonkeyPatch) -> int:
    shell.cloudformation.state = "ROLLBACK_COMPLETE"
    return shell.deploy()


def declined(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _question: "n")
    return shell.deploy(yes=False)


def without_terminal(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    return shell.deploy(yes=False)


def small_account(shell: Shell, _: pytest.MonkeyPatch) -> int:
    shell.limit = 10
    return shell.deploy("CHAT_MODEL=m")


STOPS: dict[str, tuple[Callable[[Shell, pytest.MonkeyPatch], int], str]] = {
    "a Region without function URLs": (no_urls, "no function URLs in eu-central-2"),
    "a first deployment that failed": (stuck, "make destroy STACK=prod"),
    "a person says no": (declined, "Nothing was changed"),
    "nobody to ask": (without_terminal, "YES=1"),
    "too little concurrency": (small_account, "ChatConcurrency reserve 10"),
    "an earlier table that is not there": (
        lambda shell, _: shell.deploy("EXISTING_TABLE_NAME=gone"),
        "EXISTING_TABLE_NAME='gone' cannot be used",
    ),
    "a chat without a brake": (
        lambda shell, _: shell.deploy("CHAT_MODEL=m", "CHAT_CONCURRENCY=0"),
        "CHAT_CONCURRENCY is 0",
    ),
    "a stand-in of nobody": (
        lambda shell, _: shell.deploy("STAND_INS=nobody=https://x.test"),
        "STAND_INS has nobody",
    ),
    "more settings than a function can have": (
        lambda shell, _: shell.deploy(f"MODEL_ALIASES=mine={'a' * 4000}"),
        "shorten the longest settings, which are MODEL_ALIASES (4005 bytes)",
    ),
}


@pytest.mark.parametrize(("act", "words"), STOPS.values(), ids=STOPS.keys())
def test_sam_is_not_run(
    act: Callable[[Shell, pytest.MonkeyPatch], int],
    words: str,
    shell: Shell,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(AccountError) as stopped:
        act(shell, monkeypatch)
    assert words in str(stopped.value)
    assert shell.commands == []


def test_sam_deploys_in_the_region_that_was_shown(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shell.deploy("HOURLY_IMAGES=3") == 0
    said = capsys.readouterr().out
    assert "account     123456789012 (ann)" in said
    assert "Region      eu-central-1 (from AWS_REGION)" in said
    ((_, *command),) = shell.commands
    assert command[command.index("--region") + 1] == "eu-central-1"
    assert command[command.index("--stack-name") + 1] == "prod"
    assert any("HourlyImages" in one and "3" in one for one in command)


def test_a_deployment_that_fails_ends_with_the_reason_of_cloudformation(shell: Shell) -> None:
    shell.status, shell.afterwards = 1, "UPDATE_ROLLBACK_COMPLETE"
    with pytest.raises(AccountError, match=r"(?s)as it was before.*Url: why"):
        shell.deploy()
    assert len(shell.commands) == 1


@pytest.mark.parametrize(("afterwards", "stored"), [(WORKS, 3), ("REVIEW_IN_PROGRESS", 0), ("", 0)])
def test_keys_are_stored_after_a_first_deployment_and_not_after_one_that_was_declined(
    shell: Shell, capsys: pytest.CaptureFixture[str], afterwards: str, stored: int
) -> None:
    """Who declines the change set that sam shows ends sam with status 0."""
    shell.cloudformation.state, shell.afterwards = "", afterwards
    assert shell.deploy("OPENAI_API_KEY=sk-CANARY") == 0
    assert len(shell.ssm.values) == stored
    said = capsys.readouterr().out
    assert ("make smoke" in said) == bool(stored)
    assert "CANARY" not in said


def test_a_later_deployment_stores_no_keys(shell: Shell) -> None:
    assert shell.deploy("OPENAI_API_KEY=sk-new") == 0
    assert shell.ssm.values == {}
