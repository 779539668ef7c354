"""HTTP as clients speak it: Accept, HEAD, methods, media types, slashes, other events."""

import base64
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imagegen.edge.media_types import is_json, is_utf_8, wants_json
from imagegen.edge.problems import FREE_PATHS, FREE_ROUTES
from imagegen.logs import FIELDS
from imagegen.mcp.authorization import resource_metadata
from local.paths import ROOT
from tests.handlers.conftest import Functions
from tests.handlers.test_edges import OPEN, POSTED, ROUTES, request

PICTURE = {
    "nothing": None,
    "empty": "",
    "a browser's <img>": "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8",
    "a browser's address bar": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "curl": "*/*",
    "axios and Angular": "application/json, text/plain, */*",
    "n8n": "application/json,text/html,application/xhtml+xml,application/xml,text/*;q=0.9, "
    "image/*;q=0.8, */*;q=0.7",
    "JSON liked less": "image/png,application/json;q=0.1",
    "JSON liked more": "application/json,image/*;q=0.1",
    "anything, barely": "application/json, */*;q=0.001",
    "JSON refused": "application/json;q=0, image/*",
    "JSON refused, anything else": "application/json;q=0.000, */*",
    "one kind of image": "application/json, image/jpeg",
    "capitals and tabs": "APPLICATION/JSON\t,\tIMAGE/*;Q=0.5",
    "spaces around the weight": "application/json, image/* ; q = 0.5",
    "one kind refused": "image/png;q=0, */*",
    "parameters with commas": 'application/json;x="a,b;q=0", image/*;x="c,d"',
    "Java's": "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",
    "neither": "text/html",
    "everything refused": "*/*;q=0",
    "nonsense": ";;;,,,q=",
    "a slash": "/",
    "half a quotation": 'image/*;x="',
    "no number": "application/json, image/*;q=high",
    "a number in a word": "application/json, image/*;q=v1",
    "Java's, beside JSON": "application/json, *;q=.2",
    "a NUL": "\0",
    "not ASCII": "imäge/*, \u00b2;q=\u00b2",
    "an infinite weight": "image/*;q=1e999, application/json",
}
STATUS = {
    "JSON": "application/json",
    "JSON with a charset": "application/json; charset=utf-8",
    "JSON in capitals": "Application/JSON",
    "JSON and text": "application/json, text/plain",
    "JSON and text, weighted": "text/plain;q=0.9, application/json;q=0.1",
    "any application": "application/*",
    "images refused": "application/json, image/*;q=0",
    "images refused, anything else": "image/*;q=0, */*",
    "anything refused": "application/json, */*;q=0",
    "anything refused, thrice": "application/json, */*;q=0.000",
    "half a type of an image": "application/json, image/",
    "the problem's type beside it": "application/problem+json, application/json",
}
NOT_UTF_8 = {
    "two bytes": b"\xff\xfe",
    "one byte": b"\xe9",
    "an overlong form": b"\xc0\xae",
    "half a character": b"\xed\xa0\x80",
    "three bytes of four": b"\xf0\x9f\xa6",
    "two bytes of three": b"\xe2\x82",
    "above Unicode": b"\xf4\x90\x80\x80",
}


def made(functions: Functions, user: str) -> str:
    offer = functions.service.estimate("A red fox", user)
    functions.service.confirm(offer, user)
    return str(offer.image_id)


def get_image(functions: Functions, image_id: str, accept: str | None) -> dict[str, Any]:
    event = request(functions, "GET", f"/images/{image_id}")
    event["headers"] |= {} if accept is None else {"accept": accept}
    return functions.invoke("generate", event)


def headers_of(answer: dict[str, Any]) -> dict[str, str]:
    many = {name: ", ".join(one) for name, one in answer.get("multiValueHeaders", {}).items()}
    return {name.lower(): str(one) for name, one in {**answer.get("headers", {}), **many}.items()}


# Accept.


