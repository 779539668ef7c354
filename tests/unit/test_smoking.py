"""`make smoke` over a service that answers as ours, and over ones that do not."""

import hashlib
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
import requests

from operations import smoke
from operations.accounts import AccountError
from operations.alarm_states import alarm_lines
from operations.smoke import Deployed, SmokeError, checks

PICTURE = b"\x89PNG and the rest"
OUTPUTS = {
    name: f"https://{name.lower()}.lambda-url.eu-central-1.on.aws/"
    for name in ("EstimateUrl", "GenerateUrl", "HealthUrl", "AdminUrl", "PageUrl")
}
OFFER = {
    "provider": "acme",
    "model": "m",
    "quote": "q",
    "prompt": "p",
    "buttonLabel": "Generate Image for $0.003",
    "price": {"expected": "0.002", "ceiling": "0.003"},
    "alternatives": [],
}
MADE = {
    "id": "i",
    "size": "512x512",
    "provider": "acme",
    "cost": {"charged": "0.002"},
    "imageUrl": "https://bucket.s3.eu-central-1.amazonaws.com/i",
    "mediaType": "image/png",
}
TAG = hashlib.md5(PICTURE, usedforsecurity=False).hexdigest()


def answer(
    status: int = 200, body: Any = None, headers: Mapping[str, str] | None = None
) -> requests.Response:
    found = requests.Response()
    found.status_code = status
    found.url = "https://bucket.s3.eu-central-1.amazonaws.com/i"
    found._content = body if isinstance(body, bytes) else json.dumps(body).encode()
    found.headers.update(headers or {})
    return found


@dataclass
class Web:
    """What each address answers; tests replace one of them."""

    pages: dict[str, Any] = field(
        default_factory=lambda: {
            "estimateurl/estimate": answer(body=OFFER),
            "generateurl/generate-image": answer(body=MADE),
            "bucket/i": answer(
                body=PICTURE, headers={"Content-Type": "image/png", "ETag": f'"{TAG}"'}
            ),
            "healthurl/health-check/image-providers": answer(body={"status": "healthy"}),
            "pageurl/": answer(body=b"<!doctype html>", headers={"Content-Type": "text/html"}),
            "pageurl/config.json": answer(body={}),
            "adminurl/admin/providers": answer(403, {"code": "forbidden"}),
        }
    )
    asked: list[str] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)

    def request(self, _method: str, url: str, **_options: Any) -> requests.Response:
        parts = urlsplit(url)
        name = f"{(parts.hostname or '').partition('.')[0]}{parts.path}"
        self.asked.append(name)
        found = self.pages[name]
        if isinstance(found, Exception):
            raise found
        if isinstance(found, list):
            found = found.pop(0)
        assert isinstance(found, requests.Response)
        self.bodies.append(_options.get("json"))
        return found


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Web:
    found = Web()
    monkeypatch.setattr(requests, "request", found.request)
    monkeypatch.setattr(requests, "get", lambda url, **options: found.request("GET", url))
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    return found


def run(agreed: Callable[[str], None] = lambda _price: None, **settings: str) -> list[str]:
    return list(checks(Deployed(OUTPUTS, settings.get("api", ""), "token"), agreed=agreed))


def test_a_good_stack_passes_every_check_in_order(web: Web) -> None:
    said = run()
    assert [line.split()[0] for line in said] == [
        *("estimate", "image", "bytes", "again", "health", "page", "operators"),
    ]
    assert said[-2].endswith("https://pageurl.lambda-url.eu-central-1.on.aws/")
    assert "not an operator's" in said[-1]


def test_an_operators_token_sees_what_operators_see(web: Web) -> None:
    web.pages["adminurl/admin/providers"] = answer(body={"providers": [{}, {}]})
    assert run()[-1].endswith("see 2 providers; this token is an operator's")


