"""boto3 clients with short timeouts and few retries: a store that is down must fail quickly."""

import os
from functools import cache
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from imagegen.places import is_on_loopback

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_ssm import SSMClient

_USER_AGENT = f"imagegen Boto3/{boto3.__version__}"
"""The User-Agent of the calls that every image makes. botocore would build its own twice for each
call, a fifth of the call's CPU time, and it would name the machine instead of this service."""
# The SDK may send any write twice: each is conditional on something that the write itself changes.
# Legacy mode waits 50 ms before it tries DynamoDB again, standard mode up to 1 s: an unreachable
# ledger would be reported after 2.8 s instead of 1.9 s.
# botocore would compare each argument with its model before each call, a third of the call's own
# work. The contract tests do that, for every call that the stores make, and so does DynamoDB.
_STORE = Config(
    connect_timeout=0.5,
    read_timeout=0.9,
    retries={"mode": "legacy", "total_max_attempts": 2},
    parameter_validation=False,
    user_agent=_USER_AGENT,
)
# A link is signed for the host that it names. By default boto3 names the global host in every
# Region: S3 then redirects to a host for which the link is not signed, or, in a Region that was
# opened after March 2019, answers 400. https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
_BYTES = Config(
    connect_timeout=2,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 2},
    signature_version="s3v4",
    s3={"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"},
    user_agent=_USER_AGENT,
)
# A preview frame is stored while the image still arrives: it may not delay that by much.
_FRAMES = _BYTES.merge(Config(connect_timeout=1, read_timeout=3, retries={"total_max_attempts": 1}))
# Every cold start reads the parameters once, and an account has 40 of these reads a second: many
# instances that start together must not all try again at the same moment (full jitter).
_PARAMETERS = Config(
    connect_timeout=0.5, read_timeout=0.9, retries={"mode": "standard", "total_max_attempts": 3}
)
# Lambda answers as soon as the event is in its queue.
_EVENTS = Config(
    connect_timeout=0.5, read_timeout=2, retries={"mode": "legacy", "total_max_attempts": 2}
)


# An emulator shares its cores with every cold start: a slow answer does not mean that it is down.
_EMULATED = Config(connect_timeout=3, read_timeout=5)


def _patient_if_emulated(config: Config) -> Config:
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    return config.merge(_EMULATED) if is_on_loopback(endpoint) else config


@cache
def dynamodb() -> "DynamoDBClient":
    """Return this process's DynamoDB client."""
    return boto3.client("dynamodb", config=_patient_if_emulated(_STORE))


@cache
def s3() -> "S3Client":
    """Return this process's S3 client."""
    return boto3.client("s3", config=_BYTES)


@cache
def s3_frames() -> "S3Client":
    """Return this process's S3 client for preview frames, which are not waited for long."""
    return boto3.client("s3", config=_FRAMES)


@cache
def ssm() -> "SSMClient":
    """Return this process's SSM client."""
    return boto3.client("ssm", config=_patient_if_emulated(_PARAMETERS))


@cache
def functions() -> "LambdaClient":
    """Return this process's Lambda client. Only requests for a background run build it."""
    return boto3.client("lambda", config=_patient_if_emulated(_EVENTS))
