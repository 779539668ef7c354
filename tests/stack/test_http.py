"""HTTP as clients speak it, to the deployed functions: bytes are sent as they stand."""

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.stack.driver import Driver, Person

PNG = b"\x89PNG"
TRACING = (
    "authorization,content-type,sentry-trace,baggage,traceparent,tracestate,x-datadog-trace-id,b3"
)


@dataclass(frozen=True, slots=True)
class Got:
    """One answer, with its body as bytes."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The body."""
        found: dict[str, Any] = json.loads(self.body)
        return found


def send(method: str, url: str, body: bytes | None = None, **headers: Any) -> Got:
    """Return the answer to a request whose path and body are sent exactly as given."""
    parts = urlsplit(url)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    try:
        connection.request(method, url.partition(parts.netloc)[2], body, named)
        got = connection.getresponse()
        found = {name.lower(): value for name, value in got.getheaders()}
        return Got(got.status, found, got.read())
    finally:
        connection.close()


@pytest.fixture
def person(stack: Driver) -> Person:
    return stack.person()


def estimate(person: Person, body: bytes, path: str = "/estimate", **headers: str) -> Got:
    sent = {"authorization": f"Bearer {person.token}", "content-type": "application/json"}
    return send("POST", person.stack.urls["estimateUrl"] + path, body, **(sent | headers))


def test_the_picture_goes_to_every_client_that_accepts_one(person: Person) -> None:
    made = person.make().json
    picture = ["", "*/*", "application/json, text/plain, */*", "application/json,image/*;q=0.1"]
    picture += ["application/json;q=0, image/*", "text/html, *; q=.2, */*; q=.2", ";;q=,"]
    for accept in picture:
        got = send("GET", made["imageUrl"], accept=accept)
        assert got.status == 302, accept
        assert send("GET", got.headers["location"]).body[:4] == PNG
    for accept in ("application/json", "image/*;q=0, */*", "application/json, */*;q=0.0"):
        got = send("GET", made["imageUrl"], accept=accept)
        assert (got.status, got.json["status"]) == (200, "complete")
        head = send("HEAD", made["imageUrl"], accept=accept)
        assert (head.status, head.body) == (200, b"")
    link = send("HEAD", made["imageUrl"]).headers["location"]
    followed = send("HEAD", link)
    assert (followed.status, followed.headers["content-type"]) == (200, made["mediaType"])


@pytest.mark.parametrize("path", ["/estimate/", "//estimate", "//estimate//", "/estimate///"])
def test_slashes_make_no_difference(person: Person, path: str) -> None:
    assert estimate(person, b'{"prompt": "a fox"}', path).status == 200


def test_slashes_make_no_difference_under_v1_and_on_the_page(person: Person) -> None:
    urls = person.stack.urls
    token: dict[str, Any] = {"authorization": f"Bearer {person.token}"}
    for path in ("/v1/models/", "//v1//models"):
        assert send("GET", urls["generateUrl"] + path, **token).status == 200
    body = b'{"model": "standard", "prompt": "a fox"}'
    json_type = {"content-type": "Application/JSON; Charset=UTF-8"}
    url = urls["generateUrl"] + "/v1//images/generations"
    assert send("POST", url, body, **token, **json_type).status == 200
    for path in ("config.json/", "/config.json", "//"):
        assert send("GET", urls["pageUrl"] + path).status == 200
    assert send("HEAD", urls["pageUrl"]).body == b""


