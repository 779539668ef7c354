"""Keys for programs over HTTP: where they may be, what they open, for whom, and what is logged."""

import json
import secrets
from dataclasses import replace
from typing import Any

import pytest

from imagegen.domain.callers import ADMIN, CHAT, ESTIMATE, IMAGES, PEOPLE
from imagegen.domain.keys import KeyLine
from imagegen.domain.ledger import Limits
from imagegen.edge.credentials import KEY_SCOPES, key_scope
from imagegen.edge.tokens import user_id
from imagegen.usecases.program_keys import KeyOrder, KeyRing, MadeKey
from imagegen.wire.headers import ON_BEHALF_OF
from local.issuer import Issuer
from tests.clients.replayed import REPLAYED, Replayed
from tests.fakes.service import IMAGE_ID_KEY, PROMPT
from tests.handlers.bridge import Bridge, openai_client
from tests.handlers.conftest import DOCUMENT, Functions

LINE = KeyLine(5_000_000, 50_000_000, 100)
OPENAI = "/v1/images/generations"
ROUTES = {
    ("estimate", "POST", "/estimate"): ESTIMATE,
    ("estimate", "GET", "/models"): ESTIMATE,
    ("estimate", "GET", "/tools/generate_image"): ESTIMATE,
    ("estimate", "POST", "/mcp"): ESTIMATE,
    ("estimate", "POST", "/inputs"): IMAGES,
    ("generate", "POST", "/generate-image"): IMAGES,
    ("generate", "GET", "/images"): IMAGES,
    ("generate", "DELETE", "/images/x"): IMAGES,
    ("generate", "POST", OPENAI): IMAGES,
    ("generate", "POST", "/v1/images/edits"): IMAGES,
    ("generate", "GET", "/v1/models"): ESTIMATE,
    ("generate", "GET", "/v1/models/fast"): ESTIMATE,
    ("generate", "GET", "/usage"): ESTIMATE,
    ("chat", "POST", "/chat"): CHAT,
}


def ring(functions: Functions) -> KeyRing:
    service = functions.service
    return KeyRing(service.program_keys, lambda: IMAGE_ID_KEY, service.clock, secrets.token_bytes)


def make(functions: Functions, *scopes: str, **changes: Any) -> MadeKey:
    order = KeyOrder("Open WebUI", frozenset(scopes or {IMAGES}), LINE)
    return ring(functions).create(replace(order, **changes), "operator")


def ask(
    functions: Functions, route: tuple[str, str, str], body: Any = None, **headers: str
) -> tuple[int, dict[str, Any]]:
    """Return status and body of what a route answers to these headers and no others."""
    function, method, path = route
    event = functions.event("estimate/prompt-only")
    event["rawPath"], event["body"] = path, None if body is None else json.dumps(body)
    event["requestContext"]["http"].update(method=method, path=path)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    event["headers"] = {"content-type": "application/json", "host": "url.test"} | sent
    got = functions.invoke(function, event)
    text = got["body"] or "{}"
    return got["statusCode"], json.loads(text) if text.startswith("{") else {"text": text}


def bearer(made: MadeKey) -> dict[str, str]:
    return {"authorization": f"Bearer {made.text}"}


def buy(functions: Functions, made: MadeKey, **headers: str) -> tuple[int, dict[str, Any]]:
    body = {"prompt": PROMPT, "model": "fast"}
    return ask(functions, ("generate", "POST", OPENAI), body, **bearer(made), **headers)


def test_each_route_has_a_decision_of_which_scope_a_key_needs() -> None:
    for path, methods in DOCUMENT["paths"].items():
        scopes = {key_scope(path.replace("{", "").replace("}", ""))}
        assert methods
        assert None not in scopes, f"name {path} in KEY_SCOPES of edge/credentials.py"
    assert {path: key_scope(path) for _, _, path in ROUTES} == {
        path: scope for (_, _, path), scope in ROUTES.items()
    }


