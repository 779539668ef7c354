"""An estimate prices a request, signs the price, and writes and calls nothing."""

import json
from datetime import datetime
from typing import Any

import pytest

from imagegen.domain.breaker import Circuit, State
from imagegen.domain.budgets import Level
from imagegen.domain.candidates import Reason
from imagegen.domain.catalog import Tier
from imagegen.domain.errors import (
    InvalidRequestError,
    NoProviderError,
    ParameterError,
    RetiredModelError,
    StoreUnavailableError,
    UnsupportedSizeError,
)
from imagegen.domain.ids import parse_image_id
from imagegen.domain.ledger import Limits
from imagegen.domain.pricing import price_microusd
from imagegen.domain.quote import Quote, open_quote, prompt_hash
from imagegen.usecases.availability import ProviderSetup
from imagegen.usecases.pricer import Issue
from imagegen.wire.estimates import Estimate, EstimateRequest
from tests.fakes.catalogs import catalog, real_catalog, row
from tests.fakes.faults import Fault
from tests.fakes.pictures import picture
from tests.fakes.service import IMAGE_ID_KEY, KEYRING, PROMPT, USER, Service
from tests.unit.test_inputs import editor, editors, upload


def quote_of(offer: Estimate) -> Quote:
    return open_quote(offer.quote, KEYRING)


def test_an_estimate_writes_nothing_and_calls_no_provider() -> None:
    service = Service()
    service.estimate()
    assert service.writes == 0
    assert service.circuits.writes == 0
    assert not service.called
    assert service.wire.calls == ["circuits.load", "ledgers.load", "budgets.load"]


def test_the_quote_contains_what_the_answer_shows() -> None:
    service = Service()
    offer = service.estimate(style="ink")
    quote = quote_of(offer)
    assert quote.user == USER
    assert quote.prompt_hash == prompt_hash(PROMPT)
    assert (quote.quote_id, quote.image_id) == (offer.quote_id, offer.image_id)
    assert (quote.expected_microusd, quote.ceiling_microusd) == (50_000, 70_000)
    assert (offer.price.expected, offer.price.ceiling) == (50_000, 70_000)
    assert quote.expires_ms == offer.expires_at == service.clock() + 600_000
    assert (quote.day, quote.style, quote.size) == ("20261122", "ink", "square")
    assert [one.key for one in quote.candidates] == [
        "alpha-standard",
        "beta-standard",
        "gamma-standard",
    ]
    assert parse_image_id(offer.image_id, IMAGE_ID_KEY) == service.ref(offer)


def test_the_button_names_the_most_and_the_note_what_is_usual() -> None:
    offer = Service().estimate()
    assert offer.button_label == "Generate Image for $0.07"
    assert offer.button_note == "usually $0.05"
    one_model = Service().estimate(maxCost="0.05")
    assert (one_model.button_label, one_model.button_note) == ("Generate Image for $0.05", "")


def test_max_cost_lowers_the_ceiling() -> None:
    offer = Service().estimate(maxCost="0.06")
    assert offer.price.ceiling == 60_000
    assert {one.key: one.reason for one in offer.alternatives} == {
        "beta-standard": None,
        "gamma-standard": "above_max_cost",
    }


@pytest.mark.parametrize(
    "wishes",
    [
        {},
        {"maxCost": "0.06"},
        {"maxCost": 1e-5, "count": 3},
        {"quality": "fast", "size": "landscape", "style": "ink", "format": "jpeg"},
        {"provider": "openai", "model": "openai-high", "partials": 2, "seed": 0},
        {
            "inputs": [{"image": "a" * 64, "role": "edit"}, {"upload": "b" * 32}],
            "mask": {"upload": "c" * 32},
            "background": "transparent",
            "size": "same",
        },
        {"quality": None, "mask": None, "size": "square"},
    ],
)
def test_what_was_requested_beside_the_prompt_can_be_requested_again(
    wishes: dict[str, Any],
) -> None:
    request = EstimateRequest.model_validate({"prompt": PROMPT, **wishes})
    again = json.loads(json.dumps({"prompt": PROMPT, **request.without_prompt()}))
    assert EstimateRequest.model_validate(again) == request
    assert "prompt" not in request.without_prompt()


@pytest.mark.parametrize("wishes", [{"size": "landscape"}, {"count": 2}, {"size": "portrait"}])
def test_an_offer_leads_to_each_of_its_choices_at_the_price_that_it_shows(
    wishes: dict[str, Any],
) -> None:
    service = Service(catalog=real_catalog())
    offer = service.estimate(**wishes)
    for one in offer.choices:
        again = {**offer.request, **one.request.model_dump(by_alias=True)}
        found = service.estimate(**again)
        assert (found.model, found.price, found.fallback) == (one.model, one.price, None)


