"""Before anything is created: the account, the stack's state, the Region and the concurrency."""

import json
from argparse import Namespace
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.parameters import read_bare_template
from local.paths import ROOT
from operations import accounts, concurrency, deploy
from operations.accounts import NEW, STUCK, WITHOUT_URLS, AccountError, Place

HERE = Place("123456789012", "arn:aws:iam::123456789012:user/ann", "eu-central-1", "AWS_REGION")
GOOD = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE")
RUNNING = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS")


PAGE = 100
"""Events in one answer of CloudFormation."""
SCHEMAS = ROOT / ".tools/sam/lib/python3.13/site-packages/cfnlint/data/schemas/providers"
"""Which resource types CloudFormation has, by Region, as the linter that sam installs has them."""


def partition(region: str) -> str:
    """Return a Region's partition; the lists contain a file that is not of a Region."""
    return session().get_partition_for_region(region) if region.count("-") > 1 else ""


@cache
def session() -> boto3.session.Session:
    return boto3.session.Session(region_name="us-east-1")


class CloudFormation:
    """CloudFormation with one stack, and the events of its last operation."""

    def __init__(self, state: str, *events: tuple[str, str, str]) -> None:
        self.state, self.events = state, events

    def describe_stacks(self, *, StackName: str) -> Any:  # noqa: N803 boto3's name
        if not self.state:
            message = f"Stack {StackName} does not exist"
            error: Any = {"Error": {"Code": "ValidationError", "Message": message}}
            raise ClientError(error, "DescribeStacks")
        return {"Stacks": [{"StackName": StackName, "StackStatus": self.state}]}

    def describe_stack_events(self, *, StackName: str, NextToken: str = "0") -> Any:  # noqa: N803 boto3's names
        del StackName
        start, end = int(NextToken), int(NextToken) + PAGE
        page = [
            {"LogicalResourceId": name, "ResourceStatus": state, "ResourceStatusReason": why}
            for name, state, why in self.events[start:end]
        ]
        more = {"NextToken": str(end)} if end < len(self.events) else {}
        return {"StackEvents": page, **more}


def refusal(cloudformation: Any) -> str:
    """Return why the stack is not updated, or an empty text."""
    found = accounts.describe(cloudformation, "prod")
    assert found is not None
    try:
        accounts.refuse_stuck(cloudformation, found)
    except AccountError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("state", ["", "REVIEW_IN_PROGRESS"])
def test_a_stack_of_which_nothing_exists_is_new(state: str) -> None:
    client: Any = CloudFormation(state)
    assert accounts.describe(client, "prod") is None
    assert state in NEW


@pytest.mark.parametrize("state", GOOD)
def test_a_stack_in_a_good_state_is_updated(state: str) -> None:
    assert refusal(CloudFormation(state)) == ""


@pytest.mark.parametrize("state", STUCK)
def test_a_stuck_stack_is_named_with_what_to_do(state: str) -> None:
    said = refusal(CloudFormation(state))
    assert state in said
    assert "'prod'" in said
    assert "make destroy STACK=prod" in said or "--stack-name prod" in said


@pytest.mark.parametrize("state", ["ROLLBACK_COMPLETE", "CREATE_FAILED"])
def test_the_command_to_run_again_is_that_of_the_stack(state: str) -> None:
    client: Any = CloudFormation(state)
    found = accounts.describe(client, "prod-edge")
    with pytest.raises(AccountError, match=r"make destroy STACK=prod-edge.*`make edge STACK=prod`"):
        accounts.refuse_stuck(client, found, "make edge STACK=prod")


@pytest.mark.parametrize("state", RUNNING)
def test_a_stack_that_something_else_changes_is_left_alone(state: str) -> None:
    assert "wait until it ends" in refusal(CloudFormation(state))


