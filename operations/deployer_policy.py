"""``make deployer-policy``: the IAM policies of those who deploy a stack, and who operate it.

``FOR=edge`` and ``FOR=news`` are what ``make edge`` and ``make news`` need beside the deployer's
policy, and ``FOR=operators`` is for the commands of operators. The actions of a deployer are those
of the template's resources:
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

import argparse
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, Final

import boto3

from operations.resource_actions import ACTIONS, EDGE_ACTIONS, NEWS_ACTIONS

READS: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(("cloudwatch", "iam", "lambda", "scheduler", "sns"), ("Get", "List")),
    "cloudformation": ("Describe", "GetTemplate", "List"),
    "dynamodb": ("Describe",),
    "logs": ("Describe", "Get", "List"),
    "s3": ("GetBucket",),
}
"""How actions begin that only read settings: a policy allows all of them on the stack's resources.
CloudFormation reads more of them with each feature that a service gets."""

TOOLS: Final[Mapping[str, str]] = {
    "cloudformation": "CreateChangeSet DescribeChangeSet ExecuteChangeSet DeleteChangeSet "
    "ListChangeSets DescribeStacks DescribeStackEvents DescribeStackResources ListStackResources "
    "CreateStack UpdateStack DeleteStack GetTemplate GetTemplateSummary ValidateTemplate "
    "ContinueUpdateRollback TagResource UntagResource",
    "samBucket": "CreateBucket ListBucket GetObject GetObjectVersion PutObject DeleteObject "
    "AbortMultipartUpload GetBucketLocation PutBucketPolicy GetBucketPolicy PutBucketVersioning "
    "GetBucketVersioning PutBucketTagging TagResource ListTagsForResource "
    "PutEncryptionConfiguration PutBucketPublicAccessBlock",
    "account": "lambda:GetAccountSettings logs:DescribeLogGroups logs:DescribeResourcePolicies "
    "cloudwatch:DescribeAlarms",
    "ssm": "PutParameter GetParameter GetParametersByPath DeleteParameter",
    "logs": "FilterLogEvents",
    "s3": "Get*Configuration",
}
"""Actions of sam and of the deployer's commands: sam's bucket, keys, alarms and logs."""
OPERATORS: Final[Mapping[str, str]] = {
    "cloudformation": "DescribeStacks",
    "dynamodb": "GetItem Query Scan PutItem UpdateItem DeleteItem",
    "logs": "FilterLogEvents",
    "ssm": "GetParameter GetParametersByPath",
}
"""Actions of the operators' commands, such as ``make today``, ``make user`` and ``make report``."""
WEB_ACL: Final = "wafv2:GetWebACL"
"""What naming a firewall for a distribution needs."""
POSTER: Final = "apidestinations.events.amazonaws.com"
SERVICE_ROLE: Final = "iam:CreateServiceLinkedRole"
"""What the first connection of an account needs: with that role EventBridge reads its key."""
SAM_STACK: Final = "aws-sam-cli-managed-default"
SAM_BUCKET: Final = f"{SAM_STACK}-samclisourcebucket-*"
ASKED_FOR: Final = ("CompanionStack", "WebFunctionCode")
"""Ends of the names of stacks that ``sam delete`` asks for, which this service never has."""
NAME_CHARACTERS: Final = 64
LOGICAL_CHARACTERS: Final = 25
RANDOM_CHARACTERS: Final = 13
KEPT_CHARACTERS: Final = 24
"""CloudFormation names functions, roles and schedules <stack>-<logical id>-<random>, with at most
64 characters: the first two parts of a longer name are cut. AWS does not document where; these are
fewer characters of the stack's name than it was seen to keep."""


REGION: Final = re.compile(r"[a-z]+(-[a-z]+)+-\d+")


@cache
def _partition(region: str) -> str:
    if not REGION.fullmatch(region):
        return "aws"
    return boto3.session.Session(region_name="us-east-1").get_partition_for_region(region)


@dataclass(frozen=True, slots=True)
class Scope:
    """For which stack a policy is, and where: ``*`` is any Region, or any account."""

    stack: str
    region: str = "*"
    account: str = "*"

    @property
    def partition(self) -> str:
        """The Region's partition; of any Region, the one of most accounts."""
        return _partition(self.region)

    def arn(self, service: str, name: str, *, regional: bool = True) -> str:
        """Return a resource's ARN; one that is not regional has no Region in it."""
        region = self.region if regional else ""
        return f"arn:{self.partition}:{service}:{region}:{self.account}:{name}"

    def bucket(self, name: str) -> str:
        """Return a bucket's ARN, which has neither Region nor account."""
        return f"arn:{self.partition}:s3:::{name}"

    def prefix(self, most: int = NAME_CHARACTERS, logical: int = LOGICAL_CHARACTERS) -> str:
        """Return how the names begin that CloudFormation gives to resources of the stack."""
        if len(self.stack) + logical + RANDOM_CHARACTERS + 2 <= most:
            return f"{self.stack}-"
        return self.stack[:KEPT_CHARACTERS]

    def stacks(self, *names: str) -> list[str]:
        """Return the ARNs of stacks."""
        return [self.arn("cloudformation", f"stack/{name}/*") for name in names]


def actions_by_service(actions: Mapping[str, str] = ACTIONS) -> dict[str, list[str]]:
    """Return the actions that resources need, by service; those that read settings as a pattern."""
    found: dict[str, set[str]] = {}
    for text in actions.values():
        service, _, names = text.partition(": ")
        found.setdefault(service, set()).update(names.split())
    for service in found.keys() & TOOLS.keys():
        found[service].update(TOOLS[service].split())
    return {service: sorted(_patterns(service, found[service])) for service in sorted(found)}


