"""OpenAI's own client against our handlers: it works unchanged, and pays at most once."""

import base64
import json
from typing import Any

import openai
import pytest

from imagegen.domain.ledger import Limits
from imagegen.domain.outcomes import Outcome
from imagegen.openai_api import images as openai_answers
from imagegen.openai_api.models import FIXED_PARAMETERS, TIER_OF_QUALITY
from imagegen.openai_api.unfinished import RETRY_AFTER_SECONDS
from imagegen.usecases.availability import ProviderSetup
from imagegen.wire.estimates import Estimate
from tests.fakes.faults import Fault
from tests.fakes.pictures import picture, png
from tests.handlers.bridge import Bridge, body_of, openai_client
from tests.handlers.conftest import Functions
from tests.handlers.test_edges import request

PROMPT = "A red fox in fresh snow"
PATH = "/v1/images/generations"


@pytest.fixture
def bridge(functions: Functions) -> Bridge:
    return Bridge(functions, "generate")


@pytest.fixture
def client(bridge: Bridge) -> openai.OpenAI:
    return openai_client(bridge)


def called(functions: Functions) -> int:
    return len(functions.service.called)


def test_the_image_comes_as_text_with_what_it_cost(client: openai.OpenAI, bridge: Bridge) -> None:
    got = client.images.generate(prompt=PROMPT, model="high", size="1024x1024", user="u-1")
    assert got.data is not None
    assert base64.b64decode(got.data[0].b64_json or "") == png()
    assert got.data[0].url == got.to_dict()["imagegen"]["imageUrl"]  # type: ignore[index]
    assert (got.quality, got.output_format) == ("high", "png")
    ours = got.to_dict()["imagegen"]
    assert isinstance(ours, dict)
    assert ours["cost"]["charged"] == "0.030000"
    assert bridge.functions.service.images.objects
    assert abs(got.created * 1000 - bridge.functions.service.clock()) < 1000


def test_it_comes_as_an_address_where_that_is_asked_for(client: openai.OpenAI) -> None:
    got = client.images.generate(prompt=PROMPT, response_format="url")
    assert got.data is not None
    assert got.data[0].url == str(got.to_dict()["imagegen"]["imageUrl"])  # type: ignore[index]
    assert got.data[0].b64_json is None


def test_an_image_above_lambdas_limit_comes_as_an_address(
    client: openai.OpenAI, functions: Functions
) -> None:
    functions.service.react("openai", picture(size=(1300, 1200), compress_level=0))
    got = client.images.generate(prompt=PROMPT, response_format="b64_json")
    assert got.data is not None
    assert got.data[0].url
    assert got.to_dict()["imagegen"]["urlInstead"] is True  # type: ignore[index]
    assert called(functions) == 1


def test_the_largest_image_that_is_sent_as_text_fits_lambdas_answer() -> None:
    assert len(base64.b64encode(bytes(openai_answers.INLINE_BYTES))) + 200_000 < 6 * 1024 * 1024


@pytest.mark.parametrize(("word", "tier"), TIER_OF_QUALITY.items())
def test_openais_words_for_quality_are_our_tiers(
    client: openai.OpenAI, word: Any, tier: str
) -> None:
    got = client.images.generate(prompt=PROMPT, quality=word)
    assert got.to_dict()["imagegen"]["quality"] == tier  # type: ignore[index]


@pytest.mark.parametrize(
    ("model", "quality", "drawn_by"),
    [
        ("fast", None, "replicate-fast"),
        ("ultra", "auto", "together-ultra"),
        ("replicate-high", None, "replicate-high"),
        ("gpt-image-2.5-flare", "low", "openai-fast"),
        ("gpt-image-2.5-flare", "medium", "openai-standard"),
        ("gpt-image-2.5-flare", None, "openai-standard"),
        (None, None, "openai-standard"),
    ],
)
def test_a_model_is_a_tier_a_key_or_a_providers_model(
    client: openai.OpenAI, functions: Functions, model: Any, quality: Any, drawn_by: str
) -> None:
    client.images.generate(prompt=PROMPT, model=model, quality=quality)
    ((_, record),) = functions.service.images.objects.values()
    assert record.key == drawn_by


