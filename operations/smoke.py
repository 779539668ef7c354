"""``make smoke``: checks a deployed stack with one image, which costs less than a cent.

It asks for a price, makes the cheapest image that is offered, compares the downloaded bytes with
S3's own digest, makes sure that a second confirmation costs nothing, and reads the health report
and the states of the alarms.
"""

import argparse
import hashlib
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlsplit

import boto3
import requests

from imagegen.places import public_url
from operations import accounts
from operations.accounts import AccountError

PROMPT: Final = "A plain red circle on white"
TIMEOUT_SECONDS: Final = 300
OPEN_TAGS: Final = {"image/png": b"\x89PNG", "image/jpeg": b"\xff\xd8\xff", "image/webp": b"RIFF"}


class SmokeError(Exception):
    """A check failed; the message says which and what came instead."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """A deployed stack, as a user with a token calls it."""

    outputs: Mapping[str, str]
    public_api_url: str
    token: str

    def url(self, output: str) -> str:
        """Return the address of a function, without a slash at the end."""
        host = urlsplit(self.outputs[output]).hostname or ""
        endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
        return self.public_api_url or public_url(endpoint, host, host.partition(".")[0])

    def call(self, method: str, url: str, body: Any = None, *, status: int = 200) -> Any:
        """Return the JSON of an answer.

        Raises:
            SmokeError: the status is another one.
        """
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = requests.request(
            method, url, json=body, headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False
        )
        if answer.status_code != status:
            raise SmokeError(
                f"{method} {url}: {answer.status_code} instead of {status}: {answer.text}"
            )
        return answer.json()

    def cheapest(self) -> Any:
        """Return the offer of the cheapest image that can be made now, without dearer fallbacks."""
        url = f"{self.url('EstimateUrl')}/estimate"
        wanted = {"prompt": PROMPT, "quality": "fast"}
        first = self.call("POST", url, wanted)
        usable = [one for one in first["alternatives"] if one["available"] and one["price"]]
        chosen = min([first, *usable], key=lambda one: Decimal(price_of(one)))
        named = {"provider": chosen["provider"], "model": chosen["model"]}
        return self.call("POST", url, {**wanted, **named, "maxCost": price_of(chosen)})


def price_of(offer: Mapping[str, Any]) -> str:
    """Return the price of an offer or of an alternative, in dollars."""
    price = offer["price"]
    return str(price["expected"] if isinstance(price, Mapping) else price)


def checks(stack: Deployed, *, agreed: Any) -> Iterator[str]:
    """Run the checks in order, and yield what was found.

    Raises:
        SmokeError: a check failed.
    """
    offer = stack.cheapest()
    yield f"estimate    {offer['provider']} {offer['model']}: {offer['buttonLabel']}"
    agreed(offer["price"]["ceiling"])
    order = {"quote": offer["quote"], "prompt": offer["prompt"]}
    url = f"{stack.url('GenerateUrl')}/generate-image"
    made = stack.call("POST", url, order)
    yield f"image       {made['size']} by {made['provider']}, charged ${made['cost']['charged']}"
    if Decimal(made["cost"]["charged"]) > Decimal(offer["price"]["ceiling"]):
        raise SmokeError(f"charged {made['cost']['charged']}, above {offer['price']['ceiling']}")
    yield f"bytes       {compared(made)}"
    again = stack.call("POST", url, order)
    if (again["id"], again["cost"]) != (made["id"], made["cost"]):
        raise SmokeError("The same confirmation again was answered with another image or price.")
    yield "again       the same image, not charged again"
    health = stack.call("GET", f"{stack.url('HealthUrl')}/health-check/image-providers")
    yield f"health      {health['status']}"
    if health["status"] == "unhealthy":
        raise SmokeError("No provider can be used.")


def compared(made: Mapping[str, Any]) -> str:
    """Download the image as a browser does, and return what was compared.

    Raises:
        SmokeError: the image cannot be downloaded, or its bytes are not those in S3.
    """
    got = requests.get(made["imageUrl"], timeout=TIMEOUT_SECONDS)
    if got.status_code != 200:
        raise SmokeError(
            f"The image cannot be shown: {got.status_code} from {urlsplit(got.url).netloc}"
        )
    kind, digest = got.headers["Content-Type"], hashlib.md5(got.content, usedforsecurity=False)
    if kind != made["mediaType"] or not got.content.startswith(OPEN_TAGS[kind]):
        raise SmokeError(f"The image is not {made['mediaType']}: {kind}, {got.content[:8]!r}")
    # The tag of an object that was put in one piece is the MD5 digest of its bytes.
    if got.headers["ETag"].strip('"') != digest.hexdigest():
        raise SmokeError("The bytes that arrived are not the bytes that S3 stores.")
    return f"{len(got.content)} bytes from {urlsplit(got.url).netloc}, equal to those in S3"


def alarm_lines(cloudwatch: Any, stack: str) -> Iterator[str]:
    """Yield the alarms of the stack that are not in the state OK."""
    pages = cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=f"{stack}-")
    found = [one for page in pages for one in page["MetricAlarms"]]
    states = Counter(one["StateValue"] for one in found)
    yield f"alarms      {states['OK']} OK, {states['INSUFFICIENT_DATA']} without data yet"
    if ringing := sorted(one["AlarmName"] for one in found if one["StateValue"] == "ALARM"):
        yield f"            going off: {', '.join(ringing)}"


def agreed_at_terminal(*, yes: bool) -> Any:
    """Return a function that asks before the price is spent."""

    def ask(price: str) -> None:
        if not yes and input(f"  Make it for at most ${price}? [y/N] ").lower() not in ("y", "yes"):
            raise SmokeError("Nothing was spent.")

    return ask


def main() -> None:
    """Print what is found; exit with an error at the first check that fails."""
    parser = argparse.ArgumentParser(prog="make smoke", description=__doc__)
    parser.add_argument("--stack", required=True)
    parser.add_argument("--yes", action="store_true", help="make the image without asking")
    given = parser.parse_args()
    token = os.environ.get("TOKEN", "")
    if not token:
        sys.exit("make smoke: set TOKEN=... to a token of one of your users")
    try:
        print(accounts.place().text())
        stack = deployed(given.stack, token)
        for line in checks(stack, agreed=agreed_at_terminal(yes=given.yes)):
            print(f"  {line}")
        for line in alarm_lines(boto3.client("cloudwatch"), given.stack):
            print(f"  {line}")
    except (AccountError, SmokeError) as error:
        sys.exit(f"make smoke: {error}")


def deployed(stack: str, token: str) -> Deployed:
    """Return the stack of this name.

    Raises:
        AccountError: it does not exist in this account and Region.
    """
    found = accounts.describe(boto3.client("cloudformation"), stack)
    if found is None:
        raise AccountError(f"There is no stack {stack!r} here.")
    public = accounts.parameter_values(found).get("PublicApiUrl", "")
    return Deployed(accounts.outputs(found), public, token)


if __name__ == "__main__":
    main()
