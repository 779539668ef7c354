"""A model that costs nothing: said plainly, reserved and counted like any other, never charged."""

import json
from typing import Any

import pytest

from imagegen.domain.catalog import Catalog
from imagegen.domain.errors import (
    ContentRefusedError,
    GenerationFailedError,
    ImagegenError,
    InvalidRequestError,
    LimitError,
)
from imagegen.domain.ledger import Limits
from imagegen.domain.money import button_label
from imagegen.domain.outcomes import Outcome
from imagegen.domain.pricing import COST, actual_microusd, price_microusd
from imagegen.providers.instances import parse_instances, with_instances
from tests.fakes.catalogs import catalog, row
from tests.fakes.instances import own, text_of
from tests.fakes.instances import row as own_row
from tests.fakes.service import Service


def free_row(key: str, *, priority: int, **changes: Any) -> dict[str, Any]:
    return row(key, priority=priority, usd="0", **{"free": True, **changes})


def with_gpu(priority: int = 1) -> Catalog:
    """Return a priced model, and an own server as the first or the second choice."""
    priced = catalog(row("alpha-standard", priority=2, usd="0.05"))
    gpu = own(models=[own_row("qwen", priority=priority)])
    return with_instances(priced, parse_instances(text_of(gpu)))


def test_the_button_says_that_it_is_free() -> None:
    assert button_label(0) == "Generate Image for Free"
    assert button_label(0, count=3) == "Generate 3 Images for Free"
    assert button_label(1) == "Generate Image for $0.000001"


def test_a_price_of_nothing_is_a_missing_price_unless_it_is_meant() -> None:
    missing = catalog(row("alpha-a", priority=1, usd="0")).models[0]
    meant = catalog(free_row("alpha-a", priority=1)).models[0]
    assert price_microusd(missing, missing.sizes[0]) is None
    assert price_microusd(meant, meant.sizes[0]) == 0


def test_an_own_server_that_is_free_makes_an_image_for_nothing() -> None:
    service = Service(catalog=with_gpu())
    offer = service.estimate()
    assert offer.button_label == "Generate Image for Free"
    assert offer.button_note == ""
    assert json.loads(offer.model_dump_json(by_alias=True))["price"]["ceiling"] == "0.000000"
    image = service.present(offer)
    assert image.provider == "gpu"
    assert image.model_dump(mode="json", by_alias=True)["cost"]["charged"] == "0.000000"
    assert service.spent() == 0
    service.check_charged_iff_stored()


def test_a_free_offer_never_falls_back_to_a_priced_model() -> None:
    """The button says that it is free, so the most that can be charged is nothing."""
    service = Service(catalog=with_gpu())
    service.react("gpu", Outcome.UNAVAILABLE)
    with pytest.raises(GenerationFailedError) as caught:
        service.make()
    assert caught.value.charged is False
    assert service.called == ["qwen"]
    assert service.spent() == 0


def test_a_priced_model_falls_back_into_a_free_one_and_costs_nothing() -> None:
    service = Service(catalog=with_gpu(priority=3))
    service.react("alpha", Outcome.UNAVAILABLE)
    offer = service.estimate()
    assert offer.button_label == "Generate Image for $0.05"
    made = service.confirm(offer)
    assert made.record.provider == "gpu"  # type: ignore[union-attr]
    assert service.spent() == 0
    service.check_charged_iff_stored()


def test_while_a_free_server_rests_the_priced_model_is_offered_with_its_price() -> None:
    service = Service(catalog=with_gpu())
    service.react("gpu", Outcome.ACCOUNT)
    with pytest.raises(ImagegenError):
        service.make()
    offer = service.estimate()
    assert offer.provider == "alpha"
    assert offer.button_label == "Generate Image for $0.05"
    assert offer.fallback is not None


def test_free_images_count_against_the_limits() -> None:
    service = Service(catalog=with_gpu(), limits=Limits(hourly_images=2))
    service.make()
    service.make()
    with pytest.raises(LimitError):
        service.make()


def test_a_free_image_is_replayed_not_made_again() -> None:
    service = Service(catalog=with_gpu())
    offer = service.estimate()
    first, second = service.confirm(offer), service.confirm(offer)
    assert first.ref == second.ref  # type: ignore[union-attr]
    assert service.called == ["qwen"]


def test_a_prompt_that_is_too_long_for_a_free_model_is_left_out_with_that_reason() -> None:
    service = Service(catalog=with_gpu(priority=3))
    with pytest.raises(InvalidRequestError, match="gpu-standard: supports prompts of up to 4000"):
        service.estimate("a fox " * 800 + "in the snow")


def test_what_a_refusal_may_have_cost_is_the_operators_and_never_the_users() -> None:
    billing = catalog(row("alpha-standard", priority=1, usd="0.04", billsRefusals=True))
    service = Service(catalog=billing)
    service.react("alpha", Outcome.REFUSED)
    with pytest.raises(ContentRefusedError):
        service.make()
    (record,) = service.finished
    assert record.in_doubt_microusd == 40_000
    assert record.charged_microusd == 0
    assert service.spent() == 0


def test_a_refusal_that_was_not_billed_is_no_loss_where_others_are() -> None:
    billing = catalog(row("alpha-standard", priority=1, usd="0.04", billsRefusals=True))
    service = Service(catalog=billing)
    service.react("alpha", Outcome.REFUSED)
    service.providers["alpha"].is_unbilled = True
    with pytest.raises(ContentRefusedError):
        service.make()
    assert service.finished[0].in_doubt_microusd == 0


def test_a_refusal_that_the_vendor_does_not_bill_costs_nobody_anything() -> None:
    service = Service(catalog=catalog(row("alpha-standard", priority=1, usd="0.04")))
    service.react("alpha", Outcome.REFUSED)
    with pytest.raises(ContentRefusedError):
        service.make()
    assert service.finished[0].in_doubt_microusd == 0


def test_a_cost_that_the_answer_states_is_what_was_billed() -> None:
    priced = catalog(row("alpha-standard", priority=1)).models[0]
    assert actual_microusd(priced, {COST: 40_000}) == 40_000
    assert actual_microusd(priced, {COST: 0, "output_tokens": 7}) == 0
    assert actual_microusd(priced, {"output_tokens": 7}) is None


def test_a_model_of_an_instance_that_has_ended_is_never_offered() -> None:
    ended = own(models=[own_row("qwen", priority=1, shutdownOn="2026-01-01")])
    priced = catalog(row("alpha-standard", priority=2, usd="0.05"))
    service = Service(catalog=with_instances(priced, parse_instances(text_of(ended))))
    offer = service.estimate(model="qwen")
    assert offer.provider == "alpha"
    assert offer.fallback is not None
    assert (offer.fallback.model, offer.fallback.reason) == ("qwen", "retired")


def test_a_refused_key_closes_its_instance_alone() -> None:
    two = [
        own("first", models=[own_row("one", priority=3, usd="0.05")]),
        own("second", "sglang", models=[own_row("two", priority=4, usd="0.05")]),
    ]
    priced = catalog(row("alpha-standard", priority=5, usd="0.05"))
    service = Service(catalog=with_instances(priced, parse_instances(text_of(*two))))
    service.react("first", Outcome.ACCOUNT)
    made = service.make()
    assert made.record.provider in {"second", "alpha"}
    health = {one.provider: one.circuit.state for one in service.reporter.report().providers}
    assert health == {"first": "open", "second": "closed", "alpha": "closed"}
    service.check_charged_iff_stored()
