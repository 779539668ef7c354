"""The facts about the vendors: what fits them, and that anything else does not."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import ValidationError  # type: ignore[import-untyped] # it comes without types

from imagegen.providers import PROVIDERS
from tests.contracts.vendors import VENDORS, check, check_image_request, contract

RECORDED = Path(__file__).parents[1] / "adapters" / "providers" / "recorded"
GONE = object()
MODELS: dict[str, str] = {name: contract(name)["example"]["model"] for name in VENDORS}
REQUESTS: dict[str, Any] = {name: contract(name)["example"]["request"] for name in VENDORS}
MODERATION = {"model": "omni-moderation-latest", "input": "a fox"}
PREDICTION = {
    "id": "p1abc",
    "model": MODELS["replicate"],
    "version": "hidden",
    "input": REQUESTS["replicate"]["input"],
    "output": ["https://replicate.delivery/out.webp"],
    "data_removed": False,
    "error": None,
    "status": "succeeded",
    "created_at": "2026-11-22T12:00:00Z",
    "urls": {
        "web": "https://replicate.com/p/p1abc",
        "get": "https://api.replicate.com/v1/predictions/p1abc",
        "cancel": "https://api.replicate.com/v1/predictions/p1abc/cancel",
    },
}


def recorded(vendor: str, name: str) -> Any:
    return json.loads((RECORDED / vendor / f"{name}.json").read_text())["body"]


def answer_of(vendor: str) -> Any:
    """Return a success of the vendor; the recorded ones of Replicate are cut to what is read."""
    return PREDICTION if vendor == "replicate" else recorded(vendor, "success")


def changed(body: Any, path: str, value: object) -> Any:
    """Return the body with one value set, or gone."""
    copy = deepcopy(body)
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place = copy
    for step in way:
        place = place[step]
    if value is GONE:
        del place[last]
    else:
        place[last] = value
    return copy


def refuses(check_it: Callable[[], None]) -> bool:
    try:
        check_it()
    except ValidationError:
        return True
    return False


def test_every_provider_has_a_contract_with_its_sources() -> None:
    assert set(VENDORS) == set(PROVIDERS)
    for vendor in VENDORS:
        assert contract(vendor)["sources"]
        assert all(set(source) == {"url", "date"} for source in contract(vendor)["sources"])


def objects_in(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if "properties" in node and "type" in node:
            yield node
        for inner in node.values():
            yield from objects_in(inner)
    if isinstance(node, list):
        for inner in node:
            yield from objects_in(inner)


OPEN = {"replicate": [["total_time"]], "gemini": [["@type"]]}
"""What a vendor adds to at will: Replicate's metrics, the details of Google's errors."""


@pytest.mark.parametrize("vendor", VENDORS)
def test_an_object_with_named_fields_takes_no_others(vendor: str) -> None:
    objects = list(objects_in(contract(vendor)))
    found = [list(one["properties"]) for one in objects if "additionalProperties" not in one]
    assert found == OPEN.get(vendor, [])
    assert all(one.get("additionalProperties") in {None, False} for one in objects)


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_good_request_fits(vendor: str) -> None:
    check_image_request(vendor, MODELS[vendor], REQUESTS[vendor])


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_good_answer_fits(vendor: str) -> None:
    check(vendor, "imageAnswer", answer_of(vendor))


@pytest.mark.parametrize(
    ("vendor", "name", "shape"),
    [
        ("openai", "success_jpeg", "imageAnswer"),
        ("openai", "success_webp_without_usage", "imageAnswer"),
        ("openai", "moderation_blocked_input", "refusal"),
        ("openai", "moderation_blocked_output", "refusal"),
        ("openai", "insufficient_quota", "error"),
        ("openai", "rate_limited", "error"),
        ("together", "success_by_url", "imageAnswer"),
        ("together", "third_party_blocked", "error"),
        ("replicate", "input_invalid", "error"),
        ("replicate", "insufficient_credit", "error"),
        ("replicate", "throttled", "error"),
        ("gemini", "success_behind_thoughts", "imageAnswer"),
        ("gemini", "success_from_a_dying_model", "imageAnswer"),
        ("gemini", "finish_image_safety", "imageAnswer"),
        ("gemini", "block_prohibited_content", "imageAnswer"),
        ("gemini", "api_key_invalid", "error"),
        ("gemini", "resource_exhausted", "error"),
        ("bedrock", "filtered_prompt", "imageAnswer"),
        ("bedrock", "filtered_output", "imageAnswer"),
        ("bedrock", "inference_error", "imageAnswer"),
        ("bedrock", "access_not_granted", "error"),
        ("bedrock", "end_of_life", "error"),
        ("ideogram", "success_with_cost", "imageAnswer"),
        ("ideogram", "withheld", "imageAnswer"),
        ("ideogram", "withheld_without_link", "imageAnswer"),
        ("ideogram", "job_success", "accepted"),
        ("ideogram", "insufficient_funds", "rejection"),
        ("ideogram", "inflight_limit", "rejection"),
        ("bfl", "success_without_cost", "imageAnswer"),
        ("bfl", "not_authenticated", "error"),
        ("bfl", "bad_key", "error"),
        ("bfl", "no_credits", "error"),
        ("fal", "exhausted_balance", "error"),
        ("fal", "field_refused_at_once", "error"),
        ("fal", "endpoint_unknown", "error"),
    ],
)
def test_a_recorded_answer_fits(vendor: str, name: str, shape: str) -> None:
    check(vendor, shape, recorded(vendor, name))


@pytest.mark.parametrize(
    ("vendor", "path", "value"),
    [
        ("openai", "prompt", GONE),
        ("openai", "prompt", "x" * 32_001),
        ("openai", "model", GONE),
        ("openai", "quality", "finest"),
        ("openai", "quality", "standard"),
        ("openai", "size", "1024"),
        ("openai", "size", "1000x1000"),
        ("openai", "size", "4096x2048"),
        ("openai", "size", "3840x1024"),
        ("openai", "size", "512x512"),
        ("openai", "size", "3840x3840"),
        ("openai", "output_format", "jpg"),
        ("openai", "moderation", "none"),
        ("openai", "n", 11),
        ("openai", "n", "1"),
        ("openai", "response_format", "b64_json"),
        ("together", "prompt", GONE),
        ("together", "model", GONE),
        ("together", "width", "wide"),
        ("together", "height", 0),
        ("together", "n", 5),
        ("together", "steps", 51),
        ("together", "seed", -1),
        ("together", "response_format", "b64_json"),
        ("together", "output_format", "webp"),
        ("together", "size", "1024x1024"),
        ("replicate", "input", GONE),
        ("replicate", "model", "m"),
        ("replicate", "input.prompt", GONE),
        ("replicate", "input.num_outputs", 5),
        ("replicate", "input.aspect_ratio", "7:5"),
        ("replicate", "input.megapixels", "4"),
        ("replicate", "input.megapixels", 1),
        ("replicate", "input.output_format", "jpeg"),
        ("replicate", "input.resolution", "1 MP"),
        ("gemini", "contents", GONE),
        ("gemini", "contents", "x"),
        ("gemini", "contents.0.role", "system"),
        ("gemini", "contents.0.parts.0.text", GONE),
        ("gemini", "contents.0.parts.0.words", "a fox"),
        ("gemini", "generationConfig.responseModalities.0", "PICTURE"),
        ("gemini", "generationConfig.responseModalities", "IMAGE"),
        ("gemini", "generationConfig.imageConfig.imageSize", "1k"),
        ("gemini", "generationConfig.imageConfig.imageSize", "4K"),
        ("gemini", "generationConfig.imageConfig.aspectRatio", "7:5"),
        ("gemini", "generationConfig.imageConfig.aspectRatio", "1:8"),
        ("gemini", "generationConfig.imageConfig.size", "1K"),
        ("gemini", "generationConfig.quality", "low"),
        ("gemini", "model", "m"),
        ("bedrock", "prompt", GONE),
        ("bedrock", "prompt", ""),
        ("bedrock", "prompt", "x" * 10_001),
        ("bedrock", "mode", "image-to-image"),
        ("bedrock", "aspect_ratio", "4:3"),
        ("bedrock", "output_format", "webp"),
        ("bedrock", "seed", -1),
        ("bedrock", "seed", 4_294_967_296),
        ("bedrock", "negative_prompt", "blur"),
        ("bedrock", "width", 1024),
        ("bedrock", "n", 1),
        ("ideogram", "prompt", GONE),
        ("ideogram", "prompt", ""),
        ("ideogram", "prompt", "x" * 10_001),
        ("ideogram", "quality", "very_low"),
        ("ideogram", "quality", "HIGH"),
        ("ideogram", "magic_prompt", "OFF"),
        ("ideogram", "size", "1000x1000"),
        ("ideogram", "size", "source"),
        ("ideogram", "num_images", 9),
        ("ideogram", "async", "true"),
        ("ideogram", "seed", 2_147_483_648),
        ("ideogram", "model", "ideogram-4-5"),
        ("ideogram", "resolution", "1k"),
        ("fal", "prompt", GONE),
        ("fal", "prompt", ""),
        ("fal", "image_size", "1024x1024"),
        ("fal", "image_size.width", "992"),
        ("fal", "image_size.depth", 1),
        ("fal", "num_images", 5),
        ("fal", "num_inference_steps", 28),
        ("fal", "output_format", "webp"),
        ("fal", "safety_tolerance", "2"),
        ("fal", "width", 992),
    ],
)
def test_a_request_that_the_vendor_would_refuse_does_not_fit(
    vendor: str, path: str, value: object
) -> None:
    body = changed(REQUESTS[vendor], path, value)
    assert refuses(lambda: check_image_request(vendor, MODELS[vendor], body))


def test_a_quality_of_another_model_does_not_fit() -> None:
    body = REQUESTS["openai"] | {"quality": "max"}
    check_image_request("openai", "gpt-image-2.5-flare", body)
    assert refuses(lambda: check_image_request("openai", "gpt-image-2", body))


def test_a_model_without_facts_is_told() -> None:
    with pytest.raises(AssertionError, match=r"openai\.json has no facts about gpt-image-9"):
        check_image_request("openai", "gpt-image-9", REQUESTS["openai"])


@pytest.mark.parametrize(
    ("vendor", "path", "value"),
    [
        ("openai", "created", GONE),
        ("openai", "data", GONE),
        ("openai", "data.0.b64_json", GONE),
        ("openai", "data.0.b64_json", None),
        ("openai", "usage.output_tokens", "439"),
        ("openai", "usage.input_tokens_details", GONE),
        ("openai", "quality", "finest"),
        ("openai", "output_format", "bmp"),
        ("openai", "cost", 1),
        ("together", "id", GONE),
        ("together", "object", "images"),
        ("together", "data.0.index", GONE),
        ("together", "data.0.type", "base64"),
        ("together", "data.0.type", "url"),
        ("replicate", "status", "done"),
        ("replicate", "urls", GONE),
        ("replicate", "urls.get", GONE),
        ("replicate", "error", {"detail": "x"}),
        ("replicate", "data_removed", "no"),
        ("replicate", "cost", 1),
        ("gemini", "candidates.0.finishReason", "HALTED"),
        ("gemini", "candidates.0.finish", "STOP"),
        ("gemini", "candidates.0.content.parts", {}),
        ("gemini", "candidates.0.content.parts.0.inlineData.data", GONE),
        ("gemini", "candidates.0.content.parts.0.inlineData.bytes", ""),
        ("gemini", "usageMetadata.promptTokenCount", "12"),
        ("gemini", "usageMetadata.tokens", 12),
        ("bedrock", "finish_reasons", GONE),
        ("bedrock", "finish_reasons.0", "Too dark"),
        ("bedrock", "images.0", None),
        ("bedrock", "seeds.0", "7"),
        ("bedrock", "cost", 1),
        ("ideogram", "generation_id", GONE),
        ("ideogram", "seed", "12345"),
        ("ideogram", "data.0.is_image_safe", "yes"),
        ("ideogram", "data.0.resolution", GONE),
        ("ideogram", "data.0.resolution", "1k"),
        ("ideogram", "data.0.style", "auto"),
        ("ideogram", "cost", 1),
        ("bfl", "id", GONE),
        ("bfl", "polling_url", GONE),
        ("bfl", "polling_url", "t1"),
        ("bfl", "cost", "1.5"),
        ("bfl", "status", "Ready"),
        ("fal", "request_id", GONE),
        ("fal", "status_url", GONE),
        ("fal", "response_url", "r1"),
        ("fal", "status", "DONE"),
        ("fal", "images", []),
    ],
)
def test_an_answer_that_the_vendor_would_not_give_does_not_fit(
    vendor: str, path: str, value: object
) -> None:
    body = changed(answer_of(vendor), path, value)
    assert refuses(lambda: check(vendor, "imageAnswer", body))


@pytest.mark.parametrize(
    ("path", "value"),
    [("input", GONE), ("input", 7), ("input", [{"type": "text"}]), ("prompt", "a fox")],
)
def test_a_moderation_that_openai_would_refuse_does_not_fit(path: str, value: object) -> None:
    check("openai", "moderationRequest", MODERATION)
    body = changed(MODERATION, path, value)
    assert refuses(lambda: check("openai", "moderationRequest", body))
