"""The routes for operators: closed without the scope, and what they change is live and recorded."""

import json
from typing import Any

import pytest

from generators.openapi import handler_of
from imagegen.domain.keys import KeyLine, ProgramKey
from imagegen.guard import CACHE_MS
from local.issuer import Issuer
from tests.handlers.conftest import Functions

BODIES: dict[str, dict[str, Any]] = {
    "/admin/providers/switch": {"provider": "openai", "on": False, "reason": "drill"},
    "/admin/circuits/reset": {"circuit": "openai"},
    "/admin/people/find": {"subject": "alice"},
    "/admin/people/block": {"user": "a1" * 16, "blocked": True},
    "/admin/people/erase": {"user": "a1" * 16, "reason": "their letter of today"},
    "/admin/budgets/find": {"level": "team", "team": "design"},
    "/admin/budgets/set": {"level": "teams", "dailySpend": "5"},
    "/admin/keys/make": {"name": "a tool", "scopes": ["images"], "dailySpend": "5"},
    "/admin/keys/rotate": {"keyId": "abcdefgh"},
    "/admin/keys/revoke": {"keyId": "abcdefgh"},
}


def routes() -> list[tuple[str, str]]:
    """Return every route of the function. The resolver has no public list of them."""
    api = handler_of("admin").api
    found = (*api._static_routes, *api._dynamic_routes)
    return sorted((one.method, one.openapi_path) for one in found)


def ask(
    functions: Functions, method: str, path: str, token: str | None, body: object = None
) -> dict[str, Any]:
    event = functions.event("admin/providers")
    event["rawPath"] = path
    event["requestContext"]["http"].update(method=method, path=path)
    event["headers"].pop("authorization")
    if token is not None:
        event["headers"]["authorization"] = f"Bearer {token}"
    given = BODIES.get(path) if body is None else body
    event["body"] = None if method == "GET" else json.dumps(given)
    return functions.invoke("admin", event)


def body_of(answer: dict[str, Any]) -> dict[str, Any]:
    assert answer["statusCode"] == 200, answer["body"]
    found: dict[str, Any] = json.loads(answer["body"])
    return found


@pytest.mark.parametrize(("method", "path"), routes())
def test_every_route_is_closed_without_the_scope_of_operators(
    functions: Functions, people: Issuer, method: str, path: str
) -> None:
    tokens = {
        None: 401,
        "": 401,
        "x.y.z": 401,
        people.token("alice"): 403,
        people.token("alice", "user"): 403,
        people.token("alice", "user adminx"): 403,
        people.token("alice", "Admin"): 403,
        people.token("admin"): 403,
    }
    service = functions.service
    for token, status in tokens.items():
        stores = (service.circuits, service.ledgers, service.trail, service.program_keys)
        before = [one.writes for one in stores]
        answer = ask(functions, method, path, token)
        assert answer["statusCode"] == status, (method, path, token)
        assert "openai" not in answer["body"]
        assert before == [one.writes for one in stores]
        assert json.loads(answer["body"])["charged"] is False


@pytest.mark.parametrize(("method", "path"), routes())
def test_every_route_is_open_with_it(functions: Functions, method: str, path: str) -> None:
    line, clock = KeyLine(5_000_000), functions.service.clock
    key = ProgramKey("abcdefgh", "a", frozenset({"images"}), line, b"", clock(), "eve")
    assert functions.service.program_keys.add(key)
    assert ask(functions, method, path, functions.admin_token)["statusCode"] == 200


def test_every_route_that_changes_something_has_a_body_here() -> None:
    assert {path for method, path in routes() if method == "POST"} == set(BODIES)


def test_a_provider_that_is_switched_off_is_gone_from_the_next_estimate(
    functions: Functions,
) -> None:
    status, before = functions.answer("estimate/prompt-only")
    assert status == 200
    for name in functions.service.catalog.providers:
        if name != "gemini":
            body = {"provider": name, "on": False, "reason": "drill"}
            ask(functions, "POST", "/admin/providers/switch", functions.admin_token, body)
    functions.service.clock.advance(CACHE_MS)
    _, after = functions.answer("estimate/prompt-only")
    assert before["provider"] != after["provider"] == "gemini"
    health = json.loads(functions.invoke("health", functions.event("health/report"))["body"])
    shown = {one["provider"]: one["enabled"] for one in health["providers"]}
    assert [name for name, enabled in shown.items() if enabled] == ["gemini"]


