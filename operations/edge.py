"""``make edge``: puts CloudFront in front of a deployed stack, from ``edge.yaml``.

Three steps: the stack is there; ``edge.yaml`` becomes a stack of its own, because a distribution
takes minutes to change and needs other rights; then ``make deploy`` gives the functions their
address and the digest of the header without which they refuse calls. This command takes the second
step and writes what the third one needs into .env.
"""

import argparse
import hashlib
import secrets
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from local.guide import keep
from local.parameters import read_dotenv, set_values
from local.paths import ROOT
from operations import accounts
from operations.second_stack import beside, chosen, options

COMMAND: Final = "make edge"
TEMPLATE: Final = ROOT / "edge.yaml"
HOSTS: Final = {
    "ApiHost": "GenerateUrl",
    "EstimateHost": "EstimateUrl",
    "ChatHost": "ChatUrl",
    "HealthHost": "HealthUrl",
    "AdminHost": "AdminUrl",
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
ADDRESSES: Final = ("PUBLIC_API_URL", "PUBLIC_PAGE_URL")
CLOUDFRONT: Final = ".cloudfront.net"


def edge_stack(stack: str) -> str:
    """Return the name of the stack in front of a stack."""
    return f"{stack}-edge"


def parameters(
    outputs: Mapping[str, str], dotenv: Mapping[str, str], secret: str | None
) -> dict[str, str]:
    """Return the parameters of ``edge.yaml``; without a secret, the deployed one stays."""
    hosts = {name: urlsplit(outputs[one]).hostname or "" for name, one in HOSTS.items()}
    given = chosen(dotenv, CHOSEN, TEMPLATE)
    return {**hosts, **given, **({"OriginSecret": secret} if secret else {})}


def demanded(deployed: Mapping[str, str], dotenv: Mapping[str, str]) -> str:
    """Return the digests that the functions demand or will demand, empty if there are none."""
    return set_values(dotenv).get("ORIGIN_DIGESTS") or deployed.get("OriginDigests", "")


def settings(
    address: str, dotenv: Mapping[str, str], *, before: str, digests: str
) -> dict[str, str]:
    """Return the settings that .env lacks for the stack behind an address, by name.

    ``before`` is the address that the stack in front had. An address of .env that is neither that
    one nor CloudFront's is a person's own, and stays. ``digests`` are those of all secrets with
    which calls may come.
    """
    given = set_values(dotenv)
    new = {one: address for one in ADDRESSES if is_replaced(given.get(one, ""), address, before)}
    return new if given.get("ORIGIN_DIGESTS") == digests else {**new, "ORIGIN_DIGESTS": digests}


def is_replaced(given: str, address: str, before: str) -> bool:
    """Return whether an address of .env is replaced by the one that the stack in front has now."""
    return given != address and (given in ("", before) or given.endswith(CLOUDFRONT))


def with_digest(digests: str, secret: str | None) -> str:
    """Return the digests with that of a new secret; another front may still send an older one."""
    new = hashlib.sha256(secret.encode()).hexdigest() if secret else ""
    return ",".join(filter(None, (digests, new)))


def main() -> None:
    """Deploy ``edge.yaml`` and say what comes next."""
    given = options(COMMAND, __doc__)
    accounts.run(COMMAND, lambda: deploy(given))


def deploy(given: argparse.Namespace) -> None:
    """Deploy ``edge.yaml`` for a stack, and write the stack's new settings into .env.

    Raises:
        AccountError: there is no stack, or a person declined it.
    """
    stacks = beside(COMMAND, given.stack, edge_stack(given.stack))
    stacks.ask(f"CloudFront in front of {given.stack!r}", given)
    found, front, dotenv = stacks.deployed, stacks.before, read_dotenv(given.env_file)
    digests = demanded(accounts.parameter_values(found), dotenv)
    # A deployed secret that functions demand stays; without one, a new secret breaks nothing.
    secret = None if front is not None and digests else secrets.token_urlsafe(32)
    values = parameters(accounts.outputs(found), dotenv, secret)
    if front is None and digests:
        # Functions demand a secret already: if this ends while CloudFormation goes on, the next
        # run finds a front, and keeps the secret that it has.
        keep({"ORIGIN_DIGESTS": with_digest(digests, secret)}, given.env_file)
    address = stacks.deploy(TEMPLATE, values)["Address"]
    before, wanted = accounts.outputs(front or {}).get("Address", ""), with_digest(digests, secret)
    keep(settings(address, dotenv, before=before, digests=wanted), given.env_file)
    print(report(address, given.stack, read_dotenv(given.env_file)))


def report(address: str, stack: str, dotenv: Mapping[str, str]) -> str:
    """Return what is true now and what comes next."""
    lines = [
        f"The address is {address}. Until `make deploy STACK={stack}` the functions neither",
        "name it nor demand that calls come through it.",
    ]
    others = [one for one in ADDRESSES if dotenv.get(one) != address]
    lines += [f"{one} in .env is another address, and stays: {dotenv.get(one)}" for one in others]
    if "," in dotenv.get("ORIGIN_DIGESTS", ""):
        lines.append("ORIGIN_DIGESTS has several digests: remove those of secrets that have ended.")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
