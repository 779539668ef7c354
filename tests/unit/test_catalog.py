"""The shipped catalog keeps its promises, and a bad one does not load."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from imagegen.domain.catalog import Catalog, Offering, Tier
from imagegen.domain.digests import digest
from imagegen.domain.pricing import price_microusd
from imagegen.domain.sizes import SizeOption
from imagegen.providers import PROVIDERS
from tests.fakes.catalogs import ROOT, SQUARE, catalog, real_catalog, row

REAL = real_catalog()
ROWS = [pytest.param(one, id=one.key) for one in REAL.models]
PROVIDER_FOLDER = ROOT / "layers" / "shared" / "imagegen" / "providers"


@pytest.mark.parametrize("tier", Tier)
@pytest.mark.parametrize("shape", ["square", "landscape", "portrait"])
def test_every_tier_makes_every_shape_of_words_alone_with_four_providers(
    tier: Tier, shape: str
) -> None:
    """With the settings as they are shipped: no provider is off by default."""
    rows = [one for one in REAL.tier(tier) if one.option(shape) and not one.needs_input]
    able = {one.provider for one in rows if not PROVIDERS[one.provider].off_by_default}
    assert len(able) >= 4


def test_every_provider_has_an_adapter_and_every_adapter_a_row() -> None:
    assert set(REAL.providers) == set(PROVIDERS)
    for name in PROVIDERS:
        assert (PROVIDER_FOLDER / f"{name}.py").is_file()


@pytest.mark.parametrize("one", ROWS)
def test_every_listed_size_has_a_price(one: Any) -> None:
    assert all((price_microusd(one, option) or 0) > 0 for option in one.sizes)


@pytest.mark.parametrize("one", ROWS)
def test_every_offered_row_lives_longer_than_it_was_checked(one: Any) -> None:
    assert not one.is_retired(one.checked_on)


def test_a_megapixel_is_a_million_pixels_unless_the_provider_bills_another_number() -> None:
    made = {"size": "2000x1000", "params": {}}
    assert SizeOption.model_validate(made).megapixels == Decimal(2)
    billed = SizeOption.model_validate(made | {"billedMegapixels": "1.5"})
    assert billed.megapixels == Decimal("1.5")


@pytest.mark.parametrize("one", ROWS)
def test_no_shape_is_drawn_in_another_shape(one: Any) -> None:
    compare = {"square": int.__eq__, "landscape": int.__gt__, "portrait": int.__lt__}
    for option in one.sizes:
        if option.shape is not None:
            assert compare[option.shape](*option.pixels)


def test_every_retired_model_names_a_living_replacement_and_is_offered_nowhere() -> None:
    offered = {one.model for one in REAL.models}
    for gone in REAL.retired:
        better = REAL.by_key[gone.replaced_by]
        assert better.shutdown_on is None or better.shutdown_on > gone.shutdown_on
        assert gone.model not in offered
        assert REAL.retirement(gone.model) == gone


@pytest.mark.parametrize(
    "model", ["dall-e-2", "dall-e-3", "gpt-image-1", "imagen-4.0-generate-001"]
)
def test_the_models_that_people_still_ask_for_are_known_as_retired(model: str) -> None:
    assert REAL.retirement(model) is not None


def test_no_two_draws_share_a_digest() -> None:
    digests = [one.digest(option) for one in REAL.models for option in one.sizes]
    assert len(set(digests)) == len(digests)


def test_sources_are_https() -> None:
    sources = [one.source for one in REAL.models] + [one.source for one in REAL.retired]
    assert {source.scheme for source in sources} == {"https"}


def test_a_tier_is_sorted_by_priority() -> None:
    for tier in Tier:
        priorities = [one.fallback_priority for one in REAL.tier(tier)]
        assert priorities == sorted(priorities)


@given(
    st.dictionaries(st.text(), st.one_of(st.text(), st.integers(), st.booleans()), max_size=4),
    st.text(min_size=1),
    st.integers(),
)
def test_a_digest_depends_on_every_parameter_and_not_on_their_order(
    params: dict[str, Any], name: str, value: int
) -> None:
    backwards = dict(reversed(params.items()))
    assert digest("p", "m", params) == digest("p", "m", backwards)
    if params.get(name, None if value else 0) != value:
        assert digest("p", "m", params) != digest("p", "m", {**params, name: value})
    assert digest("p", "m", params) != digest("p", "other", params)
    assert digest("p", "m", params) != digest("other", "m", params)


def test_a_model_is_retired_from_its_last_day_on() -> None:
    end = date(2026, 12, 1)
    one = catalog(row("alpha-one", priority=1, shutdownOn=end.isoformat())).models[0]
    assert not one.is_retired(end - timedelta(days=1))
    assert one.is_retired(end)


def priced(price: dict[str, Any], **size: Any) -> int | None:
    one = catalog(row("alpha-one", priority=1, price=price, sizes=[SQUARE | size])).models[0]
    return price_microusd(one, one.sizes[0])


def test_a_price_by_megapixel_is_rounded_up_to_a_whole_micro_dollar() -> None:
    rule = {"rule": "perMegapixel", "usd": "0.0019"}
    assert priced(rule) == 1_993  # 1.048576 megapixels: 1,992.2944
    assert priced(rule, billedMegapixels="1") == 1_900


def test_a_price_by_run_and_megapixel_adds_both() -> None:
    rule = {"rule": "perRunPlusMegapixel", "usdPerRun": "0.04", "usd": "0.03"}
    assert priced(rule, billedMegapixels="2") == 100_000


def test_a_price_of_nothing_is_no_price() -> None:
    assert priced({"rule": "perMegapixel", "usd": "0"}) is None


@given(st.decimals("0.000001", "10", places=6), st.decimals("0.01", "64", places=4))
def test_a_price_is_never_below_what_the_rule_says(usd: Decimal, megapixels: Decimal) -> None:
    price = priced({"rule": "perMegapixel", "usd": str(usd)}, billedMegapixels=str(megapixels))
    assert price is not None
    exact = usd * megapixels * 1_000_000
    assert exact <= price < exact + 1


def breaks(match: str, *rows: dict[str, Any], **more: Any) -> None:
    with pytest.raises(ValidationError, match=match):
        catalog(*rows, **more)


def test_a_catalog_with_a_size_without_a_price_does_not_load() -> None:
    breaks("no price", row("a-one", priority=1, price={"rule": "perImage", "usd": {}}))


def test_a_catalog_with_a_price_finer_than_a_micro_dollar_does_not_load() -> None:
    breaks("finer", row("a-one", priority=1, usd="0.00000001"))


@pytest.mark.parametrize("usd", [0.05, "-1", "NaN", "free"])
def test_a_catalog_with_a_price_that_is_no_decimal_text_does_not_load(usd: Any) -> None:
    breaks("usd", row("a-one", priority=1, usd=usd))


def test_a_catalog_that_says_something_twice_does_not_load() -> None:
    breaks("keys used twice", row("a-one", priority=1), row("a-one", priority=2))
    breaks("priorities used twice", row("a-one", priority=1), row("b-one", priority=1))
    breaks("sizes listed twice", row("a-one", priority=1, sizes=[SQUARE, SQUARE]))
    other = SQUARE | {"size": "512x512"}
    rule = {"rule": "perMegapixel", "usd": "1"}
    breaks("shapes listed", row("a-one", priority=1, price=rule, sizes=[SQUARE, other]))


def test_a_retired_model_must_name_a_row_that_is_there() -> None:
    gone = {
        "provider": "a",
        "model": "old",
        "shutdownOn": "2026-01-01",
        "replacedBy": "nobody",
        "source": "https://example.com",
    }
    breaks("do not exist", row("a-one", priority=1), retired=(gone,))


def test_an_unknown_field_does_not_load() -> None:
    breaks("colour", row("a-one", priority=1, colour="red"))


def test_the_catalog_is_frozen() -> None:
    with pytest.raises(ValidationError):
        REAL.models = ()  # type: ignore[misc]
    assert isinstance(REAL, Catalog)


def test_a_copy_with_other_rows_keeps_nothing_that_was_computed_of_the_old_ones() -> None:
    known = catalog(row("a-one", priority=1, usd="0.05"), row("b-one", priority=2))
    first = known.by_key["a-one"]
    assert (known.providers, len(known.tier(Tier.STANDARD))) == (("a", "b"), 2)
    (dearer,) = catalog(row("a-one", priority=1, usd="0.07")).models

    copied = known.model_copy(update={"models": (dearer,)})

    assert copied.by_key == {"a-one": dearer}
    assert copied.providers == ("a",)
    assert copied.tier(Tier.STANDARD) == (dearer,)
    assert known.by_key["a-one"] is first


def test_a_copy_of_a_row_has_the_sizes_of_its_own_fields() -> None:
    (known,) = catalog(row("a-one", priority=1)).models
    assert known.options.keys() == {"1024x1024", "square"}
    small = SizeOption(size="512x512", params={})

    assert known.model_copy(update={"sizes": (small,)}).options == {"512x512": small}
    assert known.model_copy(deep=True) == known


@pytest.mark.parametrize("one", ROWS)
def test_the_digest_of_a_size_is_that_of_what_is_sent_for_it(one: Offering) -> None:
    for option in one.sizes:
        sent = digest(one.provider, one.model, one.sent(option))
        # The second answer is the kept one.
        assert [one.digest(option), one.digest(option)] == [sent, sent]


def test_a_size_with_other_parameters_has_a_digest_of_its_own() -> None:
    one = REAL.models[0]
    own = one.sizes[0]
    kept = one.digest(own)
    other = own.model_copy(update={"params": {**own.params, "seed": 7}})

    assert one.digest(other) == digest(one.provider, one.model, one.sent(other)) != kept
    assert one.digest(own) == kept


def test_a_changed_row_keeps_no_digest_of_the_row_before() -> None:
    one = REAL.models[0]
    kept = one.digest(one.sizes[0])
    changed = one.model_copy(update={"model": "another"})

    assert changed.digest(changed.sizes[0]) != kept


def test_a_digest_is_the_same_in_a_new_version_so_that_quotes_stay_good() -> None:
    assert digest("alpha", "one", {"b": [1, "x"], "a": True}) == "ca1753cf6253a7f3"