@pytest.mark.parametrize(
    "path", ["/", "", "/v1", "/secrets", "/imagesx", "/openapi.json", "/v1/files", "/chat2", "//"]
)
def test_a_path_that_is_not_named_accepts_no_key(path: str) -> None:
    assert key_scope(path) is None


def test_a_scope_is_one_of_those_that_keys_have() -> None:
    assert set(KEY_SCOPES.values()) == {ESTIMATE, IMAGES, CHAT, ADMIN}


@pytest.mark.parametrize("scope", [ESTIMATE, IMAGES, CHAT, ADMIN])
@pytest.mark.parametrize("route", ROUTES)
def test_a_key_opens_the_routes_of_its_scope_and_gets_403_at_all_others(
    functions: Functions, route: tuple[str, str, str], scope: str
) -> None:
    status, answer = ask(functions, route, {}, **bearer(make(functions, scope)))
    wanted = ROUTES[route]
    is_open = scope == wanted or (scope, wanted) == (IMAGES, ESTIMATE)
    assert (status not in (401, 403)) == is_open, answer
    if not is_open:
        detail = answer.get("detail") or answer["error"]["message"]
        assert f"the scope '{wanted}' is needed" in detail


def test_the_health_report_shows_details_to_a_key_of_an_operator_alone(
    functions: Functions,
) -> None:
    path = ("health", "GET", "/health-check/image-providers")
    seen = {
        scope: "lastKeyCheck" in json.dumps(ask(functions, path, **bearer(make(functions, scope))))
        for scope in (ADMIN, IMAGES)
    }
    plain = json.dumps(ask(functions, path))
    images = json.dumps(ask(functions, path, **bearer(make(functions, IMAGES))))
    assert images == plain
    assert seen[ADMIN] or "status" in plain


@pytest.mark.parametrize("header", ["authorization", "x_imagegen_token", "api_key", "x_api_key"])
def test_a_key_may_be_in_each_header_in_which_clients_send_one(
    functions: Functions, header: str
) -> None:
    made = make(functions, IMAGES)
    value = f"Bearer {made.text}" if header == "authorization" else made.text
    status, usage = ask(functions, ("generate", "GET", "/usage"), **{header: value})
    assert (status, usage["limits"]["usdToday"]) == (200, "5.000000")


def test_one_key_in_several_headers_is_one_and_two_keys_are_refused(functions: Functions) -> None:
    made, other, usage = make(functions), make(functions), ("generate", "GET", "/usage")
    assert ask(functions, usage, **bearer(made), api_key=made.text, x_api_key=made.text)[0] == 200
    assert ask(functions, usage, **bearer(made), api_key=other.text)[0] == 401
    assert ask(functions, usage, api_key=made.text, x_api_key=other.text)[0] == 401
    assert ask(functions, usage, x_imagegen_token=made.text, api_key=other.text)[0] == 401
    token = f"Bearer {functions.token}"
    assert ask(functions, usage, authorization=token, api_key=made.text)[0] == 401


def test_what_else_is_in_the_header_of_keys_changes_nothing(functions: Functions) -> None:
    usage, token = ("generate", "GET", "/usage"), f"Bearer {functions.token}"
    for other in ("sk-123", functions.token, "", "IK_ABC"):
        assert ask(functions, usage, authorization=token, api_key=other)[0] == 200
        assert ask(functions, usage, api_key=other)[0] == 401


def test_behind_a_signature_a_key_is_where_the_token_would_be(functions: Functions) -> None:
    made, signed = make(functions), "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/x, Signature=0"
    usage = ("generate", "GET", "/usage")
    assert ask(functions, usage, authorization=signed, x_imagegen_token=made.text)[0] == 200
    assert ask(functions, usage, authorization=signed, x_api_key=made.text)[0] == 200


