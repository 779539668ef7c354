"""Odd spellings of requests that clients send, and what each route makes of them."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from imagegen.wire.estimates import EstimateRequest
from tests.handlers.conftest import Functions
from tests.handlers.test_edges import request

BODY = {"prompt": "A red fox"}


def asked(
    functions: Functions, name: str, method: str, path: str, body: Any = None, **headers: str
) -> dict[str, Any]:
    event = request(functions, method, path, body)
    event["headers"].update({key.replace("_", "-"): value for key, value in headers.items()})
    return functions.invoke(name, event)


@pytest.mark.parametrize(
    "kind",
    ["APPLICATION/JSON", "application/json;", ' application/json ; charset="UTF-8"',
     "application/json;charset=utf-8;v=1", "Application/Json;Charset=Utf-8", ""],
)  # fmt: skip
def test_json_is_json_however_its_type_is_written(functions: Functions, kind: str) -> None:
    assert asked(functions, "estimate", "POST", "/estimate", BODY, content_type=kind)[
        "statusCode"
    ] == 200  # fmt: skip


@pytest.mark.parametrize(
    "kind",
    ["application/json; charset=UTF-16", "text/json", "application/x-json", "text/plain",
     "application/json, application/json", "application/jsonp", "multipart/form-data"],
)  # fmt: skip
@pytest.mark.parametrize(
    ("name", "path"), [("estimate", "/estimate"), ("generate", "/v1/images/generations")]
)
def test_another_type_is_refused_in_the_words_of_its_route(
    functions: Functions, name: str, path: str, kind: str
) -> None:
    answer = asked(functions, name, "POST", path, BODY, content_type=kind)
    body = json.loads(answer["body"])
    assert answer["statusCode"] == 415
    assert "error" in body if path.startswith("/v1") else body["code"] == "unsupported_media_type"


@pytest.mark.parametrize(
    ("name", "method", "path"),
    [
        ("estimate", "POST", "///estimate///"),
        ("estimate", "GET", "//models//"),
        ("estimate", "GET", "//.well-known//oauth-protected-resource/mcp/"),
        ("generate", "POST", "//v1/images//generations//"),
        ("generate", "GET", "//v1//models//"),
        ("generate", "GET", "/v1/models/gpt-image-2.5-flare/"),
        ("generate", "GET", "//usage"),
        ("health", "GET", "//health-check//image-providers/"),
    ],
)
def test_a_slash_too_many_leads_to_the_same_route(
    functions: Functions, name: str, method: str, path: str
) -> None:
    body = BODY if method == "POST" else None
    assert asked(functions, name, method, path, body)["statusCode"] == 200


@pytest.mark.parametrize(
    "path",
    ["/./estimate", "/x/../estimate", "/%65stimate", "/Estimate", "/estimate%2F", "/estimate;v=1"],
)
def test_another_path_is_not_guessed(functions: Functions, path: str) -> None:
    assert asked(functions, "estimate", "POST", path, BODY)["statusCode"] == 404


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/json, text/plain, */*", 302),
        ("image/webp,*/*;q=0.01,application/json", 302),
        ("IMAGE/PNG", 302),
        ("application/json;q=0.9, image/*;q=0.001", 302),
        ("application/json,*/*;q=0", 200),
        ("application/json, */*;q=0.0", 200),
        ("application/json;q=1.0;v=2", 200),
        ("image/*;q=0, application/json", 200),
        ("application/json;q=0.5,image/png;q=0", 200),
        ("application/*", 200),
        ("", 302),
    ],
)
def test_who_accepts_a_picture_gets_it(
    functions: Functions, user: str, accept: str, status: int
) -> None:
    offer = functions.service.estimate("A fox", user)
    functions.service.confirm(offer, user)
    answer = asked(functions, "generate", "GET", f"/images/{offer.image_id}", accept=accept)
    assert answer["statusCode"] == status
    head = asked(functions, "generate", "HEAD", f"/images/{offer.image_id}", accept=accept)
    assert (head["statusCode"], head["body"]) == (status, "")


def test_the_address_for_head_is_signed_for_head_and_no_cache_keeps_it_for_get(
    functions: Functions, user: str
) -> None:
    offer = functions.service.estimate("A fox", user)
    functions.service.confirm(offer, user)
    path = f"/images/{offer.image_id}"
    for method, is_signed, cache in (("GET", False, "max-age"), ("HEAD", True, "no-store")):
        headers = asked(functions, "generate", method, path)["headers"]
        assert headers["Location"].endswith("&method=HEAD") is is_signed
        assert cache in headers["Cache-Control"]


NO_WISHES = dict.fromkeys(EstimateRequest.model_json_schema()["properties"])


@pytest.mark.parametrize("name", sorted(NO_WISHES.keys() - {"prompt"}))
def test_a_field_of_an_estimate_that_is_null_is_left_out(functions: Functions, name: str) -> None:
    answer = asked(functions, "estimate", "POST", "/estimate", {**BODY, name: None})
    assert answer["statusCode"] == 200, answer["body"]


def test_a_client_that_sends_null_for_all_it_does_not_wish_buys_an_image(
    functions: Functions,
) -> None:
    sent = {**NO_WISHES, **BODY}
    offer = json.loads(asked(functions, "estimate", "POST", "/estimate", sent)["body"])
    order = {"quote": offer["quote"], "quotes": None, "mixed": None, "prompt": offer["prompt"]}
    assert asked(functions, "generate", "POST", "/generate-image", order)["statusCode"] == 200
    order = {**order, "prompt": None}
    assert asked(functions, "generate", "POST", "/generate-image", order)["statusCode"] == 422


@pytest.mark.parametrize(
    "prompt",
    ["\u061c\u061c", "\u180e", "\u00ad\u00ad", "\U000e0001\U000e0020", "\ufe0f", "\u2062\u2063",
     "\u200e \u200f", "\u17b4\u17b5", "\u2066\u2069", "\u206a", "\U000e0100", "\ufffc\n\ufffc",
     "\u0000", "\ud83d", "\u2800\u3164 \n"],
    ids=ascii,
)  # fmt: skip
@pytest.mark.parametrize(
    ("name", "path", "status"),
    [("estimate", "/estimate", 422), ("generate", "/v1/images/generations", 400)],
)  # fmt: skip
def test_a_prompt_of_which_nothing_can_be_seen_is_empty(
    functions: Functions, name: str, path: str, status: int, prompt: str
) -> None:
    assert asked(functions, name, "POST", path, {"prompt": prompt})["statusCode"] == status
    assert not functions.service.called


@pytest.mark.parametrize(
    "more",
    [{"output_format": "png", "background": "opaque", "moderation": "low", "n": 1},
     {"output_format": None, "background": None, "moderation": None, "n": None, "size": None},
     {"output_compression": 100, "partial_images": 0, "stream": False, "user": "x"}],
)  # fmt: skip
@pytest.mark.parametrize("model", ["gpt-image-2.5-flare", "standard", "gpt-image-1"])
def test_a_client_that_sends_all_of_its_defaults_is_served(
    functions: Functions, model: str, more: dict[str, Any]
) -> None:
    body = {"model": model, **BODY, **more}
    answer = asked(functions, "generate", "POST", "/v1/images/generations", body)
    assert answer["statusCode"] == 200


def test_every_listed_model_is_found_by_its_id_however_its_slashes_are_sent(
    functions: Functions,
) -> None:
    listed = json.loads(asked(functions, "generate", "GET", "/v1/models")["body"])["data"]
    ids = [one["id"] for one in listed]
    assert {one.count("/") for one in ids} >= {0, 1, 2}
    for name in ids:
        for sent in (name, quote(name, safe=""), name.replace("/", "%2f", 1)):
            answer = asked(functions, "generate", "GET", f"/v1/models/{sent}")
            assert (answer["statusCode"], json.loads(answer["body"])["id"]) == (200, name)


@pytest.mark.parametrize("name", ["no/such", "no/such/model", "fal-ai/flux", "a/b/c/d/e"])
def test_a_model_that_is_not_listed_is_an_unknown_model(functions: Functions, name: str) -> None:
    answer = asked(functions, "generate", "GET", f"/v1/models/{name}")
    found = answer["statusCode"], json.loads(answer["body"])["error"]["code"]
    assert found == (404, "model_not_found")