def test_a_person_is_found_blocked_and_refused_and_the_trail_has_it(
    functions: Functions, user: str
) -> None:
    token = functions.admin_token
    functions.service.make(user=user)
    found = body_of(ask(functions, "POST", "/admin/people/find", token))
    assert (found["user"], found["images"], found["known"]) == (user, 1, True)
    body = {"user": user, "blocked": True, "reason": "abuse"}
    assert body_of(ask(functions, "POST", "/admin/people/block", token, body))["blocked"] is True
    offer = functions.service.estimate("A photorealistic sunset over mountains", user)
    status, refused = functions.answer("generate/confirmed", QUOTE=offer.quote)
    assert (status, refused["code"]) == (429, "blocked")
    (entry,) = body_of(ask(functions, "GET", "/admin/trail", token))["entries"]
    assert {name: one for name, one in entry.items() if name not in ("who", "at")} == {
        "action": "user_blocked",
        "target": user,
        "old": "free",
        "new": "blocked",
        "reason": "abuse",
    }
    assert entry["who"].startswith("user:")
    assert user not in entry["who"]


def test_what_was_spent_today_is_shown_by_person_and_model(functions: Functions, user: str) -> None:
    made = functions.service.make(user=user).record
    found = body_of(ask(functions, "GET", "/admin/spending", functions.admin_token))
    assert found["byPerson"][0]["name"] == user
    assert found["byModel"][0]["name"] == f"{made.provider}/{made.model}"
    assert found["total"]["charged"] == found["byPerson"][0]["sums"]["charged"] != "0.000000"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/admin/providers/switch", {}),
        ("/admin/providers/switch", {"provider": "openai", "on": "perhaps"}),
        ("/admin/providers/switch", {"provider": "openai", "on": False, "reason": "x" * 501}),
        ("/admin/providers/switch", {"provider": "openai", "on": False, "who": "somebody"}),
        ("/admin/circuits/reset", {"circuit": "nobody"}),
        ("/admin/people/find", {}),
        ("/admin/people/find", {"subject": ""}),
        ("/admin/people/find", {"user": "alice"}),
        ("/admin/people/block", {"user": "alice", "blocked": True}),
        ("/admin/people/block", {"user": "a1" * 16, "blocked": None}),
    ],
)
def test_a_wrong_request_is_422_and_changes_nothing(
    functions: Functions, path: str, body: dict[str, Any]
) -> None:
    answer = ask(functions, "POST", path, functions.admin_token, body)
    assert answer["statusCode"] == 422
    assert not functions.service.trail.entries
    assert not functions.service.circuits.writes


@pytest.mark.parametrize("query", ["days=1", "day=2026-11-22&user=a", "hours=0", "hours=x"])
@pytest.mark.parametrize("path", ["/admin/spending", "/admin/failures", "/admin/trail"])
def test_an_unknown_or_wrong_parameter_is_not_passed_over(
    functions: Functions, path: str, query: str
) -> None:
    event = functions.event("admin/providers")
    event["rawPath"], event["rawQueryString"] = path, query
    event["requestContext"]["http"]["path"] = path
    event["queryStringParameters"] = dict(one.split("=") for one in query.split("&"))
    assert functions.invoke("admin", event)["statusCode"] == 422


def test_a_line_of_an_operators_request_names_the_operator_and_no_person(
    functions: Functions, user: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(functions, "POST", "/admin/people/find", functions.admin_token, {"user": "alice"})
    text = capsys.readouterr().out
    assert "request refused" in text
    assert user not in text
    assert "alice" not in text


def test_a_key_is_made_over_http_used_and_revoked_and_the_trail_names_who(
    functions: Functions,
) -> None:
    token = functions.admin_token
    made = body_of(ask(functions, "POST", "/admin/keys/make", token))
    text, key_id = made["keyText"], made["key"]["keyId"]
    event = functions.event("generate/usage")
    event["headers"]["authorization"] = f"Bearer {text}"
    assert functions.invoke("generate", event)["statusCode"] == 200
    listed = ask(functions, "GET", "/admin/keys", token)
    assert [one["keyId"] for one in body_of(listed)["keys"]] == [key_id]
    assert text[11:] not in listed["body"]
    revoke = {"keyId": key_id, "reason": "leaked"}
    assert body_of(ask(functions, "POST", "/admin/keys/revoke", token, revoke))["state"] == (
        "revoked"
    )
    functions.service.clock.advance(60_000)
    assert functions.invoke("generate", event)["statusCode"] == 401
    entries = body_of(ask(functions, "GET", "/admin/trail", token))["entries"]
    assert [one["action"] for one in entries] == ["key_revoked", "key_made"]
    assert {one["who"] for one in entries} == {made["key"]["madeBy"]}


@pytest.mark.parametrize("scopes", [["admin"], ["images", "people"], ["estimate", "chat"]])
def test_a_program_is_an_operator_with_that_scope_alone_and_for_nobody_else(
    functions: Functions, scopes: list[str]
) -> None:
    order = {"name": "a tool", "scopes": scopes, "dailySpend": "5"}
    made = body_of(ask(functions, "POST", "/admin/keys/make", functions.admin_token, order))
    for method, path in routes():
        status = ask(functions, method, path, made["keyText"])["statusCode"]
        assert (status != 403) == (scopes == ["admin"]), path
        assert status != 401