def test_the_prompts_words_decide_where_nothing_else_does(client: openai.OpenAI) -> None:
    got = client.images.generate(prompt="A quick sketch of a fox", quality="auto")
    assert got.quality == "low"


def test_tokens_are_told_where_the_provider_counts_them(
    client: openai.OpenAI, functions: Functions
) -> None:
    functions.service.providers["openai"].usage = {"input_tokens": 20, "output_tokens": 1_000}
    usage = client.images.generate(prompt=PROMPT).usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (20, 1_000, 1_020)


def test_tokens_are_left_out_where_nobody_counts(client: openai.OpenAI) -> None:
    assert client.images.generate(prompt=PROMPT).usage is None


def refused(client: openai.OpenAI, kind: type[openai.APIStatusError], **asked: Any) -> Any:
    extra = asked.pop("extra_headers", None)
    with pytest.raises(kind) as caught:
        client.post(
            "/images/generations",
            body={"prompt": PROMPT, **asked},
            cast_to=object,
            options={"headers": extra} if extra else {},
        )
    return caught.value


WRONG: dict[str, Any] = {
    "stream": True,
    "partial_images": 2,
    "moderation": "none",
    "output_compression": 50,
    "complexity": "high",
    "frame_count": 3,
    "frame_duration_ms": 100,
    "svg": {"model": "x"},
}


def test_every_parameter_that_is_fixed_has_a_case() -> None:
    assert WRONG.keys() == FIXED_PARAMETERS.keys()


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_honoured_is_refused_by_name_before_anything_is_spent(
    client: openai.OpenAI, functions: Functions, name: str
) -> None:
    error = refused(client, openai.BadRequestError, **{name: WRONG[name]})
    assert (error.param, error.code) == (name, "unsupported_parameter")
    assert (error.type, called(functions)) == ("invalid_request_error", 0)


def test_what_nobody_knows_is_refused_by_name(client: openai.OpenAI) -> None:
    error = refused(client, openai.BadRequestError, steps=4)
    assert (error.param, error.code) == ("steps", "unknown_parameter")


def test_defaults_that_are_said_out_loud_are_taken(client: openai.OpenAI) -> None:
    got = client.images.generate(
        prompt=PROMPT, n=1, size="auto", background="auto", moderation="auto", style="natural",
        stream=False, output_format=None, safety_identifier="someone",
    )  # fmt: skip
    assert got.data


@pytest.mark.parametrize(
    ("asked", "kind", "param", "code"),
    [
        ({"model": "gpt-image-99"}, openai.NotFoundError, "model", "model_not_found"),
        ({"n": 5}, openai.BadRequestError, "n", "unsupported_parameter"),
        ({"n": 0}, openai.BadRequestError, "n", "invalid_request"),
        ({"n": True}, openai.BadRequestError, "n", "invalid_request"),
        ({"output_format": "gif"}, openai.BadRequestError, "output_format", "invalid_request"),
        ({"size": "1000x1000"}, openai.BadRequestError, "size", "unsupported_size"),
        ({"size": "big"}, openai.BadRequestError, "size", "invalid_request"),
        (
            {"model": "fast", "quality": "high"},
            openai.BadRequestError,
            "quality",
            "unsupported_parameter",
        ),
        ({"prompt": " "}, openai.BadRequestError, "prompt", "invalid_request"),
    ],
)
def test_errors_are_the_ones_a_client_of_openai_expects(
    client: openai.OpenAI, asked: Any, kind: Any, param: str, code: str
) -> None:
    error = refused(client, kind, **asked)
    assert (error.param, error.code, error.type) == (param, code, "invalid_request_error")
    assert error.request_id


def test_a_refused_prompt_is_the_callers_to_change(
    client: openai.OpenAI, functions: Functions, bridge: Bridge
) -> None:
    functions.service.react("openai", Outcome.REFUSED)
    error = refused(client, openai.BadRequestError)
    assert (error.code, error.param) == ("moderation_blocked", "prompt")
    assert body_of(error.response)["imagegen"] == {"charged": False, "retryable": False}
    assert len(bridge.seen) == 1


