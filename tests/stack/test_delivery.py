"""What was sold is what is delivered, in whatever form it is sent: over the functions' URLs."""

from typing import Any

import pytest

from local.simulator.routes import MODULES
from tests.fakes.catalogs import tier_of
from tests.stack.driver import Driver, Person

ODD = {"packed_gzip", "packed_raw_deflate", "trailing_bytes", "base64_data_uri", "file_late"}
TAKEN = [
    (name, fault.name)
    for name, module in MODULES.items()
    for fault in module.build().faults.values()
    if fault.draws and fault.outcome is None and (fault.name in ODD or fault.details)
]
THROWN_AWAY = ["hole", "blank_image", "tiny_image", "wrong_bytes", "truncated_image"]


def bought(person: Person, **fields: Any) -> Any:
    offer = person.estimate(**fields).json
    answer = person.confirm(offer)
    assert answer.status == 200, answer.text
    return offer, answer.json


@pytest.mark.parametrize(("provider", "fault"), TAKEN)
def test_an_image_in_an_odd_form_is_delivered_at_its_price(
    stack: Driver, provider: str, fault: str
) -> None:
    stack.provider(provider, fault=fault)
    person = stack.person()
    offer, made = bought(person, quality=tier_of(provider), provider=provider)
    assert (made["provider"], made["fallback"]) == (provider, None)
    assert made["cost"]["charged"] == offer["price"]["expected"] == person.usage()["spent"]


@pytest.mark.parametrize("fault", THROWN_AWAY)
def test_what_cannot_be_sold_is_not_charged(stack: Driver, fault: str) -> None:
    stack.provider("openai", fault=fault)
    person = stack.person()
    _, made = bought(person, quality="high", provider="openai")
    assert (made["provider"], made["fallback"]["provider"]) == ("together", "openai")
    assert made["cost"]["charged"] == person.usage()["spent"] == "0.030000"


def test_a_smaller_image_costs_what_it_is_worth(stack: Driver) -> None:
    stack.provider("openai", fault="square_image")
    person = stack.person()
    offer, made = bought(person, quality="ultra", provider="openai", size="3840x2160")
    assert offer["price"]["expected"] == "0.177900"
    assert made["cost"]["charged"] == person.usage()["spent"] == "0.093700"
    assert (made["width"], made["height"]) == (1024, 1024)


def test_a_packed_refusal_asks_nobody_else(stack: Driver) -> None:
    for packing in ("gzip", "deflate", "gzip-unlabelled", "plain-labelled-gzip"):
        stack.provider("openai", fault="moderation_blocked", packing=packing)
        person = stack.person()
        answer = person.make(quality="high", provider="openai")
        assert (answer.status, answer.json["code"]) == (422, "content_refused")
        assert person.usage()["spent"] == "0.000000"
    assert stack.counts("gemini")["calls"] == 0


def test_a_dense_prompt_is_charged_what_it_is_billed(stack: Driver) -> None:
    person = stack.person()
    _, made = bought(person, prompt="\u9f98" * 8_000, quality="fast", provider="openai")
    assert float(made["cost"]["charged"]) >= 0.0059 + 24_000 * 5 / 1_000_000 - 0.0013
