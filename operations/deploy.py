"""``make deploy``: deploys the build into your own account, with the settings of .env.

For a new stack, at a terminal, it asks for missing settings, saves the answers in .env, and pushes
the keys into the stack. ``make deploy-fast`` deploys only the code: every setting stays.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import ClientError

from local import guide
from local.parameters import overrides, read_dotenv
from local.paths import BUILT_FOR_AWS, ROOT, SAM
from local.sam import CONFIG_FILE, quoted
from operations.push_env import KEYS, parameters_path, push

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient


def main() -> None:
    """Deploy; for a new stack, ask for settings first and push the keys afterwards."""
    parser = argparse.ArgumentParser(prog="make deploy", description=__doc__)
    parser.add_argument("--stack", required=True)
    parser.add_argument("--architecture", required=True)
    parser.add_argument("--env-file", type=Path, required=True)
    parser.add_argument("--fast", action="store_true", help="deploy only the code, ask nothing")
    parser.add_argument("--yes", action="store_true", help="do not ask before changing anything")
    given = parser.parse_args()
    is_new = not exists(boto3.client("cloudformation"), given.stack)
    if is_new and given.fast:
        sys.exit(f"There is no stack {given.stack!r} yet: run `make deploy` first.")
    if is_new and not given.yes and sys.stdin.isatty():
        interview(given.env_file)
    dotenv = read_dotenv(given.env_file)
    if has_no_brake(dotenv) and not given.fast:
        sys.exit("CHAT_MODEL is set and CHAT_CONCURRENCY is 0: set it to 1 or more.")
    # The settings of a deployed stack come only from .env; a shell's variables are for local runs.
    parameters = {} if given.fast else overrides(dotenv, {})
    if is_new:
        print(summary(given.stack, given.env_file, dotenv))
    elif not given.fast and "JwtIssuer" not in parameters:
        print("JWT_ISSUER is not in .env: the stack keeps its present issuer, if it has one.")
    arguments = ["--stack-name", given.stack, "--parameter-overrides"]
    arguments += quoted({**parameters, "Architecture": given.architecture})
    if given.yes or given.fast:
        arguments += ["--no-confirm-changeset"]
    command = [str(SAM), "deploy", *CONFIG_FILE, *arguments]
    command += ["--template-file", str(BUILT_FOR_AWS / "template.yaml")]
    status = subprocess.run(command, env=os.environ, cwd=ROOT, check=False).returncode
    if is_new and not status:
        finish(given.stack, dotenv)
    sys.exit(status)


def has_no_brake(dotenv: Mapping[str, str]) -> bool:
    """Return whether a chat would be deployed that nothing limits for all users together."""
    return bool(dotenv.get("CHAT_MODEL")) and dotenv.get("CHAT_CONCURRENCY", "").strip() == "0"


def interview(env_file: Path) -> None:
    """Ask for the settings that .env lacks, and save the answers there."""
    questions = list(guide.questions(read_dotenv(env_file)))
    if questions:
        print(f"Settings that {env_file.name} lacks (Enter takes the value in brackets):")
        guide.keep(guide.ask(iter(questions), read=input, read_secret=getpass), env_file)


def finish(stack: str, dotenv: Mapping[str, str]) -> None:
    """Push the keys and flags, so that a new stack works at once."""
    push(boto3.client("ssm"), stack, dotenv)
    print(f"Keys and flags are in {parameters_path(stack)}.")
    print(f"To change them, edit .env and run: make deploy-env STACK={stack}")


def exists(cloudformation: "CloudFormationClient", stack: str) -> bool:
    """Return whether the stack exists; a stack whose creation never began does not count."""
    try:
        (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return False
        raise
    return found["StackStatus"] != "REVIEW_IN_PROGRESS"


def summary(stack: str, env_file: Path, dotenv: Mapping[str, str]) -> str:
    """Return the text shown before a stack is deployed for the first time."""
    keys = [provider for provider, name in KEYS.items() if name in dotenv]
    issuer = dotenv.get("JWT_ISSUER")
    lines = [
        f"A new stack, {stack!r}, with the settings of {env_file.name}:",
        f"  tokens      {issuer or 'JWT_ISSUER is not set: every user will be refused'}",
        f"  providers   {', '.join(keys) or 'no key is set: no image can be offered'}",
        f"  alarms      {dotenv.get('ALARM_TOPIC_ARN') or 'on the dashboard only'}",
        "sam shows what it will create, and asks before it creates anything.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
