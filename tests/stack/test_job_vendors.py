"""Into each provider that is off by default and out of it, over the deployed functions' URLs."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from imagegen.domain.money import usd_text
from imagegen.domain.pricing import price_microusd
from imagegen.providers import PROVIDERS, flag_name
from tests.fakes.catalogs import real_catalog
from tests.stack.driver import Driver

OFF = [name for name, about in PROVIDERS.items() if about.off_by_default]
FIRST = "openai"
TIER = "high"
JOB_FAILED = {name: f"{name}_failed" for name in OFF if name != "ideogram"}
"""The faults with which a job ends that was accepted."""
every = pytest.mark.parametrize("name", OFF)


def price_of(name: str) -> str:
    row = next(
        one for one in real_catalog().models if (one.provider, one.tier.value) == (name, TIER)
    )
    microusd = price_microusd(row, row.sizes[0])
    assert microusd is not None
    return usd_text(microusd)


@contextmanager
def with_only(stack: Driver, *names: str) -> Iterator[None]:
    """Switch every other provider off."""
    with stack.parameters(
        {flag_name(one): "true" if one in names else "false" for one in PROVIDERS}
    ):
        yield


@every
def test_it_makes_the_image_when_the_first_choice_fails(stack: Driver, name: str) -> None:
    with with_only(stack, FIRST, name):
        stack.provider(FIRST, fault="server_error")
        person = stack.person()
        offer = person.estimate(quality=TIER, provider=FIRST, maxCost="0.07").json
        made = person.confirm(offer).json
        assert (offer["provider"], made["provider"]) == (FIRST, name)
        assert (made["fallback"]["provider"], made["fallback"]["reason"]) == (FIRST, "unavailable")
        assert made["cost"]["charged"] == person.usage()["spent"] == price_of(name)
        assert person.status(made["imageId"]).json["status"] == "complete"
    counts = stack.counts(name)
    assert (counts["images"], counts["billedMicrousd"]) == (1, int(float(price_of(name)) * 1e6))


@every
def test_another_makes_it_when_it_fails(stack: Driver, name: str) -> None:
    with with_only(stack, FIRST, name):
        stack.provider(name, fault=JOB_FAILED.get(name, "server_error"))
        person = stack.person()
        offer = person.estimate(quality=TIER, provider=name, maxCost="0.07").json
        made = person.confirm(offer).json
        assert (offer["provider"], made["provider"]) == (name, FIRST)
        assert [one["outcome"] for one in made["attempts"]] == ["unavailable", "success"]
        assert float(made["cost"]["charged"]) <= float(offer["price"]["ceiling"])
        assert made["cost"]["charged"] == person.usage()["spent"]
    assert (stack.counts(name)["images"], stack.counts(FIRST)["images"]) == (0, 1)


@every
def test_its_refusal_is_final_and_charges_nobody(stack: Driver, name: str) -> None:
    with with_only(stack, FIRST, name):
        person = stack.person()
        answer = person.make("A provider-refusal of a picture", quality=TIER, provider=name)
        assert (answer.status, answer.json["code"]) == (422, "content_refused")
        assert answer.json["charged"] is False
        assert person.usage()["spent"] == "0.000000"
    assert stack.counts(FIRST)["calls"] == 0
