"""``make deploy-env``: writes the keys and flags of .env into a stack's SSM parameters.

With ``--rotate-quote-key`` (``make rotate-quote-key``) it takes the next step to a new quote key
instead.
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
    """Return the path of a stack's parameters; the template contains the same path."""
    return f"/imagegen/{stack_name}"


def push(ssm: "SSMClient", stack_name: str, env: Mapping[str, str]) -> list[str]:
    """Write keys and flags, create missing keys of our own, and return the names written."""
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
    """Create the service's own keys that do not exist yet, and return their names.

    Existing keys are never replaced: another quote key would invalidate every open quote, another
    image key the URL of every image.
    """
    made = {
        QUOTE_KEYS: f"k1:{base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()}",
        "IMAGE_ID_KEY": secrets.token_urlsafe(32),
    }
    return [name for name, value in made.items() if put_new(ssm, f"{path}/{name}", value)]


def put_new(ssm: "SSMClient", name: str, value: str) -> bool:
    """Write a secret unless it exists, and return whether it was written."""
    try:
        ssm.put_parameter(Name=name, Value=value, Type="SecureString")
    except ssm.exceptions.ParameterAlreadyExists:
        return False
    return True


def rotate(ssm: "SSMClient", path: str, *, now: datetime) -> Rotation:
    """Take the next step to a new quote key if enough time has passed; return the step.

    Raises:
        ValueError: the keys are in no state that a rotation produces.
    """
    name = f"{path}/{QUOTE_KEYS}"
    found = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]
    age_ms = int((now - found["LastModifiedDate"]).total_seconds() * 1000)
    rotation = next_rotation(found["Value"], age_ms=age_ms, new_key=fresh_key())
    if not rotation.wait_ms:
        ssm.put_parameter(Name=name, Value=rotation.keys, Type="SecureString", Overwrite=True)
    return rotation


def main() -> None:
    """Push .env and print the names pushed, never a value; or take a step of the rotation."""
    parser = argparse.ArgumentParser(prog="make deploy-env", description=__doc__)
    parser.add_argument("--stack", required=True)
    parser.add_argument("--env-file", type=Path, default=DOTENV)
    parser.add_argument("--rotate-quote-key", action="store_true", help="take the next step")
    options = parser.parse_args()
    path, ssm = parameters_path(options.stack), boto3.client("ssm")
    if options.rotate_quote_key:
        print(rotation_text(rotate(ssm, path, now=datetime.now(UTC))))
        return
    env = read_dotenv(options.env_file)
    if not env:
        name = options.env_file.name
        raise SystemExit(f"There is nothing in {name}: copy .env.example to it and fill it in")
    for name in push(ssm, options.stack, env):
        print(f"{path}/{name}")


def rotation_text(rotation: Rotation) -> str:
    """Return the text for the terminal about a step of a rotation."""
    if rotation.wait_ms:
        minutes = -(-rotation.wait_ms // 60_000)
        return f"The next step, {rotation.step}, is not due: run this again in {minutes} minutes."
    after = {
        Step.ADD: "The new key now verifies quotes. Next step: promote, in 6 minutes or later.",
        Step.PROMOTE: "The new key now signs quotes. Next step: drop, in 16 minutes or later.",
        Step.DROP: "The old key is removed. The rotation is complete.",
    }
    return after[rotation.step]


if __name__ == "__main__":
    main()
