"""``make url``: prints a stack's addresses and names as JSON, or one of them as text."""

import argparse
import json
from collections.abc import Mapping
from typing import Any

import boto3

from operations import accounts
from operations.accounts import AccountError


def shown(found: Mapping[str, Any], name: str) -> str:
    """Return all outputs of a described stack, or one; an address then has no slash at its end.

    Raises:
        AccountError: the stack has no output of this name.
    """
    if not name:
        return json.dumps(found.get("Outputs", []), indent=2)
    outputs = accounts.outputs(found)
    if name not in outputs:
        raise AccountError(f"NAME={name!r} must be one of {', '.join(sorted(outputs))}.")
    return outputs[name].rstrip("/")


def main() -> None:
    """Print what is asked for."""
    parser = argparse.ArgumentParser(prog="make url", description=__doc__)
    parser.add_argument("--stack", required=True)
    parser.add_argument("--name", default="")
    given = parser.parse_args()
    accounts.settle_region()
    accounts.run("make url", lambda: print(shown(stack_named(given.stack), given.name)))


def stack_named(stack: str) -> Any:
    """Return the description of a stack.

    Raises:
        AccountError: there is no such stack here, or its first deployment failed.
    """
    return accounts.stack_of(boto3.client("cloudformation"), stack)


if __name__ == "__main__":
    main()