@pytest.mark.parametrize("scheme", ["Basic", "Token", "Key", "bearer\t"])
def test_a_key_is_a_bearer_credential(functions: Functions, scheme: str) -> None:
    made, usage = make(functions), ("generate", "GET", "/usage")
    assert ask(functions, usage, authorization=f"{scheme} {made.text}")[0] == 401
    assert ask(functions, usage, authorization=f"bEARER   {made.text} ")[0] == 200


def test_a_program_prices_confirms_sees_and_deletes_its_own_image(functions: Functions) -> None:
    made, headers = make(functions), bearer(make(functions))
    status, offer = ask(functions, ("estimate", "POST", "/estimate"), {"prompt": PROMPT}, **headers)
    assert (status, offer["remaining"]["usdToday"]) == (200, "5.000000")
    assert offer["remaining"]["imagesThisHour"] is None
    order = {"quote": offer["quote"], "prompt": PROMPT}
    status, image = ask(functions, ("generate", "POST", "/generate-image"), order, **headers)
    assert status == 200, image
    listed = ask(functions, ("generate", "GET", "/images"), **headers)[1]["images"]
    assert [one["id"] for one in listed] == [image["id"]]
    assert ask(functions, ("generate", "GET", "/images"), **bearer(made))[1]["images"] == []
    wrong = ask(functions, ("generate", "DELETE", f"/images/{image['id']}"), **bearer(made))
    assert wrong[0] == 404
    assert ask(functions, ("generate", "DELETE", f"/images/{image['id']}"), **headers)[0] == 204


def test_a_quote_of_one_program_is_good_for_no_other_and_for_no_person(
    functions: Functions,
) -> None:
    made, other = make(functions), make(functions)
    price = ("estimate", "POST", "/estimate")
    offer = ask(functions, price, {"prompt": PROMPT}, **bearer(made))[1]
    order, confirm = (
        {"quote": offer["quote"], "prompt": PROMPT},
        ("generate", "POST", "/generate-image"),
    )
    assert ask(functions, confirm, order, **bearer(other))[1]["code"] == "quote_invalid"
    token = f"Bearer {functions.token}"
    assert ask(functions, confirm, order, authorization=token)[1]["code"] == "quote_invalid"


def test_a_program_spends_up_to_its_line_and_not_a_cent_more(functions: Functions) -> None:
    made = make(functions, line=KeyLine(50_000, None, 1_000))
    status, answers = 200, []
    while status == 200:
        status, answer = buy(functions, made)
        answers.append(answer)
    assert answers[-1]["error"]["code"] == "daily_spend"
    spent = sum(functions.service.ledger(made.key.user).spent.values())
    price = spent // (len(answers) - 1)
    assert 50_000 - 3 * price < spent <= 50_000
    stored = [record for _, record in functions.service.images.objects.values()]
    assert sum(one.charged_microusd for one in stored) == spent
    functions.service.check_levels()


def test_a_program_makes_no_more_images_of_a_day_than_its_line_says(functions: Functions) -> None:
    made = make(functions, line=KeyLine(5_000_000, None, 12))
    statuses = [buy(functions, made)[0] for _ in range(13)]
    assert statuses == [200] * 12 + [429]


def test_a_programs_month_ends_where_its_line_says(functions: Functions) -> None:
    made = make(functions, line=KeyLine(50_000, 50_000, 1_000))
    while buy(functions, made)[0] == 200:
        pass
    functions.service.clock.advance(86_400_000)
    status, answer = buy(functions, made)
    assert (status, answer["error"]["code"]) == (429, "monthly_spend")


def test_the_limits_of_people_are_not_those_of_programs(functions: Functions) -> None:
    functions.service.redeploy(limits=Limits(1, 1, 1, 10_000_000))
    made = make(functions)
    assert [buy(functions, made)[0] for _ in range(3)] == [200, 200, 200]
    token = f"Bearer {functions.token}"
    body, route = {"prompt": PROMPT, "model": "fast"}, ("generate", "POST", OPENAI)
    got = [ask(functions, route, body, authorization=token)[0] for _ in range(2)]
    assert got == [200, 429]