def test_the_first_failure_is_the_reason_and_not_those_that_it_cancelled() -> None:
    client = CloudFormation(
        "ROLLBACK_COMPLETE",
        ("prod", "ROLLBACK_COMPLETE", ""),
        ("Bucket", "CREATE_FAILED", "Resource creation cancelled"),
        ("Table", "CREATE_FAILED", "second"),
        ("Dashboard", "CREATE_FAILED", "AccessDenied: cloudwatch:PutDashboard"),
        ("prod", "CREATE_IN_PROGRESS", "User Initiated"),
    )
    assert refusal(client).endswith("\n  Dashboard: AccessDenied: cloudwatch:PutDashboard")


ROLLED_BACK = [(f"Resource{n}", f"DELETE_{s}", "") for n in range(110) for s in ("COMPLETE", "X")]


@pytest.mark.parametrize("fill", [0, 1, 99, 100, 220])
def test_the_reason_is_found_behind_everything_that_was_rolled_back(fill: int) -> None:
    client = CloudFormation(
        "ROLLBACK_COMPLETE",
        *ROLLED_BACK[:fill],
        ("Table", "CREATE_FAILED", "Resource creation cancelled"),
        ("Dashboard", "CREATE_FAILED", "AccessDenied"),
        ("prod", "CREATE_IN_PROGRESS", "User Initiated"),
    )
    assert refusal(client).endswith("\n  Dashboard: AccessDenied")


def test_the_failures_of_earlier_operations_are_not_the_reason() -> None:
    client = CloudFormation(
        "UPDATE_ROLLBACK_FAILED",
        ("prod", "UPDATE_ROLLBACK_FAILED", "The following resource(s) failed to update"),
        ("Bucket", "UPDATE_FAILED", "today"),
        ("prod", "UPDATE_IN_PROGRESS", "User Initiated"),
        ("prod", "UPDATE_ROLLBACK_COMPLETE", ""),
        ("Alias", "UPDATE_FAILED", "last month"),
        ("prod", "UPDATE_IN_PROGRESS", "User Initiated"),
    )
    assert refusal(client).endswith("\n  Bucket: today")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("ROLLBACK_COMPLETE", "make destroy STACK=prod"),
        ("UPDATE_ROLLBACK_COMPLETE", "the stack is as it was before"),
        ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback --stack-name prod"),
    ],
)
def test_a_deployment_that_failed_ends_with_the_reason(state: str, words: str) -> None:
    client: Any = CloudFormation(
        state, ("Url", "UPDATE_FAILED", "why"), ("prod", "UPDATE_IN_PROGRESS", "")
    )
    with pytest.raises(AccountError, match=rf"(?s){words}.*Url: why"):
        accounts.explain(client, "prod")


@pytest.mark.parametrize("state", ["", "CREATE_COMPLETE", "UPDATE_COMPLETE", "REVIEW_IN_PROGRESS"])
def test_a_change_that_was_declined_needs_no_reason(state: str) -> None:
    client: Any = CloudFormation(state)
    accounts.explain(client, "prod")


def test_regions_without_function_urls_are_those_of_lambdas_page() -> None:
    # https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html, read on 2026-11-25
    assert " ".join(sorted(one for one in WITHOUT_URLS if partition(one) == "aws")) == (
        "ap-east-2 ap-south-2 ap-southeast-4 ap-southeast-5 ap-southeast-6 ap-southeast-7 "
        "ca-west-1 eu-central-2 eu-south-2 il-central-1 me-central-1"
    )


@pytest.mark.parametrize("name", ["aws-us-gov", "aws-cn"])
def test_in_other_partitions_they_are_those_of_cloudformations_list(name: str) -> None:
    lists = {path.stem: json.loads(path.read_text()) for path in SCHEMAS.glob("*.json")}
    lacking = {one for one, kinds in lists.items() if "AWS::Lambda::Url" not in kinds}
    assert {one for one in lacking if partition(one) == name} == {
        one for one in WITHOUT_URLS if partition(one) == name
    }