def test_a_dearer_image_than_the_header_allows_is_not_made(
    client: openai.OpenAI, functions: Functions
) -> None:
    dear = {"x-max-cost": "0.000001"}
    error = refused(client, openai.BadRequestError, extra_headers=dear)
    assert (error.param, error.code) == ("x-max-cost", "above_max_cost")
    error = refused(client, openai.BadRequestError, extra_headers={"x-max-cost": "a lot"})
    assert error.param == "x-max-cost"
    assert called(functions) == 0


def test_the_header_is_the_most_that_a_fallback_may_cost(
    client: openai.OpenAI, functions: Functions
) -> None:
    functions.service.react("openai", Outcome.UNAVAILABLE)
    got = client.images.generate(prompt=PROMPT, extra_headers={"x-max-cost": "0.02"})
    cost = got.to_dict()["imagegen"]["cost"]  # type: ignore[index]
    assert cost["charged"] <= cost["ceiling"] <= "0.020000"


def test_a_limit_that_lasts_is_not_tried_again(functions: Functions, bridge: Bridge) -> None:
    functions.service.redeploy(limits=Limits(hourly_images=1))
    client = openai_client(bridge)
    client.images.generate(prompt=PROMPT)
    error = refused(client, openai.RateLimitError)
    assert (error.code, error.type) == ("hourly_images", "rate_limit_error")
    assert len(bridge.seen) == 2


def test_without_a_good_key_it_is_an_authentication_error(bridge: Bridge) -> None:
    client = openai_client(bridge).with_options(api_key="sk-no")
    error = refused(client, openai.AuthenticationError)
    assert error.code == "invalid_api_key"
    assert len(bridge.seen) == 1


@pytest.mark.parametrize("lost", [1, 2])
@pytest.mark.parametrize("key", [None, "order-66"])
def test_lost_replies_are_tried_again_by_the_sdk_and_paid_once(
    functions: Functions, lost: int, key: str | None
) -> None:
    bridge = Bridge(functions, "generate", lost=lost)
    client = openai_client(bridge)
    headers = {"Idempotency-Key": key} if key else {}
    got = client.images.generate(prompt=PROMPT, extra_headers=headers)
    assert got.data
    counts = [request.headers["x-stainless-retry-count"] for request in bridge.seen]
    assert counts == [str(count) for count in range(lost + 1)]
    assert (called(functions), len(functions.service.images.objects)) == (1, 1)


def test_a_failure_that_may_pass_is_tried_again_and_paid_once(
    functions: Functions, bridge: Bridge
) -> None:
    for provider in functions.service.providers.values():
        provider.reactions = [Outcome.RATE_LIMITED, png()]
    assert openai_client(bridge).images.generate(prompt=PROMPT).data
    assert len(bridge.seen) == 2
    assert len(functions.service.images.objects) == 1


def test_two_calls_are_two_images(client: openai.OpenAI, functions: Functions) -> None:
    ids = {client.images.generate(prompt=PROMPT).to_dict()["imagegen"]["imageId"] for _ in "12"}  # type: ignore[index]
    assert (len(ids), called(functions)) == (2, 2)


def test_one_key_is_one_image_and_another_body_an_error_that_is_not_tried_again(
    client: openai.OpenAI, functions: Functions, bridge: Bridge
) -> None:
    key = {"Idempotency-Key": "order-66"}
    got = [client.images.generate(prompt=PROMPT, extra_headers=key).to_dict() for _ in "12"]
    assert got[0]["data"] == got[1]["data"]
    error = refused(client, openai.UnprocessableEntityError, prompt="Another", extra_headers=key)
    assert error.code == "idempotency_key_reused"
    assert (called(functions), len(bridge.seen)) == (1, 3)


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb"])
def test_a_key_is_plain_text(client: openai.OpenAI, key: str) -> None:
    error = refused(client, openai.BadRequestError, extra_headers={"Idempotency-Key": key})
    assert error.param == "idempotency-key"


def test_the_image_is_the_same_as_everywhere(client: openai.OpenAI, functions: Functions) -> None:
    ours = client.images.generate(prompt=PROMPT).to_dict()["imagegen"]
    assert isinstance(ours, dict)
    status = functions.service.finder.status(str(ours["imageId"]), "https://x.test")
    assert (status.status, status.charged) == ("complete", True)


