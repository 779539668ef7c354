"""A deployment whose `.env` is empty: the functions' own role is the only credential."""

from collections.abc import Iterator

import pytest

from imagegen.providers import MODERATOR, PROVIDERS
from operations.push_env import store, stored
from tests.stack.driver import Driver, Person

ROLE = "bedrock"
CHECKS = "bedrock-checks"


@pytest.fixture
def without_keys(stack: Driver) -> Iterator[Driver]:
    """Take every key and flag away, as if `.env` had none."""
    ssm, path = stack.client("ssm"), stack.urls["parametersPath"]
    before = stored(ssm, path)
    store(ssm, path, {})
    stack.restart()
    try:
        yield stack
    finally:
        store(ssm, path, before)
        stack.restart()


def high(person: Person, prompt: str = "A red fox in fresh snow") -> dict[str, object]:
    """Return the offer of a tier in which there are other providers as well."""
    return person.estimate(prompt, quality="high", provider=ROLE).json


def test_with_an_empty_env_a_person_gets_a_moderated_picture(without_keys: Driver) -> None:
    stack, person = without_keys, without_keys.person()
    for prompt in ("A red fox in fresh snow", "A quick sketch of a fox", "A masterpiece of a fox"):
        offer = person.estimate(prompt)
        assert (offer.status, offer.json.get("provider")) == (200, ROLE), offer.text
        made = person.confirm(offer.json)
        assert made.status == 200, made.text
        assert made.json["cost"]["charged"] == offer.json["price"]["expected"]
    assert stack.counts(CHECKS)["calls"] == 3
    assert stack.counts("moderation")["calls"] == 0
    assert stack.counts(ROLE)["images"] == 3

    health = stack.health()
    assert health["moderation"] == {"mode": "required", "provider": ROLE}
    credentials = {one["provider"]: one["credentials"] for one in health["providers"]}
    assert {name for name, one in credentials.items() if one != "missing"} == {ROLE}

    refused = person.make("moderation-block:violence")
    assert (refused.status, refused.json["code"]) == (422, "content_refused")
    assert "violence" in refused.json["detail"]
    assert stack.counts(ROLE)["images"] == 3


def test_a_refusal_in_disguise_is_final_and_free(without_keys: Driver) -> None:
    without_keys.provider(ROLE, fault="refused_without_images")
    person = without_keys.person()
    answer = person.make(quality="high")
    assert (answer.status, answer.json["code"]) == (422, "content_refused")
    assert answer.json["charged"] is False
    assert person.usage()["spent"] == "0.000000"


def test_checks_that_are_away_stop_the_picture_before_it_is_bought(without_keys: Driver) -> None:
    without_keys.provider(CHECKS, fault="unavailable")
    answer = without_keys.person().make(quality="high")
    assert (answer.status, answer.json["code"]) == (503, "moderation_unavailable")
    assert without_keys.counts(ROLE)["calls"] == 0


def test_with_keys_openai_moderates(stack: Driver) -> None:
    assert stack.health()["moderation"] == {"mode": "required", "provider": "openai"}


@pytest.mark.parametrize(
    "fault", ["access_denied", "no_model_access", "rate_limited", "model_gone"]
)
def test_another_provider_makes_what_the_role_may_not(stack: Driver, fault: str) -> None:
    stack.provider(ROLE, fault=fault)
    person = stack.person()
    answer = person.confirm(high(person))
    assert answer.status == 200, answer.text
    assert answer.json["provider"] != ROLE
    assert answer.json["fallback"]["provider"] == ROLE
    assert stack.counts(ROLE) | {"calls": 1, "images": 0, "billedMicrousd": 0} == stack.counts(ROLE)


def test_the_role_makes_what_other_providers_cannot(stack: Driver) -> None:
    for name in PROVIDERS.keys() - {ROLE, MODERATOR}:
        stack.provider(name, fault="server_error")
    person = stack.person()
    offer = person.estimate("A red fox in fresh snow", quality="ultra", model="together-ultra")
    made = person.confirm(offer.json)
    assert made.status == 200, made.text
    assert made.json["provider"] == ROLE
    assert made.json["model"] == "stability.sd3-5-large-v1:0"
