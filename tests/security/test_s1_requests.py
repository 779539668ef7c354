"""S1: whatever is sent, the answer is one of ours, and nobody is let in by the way."""

import json
import os
import random
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import nullcontext, suppress
from typing import Any, cast
from urllib.parse import unquote

import jsonschema  # type: ignore[import-untyped]
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from imagegen.edge.events import plain_path
from imagegen.edge.problems import FREE_PATHS, FREE_ROUTES
from local.paths import ROOT
from tests.security.board import Board
from tests.security.conftest import House
from tests.security.requests import Fuzzer, ToolUse
from tests.security.wsgi import StartResponse, application

REQUESTS = 12_000
EXAMPLES = 250
SEED = int(os.environ.get("IMAGEGEN_FUZZ_SEED", "0"))
"""Another number makes other requests; 0 makes those of every day."""
DOCUMENT = json.loads((ROOT / "openapi.json").read_text())
PATHS = {
    "/estimate": "/estimate",
    "/generate-image": "/generate-image",
    "/mcp": "/mcp",
    "/models": "/models",
    "/v1/images/generations": "/v1/images/generations",
    "/v1/models": "/v1/models",
    "/tools/generate_image": "/tools/generate_image",
    "/chat": "/chat",
    "/usage": "/usage",
    "/images": "/images",
    "/health-check/image-providers": "/health-check/image-providers",
    "/admin/spending": "/admin/spending",
    "/admin/providers": "/admin/providers",
    "/admin/people/find": "/admin/people/find",
    "/admin/circuits/reset": "/admin/circuits/reset",
    "/admin/keys/make": "/admin/keys/make",
}
CONFIG = schemathesis.Config.from_dict(
    # It does not know that a body may also be too long to be looked at.
    {"checks": {"negative_data_rejection": {"expected-statuses": [400, 401, 404, 413, 415, 422]}}}
)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    ignored_auth,
]
"""All but three: what a 405 allows is tested with the handlers, a body that fits the schema may
still be no offer of ours, and there is nothing that one request makes for the next."""

WITHOUT_REJECTION = [check for check in CHECKS if check is not negative_data_rejection]


def template_of(path: str) -> str | None:
    """Return a path as the document names it, ``None`` where it names none such."""
    if path.startswith("/images/") and path.count("/") == 2:
        return "/images/{image_id}"
    return PATHS.get(path)


def _may_say(charged: object, path: str) -> bool:
    """Return whether an error of a route may say this: ``null`` only where a route can charge."""
    is_free = path.startswith(FREE_ROUTES) or path in FREE_PATHS
    return charged is False or (charged is None and not is_free)