def test_the_models_are_tiers_keys_and_providers_models(client: openai.OpenAI) -> None:
    listed = {one.id: one for one in client.models.list()}
    assert {"fast", "standard", "high", "ultra", "openai-high"} < listed.keys()
    assert listed["openai-high"].owned_by == "openai"
    assert all(one.created > 1_700_000_000 for one in listed.values())


def test_models_that_nobody_could_call_now_are_not_listed(
    client: openai.OpenAI, functions: Functions
) -> None:
    del functions.service.setups["openai"]
    assert not [one for one in client.models.list() if one.owned_by == "openai"]


def test_every_listed_model_can_be_asked_for(client: openai.OpenAI, functions: Functions) -> None:
    functions.service.redeploy(limits=Limits(hourly_images=0, daily_images=100))
    for model in client.models.list():
        if "/v1/images/generations" not in model.to_dict()["supported_endpoints"]:  # type: ignore[operator]
            continue
        assert client.images.generate(prompt=PROMPT, model=model.id, response_format="url").data


@pytest.mark.parametrize("path", ["/chat/completions", "/responses", "/images/edit", "/files"])
def test_no_route_under_v1_answers_in_openais_shape(bridge: Bridge, path: str) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        openai_client(bridge).post(path, cast_to=object, body={"model": "high"})
    assert (caught.value.code, len(bridge.seen)) == ("not_found", 1)


def test_an_estimate_and_a_call_cost_the_same(client: openai.OpenAI, functions: Functions) -> None:
    _, offer = functions.answer("estimate/prompt-only")
    got = client.images.generate(prompt=offer["prompt"]).to_dict()["imagegen"]
    assert isinstance(got, dict)
    assert got["cost"]["charged"] == offer["price"]["expected"]
    assert Estimate.model_fields.keys() >= {"quote"}


def test_a_call_that_the_sdk_must_not_repeat_gets_its_own_image_or_an_error(
    functions: Functions, bridge: Bridge
) -> None:
    """Its repetition would meet the first call's image, told as if it were its own."""
    client = openai_client(bridge)
    client.images.generate(prompt=PROMPT)
    setups = dict(functions.service.setups)
    functions.service.setups.clear()
    error = refused(client, openai.InternalServerError)
    assert (error.code, len(bridge.seen)) == ("no_provider_available", 2)
    assert error.response.headers["x-should-retry"] == "false"
    functions.service.setups.update(setups)
    got = client.images.generate(prompt=PROMPT)
    assert (receipt(got)["repeated"], called(functions)) == (False, 2)


def test_an_answer_that_met_an_earlier_call_says_so(functions: Functions) -> None:
    client = openai_client(Bridge(functions, "generate", lost=1))
    assert receipt(client.images.generate(prompt=PROMPT))["repeated"] is True
    assert receipt(client.images.generate(prompt=PROMPT))["repeated"] is False


def receipt(answer: openai.types.ImagesResponse) -> dict[str, Any]:
    ours = answer.to_dict()["imagegen"]
    assert isinstance(ours, dict)
    return ours


def test_what_stands_in_for_a_model_that_is_down_costs_no_multiple_of_it_unasked(
    client: openai.OpenAI, functions: Functions
) -> None:
    for name in functions.service.setups:
        functions.service.setups[name] = ProviderSetup(has_key=True, enabled=name == "openai")
    error = refused(client, openai.BadRequestError, model="replicate-fast-klein")
    assert (error.param, error.code) == ("x-max-cost", "above_max_cost")
    assert "x-max-cost" in str(error)
    assert called(functions) == 0
    allowed = {"x-max-cost": "0.01"}
    got = client.images.generate(prompt=PROMPT, model="replicate-fast-klein", extra_headers=allowed)
    assert receipt(got)["cost"]["charged"] == "0.005900"


# What clients of other models and of several images send.