BROKEN: Mapping[str, tuple[str, Any, str]] = {
    "admin has no permission": (
        "adminurl/admin/providers",
        answer(502, {"message": "Internal Server Error"}),
        "502 instead of 200 or 403",
    ),
    "admin is closed to everybody": (
        "adminurl/admin/providers",
        answer(403, {"Message": "Forbidden"}),
        "403 with None instead of 'forbidden'",
    ),
    "admin is not there": (
        "adminurl/admin/providers",
        requests.ConnectionError("no host"),
        r"no answer \(ConnectionError\)",
    ),
    "the page is another function": (
        "pageurl/",
        answer(body={}, headers={"Content-Type": "application/json"}),
        "not a page, but application/json",
    ),
    "the page has no settings": (
        "pageurl/config.json",
        answer(404, {}),
        "config.json: 404 instead of 200",
    ),
    "no provider": (
        "healthurl/health-check/image-providers",
        answer(body={"status": "unhealthy"}),
        "No provider can be used",
    ),
    "another host of S3": ("bucket/i", answer(400, b""), "cannot be shown: 400 from bucket.s3"),
    "other bytes": (
        "bucket/i",
        answer(body=PICTURE, headers={"Content-Type": "image/png", "ETag": '"0"'}),
        "not the bytes that S3 stores",
    ),
    "a firewall before admin": (
        "adminurl/admin/providers",
        answer(403, b"<html>Request blocked</html>"),
        "403 without JSON",
    ),
    "a charge above the ceiling": (
        "generateurl/generate-image",
        answer(body={**MADE, "cost": {"charged": "0.004"}}),
        "charged 0.004, above 0.003",
    ),
    "S3 does not answer": ("bucket/i", requests.ConnectionError("no"), "ConnectionError"),
    "another type": (
        "bucket/i",
        answer(body=PICTURE, headers={"Content-Type": "image/gif", "ETag": f'"{TAG}"'}),
        "The image is not image/png",
    ),
    "a token of nobody": (
        "estimateurl/estimate",
        answer(401, {"code": "unauthorized"}),
        "401 instead of 200",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_check_that_fails_ends_it_with_what_came_instead(web: Web, case: str) -> None:
    name, found, words = BROKEN[case]
    web.pages[name] = found
    with pytest.raises(SmokeError, match=words):
        run()
    assert issubclass(SmokeError, AccountError), "the command prints it as one sentence"


def test_a_second_image_or_charge_for_one_confirmation_ends_it(web: Web) -> None:
    twice = {**MADE, "cost": {"charged": "0.003"}}
    web.pages["generateurl/generate-image"] = [answer(body=MADE), answer(body=twice)]
    with pytest.raises(SmokeError, match="another image or price"):
        run()


def test_the_cheapest_is_ordered_without_dearer_fallbacks(web: Web) -> None:
    cheap = {"provider": "cheap", "model": "c", "available": True, "price": "0.001"}
    away = {**cheap, "provider": "away", "available": False, "price": "0.0001"}
    web.pages["estimateurl/estimate"] = answer(body={**OFFER, "alternatives": [cheap, away]})
    run()
    wanted = {"provider": "cheap", "model": "c", "maxCost": "0.001"}
    assert wanted.items() <= web.bodies[1].items()


def test_without_a_terminal_nothing_is_spent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(SmokeError, match="YES=1"):
        smoke.agreed_at_terminal(yes=False)("0.003")
    smoke.agreed_at_terminal(yes=True)("0.003")


def test_nothing_is_made_before_a_person_agrees_to_the_ceiling(web: Web) -> None:
    prices = []

    def refuse(price: str) -> None:
        prices.append(price)
        raise SmokeError("Nothing was spent.")

    with pytest.raises(SmokeError):
        run(refuse)
    assert prices == ["0.003"]
    assert "generateurl/generate-image" not in web.asked


class CloudFormation:
    """CloudFormation with one stack."""

    def __init__(self, state: str, **parameters: str) -> None:
        self.state, self.parameters = state, parameters

    def describe_stacks(self, *, StackName: str) -> Any:  # noqa: N803 boto3's name
        given = [{"ParameterKey": k, "ParameterValue": v} for k, v in self.parameters.items()]
        outputs = [{"OutputKey": k, "OutputValue": v} for k, v in OUTPUTS.items()]
        found = {"StackName": StackName, "StackStatus": self.state, "Parameters": given}
        return {"Stacks": [{**found, "Outputs": outputs}]}

    def describe_stack_events(self, *, StackName: str) -> Any:  # noqa: N803 boto3's name
        del StackName
        return {"StackEvents": []}


@pytest.mark.parametrize(
    ("cloudformation", "words"),
    [
        (CloudFormation("CREATE_COMPLETE", UrlAuthType="AWS_IAM"), "signs no requests"),
        (CloudFormation("ROLLBACK_COMPLETE"), "make destroy STACK=prod"),
    ],
)
def test_a_stack_that_cannot_be_tried_is_named(
    cloudformation: CloudFormation, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boto3, "client", lambda _service: cloudformation)
    with pytest.raises(AccountError, match=words):
        smoke.deployed("prod", "token")


def test_the_addresses_in_front_are_tried_where_there_are_some(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    front = CloudFormation(
        "UPDATE_COMPLETE", PublicApiUrl="https://a.example", PublicPageUrl="https://p.example"
    )
    monkeypatch.setattr(boto3, "client", lambda _service: front)
    found = smoke.deployed("prod", "token")
    assert (found.url("AdminUrl"), found.url("PageUrl")) == (
        "https://a.example",
        "https://p.example",
    )


class Alarms:
    """CloudWatch with the alarms of two stacks, of which one's name begins with the other's."""

    def get_paginator(self, _name: str) -> "Alarms":
        return self

    def paginate(self, *, AlarmNamePrefix: str) -> Any:  # noqa: N803 boto3's name
        assert AlarmNamePrefix == "prod-"
        names = {"prod-probe-missing": "OK", "prod-eu-probe-missing": "ALARM"}
        states = [{"AlarmName": name, "StateValue": one} for name, one in names.items()]
        return [{"MetricAlarms": states}]


def test_alarms_of_a_stack_with_a_longer_name_are_not_counted() -> None:
    assert [*alarm_lines(Alarms(), "prod")] == ["alarms      1 OK, 0 without data yet"]
