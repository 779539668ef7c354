"""``make smoke``: checks a deployed stack with one image, which costs less than a cent.

It asks for a price, makes the cheapest image that is offered, compares the downloaded bytes with
S3's own digest, makes sure that a second confirmation costs nothing, and reads the health report,
the page, what operators see, and the states of the alarms.
"""

import argparse
import hashlib
import os
import sys
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
from operations.alarm_states import alarm_lines

PAGE: Final = "PageUrl"
NOT_OPERATORS: Final = "forbidden"
"""Code of the answer to a token that is good and has not the operators' scope."""
PROMPT: Final = "A plain red circle on white"
TIMEOUT_SECONDS: Final = 300
OPEN_TAGS: Final = {"image/png": b"\x89PNG", "image/jpeg": b"\xff\xd8\xff", "image/webp": b"RIFF"}


class SmokeError(AccountError):
    """A check failed; the message says which and what came instead."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """A deployed stack, as a user with a token calls it."""

    outputs: Mapping[str, str]
    public_api_url: str
    token: str
    public_page_url: str = ""

    def url(self, output: str) -> str:
        """Return the address of a function, without a slash at the end."""
        public = self.public_page_url if output == PAGE else self.public_api_url
        host = urlsplit(self.outputs[output]).hostname or ""
        endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
        return public or public_url(endpoint, host, host.partition(".")[0])

    def answer(
        self, method: str, url: str, body: Any = None, *, statuses: tuple[int, ...] = (200,)
    ) -> requests.Response:
        """Return an answer.

        Raises:
            SmokeError: there is none, or its status is another one.
        """
        headers = {"Authorization": f"Bearer {self.token}"}
        found = sent(method, url, json=body, headers=headers, allow_redirects=False)
        if found.status_code not in statuses:
            wanted = " or ".join(map(str, statuses))
            text = f"{found.status_code} instead of {wanted}: {found.text}"
            raise SmokeError(f"{method} {url}: {text}")
        return found

    def call(self, method: str, url: str, body: Any = None) -> Any:
        """Return the JSON of an answer of status 200.

        Raises:
            SmokeError: the status is another one.
        """
        return json_of(self.answer(method, url, body))

    def cheapest(self) -> Any:
        """Return the offer of the cheapest image that can be made now, without dearer fallbacks."""
        url = f"{self.url('EstimateUrl')}/estimate"
        wanted = {"prompt": PROMPT, "quality": "fast"}
        first = self.call("POST", url, wanted)
        usable = [one for one in first["alternatives"] if one["available"] and one["price"]]
        chosen = min([first, *usable], key=lambda one: Decimal(price_of(one)))
        named = {"provider": chosen["provider"], "model": chosen["model"]}
        return self.call("POST", url, {**wanted, **named, "maxCost": price_of(chosen)})


def sent(method: str, url: str, **options: Any) -> requests.Response:
    """Return the answer to a request, whatever its status.

    Raises:
        SmokeError: there is none.
    """
    try:
        return requests.request(method, url, timeout=TIMEOUT_SECONDS, **options)
    except requests.RequestException as error:
        raise SmokeError(f"{method} {url}: no answer ({type(error).__name__}).") from error


def json_of(found: requests.Response) -> Any:
    """Return the JSON of an answer.

    Raises:
        SmokeError: it is not JSON, as that of a firewall or of another service.
    """
    try:
        return found.json()
    except requests.JSONDecodeError as error:
        raise SmokeError(f"{found.url}: {found.status_code} without JSON.") from error


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
    yield f"page        {page_of(stack)}"
    yield f"operators   {operators_of(stack)}"


def page_of(stack: Deployed) -> str:
    """Return what the page is, after it and its settings were read.

    Raises:
        SmokeError: it is not there, or it is not a page.
    """
    url = stack.url(PAGE)
    kind = stack.answer("GET", f"{url}/").headers.get("Content-Type", "")
    if not kind.startswith("text/html"):
        raise SmokeError(f"GET {url}/: not a page, but {kind or 'an answer without a type'}.")
    stack.call("GET", f"{url}/config.json")
    return f"{url}/"


def operators_of(stack: Deployed) -> str:
    """Return what the operators' function answers to this token, which may be a user's.

    Raises:
        SmokeError: it does not answer, or lets a token in without looking at its scope.
    """
    url = f"{stack.url('AdminUrl')}/admin/providers"
    found = stack.answer("GET", url, statuses=(200, 403))
    if found.status_code == 200:
        return f"see {len(found.json()['providers'])} providers; this token is an operator's"
    code = json_of(found).get("code")
    if code != NOT_OPERATORS:
        raise SmokeError(f"GET {url}: 403 with {code!r} instead of {NOT_OPERATORS!r}.")
    return "refused, because this token is not an operator's"


def compared(made: Mapping[str, Any]) -> str:
    """Download the image as a browser does, and return what was compared.

    Raises:
        SmokeError: the image cannot be downloaded, or its bytes are not those in S3.
    """
    got = sent("GET", made["imageUrl"])
    host = urlsplit(got.url).netloc
    if got.status_code != 200:
        raise SmokeError(f"The image cannot be shown: {got.status_code} from {host}")
    kind, digest = got.headers["Content-Type"], hashlib.md5(got.content, usedforsecurity=False)
    if kind != made["mediaType"] or not got.content.startswith(OPEN_TAGS[kind]):
        raise SmokeError(f"The image is not {made['mediaType']}: {kind}, {got.content[:8]!r}")
    # The tag of an object that was put in one piece is the MD5 digest of its bytes.
    if got.headers["ETag"].strip('"') != digest.hexdigest():
        raise SmokeError("The bytes that arrived are not the bytes that S3 stores.")
    return f"{len(got.content)} bytes from {host}, equal to those in S3"


def agreed_at_terminal(*, yes: bool) -> Any:
    """Return a function that asks before the price is spent."""

    def ask(price: str) -> None:
        if yes:
            return
        if not sys.stdin.isatty():
            raise SmokeError("There is no terminal to ask at: set YES=1 to make the image.")
        if input(f"  Make it for at most ${price}? [y/N] ").lower() not in ("y", "yes"):
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
    accounts.run("make smoke", lambda: show(given.stack, token, yes=given.yes))


def show(stack: str, token: str, *, yes: bool) -> None:
    """Print what each check finds.

    Raises:
        AccountError: there is no such stack here.
        SmokeError: a check failed.
    """
    print(accounts.place().text())
    for line in checks(deployed(stack, token), agreed=agreed_at_terminal(yes=yes)):
        print(f"  {line}")
    for line in alarm_lines(boto3.client("cloudwatch"), stack):
        print(f"  {line}")


def deployed(stack: str, token: str) -> Deployed:
    """Return the stack of this name.

    Raises:
        AccountError: it does not exist in this account and Region.
    """
    found = accounts.stack_of(boto3.client("cloudformation"), stack)
    chosen = accounts.parameter_values(found)
    if chosen.get("UrlAuthType") == "AWS_IAM":
        raise AccountError("URL_AUTH_TYPE is AWS_IAM, and this command signs no requests.")
    public, page = chosen.get("PublicApiUrl", ""), chosen.get("PublicPageUrl", "")
    return Deployed(accounts.outputs(found), public, token, page)


if __name__ == "__main__":
    main()
