"""Keys and flags of .env into a stack's SSM parameters: ``make deploy-env``."""

import argparse
import base64
import re
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import boto3

from local.parameters import read_dotenv
from local.paths import DOTENV

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

KEYS: Final = {
    "openai": "OPENAI_API_KEY",
    "together": "TOGETHER_API_KEY",
    "replicate": "REPLICATE_API_TOKEN",
    "gemini": "GEMINI_API_KEY",
}
FLAG: Final = re.compile(r"ENABLE_IMAGE_GENERATION_[A-Z]+")


def parameters_path(stack_name: str) -> str:
    """Return where a stack's parameters are; the template says the same."""
    return f"/imagegen/{stack_name}"


def push(ssm: "SSMClient", stack_name: str, env: Mapping[str, str]) -> list[str]:
    """Write keys and flags, and make our own keys where missing; return the names written."""
    path = parameters_path(stack_name)
    secret = [name for name in KEYS.values() if name in env]
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
        "QUOTE_KEYS": f"k1:{base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()}",
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


def main() -> None:
    """Push .env and name what was pushed, never a value."""
    parser = argparse.ArgumentParser(prog="make deploy-env", description=__doc__)
    parser.add_argument("--stack", required=True)
    stack_name = parser.parse_args().stack
    env = read_dotenv(DOTENV)
    if not env:
        raise SystemExit("There is nothing in .env: copy .env.example and fill it in")
    for name in push(boto3.client("ssm"), stack_name, env):
        print(f"{parameters_path(stack_name)}/{name}")


if __name__ == "__main__":
    main()
