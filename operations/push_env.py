"""Keys and flags of .env into a stack's SSM parameters: ``make deploy-env``.

With ``--rotate-quote-key`` the next step of a new quote key instead: ``make rotate-quote-key``.
"""

import argparse
import base64
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import boto3

from imagegen.providers import PROVIDERS, flag_name
from local.parameters import read_dotenv
from local.paths import DOTENV
from operations.rotation import Rotation, Step, fresh_key, next_rotation

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

KEYS: Final = {name: about.key_name for name, about in PROVIDERS.items()}
CHAT_KEY: Final = "CHAT_API_KEY"
FLAG: Final = re.compile(flag_name("[A-Z0-9_]+"))
QUOTE_KEYS: Final = "QUOTE_KEYS"


def parameters_path(stack_name: str) -> str:
    """Return where a stack's parameters are; the template says the same."""
    return f"/imagegen/{stack_name}"


def push(ssm: "SSMClient", stack_name: str, env: Mapping[str, str]) -> list[str]:
    """Write keys and flags, and make our own keys where missing; return the names written."""
    path = parameters_path(stack_name)
    secret = [name for name in (*KEYS.values(), CHAT_KEY) if name in env]
    flags = [name for name in env if FLAG.fullmatch(name)]
    for name in secret:
        ssm.put_parameter(
            Name=f"{path}/{name}", Value=env[name], Type="SecureString", Overwrite=True
        )
    for name in flags:
        ssm.put_parameter(Name=f"{path}/{name}", Value=env[name], Type="String", Overwrite=True)
    return [*secret, *flags, *make_missing(ssm, path)]


def make_missing(ssm: "SSMClient", path: str) -> list[str]:
    """Make the service's own keys where there are none; return the names of those made.

    Never anew: another quote key voids every open quote, another image key every image's address.
    """
    made = {
        QUOTE_KEYS: f"k1:{base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()}",
        "IMAGE_ID_KEY": secrets.token_urlsafe(32),
    }
    return [name for name, value in made.items() if put_new(ssm, f"{path}/{name}", value)]


def put_new(ssm: "SSMClient", name: str, value: str) -> bool:
    """Write a secret unless it is there already; return whether it was written."""
    try:
        ssm.put_parameter(Name=name, Value=value, Type="SecureString")
    except ssm.exceptions.ParameterAlreadyExists:
        return False
    return True


def rotate(ssm: "SSMClient", path: str, *, now: datetime) -> Rotation:
    """Take the next step of a new quote key if its time has come; return the step.

    Raises:
        ValueError: the keys are not as a rotation leaves them.
    """
    name = f"{path}/{QUOTE_KEYS}"
    found = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]
    age_ms = int((now - found["LastModifiedDate"]).total_seconds() * 1000)
    turn = next_rotation(found["Value"], age_ms=age_ms, new_key=fresh_key())
    if not turn.wait_ms:
        ssm.put_parameter(Name=name, Value=turn.keys, Type="SecureString", Overwrite=True)
    return turn


def main() -> None:
    """Push .env and name what was pushed, never a value; or rotate the quote key."""
    parser = argparse.ArgumentParser(prog="make deploy-env", description=__doc__)
    parser.add_argument("--stack", required=True)
    parser.add_argument("--env-file", type=Path, default=DOTENV)
    parser.add_argument("--rotate-quote-key", action="store_true", help="take the next step of it")
    options = parser.parse_args()
    path, ssm = parameters_path(options.stack), boto3.client("ssm")
    if options.rotate_quote_key:
        print(said_of(rotate(ssm, path, now=datetime.now(UTC))))
        return
    env = read_dotenv(options.env_file)
    if not env:
        name = options.env_file.name
        raise SystemExit(f"There is nothing in {name}: copy .env.example and fill it in")
    for name in push(ssm, options.stack, env):
        print(f"{path}/{name}")


def said_of(turn: Rotation) -> str:
    """Return what a step of a rotation means for the person at the terminal."""
    if turn.wait_ms:
        minutes = -(-turn.wait_ms // 60_000)
        return f"Next is: {turn.step}. Not yet: run this again in {minutes} minutes."
    after = {
        Step.ADD: "The new key verifies. Next is: promote, in 6 minutes or later.",
        Step.PROMOTE: "The new key signs. Next is: drop, in 16 minutes or later.",
        Step.DROP: "The old key is gone. The rotation is complete.",
    }
    return after[turn.step]


if __name__ == "__main__":
    main()