@pytest.mark.parametrize("accept", PICTURE.values(), ids=PICTURE.keys())
def test_a_picture_is_for_every_client_that_accepts_one(
    functions: Functions, user: str, accept: str | None
) -> None:
    answer = get_image(functions, made(functions, user), accept)
    assert (answer["statusCode"], headers_of(answer)["vary"]) == (302, "Accept")


@pytest.mark.parametrize("accept", STATUS.values(), ids=STATUS.keys())
def test_the_status_is_for_clients_that_accept_json_and_no_picture(
    functions: Functions, user: str, accept: str
) -> None:
    answer = get_image(functions, made(functions, user), accept)
    assert (answer["statusCode"], headers_of(answer)["vary"]) == (200, "Accept")
    assert json.loads(answer["body"])["status"] == "complete"


@given(st.text(max_size=60) | st.from_regex(r"[a-z*/;q=0-9., \"\\]{0,80}", fullmatch=True))
def test_no_accept_header_is_an_error(accept: str) -> None:
    assert wants_json(accept) in (True, False)
    assert not wants_json(f"image/*, {accept.replace('"', '')}".replace("image/*;", ""))


@given(st.text(max_size=60))
def test_no_content_type_is_an_error(kind: str) -> None:
    assert is_json(kind) in (True, False)
    assert is_utf_8(kind) in (True, False)


# HEAD, other methods, TRACE.


@pytest.mark.parametrize(("function", "method", "path"), [one for one in ROUTES if "GET" in one])
@pytest.mark.parametrize("has_token", [True, False])
def test_head_is_get_without_the_body(
    functions: Functions, function: str, method: str, path: str, *, has_token: bool
) -> None:
    answers = []
    for verb in (method, "HEAD"):
        event = request(functions, verb, path)
        if not has_token:
            del event["headers"]["authorization"]
        answers.append(functions.invoke(function, event))
    got, head = answers
    assert (head["statusCode"], head["body"]) == (got["statusCode"], "")
    assert headers_of(head) == headers_of(got)


def test_head_of_an_image_and_of_its_status(functions: Functions, user: str) -> None:
    image_id = made(functions, user)
    for accept, status in (("*/*", 302), ("application/json", 200)):
        event = request(functions, "HEAD", f"/images/{image_id}")
        event["headers"]["accept"] = accept
        answer = functions.invoke("generate", event)
        assert (answer["statusCode"], answer["body"]) == (status, "")


METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "OPTIONS", "get"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("function", "path"), sorted({(one[0], one[2]) for one in ROUTES}))
def test_a_known_path_names_the_methods_that_it_supports(
    functions: Functions, function: str, path: str, method: str
) -> None:
    known = {one[1] for one in ROUTES if (one[0], one[2]) == (function, path)}
    known |= {"HEAD"} if "GET" in known else set()
    event = request(functions, method, path)
    del event["headers"]["authorization"]
    answer = functions.invoke(function, event)
    assert (answer["statusCode"] == 405) is (method not in known)
    if method not in known:
        assert headers_of(answer)["allow"] == ", ".join(sorted(known))
        if method == "HEAD":
            assert answer["body"] == ""
        else:
            assert_ours(answer, path, "method_not_allowed")


def assert_ours(answer: dict[str, Any], path: str, code: str) -> None:
    """Fail unless an error has the form of its route, and calls only a free route not charged."""
    is_free = code == "not_found" or path.startswith(FREE_ROUTES) or path in FREE_PATHS
    charged = False if is_free else None
    body = json.loads(answer["body"])
    if path.startswith("/v1"):
        assert headers_of(answer)["content-type"] == "application/json"
        error = body["error"]
        assert (error["code"], error["imagegen"]["charged"]) == (code, charged)
    else:
        assert headers_of(answer)["content-type"] == "application/problem+json"
        assert (body["code"], body["charged"], body["status"]) == (
            code,
            charged,
            answer["statusCode"],
        )