def test_on_behalf_of_a_person_an_image_counts_for_both(
    functions: Functions, people: Issuer
) -> None:
    made, alice = make(functions, IMAGES, PEOPLE), user_id(people.url, "alice")
    status, answer = buy(functions, made, **{ON_BEHALF_OF: "alice"})
    assert status == 200, answer
    service = functions.service
    charged = sum(service.ledger(alice).spent.values())
    assert charged > 0
    months = {name: used.month_microusd for (name, _), used in service.budgets.budgets.items()}
    assert months == {f"K#{made.key.id}": charged, "O": charged}
    assert service.ledger(made.key.user).spent == {}
    token = f"Bearer {functions.token}"
    own = ask(functions, ("generate", "GET", "/usage"), authorization=token)[1]
    assert own["images"] == 1
    listed = ask(functions, ("generate", "GET", "/images"), authorization=token)[1]["images"]
    assert len(listed) == 1


def test_what_is_made_in_the_background_for_a_person_counts_at_the_key_from_its_hold_on(
    functions: Functions,
) -> None:
    made, service = make(functions, IMAGES, PEOPLE), functions.service
    headers = {**bearer(made), ON_BEHALF_OF: "alice"}
    offer = ask(functions, ("estimate", "POST", "/estimate"), {"prompt": PROMPT}, **headers)[1]
    order = {"quote": offer["quote"], "prompt": PROMPT}
    route = ("generate", "POST", "/generate-image")
    status, _ = ask(functions, route, order, prefer="respond-async", **headers)
    assert status == 202
    level = f"K#{made.key.id}"
    assert len(service.budgets.load(level, "202611").marks) == 1
    (event,) = service.events
    service.deliver(event)
    budget = service.budgets.load(level, "202611")
    assert budget.month_microusd == sum(one.charged_microusd for one in service.finished) > 0
    assert not budget.marks


def test_several_images_of_a_call_for_a_person_count_one_by_one(functions: Functions) -> None:
    made = make(functions, IMAGES, PEOPLE)
    body, named = {"prompt": PROMPT, "model": "fast", "n": 3}, {ON_BEHALF_OF: "alice"}
    status, answer = ask(functions, ("generate", "POST", OPENAI), body, **bearer(made), **named)
    assert (status, len(answer["data"])) == (200, 3)
    charged = sum(one.charged_microusd for one in functions.service.finished)
    budget = functions.service.budgets.load(f"K#{made.key.id}", "202611")
    assert budget.month_microusd == charged > 0


def test_a_key_of_people_that_names_nobody_counts_at_the_same_line(functions: Functions) -> None:
    made = make(functions, IMAGES, PEOPLE, line=KeyLine(50_000, None, 1_000))
    people = [{}, *({ON_BEHALF_OF: f"person {number}"} for number in range(9))]
    status, last = 200, dict[str, Any]()
    for turn in range(100):
        status, last = buy(functions, made, **people[turn % len(people)])
        if status != 200:
            break
    assert (status, last["error"]["code"]) == (429, "key_daily_spend")
    assert "your key" in last["error"]["message"]
    budget = functions.service.budgets.load(f"K#{made.key.id}", "202611")
    assert 0 < budget.month_microusd <= 50_000
    assert not budget.marks


def test_a_persons_own_limit_stops_what_a_program_does_for_them(functions: Functions) -> None:
    functions.service.redeploy(limits=Limits(2, 50, 100, 10_000_000))
    made = make(functions, IMAGES, PEOPLE)
    got = [buy(functions, made, **{ON_BEHALF_OF: "alice"}) for _ in range(3)]
    assert [status for status, _ in got] == [200, 200, 429]
    assert got[-1][1]["error"]["code"] == "hourly_images"
    assert buy(functions, made, **{ON_BEHALF_OF: "bob"})[0] == 200
    token = f"Bearer {functions.token}"
    body, route = {"prompt": PROMPT, "model": "fast"}, ("generate", "POST", OPENAI)
    assert ask(functions, route, body, authorization=token)[0] == 429


