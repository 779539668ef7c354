"""Offers that nobody sees before they pay: what was named limits the price."""

from dataclasses import replace
from decimal import Decimal
from typing import Any, Never, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.domain.catalog import Catalog
from imagegen.domain.errors import (
    AboveMaxCostError,
    ImagegenError,
    ParameterError,
    UnsupportedSizeError,
)
from imagegen.domain.outcomes import Outcome
from imagegen.domain.quote import Quote
from imagegen.openai_api.offers import NamedOffers
from imagegen.openai_api.retries import Call
from imagegen.usecases.availability import ProviderSetup
from imagegen.usecases.pricer import Issue, Pricer
from imagegen.wire.estimates import EstimateRequest
from tests.examples import examples
from tests.fakes.catalogs import catalog, real_catalog, row
from tests.fakes.service import PROMPT, USER, Service

DOWN = ProviderSetup(has_key=True, enabled=False)
TOKENS = {
    "textIn": "5", "imageOut": "30", "source": "https://example.com/p", "checkedOn": "2026-11-01",
}  # fmt: skip
LARGE = {"size": "2048x2048", "params": {"size": "2048x2048"}}


def offered(
    service: Service, multiple: str = "3", *, most_bytes: int | None = None, **asked: Any
) -> Quote:
    request = EstimateRequest.model_validate({"prompt": PROMPT, "quality": "standard", **asked})
    pricer = replace(service.pricer, price_multiple=Decimal(multiple))
    issue = Issue(bytes(15), service.clock())
    return NamedOffers(pricer).quote(
        request, USER, ledger=service.ledger(), issue=issue, most_bytes=most_bytes
    )


def three(first: str, second: str, third: str, **changes: Any) -> Catalog:
    return catalog(
        row("alpha-standard", priority=1, usd=first, **changes),
        row("beta-standard", priority=2, usd=second, maxPromptCharacters=32_000),
        row("gamma-standard", priority=3, usd=third, maxPromptCharacters=32_000),
    )


@pytest.mark.parametrize("named", [{}, {"model": "alpha-standard"}, {"provider": "alpha"}], ids=str)
def test_the_ceiling_is_held_to_the_multiple_and_not_only_the_expected_price(
    named: dict[str, Any],
) -> None:
    """The second is within the multiple of what is down; the third only of the second."""
    service = Service(catalog=three("0.05", "0.06", "0.16"))
    service.setups["alpha"] = DOWN
    quote = offered(service, **named)
    assert [one.key for one in quote.candidates] == ["beta-standard"]
    assert quote.ceiling_microusd == 60_000 <= 3 * 50_000
    assert quote.fallback is not None
    assert quote.fallback.model == "alpha-standard-model"


def test_whichever_model_makes_it_the_charge_is_within_the_multiple() -> None:
    service = Service(catalog=three("0.05", "0.06", "0.16"))
    service.setups["alpha"] = DOWN
    service.react("beta", Outcome.UNAVAILABLE)
    request = EstimateRequest.model_validate({"prompt": PROMPT, "model": "alpha-standard"})
    with pytest.raises(ImagegenError):
        service.buyer.buy(request, Call(USER, "body"), ends_ms=service.clock() + 300_000)
    assert service.called == ["beta-standard-model"]
    assert service.spent() == 0


def test_a_size_that_the_named_model_lacks_is_refused_with_its_sizes() -> None:
    large: dict[str, Any] = {
        "sizes": [LARGE],
        "price": {"rule": "perImage", "usd": {"2048x2048": "0.0119"}},
    }
    cat = catalog(row("alpha-standard", priority=1), row("beta-standard", priority=2, **large))
    service = Service(catalog=cat)
    with pytest.raises(UnsupportedSizeError, match="supports 1024x1024, not '2048x2048'"):
        offered(service, model="alpha-standard", size="2048x2048")
    told = offered(service, model="alpha-standard", size="2048x2048", maxCost="0.02")
    assert told.fallback is not None
    assert told.fallback.reason == "size_unsupported"


def test_a_size_that_only_another_row_of_the_tier_has_is_served_if_the_tier_was_named() -> None:
    large: dict[str, Any] = {
        "sizes": [LARGE],
        "price": {"rule": "perImage", "usd": {"2048x2048": "0.9"}},
    }
    cat = catalog(row("alpha-standard", priority=1), row("beta-standard", priority=2, **large))
    assert offered(Service(catalog=cat), size="2048x2048").fallback is None


def test_a_prompt_that_is_too_long_for_the_named_model_is_held_to_its_price() -> None:
    long = "word " * 900
    cheap = three("0.001", "0.0119", "0.0029", maxPromptCharacters=4000)
    quote = offered(Service(catalog=cheap), model="alpha-standard", prompt=long)
    assert [one.key for one in quote.candidates] == ["gamma-standard"]
    assert quote.fallback is not None
    assert quote.fallback.reason == "prompt_too_long"
    with pytest.raises(AboveMaxCostError, match="prompt_too_long"):
        offered(Service(catalog=cheap), "2", model="alpha-standard", prompt=long)


