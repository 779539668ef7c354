"""Keys and flags are one parameter: one call for a new instance, and none is lost on the way."""

import json
from argparse import Namespace
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from imagegen.aws.parameters import (
    KEYS_AND_FLAGS,
    LAST_KEY,
    RETRY_MS,
    VALUES_CACHE_MS,
    SsmParameters,
    with_keys_and_flags,
)
from imagegen.domain.errors import ConfigurationError, StoreUnavailableError
from imagegen.providers import PROVIDERS, flag_name
from local.overrides import overrides
from local.parameters import set_values
from operations import accounts
from operations.accounts import AccountError, Place
from operations.push_env import (
    CHAT_KEY,
    IMAGE_ID_KEY,
    KEYS,
    carry_out,
    is_pushed,
    push,
    refuse_older_version,
    stale,
    store,
    stored,
)
from tests.fakes.clock import Clock

PATH = "/imagegen/prod"
PAGE = 10
"""The most that GetParametersByPath returns in one call."""
EVERYTHING = {
    **{key: f"sk-{name}" for name, key in KEYS.items()},
    **{flag_name(name): "true" for name in PROVIDERS},
    CHAT_KEY: "sk-chat",
}


class ParameterAlreadyExists(Exception):  # noqa: N818 boto3's name
    """The parameter is there."""


