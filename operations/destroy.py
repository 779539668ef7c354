"""``make destroy``: deletes a stack, and says what stays and how a new stack takes it over."""

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Final

import boto3

from local.paths import ROOT, SAM
from local.sam import CONFIG_FILE
from operations import accounts
from operations.accounts import RUNNING, AccountError
from operations.push_env import parameters_path

KEPT: Final = {"EXISTING_TABLE_NAME": "TableName", "EXISTING_BUCKET_NAME": "BucketName"}
"""The settings with which a new stack takes over what stays, and the outputs with the names."""


def main() -> None:
    """Delete the stack."""
    parser = argparse.ArgumentParser(prog="make destroy", description=__doc__)
    parser.add_argument("--stack", required=True)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    given = parser.parse_args()
    sys.exit(accounts.run("make destroy", lambda: destroy(given)))


def destroy(given: argparse.Namespace) -> int:
    """Delete the stack with sam, say what stays, and return sam's exit status.

    Raises:
        AccountError: there is no such stack here, or something else is changing it.
    """
    where, cloudformation = accounts.place(), boto3.client("cloudformation")
    print(where.text(), flush=True)
    found = accounts.read(cloudformation, given.stack)
    if found is None:
        raise AccountError(f"There is no stack {given.stack!r} in {where.region}.")
    state = found["StackStatus"]
    if state.endswith("_IN_PROGRESS") and state not in accounts.NEW:
        raise AccountError(f"The stack {given.stack!r} is in the state {state}. {RUNNING}")
    status = run_sam(given, where.region)
    if not status and accounts.read(cloudformation, given.stack) is None:
        print(kept(given.stack, state, accounts.outputs(found)))
    return status


def kept(stack: str, state: str, outputs: Mapping[str, str]) -> str:
    """Return what a deleted stack leaves, and the lines of .env for a new one of its name."""
    if state in accounts.USELESS or not outputs.keys() >= {*KEPT.values()}:
        return "Nothing of it is left but, if there are any, its parameters in Parameter Store."
    lines = [f"{name}={outputs[output]}" for name, output in KEPT.items()]
    return "\n".join(
        (
            f"Kept: its table, its bucket, and the parameters under {parameters_path(stack)}/.",
            "A new stack of the same name takes them over with these lines in .env:",
            *lines,
        )
    )


def run_sam(given: argparse.Namespace, region: str) -> int:
    """Delete with sam, and return its exit status."""
    command = [str(SAM), "delete", *CONFIG_FILE, "--stack-name", given.stack, "--region", region]
    command += ["--no-prompts"] if given.yes else []
    return subprocess.run(command, env=os.environ, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    main()
