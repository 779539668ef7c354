"""What CloudFormation calls for each resource type of the template, with the deployer's rights.

A property of table and bucket that is set by a call of its own has its actions as well. Tests
compare both with the template after SAM's transform, and with the rights that AWS lists for the
handlers of each type (``tests/contracts/aws/cloudformation.json``).
"""

from collections.abc import Mapping
from typing import Final

ACTIONS: Final[Mapping[str, str]] = {
    "AWS::CloudWatch::Alarm": (
        "cloudwatch: PutMetricAlarm DescribeAlarms DeleteAlarms TagResource UntagResource "
        "ListTagsForResource"
    ),
    "AWS::CloudWatch::Dashboard": (
        "cloudwatch: PutDashboard GetDashboard DeleteDashboards TagResource UntagResource "
        "ListTagsForResource"
    ),
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
        "GetFunctionRecursionConfig GetFunctionScalingConfig GetRuntimeManagementConfig "
        "GetLayerVersion TagResource UntagResource ListTags"
    ),
    "AWS::Lambda::LayerVersion": ("lambda: PublishLayerVersion GetLayerVersion DeleteLayerVersion"),
    "AWS::Lambda::Permission": ("lambda: AddPermission RemovePermission GetPolicy"),
    "AWS::Lambda::Url": (
        "lambda: CreateFunctionUrlConfig GetFunctionUrlConfig UpdateFunctionUrlConfig "
        "DeleteFunctionUrlConfig"
    ),
    "AWS::Lambda::Version": (
        "lambda: PublishVersion DeleteFunction GetFunctionConfiguration ListVersionsByFunction"
    ),
    "AWS::Logs::LogGroup": (
        "logs: CreateLogGroup DeleteLogGroup PutRetentionPolicy DeleteRetentionPolicy "
        "TagResource UntagResource ListTagsForResource GetDataProtectionPolicy "
        "DescribeIndexPolicies"
    ),
    "AWS::S3::Bucket": (
        "s3: CreateBucket DeleteBucket ListBucket PutBucketTagging GetBucketTagging TagResource "
        "UntagResource ListTagsForResource"
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

EDGE_ACTIONS: Final[Mapping[str, str]] = {
    "AWS::CloudFront::CachePolicy": (
        "cloudfront: CreateCachePolicy GetCachePolicy UpdateCachePolicy DeleteCachePolicy"
    ),
    "AWS::CloudFront::Distribution": (
        "cloudfront: CreateDistribution CreateDistributionWithTags GetDistribution "
        "GetDistributionConfig UpdateDistribution DeleteDistribution TagResource UntagResource "
        "ListTagsForResource"
    ),
}
"""The same for ``edge.yaml``."""

NEWS_ACTIONS: Final[Mapping[str, str]] = {
    "AWS::Events::ApiDestination": (
        "events: CreateApiDestination DescribeApiDestination UpdateApiDestination "
        "DeleteApiDestination"
    ),
    "AWS::Events::Connection": (
        "events: CreateConnection DescribeConnection UpdateConnection DeleteConnection"
    ),
    "AWS::Events::EventBus": (
        "events: CreateEventBus DescribeEventBus UpdateEventBus DeleteEventBus TagResource "
        "UntagResource ListTagsForResource"
    ),
    "AWS::Events::Rule": (
        "events: PutRule DescribeRule DeleteRule PutTargets RemoveTargets ListTargetsByRule"
    ),
    "AWS::Pipes::Pipe": (
        "pipes: CreatePipe DescribePipe UpdatePipe DeletePipe StartPipe StopPipe TagResource "
        "UntagResource ListTagsForResource"
    ),
    "AWS::SNS::TopicPolicy": ("sns: SetTopicAttributes GetTopicAttributes"),
    "AWS::SQS::Queue": (
        "sqs: CreateQueue GetQueueAttributes GetQueueUrl SetQueueAttributes DeleteQueue TagQueue "
        "UntagQueue ListQueueTags"
    ),
    "AWS::SQS::QueuePolicy": ("sqs: SetQueueAttributes GetQueueAttributes"),
    # A connection keeps its key in a secret, which EventBridge makes with the caller's rights.
    "AWS::Events::Connection.AuthParameters": (
        "secretsmanager: CreateSecret DescribeSecret GetSecretValue PutSecretValue UpdateSecret "
        "DeleteSecret TagResource"
    ),
}
"""The same for ``news.yaml``, beyond what the stack itself has."""