USUAL = {"prompt": PROMPT}
SERVED: dict[str, dict[str, Any]] = {
    "output_format png": {"model": "gpt-image-2.5-flare", "output_format": "png"},
    "output_format jpeg": {"model": "gpt-image-2.5-flare", "output_format": "jpeg"},
    "output_format webp": {"model": "high", "output_format": "webp"},
    "background opaque": {"background": "opaque", "moderation": "low"},
    "background auto": {"background": "auto", "output_compression": 100, "partial_images": 0},
    "dall-e-2": {"model": "dall-e-2", "size": "512x512", "response_format": "b64_json"},
    "dall-e-2 small": {"model": "dall-e-2", "size": "256x256", "n": 2},
    "dall-e-3": {"model": "dall-e-3", "size": "1792x1024", "quality": "hd", "style": "vivid"},
    "dall-e-3 tall": {"model": "dall-e-3", "size": "1024x1792", "quality": "standard"},
    "gpt-image-1": {"model": "gpt-image-1", "size": "1536x1024", "quality": "auto"},
    "gpt-image-1.5": {"model": "gpt-image-1.5", "size": "auto", "quality": "medium"},
    "gpt-image-2": {"model": "gpt-image-2", "n": 1, "output_format": "png"},
    "a dated id": {"model": "gpt-image-2.5-flare-2026-09-08", "quality": "low"},
    "no model": {"model": "", "n": None, "size": None},
}


@pytest.mark.parametrize("asked", SERVED.values(), ids=SERVED)
def test_usual_bodies_of_clients_are_served_and_their_receipt_says_what_was_used(
    client: openai.OpenAI, functions: Functions, asked: dict[str, Any]
) -> None:
    raw = client.images.with_raw_response.generate(**{**USUAL, **asked})
    got = raw.parse()
    ours = receipt(got)
    assert len(got.data or []) == called(functions) == (asked.get("n") or 1)
    charged = sum(
        record.charged_microusd for _, record in functions.service.images.objects.values()
    )
    assert ours["cost"]["charged"] == raw.headers["x-imagegen-charged"] == f"{charged / 10**6:.6f}"
    ids = [one["imageId"] for one in ours["images"]]
    assert raw.headers["x-imagegen-image-id"] == ",".join(ids)
    assert raw.headers["x-imagegen-model"] == ours["model"]
    told = {one["param"]: one["requested"] for one in ours["adapted"]}
    listed = {one.id for one in client.models.list()}
    if asked.get("model") and asked["model"] not in listed:
        assert told["model"] == ours["fallback"]["model"] == asked["model"]
    if asked.get("size") in ("256x256", "512x512", "1792x1024", "1024x1792"):
        assert told["size"] == asked["size"]


@pytest.mark.parametrize(
    ("size", "made"),
    [("512x512", "1024x1024"), ("1792x1024", "1536x1024"), ("1024x1792", "1024x1536")],
)
def test_a_size_of_an_earlier_model_costs_what_the_shape_costs(
    client: openai.OpenAI, functions: Functions, size: Any, made: Any
) -> None:
    client.images.generate(prompt=PROMPT, model="openai-high", size=size)
    client.images.generate(prompt=PROMPT, model="openai-high", size=made)
    sizes = [order.params["size"] for order in functions.service.providers["openai"].orders]
    assert sizes == [made, made]
    charges = {rec.charged_microusd for _, rec in functions.service.images.objects.values()}
    assert len(charges) == 1


def test_n_images_are_n_different_images_and_their_sum_is_charged(
    client: openai.OpenAI, functions: Functions
) -> None:
    got = client.images.generate(prompt=PROMPT, model="fast", n=4)
    assert got.data is not None
    assert len({one.url for one in got.data}) == len(got.data) == called(functions) == 4
    ours = receipt(got)
    assert ours["cost"]["charged"] == "0.012000"
    assert [one["cost"]["charged"] for one in ours["images"]] == ["0.003000"] * 4
    assert ours["failed"] == []


def test_what_failed_of_several_images_is_told_beside_what_is_stored(
    client: openai.OpenAI, functions: Functions
) -> None:
    for name in functions.service.providers.keys() - {"openai"}:
        functions.service.setups[name] = ProviderSetup(has_key=True, enabled=False)
    functions.service.react("openai", png(), Outcome.UNAVAILABLE, png())
    ours = receipt(client.images.generate(prompt=PROMPT, model="fast", n=3))
    assert (len(ours["images"]), ours["cost"]["charged"]) == (2, "0.011800")
    ((failed),) = ours["failed"]
    assert (failed["index"], failed["code"], failed["charged"]) == (1, "generation_failed", False)


