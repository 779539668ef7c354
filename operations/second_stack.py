"""The stacks that stand beside a deployed one, each from a template of its own."""

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from local.parameters import CLEAR, read_bare_template
from local.paths import ROOT, SAM
from local.sam import CONFIG_FILE, quoted
from operations import accounts
from operations.accounts import AccountError, Place
from operations.deploy import agree


def options(command: str, description: str | None) -> argparse.Namespace:
    """Return the options of a command that deploys such a stack."""
    parser = argparse.ArgumentParser(prog=command, description=description)
    parser.add_argument("--stack", required=True)
    parser.add_argument("--env-file", type=Path, required=True)
    parser.add_argument("--yes", action="store_true", help="do not ask before changing anything")
    parser.set_defaults(fast=False)
    return parser.parse_args()


@dataclass(frozen=True, slots=True)
class Beside:
    """A deployed stack and the one beside it, as a command found them."""

    where: Place
    deployed: Any
    """The description of the deployed stack."""
    name: str
    """Of the stack beside it."""
    before: Any
    """That one's description, ``None`` if it is not there yet."""

    def ask(self, title: str, given: argparse.Namespace) -> None:
        """Show what is deployed and where, and ask whether that is right.

        Raises:
            AccountError: a person declined it, or there is nobody to ask.
        """
        print(f"{title}, as the stack {self.name!r}:\n{self.where.text()}", flush=True)
        agree(given)

    def deploy(self, template: Path, parameters: Mapping[str, str]) -> dict[str, str]:
        """Deploy the stack, and return its outputs; exit with sam's status if it fails."""
        run_sam(template, self.name, parameters, self.where.region)
        return accounts.outputs(accounts.describe(boto3.client("cloudformation"), self.name))


def beside(command: str, stack: str, name: str) -> Beside:
    """Return a deployed stack and the one of a name beside it.

    Raises:
        AccountError: there is no stack, or the one beside it cannot be updated as it is.
    """
    where, cloudformation = accounts.place(), boto3.client("cloudformation")
    found = accounts.describe(cloudformation, stack)
    if found is None:
        raise AccountError(f"There is no stack {stack!r} yet: run `make deploy` first.")
    before = accounts.describe(cloudformation, name)
    if before is not None:
        accounts.refuse_stuck(cloudformation, before, f"{command} STACK={stack}")
    return Beside(where, found, name, before)


def chosen(dotenv: Mapping[str, str], names: Mapping[str, str], template: Path) -> dict[str, str]:
    """Return the parameters that .env sets, by the names of its settings; ``-`` is the default."""
    given = {parameter: dotenv[name] for name, parameter in names.items() if name in dotenv}
    parameters = read_bare_template(template)["Parameters"]
    return {
        name: str(parameters[name]["Default"]) if one == CLEAR else one
        for name, one in given.items()
    }


def run_sam(template: Path, stack: str, parameters: Mapping[str, str], region: str) -> None:
    """Deploy a template with sam; exit with its status if it fails."""
    command = [str(SAM), "deploy", *CONFIG_FILE, "--stack-name", stack, "--region", region]
    command += ["--template-file", str(template), "--no-confirm-changeset"]
    command += ["--parameter-overrides", *quoted(parameters)]
    status = subprocess.run(command, env=os.environ, cwd=ROOT, check=False).returncode
    if status:
        sys.exit(status)