@dataclass
class Ssm:
    """Parameter Store: pages of ten, and a limit of calls."""

    values: dict[str, str] = field(default_factory=dict)
    calls: int = 0
    throttled: bool = False

    class exceptions:  # noqa: N801 boto3's name
        ParameterAlreadyExists = ParameterAlreadyExists

    def put_parameter(self, **given: Any) -> None:
        assert given["Type"] == "SecureString"
        assert given["Value"]
        if given["Name"] in self.values and not given.get("Overwrite"):
            raise ParameterAlreadyExists
        self.values[given["Name"]] = given["Value"]

    def delete_parameter(self, *, Name: str) -> None:  # noqa: N803 boto3's name
        del self.values[Name]

    def get_paginator(self, name: str) -> "Ssm":
        assert name == "get_parameters_by_path"
        return self

    def paginate(self, *, Path: str, WithDecryption: bool) -> Iterator[Any]:  # noqa: N803 boto3's names
        assert WithDecryption
        found = [{"Name": n, "Value": v} for n, v in self.values.items() if n.startswith(Path)]
        for start in range(0, max(1, len(found)), PAGE):
            self.calls += 1
            if self.throttled:
                error: Any = {"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}
                raise ClientError(error, "GetParametersByPath")
            yield {"Parameters": found[start : start + PAGE]}


def read(ssm: Ssm) -> Mapping[str, str]:
    client: Any = ssm
    return SsmParameters(client, PATH, Clock()).values()


def pushed(env: Mapping[str, str], ssm: Ssm | None = None) -> Ssm:
    ssm = ssm or Ssm()
    client: Any = ssm
    push(client, "prod", env)
    return ssm


# One call.


def test_a_new_instance_reads_all_keys_of_all_providers_in_one_call() -> None:
    ssm = pushed(EVERYTHING)
    values = read(ssm)
    assert {name: values[name] for name in EVERYTHING} == EVERYTHING
    ssm.calls = 0
    read(ssm)
    assert ssm.calls == 1


def test_twenty_five_new_instances_a_second_stay_below_the_accounts_quota() -> None:
    ssm = pushed(EVERYTHING)
    ssm.calls = 0
    for _ in range(25):
        read(ssm)
    assert ssm.calls <= 40 * 0.7


@pytest.mark.parametrize("more", [0, 5, 60])
def test_more_providers_are_not_more_calls(more: int) -> None:
    names = {f"ENABLE_IMAGE_GENERATION_P{number}": "true" for number in range(more)}
    ssm = pushed({**EVERYTHING, **names})
    ssm.calls = 0
    assert names.items() <= read(ssm).items()
    assert ssm.calls == 1


def test_retries_are_jittered_and_few() -> None:
    from imagegen.aws import clients  # noqa: PLC0415

    config: Any = clients._PARAMETERS
    # Standard mode waits a random part of an exponential back-off.
    assert config.retries["mode"] == "standard"
    assert config.retries["total_max_attempts"] == 3


# What an older version stored.


def test_parameters_of_an_older_version_are_read_and_then_gathered() -> None:
    ssm = Ssm({f"{PATH}/{name}": value for name, value in EVERYTHING.items()})
    assert EVERYTHING.items() <= read(ssm).items()
    pushed({"OPENAI_API_KEY": "sk-new"}, ssm)
    left = {name.rpartition("/")[2] for name in ssm.values}
    assert left == {KEYS_AND_FLAGS, "QUOTE_KEYS", "IMAGE_ID_KEY"}
    assert read(ssm) == {**read(ssm), **EVERYTHING, "OPENAI_API_KEY": "sk-new"}


def test_keys_of_our_own_are_never_replaced() -> None:
    ssm = pushed(EVERYTHING)
    before = {name: ssm.values[f"{PATH}/{name}"] for name in ("QUOTE_KEYS", "IMAGE_ID_KEY")}
    pushed({"QUOTE_KEYS": "k9:AAAA", "IMAGE_ID_KEY": "-", "OPENAI_API_KEY": "x"}, ssm)
    assert {name: ssm.values[f"{PATH}/{name}"] for name in before} == before


def test_a_flag_by_hand_counts_at_once_and_the_next_push_gathers_it() -> None:
    ssm = pushed(EVERYTHING)
    ssm.values[f"{PATH}/{flag_name('openai')}"] = "false"
    assert read(ssm)[flag_name("openai")] == "false"
    pushed({"OPENAI_API_KEY": "sk-new"}, ssm)
    assert read(ssm)[flag_name("openai")] == "false"
    assert f"{PATH}/{flag_name('openai')}" not in ssm.values


@dataclass
class CloudFormation:
    """CloudFormation with one stack, deployed with these parameters; none is no stack."""

    parameters: tuple[str, ...] | None

    def describe_stacks(self, *, StackName: str) -> Any:  # noqa: N803 boto3's name
        if self.parameters is None:
            error: Any = {"Error": {"Code": "ValidationError", "Message": "does not exist"}}
            raise ClientError(error, "DescribeStacks")
        given = [{"ParameterKey": one, "ParameterValue": ""} for one in self.parameters]
        return {
            "Stacks": [
                {"StackName": StackName, "StackStatus": "UPDATE_COMPLETE", "Parameters": given}
            ]
        }


def test_functions_of_an_older_version_keep_their_keys() -> None:
    """They read each key by itself, and gathering the keys would take them away."""
    older: Any = CloudFormation(("JwtIssuer",))
    with pytest.raises(AccountError, match="run `make deploy` first"):
        refuse_older_version(older, "prod")


def test_a_stack_of_this_version_takes_them() -> None:
    client: Any = CloudFormation(("JwtIssuer", "Release"))
    refuse_older_version(client, "prod")


def test_no_keys_are_stored_for_a_stack_that_is_not_here() -> None:
    """A name or a Region may be wrong; the first deployment stores its keys itself."""
    client: Any = CloudFormation(None)
    with pytest.raises(AccountError, match="no stack 'prod'"):
        refuse_older_version(client, "prod")


# Clearing.


@pytest.mark.parametrize("name", ["GEMINI_API_KEY", CHAT_KEY, flag_name("openai")])
def test_a_dash_removes_a_key_or_a_flag(name: str) -> None:
    ssm = pushed({name: "-"}, pushed(EVERYTHING))
    assert name not in read(ssm)
    assert read(ssm).items() >= {k: v for k, v in EVERYTHING.items() if k != name}.items()


def test_a_line_that_is_gone_is_named_and_stays() -> None:
    ssm: Any = pushed(EVERYTHING)
    env = {"OPENAI_API_KEY": "sk-openai"}
    assert stale(stored(ssm, PATH), env) == sorted(EVERYTHING.keys() - env.keys())
    assert stale(stored(ssm, PATH), {**EVERYTHING, "GEMINI_API_KEY": "-"}) == []


@pytest.mark.parametrize(
    ("terminal", "said", "is_removed"),
    [
        *((True, "y", True), (True, " YES ", True)),
        *((True, "", False), (True, "n", False), (False, "y", False)),
    ],
)
def test_lines_that_are_gone_are_removed_only_if_a_person_says_so(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    terminal: bool,
    said: str,
    is_removed: bool,
) -> None:
    ssm, env_file = pushed(EVERYTHING), tmp_path / ".env"
    env_file.write_text("OPENAI_API_KEY=sk-new\n")
    clients = {"ssm": ssm, "cloudformation": CloudFormation(("Release",))}
    here = Place("123456789012", "ann", "eu-central-1", "AWS_REGION")
    monkeypatch.setattr(accounts, "place", lambda: here)
    monkeypatch.setattr("boto3.client", clients.__getitem__)
    monkeypatch.setattr("builtins.input", lambda _question: said)
    monkeypatch.setattr("sys.stdin.isatty", lambda: terminal, raising=False)
    carry_out(Namespace(stack="prod", env_file=env_file, rotate_quote_key=False))
    left = {name for name in read(ssm) if is_pushed(name)}
    assert left == ({"OPENAI_API_KEY"} if is_removed else EVERYTHING.keys())
    assert {"QUOTE_KEYS", IMAGE_ID_KEY} <= read(ssm).keys()
    printed = capsys.readouterr().out
    assert "Still stored, but not in .env: " in printed
    assert CHAT_KEY in printed
    assert ("Removed: " in printed) == is_removed
    assert "sk-" not in printed


@pytest.mark.parametrize("name", ["JWT_USER_SCOPE", "ALARM_TOPIC_ARN", "CHAT_MODEL"])
def test_a_dash_gives_a_parameter_its_default_again(name: str) -> None:
    (value,) = overrides({name: "-"}, {}).values()
    assert value == ""
    assert overrides({"HOURLY_IMAGES": "-"}, {}) == {"HourlyImages": "10"}


def test_a_local_stack_takes_a_dash_for_no_line() -> None:
    assert set_values({"OPENAI_API_KEY": "-", "A": "-b"}) == {"A": "-b"}


def test_what_is_no_key_and_no_flag_is_never_stored() -> None:
    names = ("JWT_ISSUER", "QUOTE_KEYS", "IMAGE_ID_KEY", "AWS_SECRET_ACCESS_KEY", KEYS_AND_FLAGS)
    assert not any(map(is_pushed, names))


# Broken values.


@pytest.mark.parametrize("text", ["{", "[]", '"a"', "null", '{"A": 1}', '{"A": {"B": "c"}}', "\0"])
def test_an_object_that_is_none_is_said_and_not_quoted(text: str) -> None:
    with pytest.raises(ConfigurationError, match="make deploy-env") as error:
        with_keys_and_flags({KEYS_AND_FLAGS: text})
    assert text not in str(error.value) or text in '"a"null{[]'


def test_old_values_outlive_a_throttled_read_and_a_broken_object() -> None:
    ssm, clock = pushed(EVERYTHING), Clock()
    client: Any = ssm
    parameters = SsmParameters(client, PATH, clock)
    before = parameters.values()
    clock.advance(VALUES_CACHE_MS)
    ssm.throttled = True
    assert parameters.values() == before
    ssm.throttled = False
    ssm.values[f"{PATH}/{KEYS_AND_FLAGS}"] = "{"
    clock.advance(RETRY_MS)
    assert parameters.values() == before


def test_instances_that_start_together_read_again_at_different_times_within_five_minutes() -> None:
    ssm, clock = pushed(EVERYTHING), Clock()
    client: Any = ssm
    earlier = iter([60_000, 0, 1])
    parameters = SsmParameters(client, PATH, clock, lambda: next(earlier))
    parameters.values()
    ssm.values[f"{PATH}/{KEYS_AND_FLAGS}"] = "{}"
    clock.advance(VALUES_CACHE_MS - 60_001)
    assert CHAT_KEY in parameters.values()
    clock.advance(1)
    assert CHAT_KEY not in parameters.values()
    assert next(earlier) == 1, "a new time for each read"


@pytest.mark.parametrize("written", [(), ("KEYS_AND_FLAGS",), ("KEYS_AND_FLAGS", "QUOTE_KEYS")])
def test_an_instance_that_started_before_the_first_keys_reads_them_soon(
    written: tuple[str, ...],
) -> None:
    """A schedule runs as soon as it is made, which is before the first deployment pushes keys."""
    ssm, clock = pushed(EVERYTHING), Clock()
    everything = dict(ssm.values)
    client: Any = ssm
    ssm.values = {f"{PATH}/PAGE_URL": "https://page.test"}
    ssm.values |= {f"{PATH}/{name}": everything[f"{PATH}/{name}"] for name in written}
    parameters = SsmParameters(client, PATH, clock)
    assert IMAGE_ID_KEY not in parameters.values()
    ssm.values |= everything
    ssm.calls = 0
    clock.advance(RETRY_MS - 1)
    assert IMAGE_ID_KEY not in parameters.values()
    assert ssm.calls == 0, "and not with every request"
    clock.advance(1)
    assert IMAGE_ID_KEY in parameters.values()
    assert EVERYTHING.items() <= parameters.values().items()
    clock.advance(VALUES_CACHE_MS - 1)
    parameters.values()
    assert ssm.calls == 1


def test_the_key_that_is_waited_for_is_stored_last() -> None:
    assert [*pushed(EVERYTHING).values][-1] == f"{PATH}/{LAST_KEY}"


def test_without_old_values_a_throttled_read_is_an_error_that_can_be_retried() -> None:
    ssm = pushed(EVERYTHING)
    ssm.throttled = True
    with pytest.raises(StoreUnavailableError) as error:
        read(ssm)
    assert error.value.retryable


texts = st.text(min_size=1).filter(lambda text: text != "-")


@given(st.dictionaries(st.sampled_from(sorted(EVERYTHING)), texts))
def test_what_is_pushed_is_read_again_as_it_was(env: dict[str, str]) -> None:
    ssm = pushed(env)
    assert {name: one for name, one in read(ssm).items() if is_pushed(name)} == env
    json.loads(ssm.values[f"{PATH}/{KEYS_AND_FLAGS}"])


def test_the_parameter_has_room_for_many_keys() -> None:
    asked: dict[str, Any] = {}

    class Recorder(Ssm):
        def put_parameter(self, **given: Any) -> None:
            asked.update(given)

    client: Any = Recorder()
    store(client, PATH, {"OPENAI_API_KEY": "k" * 5_000})
    assert asked["Tier"] == "Intelligent-Tiering"
    assert len(asked["Value"]) <= 8_192
