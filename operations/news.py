"""``make news``: sends what changes in a deployed stack's table to an event bus, by ``news.yaml``.

The stack of the news is a stack of its own, because most teams need none and it needs other rights.
It reads the table's stream, so that it slows nothing down and can be removed without a trace.
"""

import argparse
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import boto3

from local.guide import keep
from local.parameters import read_dotenv, set_values
from local.paths import ROOT
from operations import accounts
from operations.accounts import AccountError
from operations.second_stack import beside, chosen, options

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

COMMAND: Final = "make news"
TEMPLATE: Final = ROOT / "news.yaml"
CHOSEN: Final = {
    "NEWS_URL": "NewsUrl",
    "NEWS_KEY": "NewsKey",
    "NEWS_EMAIL": "NewsEmail",
    "ALARM_TOPIC_ARN": "AlarmTopicArn",
}
"""Settings of .env for ``news.yaml``."""
OF_STACK: Final = ("RolePath", "PermissionsBoundary")
"""Parameters that are those of the stack whose news they are."""
WITHOUT_STREAM: Final = (
    "The table {table!r} has no stream with old and new images. A table of the stack has one after "
    "`make deploy`; for another one: aws dynamodb update-table --table-name {table} "
    "--stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES"
)


def news_stack(stack: str) -> str:
    """Return the name of the stack that sends a stack's news."""
    return f"{stack}-news"


def stream_of(dynamodb: "DynamoDBClient", table: str) -> str:
    """Return the ARN of a table's stream.

    Raises:
        AccountError: it has none with old and new images.
    """
    found: Mapping[str, Any] = dynamodb.describe_table(TableName=table)["Table"]
    stream = found.get("StreamSpecification") or {}
    if not stream.get("StreamEnabled") or stream.get("StreamViewType") != "NEW_AND_OLD_IMAGES":
        raise AccountError(WITHOUT_STREAM.format(table=table))
    return str(found["LatestStreamArn"])


def parameters(
    stream: str, deployed: Mapping[str, str], dotenv: Mapping[str, str]
) -> dict[str, str]:
    """Return the parameters of ``news.yaml``."""
    shared = {name: deployed[name] for name in OF_STACK if name in deployed}
    return {"StreamArn": stream, **shared, **chosen(dotenv, CHOSEN, TEMPLATE)}


def new_key(dotenv: Mapping[str, str]) -> dict[str, str]:
    """Return a key for .env, if events are posted and there is none yet."""
    given = set_values(dotenv)
    return {"NEWS_KEY": secrets.token_urlsafe(32)} if needs_key(given) else {}


def needs_key(given: Mapping[str, str]) -> bool:
    """Return whether events are posted, and no key says from whom."""
    return bool(given.get("NEWS_URL")) and not given.get("NEWS_KEY")


def main() -> None:
    """Deploy ``news.yaml``, and print where the news are."""
    given = options(COMMAND, __doc__)
    accounts.run(COMMAND, lambda: deploy(given))


def deploy(given: argparse.Namespace) -> None:
    """Deploy ``news.yaml`` for a stack.

    Raises:
        AccountError: there is no stack, its table has no stream, or a person declined it.
    """
    stacks = beside(COMMAND, given.stack, news_stack(given.stack))
    stream = stream_of(boto3.client("dynamodb"), accounts.outputs(stacks.deployed)["TableName"])
    stacks.ask(f"News of {given.stack!r}", given)
    keep(new_key(read_dotenv(given.env_file)), given.env_file)
    dotenv = read_dotenv(given.env_file)
    values = parameters(stream, accounts.parameter_values(stacks.deployed), dotenv)
    print(report(stacks.deploy(TEMPLATE, values), set_values(dotenv)))


def report(outputs: Mapping[str, str], given: Mapping[str, str]) -> str:
    """Return what is true now and what comes next."""
    lines = [f"The event bus is {outputs['BusName']}: add rules of your own (docs/news.md)."]
    if given.get("NEWS_URL"):
        lines.append(f"Events are posted to {given['NEWS_URL']} with NEWS_KEY of .env.")
    if given.get("NEWS_EMAIL"):
        lines.append(f"{given['NEWS_EMAIL']} must confirm the subscription before mail comes.")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
