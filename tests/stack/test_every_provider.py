"""Each provider of the registry over the deployed functions' URLs: into it, out of it, and closed.

The other providers stay as they are: where they must not make the image, a firewall's page stops
them, which counts for nothing. So no instance has to start anew before a test's first circuit.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from imagegen.domain.catalog import Offering, Tier
from imagegen.domain.money import usd_text
from imagegen.domain.pricing import price_microusd
from imagegen.providers import PROVIDERS
from local.simulator.routes import MODULES
from tests.fakes.catalogs import real_catalog
from tests.stack.driver import Driver, Person

MULTIPLE = 1.25
"""``FallbackPriceMultiple`` as it is shipped."""
STOPPED = "firewall_403"
SHAPE = "square"


@dataclass(frozen=True, slots=True)
class Turn:
    """A tier in which one row is the first choice, and another may take its place."""

    tier: Tier
    first: Offering
    then: Offering


def price_of(row: Offering) -> int:
    """Return the price of a square image of words alone."""
    option = row.option(SHAPE)
    assert option is not None
    return price_microusd(row, option) or 0


def rows_of(tier: Tier, *, has: str = "", has_not: str = "") -> list[Offering]:
    """Return the tier's rows for words alone, of one provider or of all others; cheapest first."""
    rows = [one for one in real_catalog().tier(tier) if not one.needs_input and one.option(SHAPE)]
    named = [one for one in rows if not has or one.provider == has]
    return sorted([one for one in named if one.provider != has_not], key=price_of)


@cache
def turn(name: str, *, is_first: bool) -> Turn:
    """Return a turn in which the provider is the first choice, or the one after it."""
    for tier in Tier:
        mine, others = rows_of(tier, has=name), rows_of(tier, has_not=name)
        first, then = (mine, others) if is_first else (others, mine)
        if first and then and price_of(then[0]) <= MULTIPLE * price_of(first[-1]):
            return Turn(tier, first[-1], then[0])
    raise AssertionError(f"{name} is alone in every tier")


def confirm(person: Person, row: Offering) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the offer whose first choice is the row, and the image that was made."""
    offer = person.estimate(quality=row.tier, size=SHAPE, model=row.key)
    assert (offer.status, offer.json["provider"]) == (200, row.provider), offer.text
    made = person.confirm(offer.json)
    assert made.status == 200, made.text
    assert float(made.json["cost"]["charged"]) <= float(offer.json["price"]["ceiling"])
    assert made.json["cost"]["charged"] == person.usage()["spent"]
    return offer.json, made.json


def failures_of(name: str) -> dict[str, str]:
    """Return what each fault comes to: of a job that was accepted, where there are some."""
    faults = MODULES[name].build().faults
    of_job = f"{name}_failed"
    named = (of_job if of_job in faults else "server_error", "model_gone")
    return {one: str(faults[one].outcome) for one in named}


def makes_what_another_cannot(stack: Driver, name: str) -> None:
    into = turn(name, is_first=False)
    for other in PROVIDERS.keys() - {name}:
        stack.provider(other, fault=STOPPED)
    _, made = confirm(stack.person(), into.first)
    assert (made["provider"], made["fallback"]["provider"]) == (name, into.first.provider)
    assert made["fallback"]["reason"] == "blocked"
    counts = stack.counts(name)
    assert (counts["images"], usd_text(counts["billedMicrousd"])) == (1, made["cost"]["charged"])
    for other in PROVIDERS.keys() - {name}:
        stack.provider(other)


def refuses_and_nobody_else_is_asked(stack: Driver, name: str) -> None:
    before = {one: stack.counts(one)["calls"] for one in PROVIDERS}
    own, person = turn(name, is_first=True), stack.person()
    answer = person.make(
        "A provider-refusal of a picture", quality=own.tier, size=SHAPE, model=own.first.key
    )
    assert (answer.status, answer.json["code"]) == (422, "content_refused")
    assert (answer.json["charged"], person.usage()["spent"]) == (False, "0.000000")
    assert {one for one in PROVIDERS if stack.counts(one)["calls"] != before[one]} == {name}


def is_replaced(stack: Driver, name: str, fault: str, outcome: str) -> None:
    out, images = turn(name, is_first=True), stack.counts(name)["images"]
    stack.provider(name, fault=fault)
    _, made = confirm(stack.person(), out.first)
    assert made["provider"] != name
    assert (made["fallback"]["provider"], made["fallback"]["reason"]) == (name, outcome)
    assert made["attempts"][0]["outcome"] == outcome
    assert stack.counts(name)["images"] == images


@pytest.mark.parametrize("name", PROVIDERS)
def test_it_is_fallen_back_into_and_out_of_and_its_key_check_closes_it_alone(
    stack: Driver, name: str
) -> None:
    makes_what_another_cannot(stack, name)
    refuses_and_nobody_else_is_asked(stack, name)
    for fault, outcome in failures_of(name).items():
        is_replaced(stack, name, fault, outcome)
    billed = stack.counts(name)["billedMicrousd"]
    stack.provider(name, fault="bad_key")
    found = stack.invoke("health", {"task": "probe"})
    assert {one: found[one] == "account" for one in PROVIDERS} == {
        one: one == name for one in PROVIDERS
    }
    states = {one["provider"]: one["circuit"]["state"] for one in stack.health()["providers"]}
    assert {one for one, state in states.items() if state != "closed"} == {name}
    assert stack.counts(name)["billedMicrousd"] == billed