def test_the_estimate_shows_the_keys_line_and_that_it_would_stop_the_click(
    functions: Functions,
) -> None:
    made = make(functions, IMAGES, PEOPLE, line=KeyLine(100, 200, 9))
    headers = {**bearer(made), ON_BEHALF_OF: "alice"}
    _, offer = ask(functions, ("estimate", "POST", "/estimate"), {"prompt": PROMPT}, **headers)
    level = {"level": "key", "usdToday": "0.000100", "usdThisMonth": "0.000200"}
    assert level in offer["remaining"]["levels"]
    assert offer["blocked"]["reason"] in ("key_daily_spend", "key_monthly_spend")


def test_only_a_key_may_name_a_person_and_no_page(functions: Functions) -> None:
    usage, named = ("generate", "GET", "/usage"), {ON_BEHALF_OF: "alice"}
    token = f"Bearer {functions.token}"
    assert ask(functions, usage, authorization=token, **named)[0] == 403
    assert ask(functions, usage, **named)[0] == 403
    plain, of_people = make(functions), make(functions, IMAGES, PEOPLE)
    assert ask(functions, usage, **bearer(plain), **named)[0] == 403
    assert ask(functions, usage, **bearer(of_people), **named)[0] == 200
    page = {"origin": "https://chat.example.com"}
    assert ask(functions, usage, **bearer(of_people), **named, **page)[0] == 403
    assert ask(functions, usage, **bearer(plain), **page)[0] == 200


def test_a_chat_for_a_person_counts_for_the_person_and_for_the_program(
    functions: Functions, people: Issuer
) -> None:
    made, alice = make(functions, CHAT, PEOPLE), user_id(people.url, "alice")
    line = {"messages": [{"role": "user", "content": "Hello"}]}
    headers = {**bearer(made), ON_BEHALF_OF: "alice"}
    assert ask(functions, ("chat", "POST", "/chat"), line, **headers)[0] == 200
    usages = functions.service.chat_usages.usages
    assert {user: one.chats for (user, _), one in usages.items()} == {
        alice: 1, made.key.user: 1,
    }  # fmt: skip
    assert not any(one.reservations for one in usages.values())


def test_a_program_chats_within_its_own_number_and_people_within_theirs(
    functions: Functions,
) -> None:
    line = {"messages": [{"role": "user", "content": "Hello"}]}
    few = replace(LINE, daily_chats=2)
    made = make(functions, CHAT, PEOPLE, line=few)
    told = []
    for person in ("a", "b", "c"):
        headers = {**bearer(made), ON_BEHALF_OF: person}
        told.append(ask(functions, ("chat", "POST", "/chat"), line, **headers))
    texts = [json.dumps(answer) for _, answer in told]
    assert ["daily_chats" in text for text in texts] == [False, False, True]
    alone = make(functions, CHAT, line=few)
    told = [ask(functions, ("chat", "POST", "/chat"), line, **bearer(alone)) for _ in range(3)]
    assert ["daily_chats" in json.dumps(answer) for _, answer in told] == [False, False, True]


def test_a_revoked_key_is_refused_by_each_function_within_a_minute(functions: Functions) -> None:
    made = make(functions, ESTIMATE, IMAGES, CHAT)
    routes = [route for route in ROUTES if route[1] == "GET"]
    for route in routes:
        assert ask(functions, route, **bearer(made))[0] not in (401, 403)
    ring(functions).revoke(made.key.id)
    functions.service.clock.advance(60_000)
    for route in routes:
        status, answer = ask(functions, route, **bearer(made))
        assert status == 401
        assert "revoked" in json.dumps(answer)