def _patterns(service: str, names: Iterable[str]) -> set[str]:
    given = {*names}
    patterns = [f"{one}*" for one in READS.get(service, ())] + [one for one in given if "*" in one]
    return {next((one for one in patterns if fnmatchcase(name, one)), name) for name in given}


def resources_of(scope: Scope) -> dict[str, list[str]]:
    """Return the names that a stack's resources have, by service."""
    stack, arn, cut = scope.stack, scope.arn, scope.prefix()
    bucket = scope.prefix(63, len("bucket")).lower()
    parameters = f"parameter/imagegen/{stack}"
    return {
        "cloudwatch": [
            arn("cloudwatch", f"alarm:{stack}-*"),
            arn("cloudwatch", f"dashboard/{stack}-*", regional=False),
        ],
        "dynamodb": [arn("dynamodb", f"table/{stack}-*")],
        "iam": [arn("iam", f"role/*{cut}*", regional=False)],
        "lambda": [arn("lambda", f"function:{cut}*"), arn("lambda", f"layer:{stack}-*")],
        "logs": [arn("logs", f"log-group:/imagegen/{stack}/*")],
        "s3": [scope.bucket(f"{bucket}bucket-*" if bucket.endswith("-") else f"{bucket}*")],
        "scheduler": [arn("scheduler", f"schedule/default/{cut}*")],
        "sns": [arn("sns", f"{stack}-*")],
        "ssm": [arn("ssm", parameters), arn("ssm", f"{parameters}/*")],
    }


def deployer(scope: Scope) -> Iterator[dict[str, Any]]:
    """Yield the statements of who deploys, deletes and checks one stack."""
    named = resources_of(scope)
    for service, names in actions_by_service().items():
        yield _allowed(service.title(), service, names, named[service])
    transforms = f"arn:{scope.partition}:cloudformation:{scope.region}:aws:transform/*"
    stacks = [*scope.stacks(scope.stack, SAM_STACK), transforms]
    yield _allowed("Stacks", "cloudformation", TOOLS["cloudformation"].split(), stacks)
    asked = scope.stacks(*(f"{scope.stack}-*-{end}" for end in ASKED_FOR))
    yield _allowed("AskedFor", "cloudformation", ["DescribeStacks"], asked)
    bucket = scope.bucket(SAM_BUCKET)
    yield _allowed("SamBucket", "s3", TOOLS["samBucket"].split(), [bucket, f"{bucket}/*"])
    yield _statement("Account", TOOLS["account"].split(), ["*"])


def edge(scope: Scope) -> Iterator[dict[str, Any]]:
    """Yield what ``make edge`` needs beside the deployer's policy.

    The names of distributions and of their policies are made by CloudFront.
    """
    stacks = scope.stacks(f"{scope.stack}-edge")
    yield _allowed("Front", "cloudformation", TOOLS["cloudformation"].split(), stacks)
    for service, names in actions_by_service(EDGE_ACTIONS).items():
        yield _allowed(service.title(), service, names, ["*"])
    yield _statement("Firewall", [WEB_ACL], ["*"])


def news(scope: Scope) -> Iterator[dict[str, Any]]:
    """Yield what ``make news`` needs beside the deployer's policy.

    The names of pipes are made by CloudFormation, and need not begin with the stack's.
    """
    arn, name = scope.arn, f"{scope.stack}-news"
    own = (f"event-bus/{name}", f"rule/{name}/*", f"api-destination/{name}*", f"connection/{name}*")
    named = {
        "events": [arn("events", one) for one in own],
        "pipes": [arn("pipes", "pipe/*")],
        "secretsmanager": [arn("secretsmanager", f"secret:events!connection/{name}/*")],
        "sns": [arn("sns", f"{name}-*")],
        "sqs": [arn("sqs", f"{name}-*")],
    }
    stacks = scope.stacks(name)
    yield _allowed("News", "cloudformation", TOOLS["cloudformation"].split(), stacks)
    for service, names in actions_by_service(NEWS_ACTIONS).items():
        yield _allowed(service.title(), service, names, named[service])
    poster = f"role/aws-service-role/{POSTER}/*"
    yield _statement("Poster", [SERVICE_ROLE], [arn("iam", poster, regional=False)])


def operators(scope: Scope) -> Iterator[dict[str, Any]]:
    """Yield what the operators' commands need."""
    named = {**resources_of(scope), "cloudformation": scope.stacks(scope.stack)}
    for service, names in OPERATORS.items():
        yield _allowed(service.title(), service, names.split(), named[service])


ROLES: Final[Mapping[str, Callable[[Scope], Iterator[dict[str, Any]]]]] = {
    "deployer": deployer,
    "edge": edge,
    "news": news,
    "operators": operators,
}
"""For whom there is a policy."""


def policy(scope: Scope, role: str = "deployer") -> dict[str, Any]:
    """Return a policy for one stack."""
    return {"Version": "2012-10-17", "Statement": list(ROLES[role](scope))}


def _allowed(sid: str, service: str, names: Iterable[str], resources: list[str]) -> dict[str, Any]:
    allowed = sorted(_patterns(service, names))
    return _statement(sid, [f"{service}:{name}" for name in allowed], resources)


def _statement(sid: str, actions: list[str], resources: list[str]) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}


def main() -> None:
    """Print a policy as JSON."""
    parser = argparse.ArgumentParser(prog="make deployer-policy", description=__doc__)
    parser.add_argument("--stack", required=True)
    parser.add_argument("--region", default="*")
    parser.add_argument("--account", default="*")
    parser.add_argument("--role", choices=[*ROLES], default="deployer")
    given = parser.parse_args()
    scope = Scope(given.stack, given.region, given.account)
    print(json.dumps(policy(scope, given.role), indent=2))


if __name__ == "__main__":
    main()
