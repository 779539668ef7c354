"""``make edge``: puts CloudFront in front of a deployed stack, from ``edge.yaml``.

Three steps: the stack is there; ``edge.yaml`` becomes a stack of its own, because a distribution
takes minutes to change and needs other rights; then ``make deploy`` gives the functions their
address and the digest of the header without which they refuse calls. This command takes the second
step and writes what the third one needs into .env.
"""

import argparse
import hashlib
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import boto3

from local.guide import keep
from local.parameters import read_dotenv
from local.paths import ROOT, SAM
from local.sam import CONFIG_FILE, quoted
from operations import accounts
from operations.accounts import AccountError
from operations.deploy import agree

TEMPLATE: Final = ROOT / "edge.yaml"
HOSTS: Final = {
    "ApiHost": "GenerateUrl",
    "EstimateHost": "EstimateUrl",
    "ChatHost": "ChatUrl",
    "HealthHost": "HealthUrl",
    "PageHost": "PageUrl",
}
"""The parameters of ``edge.yaml`` that are hosts of functions, and the outputs that have them."""
CHOSEN: Final = {
    "EDGE_DOMAIN_NAME": "DomainName",
    "EDGE_CERTIFICATE_ARN": "CertificateArn",
    "EDGE_WEB_ACL_ARN": "WebAclArn",
    "EDGE_READ_TIMEOUT_SECONDS": "ReadTimeoutSeconds",
}
"""Settings of .env for ``edge.yaml``."""
SETTINGS: Final = ("PUBLIC_API_URL", "PUBLIC_PAGE_URL", "ORIGIN_DIGESTS")


def edge_stack(stack: str) -> str:
    """Return the name of the stack in front of a stack."""
    return f"{stack}-edge"


def parameters(
    outputs: Mapping[str, str], dotenv: Mapping[str, str], secret: str | None
) -> dict[str, str]:
    """Return the parameters of ``edge.yaml``; without a secret, the deployed one stays."""
    hosts = {name: urlsplit(outputs[one]).hostname or "" for name, one in HOSTS.items()}
    chosen = {parameter: dotenv[name] for name, parameter in CHOSEN.items() if name in dotenv}
    return {**hosts, **chosen, **({"OriginSecret": secret} if secret else {})}


def settings(address: str, secret: str | None) -> dict[str, str]:
    """Return the settings for the stack behind the address, by their names in .env."""
    digest = {"ORIGIN_DIGESTS": hashlib.sha256(secret.encode()).hexdigest()} if secret else {}
    return {"PUBLIC_API_URL": address, "PUBLIC_PAGE_URL": address, **digest}


def main() -> None:
    """Deploy ``edge.yaml`` and say what comes next."""
    parser = argparse.ArgumentParser(prog="make edge", description=__doc__)
    parser.add_argument("--stack", required=True)
    parser.add_argument("--env-file", type=Path, required=True)
    parser.add_argument("--yes", action="store_true", help="do not ask before changing anything")
    given = parser.parse_args()
    try:
        deploy(given)
    except AccountError as error:
        sys.exit(f"make edge: {error}")


def deploy(given: argparse.Namespace) -> None:
    """Deploy ``edge.yaml`` for a stack, and write the stack's new settings into .env.

    Raises:
        AccountError: there is no stack, or a person declined it.
    """
    where, cloudformation = accounts.place(), boto3.client("cloudformation")
    found = accounts.describe(cloudformation, given.stack)
    if found is None:
        raise AccountError(f"There is no stack {given.stack!r} yet: run `make deploy` first.")
    name = edge_stack(given.stack)
    print(
        f"CloudFront in front of {given.stack!r}, as the stack {name!r}:\n{where.text()}",
        flush=True,
    )
    agree(argparse.Namespace(yes=given.yes, fast=False))
    dotenv = read_dotenv(given.env_file)
    # Without a digest anywhere no function demands the present secret, so a new one breaks nothing.
    demanded = accounts.parameter_values(found).get("OriginDigests")
    secret = None if demanded or "ORIGIN_DIGESTS" in dotenv else secrets.token_urlsafe(32)
    run_sam(name, parameters(accounts.outputs(found), dotenv, secret), where.region)
    address = accounts.outputs(accounts.describe(cloudformation, name))["Address"]
    new = settings(address, secret)
    keep({one: new[one] for one in SETTINGS if one in new and one not in dotenv}, given.env_file)
    print(
        f"The address is {address}. Until `make deploy STACK={given.stack}` the functions neither"
    )
    print("name it nor demand that calls come through it.")


def run_sam(stack: str, chosen: Mapping[str, str], region: str) -> None:
    """Deploy ``edge.yaml`` with sam; exit with its status if it fails."""
    command = [str(SAM), "deploy", *CONFIG_FILE, "--stack-name", stack, "--region", region]
    command += ["--template-file", str(TEMPLATE), "--no-confirm-changeset"]
    command += ["--parameter-overrides", *quoted(chosen)]
    status = subprocess.run(command, env=os.environ, cwd=ROOT, check=False).returncode
    if status:
        sys.exit(status)


if __name__ == "__main__":
    main()
