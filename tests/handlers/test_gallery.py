"""One's own images over HTTP: the list, what only the owner sees, and the deletion."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imagegen.edge.tokens import user_id
from local.issuer import Issuer
from tests.fakes.pictures import png
from tests.handlers.bridge import Bridge, body_of, openai_client
from tests.handlers.conftest import Functions
from tests.handlers.test_edges import request

PROMPT = "A photorealistic sunset over mountains"
BASE = "https://local.lambda-url.us-east-1.on.aws"
JSON = "application/json"


def call(
    functions: Functions, method: str, path: str, *, query: str = "", **headers: str | None
) -> dict[str, Any]:
    """Return the answer to a request; a header that is ``None`` is left out."""
    event = request(functions, method, path)
    event["rawQueryString"] = query
    event["queryStringParameters"] = dict(part.split("=", 1) for part in query.split("&") if part)
    for name, value in headers.items():
        if value is None:
            event["headers"].pop(name, None)
        else:
            event["headers"][name] = value
    return functions.invoke("generate", event)


def made(functions: Functions, user: str, prompt: str = PROMPT) -> Any:
    offer = functions.service.estimate(prompt, user)
    functions.service.confirm(offer, user)
    functions.service.clock.advance(1_000)
    return offer


def body(answer: dict[str, Any]) -> Any:
    return json.loads(answer["body"])


def test_the_list_is_paged_by_an_opaque_cursor(functions: Functions, user: str) -> None:
    offers = [made(functions, user, f"{PROMPT} {number}") for number in range(5)]
    found, query = [], "limit=2"
    while query:
        page = body(call(functions, "GET", "/images", query=query))
        assert len(page["images"]) <= 2
        found += page["images"]
        query = f"limit=2&cursor={page['nextCursor']}" if page["nextCursor"] else ""
    assert [one["id"] for one in found] == [one.image_id for one in offers[::-1]]
    assert [one["prompt"] for one in found] == [f"{PROMPT} {n}" for n in (4, 3, 2, 1, 0)]
    assert {"id", "imageUrl", "alt", "prompt", "size", "provider", "model", "quality", "charged",
            "createdAt", "mediaType", "derivedFrom", "provenance"} <= found[0].keys()  # fmt: skip
    assert found[0]["imageUrl"] == f"{BASE}/images/{found[0]['id']}"
    assert found[0]["cost"]["charged"] == "0.013200"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "query.limit"),
        ("limit=-1", "query.limit"),
        ("limit=101", "query.limit"),
        ("limit=two", "query.limit"),
        ("limit=1.5", "query.limit"),
        ("limit=", "query.limit"),
        ("cursor=", "cursor"),
        ("cursor=eA", "cursor"),
        ("cursor=null", "cursor"),
        ("offset=20", "query"),
        ("Limit=2", "query"),
        ("limit=2&page=2", "query"),
    ],
)
def test_a_bad_query_is_named_and_not_charged(functions: Functions, query: str, field: str) -> None:
    answer = call(functions, "GET", "/images", query=query)
    problem = body(answer)
    assert (answer["statusCode"], problem["charged"]) == (422, False)
    assert problem["errors"][0]["field"] == field


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=st.text(st.characters(exclude_characters="&=", codec="utf-8"), max_size=300))
def test_any_cursor_is_answered_and_never_with_a_500(functions: Functions, text: str) -> None:
    assert call(functions, "GET", "/images", query=f"cursor={text}")["statusCode"] in (200, 422)


def test_the_list_is_never_cached(functions: Functions) -> None:
    answer = call(functions, "GET", "/images")
    assert answer["statusCode"] == 200
    assert answer["headers"]["Cache-Control"] == "no-store"


def test_head_of_the_list_is_answered_without_a_body(functions: Functions) -> None:
    answer = call(functions, "HEAD", "/images")
    assert (answer["statusCode"], answer["body"]) == (200, "")


# What only the owner sees.


OTHERS: dict[str, str | None] = {
    "no token": None,
    "a broken token": "Bearer x.y.z",
    "no token at all": "Bearer ",
    "another scheme": "Basic YTpi",
    "an empty header": "",
    "rubbish": "💥",
}


@pytest.mark.parametrize("authorization", OTHERS.values(), ids=OTHERS)
def test_an_image_opens_with_any_token_and_shows_its_words_to_nobody_else(
    functions: Functions, user: str, authorization: str | None
) -> None:
    offer = made(functions, user)
    path = f"/images/{offer.image_id}"
    assert call(functions, "GET", path, authorization=authorization)["statusCode"] == 302
    answer = call(functions, "GET", path, authorization=authorization, accept=JSON)
    shown = body(answer)
    assert (answer["statusCode"], shown["status"]) == (200, "complete")
    assert (shown["prompt"], shown["style"], shown["derivedFrom"]) == (None, None, None)
    assert shown["inputs"] == []
    assert PROMPT not in answer["body"]


def test_another_user_sees_as_little_as_nobody(
    functions: Functions, people: Issuer, user: str
) -> None:
    offer = made(functions, user)
    token = f"Bearer {people.token('mallory')}"
    path = f"/images/{offer.image_id}"
    anonymous = call(functions, "GET", path, authorization=None, accept=JSON)
    assert call(functions, "GET", path, authorization=token, accept=JSON) == anonymous
    listed = body(call(functions, "GET", "/images", authorization=token))
    assert listed == {"images": [], "nextCursor": None}


def test_the_owner_sees_the_prompt_and_nobody_keeps_the_answer(
    functions: Functions, user: str
) -> None:
    offer = made(functions, user)
    answer = call(functions, "GET", f"/images/{offer.image_id}", accept=JSON)
    shown = body(answer)
    assert (shown["prompt"], shown["style"], shown["inputs"]) == (PROMPT, "", [])
    assert answer["headers"]["Cache-Control"] == "no-store"


def test_the_token_may_come_in_its_own_header(functions: Functions, user: str) -> None:
    offer = made(functions, user)
    headers = {"authorization": "AWS4-HMAC-SHA256 x", "x-imagegen-token": functions.token}
    answer = call(functions, "GET", f"/images/{offer.image_id}", accept=JSON, **headers)
    assert body(answer)["prompt"] == PROMPT


def test_provenance_is_told_to_everybody(functions: Functions, user: str) -> None:
    functions.service.react("openai", png())
    offer = made(functions, user)
    shown = body(
        call(functions, "GET", f"/images/{offer.image_id}", authorization=None, accept=JSON)
    )
    assert shown["provenance"] == {
        "generator": "openai",
        "model": shown["model"],
        "createdAt": shown["createdAt"],
        "c2pa": "absent",
        "watermark": "synthid",
    }


# Deleting.


@pytest.fixture
def deleted(functions: Functions, user: str) -> Any:
    offer = made(functions, user)
    answer = call(functions, "DELETE", f"/images/{offer.image_id}")
    assert (answer["statusCode"], answer["body"]) == (204, "")
    return offer


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("accept", [JSON, "image/*", None])
@pytest.mark.parametrize("token", [True, False])
def test_a_deleted_image_answers_410_to_everybody(
    functions: Functions,
    deleted: Any,
    method: str,
    accept: str | None,
    token: bool,  # noqa: FBT001
) -> None:
    authorization = f"Bearer {functions.token}" if token else None
    path = f"/images/{deleted.image_id}"
    answer = call(functions, method, path, accept=accept, authorization=authorization)
    assert answer["statusCode"] == 410
    if method == "GET":
        problem = body(answer)
        assert (problem["code"], problem["charged"]) == ("image_deleted", True)
        assert problem["retryable"] is False


def test_it_can_be_deleted_again_and_is_listed_no_more(functions: Functions, deleted: Any) -> None:
    for _ in range(2):
        assert call(functions, "DELETE", f"/images/{deleted.image_id}")["statusCode"] == 204
    assert body(call(functions, "GET", "/images"))["images"] == []
    assert body(call(functions, "GET", "/usage"))["images"] == 1
    assert body(call(functions, "GET", "/usage"))["spent"] == "0.013200"


def test_its_quote_is_answered_410_and_makes_nothing(
    functions: Functions, user: str, deleted: Any
) -> None:
    calls = len(functions.service.called)
    event = functions.event("generate/confirmed", QUOTE=deleted.quote)
    for later_ms in (0, 11 * 60_000, 86_400_000):
        functions.service.clock.advance(later_ms)
        answer = functions.invoke("generate", event)
        problem = body(answer)
        assert (answer["statusCode"], problem["code"]) == (410, "image_deleted")
        assert problem["charged"] is True
    assert len(functions.service.called) == calls


def test_mcp_says_that_it_was_deleted(functions: Functions, deleted: Any) -> None:
    event = functions.event("estimate/mcp-estimate")
    message = json.loads(event["body"])
    message["params"] |= {"name": "image_status", "arguments": {"imageId": deleted.image_id}}
    event["body"], event["headers"]["mcp-name"] = json.dumps(message), "image_status"
    result = body(functions.invoke("estimate", event))["result"]
    assert result["isError"]
    problem = result["_meta"]["imagegen/problem"]
    assert (problem["code"], problem["status"], problem["charged"]) == ("image_deleted", 410, True)


def test_an_openai_client_with_the_same_key_gets_410_and_pays_nothing(
    functions: Functions, user: str
) -> None:
    import openai  # noqa: PLC0415

    client = openai_client(Bridge(functions, "generate"))
    key = {"Idempotency-Key": "order-66"}
    answer = client.images.generate(prompt=PROMPT, model="standard", extra_headers=key)
    assert answer.data
    (image,) = body(call(functions, "GET", "/images"))["images"]
    assert call(functions, "DELETE", f"/images/{image['id']}")["statusCode"] == 204
    spent = functions.service.spent(user)
    for later_ms in (0, 86_400_000):
        functions.service.clock.advance(later_ms)
        with pytest.raises(openai.APIStatusError) as caught:
            client.images.generate(prompt=PROMPT, model="standard", extra_headers=key)
        assert caught.value.status_code == 410
        assert body_of(caught.value.response)["code"] == "image_deleted"
    assert functions.service.spent(user) == spent
    assert len(functions.service.called) == 1


def test_others_are_answered_as_if_there_were_no_such_image(
    functions: Functions, people: Issuer, user: str
) -> None:
    offer = made(functions, user)
    mallory = f"Bearer {people.token('mallory')}"
    theirs = call(functions, "DELETE", f"/images/{offer.image_id}", authorization=mallory)
    unknown = call(functions, "DELETE", f"/images/{'a' * 64}", authorization=mallory)
    assert theirs == unknown
    assert theirs["statusCode"] == 404
    assert (
        call(functions, "DELETE", f"/images/{offer.image_id}", authorization=None)["statusCode"]
        == 401
    )
    assert call(functions, "GET", f"/images/{offer.image_id}")["statusCode"] == 302


def test_a_deleted_image_is_not_shown_to_another_who_deletes_it(
    functions: Functions, people: Issuer, deleted: Any
) -> None:
    mallory = f"Bearer {people.token('mallory')}"
    path = f"/images/{deleted.image_id}"
    assert call(functions, "DELETE", path, authorization=mallory)["statusCode"] == 404


def test_an_image_in_the_making_is_answered_503_with_the_seconds_to_wait(
    functions: Functions, user: str
) -> None:
    offer = functions.service.estimate(PROMPT, user)
    seen = list[dict[str, Any]]()
    functions.service.providers["openai"].sleep = lambda _ms: seen.append(
        call(functions, "DELETE", f"/images/{offer.image_id}")
    )
    functions.service.confirm(offer, user)
    problem = body(seen[0])
    assert (seen[0]["statusCode"], problem["code"]) == (503, "still_running")
    assert (problem["charged"], problem["retryable"]) == (False, True)
    assert seen[0]["headers"]["Retry-After"] == "5"
    assert call(functions, "DELETE", f"/images/{offer.image_id}")["statusCode"] == 204


@pytest.mark.parametrize("path", ["/images/x", "/images/", "/images", f"/images/{'a' * 64}/x"])
def test_what_is_not_an_image_is_not_deleted(functions: Functions, path: str) -> None:
    assert call(functions, "DELETE", path)["statusCode"] in (404, 405)


@pytest.mark.parametrize("content_type", [None, JSON, "application/json; charset=utf-8"])
def test_a_delete_needs_no_body(functions: Functions, user: str, content_type: str | None) -> None:
    offer = made(functions, user)
    event = request(functions, "DELETE", f"/images/{offer.image_id}")
    event["headers"].pop("content-type", None)
    if content_type:
        event["headers"]["content-type"] = content_type
    assert functions.invoke("generate", event)["statusCode"] == 204


def test_no_word_of_a_prompt_is_in_a_log_line(
    functions: Functions, user: str, capsys: pytest.CaptureFixture[str]
) -> None:
    canary = "a canary named Tweety Sylvester"
    offer = made(functions, user, f"{canary} photorealistic sunset")
    call(functions, "GET", "/images")
    call(functions, "GET", f"/images/{offer.image_id}", accept=JSON)
    call(functions, "DELETE", f"/images/{offer.image_id}")
    call(functions, "GET", "/images", query="cursor=Tweety")
    printed = capsys.readouterr()
    assert "Tweety" not in printed.out + printed.err


def test_the_user_of_the_token_is_the_one_of_the_ledger(people: Issuer, user: str) -> None:
    assert user_id(people.url, "alice") == user
