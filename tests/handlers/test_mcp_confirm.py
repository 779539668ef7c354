"""The view of MCP's offer confirms it: one click, one charge, and no way there for the model."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from imagegen.domain.outcomes import Outcome
from imagegen.mcp import app, protocol
from imagegen.mcp.confirm import CONFIRM, Confirmation, Relayed, confirm
from tests.handlers.conftest import Functions

PROMPT = "A red fox in fresh snow"
APPS = {"extensions": {protocol.APPS: {"mimeTypes": [protocol.APPS_MIME_TYPE]}}}
NO_APPS: list[Any] = [
    {},
    {"extensions": {}},
    {"extensions": None},
    {"extensions": {protocol.APPS: {}}},
    {"extensions": {protocol.APPS: {"mimeTypes": ["text/html"]}}},
    {"extensions": {protocol.APPS: {"mimeTypes": protocol.APPS_MIME_TYPE}}},
    {"extensions": {protocol.APPS: True}},
]


def sent(functions: Functions, message: dict[str, Any], **headers: str) -> dict[str, Any]:
    event = functions.event("estimate/prompt-only")
    event["rawPath"] = event["requestContext"]["http"]["path"] = "/mcp"
    event["headers"] |= {"content-type": "application/json", **headers}
    event["body"] = json.dumps({"jsonrpc": "2.0", "id": 1, **message})
    return functions.invoke("estimate", event)


def modern(
    functions: Functions, method: str, capabilities: Any = APPS, **params: Any
) -> dict[str, Any]:
    meta = {protocol.VERSION_KEY: protocol.MODERN, protocol.CAPABILITIES_KEY: capabilities}
    headers = {"mcp-protocol-version": protocol.MODERN, "mcp-method": method}
    if name := params.get("name", params.get("uri")):
        headers["mcp-name"] = name
    message = {"method": method, "params": {**params, "_meta": meta}}
    body: dict[str, Any] = json.loads(sent(functions, message, **headers)["body"])
    return body


def names(body: Mapping[str, Any]) -> list[str]:
    return [tool["name"] for tool in body["result"]["tools"]]


@pytest.fixture
def joined(functions: Functions) -> Functions:
    """Return the functions, of which one reaches the other."""

    def post(url: str, body: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
        assert url == "https://images.test/generate-image"
        event = functions.event("estimate/prompt-only")
        event["rawPath"] = event["requestContext"]["http"]["path"] = "/generate-image"
        event["headers"] = {"content-type": "application/json", **headers}
        event["body"] = body
        got = functions.invoke("generate", event)
        return got["statusCode"], got["body"].encode()

    functions.service.post = post
    return functions


def offered(functions: Functions) -> dict[str, Any]:
    arguments = {"prompt": PROMPT, "quality": "standard"}
    body = modern(functions, "tools/call", name="estimate_image", arguments=arguments)
    result: dict[str, Any] = body["result"]
    return result


def quote_of(result: Mapping[str, Any]) -> str:
    quote: str = result["_meta"]["imagegen/estimate"]["quote"]
    return quote


def confirmed(functions: Functions, quote: str, prompt: str = PROMPT) -> dict[str, Any]:
    arguments = {"quote": quote, "prompt": prompt}
    body = modern(functions, "tools/call", name=CONFIRM, arguments=arguments)
    result: dict[str, Any] = body["result"]
    return result


def charged(functions: Functions) -> int:
    return sum(sum(one.spent.values()) for one in functions.service.ledgers.ledgers.values())


def test_a_host_that_knows_apps_gets_a_tool_for_its_views_alone(functions: Functions) -> None:
    listed = modern(functions, "tools/list")["result"]["tools"]
    (tool,) = [one for one in listed if one["name"] == CONFIRM]
    assert tool["_meta"]["ui"]["visibility"] == ["app"]
    # A host that shows it to its model all the same asks first; a second call buys nothing more.
    assert tool["annotations"] == {
        "readOnlyHint": False,
        "destructiveHint": True,
        "idempotentHint": True,
        "openWorldHint": False,
    }
    assert tool["inputSchema"]["required"] == ["prompt"]
    assert {"quote", "quotes"} <= tool["inputSchema"]["properties"].keys()
    assert all("visibility" not in one.get("_meta", {}).get("ui", {}) for one in listed[:-1])


@pytest.mark.parametrize("capabilities", NO_APPS)
def test_any_other_host_has_no_such_tool(joined: Functions, capabilities: Any) -> None:
    assert CONFIRM not in names(modern(joined, "tools/list", capabilities))
    quote = quote_of(offered(joined))
    arguments = {"quote": quote, "prompt": PROMPT}
    body = modern(joined, "tools/call", capabilities, name=CONFIRM, arguments=arguments)
    assert body["error"]["message"] == "There is no such tool."
    assert charged(joined) == 0


@pytest.mark.parametrize("version", protocol.HANDSHAKE)
def test_an_older_host_says_it_once_and_names_its_session(joined: Functions, version: str) -> None:
    params = {"protocolVersion": version, "capabilities": APPS, "clientInfo": {"name": "h"}}
    began = sent(joined, {"method": "initialize", "params": params})
    (session,) = [v for k, v in began["headers"].items() if k.lower() == "mcp-session-id"]
    headers = {"mcp-protocol-version": version, "mcp-session-id": session}
    listed = json.loads(sent(joined, {"method": "tools/list"}, **headers)["body"])
    assert CONFIRM in names(listed)
    without = {"mcp-protocol-version": version}
    assert CONFIRM not in names(
        json.loads(sent(joined, {"method": "tools/list"}, **without)["body"])
    )


@pytest.mark.parametrize("capabilities", NO_APPS)
def test_an_older_host_without_apps_gets_no_session(
    functions: Functions, capabilities: Any
) -> None:
    params = {"protocolVersion": "2025-06-18", "capabilities": capabilities}
    began = sent(functions, {"method": "initialize", "params": params})
    assert "mcp-session-id" not in {name.lower() for name in began["headers"]}


def test_a_click_makes_and_charges_one_image(joined: Functions) -> None:
    result = confirmed(joined, quote_of(offered(joined)))
    found = result["structuredContent"]
    assert (found["status"], found["charged"], result["isError"]) == ("complete", True, False)
    assert "/images/" in found["imageUrl"]
    assert len(joined.service.images.objects) == 1
    assert charged(joined) > 0
    (ledger,) = joined.service.ledgers.ledgers.values()
    assert sum(ledger.images.values()) == 1


def test_the_same_click_again_is_charged_once(joined: Functions) -> None:
    quote = quote_of(offered(joined))
    first, again = confirmed(joined, quote), confirmed(joined, quote)
    assert first["structuredContent"] == again["structuredContent"]
    assert len(joined.service.images.objects) == 1


def test_the_model_reads_no_quote_before_or_after(joined: Functions) -> None:
    result = offered(joined)
    quote = quote_of(result)
    for one in (result, confirmed(joined, quote), confirmed(joined, quote)):
        seen = json.dumps([one["content"], one.get("structuredContent")])
        assert quote not in seen
        assert "q1." not in seen
    assert "quote" not in json.dumps(confirmed(joined, quote))


@pytest.mark.parametrize("quote", ["", "guessed", "q1.k1.e30.c2ln", "x" * 9_000])
def test_without_the_quote_nothing_is_bought(joined: Functions, quote: str) -> None:
    offer = offered(joined)
    result = confirmed(joined, quote)
    assert result["isError"] is True
    image_id = offer["structuredContent"]["imageId"]
    assert confirmed(joined, image_id)["isError"] is True
    assert confirmed(joined, offer["structuredContent"]["offerUrl"] or "x")["isError"] is True
    assert (charged(joined), joined.service.images.objects) == (0, {})


def test_another_prompt_than_the_offers_is_refused(joined: Functions) -> None:
    result = confirmed(joined, quote_of(offered(joined)), "A tank")
    assert result["isError"] is True
    assert charged(joined) == 0


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.UNAVAILABLE])
def test_a_failure_is_told_with_its_charge(joined: Functions, outcome: Outcome) -> None:
    quote = quote_of(offered(joined))
    for provider in joined.service.providers:
        joined.service.react(provider, outcome)
    found = confirmed(joined, quote)["structuredContent"]
    assert (found["status"], found["charged"]) == ("failed", False)
    assert found["imageUrl"] is None


@pytest.mark.parametrize("error", [ConnectionError(), TimeoutError(), ValueError()])
def test_a_lost_answer_is_unknown_and_the_same_click_finds_the_image(
    joined: Functions, error: Exception
) -> None:
    quote, arrives = quote_of(offered(joined)), joined.service.post

    def lose(url: str, body: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
        arrives(url, body, headers)
        raise error

    joined.service.post = lose
    found = confirmed(joined, quote)["structuredContent"]
    assert (found["status"], found["charged"], found["retryable"]) == ("unknown", None, True)
    joined.service.post = arrives
    assert confirmed(joined, quote)["structuredContent"]["status"] == "complete"
    assert len(joined.service.images.objects) == 1


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (202, b'{"id": "i", "status": "generating"}', "generating"),
        (502, b"<html>Bad gateway</html>", "unknown"),
        (403, b'{"Message": "Forbidden"}', "unknown"),
        (500, b"", "unknown"),
        (503, b"[]", "unknown"),
        (302, b"", "unknown"),
        (410, b'{"code": "quote_expired", "detail": "It is over.", "charged": false}', "failed"),
    ],
)
def test_whatever_is_answered_says_no_more_than_is_known(
    functions: Functions, status: int, body: bytes, expected: str
) -> None:
    functions.service.post = lambda _url, _body, _headers: (status, body)
    found = confirmed(functions, quote_of(offered(functions)))["structuredContent"]
    assert found["status"] == expected
    assert found["charged"] is (False if status == 410 else None)


def test_only_the_persons_own_token_is_sent_on(functions: Functions) -> None:
    seen: list[Mapping[str, str]] = []

    def post(_url: str, _body: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
        seen.append(headers)
        return 503, b""

    functions.service.post = post
    confirmed(functions, quote_of(offered(functions)))
    assert seen == [{"authorization": f"Bearer {functions.token}"}]


def test_the_view_may_load_pictures_of_the_images_address_alone(functions: Functions) -> None:
    (content,) = modern(functions, "resources/read", uri=app.URI)["result"]["contents"]
    assert content["_meta"]["ui"]["csp"] == {"resourceDomains": ["https://images.test"]}
    # The name of a namespace is no address.
    text = content["text"].replace("http://www.w3.org/2000/svg", "")
    assert "http://" not in text
    assert "https://" not in text


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        ("eu-west-1", ["https://images.test", "https://*.s3.eu-west-1.amazonaws.com"]),
        ("cn-north-1", ["https://images.test", "https://*.s3.cn-north-1.amazonaws.com.cn"]),
        ("", ["https://images.test"]),
    ],
)
def test_pictures_are_behind_the_images_address_in_buckets_of_the_region(
    functions: Functions, region: str, expected: list[str]
) -> None:
    functions.service.redeploy(aws_region=region)
    assert functions.service.functions.image_origins == expected


def image_of_set(number: int, charged: str = "0.05") -> dict[str, Any]:
    return {
        "id": f"i{number}",
        "imageUrl": f"https://x.test/{number}",
        "cost": {"charged": charged},
    }


def answered(status: int, values: Any) -> Confirmation:
    sent: list[str] = []

    def relay(body: str) -> Relayed:
        sent.append(body)
        return Relayed(status, json.dumps(values).encode())

    found = confirm({"quotes": ["q1", "q2"], "prompt": "a fox"}, relay)
    assert json.loads(sent[0])["quotes"] == ["q1", "q2"]
    return found


@pytest.mark.parametrize(
    ("charged", "more"),
    [(False, ""), (None, " Whether the others are charged is not known yet.")],
)
def test_of_several_images_the_sum_of_those_that_are_complete_is_told(
    *, charged: bool | None, more: str
) -> None:
    images = [
        {"status": "failed", "charged": charged, "image": None},
        {"status": "complete", "charged": True, "image": image_of_set(1)},
        {"status": "complete", "charged": True, "image": image_of_set(2, "0.07")},
    ]
    found = answered(200, {"images": images})
    assert found.detail == f"2 of 3 images are complete. Charged: $0.12.{more}"
    assert (found.status, found.charged, found.retryable) == ("complete", True, False)
    assert (found.image_id, found.image_url) == ("i1", "https://x.test/1")


def test_one_image_is_told_with_its_charge_and_one_that_is_being_made_with_its_id() -> None:
    one = answered(200, image_of_set(1))
    assert (one.status, one.charged, one.detail) == (
        "complete",
        True,
        "The image is complete. Charged: $0.05.",
    )
    assert (one.image_id, one.image_url) == ("i1", "https://x.test/1")
    later = answered(202, {"id": "i7"})
    assert (later.status, later.charged, later.retryable) == ("generating", None, True)
    assert later.image_id == "i7"


@pytest.mark.parametrize("values", [{}, [], {"code": "x"}, {"detail": "x"}, "x"])
def test_an_answer_that_says_nothing_leaves_the_charge_unknown(values: Any) -> None:
    found = answered(500, values)
    assert (found.status, found.charged, found.retryable) == ("unknown", None, True)


def test_a_failure_has_its_reason_its_charge_and_whether_to_try_again() -> None:
    problem = {"code": "limit", "detail": "No more.", "charged": False, "retryable": True}
    found = answered(429, problem)
    assert (found.status, found.detail, found.code) == ("failed", "No more.", "limit")
    assert (found.charged, found.retryable) == (False, True)
