"""Checks the table and the bucket of an earlier stack before a deployment uses them."""

from collections.abc import Mapping

import boto3
from botocore.exceptions import ClientError

from operations.accounts import AccountError

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
    return AccountError(f"{name}={value!r} cannot be used in this account and Region: {code}.")
