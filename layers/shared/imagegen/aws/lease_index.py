"""The index of leases, as a sweep reads it: which users may have a hold of a dead run."""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from imagegen.aws.items import from_item, store_errors, to_item
from imagegen.aws.ledger_items import (
    FORMER_PARTITION,
    LEASE_PARTITIONS,
    STORE,
    lease_key,
    partition_name,
)
from imagegen.domain.errors import StoreUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

INDEX = "leases"
SWEPT_PARTITIONS = (FORMER_PARTITION, *map(partition_name, range(LEASE_PARTITIONS)))
"""Every partition that a release of this service has written."""


def due(client: "DynamoDBClient", table: str, *, now_ms: int, limit: int) -> Iterator[str]:
    """Yield users whose lease in the index has ended, the oldest first over all partitions.

    At most ``limit`` users are yielded. One who moves between partitions may be read in both, and
    is yielded once.

    Raises:
        StoreUnavailableError: after the users that were found, if a partition cannot be read.
    """
    found, failed = list[tuple[str, str]](), None
    for partition in SWEPT_PARTITIONS:
        try:
            found += _read(client, table, partition, lease_key(now_ms, ""), limit)
        except StoreUnavailableError as error:
            failed = error  # It must not keep the others' money held.
    yield from islice(dict.fromkeys(user for _, user in sorted(found)), limit)
    if failed is not None:
        raise failed


def _read(
    client: "DynamoDBClient", table: str, partition: str, before: str, limit: int
) -> list[tuple[str, str]]:
    """Return keys of one partition that are less than ``before``, each with its user."""
    with store_errors(STORE):
        answer = client.query(
            TableName=table,
            IndexName=INDEX,
            KeyConditionExpression="lp = :p AND lx < :now",
            ExpressionAttributeValues=to_item({":p": partition, ":now": before}),
            Limit=limit,
        )
    rows = map(from_item, answer["Items"])
    return [(row["lx"], row["pk"].removeprefix("U#")) for row in rows]