def test_what_a_long_prompt_adds_counts_against_the_multiple() -> None:
    """Without the addition 0.0029 is within three times 0.001; with it, it is 0.0104."""
    long = "word " * 1_300
    cat = catalog(
        row("alpha-standard", priority=1, usd="0.001", maxPromptCharacters=4000),
        row(
            "beta-standard",
            priority=2,
            usd="0.0029",
            maxPromptCharacters=32_000,
            tokenPrices=TOKENS,
        ),
    )
    with pytest.raises(AboveMaxCostError):
        offered(Service(catalog=cat), model="alpha-standard", prompt=long)


def test_a_model_past_its_last_day_is_held_to_its_price_as_well() -> None:
    ended = three("0.02", "0.07", "0.05", shutdownOn="2026-11-22")
    quote = offered(Service(catalog=ended), model="alpha-standard")
    assert [one.key for one in quote.candidates] == ["gamma-standard"]
    assert quote.fallback is not None
    assert quote.fallback.reason == "retired"


def test_a_file_that_the_named_model_does_not_make_is_refused_by_its_parameter() -> None:
    cat = catalog(
        row("alpha-standard", priority=1),
        row("beta-standard", priority=2, formats={"webp": {"output_format": "webp"}}),
    )
    with pytest.raises(ParameterError) as caught:
        offered(Service(catalog=cat), model="alpha-standard", format="webp")
    assert caught.value.param == "output_format"
    assert offered(Service(catalog=cat), format="webp").fallback is None


def test_a_file_that_is_too_large_for_the_answer_is_refused_by_the_form_of_the_answer() -> None:
    with pytest.raises(ParameterError) as caught:
        offered(Service(), most_bytes=1_000)
    assert caught.value.param == "response_format"
    with pytest.raises(ParameterError) as caught:
        offered(Service(), most_bytes=1_000, model="alpha-standard")
    assert caught.value.param == "response_format"


KEYS = [row.key for row in real_catalog().models]


@examples(150)
@given(
    model=st.sampled_from(KEYS),
    size=st.sampled_from(["square", "landscape", "2048x2048", "4096x4096", "1216x832", "1264x848"]),
    words=st.sampled_from([1, 200, 850, 5_000]),
    down=st.sets(st.sampled_from(real_catalog().providers), max_size=3),
)
def test_without_a_maximum_no_named_model_is_replaced_by_one_above_its_multiple(
    model: str, size: str, words: int, down: set[str]
) -> None:
    service = Service(catalog=real_catalog())
    for name in down:
        service.setups[name] = DOWN
    asked: dict[str, Any] = {
        "model": model,
        "size": size,
        "prompt": "word " * words,
        "quality": None,
    }
    try:
        quote = offered(service, **asked)
    except ImagegenError:
        return
    named = service.catalog.by_key[model]
    if quote.candidates[0].key == model:
        assert quote.fallback is None
        limit = quote.expected_microusd
    else:
        assert quote.fallback is not None
        assert quote.fallback.model == named.model
        option = named.option(size)
        assert option is not None
        limit = next(
            one.price_microusd
            for one in [
                service.pricer.offer(
                    EstimateRequest.model_validate(
                        {"prompt": "word " * words, "model": model, "size": size}
                    ),
                    USER,
                ).selection.replaced
            ]
            if one is not None and one.price_microusd is not None
        )
    assert quote.ceiling_microusd <= 3 * limit


def test_the_button_names_what_is_replaced_for_any_reason() -> None:
    service = Service(catalog=real_catalog())
    offer = service.estimate(model="replicate-fast-klein", quality=None, size="2048x2048")
    assert offer.fallback is not None
    assert (offer.fallback.model, offer.fallback.reason, offer.fallback.price) == (
        "black-forest-labs/flux-2-klein-4b", "size_unsupported", None,
    )  # fmt: skip
    other = service.estimate(model="openai-fast", quality="ultra")
    assert other.fallback is not None
    assert other.fallback.reason == "quality_unsupported"
    assert other.fallback.price == 5_900


class WrongParameter:
    """Stands in for ``Estimator``: a parameter is wrong that has nothing to do with the file."""

    def offer(self, *_: object, **_named: object) -> Never:
        raise ParameterError("style", "This style is not supported.")


def test_only_an_error_about_the_file_is_told_as_one_about_the_file() -> None:
    service = Service()
    pricer = cast("Pricer", WrongParameter())
    issue = Issue(bytes(15), service.clock())
    with pytest.raises(ParameterError) as caught:
        NamedOffers(pricer).quote(
            EstimateRequest(prompt=PROMPT), USER, ledger=service.ledger(), issue=issue
        )
    assert caught.value.param == "style"


def test_an_offer_is_made_with_the_ledger_that_was_read() -> None:
    service = Service()
    service.wire.calls.clear()
    quote = offered(service)
    assert quote.ceiling_microusd == 70_000
    assert "ledgers.load" not in service.wire.calls
