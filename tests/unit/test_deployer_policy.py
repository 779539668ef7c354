"""The policies of deployers and operators, against the template and AWS's list of rights."""

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import boto3
import pytest

from local.parameters import read_bare_template
from local.paths import ROOT
from operations.deployer_policy import (
    KEPT_CHARACTERS,
    LOGICAL_CHARACTERS,
    ROLES,
    Scope,
    policy,
    resources_of,
)
from operations.resource_actions import ACTIONS, EDGE_ACTIONS, NEWS_ACTIONS, WITHOUT_CALLS
from tests.fakes.templates import transformed_template

BY_CALLS_OF_THEIR_OWN = ("AWS::DynamoDB::Table", "AWS::S3::Bucket")
MOST_CHARACTERS = 6_144
"""Of a managed policy, without spaces:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
CUT_TYPES = ("AWS::IAM::Role", "AWS::Lambda::Function", "AWS::Scheduler::Schedule")
HERE = Scope("prod", "eu-central-1", "123456789012")
FACTS: dict[str, list[str]] = json.loads(
    (ROOT / "tests" / "contracts" / "aws" / "cloudformation.json").read_text()
)["types"]
UNSET: dict[str, dict[str, str]] = {
    "AWS::CloudFront::Distribution": {
        "AnycastIpListId": "cloudfront:*ConnectionGroup cloudfront:GetVpcOrigin",
        "Staging": "cloudfront:UpdateDistributionWithStagingConfig",
    },
    "AWS::DynamoDB::Table": {
        "ContributorInsightsSpecification": "dynamodb:UpdateContributorInsights",
        "ImportSourceSpecification": "dynamodb:DescribeImport dynamodb:ImportTable logs:* s3:*",
        "KinesisStreamSpecification": "dynamodb:*KinesisStreamingDestination kinesis:*",
        "ResourcePolicy": "dynamodb:*ResourcePolicy",
        # A replica is written by these, with a role of DynamoDB's own.
        "Replicas": "dynamodb:*TableReplica dynamodb:*Item dynamodb:Query dynamodb:Scan iam:*",
        # The key of SSEEnabled is AWS's, whose own policy admits every user of the table.
        "KMSMasterKeyId": "kms:*",
    },
    "AWS::Events::Connection": {"KmsKeyIdentifier": "kms:*"},
    "AWS::Events::EventBus": {
        "KmsKeyIdentifier": "kms:*",
        "Policy": "events:PutPermission events:RemovePermission",
    },
    "AWS::IAM::Policy": {"Groups": "iam:*GroupPolicy", "Users": "iam:*UserPolicy"},
    "AWS::IAM::Role": {
        "ManagedPolicyArns": "iam:AttachRolePolicy iam:DetachRolePolicy",
        "Description": "iam:UpdateRoleDescription",
    },
    "AWS::Lambda::Alias": {
        "RoutingConfig": "codedeploy:*",
        "ProvisionedConcurrencyConfig": "lambda:*ProvisionedConcurrencyConfig",
    },
    "AWS::Lambda::Function": {
        "CapacityProviderConfig": "lambda:PassCapacityProvider lambda:PutFunctionScalingConfig",
        "CodeSigningConfigArn": "lambda:*CodeSigningConfig",
        "FileSystemConfigs": "elasticfilesystem:* s3files:*",
        "KmsKeyArn": "kms:*",
        "RecursiveLoop": "lambda:PutFunctionRecursionConfig",
        "RuntimeManagementConfig": (
            "lambda:PutRuntimeManagementConfig lambda:AssociateRuntimeAlias"
        ),
        "VpcConfig": "ec2:*",
    },
    "AWS::Lambda::Version": {
        "FunctionScalingConfig": "lambda:PutFunctionScalingConfig",
        "ProvisionedConcurrencyConfig": "lambda:PutProvisionedConcurrencyConfig",
        "RuntimePolicy": "lambda:PutRuntimeManagementConfig",
    },
    "AWS::Logs::LogGroup": {
        "BearerTokenAuthenticationEnabled": "logs:PutBearerTokenAuthentication",
        "DataProtectionPolicy": "logs:*DataProtectionPolicy logs:CreateLogDelivery firehose:* s3:*",
        "DeletionProtectionEnabled": "logs:PutLogGroupDeletionProtection",
        "FieldIndexPolicies": "logs:*IndexPolicy",
        "KmsKeyId": "logs:*KmsKey",
        "ResourcePolicyDocument": "logs:*ResourcePolicy",
    },
    "AWS::Pipes::Pipe": {
        "KmsKeyIdentifier": "kms:*",
        "LogConfiguration": "logs:* s3:*BucketPolicy firehose:TagDeliveryStream",
    },
    "AWS::S3::Bucket": {
        "AbacStatus": "s3:PutBucketAbac",
        "AccelerateConfiguration": "s3:PutAccelerateConfiguration",
        "AccessControl": "s3:PutBucketAcl s3:PutObjectAcl s3:DeleteObject",
        "AnalyticsConfigurations": "s3:PutAnalyticsConfiguration",
        "IntelligentTieringConfigurations": "s3:PutIntelligentTieringConfiguration",
        "InventoryConfigurations": "s3:PutInventoryConfiguration",
        "LoggingConfiguration": "s3:PutBucketLogging",
        "MetadataConfiguration": "s3:*Metadata* s3tables:*",
        "NotificationConfiguration": "s3:PutBucketNotification",
        "ObjectLockConfiguration": "s3:Put*ObjectLockConfiguration",
        "ReplicationConfiguration": "s3:Put*Replication* iam:PassRole",
        "VersioningConfiguration": "s3:PutBucketVersioning",
        "WebsiteConfiguration": "s3:PutBucketWebsite",
    },
    "AWS::SNS::Topic": {
        "DataProtectionPolicy": "sns:PutDataProtectionPolicy",
        "DeliveryStatusLogging": "iam:GetRole",
    },
}
"""Rights that only a property needs which the template does not set."""
NO_ACTIONS = {
    *("s3:DeleteBucketAnalyticsConfiguration", "s3:DeleteBucketCors", "s3:DeleteBucketEncryption"),
    *("s3:DeleteBucketLifecycle", "s3:DeleteBucketMetricsConfiguration"),
    *("s3:DeleteBucketReplication", "s3:DeleteBucketWebsite"),
}
"""Calls that AWS lists by their names, while IAM has the action of ``Put``."""


@cache
def resources() -> dict[str, Any]:
    """Return the resources of all three templates, after SAM's transform."""
    beside = [read_bare_template(ROOT / name)["Resources"] for name in ("edge.yaml", "news.yaml")]
    assert not beside[0].keys() & beside[1].keys()
    return {**transformed_template()["Resources"], **beside[0], **beside[1]}


