"""What the simulator answers fits what the vendors publish."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from local.simulator import Simulator

SPECS = Path(__file__).parents[3] / "shared" / "specs"
OPENAI = "openai-images-moderations-models.openapi.yaml"
OPENAI_SDK = "openai-images-sdk-3.54.0.schema.json"
TOGETHER = "together-images-models.openapi.yaml"
REPLICATE = "replicate-predictions.openapi.json"
GEMINI = "gemini-generatecontent-models.openapi.json"
SCHEMA = "#/components/schemas/"
BEARER = {"authorization": "Bearer sk-simulated-1234"}
type Order = Callable[..., requests.Response]


def with_nulls(node: Any) -> Any:
    """Return OpenAPI's ``nullable`` and loose ``oneOf`` in JSON Schema's words."""
    if isinstance(node, list):
        return [with_nulls(item) for item in node]
    if not isinstance(node, dict):
        return node
    # Replicate's "hidden" is at once one of a oneOf and any string: only anyOf can hold.
    plain = {key.replace("oneOf", "anyOf"): with_nulls(value) for key, value in node.items()}
    if plain.get("nullable") is True and isinstance(plain.get("type"), str):
        plain["type"] = [plain["type"], "null"]
    return plain


def check(file: str, ref: str, answer: Any) -> None:
    path = SPECS / file
    if not path.exists():
        pytest.skip(f"no {file} here")
    read = yaml.safe_load if path.suffix == ".yaml" else json.loads
    document = with_nulls(read(path.read_text()))
    Draft202012Validator({**document, "$ref": ref}).validate(answer)


@pytest.mark.parametrize(
    ("provider", "file", "ref"),
    [
        ("openai", OPENAI_SDK, "#/$defs/ImagesResponse"),
        ("moderation", OPENAI, f"{SCHEMA}CreateModerationResponse"),
        ("together", TOGETHER, f"{SCHEMA}ImageResponse"),
        ("replicate", REPLICATE, f"{SCHEMA}schemas_prediction_response"),
        ("gemini", GEMINI, f"{SCHEMA}GenerateContentResponse"),
    ],
)
def test_a_success_fits(order: Order, provider: str, file: str, ref: str) -> None:
    check(file, ref, order(provider).json())


@pytest.mark.parametrize(
    ("path", "file", "ref"),
    [
        ("/openai/v1/models", OPENAI, f"{SCHEMA}ListModelsResponse"),
        ("/openai/v1/models/gpt-image-2.5-flare", OPENAI, f"{SCHEMA}Model"),
        ("/together/v1/models", TOGETHER, f"{SCHEMA}ModelInfoList"),
        ("/replicate/v1/models", REPLICATE, f"{SCHEMA}schemas_paginated_model_response"),
        ("/gemini/v1beta/models", GEMINI, f"{SCHEMA}ListModelsResponse"),
        ("/gemini/v1beta/models/gemini-3-pro-image", GEMINI, f"{SCHEMA}Model"),
    ],
)
def test_a_list_of_models_fits(sim: Simulator, path: str, file: str, ref: str) -> None:
    headers = {**BEARER, "x-goog-api-key": "simulated"}
    check(file, ref, requests.get(sim.url + path, headers=headers, timeout=10).json())


@pytest.mark.parametrize("fault", ["refused", "replicate_aborted", "replicate_never_finishes"])
def test_a_prediction_without_an_image_fits(
    order: Order, arm: Callable[..., None], fault: str
) -> None:
    arm("replicate", fault)
    check(REPLICATE, f"{SCHEMA}schemas_prediction_response", order("replicate").json())


@pytest.mark.parametrize("fault", ["block_safety", "finish_image_safety", "text_only"])
def test_a_refusal_of_gemini_fits(order: Order, arm: Callable[..., None], fault: str) -> None:
    arm("gemini", fault)
    check(GEMINI, f"{SCHEMA}GenerateContentResponse", order("gemini").json())


@pytest.mark.parametrize(
    ("provider", "fault", "schema"),
    [
        ("openai", "insufficient_quota", (OPENAI, f"{SCHEMA}ErrorResponse")),
        ("openai", "moderation_blocked", (OPENAI_SDK, "#/$defs/ModerationBlockedError")),
        ("together", "third_party_data_sharing_blocked", (TOGETHER, f"{SCHEMA}ErrorData")),
    ],
)
def test_an_error_fits(
    order: Order, arm: Callable[..., None], provider: str, fault: str, schema: tuple[str, str]
) -> None:
    arm(provider, fault)
    answer = order(provider).json()
    if provider == "together":
        # Their spec writes "nullable" beside 3.1 and then leaves the null out.
        answer["error"] = {key: value for key, value in answer["error"].items() if value}
    check(*schema, answer)
