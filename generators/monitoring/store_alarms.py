"""The alarms of the table and the bucket, and of the reconciler, which gives held money back."""

from typing import Final

from generators.monitoring.alarm import Alarm, missing
from generators.monitoring.queries import buckets, ours, tables
from imagegen.monitoring.metrics import Metric

OPERATIONS: Final = {
    "get": "GetItem",
    "put": "PutItem",
    "query": "Query",
    "update": "UpdateItem",
}

STORES: Final = [
    missing(
        "sweep-missing",
        "The reconciler has not finished a sweep for fifteen minutes, so users do not get back the "
        "money that dead runs hold. Look at the generate function's log group and its schedule.",
        {"sweeps": ours(Metric.SWEEPS)},
    ),
    Alarm(
        "table-throttles",
        "DynamoDB throttled reads or writes of the table: one partition is used too much, or the "
        "load grew faster than an on-demand table does. Requests that need it fail with 503.",
        {"reads": tables("ReadThrottleEvents"), "writes": tables("WriteThrottleEvents")},
        0,
        "FILL(reads, 0) + FILL(writes, 0)",
        periods=5,
        needed=2,
    ),
    Alarm(
        "table-errors",
        "DynamoDB answered with errors of its own (5xx). Nothing is spent without the ledger. See "
        "the AWS Health Dashboard for this Region.",
        {name: tables("SystemErrors", one) for name, one in OPERATIONS.items()},
        0,
        " + ".join(f"FILL({name}, 0)" for name in OPERATIONS),
        periods=5,
        needed=2,
    ),
    Alarm(
        "bucket-errors",
        "S3 answered requests for images with errors of its own (5xx): images cannot be stored or "
        "shown. An image that cannot be stored is not charged. See the AWS Health Dashboard.",
        {"faults": buckets("5xxErrors")},
        0,
        periods=5,
        needed=2,
    ),
]