def properties(kind: str) -> set[str]:
    """Return the properties that the templates set for a resource type, at any depth."""
    return {
        name
        for one in resources().values()
        if one["Type"] == kind
        for name in _names(one.get("Properties", {}))
    }


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        for one in value.values():
            yield from _names(one)
    if isinstance(value, list):
        for one in value:
            yield from _names(one)


def is_allowed(action: str) -> bool:
    """Return whether a deployer, or who deploys front and news as well, may do it anywhere."""
    return any(fnmatchcase(action, one) for one in allowed())


@cache
def allowed() -> tuple[str, ...]:
    """Return the actions of who deploys the stack, its front and its news, as patterns."""
    statements = [one for role in ("deployer", "edge", "news") for one in ROLES[role](HERE)]
    return tuple(action for each in statements for action in each["Action"])


def test_every_resource_type_has_its_actions() -> None:
    used = {one["Type"] for one in resources().values()}
    listed = {name.partition(".")[0] for name in (*ACTIONS, *EDGE_ACTIONS, *NEWS_ACTIONS)}
    assert used - listed == set(), "add its actions to operations/resource_actions.py"
    assert listed - used == set(), "no resource of a template has this type any more"


@pytest.mark.parametrize("kind", BY_CALLS_OF_THEIR_OWN)
def test_every_property_that_is_a_call_of_its_own_has_its_actions(kind: str) -> None:
    used = {
        name for one in resources().values() if one["Type"] == kind for name in one["Properties"]
    }
    listed = {name.partition(".")[2] for name in ACTIONS if name.startswith(f"{kind}.")}
    assert used - listed - WITHOUT_CALLS == set()
    assert listed <= used


def test_aws_lists_the_rights_of_every_type_that_is_used() -> None:
    assert FACTS.keys() == {one["Type"] for one in resources().values()}


@pytest.mark.parametrize("kind", FACTS)
def test_a_right_that_aws_lists_is_allowed_unless_its_property_is_not_set(kind: str) -> None:
    unset = " ".join(UNSET.get(kind, {}).values()).split()
    missing = [
        one
        for one in FACTS[kind]
        if one not in NO_ACTIONS
        and not is_allowed(one)
        and not any(fnmatchcase(one, pattern) for pattern in unset)
    ]
    assert missing == []


@pytest.mark.parametrize("kind", UNSET)
def test_what_needs_no_right_is_not_set(kind: str) -> None:
    assert not properties(kind) & UNSET[kind].keys()
    for patterns in UNSET[kind].values():
        for pattern in patterns.split():
            assert any(fnmatchcase(one, pattern) for one in FACTS[kind]), pattern