@pytest.mark.parametrize("region", sorted(WITHOUT_URLS))
def test_a_region_without_function_urls_is_refused_before_anything_is_made(region: str) -> None:
    with pytest.raises(AccountError, match=f"no function URLs in {region}"):
        accounts.refuse_region(region)


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "ap-east-1", "mx-central-1"])
def test_any_other_region_is_good(region: str) -> None:
    accounts.refuse_region(region)


# Concurrency.


@pytest.mark.parametrize("limit", [10, 50, 100])
def test_a_new_account_is_told_that_few_images_fit(limit: int) -> None:
    (note,) = concurrency.account_notes(limit, {"GenerateConcurrency": 0})
    assert f"only {limit} functions at once" in note
    assert "Service Quotas" in note


def test_a_usual_account_without_a_brake_is_told_which_to_set() -> None:
    (note,) = concurrency.account_notes(1_000, {"GenerateConcurrency": 0})
    assert "GENERATE_CONCURRENCY" in note
    assert list(concurrency.account_notes(1_000, {"GenerateConcurrency": 20})) == []


@pytest.mark.parametrize(("limit", "reserved"), [(10, 1), (100, 1), (1_000, 901)])
def test_more_than_the_account_has_is_refused_with_the_sum(limit: int, reserved: int) -> None:
    wanted = {"GenerateConcurrency": reserved, "PageConcurrency": 0}
    with pytest.raises(AccountError, match=f"GenerateConcurrency reserve {reserved} of .* {limit}"):
        list(concurrency.account_notes(limit, wanted))


def test_what_other_functions_have_reserved_is_not_there() -> None:
    wanted = {"GenerateConcurrency": 100, "PageConcurrency": 0}
    assert list(concurrency.account_notes(1_000, wanted, others=800)) == []
    with pytest.raises(AccountError, match="other functions have reserved 801 and 100 must stay"):
        list(concurrency.account_notes(1_000, wanted, others=801))
    (note,) = concurrency.account_notes(1_000, {"GenerateConcurrency": 0}, others=950)
    assert "No concurrency is reserved" in note


DEPLOYED = {
    name: str(one.get("Default", "")) for name, one in read_bare_template()["Parameters"].items()
}
"""What CloudFormation reports of a stack of which nothing is set: each parameter with its value."""


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """What Lambda answers about the account's concurrency."""
    limits = {"ConcurrentExecutions": 1_000, "UnreservedConcurrentExecutions": 1_000}

    class Lambda:
        def get_account_settings(self) -> Any:
            return {"AccountLimit": limits}

    def client(service: str) -> Lambda:
        assert service == "lambda"
        return Lambda()

    monkeypatch.setattr(boto3, "client", client)
    return limits


def new_account(account: dict[str, int]) -> None:
    account.update(ConcurrentExecutions=10, UnreservedConcurrentExecutions=10)


@pytest.mark.parametrize("present", [{}, DEPLOYED])
def test_without_a_chat_nothing_is_reserved_for_it(
    account: dict[str, int], present: dict[str, str]
) -> None:
    """Else a new account could deploy once and never again."""
    new_account(account)
    (note,) = concurrency.notes({**present, "JwtIssuer": "https://a"}, present)
    assert "only 10 functions at once" in note


@pytest.mark.parametrize("present", [{}, DEPLOYED])
def test_a_chat_reserves_its_default_before_anything_is_made(
    account: dict[str, int], present: dict[str, str]
) -> None:
    new_account(account)
    with pytest.raises(AccountError, match=r"ChatConcurrency reserve 10 of .* concurrency of 10"):
        concurrency.notes({**present, "ChatModel": "m"}, present)
    account.update(ConcurrentExecutions=1_000, UnreservedConcurrentExecutions=1_000)
    (note,) = concurrency.notes({**present, "ChatModel": "m"}, present)
    assert "GENERATE_CONCURRENCY" in note