@pytest.mark.parametrize("function", ["estimate", "generate", "health", "chat", "admin"])
@pytest.mark.parametrize("path", ["/", "/nothing", "/v1", "/v1/nothing", "/register", "/estimatex"])
@pytest.mark.parametrize("method", ["GET", "POST", "TRACE"])
def test_an_unknown_path_is_not_found_and_needs_no_token_for_that(
    functions: Functions, function: str, path: str, method: str
) -> None:
    event = request(functions, method, path)
    del event["headers"]["authorization"]
    answer = functions.invoke(function, event)
    assert answer["statusCode"] == 404
    assert_ours(answer, path, "not_found")


# Slashes.


@pytest.mark.parametrize(("function", "method", "path"), ROUTES)
@pytest.mark.parametrize("change", ["{}/", "/{}", "//{}//", "{}///", "doubled"])
def test_slashes_too_many_are_the_same_route(
    functions: Functions, function: str, method: str, path: str, change: str
) -> None:
    odd = path.replace("/", "//") if change == "doubled" else change.format(path)
    plain = functions.invoke(function, request(functions, method, path))
    answer = functions.invoke(function, request(functions, method, odd))
    assert (answer["statusCode"], headers_of(answer)) == (plain["statusCode"], headers_of(plain))


@pytest.mark.parametrize("path", ["/images/%2e%2e/usage", "/images/../usage", "/images//../usage"])
def test_no_slash_opens_a_closed_route(functions: Functions, path: str) -> None:
    event = request(functions, "GET", path)
    del event["headers"]["authorization"]
    assert functions.invoke("generate", event)["statusCode"] in (401, 404)


# The body's type and form.


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "Application/JSON",
        "APPLICATION/JSON; CHARSET=UTF-8",
        "application/json;charset=utf8",
        'application/json; charset="utf-8"',
        "application/json ; charset=utf-8 ; profile=x",
        "application/json;odata=verbose",
        " application/json",
    ],
)
@pytest.mark.parametrize("in_base64", [True, False])
def test_json_is_json_in_every_spelling(
    functions: Functions, kind: str, *, in_base64: bool
) -> None:
    event = request(functions, "POST", "/estimate", {"prompt": "a fox \U0001f98a"})
    event["headers"]["content-type"] = kind
    if in_base64:
        event["body"] = base64.b64encode(event["body"].encode()).decode()
        event["isBase64Encoded"] = True
    assert functions.invoke("estimate", event)["statusCode"] == 200


@pytest.mark.parametrize(
    "kind",
    [
        "application/json; charset=iso-8859-1",
        "application/json; charset=UTF-16",
        'application/json; charset="windows-1252"',
        "application/json;charset=latin1;q=1",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "json",
        "\0",
    ],
)
@pytest.mark.parametrize(("function", "path"), POSTED)
def test_another_type_or_charset_is_refused_in_our_form(
    functions: Functions, function: str, path: str, kind: str
) -> None:
    event = request(functions, "POST", path, {"prompt": "a fox"})
    event["headers"]["content-type"] = kind
    answer = functions.invoke(function, event)
    assert answer["statusCode"] == 415
    assert_ours(answer, path, "unsupported_media_type")
    assert ("UTF-8" in answer["body"]) is ("charset" in kind)


@pytest.mark.parametrize(("method", "path"), [("GET", "/usage"), ("DELETE", "/images/x")])
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "*/*"])
def test_the_type_of_a_body_that_is_not_read_does_not_matter(
    functions: Functions, method: str, path: str, kind: str
) -> None:
    # Many clients write a default type into every request, also where they send no body.
    event = request(functions, method, path)
    event["headers"]["content-type"] = kind
    assert functions.invoke("generate", event)["statusCode"] in (200, 404)


@pytest.mark.parametrize("coding", ["gzip", "br", "GZIP", "gzip, identity"])
@pytest.mark.parametrize(("function", "path"), POSTED)
def test_a_compressed_body_is_refused_in_words(
    functions: Functions, function: str, path: str, coding: str
) -> None:
    event = request(functions, "POST", path, {"prompt": "a fox"})
    event["headers"]["content-encoding"] = coding
    answer = functions.invoke(function, event)
    assert answer["statusCode"] == 415
    assert_ours(answer, path, "unsupported_media_type")
    event["headers"]["content-encoding"] = "identity"
    assert functions.invoke(function, event)["statusCode"] != 415