@pytest.mark.parametrize("lost", [1, 2])
@pytest.mark.parametrize("key", [None, "order-66"])
def test_lost_replies_with_several_images_are_answered_with_the_same_images(
    functions: Functions, lost: int, key: str | None
) -> None:
    client = openai_client(Bridge(functions, "generate", lost=lost))
    headers = {"Idempotency-Key": key} if key else {}
    got = client.images.generate(prompt=PROMPT, n=3, extra_headers=headers)
    assert len(got.data or []) == called(functions) == len(functions.service.images.objects) == 3
    assert receipt(got)["repeated"] is True


def test_text_that_cannot_fit_is_refused_before_it_is_paid(
    client: openai.OpenAI, functions: Functions
) -> None:
    for asked in (
        {"size": "3840x2160"},
        {"size": "2048x2048", "n": 2},
        {"n": 3, "output_format": "png"},
    ):
        error = refused(
            client, openai.BadRequestError, model="high", response_format="b64_json", **asked
        )
        assert error.param in ("response_format", "output_format")
        assert "b64_json" in str(error) or "too large" in str(error)
    assert called(functions) == 0
    got = client.images.generate(prompt=PROMPT, model="high", size="3840x2160")
    assert got.data


def test_text_that_fits_only_in_another_format_is_made_in_that_format(
    client: openai.OpenAI, functions: Functions
) -> None:
    asked = {"model": "openai-high", "n": 4, "response_format": "b64_json"}
    got = client.images.generate(prompt=PROMPT, **asked)  # type: ignore[call-overload]
    assert len(got.data or []) == 4
    assert all(one.url is None for one in got.data or [])
    orders = functions.service.providers["openai"].orders
    assert {order.params["output_format"] for order in orders} == {"jpeg"}


def test_a_named_model_that_lacks_the_size_is_an_error_of_the_size(
    client: openai.OpenAI, functions: Functions
) -> None:
    for model, size in (
        ("replicate-fast-klein", "2048x2048"),
        ("black-forest-labs/FLUX.2-max", "4096x4096"),
    ):
        error = refused(client, openai.BadRequestError, model=model, size=size)
        assert (error.param, error.code) == ("size", "unsupported_size")
    assert called(functions) == 0


def test_a_prompt_that_the_named_model_does_not_take_is_told_or_refused(
    client: openai.OpenAI, functions: Functions
) -> None:
    long = "word " * 988
    error = refused(client, openai.BadRequestError, model="replicate-fast-klein", prompt=long)
    assert (error.param, error.code) == ("x-max-cost", "above_max_cost")
    ours = receipt(client.images.generate(prompt=long, model="black-forest-labs/FLUX.2-dev"))
    assert ours["fallback"]["reason"] == "prompt_too_long"
    assert float(ours["cost"]["ceiling"]) <= 3 * 0.0154


@pytest.mark.parametrize("path", ["/v1/images/edit", "/v1/images/variations"])
@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "application/json", ""])
def test_the_singular_and_variations_are_no_routes_whatever_is_sent(
    functions: Functions, path: str, kind: str
) -> None:
    event = functions.event("generate/openai-edits")
    event["rawPath"] = event["requestContext"]["http"]["path"] = path
    event["headers"]["content-type"] = kind
    for body in (event["body"], "x" * 1_000_000):
        event["body"] = body
        answer = functions.invoke("generate", event)
        error = json.loads(answer["body"])["error"]
        assert (answer["statusCode"], error["code"]) == (404, "not_found")
        assert error["message"].startswith("There is no such route. ")
        assert "POST /v1/images/edits" in error["message"]


@pytest.mark.parametrize(
    "name",
    ["fast", "openai-high", "gpt-image-2.5-flare", "black-forest-labs/FLUX.2-pro", "dall-e-3"],
)
def test_a_model_can_be_retrieved_by_its_id_also_with_a_slash(
    client: openai.OpenAI, name: str
) -> None:
    got = client.models.retrieve(name)
    assert (got.id, got.object) == (name, "model")
    is_alias = name == "dall-e-3"
    assert got.to_dict().get("alias_of") == ("openai-high" if is_alias else None)


@pytest.mark.parametrize("name", ["gpt-image-99", "a/b", "nobody"])
def test_a_model_that_is_not_offered_is_not_found(client: openai.OpenAI, name: str) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve(name)
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")


