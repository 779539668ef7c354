"""``make report MONTH=2026-11``: prints a month's costs by provider, model, user and outcome.

It reads the usage records and writes nothing. A request belongs to the day of its quote, in UTC.
Users are shown as the hashes under which the service stores them.
"""

import argparse
import csv
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self, TextIO

import boto3

from imagegen.aws.items import from_item, to_item
from imagegen.domain.money import usd_text
from operations.accounts import settle_region

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient

MADE = "complete"
NO_PROVIDER = "-"
"""Shown as provider and model of a request that led to no image."""
MOST_USERS = 20
PAGE_ITEMS = 1_000
COLUMNS = ("provider", "model", "user", "outcome")
FIGURES = ("requests", "charged_usd", "billed_usd", "in_doubt_usd")


@dataclass(frozen=True, slots=True)
class Kind:
    """The values by which requests are summed up."""

    provider: str
    model: str
    user: str
    outcome: str
    """``complete``, or the code of the error."""


@dataclass(frozen=True, slots=True)
class Sum:
    """The sums of some requests; money in micro-dollars."""

    requests: int = 0
    charged: int = 0
    billed: int = 0
    """By the provider's own count of tokens; without one, the catalog's price."""
    in_doubt: int = 0
    """What providers may have billed for answers that were lost."""

    def plus(self, other: Self) -> Self:
        """Return the sum of both."""
        return type(self)(
            self.requests + other.requests,
            self.charged + other.charged,
            self.billed + other.billed,
            self.in_doubt + other.in_doubt,
        )

    @property
    def figures(self) -> tuple[str, ...]:
        """The figures as text, in the order of ``FIGURES``."""
        money = (self.charged, self.billed, self.in_doubt)
        return str(self.requests), *map(usd_text, money)


type Sums = Mapping[Kind, Sum]


def month_ms(month: str) -> tuple[int, int]:
    """Return the start of a month such as ``2026-11`` and of the next month, in ms since 1970.

    Raises:
        ValueError: ``month`` is not a month.
    """
    start = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    end = start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    return int(start.timestamp() * 1000), int(end.timestamp() * 1000)


def table_of(cloudformation: "CloudFormationClient", stack: str) -> str:
    """Return the name of a stack's table."""
    (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in found["Outputs"]}
    return outputs["TableName"]


def records(
    dynamodb: "DynamoDBClient", table: str, month: str, *, page_items: int = PAGE_ITEMS
) -> Iterator[dict[str, Any]]:
    """Yield the usage records of a month as they are stored; reads ``page_items`` at a time."""
    start_ms, end_ms = month_ms(month)
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=table,
        PaginationConfig={"PageSize": page_items},
        FilterExpression="sk BETWEEN :start AND :end",
        # The last key of the month sorts before the first moment of the next month.
        ExpressionAttributeValues=to_item(
            {":start": f"I#{start_ms:015d}", ":end": f"I#{end_ms:015d}"}
        ),
    )
    for page in pages:
        yield from map(from_item, page["Items"])


def added_up(found: Iterable[Mapping[str, Any]]) -> dict[Kind, Sum]:
    """Return the sums of the records."""
    sums: dict[Kind, Sum] = defaultdict(Sum)
    for record in found:
        kind, amount = _read(record)
        sums[kind] = sums[kind].plus(amount)
    return dict(sums)


def _read(record: Mapping[str, Any]) -> tuple[Kind, Sum]:
    made = record["status"] == MADE
    kind = Kind(
        record.get("provider") or NO_PROVIDER,
        record.get("model") or NO_PROVIDER,
        record["pk"].removeprefix("U#"),
        MADE if made else record.get("code", "failed"),
    )
    charged = record["charged_microusd"]
    billed = record.get("actual_microusd", charged)
    return kind, Sum(1, charged, billed, record.get("in_doubt_microusd", 0))


def grouped(sums: Sums, name: Callable[[Kind], str]) -> list[tuple[str, Sum]]:
    """Return the sums by name, the largest charge first."""
    groups: dict[str, Sum] = defaultdict(Sum)
    for kind, amount in sums.items():
        groups[name(kind)] = groups[name(kind)].plus(amount)
    return sorted(groups.items(), key=lambda one: (-one[1].charged, -one[1].requests, one[0]))


def report(sums: Sums, month: str) -> str:
    """Return the month as tables for a terminal."""
    users = grouped(sums, lambda kind: kind.user)
    parts = [
        _table(f"month {month}", grouped(sums, lambda _: "everything")),
        _table("provider and model", grouped(sums, lambda kind: f"{kind.provider} {kind.model}")),
        _table("outcome", grouped(sums, lambda kind: kind.outcome)),
        _table("user", users[:MOST_USERS]),
    ]
    more = len(users) - MOST_USERS
    return "\n\n".join(parts) + (f"\n... and {more} users more (CSV=1 has all)" if more > 0 else "")


def _table(title: str, rows: list[tuple[str, Sum]]) -> str:
    lines = [(title, *FIGURES), *((name, *amount.figures) for name, amount in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            text.rjust(width) if column else text.ljust(width)
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def write_csv(sums: Sums, out: TextIO) -> None:
    """Write every sum as one line of CSV."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow((*COLUMNS, *FIGURES))
    for kind in sorted(sums, key=lambda one: (one.provider, one.model, one.user, one.outcome)):
        writer.writerow((kind.provider, kind.model, kind.user, kind.outcome, *sums[kind].figures))


def main() -> None:
    """Read a month and print it."""
    parser = argparse.ArgumentParser(prog="make report", description=__doc__)
    parser.add_argument("--stack", required=True)
    parser.add_argument("--month", required=True, help="such as 2026-11")
    parser.add_argument("--csv", action="store_true", help="every sum as CSV instead of tables")
    given = parser.parse_args()
    settle_region()
    table = table_of(boto3.client("cloudformation"), given.stack)
    sums = added_up(records(boto3.client("dynamodb"), table, given.month))
    if given.csv:
        write_csv(sums, sys.stdout)
    else:
        print(report(sums, given.month))


if __name__ == "__main__":
    main()
