"""What the simulator answers fits what the vendors publish."""

from collections.abc import Callable

import pytest
import requests

from local.simulator import Simulator
from tests.contracts.vendors import check
from tests.vendors import vendor as words

BEARER = {"authorization": "Bearer sk-simulated-1234"}
type Order = Callable[..., requests.Response]


@pytest.mark.parametrize(
    ("provider", "vendor", "shape"),
    [
        ("openai", "openai", "imageAnswer"),
        ("moderation", "openai", "moderationAnswer"),
        ("together", "together", "imageAnswer"),
        ("replicate", "replicate", "imageAnswer"),
        ("gemini", "gemini", "imageAnswer"),
        ("bedrock", "bedrock", "imageAnswer"),
        ("ideogram", "ideogram", "imageAnswer"),
        ("bfl", "bfl", "imageAnswer"),
        ("fal", "fal", "imageAnswer"),
        ("bedrock-checks", "bedrock", "checksAnswer"),
    ],
)
def test_a_success_fits(order: Order, provider: str, vendor: str, shape: str) -> None:
    check(vendor, shape, order(provider).json())


@pytest.mark.parametrize(
    ("path", "vendor", "shape"),
    [
        ("/openai/v1/models", "openai", "modelList"),
        ("/openai/v1/models/gpt-image-2.5-flare", "openai", "model"),
        ("/together/v1/models", "together", "modelList"),
        ("/replicate/v1/models", "replicate", "modelList"),
        ("/gemini/v1beta/models", "gemini", "modelList"),
        ("/gemini/v1beta/models/gemini-3-pro-image", "gemini", "model"),
        ("/bedrock/foundation-models", "bedrock", "modelList"),
    ],
)
def test_a_list_of_models_fits(sim: Simulator, path: str, vendor: str, shape: str) -> None:
    headers = {**BEARER, "x-goog-api-key": "simulated"}
    headers |= words(vendor).auth("simulated") if words(vendor).signed else {}
    check(vendor, shape, requests.get(sim.url + path, headers=headers, timeout=10).json())


@pytest.mark.parametrize("fault", ["refused", "replicate_aborted", "replicate_never_finishes"])
def test_a_prediction_without_an_image_fits(
    order: Order, arm: Callable[..., None], fault: str
) -> None:
    arm("replicate", fault)
    check("replicate", "imageAnswer", order("replicate").json())


@pytest.mark.parametrize("fault", ["block_safety", "finish_image_safety", "text_only"])
def test_a_refusal_of_gemini_fits(order: Order, arm: Callable[..., None], fault: str) -> None:
    arm("gemini", fault)
    check("gemini", "imageAnswer", order("gemini").json())


@pytest.mark.parametrize(
    ("vendor", "fault", "shape"),
    [
        ("openai", "insufficient_quota", "error"),
        ("openai", "moderation_blocked", "refusal"),
        ("together", "third_party_data_sharing_blocked", "error"),
        ("replicate", "out_of_credit", "error"),
        ("replicate", "rate_limited", "error"),
        ("gemini", "billing_off", "error"),
        ("gemini", "rate_limited", "error"),
        ("bedrock", "access_denied", "error"),
        ("bedrock", "rate_limited", "error"),
        ("bedrock", "refused", "imageAnswer"),
        ("bedrock", "refused_without_images", "imageAnswer"),
        ("ideogram", "out_of_credit", "rejection"),
        ("ideogram", "rate_limited", "rejection"),
        ("ideogram", "withheld", "imageAnswer"),
        ("ideogram", "withheld_without_link", "imageAnswer"),
        ("ideogram", "ideogram_failed", "accepted"),
        ("bfl", "bad_key", "error"),
        ("bfl", "bad_parameter", "error"),
        ("bfl", "out_of_credit", "error"),
        ("bfl", "refused", "imageAnswer"),
        ("fal", "bad_key", "error"),
        ("fal", "bad_parameter", "error"),
        ("fal", "out_of_credit", "error"),
        ("fal", "refused", "imageAnswer"),
    ],
)
def test_an_error_fits(
    order: Order, arm: Callable[..., None], vendor: str, fault: str, shape: str
) -> None:
    arm(vendor, fault)
    check(vendor, shape, order(vendor).json())


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (None, "completed"),
        ("withheld", "completed"),
        ("ideogram_failed", "failed"),
        ("ideogram_never_ready", "pending"),
    ],
)
def test_a_job_of_ideogram_fits(
    sim: Simulator, order: Order, arm: Callable[..., None], fault: str | None, status: str
) -> None:
    if fault:
        arm("ideogram", fault)
    accepted = order("ideogram", **{"async": True}).json()
    check("ideogram", "accepted", accepted)
    url = f"{sim.url}/ideogram/v2/generations/{accepted['generation_id']}"
    found = requests.get(url, headers={"api-key": "sk-simulated-1234"}, timeout=10).json()
    check("ideogram", "generation", found)
    assert found["status"] == status
    assert requests.get(url, timeout=10).status_code == 401
    assert requests.get(f"{url}x", headers={"api-key": "k"}, timeout=10).status_code == 404