class Judge:
    """Holds answers against the document."""

    def __init__(self) -> None:
        shapes = DOCUMENT["components"]["schemas"]
        self.problem = self._validator(shapes["Problem"])
        self.openai = self._validator(shapes["OpenaiError"])
        self.rpc = self._validator(shapes["JsonRpcError"])
        self.faults: list[str] = []
        self.statuses: Counter[int] = Counter()
        self.heard: set[str] = set()
        self.known: dict[tuple[str, str, int], jsonschema.Draft202012Validator | None] = {}

    def hear(self, asked: ToolUse, answer: dict[str, Any]) -> None:
        """Note what is wrong with an answer."""
        status = int(answer["statusCode"])
        self.statuses[status] += 1
        where = f"{asked.event['requestContext']['http']['method']} {asked.event['rawPath']!r:.80}"
        for fault in self._faults(asked, answer, status):
            self.faults.append(f"{where}: {status} {fault}")

    def _faults(self, asked: ToolUse, answer: dict[str, Any], status: int) -> Iterable[str]:
        if status >= 500:
            yield "is our fault"
        if asked.too_large:
            if status not in (413, 404, 405):  # A route that is not there is named first.
                yield "to a body above the limit"
        elif not asked.has_token and not asked.is_open and status not in (401, 404, 405):
            yield "without a token"
        if asked.event["requestContext"]["http"]["method"] == "HEAD":
            yield from ["has a body"] if answer["body"] else []
        elif status >= 400:
            yield from self._error_faults(plain_path(asked.event["rawPath"]), answer, status)
        else:
            yield from self._schema_faults(asked, answer, status)

    def _error_faults(self, path: str, answer: dict[str, Any], status: int) -> Iterable[str]:
        """Yield what is wrong with an error in the words of its route."""
        if path == "/v1" or path.startswith("/v1/"):
            body = json.loads(answer["body"])
            yield from (error.message for error in self.openai.iter_errors(body))
            if not _may_say(body["error"]["imagegen"]["charged"], path):
                yield "says that it was charged, or does not know on a route that cannot charge"
        elif path == "/mcp" and answer["headers"]["Content-Type"] == "application/json":
            body = json.loads(answer["body"])
            yield from (error.message for error in self.rpc.iter_errors(body))
        else:
            yield from self._problem_faults(path, answer, status)

    def _problem_faults(self, path: str, answer: dict[str, Any], status: int) -> Iterable[str]:
        if answer["headers"]["Content-Type"] != "application/problem+json":
            yield "is no problem+json"
            return
        body = json.loads(answer["body"])
        yield from (error.message for error in self.problem.iter_errors(body))
        # A deleted image was charged.
        says_so = status == 410 and body["code"] == "image_deleted"
        if body["status"] != status or not (says_so or _may_say(body["charged"], path)):
            yield "says another status, that it was charged, or does not know where it must"

    def _schema_faults(self, asked: ToolUse, answer: dict[str, Any], status: int) -> Iterable[str]:
        event = asked.event
        method, path = (
            event["requestContext"]["http"]["method"],
            template_of(plain_path(event["rawPath"])),
        )
        if path is None or method.lower() not in DOCUMENT["paths"][path]:
            yield "to a route that is in no document"
            return
        validator = self._of(path, method.lower(), status)
        if validator is not None and answer["body"] not in self.heard:
            self.heard.add(answer["body"])
            yield from (
                error.message for error in validator.iter_errors(json.loads(answer["body"]))
            )

    def _of(self, path: str, method: str, status: int) -> jsonschema.Draft202012Validator | None:
        key = (path, method, status)
        if key not in self.known:
            answer = DOCUMENT["paths"][path][method]["responses"][str(status)]
            content = answer.get("content")
            schema = content.get("application/json", {}).get("schema") if content else None
            self.known[key] = self._validator(schema) if schema else None
        return self.known[key]

    def _validator(self, schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
        return jsonschema.Draft202012Validator(
            {**schema, "components": DOCUMENT["components"]},
            format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
        )


def test_fuzzed_requests_are_answered_as_the_document_says(house: House, board: Board) -> None:
    # The person who has the quotes, also as an operator: their routes look at more of a request.
    good = [house.forge.good(scope=scope) for scope in ("user", "user admin")]
    bad = [make() for make in list(house.forge.hostile().values())[::5]]
    chance = random.Random(4 + SEED)
    fuzzer = Fuzzer(
        chance, house.service, house.user(), lambda: chance.choice(good), bad, house.event
    )
    judge = Judge()
    for _ in range(REQUESTS):
        asked = fuzzer.next()
        judge.hear(asked, house.functions.invoke(asked.function, asked.event))
    said = ", ".join(f"{code}: {count}" for code, count in sorted(judge.statuses.items()))
    server_errors = sum(count for code, count in judge.statuses.items() if code >= 500)
    board.show(
        "S1a",
        ">= 10,000 fuzzed requests: no 5xx, every answer by its schema, no token ignored",
        f"{REQUESTS} requests, {server_errors} of 5xx, {len(judge.faults)} faults ({said})",
        passes=not judge.faults,
    )


def test_above_256_kb_every_route_answers_413_before_it_reads(house: House, board: Board) -> None:
    limit, statuses = 256 * 1024, []
    for function, path in (("estimate", "/estimate"), ("generate", "/generate-image")):
        for size in (limit + 1, limit * 2, 6_000_000):
            statuses += [
                house.ask(function, "POST", path, "x" * size, token=token)["statusCode"]
                for token in (None, house.functions.token)
            ]
    at_limit = house.ask("estimate", "POST", "/estimate", "x" * limit, token=house.functions.token)
    board.show(
        "S1b",
        "a body above 262,144 bytes is 413, one of exactly that is read",
        f"{len(statuses)} bodies above: {sorted(set(statuses))}; at the limit "
        f"{at_limit['statusCode']}",
        passes=set(statuses) == {413} and at_limit["statusCode"] == 400,
    )


def with_document(app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """Return the application with the document beside it, where schemathesis loads it."""

    def answer(environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/openapi.json":
            return app(environ, start)
        start("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(DOCUMENT).encode()]

    return answer


@pytest.mark.filterwarnings("default")
def test_schemathesis_finds_nothing(house: House, board: Board) -> None:
    app = with_document(application(house.functions.invoke, house.event))
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app, config=CONFIG)
    operator = house.forge.good(scope="user admin")
    token, calls = {"Authorization": f"Bearer {operator}"}, Counter[str]()
    for found in schema.get_all_operations():
        operation = cast("Ok[Any]", found).ok()
        for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
            examine(operation, mode, token, calls)
    operations = [one for path in DOCUMENT["paths"].values() for one in path if "-" not in one]
    board.show(
        "S1c",
        "schemathesis over the OpenAPI document: no failed check",
        f"{sum(calls.values())} cases of {len(calls)} operations, {len(CHECKS)} checks, 0 failed",
        passes=len(calls) == len(operations) and sum(calls.values()) >= 1_000,
    )


DOLLARS = ("maxCost", "usdToday", "usdThisMonth", "dailySpend", "monthlySpend")


def has_number_for_dollars(body: Any) -> bool:
    """Return whether dollars are a number: it is accepted, and the document names the text."""
    values = [body.get(name) for name in DOLLARS] if isinstance(body, dict) else []
    return any(isinstance(one, int | float) and not isinstance(one, bool) for one in values)


def is_another_route(parameters: Any) -> bool:
    """Return whether a value leaves nothing of the last part of a path: it is then the list's."""
    values = [unquote(str(value)) for value in dict(parameters or {}).values()]
    return any(not value.partition("?")[0].strip("/") for value in values)


def has_message_of_others(body: Any) -> bool:
    """Return whether a history has a message that an LLM or a tool wrote.

    Of such a message the fields that are not needed are left out, whatever is in them.
    """
    messages = body.get("messages") if isinstance(body, dict) else None
    found = [one for one in messages if isinstance(one, dict)] if isinstance(messages, list) else ()
    return any(one.get("role") in ("assistant", "tool", "function") for one in found)


def has_parameter_of_others(case: Any) -> bool:
    """Return whether a query has a parameter that the document does not name: it is ignored."""
    named = {one["name"] for one in case.operation.definition.raw.get("parameters", ())}
    return bool(set(case.query or ()) - named)


def examine(
    operation: Any,
    mode: schemathesis.GenerationMode,
    token: dict[str, str],
    calls: Counter[str],
) -> None:
    """Send what one operation's schema allows, or does not allow."""

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        derandomize=not SEED,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        calls[operation.label] += 1
        if has_number_for_dollars(case.body) or is_another_route(case.path_parameters):
            return
        is_lenient = has_message_of_others(case.body) or has_parameter_of_others(case)
        case.call_and_validate(headers=token, checks=WITHOUT_REJECTION if is_lenient else CHECKS)

    # Without a body nothing could be wrong: every text is an id that may be asked for.
    wrong = mode is schemathesis.GenerationMode.NEGATIVE
    may_be_none = wrong and "requestBody" not in operation.definition.raw
    with suppress(Unsatisfiable) if may_be_none else nullcontext():
        send()
