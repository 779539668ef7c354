"""The account, the Region and the stack that a command is about, read before it changes anything.

The Region is that of ``AWS_REGION``, else of ``AWS_DEFAULT_REGION``, else of the profile, in every
command. (boto3 and SAM read only the second variable, and would take the profile's Region instead.)
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from operations import refusals

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackEventTypeDef

REGION, OLD_REGION = "AWS_REGION", "AWS_DEFAULT_REGION"
WITHOUT_URLS: Final = frozenset(
    {
        *("ap-east-2", "ap-south-2", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6"),
        *("ap-southeast-7", "ca-west-1", "eu-central-2", "eu-south-2", "il-central-1"),
        *("me-central-1", "cn-northwest-1", "us-gov-east-1", "us-gov-west-1"),
    }
)
"""Regions whose Lambda has no function URLs, as read on 2026-11-25:
https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html
In the partitions aws-us-gov and aws-cn, those whose CloudFormation has no AWS::Lambda::Url, by the
data of cfn-lint 1.x that SAM installs."""
NEW: Final = frozenset({"", "REVIEW_IN_PROGRESS"})
"""States in which nothing of a stack exists: only a change set was made."""
STUCK: Final = {
    "ROLLBACK_COMPLETE": "Its first deployment failed, and CloudFormation does not update such a "
    "stack. Correct the reason, run `make destroy STACK={stack}`, then `{command}` again.",
    "ROLLBACK_FAILED": "Its first deployment failed and could not be undone. Run "
    "`make destroy STACK={stack}`; if that fails, delete the named resource by hand first.",
    "CREATE_FAILED": "Its first deployment failed. Run `make destroy STACK={stack}`, then "
    "`{command}` again.",
    "DELETE_FAILED": "It could not be deleted completely. Remove what blocks the named resource, "
    "and run `make destroy STACK={stack}` again.",
    "UPDATE_ROLLBACK_FAILED": "An update failed and could not be undone. Correct the reason, then "
    "run `aws cloudformation continue-update-rollback --stack-name {stack}`, or use the console.",
}
"""What to do about a stack that cannot be updated, by its state."""
STARTS: Final = frozenset({"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"})
"""States of a stack with which an operation begins."""
USELESS: Final = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"})
"""States of a stack that never worked."""
RUNNING: Final = "Another operation on it is running: wait until it ends, then try again."


class AccountError(Exception):
    """A command cannot start in this account or Region; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command works."""

    account: str
    caller: str
    region: str
    source: str
    """Where the Region comes from."""

    def text(self) -> str:
        """Return the place for a terminal."""
        return (
            f"  account     {self.account} ({self.caller})\n"
            f"  Region      {self.region} (from {self.source})"
        )


def settle_region(environ: MutableMapping[str, str] = os.environ) -> str:
    """Let every tool use the Region of ``AWS_REGION``, and return where the Region comes from."""
    for name in (REGION, OLD_REGION):
        if not environ.get(name, "x"):
            # boto3 takes an empty variable for a Region.
            del environ[name]
    if REGION in environ:
        environ[OLD_REGION] = environ[REGION]
        return REGION
    return (
        OLD_REGION if OLD_REGION in environ else f"profile {environ.get('AWS_PROFILE', 'default')}"
    )


def place() -> Place:
    """Return where the commands of this process work.

    Raises:
        AccountError: no Region or no valid credentials are set.
    """
    source = settle_region()
    try:
        region = boto3.session.Session().region_name
        if not region:
            raise AccountError(f"No Region is set: export {REGION}=eu-central-1, or your own.")
        identity = boto3.client("sts").get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        raise AccountError(refusals.advice(error)) from error
    return Place(identity["Account"], identity["Arn"], region, source)


def read(cloudformation: "CloudFormationClient", stack: str) -> Any:
    """Return a stack's description, or ``None`` if there is no stack of this name."""
    try:
        (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return found


def describe(cloudformation: "CloudFormationClient", stack: str) -> Any:
    """Return a stack's description, or ``None`` if nothing of it exists."""
    found = read(cloudformation, stack)
    return found if found and found["StackStatus"] not in NEW else None


def stack_of(cloudformation: "CloudFormationClient", stack: str) -> Any:
    """Return the description of a stack that can be used.

    Raises:
        AccountError: there is no such stack here, or its first deployment failed.
    """
    found = describe(cloudformation, stack)
    if found is None:
        here = boto3.session.Session().region_name or "this Region"
        raise AccountError(
            f"There is no stack {stack!r} in {here}: STACK=... and {REGION}=... choose another."
        )
    if found["StackStatus"] in USELESS:
        refuse_stuck(cloudformation, found)
    return found


def parameter_values(found: Mapping[str, Any]) -> dict[str, str]:
    """Return a described stack's parameters by name."""
    return {one["ParameterKey"]: one["ParameterValue"] for one in found.get("Parameters", [])}


def outputs(found: Mapping[str, Any]) -> dict[str, str]:
    """Return a described stack's outputs by name."""
    return {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}


def refuse_stuck(
    cloudformation: "CloudFormationClient", found: Mapping[str, Any], command: str = "make deploy"
) -> None:
    """Raise if CloudFormation would refuse an update in the stack's present state.

    ``command`` is the one to run again.

    Raises:
        AccountError: it says what to do, and the first reason that CloudFormation reports.
    """
    stack, state = found["StackName"], found["StackStatus"]
    if state.endswith("_IN_PROGRESS"):
        raise AccountError(f"The stack {stack!r} is in the state {state}. {RUNNING}")
    if state in STUCK:
        reason = first_reason(cloudformation, stack)
        advice = STUCK[state].format(stack=stack, command=command)
        raise AccountError(f"The stack {stack!r} is in the state {state}. {advice}{reason}")


def first_reason(cloudformation: "CloudFormationClient", stack: str) -> str:
    """Return the resource that failed first in the last operation, and why, as one more line."""
    try:
        failed = [
            f"\n  {one['LogicalResourceId']}: {one['ResourceStatusReason']}"
            for one in last_operation(cloudformation, stack)
            if one["ResourceStatus"].endswith("_FAILED")
            # A resource that was cancelled failed because of another one.
            and "cancelled" not in one.get("ResourceStatusReason", "cancelled")
        ]
    except ClientError:
        return ""
    return failed[-1] if failed else ""


def last_operation(
    cloudformation: "CloudFormationClient", stack: str
) -> "Iterator[StackEventTypeDef]":
    """Yield the events of a stack's last operation, the newest first.

    A page has at most 100 of them, and a failed creation is followed by two for each resource.
    """
    page: dict[str, str] = {}
    while True:
        answer = cloudformation.describe_stack_events(StackName=stack, **page)
        for one in answer["StackEvents"]:
            yield one
            if one["LogicalResourceId"] == stack and one["ResourceStatus"] in STARTS:
                return
        if "NextToken" not in answer:
            return
        page = {"NextToken": answer["NextToken"]}


def explain(cloudformation: "CloudFormationClient", stack: str) -> None:
    """Raise with the reason if the last operation on a stack has failed.

    Raises:
        AccountError: it says what to do, and the first reason that CloudFormation reports.
    """
    found = describe(cloudformation, stack)
    if found is None:
        return
    refuse_stuck(cloudformation, found)
    if found["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE":
        reason = first_reason(cloudformation, stack)
        raise AccountError(f"The update failed, and the stack is as it was before.{reason}")


def refuse_region(region: str) -> None:
    """Raise if Lambda has no function URLs in the Region.

    Raises:
        AccountError: no stack can be created there.
    """
    if region in WITHOUT_URLS:
        raise AccountError(
            f"Lambda has no function URLs in {region}, so the stack cannot be created there: "
            f"choose another Region ({REGION}=...). docs/deploy.md lists those without."
        )


def run[T](command: str, action: Callable[[], T]) -> T:
    """Return what a command returns; exit with one sentence where AWS or the account refuses it."""
    try:
        return action()
    except AccountError as error:
        sys.exit(f"{command}: {error}")
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"{command}: {refusals.advice(error)}")
