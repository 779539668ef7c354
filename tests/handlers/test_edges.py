"""What holds on every route: tokens, sizes, problems, and answers that are not cached."""

import base64
import json
from typing import Any

import pytest

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.ids import log_name
from imagegen.domain.outcomes import Outcome
from imagegen.logs import logger
from tests.fakes.service import IMAGE_ID_KEY, PROMPT
from tests.handlers.conftest import Functions

POSTED = [
    ("estimate", "/estimate"),
    ("estimate", "/inputs"),
    ("estimate", "/mcp"),
    ("generate", "/generate-image"),
    ("generate", "/v1/images/generations"),
    ("chat", "/chat"),
]
OPEN = {
    ("generate", "GET", "/images/x"),
    ("health", "GET", "/health-check/image-providers"),
    ("estimate", "GET", "/openapi.json"),
    ("estimate", "GET", "/.well-known/oauth-protected-resource"),
    ("estimate", "GET", "/.well-known/oauth-protected-resource/mcp"),
}
ROUTES = [
    ("estimate", "GET", "/tools/generate_image"),
    ("chat", "POST", "/chat"),
    ("estimate", "POST", "/estimate"),
    ("estimate", "POST", "/inputs"),
    ("estimate", "GET", "/models"),
    ("estimate", "POST", "/mcp"),
    ("generate", "POST", "/generate-image"),
    ("generate", "POST", "/v1/images/generations"),
    ("generate", "GET", "/v1/models"),
    ("generate", "GET", "/usage"),
    ("generate", "GET", "/images"),
    ("generate", "DELETE", "/images/x"),
    *sorted(OPEN),
]


def request(functions: Functions, method: str, path: str, body: Any = None) -> dict[str, Any]:
    event = functions.event("estimate/prompt-only")
    event["rawPath"] = path
    event["requestContext"]["http"].update(method=method, path=path)
    event["body"] = body if body is None or isinstance(body, str) else json.dumps(body)
    return event


@pytest.mark.parametrize(("function", "method", "path"), ROUTES)
def test_without_a_token_only_the_open_routes_answer(
    functions: Functions, function: str, method: str, path: str
) -> None:
    event = request(functions, method, path)
    del event["headers"]["authorization"]
    answer = functions.invoke(function, event)
    is_open = (function, method, path) in OPEN
    assert (answer["statusCode"] == 401) is not is_open


def test_a_body_above_the_limit_is_refused_before_anything_reads_it(functions: Functions) -> None:
    event = request(functions, "POST", "/estimate", "x" * (256 * 1024 + 1))
    del event["headers"]["authorization"]
    assert functions.invoke("estimate", event)["statusCode"] == 413
    event["body"], event["isBase64Encoded"] = base64.b64encode(b"x" * 300_000).decode(), True
    assert functions.invoke("estimate", event)["statusCode"] == 413


def test_a_body_in_base64_is_read(functions: Functions) -> None:
    event = request(functions, "POST", "/estimate")
    event["body"] = base64.b64encode(json.dumps({"prompt": PROMPT}).encode()).decode()
    event["isBase64Encoded"] = True
    assert functions.invoke("estimate", event)["statusCode"] == 200


def test_what_is_wrong_is_said_and_what_was_sent_is_not(functions: Functions) -> None:
    body = {"prompt": "CANARY" * 10_000, "size": "CANARY", "CANARY": 1}
    answer = functions.invoke("estimate", request(functions, "POST", "/estimate", body))
    problem = json.loads(answer["body"])
    fields = {one["field"] for one in problem["errors"]}
    assert {"body.prompt", "body.size"} <= fields
    assert "CANARY" not in answer["body"].replace("body.CANARY", "")


def test_a_limit_says_when_to_come_back(functions: Functions, user: str) -> None:
    for _ in range(10):
        functions.service.make("A cat", user)
    offer = functions.service.estimate("A photorealistic sunset over mountains", user)
    event = functions.event("generate/confirmed", QUOTE=offer.quote)
    answer = functions.invoke("generate", event)
    problem = json.loads(answer["body"])
    assert (answer["statusCode"], problem["code"]) == (429, "hourly_images")
    assert answer["headers"]["Retry-After"] == str(problem["retryAfterSeconds"]) == "3600"


def test_a_bug_is_a_problem_without_its_text(functions: Functions, user: str) -> None:
    functions.service.react("openai", RuntimeError("CANARY"))
    offer = functions.service.estimate("A photorealistic sunset over mountains", user)
    event = functions.event("generate/confirmed", QUOTE=offer.quote)
    answer = functions.invoke("generate", event)
    assert (answer["statusCode"], "CANARY" in answer["body"]) == (500, False)
    assert functions.service.spent(user) == 0