def test_openais_client_works_with_a_key_and_gets_openais_errors(functions: Functions) -> None:
    made = make(functions, IMAGES)
    functions.token = made.text
    client = openai_client(Bridge(functions, "generate"))
    got = client.images.generate(prompt=PROMPT, model="fast", n=2)
    assert got.data is not None
    assert len(got.data) == 2
    assert [one.id for one in client.models.list()]
    assert sum(functions.service.ledger(made.key.user).spent.values()) > 0
    status, answer = ask(
        functions, ("generate", "POST", OPENAI), {"prompt": PROMPT}, authorization="Bearer ik_x"
    )
    assert (status, answer["error"]["code"]) == (401, "invalid_api_key")


@pytest.mark.parametrize(
    "request_of",
    [one for one in REPLAYED if one.client.startswith(("Open WebUI", "LibreChat", "n8n"))],
    ids=lambda one: one.client,
)
def test_a_tool_draws_with_a_key_as_it_is_and_for_each_of_its_people(
    functions: Functions, request_of: Replayed
) -> None:
    made, route = make(functions, IMAGES, PEOPLE), ("generate", "POST", OPENAI)
    for headers in ({}, {ON_BEHALF_OF: "an-id-of-the-tool"}):
        status, answer = ask(functions, route, dict(request_of.body), **bearer(made), **headers)
        assert status == 200, answer
        assert len(answer["data"]) == request_of.body["n"]
    users = {user for user, one in functions.service.ledgers.ledgers.items() if one.spent}
    assert len(users) == 2
    assert made.key.user in users


def test_a_view_of_mcp_confirms_with_the_key_and_the_person_of_its_call(
    functions: Functions,
) -> None:
    sent: list[dict[str, str]] = []

    def post(_url: str, _body: str, headers: Any) -> tuple[int, bytes]:
        sent.append(dict(headers))
        return 200, b"{}"

    functions.service.post = post
    headers = {"x-api-key": "ik_1", ON_BEHALF_OF: "alice", "cookie": "no"}
    functions.service.functions.relay(headers, "{}")
    assert sent == [{"x-api-key": "ik_1", ON_BEHALF_OF: "alice"}]


def test_the_store_of_keys_is_not_asked_for_anything_but_keys(functions: Functions) -> None:
    token = f"Bearer {functions.token}"
    for given in (token, "Bearer ik_", "Bearer ik_x", "Bearer x", f"Bearer ik_{'a' * 64}"):
        ask(functions, ("generate", "GET", "/usage"), authorization=given)
    assert functions.service.program_keys.reads == 0


def test_while_the_keys_cannot_be_read_programs_wait_and_people_go_on(
    functions: Functions,
) -> None:
    made, usage = make(functions), ("generate", "GET", "/usage")
    functions.service.wire.refused = ("program_keys.find",)
    assert ask(functions, usage, **bearer(made))[0] == 503
    assert ask(functions, usage, authorization=f"Bearer {functions.token}")[0] == 200


def test_lines_name_the_key_by_its_id_and_never_show_it(
    functions: Functions, capsys: pytest.CaptureFixture[str]
) -> None:
    made = make(functions, ESTIMATE, PEOPLE)
    route, usage = ("generate", "POST", OPENAI), ("generate", "GET", "/usage")
    capsys.readouterr()
    ask(functions, route, {"prompt": PROMPT}, **bearer(made))
    ask(functions, usage, **bearer(made), api_key=made.text[:-1])
    ask(functions, usage, authorization=f"Bearer {made.text[:-1]}")
    ask(functions, usage, authorization=f"Bearer {made.text} {made.text}")
    ask(functions, usage, x_api_key=made.text, **{ON_BEHALF_OF: made.text * 5})
    assert buy(functions, make(functions, line=KeyLine(1)))[0] == 429
    lines = capsys.readouterr().out
    assert lines.strip()
    assert made.text[11:30] not in lines
    assert '"key_id":' in lines
