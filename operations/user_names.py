"""``make user-name SUBJECT=...``: prints the names under which a person appears.

It reads the stack's issuer and one parameter, and writes nothing. With ``HASH=`` it starts from the
hash that ``make report`` prints instead.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import boto3

from imagegen.domain.errors import ParameterError
from imagegen.domain.ids import log_name, provider_name
from imagegen.edge.tokens import user_id
from imagegen.providers import registry
from imagegen.usecases.admin.people import USER_CHARACTERS, checked_user
from local.parameters import read_dotenv
from local.paths import DOTENV
from operations import accounts
from operations.accounts import stack_of
from operations.push_env import parameters_path
from operations.tables import table

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


def names(user: str, key: bytes, providers: Iterable[str]) -> str:
    """Return the names of a user as a table for a terminal."""
    rows = [
        ("table and report", f"U#{user}"),
        ("logs (user)", log_name(user, key)),
        *((f"{name} (user)", provider_name(user, name, key)) for name in providers),
    ]
    return table(*rows, texts=2)


def user_of(subject: str, user: str, issuer: str) -> str:
    """Return the user's id, from the hash itself or from issuer and subject.

    Raises:
        SystemExit: neither is given, the hash is not one, or the issuer is not known.
    """
    if user:
        try:
            return checked_user(user)
        except ParameterError:
            raise SystemExit(f"HASH is not {USER_CHARACTERS} hex digits: {user!r}") from None
    if not subject:
        raise SystemExit(
            'Name a person: SUBJECT= (the "sub" of their tokens) or HASH= (of make report)'
        )
    if not issuer:
        raise SystemExit("The issuer is not known: the stack has none. Set JWT_ISSUER in .env.")
    return user_id(issuer, subject)


def name_key(ssm: "SSMClient", stack_name: str) -> bytes:
    """Return the key of the names, which is the image id key."""
    path = f"{parameters_path(stack_name)}/IMAGE_ID_KEY"
    return ssm.get_parameter(Name=path, WithDecryption=True)["Parameter"]["Value"].encode()


def main() -> None:
    """Print a person's names."""
    parser = argparse.ArgumentParser(prog="make user-name", description=__doc__)
    parser.add_argument("--stack", required=True)
    parser.add_argument("--env-file", type=Path, default=DOTENV)
    parser.add_argument("--subject", default="")
    parser.add_argument("--user", default="")
    given = parser.parse_args()
    accounts.settle_region()
    print(accounts.run("make user-name", lambda: shown(given)))


def shown(given: argparse.Namespace) -> str:
    """Return the names of the person who is asked for.

    Raises:
        AccountError: there is no such stack here.
    """
    found = stack_of(boto3.client("cloudformation"), given.stack)
    # What is deployed counts: .env may be another stack's, or newer.
    deployed = accounts.parameter_values(found).get("JwtIssuer", "")
    issuer = deployed or read_dotenv(given.env_file).get("JWT_ISSUER", "")
    user = user_of(given.subject, given.user, issuer)
    return names(user, name_key(boto3.client("ssm"), given.stack), registry())


if __name__ == "__main__":
    main()