@pytest.mark.parametrize(
    "body", ["[]", '[{"prompt": "a fox"}]', '"a fox"', "5", "true", "null", "1e3"]
)
@pytest.mark.parametrize(("function", "path"), [one for one in POSTED if one[1] != "/mcp"])
def test_a_body_that_is_no_object_is_refused(
    functions: Functions, function: str, path: str, body: str
) -> None:
    answer = functions.invoke(function, request(functions, "POST", path, body))
    assert answer["statusCode"] == (400 if path.startswith("/v1") else 422)
    assert_ours(answer, path, "invalid_request")
    assert "one JSON object" in answer["body"]


@pytest.mark.parametrize("odd", NOT_UTF_8.values(), ids=NOT_UTF_8.keys())
@pytest.mark.parametrize(("function", "path"), POSTED)
def test_bytes_that_are_not_utf_8_are_refused_though_the_front_replaced_them(
    functions: Functions, function: str, path: str, odd: bytes
) -> None:
    """As the emulator passes it on: text, in which each bad byte has become U+FFFD."""
    sent = b'{"prompt": "a ' + odd + b' boat"}'
    event = request(functions, "POST", path, sent.decode("utf-8", "replace"))
    event["headers"]["content-length"] = str(len(sent))
    answer = functions.invoke(function, event)
    assert 400 <= answer["statusCode"] < 500
    assert "charged" in answer["body"] or "jsonrpc" in answer["body"]


@pytest.mark.parametrize("odd", [one for one in NOT_UTF_8.values() if len(one) != 3])
@pytest.mark.parametrize(("function", "path"), POSTED)
def test_where_the_length_shows_it_the_whole_body_is_refused(
    functions: Functions, function: str, path: str, odd: bytes
) -> None:
    """Half a surrogate and three bytes of four may have the length of what replaces them."""
    sent = b'{"messages": [{"role": "user", "content": "a ' + odd + b'"}]}'
    text = sent.decode("utf-8", "replace")
    event = request(functions, "POST", path, text)
    event["headers"]["content-length"] = str(len(sent))
    assert len(text.encode()) != len(sent)
    answer = functions.invoke(function, event)
    assert answer["statusCode"] == 400
    assert_ours(answer, path, "invalid_json")
    assert "UTF-8" in answer["body"]


def test_the_replacement_character_itself_may_be_in_a_chat(functions: Functions) -> None:
    body = json.dumps({"messages": [{"role": "user", "content": "a \ufffd"}]}, ensure_ascii=False)
    event = request(functions, "POST", "/chat", body)
    event["headers"]["content-length"] = str(len(body.encode()))
    assert functions.invoke("chat", event)["statusCode"] == 200


@pytest.mark.parametrize("length", ["", "x", "-1", "\u00b2", "9" * 5_000])
def test_a_length_that_is_no_number_is_no_reason(functions: Functions, length: str) -> None:
    body = json.dumps({"messages": [{"role": "user", "content": "a fox"}]})
    event = request(functions, "POST", "/chat", body)
    event["headers"]["content-length"] = length
    assert functions.invoke("chat", event)["statusCode"] == 200


def test_a_price_for_an_escaped_emoji_buys_the_emoji(functions: Functions) -> None:
    escaped, plain = '{"prompt": "\\ud83e\\udd8a in snow"}', '{"prompt": "\U0001f98a in snow"}'
    for priced, bought in ((escaped, plain), (plain, escaped)):
        event = request(functions, "POST", "/estimate", priced)
        quote = json.loads(functions.invoke("estimate", event)["body"])["quote"]
        body = bought.replace("{", '{"quote": "' + quote + '", ', 1)
        answer = functions.invoke("generate", request(functions, "POST", "/generate-image", body))
        assert answer["statusCode"] == 200


def test_a_wrong_query_names_its_parameter_once(functions: Functions) -> None:
    event = functions.event("estimate/tool-unknown-format")
    errors = json.loads(functions.invoke("estimate", event)["body"])["errors"]
    assert {one["field"] for one in errors} == {"query.format"}