def test_two_estimates_are_two_quotes() -> None:
    service = Service()
    assert service.estimate().quote_id != service.estimate().quote_id


def test_the_prompts_words_decide_the_tier_if_the_request_has_none() -> None:
    service = Service(catalog=real_catalog())
    offer = service.estimate("a masterpiece of a fox", quality=None)
    assert offer.quality == "ultra"
    assert "masterpiece" in offer.quality_reason


def test_a_requested_model_determines_the_tier() -> None:
    offer = Service(catalog=real_catalog()).estimate(quality=None, model="together-fast")
    assert (offer.quality, offer.provider) == ("fast", "together")
    assert offer.quality_reason == "the only quality of the requested model"


@pytest.mark.parametrize(
    ("prompt", "quality", "tier"),
    [
        ("a fox", None, "standard"),
        ("a quick sketch", None, "fast"),
        ("a detailed fox", None, "high"),
        ("a masterpiece of a fox", None, "high"),
        ("a quick sketch", "high", "high"),
    ],
)
def test_the_prompt_decides_among_the_tiers_of_a_requested_model(
    prompt: str, quality: str | None, tier: str
) -> None:
    service = Service(catalog=real_catalog())
    offer = service.estimate(prompt, quality=quality, model="gpt-image-2.5-flare")
    assert (offer.quality, offer.model) == (tier, "gpt-image-2.5-flare")
    assert (offer.quality_reason == "requested") is (quality is not None)


def test_a_replacement_of_the_first_choice_names_it_and_the_reason() -> None:
    service = Service()
    service.setups["alpha"] = ProviderSetup(has_key=False, enabled=True)
    offer = service.estimate()
    assert offer.provider == "beta"
    assert offer.fallback is not None
    assert (offer.fallback.provider, offer.fallback.reason) == ("alpha", "no_key")
    assert quote_of(offer).fallback is not None


@pytest.mark.parametrize(
    ("setup", "reason"),
    [
        (ProviderSetup(has_key=False, enabled=True), "no_key"),
        (ProviderSetup(has_key=True, enabled=False), "disabled"),
        (ProviderSetup(has_key=False, enabled=False), "no_key"),
    ],
)
def test_a_provider_without_key_or_flag_is_left_out(setup: ProviderSetup, reason: str) -> None:
    service = Service()
    service.setups["beta"] = setup
    offer = service.estimate()
    assert {one.key: one.reason for one in offer.alternatives}["beta-standard"] == reason
    assert offer.fallback is None


@pytest.mark.parametrize("name", ["alpha", "alpha/alpha-standard-model"])
@pytest.mark.parametrize("state", [State.OPEN, State.HALF_OPEN])
def test_an_open_circuit_of_provider_or_model_leaves_it_out(name: str, state: State) -> None:
    service = Service()
    service.circuits.circuits[name] = Circuit(state, 1, until_ms=service.clock() + 1)
    assert service.estimate().provider == "beta"


def test_a_circuit_whose_probe_is_due_is_offered_again() -> None:
    service = Service()
    service.circuits.circuits["alpha"] = Circuit(State.OPEN, 1, until_ms=service.clock())
    assert service.estimate().provider == "alpha"


def test_without_the_circuit_store_every_model_is_offered() -> None:
    service = Service()
    service.wire.faults[0] = Fault.BEFORE
    assert service.estimate().provider == "alpha"


def test_without_the_ledger_there_is_no_estimate() -> None:
    service = Service()
    service.wire.faults[1] = Fault.BEFORE
    with pytest.raises(StoreUnavailableError):
        service.estimate()


def test_no_available_model_is_a_temporary_error_that_names_each_reason() -> None:
    service = Service()
    for name in service.setups:
        service.setups[name] = ProviderSetup(has_key=False, enabled=True)
    with pytest.raises(NoProviderError, match="no key is set") as caught:
        service.estimate()
    assert all(one.key in str(caught.value) for one in service.catalog.models)


def test_a_size_that_no_model_has_is_an_error_of_the_caller() -> None:
    with pytest.raises(UnsupportedSizeError, match="1024x1024"):
        Service().estimate(size="999x999")


def test_a_tier_without_a_model_is_an_error_of_the_caller() -> None:
    service = Service(catalog=catalog(row("alpha-standard", priority=1)))
    with pytest.raises(
        InvalidRequestError, match=r"^No fast model fits the request\. There is none\.$"
    ):
        service.estimate(quality="fast")


def test_a_max_cost_below_every_price_is_an_error_of_the_caller() -> None:
    with pytest.raises(InvalidRequestError, match=r"\$0\.05"):
        Service().estimate(maxCost="0.01")


def test_an_unknown_provider_or_model_is_an_error_of_the_caller() -> None:
    with pytest.raises(InvalidRequestError, match="alpha, beta, gamma"):
        Service().estimate(provider="nobody")
    with pytest.raises(InvalidRequestError, match="GET /models"):
        Service().estimate(model="nothing")


