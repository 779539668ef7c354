"""``make deploy``: deploys the build into your own account, with the settings of .env.

It shows the account and the Region and asks before it creates anything. For a new stack, at a
terminal, it also asks for missing settings, saves the answers in .env, and pushes the keys into the
stack. ``make deploy-fast`` deploys only the code: every setting stays.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from getpass import getpass
from pathlib import Path
from typing import Any

import boto3

from imagegen.providers import OFF, PROVIDERS, region_name, registry
from local import guide
from local.overrides import overrides
from local.parameters import (
    CLEAR,
    RELEASE,
    default_of,
    environment_name,
    read_dotenv,
    set_values,
    template_parameters,
)
from local.paths import BUILT_FOR_AWS, DOTENV, ROOT, SAM
from local.release import release
from local.sam import CONFIG_FILE, quoted
from operations import accounts, concurrency, environments, existing
from operations.accounts import AccountError, Place
from operations.push_env import KEYS, parameters_path, push, stale, stored

TEMPLATE_NAME = "template.yaml"
COMPUTED = frozenset({RELEASE, "Architecture"})
"""Parameters that the command sets itself."""


def main() -> None:
    """Deploy; for a new stack, ask for settings first and push the keys afterwards."""
    given = arguments()
    sys.exit(accounts.run("make deploy", lambda: deploy(given)))


def arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="make deploy", description=__doc__)
    parser.add_argument("--stack", required=True)
    parser.add_argument("--architecture", required=True)
    parser.add_argument("--env-file", type=Path, required=True)
    parser.add_argument("--fast", action="store_true", help="deploy only the code, ask nothing")
    parser.add_argument("--yes", action="store_true", help="do not ask before changing anything")
    return parser.parse_args()


def deploy(given: argparse.Namespace) -> int:
    """Deploy, and return sam's exit status.

    Raises:
        AccountError: this account, Region or stack does not allow it, a person declined it, or
            CloudFormation could not do it.
    """
    refuse_absent(given.env_file)
    where = accounts.place()
    accounts.refuse_region(where.region)
    cloudformation = boto3.client("cloudformation")
    found = accounts.describe(cloudformation, given.stack)
    if found is not None:
        accounts.refuse_stuck(cloudformation, found)
    elif given.fast:
        raise AccountError(f"There is no stack {given.stack!r} yet: run `make deploy` first.")
    elif not given.yes and sys.stdin.isatty():
        interview(given.env_file)
    dotenv = read_dotenv(given.env_file)
    parameters = chosen(dotenv, found, given)
    if has_no_brake(parameters) and not given.fast:
        raise AccountError("CHAT_MODEL is set and CHAT_CONCURRENCY is 0: set it to 1 or more.")
    refuse_values(given.stack, where.region, parameters)
    existing.check(parameters)
    if found is None:
        existing.check_key(parameters, parameters_path(given.stack))
    print(summary(given, dotenv, where, is_new=found is None))
    for line in remarks(parameters, accounts.parameter_values(found or {}), dotenv):
        print(line)
    agree(given)
    sys.stdout.flush()  # In a pipeline's log this comes before sam's own output.
    status = run_sam(given, parameters, where.region)
    if status:
        accounts.explain(cloudformation, given.stack)
    elif found is None:
        finish(cloudformation, given.stack, dotenv)
    return status


def remarks(
    parameters: Mapping[str, str], present: Mapping[str, str], dotenv: Mapping[str, str]
) -> Iterator[str]:
    """Yield what a person should know before they agree; ``present`` is what the stack has now.

    Raises:
        AccountError: more concurrency is reserved than the account has.
    """
    if names := kept_names(present, dotenv):
        yield f"  kept        {', '.join(names)}: set, but not in .env; NAME={CLEAR} clears one"
    for note in concurrency.notes(parameters, present):
        yield f"  note        {note}"


def refuse_absent(env_file: Path) -> None:
    """Raise if a file of settings that a person has named is not there.

    Raises:
        AccountError: it is not; only .env itself may be made by the questions.
    """
    if env_file.name != DOTENV.name and not env_file.exists():
        raise AccountError(f"There is no {env_file}: copy {DOTENV.name} or .env.example to it.")


def chosen(
    dotenv: Mapping[str, str], found: Mapping[str, Any] | None, given: argparse.Namespace
) -> dict[str, str]:
    """Return the parameters that the stack will have, with the release that follows from them.

    A deployed stack keeps its value of what .env does not name.
    """
    # The settings of a deployed stack come only from .env; a shell's variables are for local runs.
    ours = {} if given.fast else overrides(dotenv, {})
    kept = accounts.parameter_values(found) if found is not None else {}
    whole = {**kept, **ours, "Architecture": given.architecture}
    return {**whole, RELEASE: release(BUILT_FOR_AWS, whole)}


def kept_names(values: Mapping[str, str], dotenv: Mapping[str, str]) -> list[str]:
    """Return the settings of a deployed stack that are not defaults and not in .env."""
    ours = (one for one in values.keys() & {*template_parameters()} if one not in COMPUTED)
    changed = (environment_name(one) for one in ours if values[one] != default_of(one))
    return sorted(name for name in changed if name not in dotenv)


def run_sam(given: argparse.Namespace, parameters: Mapping[str, str], region: str) -> int:
    """Deploy with sam, and return its exit status."""
    options = ["--stack-name", given.stack, "--region", region]
    if given.yes or given.fast:
        options += ["--no-confirm-changeset"]
    # A parameter that the template does not have any more is not passed on.
    known = {name: parameters[name] for name in parameters.keys() & {*template_parameters()}}
    command = [str(SAM), "deploy", *CONFIG_FILE, *options]
    command += ["--template-file", str(BUILT_FOR_AWS / TEMPLATE_NAME)]
    command += ["--parameter-overrides", *quoted(known)]
    return subprocess.run(command, env=os.environ, cwd=ROOT, check=False).returncode


def agree(given: argparse.Namespace) -> None:
    """Ask a person whether account and Region are right; ``YES=1`` and a fast deploy do not ask.

    Raises:
        AccountError: the answer is no, or there is no terminal to ask at.
    """
    if given.yes or given.fast:
        return
    if not sys.stdin.isatty():
        raise AccountError("There is no terminal to ask at: set YES=1 to deploy there.")
    if input("Deploy there? [y/N] ").strip().lower() not in ("y", "yes"):
        raise AccountError("Nothing was changed.")


def refuse_values(stack: str, region: str, parameters: Mapping[str, str]) -> None:
    """Raise if the functions could not work with the settings.

    Raises:
        AccountError: it names the setting.
    """
    refuse_stand_ins(parameters)
    environments.check(stack, region, parameters)


def refuse_stand_ins(parameters: Mapping[str, str]) -> None:
    """Raise if an address is given that would not be called in place of its vendor.

    Raises:
        AccountError: it has the name of no provider.
    """
    pairs = filter(None, parameters.get("StandIns", "").split(","))
    if unknown := {one.partition("=")[0] for one in pairs} - PROVIDERS.keys():
        raise AccountError(
            f"STAND_INS has {', '.join(sorted(unknown))}: it takes {', '.join(PROVIDERS)}."
        )


def has_no_brake(parameters: Mapping[str, str]) -> bool:
    """Return whether a chat would be deployed that nothing limits for all users together.

    A stack of an older version may have kept the 0 that was its default.
    """
    reserved = parameters.get("ChatConcurrency", "").strip()
    return bool(parameters.get("ChatModel")) and reserved == "0"


def interview(env_file: Path) -> None:
    """Ask for the settings that .env lacks, and save the answers there."""
    questions = list(guide.questions(read_dotenv(env_file)))
    if questions:
        print(f"Settings that {env_file.name} lacks (Enter takes the value in brackets):")
        guide.keep(guide.ask(iter(questions), read=input, read_secret=getpass), env_file)


def finish(cloudformation: Any, stack: str, dotenv: Mapping[str, str]) -> None:
    """Push the keys and flags, so that a new stack works at once.

    There is none if a person has declined the change set, which sam ends with 0 as well.
    """
    if accounts.describe(cloudformation, stack) is None:
        return
    ssm, path = boto3.client("ssm"), parameters_path(stack)
    push(ssm, stack, dotenv)
    print(f"Keys and flags are in {path}.")
    if left := stale(stored(ssm, path), dotenv):
        print(f"Those of an earlier stack of this name are used as well: {', '.join(left)}")
    print(f"To change them, edit .env and run: make deploy-env STACK={stack}")
    print(f"To see that the service works: make smoke STACK={stack} TOKEN=...")


def summary(
    given: argparse.Namespace, dotenv: Mapping[str, str], where: Place, *, is_new: bool
) -> str:
    """Return the text shown before anything is created or changed."""
    chosen = set_values(dotenv)
    kind = "A new stack" if is_new else "The code of the stack" if given.fast else "The stack"
    lines = [f"{kind}, {given.stack!r}, with the settings of {given.env_file.name}:", where.text()]
    issuer = chosen.get("JWT_ISSUER")
    if is_new:
        keys = [provider for provider, name in KEYS.items() if name in chosen]
        keys += [f"{name} (by role)" for name in PROVIDERS if is_called_by_role(name, chosen)]
        keys += [f"{name} (no key)" for name, about in registry().items() if about.is_open]
        alarms = chosen.get("ALARM_TOPIC_ARN") or chosen.get("ALARM_EMAIL")
        lines += [
            f"  tokens      {issuer or 'JWT_ISSUER is not set: every user will be refused'}",
            f"  providers   {', '.join(keys) or 'no key is set: no image can be offered'}",
            f"  alarms      {alarms or 'on the dashboard only'}",
        ]
    elif not given.fast and not issuer:
        is_kept = "JWT_ISSUER" not in dotenv
        kept = "JWT_ISSUER is not in .env: the stack keeps its present issuer"
        cleared = "JWT_ISSUER is cleared: every user will be refused"
        lines.append(f"  tokens      {kept if is_kept else cleared}")
    return "\n".join(lines)


def is_called_by_role(provider: str, chosen: Mapping[str, str]) -> bool:
    """Return whether a provider is called with the functions' own role."""
    region = PROVIDERS[provider].region
    return bool(region) and chosen.get(region_name(provider), region) != OFF


if __name__ == "__main__":
    main()