# Events that are no requests to a function URL.

OTHER_EVENTS: dict[str, Any] = {
    "nothing": {},
    "a text": "hello",
    "a list": [],
    "null": None,
    "a number": 5,
    "the console's": {"key1": "value1", "key2": "value2", "key3": "value3"},
    "API Gateway, REST": {
        "resource": "/{proxy+}",
        "path": "/estimate",
        "httpMethod": "POST",
        "headers": {"Content-Type": "application/json"},
        "requestContext": {"httpMethod": "POST", "stage": "prod"},
        "body": "{}",
    },
    "a load balancer": {
        "requestContext": {"elb": {"targetGroupArn": "arn"}},
        "httpMethod": "GET",
        "path": "/models",
        "headers": {"host": "lb"},
        "body": "",
        "isBase64Encoded": False,
    },
    "API Gateway, HTTP, without a path": {
        "version": "2.0",
        "routeKey": "$default",
        "requestContext": {"http": {"method": "GET", "path": "/models"}},
    },
    "no method": {"rawPath": "/models", "requestContext": {"http": {}}},
    "no context": {"rawPath": "/models"},
    "a path that is no text": {"rawPath": 5, "requestContext": {"http": {"method": "GET"}}},
    "a body that is no text": {
        "rawPath": "/estimate",
        "requestContext": {"http": {"method": "POST"}},
        "body": {"prompt": "a fox"},
    },
    "another task": {"task": ["reconcile"]},
    "a queue's": {"Records": [{"eventSource": "aws:sqs"}]},
    "a schedule's": {"source": "aws.events", "detail-type": "Scheduled Event"},
}


@pytest.mark.parametrize("function", ["estimate", "generate", "health", "chat", "admin"])
@pytest.mark.parametrize("event", OTHER_EVENTS.values(), ids=OTHER_EVENTS.keys())
def test_an_event_of_another_kind_is_told_what_to_send(
    functions: Functions, function: str, event: Any
) -> None:
    answer = functions.invoke(function, event)
    assert answer["statusCode"] == 400
    assert_ours(answer, "", "unsupported_event")
    assert "rawPath" in answer["body"]


def test_a_short_event_that_somebody_wrote_is_a_request(functions: Functions) -> None:
    event = {
        "rawPath": "/models",
        "requestContext": {"http": {"method": "GET"}},
        "headers": {"Authorization": f"Bearer {functions.token}", "Accept": None},
    }
    assert functions.invoke("estimate", event)["statusCode"] == 200


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["rawPath", "requestContext", "http", "method", "headers", "body"]),
                inner,
                max_size=5,
            )
        ),
        max_leaves=12,
    )
)
def test_no_event_ends_in_an_exception(functions: Functions, event: Any) -> None:
    answer = functions.invoke("estimate", event)
    assert 400 <= answer["statusCode"] < 500


# Discovery.


def test_the_document_is_served_with_this_deployments_addresses(functions: Functions) -> None:
    event = request(functions, "GET", "/openapi.json")
    del event["headers"]["authorization"]
    answer = functions.invoke("estimate", event)
    served = json.loads(answer["body"])
    own = "https://local.lambda-url.us-east-1.on.aws"
    assert served["servers"] == [{"url": own}]
    assert "servers" not in served["paths"]["/estimate"]
    assert served["paths"]["/images/{image_id}"]["servers"] == [{"url": "https://images.test"}]
    written = json.loads((ROOT / "openapi.json").read_text())
    assert served["components"] == written["components"]


@pytest.mark.parametrize("path", ["", "/mcp"])
def test_a_host_of_mcp_finds_where_to_sign_in(functions: Functions, people: Any, path: str) -> None:
    event = request(functions, "GET", f"/.well-known/oauth-protected-resource{path}")
    del event["headers"]["authorization"]
    found = json.loads(functions.invoke("estimate", event)["body"])
    assert found == {
        "resource": f"https://local.lambda-url.us-east-1.on.aws{path}",
        "authorization_servers": [people.url],
        "bearer_methods_supported": ["header"],
        "resource_name": "imagegen",
    }