def test_the_error_for_a_retired_model_names_its_last_day_and_its_successor() -> None:
    with pytest.raises(RetiredModelError, match=r"ended on 2026-05-12; .*openai-high"):
        Service(catalog=real_catalog()).estimate(model="dall-e-3")
    with pytest.raises(RetiredModelError, match="ends on 2026-12-01"):
        Service(catalog=real_catalog()).estimate(model="gpt-image-1.5")


def test_the_slot_of_a_quote_is_one_that_is_free() -> None:
    service = Service()
    made = [service.make(f"fox {n}") for n in range(9)]
    assert len(service.ledger().slots) == len(made)
    free = set(range(10)) - set(service.ledger().slots)
    assert quote_of(service.estimate()).slot in free


def test_the_remaining_allowance_is_reported() -> None:
    service = Service(limits=Limits(5, 4, 100, 200_000))
    service.make()
    left = service.estimate().remaining
    assert (left.images_this_hour, left.images_today, left.usd_today) == (4, 3, 150_000)


def test_an_estimate_is_free_where_every_limit_is_reached() -> None:
    service = Service(limits=Limits(1, 1, 1, 70_000))
    service.make()
    assert service.estimate().remaining.images_this_hour == 0


def test_expected_and_ceiling_of_a_selection_are_the_first_and_the_dearest_price() -> None:
    service = Service()
    request = EstimateRequest.model_validate({"prompt": PROMPT, "quality": "standard"})
    issue = Issue(bytes(15), service.clock())
    found = service.pricer.offer(request, USER, ledger=service.ledger(), issue=issue).selection
    assert [one.price_microusd for one in found.candidates] == [50_000, 60_000, 70_000]
    assert found.expected_microusd == 50_000
    assert found.ceiling_microusd == 70_000
    assert [one.file_format for one in found.candidates] == ["", "", ""]


def test_the_reasons_why_a_model_is_left_out_have_the_names_of_the_api() -> None:
    assert {one.name: one.value for one in Reason} == {
        "SIZE": "size_unsupported",
        "PROMPT": "prompt_too_long",
        "RETIRED": "retired",
        "UNPRICED": "unpriced",
        "NO_KEY": "no_key",
        "DISABLED": "disabled",
        "CIRCUIT": "circuit_open",
        "TOO_DEAR": "above_max_cost",
        "MULTIPLE": "above_price_multiple",
        "QUALITY": "quality_unsupported",
        "FORMAT": "format_unsupported",
        "INPUTS": "inputs_unsupported",
        "WISH": "wish_unsupported",
        "MARKS": "marks_missing",
        "PRICE": "price_unconfirmed",
    }


def test_as_many_images_as_one_click_may_make_are_offered_and_one_more_is_refused() -> None:
    service = Service(max_count=2)
    assert len(service.estimate(count=2).quotes) == 2
    with pytest.raises(ParameterError) as error:
        service.estimate(count=3)
    assert error.value.param == "count"


def test_an_offer_shows_whether_a_click_would_be_refused_now() -> None:
    service = Service(limits=Limits(10, 50, 100, 200_000))
    assert service.estimate().blocked is None
    assert service.estimate(count=2).blocked is None
    dear = service.estimate(count=3).blocked
    assert dear is not None
    assert dear.reason == "daily_spend"


def test_a_budget_above_the_user_is_shown_and_may_refuse_the_click() -> None:
    assert Service(limits=Limits()).estimate().remaining.levels is None
    service = Service(limits=Limits(levels=(Level(daily_microusd=100_000),)))
    offer, two = service.estimate(), service.estimate(count=2)
    (left,) = offer.remaining.levels or ()
    assert (left.usd_today, offer.blocked) == (100_000, None)
    assert two.blocked is not None
    assert two.blocked.reason == "total_daily_spend"


def test_an_offer_names_the_sizes_and_the_longest_prompt_of_its_tier() -> None:
    tall = {"size": "512x768", "shape": "portrait", "params": {}}
    price = {"rule": "perImage", "usd": {"512x768": "0.06"}}
    known = catalog(
        row("alpha-standard", priority=1),
        row("beta-standard", priority=2, maxPromptCharacters=9_000, sizes=[tall], price=price),
    )
    found = Service(catalog=known).estimate().constraints
    assert found.sizes == ("square", "landscape", "portrait", "1024x1024", "512x768")
    assert found.max_prompt_characters == 9_000


def test_only_rows_that_make_an_image_of_words_alone_count_for_that() -> None:
    known = real_catalog()
    found = Service(catalog=known).estimate().constraints
    rows = [one for one in known.tier(Tier.STANDARD) if not one.needs_input]
    assert len(rows) < len(known.tier(Tier.STANDARD))
    assert set(found.sizes[3:]) == {size.size for one in rows for size in one.sizes}


