"""Requests are checked as the providers check them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from imagegen.providers import PROVIDERS
from local.simulator import Simulator
from local.simulator.openai_prices import output_tokens, pixels_of
from local.simulator.routes import BASES
from tests.vendors import vendor

ROOT = Path(__file__).parents[2]
CATALOG = json.loads((ROOT / "provider_catalog.json").read_text())
RETIRED = [(old["provider"], old["model"]) for old in CATALOG["retired"]]
type Order = Callable[..., requests.Response]


@pytest.mark.parametrize(("provider", "model"), RETIRED)
def test_a_retired_model_is_gone(
    order: Order, totals: Callable[[str], Any], provider: str, model: str
) -> None:
    assert order(provider, model=model).status_code == vendor(provider).refusals.model_gone
    assert totals(provider)["byOutcome"] == {"model_gone": 1}


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("key", ["sk-bad-1234", "an-INVALID-key"])
def test_a_bad_key_is_refused(
    order: Order, totals: Callable[[str], Any], provider: str, key: str
) -> None:
    assert order(provider, key=key).status_code == vendor(provider).refusals.bad_key
    assert totals(provider)["byOutcome"] == {"account": 1}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_empty_account_cannot_draw_and_its_key_is_good(
    sim: Simulator, order: Order, provider: str
) -> None:
    words = vendor(provider)
    check = sim.url + BASES[provider] + words.key_check
    assert order(provider, key="empty-1").status_code == words.refusals.no_credit
    method = "GET" if words.check_body is None else "POST"
    headers = words.auth("empty-1")
    assert requests.request(method, check, headers=headers, json=words.check_body, timeout=10).ok


@pytest.mark.parametrize(
    ("provider", "wrong"),
    [
        ("openai", {"size": "1000x1000"}),
        ("openai", {"size": "256x256"}),
        ("openai", {"quality": "hd"}),
        ("openai", {"style": "vivid"}),
        ("openai", {"response_format": "b64_json"}),
        ("openai", {"n": 11}),
        ("openai", {"prompt": ""}),
        ("openai", {"prompt": "x" * 32_001}),
        ("openai", {"background": "transparent", "output_format": "jpeg"}),
        ("together", {"response_format": "b64_json"}),
        ("together", {"width": 1023}),
        ("together", {"n": 5}),
        ("together", {"quality": "high"}),
        ("together", {"model": "black-forest-labs/FLUX.2-pro", "negative_prompt": "x"}),
        ("replicate", {"aspect_ratio": "7:5"}),
        ("replicate", {"resolution": "1 MP"}),
        ("replicate", {"output_format": "gif"}),
        ("gemini", {"imageConfig": {"aspectRatio": "7:5"}}),
        ("gemini", {"imageConfig": {"imageSize": "2k"}}),
        ("gemini", {"imageConfig": {"outputMimeType": "image/png"}}),
        ("gemini", {"candidateCount": 2}),
        ("gemini", {"responseModalities": ["TEXT"]}),
        ("gemini", {"model": "gemini-3.1-flash-lite-image", "imageConfig": {"imageSize": "2K"}}),
        ("bedrock", {"aspect_ratio": "4:3"}),
        ("bedrock", {"output_format": "webp"}),
        ("bedrock", {"mode": "image-to-image"}),
        ("bedrock", {"seed": 4_294_967_296}),
        ("bedrock", {"seed": "7"}),
        ("bedrock", {"width": 1024}),
        ("bedrock", {"negative_prompt": "blur"}),
        ("bedrock", {"prompt": ""}),
        ("bedrock", {"prompt": "x" * 10_001}),
        ("ideogram", {"size": "1000x1000"}),
        ("ideogram", {"size": "source"}),
        ("ideogram", {"size": 1024}),
        ("ideogram", {"quality": "very_low"}),
        ("ideogram", {"quality": "HIGH"}),
        ("ideogram", {"magic_prompt": "OFF"}),
        ("ideogram", {"num_images": 9}),
        ("ideogram", {"num_images": True}),
        ("ideogram", {"seed": -1}),
        ("ideogram", {"async": "false"}),
        ("ideogram", {"resolution": "1k"}),
        ("ideogram", {"prompt": ""}),
        ("ideogram", {"prompt": "x" * 10_001}),
        ("bfl", {"width": 1000}),
        ("bfl", {"height": 48}),
        ("bfl", {"width": 2048, "height": 2064}),
        ("bfl", {"output_format": "gif"}),
        ("bfl", {"safety_tolerance": 6}),
        ("bfl", {"seed": "7"}),
        ("bfl", {"aspect_ratio": "1:1"}),
        ("bfl", {"disable_pup": True}),
        ("bfl", {"prompt": ""}),
        ("bfl", {"input_image": "iVBORw0KGgo="}),
        ("bfl", {"model": "flux-2-pro", "input_image": "no base64"}),
        ("bfl", {"model": "flux-2-pro", "input_image_9": "iVBORw0KGgo="}),
        ("fal", {"prompt": ""}),
        ("fal", {"image_size": "1024x1024"}),
        ("fal", {"image_size": {"width": 0, "height": 992}}),
        ("fal", {"image_size": {"width": 992, "depth": 992}}),
        ("fal", {"image_size": [992, 992]}),
        ("fal", {"num_images": 5}),
        ("fal", {"output_format": "webp"}),
        ("fal", {"enable_safety_checker": "yes"}),
        ("fal", {"seed": "7"}),
        ("fal", {"safety_tolerance": "2"}),
        ("fal", {"width": 992}),
    ],
)
def test_a_wrong_parameter_is_refused_and_not_billed(
    order: Order, totals: Callable[[str], Any], provider: str, wrong: dict[str, Any]
) -> None:
    assert order(provider, **wrong).status_code in (400, 422)
    assert totals(provider)["byOutcome"] == {"bad_parameter": 1}
    assert totals(provider)["billedMicrousd"] == 0


@pytest.mark.parametrize("word", ["gore", "moderation-block:violence/graphic"])
def test_a_flagged_word_is_flagged_by_moderation_and_blocked_by_openai(
    order: Order, word: str
) -> None:
    verdict = order("moderation", prompt=f"a {word} scene").json()["results"][0]
    error = order("openai", prompt=f"a {word} scene").json()["error"]
    assert verdict["categories"]["violence/graphic"]
    assert error["code"] == "moderation_blocked"
    assert error["moderation_details"]["categories"] == ["violence/graphic"]


def test_words_are_whole_words(order: Order) -> None:
    assert not order("moderation", prompt="Gorenje by the denuded tree").json()["results"][0][
        "flagged"
    ]


@pytest.mark.parametrize(
    ("quality", "tokens"), [("low", 196), ("medium", 439), ("high", 1756), ("max", 7024)]
)
def test_tokens_follow_the_published_values(quality: str, tokens: int) -> None:
    assert output_tokens(quality, 1024, 1024) == tokens


@given(st.integers(1, 300), st.integers(1, 300))
def test_a_drawable_size_obeys_openais_rules(wide: int, high: int) -> None:
    width, height = 16 * wide, 16 * high
    legal = (
        655_360 <= width * height <= 8_294_400
        and max(width, height) <= 3840
        and max(width, height) <= 3 * min(width, height)
    )
    assert (pixels_of(f"{width}x{height}") is not None) == legal


def test_the_command_prints_where_it_listens_and_ends_cleanly() -> None:
    command = [sys.executable, "-m", "local.simulator", "--port", "0"]
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "layers" / "shared")}
    with subprocess.Popen(  # noqa: S603 - our own command
        command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        said = json.loads(process.stdout.readline())
        assert requests.get(said["url"], timeout=10).json()["openai"] == said["openai"]
        process.terminate()
        assert process.wait(timeout=10) == 0
