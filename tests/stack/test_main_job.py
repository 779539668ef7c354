"""Estimate, confirm, image: over the deployed functions' URLs."""

import io

import pytest
import requests
from PIL import Image

from imagegen.domain.catalog import Tier
from imagegen.providers import PROVIDERS
from tests.fakes.catalogs import real_catalog
from tests.stack.driver import Driver, Person

TIERS = ("ultra", "high", "standard", "fast")
SIZES = {"square": (1, 1), "landscape": (3, 2), "portrait": (2, 3)}


@pytest.fixture
def person(stack: Driver) -> Person:
    return stack.person()


def picture(image_url: str) -> Image.Image:
    got = requests.get(image_url, timeout=30)
    assert got.status_code == 200, got.text
    return Image.open(io.BytesIO(got.content))


def test_the_price_shown_is_the_price_charged(stack: Driver, person: Person) -> None:
    offer = person.estimate("A photorealistic sunset over mountains").json
    made = person.confirm(offer).json
    assert (offer["provider"], offer["quality"]) == ("together", "high")
    assert offer["buttonLabel"] == "Generate Image for $0.0336"
    assert made["cost"]["charged"] == offer["price"]["expected"] == "0.030000"
    assert (made["provider"], made["fallback"]) == ("together", None)
    assert person.usage()["spent"] == "0.030000"
    assert stack.counts("together")["images"] == 1


def test_an_estimate_spends_nothing_and_calls_nobody(stack: Driver, person: Person) -> None:
    person.estimate()
    assert person.usage()["attempts"] == 0
    assert all(stack.counts(p)["calls"] == 0 for p in ("openai", "together", "moderation"))


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_provider_draws_every_tier_and_shape(
    stack: Driver, person: Person, provider: str, tier: str, size: str
) -> None:
    offer = person.estimate(quality=tier, size=size, provider=provider).json
    if offer["provider"] != provider:
        assert provider not in {row.provider for row in real_catalog().tier(Tier(tier))}
        return
    made = person.confirm(offer).json
    drawn = picture(made["imageUrl"])
    assert made["provider"] == provider
    assert made["cost"]["charged"] == offer["price"]["expected"]
    assert drawn.size == (made["width"], made["height"])
    assert f"{drawn.width}x{drawn.height}" == offer["size"] == made["size"]
    wide, high = SIZES[size]
    assert (drawn.width > drawn.height) == (wide > high)


@pytest.mark.parametrize(
    ("tier", "size"), [("ultra", "2048x2048"), ("high", "1376x768"), ("fast", "1216x832")]
)
def test_exact_pixels_come_back_exactly(person: Person, tier: str, size: str) -> None:
    made = person.make(quality=tier, size=size).json
    drawn = picture(made["imageUrl"])
    assert f"{drawn.width}x{drawn.height}" == size


def test_the_image_is_open_to_whoever_has_its_id_and_to_nobody_else(
    stack: Driver, person: Person
) -> None:
    made = person.make().json
    anybody = requests.get(made["imageUrl"], timeout=30, allow_redirects=False)
    assert anybody.status_code == 302
    assert "X-Amz-Signature" in anybody.headers["location"]
    assert requests.get(made["imageUrl"][:-1] + "a", timeout=30).status_code == 404
    bucket = f"{stack.urls['awsEndpoint']}/{stack.urls['bucket']}"
    assert bucket in anybody.headers["location"]


def test_the_status_tells_what_the_answer_told(person: Person) -> None:
    made = person.make().json
    status = person.status(made["id"]).json
    for name in ("provider", "model", "size", "cost", "width", "mediaType", "imageUrl"):
        assert status[name] == made[name]
    assert status["charged"] is True


def test_the_same_quote_again_is_the_same_image_and_no_second_charge(
    stack: Driver, person: Person
) -> None:
    offer = person.estimate().json
    first, second = person.confirm(offer), person.confirm(offer)
    assert second.status == 200
    for name in ("id", "imageUrl", "cost", "provider", "createdAt"):
        assert first.json[name] == second.json[name]
    assert stack.counts("openai")["images"] == 1
    assert person.usage()["images"] == 1


def test_a_style_is_drawn_and_never_changes_the_quote(stack: Driver, person: Person) -> None:
    made = person.make("A lighthouse", style="watercolour").json
    assert (made["style"], made["alt"]) == ("watercolour", "A lighthouse")


def test_a_deleted_image_is_gone_and_was_charged(stack: Driver, person: Person) -> None:
    offer = person.estimate().json
    made = person.confirm(offer).json
    s3 = stack.client("s3")
    for found in s3.list_objects_v2(Bucket=stack.urls["bucket"])["Contents"]:
        if found["Key"].endswith(offer["quoteId"]):
            s3.delete_object(Bucket=stack.urls["bucket"], Key=found["Key"])
    for answer in (person.status(made["id"]), person.confirm(offer)):
        assert (answer.status, answer.json["charged"]) == (410, True)


def test_max_cost_lowers_the_ceiling(person: Person) -> None:
    offer = person.estimate(quality="standard", maxCost="0.02").json
    assert offer["price"]["ceiling"] == "0.015400"
    assert offer["buttonLabel"] == "Generate Image for $0.0154"
    dear = {one["key"]: one["reason"] for one in offer["alternatives"] if not one["available"]}
    made_by = ("gemini-standard", "replicate-standard", "bedrock-standard", "ideogram-standard")
    assert dear == {
        **dict.fromkeys((*made_by, "fal-standard"), "above_max_cost"),
        "ideogram-standard-edit": "inputs_unsupported",
    }


def test_models_lists_prices_and_what_ended(stack: Driver, person: Person) -> None:
    listed = person.call("GET", f"{stack.urls['estimateUrl']}/models").json
    assert len(listed["models"]) == len(real_catalog().models)
    assert "dall-e-3" in {one["model"] for one in listed["retired"]}


def test_health_needs_no_token_and_tells_no_secret(stack: Driver) -> None:
    stack.invoke("health", {"task": "probe"})
    report = stack.health()
    assert report["status"] == "healthy"
    assert {p["credentials"] for p in report["providers"]} == {"valid"}
    assert "local-openai-key" not in str(report)
