"""``make report MONTH=2026-11``: prints a month's costs by provider, model, user, team and outcome.

It reads the usage records and writes nothing. A request belongs to the day of its quote, in UTC.
Users and teams are shown as the hashes under which the service stores them.
"""

import argparse
import csv
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO

import boto3

from imagegen.aws.record_scan import PAGE_ITEMS, DynamoRecordScan
from imagegen.domain.budgets import TEAM_PREFIX
from imagegen.domain.money import usd_text
from imagegen.domain.spending import Kind, Sum, Sums, UserRecord, added_up, grouped
from operations import accounts
from operations.accounts import run, settle_region, stack_of
from operations.tables import table

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient

MOST_USERS = 20
COLUMNS = ("provider", "model", "user", "outcome")
TEAM = "team"
"""The last column of the CSV, so that those before it keep their places."""
FIGURES = (
    *("requests", "charged_usd", "billed_usd"),
    *("in_doubt_usd", "unsold_usd", "above_price_usd"),
)


def figures(amount: Sum) -> tuple[str, ...]:
    """Return sums as text, in the order of ``FIGURES``."""
    losses = (amount.in_doubt, amount.unsold, amount.above_price)
    money = (amount.charged, amount.billed, *losses)
    return str(amount.requests), *map(usd_text, money)


def month_ms(month: str) -> tuple[int, int]:
    """Return the start of a month such as ``2026-11`` and of the next month, in ms since 1970.

    Raises:
        ValueError: ``month`` is not a month.
    """
    start = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    end = start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    return int(start.timestamp() * 1000), int(end.timestamp() * 1000)


def table_of(cloudformation: "CloudFormationClient", stack: str) -> str:
    """Return the name of a stack's table.

    Raises:
        AccountError: there is no such stack here.
    """
    return accounts.outputs(stack_of(cloudformation, stack))["TableName"]


def records(
    dynamodb: "DynamoDBClient", table_name: str, month: str, *, page_items: int = PAGE_ITEMS
) -> Iterator[UserRecord]:
    """Yield the usage records of a month; reads ``page_items`` at a time."""
    yield from DynamoRecordScan(dynamodb, table_name, page_items).between(*month_ms(month))


def report(sums: Sums, month: str) -> str:
    """Return the month as tables for a terminal."""
    users = grouped(sums, lambda kind: kind.user)
    teams = [one for one in grouped(sums, _team) if one[0]]
    parts = [
        _table(f"month {month}", grouped(sums, lambda _: "everything")),
        _table("provider and model", grouped(sums, lambda kind: f"{kind.provider} {kind.model}")),
        _table("outcome", grouped(sums, lambda kind: kind.outcome)),
        *([_table(TEAM, teams)] if teams else []),
        _table("user", users[:MOST_USERS]),
    ]
    more = len(users) - MOST_USERS
    return "\n\n".join(parts) + (f"\n... and {more} users more (CSV=1 has all)" if more > 0 else "")


def _table(title: str, rows: list[tuple[str, Sum]]) -> str:
    return table((title, *FIGURES), *((name, *figures(amount)) for name, amount in rows))


def write_csv(sums: Sums, out: TextIO) -> None:
    """Write every sum as one line of CSV."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow((*COLUMNS, *FIGURES, TEAM))
    for kind in sorted(sums, key=_names):
        *names, team = _names(kind)
        writer.writerow((*names, *figures(sums[kind]), team))


def _names(kind: Kind) -> tuple[str, ...]:
    return kind.provider, kind.model, kind.user, kind.outcome, _team(kind)


def _team(kind: Kind) -> str:
    return kind.team.removeprefix(TEAM_PREFIX)


def main() -> None:
    """Read a month and print it."""
    parser = argparse.ArgumentParser(prog="make report", description=__doc__)
    parser.add_argument("--stack", required=True)
    parser.add_argument("--month", required=True, help="such as 2026-11")
    parser.add_argument("--csv", action="store_true", help="every sum as CSV instead of tables")
    given = parser.parse_args()
    settle_region()
    run("make report", lambda: show(given))


def show(given: argparse.Namespace) -> None:
    """Print the month that is asked for."""
    name = table_of(boto3.client("cloudformation"), given.stack)
    sums = added_up(records(boto3.client("dynamodb"), name, given.month))
    if given.csv:
        write_csv(sums, sys.stdout)
    else:
        print(report(sums, given.month))


if __name__ == "__main__":
    main()