def test_the_size_that_is_like_a_pictures_is_quoted_in_pixels_and_no_other() -> None:
    assert quote_of(Service().estimate()).candidates[0].size == ""


def test_an_offer_without_an_enlargement_has_no_scale() -> None:
    assert Service().estimate().scale is None


def test_a_retired_model_has_ended_on_its_last_day() -> None:
    service = Service(catalog=real_catalog())
    service.clock.advance(_noon("2026-12-01") - service.clock())
    with pytest.raises(RetiredModelError, match="ended on 2026-12-01"):
        service.estimate(model="gpt-image-1.5")


def _noon(day: str) -> int:
    return int(datetime.fromisoformat(f"{day}T12:00:00+00:00").timestamp() * 1000)


def test_a_quote_of_a_given_nonce_and_time_is_always_the_same() -> None:
    service = Service()
    request = EstimateRequest.model_validate({"prompt": PROMPT, "quality": "standard"})
    issue = Issue(bytes(range(15)), service.clock() - 5)
    first, again = (service.pricer.offer(request, USER, issue=issue).quote for _ in range(2))
    assert first == again
    assert first.issued_ms == service.clock() - 5


@pytest.mark.parametrize(("byte", "slot"), [(0, 0), (1, 1), (9, 9), (10, 0), (255, 5)])
def test_the_nonce_chooses_among_the_free_slots(byte: int, slot: int) -> None:
    service = Service()
    request = EstimateRequest.model_validate({"prompt": PROMPT, "quality": "standard"})
    issue = Issue(bytes([byte]) + bytes(14), service.clock())
    offer = service.pricer.offer(request, USER, issue=issue)
    assert offer.quote.slot == slot
    slots = [one.slot for one in service.pricer.quotes(offer, 10)]
    assert slots == [(slot + n) % 10 for n in range(10)]


def test_without_a_free_slot_the_first_is_named() -> None:
    service = Service(limits=Limits(1, 10, 10, 700_000))
    service.make()
    assert quote_of(service.estimate()).slot == 0


def test_the_list_of_models_has_each_price_each_scale_and_each_last_day() -> None:
    known = real_catalog()
    listed = {one.key: one for one in Service(catalog=known).lister.models().models}
    for one in known.models:
        found = listed[one.key]
        prices = {size.size: price_microusd(one, size) for size in one.sizes}
        shown = {size.size: size.price for size in found.sizes}
        assert shown == {size: price for size, price in prices.items() if price is not None}
        assert found.shutdown_on == (one.shutdown_on.isoformat() if one.shutdown_on else None)
        scales = one.enlarges.scales if one.enlarges else ()
        assert found.scales == tuple(map(int, scales))
    assert any(one.scales for one in listed.values())


def test_the_list_of_models_has_the_last_day_of_one_that_ends() -> None:
    ends = row("a-one", priority=1, shutdownOn="2027-02-03")
    (found,) = Service(catalog=catalog(ends)).lister.models().models
    assert found.shutdown_on == "2027-02-03"


def test_a_size_without_a_price_is_not_listed() -> None:
    (found,) = Service(catalog=catalog(row("a-one", priority=1, usd="0"))).lister.models().models
    assert found.sizes == ()


def test_a_provider_that_is_set_up_has_no_advice_of_its_own() -> None:
    setup = ProviderSetup(has_key=True, enabled=True)
    assert (setup.advice, setup.route_advice) == ("", "")


def test_an_offer_has_the_scale_and_the_preview_frames_that_were_asked_for() -> None:
    service = Service(catalog=real_catalog())
    parent = service.estimate("a fox")
    service.confirm(parent)
    larger = {"operation": "upscale", "scale": 4, "inputs": [{"image": parent.image_id}]}
    request = EstimateRequest.model_validate(larger)
    assert service.estimator.estimate(request, USER).scale == 4
    assert service.estimate(partials=2).partials == 2


def test_a_picture_that_was_sent_is_shown_without_the_id_of_an_image() -> None:
    service = editors()
    (shown,) = service.estimate("x", inputs=[{"upload": upload(service, picture())}]).inputs
    assert shown.quote_id is None


def test_the_sizes_of_rows_that_only_change_pictures_are_not_offered_for_words() -> None:
    wide = {"size": "1536x1024", "shape": "landscape", "params": {}}
    price = {"rule": "perImage", "usd": {"1536x1024": "0.05"}}
    only = editor("beta-standard", 2, inputs={"needs": "image"}) | {"sizes": [wide], "price": price}
    known = catalog(row("alpha-standard", priority=1), only)
    assert "1536x1024" not in Service(catalog=known).estimate().constraints.sizes
