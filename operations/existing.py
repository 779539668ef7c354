"""Checks the table and the bucket of an earlier stack before a deployment uses them."""

from collections.abc import Mapping

import boto3
from botocore.exceptions import ClientError

from operations.accounts import AccountError

KEY_OF_IMAGES = "IMAGE_ID_KEY"
BUCKET_CODES = {
    "301": "it is in another Region",
    "403": "it is another account's, or these credentials may not list it",
    "404": "there is no bucket of this name",
}
"""What S3 answers about a bucket: its answer to a HEAD request has no text.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html"""
KEYS = {"pk": "HASH", "sk": "RANGE"}
INDEX = "leases"


def check(parameters: Mapping[str, str]) -> None:
    """Raise if ``ExistingTableName`` or ``ExistingBucketName`` cannot be used.

    Raises:
        AccountError: it does not exist in this account and Region, or is not one of this service.
    """
    if table := parameters.get("ExistingTableName"):
        _check_table(table)
    if bucket := parameters.get("ExistingBucketName"):
        _check_bucket(bucket)


def check_key(parameters: Mapping[str, str], path: str) -> None:
    """Raise if a new stack would use an earlier bucket without the key that names its images.

    ``path`` is that of the new stack's parameters in Parameter Store.

    Raises:
        AccountError: there is no such key.
    """
    bucket = parameters.get("ExistingBucketName")
    if not bucket:
        return
    ssm, name = boto3.client("ssm"), f"{path}/{KEY_OF_IMAGES}"
    try:
        ssm.get_parameter(Name=name)
    except ssm.exceptions.ParameterNotFound as error:
        raise AccountError(
            f"EXISTING_BUCKET_NAME={bucket!r}: there is no parameter {name}, and another key finds "
            "none of its images. Use the STACK of the stack that made it, or copy that one's "
            f"{KEY_OF_IMAGES} to this name, as a SecureString."
        ) from error


def _check_table(table: str) -> None:
    try:
        found = boto3.client("dynamodb").describe_table(TableName=table)["Table"]
    except ClientError as error:
        raise _absent("EXISTING_TABLE_NAME", table, error) from error
    keys = {one["AttributeName"]: one["KeyType"] for one in found["KeySchema"]}
    indexes = {one["IndexName"] for one in found.get("GlobalSecondaryIndexes", [])}
    if keys != KEYS or INDEX not in indexes:
        raise AccountError(
            f"EXISTING_TABLE_NAME={table!r} is not a table of this service: it needs the keys pk "
            f"and sk and the index {INDEX!r}. Restore a table with its indexes."
        )


def _check_bucket(bucket: str) -> None:
    try:
        boto3.client("s3").head_bucket(Bucket=bucket)
    except ClientError as error:
        raise _absent("EXISTING_BUCKET_NAME", bucket, error) from error


def _absent(name: str, value: str, error: ClientError) -> AccountError:
    code = error.response["Error"]["Code"]
    code = f"{code}, {BUCKET_CODES[code]}" if code in BUCKET_CODES else code
    return AccountError(f"{name}={value!r} cannot be used in this account and Region: {code}.")