def test_listed_models_say_that_they_make_images(client: openai.OpenAI) -> None:
    for one in client.models.list():
        values = one.to_dict()
        assert (values["type"], values["mode"]) == ("image", "image_generation")
        assert values["architecture"] == {
            "input_modalities": ["text"], "output_modalities": ["image"],
        }  # fmt: skip


def test_operators_lead_names_where_they_like(functions: Functions, bridge: Bridge) -> None:
    functions.service.redeploy(model_aliases="dall-e-3=fast,gpt-image-1=")
    client = openai_client(bridge)
    assert client.images.generate(prompt=PROMPT, model="dall-e-3").quality == "low"
    error = refused(client, openai.NotFoundError, model="gpt-image-1")
    assert (error.param, error.code) == ("model", "model_retired")


def test_operators_limit_how_many_images_a_call_makes(functions: Functions, bridge: Bridge) -> None:
    functions.service.redeploy(max_count=1)
    error = refused(openai_client(bridge), openai.BadRequestError, n=2)
    assert (error.param, "at most 1" in str(error)) == ("n", True)


def test_a_call_that_waits_for_another_too_long_is_told_when_to_ask_again(
    functions: Functions,
) -> None:
    service, answers = functions.service, list[Any]()
    key = {"Idempotency-Key": "order-66"}

    def during(_ms: int) -> None:
        service.providers["openai"].sleep = service.clock.advance
        impatient = openai_client(Bridge(functions, "generate"), max_retries=0)
        answers.append(refused(impatient, openai.InternalServerError, extra_headers=key))

    service.providers["openai"].sleep = during
    openai_client(Bridge(functions, "generate")).images.generate(prompt=PROMPT, extra_headers=key)
    (error,) = answers
    assert error.code == "still_running"
    headers = {name: error.response.headers[name] for name in ("retry-after", "x-should-retry")}
    assert headers == {"retry-after": str(RETRY_AFTER_SECONDS), "x-should-retry": "true"}
    assert called(functions) == 1


def test_on_both_routes_an_image_that_is_charged_and_cannot_be_found_is_told_as_charged(
    functions: Functions, client: openai.OpenAI
) -> None:
    service, key = functions.service, {"Idempotency-Key": "order-66"}
    _, offer = functions.answer("estimate/prompt-only")
    marks = {"QUOTE": offer["quote"], "PROMPT": offer["prompt"]}
    assert functions.answer("generate/confirmed", **marks)[0] == 200
    client.images.generate(prompt=PROMPT, extra_headers=key)
    service.wire.mend()
    service.wire.faults = {1: Fault.BEFORE}
    status, problem = functions.answer("generate/confirmed", **marks)
    assert service.wire.calls == ["ledgers.reserve", "images.find"]
    assert (status, problem["code"], problem["charged"]) == (503, "store_unavailable", True)
    service.wire.mend()
    service.wire.faults = {1: Fault.BEFORE}
    impatient = client.with_options(max_retries=0)
    error = refused(impatient, openai.InternalServerError, extra_headers=key)
    assert service.wire.calls == ["ledgers.load", "images.find"]
    assert body_of(error.response)["imagegen"] == {"charged": True, "retryable": True}


def test_an_attempt_whose_instance_starts_after_its_retry_was_answered_gets_the_same_image(
    functions: Functions,
) -> None:
    arrived_ms = functions.service.clock()

    def sent(count: int, at_ms: int) -> str:
        event = request(functions, "POST", "/v1/images/generations", {"prompt": PROMPT})
        event["headers"]["x-stainless-retry-count"] = str(count)
        event["requestContext"]["timeEpoch"] = at_ms
        answer = json.loads(functions.invoke("generate", event)["body"])
        return str(answer["imagegen"]["imageId"])

    functions.service.clock.advance(2_000)
    retried = sent(1, arrived_ms + 1_000)
    assert sent(0, arrived_ms) == retried
    assert called(functions) == 1
    functions.service.clock.advance(1_000)
    assert sent(0, functions.service.clock()) != retried


def test_an_event_without_a_time_is_served(functions: Functions) -> None:
    event = request(functions, "POST", "/v1/images/generations", {"prompt": PROMPT})
    del event["requestContext"]["timeEpoch"]
    assert functions.invoke("generate", event)["statusCode"] == 200