def test_another_method_and_an_unknown_path_need_no_token(stack: Driver) -> None:
    got = send("PUT", stack.urls["estimateUrl"] + "/estimate")
    assert (got.status, got.headers["allow"], got.json["charged"]) == (405, "POST", False)
    for name in ("estimateUrl", "generateUrl", "healthUrl", "chatUrl"):
        got = send("GET", stack.urls[name] + "/.well-known/openid-configuration")
        assert (got.status, got.json["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "odd", [b"\xff\xfe", b"\xe9", b"\xf0\x9f\xa6", b"\xed\xa0\x80", b"\xc0\xae", "\ufffd".encode()]
)
def test_a_prompt_that_is_not_utf_8_is_refused(person: Person, odd: bytes) -> None:
    got = estimate(person, b'{"prompt": "a ' + odd + b' boat"}')
    assert got.status in (400, 422)
    assert got.json["charged"] is False


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b'{"prompt": "a fox"}', "Application/JSON; charset=utf-8", 200),
        (b'{"prompt": "a fox"}', 'application/json;charset="UTF8"', 200),
        (b'{"prompt": "a fox"}', "application/json; charset=latin1", 415),
        (b'{"prompt": "a fox"}', "text/plain", 415),
        (b'{"prompt": "a fox"}', "multipart/form-data; boundary=x", 415),
        (b"[]", "application/json", 422),
        (b'"a fox"', "application/json", 422),
        ('{"prompt": "\u200b\u3164\u2800"}'.encode(), "application/json", 422),
        (b'{"prompt": "\\ud83d"}', "application/json", 422),
    ],
)
def test_a_body_is_read_or_refused_in_our_form(
    person: Person, body: bytes, kind: str, status: int
) -> None:
    got = estimate(person, body, **{"content-type": kind})
    assert got.status == status, got.body
    if status >= 400:
        assert got.headers["content-type"] == "application/problem+json"
        assert got.json["charged"] is False


def test_an_emoji_that_was_priced_escaped_is_bought(stack: Driver, person: Person) -> None:
    offer = estimate(person, b'{"prompt": "\\ud83e\\udd8a in snow"}').json
    body = json.dumps({"quote": offer["quote"], "prompt": "\U0001f98a in snow"}, ensure_ascii=False)
    url = f"{stack.urls['generateUrl']}/generate-image"
    assert person.call("POST", url, body.encode()).status == 200


def test_a_monitored_page_of_another_origin_may_call(stack: Driver) -> None:
    origin = "https://chat.example.com"
    asked: dict[str, Any] = {"origin": origin, "access-control-request-method": "POST"}
    url = f"{stack.urls['estimateUrl']}/estimate"
    got = send("OPTIONS", url, **asked, access_control_request_headers=TRACING)
    allowed = got.headers["access-control-allow-headers"].split(",")
    assert set(TRACING.split(",")) <= set(allowed)
    exposed = send("POST", url, origin=origin).headers["access-control-expose-headers"]
    assert "x-amzn-remapped-www-authenticate" in exposed


def test_the_document_names_this_deployments_addresses(stack: Driver) -> None:
    got = send("GET", f"{stack.urls['estimateUrl']}/openapi.json")
    assert got.status == 200
    assert got.json["servers"] == [{"url": stack.urls["estimateUrl"]}]
    for path, name in (("/usage", "generateUrl"), ("/chat", "chatUrl")):
        assert got.json["paths"][path]["servers"] == [{"url": stack.urls[name]}]


def test_a_host_of_mcp_finds_the_issuer_by_the_challenge(stack: Driver) -> None:
    mcp = f"{stack.urls['estimateUrl']}/mcp"
    got = send("POST", mcp, b"{}", content_type="application/json")
    url = got.json["resource_metadata"]
    assert (got.status, f'"{url}"' in got.headers["www-authenticate"]) == (401, True)
    found = send("GET", url).json
    assert found["resource"] == mcp
    assert found["authorization_servers"] == [stack.urls["issuer"]]
    assert send("POST", mcp, b"{}", origin="http://evil.example").status == 403


@pytest.mark.parametrize("groups", [157, 200, 260])
def test_a_token_of_many_groups_reaches_the_function(stack: Driver, groups: int) -> None:
    padding = " ".join(f"00000000-0000-4000-8000-{number:012}" for number in range(groups))
    token = stack.local.issuer.token("person-of-many-groups", f"user {padding}")
    got = send("GET", f"{stack.urls['estimateUrl']}/models", authorization=f"Bearer {token}")
    assert got.status == 200, (len(token), got.body)


@pytest.mark.parametrize("payload", [b"{}", b'"x"', b"null", b'{"httpMethod": "GET", "path": "/"}'])
def test_an_invocation_with_another_event_is_told_what_to_send(
    stack: Driver, payload: bytes
) -> None:
    for physical in stack.urls["functions"].values():
        got = stack.client("lambda").invoke(FunctionName=physical, Payload=payload)
        answer = json.loads(got["Payload"].read())
        assert answer["statusCode"] == 400, answer
        assert "rawPath" in answer["body"]