def test_what_the_stack_has_reserved_is_its_own_and_a_chat_that_is_off_has_nothing(
    account: dict[str, int],
) -> None:
    on, off = {**DEPLOYED, "ChatModel": "m"}, DEPLOYED
    account.update(UnreservedConcurrentExecutions=1_000 - 10)
    wanted = {"GenerateConcurrency": "890"}
    assert concurrency.notes({**on, **wanted}, on) == []
    # The same ten, while the stack has no chat, are of other functions.
    with pytest.raises(AccountError, match="other functions have reserved 10 and 100 must stay"):
        concurrency.notes({**off, "GenerateConcurrency": "891"}, off)


# The question.


def summary(dotenv: dict[str, str], *, is_new: bool, fast: bool = False) -> str:
    given = Namespace(stack="prod", env_file=Path(".env"), fast=fast)
    return deploy.summary(given, dotenv, HERE, is_new=is_new)


@pytest.mark.parametrize("is_new", [True, False])
@pytest.mark.parametrize("fast", [True, False])
def test_account_and_region_are_shown_before_every_deployment(is_new: bool, fast: bool) -> None:  # noqa: FBT001 cases
    said = summary({"JWT_ISSUER": "https://a"}, is_new=is_new, fast=fast)
    assert "account     123456789012 (arn:aws:iam::123456789012:user/ann)" in said
    assert "Region      eu-central-1 (from AWS_REGION)" in said


def test_a_first_deployment_says_what_is_set_and_what_is_missing() -> None:
    said = summary({"OPENAI_API_KEY": "sk-CANARY"}, is_new=True)
    assert "tokens      JWT_ISSUER is not set: every user will be refused" in said
    assert "providers   openai" in said
    assert "alarms      on the dashboard only" in said
    assert "CANARY" not in said
    assert "providers   bedrock (by role)" in summary({}, is_new=True)
    without = summary({"BEDROCK_REGION": "off"}, is_new=True)
    assert "no key is set: no image can be offered" in without
    assert "alarms      ops@example.com" in summary({"ALARM_EMAIL": "ops@example.com"}, is_new=True)


def test_what_is_cleared_is_shown_as_not_set() -> None:
    cleared = {"JWT_ISSUER": "-", "OPENAI_API_KEY": "-", "ALARM_EMAIL": "-"}
    cleared["BEDROCK_REGION"] = "off"
    said = summary(cleared, is_new=True)
    assert "every user will be refused" in said
    assert "no key is set" in said
    assert "on the dashboard only" in said
    assert "JWT_ISSUER is cleared: every user will be refused" in summary(cleared, is_new=False)
    assert "keeps its present issuer" in summary({}, is_new=False)


def test_what_is_set_but_no_longer_in_the_file_is_named() -> None:
    values = {
        "JwtIssuer": "https://a",
        "AlarmTopicArn": "arn:aws:sns:eu-central-1:123456789012:on-call",
        "JwtUserScope": "images",
        "HourlyImages": "10",
        "DailyImages": "70",
        "Release": "f" * 64,
        "Architecture": "x86_64",
        "OfAnOlderTemplate": "x",
    }
    dotenv = {"JWT_ISSUER": "https://a", "DAILY_IMAGES": "-"}
    assert deploy.kept_names(values, dotenv) == ["ALARM_TOPIC_ARN", "JWT_USER_SCOPE"]
    assert deploy.kept_names({}, {}) == []


def answer(text: str) -> Callable[[str], str]:
    return lambda _question: text


@pytest.mark.parametrize("said", ["", "n", "no", "Y E S", "maybe"])
def test_anything_but_yes_changes_nothing(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", answer(said))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    with pytest.raises(AccountError, match="Nothing was changed"):
        deploy.agree(Namespace(yes=False, fast=False))


@pytest.mark.parametrize("said", ["y", "Yes", " YES "])
def test_yes_deploys(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", answer(said))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    deploy.agree(Namespace(yes=False, fast=False))


def test_a_machine_says_yes_itself_and_otherwise_nothing_is_made() -> None:
    deploy.agree(Namespace(yes=True, fast=False))
    deploy.agree(Namespace(yes=False, fast=True))
    with pytest.raises(AccountError, match="YES=1"):
        deploy.agree(Namespace(yes=False, fast=False))
