"""``make deployer-policy``: the IAM policy of a deployer, generated from the template.

Each resource type of the template after SAM's transform, and each property of table and bucket that
is set by a call of its own, has its actions here. A test fails when one is missing. They are the
calls that CloudFormation makes with the deployer's rights:
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

import argparse
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

ACTIONS: Final[Mapping[str, str]] = {
    "AWS::CloudWatch::Alarm": (
        "cloudwatch: PutMetricAlarm DescribeAlarms DeleteAlarms TagResource UntagResource "
        "ListTagsForResource"
    ),
    "AWS::CloudWatch::Dashboard": ("cloudwatch: PutDashboard GetDashboard DeleteDashboards"),
    "AWS::DynamoDB::Table": (
        "dynamodb: CreateTable DescribeTable UpdateTable DeleteTable TagResource "
        "UntagResource ListTagsOfResource DescribeContributorInsights GetResourcePolicy "
        "DescribeKinesisStreamingDestination"
    ),
    "AWS::DynamoDB::Table.PointInTimeRecoverySpecification": (
        "dynamodb: UpdateContinuousBackups DescribeContinuousBackups"
    ),
    "AWS::DynamoDB::Table.TimeToLiveSpecification": (
        "dynamodb: UpdateTimeToLive DescribeTimeToLive"
    ),
    "AWS::IAM::Policy": ("iam: PutRolePolicy GetRolePolicy DeleteRolePolicy"),
    "AWS::IAM::Role": (
        "iam: CreateRole GetRole UpdateRole DeleteRole PassRole TagRole UntagRole "
        "UpdateAssumeRolePolicy PutRolePolicy GetRolePolicy DeleteRolePolicy "
        "ListRolePolicies ListAttachedRolePolicies PutRolePermissionsBoundary "
        "DeleteRolePermissionsBoundary"
    ),
    "AWS::Lambda::Alias": (
        "lambda: CreateAlias GetAlias UpdateAlias DeleteAlias GetProvisionedConcurrencyConfig"
    ),
    "AWS::Lambda::EventInvokeConfig": (
        "lambda: PutFunctionEventInvokeConfig GetFunctionEventInvokeConfig "
        "UpdateFunctionEventInvokeConfig DeleteFunctionEventInvokeConfig"
    ),
    "AWS::Lambda::Function": (
        "lambda: CreateFunction GetFunction GetFunctionConfiguration UpdateFunctionCode "
        "UpdateFunctionConfiguration DeleteFunction PutFunctionConcurrency "
        "DeleteFunctionConcurrency GetFunctionCodeSigningConfig "
        "GetFunctionRecursionConfig GetRuntimeManagementConfig TagResource UntagResource "
        "ListTags"
    ),
    "AWS::Lambda::LayerVersion": ("lambda: PublishLayerVersion GetLayerVersion DeleteLayerVersion"),
    "AWS::Lambda::Permission": ("lambda: AddPermission RemovePermission GetPolicy"),
    "AWS::Lambda::Url": (
        "lambda: CreateFunctionUrlConfig GetFunctionUrlConfig UpdateFunctionUrlConfig "
        "DeleteFunctionUrlConfig"
    ),
    "AWS::Lambda::Version": ("lambda: PublishVersion ListVersionsByFunction"),
    "AWS::Logs::LogGroup": (
        "logs: CreateLogGroup DeleteLogGroup PutRetentionPolicy DeleteRetentionPolicy "
        "TagResource UntagResource ListTagsForResource GetDataProtectionPolicy "
        "DescribeIndexPolicies"
    ),
    "AWS::S3::Bucket": (
        "s3: CreateBucket DeleteBucket ListBucket PutBucketTagging GetBucketTagging"
    ),
    "AWS::S3::Bucket.BucketEncryption": (
        "s3: PutEncryptionConfiguration GetEncryptionConfiguration"
    ),
    "AWS::S3::Bucket.CorsConfiguration": ("s3: PutBucketCORS GetBucketCORS"),
    "AWS::S3::Bucket.LifecycleConfiguration": (
        "s3: PutLifecycleConfiguration GetLifecycleConfiguration"
    ),
    "AWS::S3::Bucket.MetricsConfigurations": (
        "s3: PutMetricsConfiguration GetMetricsConfiguration"
    ),
    "AWS::S3::Bucket.OwnershipControls": (
        "s3: PutBucketOwnershipControls GetBucketOwnershipControls"
    ),
    "AWS::S3::Bucket.PublicAccessBlockConfiguration": (
        "s3: PutBucketPublicAccessBlock GetBucketPublicAccessBlock"
    ),
    "AWS::S3::BucketPolicy": ("s3: PutBucketPolicy GetBucketPolicy DeleteBucketPolicy"),
    "AWS::SNS::Topic": (
        "sns: CreateTopic GetTopicAttributes SetTopicAttributes DeleteTopic Subscribe "
        "Unsubscribe ListSubscriptionsByTopic TagResource UntagResource "
        "ListTagsForResource GetDataProtectionPolicy"
    ),
    "AWS::SSM::Parameter": (
        "ssm: PutParameter GetParameter GetParameters DeleteParameter AddTagsToResource "
        "RemoveTagsFromResource ListTagsForResource"
    ),
    "AWS::Scheduler::Schedule": (
        "scheduler: CreateSchedule GetSchedule UpdateSchedule DeleteSchedule"
    ),
}
"""Actions by resource type, or by a property that is set by calls of its own."""

WITHOUT_CALLS: Final = frozenset(
    {
        *("AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema"),
        *("SSESpecification", "StreamSpecification"),
    }
)
"""Properties of table and bucket that are set when the resource is made."""

TOOLS: Final[Mapping[str, str]] = {
    "cloudformation": "CreateChangeSet DescribeChangeSet ExecuteChangeSet DeleteChangeSet "
    "DescribeStacks DescribeStackEvents DescribeStackResources ListStackResources CreateStack "
    "UpdateStack DeleteStack GetTemplate GetTemplateSummary ValidateTemplate "
    "ContinueUpdateRollback",
    "samBucket": "CreateBucket ListBucket GetObject PutObject DeleteObject GetBucketLocation "
    "PutBucketPolicy GetBucketPolicy PutBucketVersioning GetBucketVersioning PutBucketTagging "
    "PutEncryptionConfiguration PutBucketPublicAccessBlock",
    "ssm": "PutParameter GetParameter GetParametersByPath DeleteParameter",
    "account": "lambda:GetAccountSettings logs:DescribeLogGroups cloudwatch:DescribeAlarms",
    "logs": "FilterLogEvents",
    "dynamodb": "Scan",
}
"""Actions of the commands themselves: sam's bucket, keys, logs and the report."""
SAM_STACK: Final = "aws-sam-cli-managed-default"
SAM_BUCKET: Final = f"{SAM_STACK}-samclisourcebucket-*"


