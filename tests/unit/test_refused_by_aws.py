"""What a command prints when AWS refuses it: one sentence, and what to do."""

import importlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import exceptions
from botocore.exceptions import ClientError

from local.paths import ROOT
from operations import accounts
from operations.accounts import AccountError
from operations.refusals import advice

HASH = "0" * 32
COMMANDS = {
    "deploy": "--stack x --architecture arm64 --env-file {env}",
    "push_env": "--stack x --env-file {env}",
    "destroy": "--stack x",
    "edge": "--stack x --env-file {env}",
    "news": "--stack x --env-file {env}",
    "smoke": "--stack x",
    "addresses": "--stack x",
    "logs": "--stack x",
    "report": "--stack x --month 2026-11",
    "admin": "--stack x today",
    "program_keys": "--stack x list",
    "user_names": "--stack x --env-file {env} --user {hash}",
}
"""The commands that call AWS, by module, with their options."""


def test_every_command_that_calls_aws_is_tried() -> None:
    sources = {path.stem: path.read_text() for path in (ROOT / "operations").glob("*.py")}
    commands = {name: text for name, text in sources.items() if "\ndef main(" in text}
    assert {name for name, text in commands.items() if "boto3.client(" in text} <= COMMANDS.keys()
    for name in COMMANDS:
        assert re.search(r"(?<!subprocess\.)\brun\(", commands[name]), f"{name} runs unguarded"


def refused(code: str, message: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "DescribeStacks")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (refused("ExpiredToken"), "have expired"),
        (refused("ExpiredTokenException"), "aws sso login"),
        (refused("RequestExpired"), "set its clock"),
        (refused("InvalidClientTokenId"), "AWS_SESSION_TOKEN"),
        (refused("UnrecognizedClientException"), "may have to be enabled"),
        (refused("AccessDenied", "no cloudformation:X"), "make deployer-policy"),
        (refused("AccessDeniedException", "no ssm:X"), "no ssm:X. These credentials"),
        (refused("ResourceNotFoundException"), "Is STACK=... the stack's name"),
        (refused("Throttling", "Rate exceeded"), "DescribeStacks: Rate exceeded."),
        (exceptions.NoCredentialsError(), "set AWS_PROFILE=..., run `aws sso login`"),
        (
            exceptions.PartialCredentialsError(provider="env", cred_var="aws_secret_access_key"),
            "AWS_SECRET_ACCESS_KEY",
        ),
        (exceptions.ProfileNotFound(profile="nope"), "(nope) could not be found. Correct AWS_PROF"),
        (exceptions.NoRegionError(), "export AWS_REGION=eu-central-1"),
        (exceptions.UnauthorizedSSOTokenError(), "run `aws sso login`"),
        (exceptions.SSOTokenLoadError(error_msg="no file"), "run `aws sso login`"),
        (exceptions.TokenRetrievalError(provider="sso", error_msg="x"), "run `aws sso login`"),
        (exceptions.MissingDependencyException(msg="botocore[crt]"), "export-credentials"),
        (exceptions.InvalidRegionError(region_name="eu_central"), "Correct AWS_REGION"),
        (
            exceptions.CredentialRetrievalError(provider="process", error_msg="x"),
            "own program did not give",
        ),
        (exceptions.ReadTimeoutError(endpoint_url="https://a"), "Check the network"),
        (exceptions.UnknownServiceError(service_name="x", known_service_names=[]), "x"),
    ],
    ids=lambda value: (
        value.response["Error"]["Code"] if isinstance(value, ClientError) else type(value).__name__
    ),
)
def test_each_kind_of_refusal_says_what_to_do(error: Any, words: str) -> None:
    said = advice(error)
    assert words in said
    assert "\n" not in said
    assert "{" not in said
    assert ".." not in said.replace("...", "")


@pytest.mark.parametrize(
    ("region", "words"),
    [
        ("eu-centrl-1", "no Region 'eu-centrl-1': did you mean eu-central-1?"),
        ("eu-wst-1", "did you mean eu-west-1?"),
        ("atlantis", "no Region 'atlantis'. Check its name."),
        ("eu-central-1", "Check the network of this machine."),
    ],
)
def test_a_region_that_does_not_exist_is_named(
    region: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    url = f"https://sts.{region}.amazonaws.com/"
    assert words in advice(exceptions.EndpointConnectionError(endpoint_url=url))


@pytest.mark.parametrize("error", [AccountError("No"), refused("AccessDenied")])
def test_a_refusal_ends_the_command_without_a_traceback(error: Exception) -> None:
    def action() -> None:
        raise error

    with pytest.raises(SystemExit, match="make deploy: ") as ended:
        accounts.run("make deploy", action)
    assert ended.value.code != 0
    assert accounts.run("make deploy", lambda: 7) == 7


SHELLS: Mapping[str, tuple[dict[str, str], str]] = {
    "no Region": ({}, "Region"),
    "no credentials": ({"AWS_REGION": "eu-central-1"}, "Unable to locate credentials. To sign in"),
    "no profile": ({"AWS_REGION": "eu-central-1", "AWS_PROFILE": "nope"}, "(nope) could not be"),
    "no name of a Region": (
        {"AWS_REGION": "eu_central", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"},
        "Correct AWS_REGION",
    ),
}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("module", COMMANDS)
def test_no_command_ends_with_a_traceback_where_a_shell_is_not_signed_in(
    module: str, shell: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in [one for one in os.environ if one.startswith("AWS_")]:
        monkeypatch.delenv(name)
    variables, words = SHELLS[shell]
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    # The command itself sets the last one, which the test takes back.
    nowhere |= {"AWS_EC2_METADATA_DISABLED": "true", "TOKEN": "x", "AWS_DEFAULT_REGION": ""}
    for name, value in (nowhere | variables).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    env = tmp_path / ".env"
    env.write_text("JWT_ISSUER=https://issuer.example.com\n")
    options = COMMANDS[module].format(env=env, hash=HASH).split()
    monkeypatch.setattr("sys.argv", [module, *options])
    with pytest.raises(SystemExit) as ended:
        importlib.import_module(f"operations.{module}").main()
    assert words in str(ended.value.code)
    assert "\n" not in str(ended.value.code)