def test_when_every_provider_fails_the_answer_tells_the_turns_and_no_charge(
    functions: Functions, user: str
) -> None:
    for name in functions.service.providers:
        functions.service.react(name, ProviderError(name, Outcome.UNAVAILABLE, "down"))
    offer = functions.service.estimate("A photorealistic sunset over mountains", user)
    status, problem = functions.answer("generate/confirmed", QUOTE=offer.quote)
    assert (status, problem["code"], problem["charged"]) == (502, "generation_failed", False)
    assert problem["retryable"] is True


def test_answers_with_money_are_not_cached(functions: Functions, user: str) -> None:
    offer = functions.service.estimate("A photorealistic sunset over mountains", user)
    event = functions.event("generate/confirmed", QUOTE=offer.quote)
    assert functions.invoke("generate", event)["headers"]["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "body",
    ["[" * 100_000, '{"maxCost": ' + "1" * 5_000 + "}", "{", "nope", '{"prompt": NaN'],
    ids=["nested without end", "a number without end", "cut off", "a word", "half"],
)
def test_what_is_no_json_is_said_so(functions: Functions, body: str) -> None:
    answer = functions.invoke("estimate", request(functions, "POST", "/estimate", body))
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (400, "invalid_json")


GOOD = '{"prompt": "a fox"}'


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe{",
        GOOD.encode("utf-16"),
        GOOD.encode("utf-16-be"),
        GOOD.encode("utf-32-le"),
        GOOD.encode("utf-8-sig"),
        b'{"prompt": "\xed\xa0\x80"}',
        b'{"\xed\xa0\x80": 1}',
        b'{"prompt": "\xff"}',
        b'{"prompt": "\xc0\xae"}',
    ],
)
@pytest.mark.parametrize("kind", ["application/json", None])
@pytest.mark.parametrize(("function", "path"), POSTED)
def test_a_body_that_is_no_plain_utf_8_is_no_json(
    functions: Functions, function: str, path: str, kind: str | None, body: bytes
) -> None:
    event = request(functions, "POST", path, base64.b64encode(body).decode())
    event["isBase64Encoded"] = True
    event["headers"].pop("content-type")
    event["headers"] |= {"content-type": kind} if kind else {}
    answer = functions.invoke(function, event)
    assert answer["statusCode"] == 400
    assert "not JSON" in answer["body"]


@pytest.mark.parametrize("body", ["\ud800", '{"prompt": "\ud800"}', '{"prompt": "\\ud800"}'])
@pytest.mark.parametrize(("function", "path"), POSTED)
def test_half_a_character_in_a_body_is_the_callers_error(
    functions: Functions, function: str, path: str, body: str
) -> None:
    answer = functions.invoke(function, request(functions, "POST", path, body))
    assert 400 <= answer["statusCode"] < 500


@pytest.mark.parametrize("depth", [200, 256, 900, 3_000, 9_000, 40_000])
@pytest.mark.parametrize("name", ["prompt", "n", "user", "maxCost", "messages", "quote", "more"])
@pytest.mark.parametrize(("function", "path"), POSTED)
def test_nesting_of_any_depth_is_the_callers_error(
    functions: Functions, function: str, path: str, name: str, depth: int
) -> None:
    body = f'{{"prompt": "a fox", "{name}": {"[" * depth}{"]" * depth}}}'
    assert functions.invoke(function, request(functions, "POST", path, body))["statusCode"] < 500


def test_a_thousand_mistakes_are_not_all_repeated(functions: Functions) -> None:
    body = {"prompt": "A cat", **{f"field{n}": n for n in range(10_000)}}
    answer = functions.invoke("estimate", request(functions, "POST", "/estimate", body))
    assert answer["statusCode"] == 422
    assert len(answer["body"]) < 10_000


@pytest.mark.parametrize(
    ("function", "path"), [("estimate", "/models"), ("generate", "/usage"), ("chat", "/chat")]
)
def test_a_log_line_names_the_user_by_a_keyed_hash(
    functions: Functions, user: str, function: str, path: str
) -> None:
    functions.invoke(function, request(functions, "POST" if path == "/chat" else "GET", path))
    assert logger.get_current_keys()["user"] == log_name(user, IMAGE_ID_KEY)


def test_the_log_lines_of_the_next_request_do_not_name_the_user_of_this_one(
    functions: Functions,
) -> None:
    functions.invoke("generate", request(functions, "GET", "/usage"))
    event = request(functions, "GET", "/images/x")
    del event["headers"]["authorization"]
    functions.invoke("generate", event)
    assert "user" not in logger.get_current_keys()