def by_service(actions: Mapping[str, str]) -> dict[str, set[str]]:
    """Return actions by service."""
    found: dict[str, set[str]] = {}
    for text in actions.values():
        service, _, names = text.partition(": ")
        found.setdefault(service, set()).update(names.split())
    return found


def actions_by_service() -> dict[str, list[str]]:
    """Return the actions that the template's resources need, by service."""
    found = by_service(ACTIONS)
    for service in ("logs", "dynamodb", "ssm"):
        found[service].update(TOOLS[service].split())
    return {service: sorted(found[service]) for service in sorted(found)}


def resources_of(stack: str, region: str, account: str) -> dict[str, list[str]]:
    """Return the names that a stack's resources have, by service."""
    here = f"{region}:{account}"
    return {
        "cloudwatch": [
            f"arn:aws:cloudwatch:{here}:alarm:{stack}-*",
            f"arn:aws:cloudwatch::{account}:dashboard/{stack}-*",
        ],
        "dynamodb": [f"arn:aws:dynamodb:{here}:table/{stack}-*"],
        "iam": [f"arn:aws:iam::{account}:role/*{stack}-*"],
        "lambda": [
            f"arn:aws:lambda:{here}:function:{stack}-*",
            f"arn:aws:lambda:{here}:layer:{stack}-*",
        ],
        "logs": [f"arn:aws:logs:{here}:log-group:/imagegen/{stack}/*"],
        "s3": [f"arn:aws:s3:::{stack.lower()}-bucket-*"],
        "scheduler": [f"arn:aws:scheduler:{here}:schedule/default/{stack}-*"],
        "sns": [f"arn:aws:sns:{here}:{stack}-*"],
        "ssm": [f"arn:aws:ssm:{here}:parameter/imagegen/{stack}{rest}" for rest in ("", "/*")],
    }


def policy(stack: str, region: str = "*", account: str = "*") -> dict[str, Any]:
    """Return the policy for one stack."""
    return {"Version": "2012-10-17", "Statement": list(_statements(stack, region, account))}


def _statements(stack: str, region: str, account: str) -> Iterator[dict[str, Any]]:
    named = resources_of(stack, region, account)
    for service, names in actions_by_service().items():
        actions = [f"{service}:{name}" for name in names]
        yield allowed(service.title(), actions, named[service])
    here = f"{region}:{account}"
    yield allowed(
        "Stacks",
        [f"cloudformation:{name}" for name in TOOLS["cloudformation"].split()],
        [
            *(f"arn:aws:cloudformation:{here}:stack/{one}/*" for one in (stack, SAM_STACK)),
            f"arn:aws:cloudformation:{region}:aws:transform/*",
        ],
    )
    bucket = f"arn:aws:s3:::{SAM_BUCKET}"
    sam = [f"s3:{name}" for name in TOOLS["samBucket"].split()]
    yield allowed("SamBucket", sam, [bucket, f"{bucket}/*"])
    yield allowed("Account", TOOLS["account"].split(), ["*"])


def allowed(sid: str, actions: list[str], resources: list[str]) -> dict[str, Any]:
    """Return a statement of a policy."""
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}


def main() -> None:
    """Print the policy as JSON."""
    parser = argparse.ArgumentParser(prog="make deployer-policy", description=__doc__)
    parser.add_argument("--stack", required=True)
    parser.add_argument("--region", default="*")
    given = parser.parse_args()
    print(json.dumps(policy(given.stack, given.region), indent=2))


if __name__ == "__main__":
    main()
