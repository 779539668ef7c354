"""``make deploy-env``: writes the keys and flags of .env into a stack's SSM parameters.

One parameter has all of them as a JSON object, so that a function reads everything in one call.
With ``--rotate-quote-key`` (``make rotate-quote-key``) it takes the next step to a new quote key
instead.
"""

import argparse
import base64
import json
import re
import secrets
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import boto3

from imagegen.aws.parameters import KEYS_AND_FLAGS, with_keys_and_flags
from imagegen.providers import flag_name, registry
from local.parameters import CLEAR, read_dotenv
from local.paths import DOTENV
from operations import accounts
from operations.accounts import AccountError, parameter_values, stack_of
from operations.rotation import Rotation, Step, fresh_key, next_rotation

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_ssm import SSMClient

KEYS: Final = {name: one.key_name for name, one in registry().items() if one.key_name}
"""The names of the keys, by provider; one that is called without a key has none."""
CHAT_KEY: Final = "CHAT_API_KEY"
FLAG: Final = re.compile(flag_name("[A-Z0-9_]+"))
QUOTE_KEYS: Final = "QUOTE_KEYS"
IMAGE_ID_KEY: Final = "IMAGE_ID_KEY"


def parameters_path(stack_name: str) -> str:
    """Return the path of a stack's parameters; the template contains the same path."""
    return f"/imagegen/{stack_name}"


def is_pushed(name: str) -> bool:
    """Return whether a name of .env is a key or a flag."""
    return name in (*KEYS.values(), CHAT_KEY) or bool(FLAG.fullmatch(name))


def push(ssm: "SSMClient", stack_name: str, env: Mapping[str, str]) -> list[str]:
    """Write keys and flags, create missing keys of our own, and return the names written.

    What ``env`` lacks stays as it is; the value ``-`` removes a key or a flag.
    """
    path = parameters_path(stack_name)
    given = {name: value for name, value in env.items() if is_pushed(name)}
    before = stored(ssm, path)
    after = {name: one for name, one in {**before, **given}.items() if one != CLEAR}
    store(ssm, path, after)
    removed = [f"{name} (removed)" for name in before.keys() - after.keys()]
    return [*(name for name in given if name in after), *sorted(removed), *make_missing(ssm, path)]


def stored(ssm: "SSMClient", path: str) -> dict[str, str]:
    """Return the keys and flags of a stack, also those that an older version stored one by one."""
    return {
        name: one for name, one in with_keys_and_flags(_read(ssm, path)).items() if is_pushed(name)
    }


def store(ssm: "SSMClient", path: str, values: Mapping[str, str]) -> None:
    """Replace the keys and flags of a stack, and delete those that were stored one by one."""
    ssm.put_parameter(
        Name=f"{path}/{KEYS_AND_FLAGS}",
        Value=json.dumps(dict(sorted(values.items())), separators=(",", ":")),
        Type="SecureString",
        Overwrite=True,
        # Up to 4 KB the parameter is free, and up to 8 KB, with many keys, it costs $0.05 a month.
        Tier="Intelligent-Tiering",
    )
    for name in filter(is_pushed, _read(ssm, path)):
        ssm.delete_parameter(Name=f"{path}/{name}")


def stale(values: Iterable[str], env: Mapping[str, str]) -> list[str]:
    """Return the names of stored keys and flags that .env does not name."""
    return sorted(name for name in values if name not in env)


def _read(ssm: "SSMClient", path: str) -> dict[str, str]:
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=path, WithDecryption=True)
    return {
        one["Name"].rpartition("/")[2]: one["Value"] for page in pages for one in page["Parameters"]
    }


def make_missing(ssm: "SSMClient", path: str) -> list[str]:
    """Create the service's own keys that do not exist yet, and return their names.

    Existing keys are never replaced: another quote key would invalidate every open quote, another
    image key the URL of every image.
    """
    made = {
        QUOTE_KEYS: f"k1:{base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()}",
        IMAGE_ID_KEY: secrets.token_urlsafe(32),
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
    command = "make rotate-quote-key" if options.rotate_quote_key else "make deploy-env"
    accounts.run(command, lambda: carry_out(options))


def carry_out(options: argparse.Namespace) -> None:
    """Take a step of the rotation, or push .env, and print what was done."""
    print(accounts.place().text())
    path, ssm = parameters_path(options.stack), boto3.client("ssm")
    if options.rotate_quote_key:
        print(rotation_text(rotate(ssm, path, now=datetime.now(UTC))))
        return
    env = read_dotenv(options.env_file)
    if not env:
        name = options.env_file.name
        raise SystemExit(f"There is nothing in {name}: copy .env.example to it and fill it in")
    refuse_older_version(boto3.client("cloudformation"), options.stack)
    for name in push(ssm, options.stack, env):
        print(f"{path}/{name}")
    left = stale(stored(ssm, path), env)
    if left and may_remove(left, options.env_file.name):
        push(ssm, options.stack, dict.fromkeys(left, CLEAR))
        print(f"Removed: {', '.join(left)}")


def refuse_older_version(cloudformation: "CloudFormationClient", stack: str) -> None:
    """Raise unless there is a stack whose functions read all keys from one parameter.

    Those of an older version would find none of their keys after this command; and the keys for a
    stack that is not here would stay in another account or Region.

    Raises:
        AccountError: there is no such stack, or it is older.
    """
    if "Release" not in parameter_values(stack_of(cloudformation, stack)):
        raise AccountError(
            f"The stack {stack!r} was deployed by an older version, which reads each key by "
            "itself: run `make deploy` first, then this command again."
        )


def may_remove(names: list[str], env_file: str) -> bool:
    """Name what is stored and not in .env; return whether a person at the terminal removes it."""
    print(f"Still stored, but not in {env_file}: {', '.join(names)}")
    if not sys.stdin.isatty():
        print(f"To remove one, write {names[0]}={CLEAR} into {env_file} and run this again.")
        return False
    return input("Remove them? [y/N] ").strip().lower() in ("y", "yes")


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