def test_a_host_of_mcp_is_told_the_scopes_that_it_must_ask_for() -> None:
    found = resource_metadata("https://us.test", "/mcp", issuer="i", scopes=("images", "chat"))
    assert found["scopes_supported"] == ["images", "chat"]


@pytest.mark.parametrize("token", [None, "no", "a.b.c"])
def test_the_challenge_of_mcp_names_the_metadata_in_header_and_body(
    functions: Functions, token: str | None
) -> None:
    event = request(functions, "POST", "/mcp/", {"jsonrpc": "2.0"})
    del event["headers"]["authorization"]
    event["headers"] |= {} if token is None else {"authorization": f"Bearer {token}"}
    answer = functions.invoke("estimate", event)
    url = json.loads(answer["body"])["resource_metadata"]
    assert answer["statusCode"] == 401
    assert headers_of(answer)["www-authenticate"] == f'Bearer resource_metadata="{url}"'
    own = "https://local.lambda-url.us-east-1.on.aws"
    assert url == f"{own}/.well-known/oauth-protected-resource/mcp"
    document = request(functions, "GET", url.removeprefix(own))
    assert functions.invoke("estimate", document)["statusCode"] == 200


def test_other_routes_name_no_metadata(functions: Functions) -> None:
    event = request(functions, "POST", "/estimate", {"prompt": "a fox"})
    del event["headers"]["authorization"]
    answer = functions.invoke("estimate", event)
    assert headers_of(answer)["www-authenticate"] == "Bearer"
    assert "resource_metadata" not in json.loads(answer["body"])


ORIGINS = {
    "https://evil.example": {"*"},
    "http://evil.example": set(),
    "http://rebound.example:8080": set(),
    "https://chat.example.com": {"*", "https://chat.example.com"},
    "http://localhost:6274": {"*"},
    "http://127.0.0.1:3000": {"*"},
    "null": {"*"},
    "vscode-webview://abc": {"*"},
    "http://[": set(),
    "https://local.lambda-url.us-east-1.on.aws": {"*", "https://chat.example.com"},
}
"""Which settings let a page of an origin call."""


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("allowed", ["*", "https://chat.example.com"])
def test_mcp_refuses_pages_of_foreign_origins(
    functions: Functions, origin: str, allowed: str
) -> None:
    object.__setattr__(functions.service.functions.settings, "allowed_origins", allowed)
    event = functions.event("estimate/mcp-tools")
    event["headers"]["origin"] = origin
    answer = functions.invoke("estimate", event)
    expected = 200 if allowed in ORIGINS[origin] else 403
    assert answer["statusCode"] == expected
    if expected == 403:
        assert_ours(answer, "/mcp", "forbidden_origin")


def test_only_mcp_looks_at_the_origin(functions: Functions) -> None:
    event = request(functions, "POST", "/estimate", {"prompt": "a fox"})
    event["headers"]["origin"] = "http://evil.example"
    assert functions.invoke("estimate", event)["statusCode"] == 200


def test_every_open_route_is_one_that_is_listed_here(functions: Functions) -> None:
    for function, module in functions.modules.items():
        api = module.api
        for route in (*api._static_routes, *api._dynamic_routes):
            path = route.path.replace("<image_id>", "x")
            is_open = module.ACCESS.is_open(route.method, path)
            assert is_open is ((function, route.method, path) in OPEN)


# What an operator reads.


def test_the_log_has_the_reason_why_a_token_was_refused_and_the_answer_has_not(
    functions: Functions, people: Any, caplog: pytest.LogCaptureFixture
) -> None:
    token = people.token("alice", iss=people.url + "/")
    event = request(functions, "GET", "/models")
    event["headers"]["authorization"] = f"Bearer {token}"
    answer = functions.invoke("estimate", event)
    (line,) = [vars(one) for one in caplog.records if one.getMessage() == "request refused"]
    assert "slash at the end" in line["hint"]
    assert "hint" in FIELDS
    assert token not in str(line)
    assert json.loads(answer["body"])["detail"] == "The token is not valid."
    assert "slash" not in answer["body"]