@pytest.mark.parametrize("action", ["s3:PutBucketCORS", "s3:PutMetricsConfiguration"])
def test_what_was_once_forgotten_is_allowed(action: str) -> None:
    allowed = [one for one in policy(HERE)["Statement"] if action in one["Action"]]
    assert allowed[0]["Resource"] == ["arn:aws:s3:::prod-bucket-*"]


def test_sams_own_bucket_can_be_made() -> None:
    (sam,) = [one for one in policy(HERE)["Statement"] if one["Sid"] == "SamBucket"]
    assert {"s3:CreateBucket", "s3:PutBucketVersioning", "s3:PutBucketTagging"} <= set(
        sam["Action"]
    )
    assert all("aws-sam-cli-managed-default" in one for one in sam["Resource"])


@pytest.mark.parametrize("end", ["CompanionStack", "WebFunctionCode"])
def test_sam_may_ask_for_the_stacks_that_it_would_delete_as_well(end: str) -> None:
    asked = f"arn:aws:cloudformation:eu-central-1:123456789012:stack/prod-1a2b3c4d-{end}/*"
    (found,) = [
        one
        for one in policy(HERE)["Statement"]
        if any(fnmatchcase(asked, resource) for resource in one["Resource"])
        and one["Resource"] != ["*"]
    ]
    assert found["Action"] == ["cloudformation:Describe*"]


def test_only_calls_that_have_no_resource_are_allowed_on_everything() -> None:
    (wide,) = [one for one in policy(HERE)["Statement"] if one["Resource"] == ["*"]]
    assert all(re.search(r":(Get|Describe)", one) for one in wide["Action"])
    assert not [one for one in policy(HERE, "operators")["Statement"] if "*" in one["Resource"]]


@pytest.mark.parametrize("role", ROLES)
def test_no_pattern_of_actions_reads_what_users_own_or_changes_anything(role: str) -> None:
    patterns = [
        action
        for one in policy(HERE, role)["Statement"]
        for action in one["Action"]
        if action.endswith("*")
    ]
    assert all(re.search(r":(Describe|Get|List)", one) for one in patterns)
    for data in ("s3:GetObject", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"):
        assert not any(fnmatchcase(data, one) for one in patterns)


def test_a_deployer_reads_no_ledger_and_an_operator_changes_no_function() -> None:
    assert "dynamodb:Scan" not in json.dumps(policy(HERE))
    assert not re.search(r'"(lambda|iam|s3|sns):', json.dumps(policy(HERE, "operators")))


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("stack", ["imagegen", "Imagegen-Prod-Blue", "a" + "-long-name" * 5])
def test_the_policy_fits_and_names_the_stack(stack: str, role: str) -> None:
    text = json.dumps(policy(Scope(stack, "ap-southeast-1", "123456789012"), role))
    assert len(re.sub(r"\s", "", text)) <= MOST_CHARACTERS
    assert f"/{stack}" in text


def test_a_bucket_has_the_name_of_the_stack_in_small_letters() -> None:
    assert resources_of(Scope("Imagegen-Prod"))["s3"] == ["arn:aws:s3:::imagegen-prod-bucket-*"]


def test_a_name_that_cloudformation_would_cut_is_matched_by_its_beginning() -> None:
    longest = max(len(name) for name, one in resources().items() if one["Type"] in CUT_TYPES)
    assert longest <= LOGICAL_CHARACTERS
    short, long = "a" * 24, "b" * 25
    assert resources_of(Scope(short))["lambda"][0] == f"arn:aws:lambda:*:*:function:{short}-*"
    assert resources_of(Scope(long))["lambda"][0].endswith(f"function:{'b' * KEPT_CHARACTERS}*")
    assert resources_of(Scope("c" * 43))["s3"] == [f"arn:aws:s3:::{'c' * KEPT_CHARACTERS}*"]
    assert resources_of(Scope(long))["ssm"][1].endswith(f"parameter/imagegen/{long}/*")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("region", ["us-east-1", "ap-southeast-3", "cn-north-1", "us-gov-west-1"])
def test_the_partition_is_that_of_the_region(region: str, role: str) -> None:
    partition = boto3.session.Session(region_name=region).get_partition_for_region(region)
    found = [
        resource
        for one in policy(Scope("prod", region), role)["Statement"]
        for resource in one["Resource"]
        if resource != "*"
    ]
    assert found
    assert {one.split(":")[1] for one in found} == {partition}
    assert {one.split(":")[3] for one in found} <= {region, ""}
