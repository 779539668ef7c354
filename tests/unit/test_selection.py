"""Who may make an image: nobody who could not, everybody else in order, and nobody forgotten."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.domain.candidates import UNAVAILABLE, Availability, Reason
from imagegen.domain.catalog import Catalog, Tier
from imagegen.domain.criteria import Criteria
from imagegen.domain.pricing import price_microusd, prompt_microusd
from imagegen.domain.selection import Selection, select
from imagegen.domain.wishes import Wishes
from tests.examples import examples
from tests.fakes.catalogs import ROOT, SOURCE, SQUARE, catalog, real_catalog, row, three_providers

TODAY = date(2026, 11, 22)
THREE = three_providers()
LANDSCAPE = {"size": "1536x1024", "shape": "landscape", "params": {"size": "1536x1024"}}
UP = Availability()
TOKEN_PRICES = {
    "textIn": "5",
    "imageOut": "30",
    "source": "https://prices.test/",
    "checkedOn": "2026-11-22",
}


def chosen(
    criteria: Criteria,
    cat: Catalog = THREE,
    *,
    multiple: int = 3,
    today: date = TODAY,
    **states: Availability,
) -> Selection:
    availability = {one.key: states.get(one.provider, UP) for one in cat.models}
    return select(cat, criteria, availability, price_multiple=Decimal(multiple), today=today)


def keys(selection: Selection) -> list[str]:
    return [one.key for one in selection.candidates]


def reasons(selection: Selection) -> dict[str, Reason]:
    return {one.row.key: one.reason for one in selection.left_out}


def criteria(**changes: Any) -> Criteria:
    asked: dict[str, Any] = {
        "tier": Tier.STANDARD, "size": "square", "prompt_characters": 20, "prompt_tokens": 20,
    }  # fmt: skip
    return Criteria(**(asked | changes))


@st.composite
def catalogs(variant: st.DrawFn) -> Catalog:
    rows = []
    for n in range(variant(st.integers(1, 6))):
        provider = variant(st.sampled_from(["alpha", "beta", "gamma"]))
        sizes = variant(st.sampled_from([[SQUARE], [LANDSCAPE], [SQUARE, LANDSCAPE]]))
        usd = variant(st.sampled_from(["0", "0.001", "0.01", "0.05", "0.2", "1"]))
        rows.append(
            row(
                f"{provider}-row-{n}",
                priority=n + 1,
                tier=variant(st.sampled_from(["standard", "high"])),
                price={"rule": "perMegapixel", "usd": usd},
                sizes=sizes,
                maxPromptCharacters=variant(st.sampled_from([10, 1000])),
                tokenPrices=variant(st.sampled_from([None, TOKEN_PRICES])),
                shutdownOn=variant(st.sampled_from([None, "2026-11-22", "2027-01-01"])),
            )
        )
    return catalog(*rows)


WISHES = st.builds(
    Criteria,
    tier=st.sampled_from([Tier.STANDARD, Tier.HIGH]),
    size=st.sampled_from(["square", "landscape", "portrait", "1024x1024"]),
    prompt_characters=st.sampled_from([5, 500]),
    prompt_tokens=st.sampled_from([5, 250, 251, 4_000, 32_000]),
    max_cost_microusd=st.none() | st.sampled_from([0, 1_100, 11_300, 20_000, 50_000, 500_000]),
    provider=st.sampled_from([None, "alpha", "gamma"]),
    model=st.sampled_from([None, "beta-row-1", "beta-row-1-model"]),
)
STATES = st.dictionaries(
    st.sampled_from([f"{p}-row-{n}" for p in ("alpha", "beta", "gamma") for n in range(6)]),
    st.sampled_from([UP, UP, *(Availability(reason) for reason in sorted(UNAVAILABLE))]),
    min_size=12,
)


@pytest.mark.parametrize(
    ("prompt_tokens", "chosen_keys"),
    [
        (250, ["alpha-standard"]),  # $0.05 of an image alone
        (251, []),  # and $0.00125 for the second 250 tokens of its prompt
        (32_000, []),
    ],
)
def test_what_a_long_prompt_adds_is_held_against_max_cost(
    prompt_tokens: int, chosen_keys: list[str]
) -> None:
    price = {"rule": "perMegapixel", "usd": "0.05"}
    one = catalog(
        row(
            "alpha-standard",
            priority=1,
            price=price,
            tokenPrices=TOKEN_PRICES,
            maxPromptCharacters=32_000,
        )
    )
    image = price_microusd(one.models[0], one.models[0].sizes[0])
    assert image is not None
    asked = criteria(
        prompt_characters=1_000, prompt_tokens=prompt_tokens, max_cost_microusd=image + 1_249
    )
    assert keys(chosen(asked, one)) == chosen_keys


@examples(300)
@given(catalogs(), WISHES, STATES, st.sampled_from([Decimal(1), Decimal("2.5"), Decimal(100)]))
def test_only_models_that_may_make_it_are_chosen_and_every_other_one_has_its_reason(
    cat: Catalog, asked: Criteria, states: dict[str, Availability], multiple: Decimal
) -> None:
    selection = select(cat, asked, states, price_multiple=multiple, today=TODAY)
    accounted = [one.key for one in selection.candidates]
    accounted += [one.row.key for one in selection.left_out]
    assert sorted(accounted) == sorted(one.key for one in cat.tier(asked.tier))
    for one in selection.candidates:
        model, option = one.variant.row, one.variant.option
        assert model.option(asked.size) == option
        image = price_microusd(model, option)
        assert image is not None
        # What a long prompt adds is a part of the price, so it is held against maxCost as well.
        assert one.price_microusd == image + prompt_microusd(model, asked.prompt_tokens)
        assert one.price_microusd > 0
        assert not model.is_retired(TODAY)
        assert states[model.key].reason is None
        assert asked.prompt_characters <= model.max_prompt_characters
        assert asked.max_cost_microusd is None or one.price_microusd <= asked.max_cost_microusd
        assert one.price_microusd <= selection.expected_microusd * multiple
    assert selection.ceiling_microusd >= selection.expected_microusd >= 0
    if asked.max_cost_microusd is not None:
        assert selection.ceiling_microusd <= asked.max_cost_microusd
    replaced = selection.replaced
    if replaced is not None:
        is_named = asked.names(replaced.row)
        assert is_named or (not asked.has_name and replaced.reason in UNAVAILABLE)
    if asked.has_name and selection.candidates and replaced is None:
        first = selection.candidates[0].variant.row
        assert asked.names(first) or not any(map(asked.names, cat.models))


@pytest.mark.parametrize("tier", Tier)
def test_everybody_of_the_real_catalog_is_offered_where_all_is_well(tier: Tier) -> None:
    selection = chosen(criteria(tier=tier), real_catalog())
    assert len(selection.candidates) + len(selection.left_out) == len(real_catalog().tier(tier))
    found = reasons(selection)
    for one in real_catalog().tier(tier):
        if one.inputs and one.inputs.needs != "nothing":
            assert found.pop(one.key) is Reason.INPUTS
    assert set(found.values()) <= {Reason.MULTIPLE}
    assert len({one.variant.row.provider for one in selection.candidates}) >= 2


def test_candidates_stand_by_priority() -> None:
    assert keys(chosen(criteria())) == ["alpha-standard", "beta-standard", "gamma-standard"]


def test_the_provider_wished_for_comes_first_and_the_rest_follows() -> None:
    selection = chosen(criteria(provider="gamma"))
    assert keys(selection) == ["gamma-standard", "alpha-standard", "beta-standard"]


@pytest.mark.parametrize("model", ["beta-standard", "beta-standard-model"])
def test_the_model_wished_for_comes_before_the_provider_wished_for(model: str) -> None:
    assert keys(chosen(criteria(provider="gamma", model=model)))[:2] == [
        "beta-standard",
        "gamma-standard",
    ]


def test_a_first_choice_that_rests_is_named_as_replaced() -> None:
    selection = chosen(criteria(), alpha=Availability(Reason.CIRCUIT, 5))
    assert keys(selection) == ["beta-standard", "gamma-standard"]
    assert selection.replaced is not None
    assert selection.replaced.row.key == "alpha-standard"
    assert selection.replaced.price_microusd == 50_000


def test_a_first_choice_that_was_not_named_and_does_not_fit_is_not_replaced_by_anybody() -> None:
    cat = catalog(
        row("alpha-standard", priority=1, sizes=[LANDSCAPE], price=PER_MEGAPIXEL),
        row("beta-standard", priority=2),
    )
    selection = chosen(criteria(), cat)
    assert keys(selection) == ["beta-standard"]
    assert selection.replaced is None


# What was named is what is compared.


PER_MEGAPIXEL = {"rule": "perMegapixel", "usd": "0.05"}
MISFITS: dict[Reason, tuple[dict[str, Any], dict[str, Any], Availability]] = {
    Reason.SIZE: ({"sizes": [LANDSCAPE], "price": PER_MEGAPIXEL}, {}, UP),
    Reason.PROMPT: ({"maxPromptCharacters": 10}, {}, UP),
    Reason.RETIRED: ({"shutdownOn": "2026-11-22"}, {}, UP),
    Reason.UNPRICED: ({"price": {"rule": "perMegapixel", "usd": "0"}}, {}, UP),
    Reason.NO_KEY: ({}, {}, Availability(Reason.NO_KEY)),
    Reason.DISABLED: ({}, {}, Availability(Reason.DISABLED)),
    Reason.CIRCUIT: ({}, {}, Availability(Reason.CIRCUIT, 5)),
    Reason.TOO_DEAR: (
        {"price": {"rule": "perImage", "usd": {"1024x1024": "0.09"}}},
        {"max_cost_microusd": 80_000},
        UP,
    ),
    Reason.QUALITY: ({"tier": "high"}, {}, UP),
    Reason.FORMAT: ({}, {"file_format": "webp"}, UP),
    Reason.MARKS: ({}, {}, Availability(Reason.MARKS)),
    Reason.PRICE: ({}, {}, Availability(Reason.PRICE)),
    Reason.INPUTS: ({}, {"inputs": ((1024, 1024),)}, UP),
    Reason.WISH: ({}, {"wishes": Wishes(seed=7)}, UP),
}


def test_every_reason_but_the_multiple_has_a_case() -> None:
    assert MISFITS.keys() | {Reason.MULTIPLE} == set(Reason)


@pytest.mark.parametrize(
    "name", [{"model": "alpha-row"}, {"model": "alpha-row-model"}, {"provider": "alpha"}], ids=str
)
@pytest.mark.parametrize("reason", MISFITS)
def test_a_named_model_that_another_one_replaces_is_named_whatever_the_reason(
    reason: Reason, name: dict[str, str]
) -> None:
    changes, asked, state = MISFITS[reason]
    other = row(
        "beta-row",
        priority=2,
        formats={"webp": {"output_format": "webp"}},
        inputs={"most": 1, "price": {"rule": "free"}, "source": SOURCE},
        seed="seed",
    )
    cat = catalog(row("alpha-row", priority=1, **changes), other)
    selection = chosen(criteria(**asked, **name), cat, alpha=state)
    assert keys(selection) == ["beta-row"]
    assert selection.replaced is not None
    assert (selection.replaced.row.key, selection.replaced.reason) == ("alpha-row", reason)
    has_price = reason not in (Reason.SIZE, Reason.UNPRICED, Reason.INPUTS)
    assert (selection.replaced.price_microusd is not None) is has_price


def test_another_row_of_the_named_model_or_provider_replaces_nothing() -> None:
    cat = catalog(
        row("alpha-one", priority=1, model="m", sizes=[LANDSCAPE], price=PER_MEGAPIXEL),
        row("alpha-two", priority=2, model="m"),
        row("beta-one", priority=3),
    )
    for name in ({"model": "m"}, {"provider": "alpha"}):
        selection = chosen(criteria(**name), cat)
        assert (keys(selection)[0], selection.replaced) == ("alpha-two", None)


def test_of_a_provider_without_a_row_in_the_tier_the_cheapest_row_with_a_price_is_named() -> None:
    cat = catalog(
        row("alpha-one", priority=1),
        row("beta-no-such-size", priority=1, tier="high", sizes=[LANDSCAPE], price=PER_MEGAPIXEL),
        row("beta-high", priority=2, tier="high", usd="0.3"),
        row("beta-ultra", priority=1, tier="ultra", usd="0.2"),
    )
    selection = chosen(criteria(provider="beta"), cat)
    assert selection.replaced is not None
    assert (selection.replaced.row.key, selection.replaced.reason) == ("beta-ultra", Reason.QUALITY)


def test_fallbacks_of_a_named_model_are_within_the_multiple_of_its_price_if_any_is() -> None:
    cat = catalog(
        row("alpha-standard", priority=1, usd="0.02"),
        row("beta-standard", priority=2, usd="0.061"),
        row("gamma-standard", priority=3, usd="0.06"),
    )
    down = Availability(Reason.CIRCUIT)
    selection = chosen(criteria(model="alpha-standard"), cat, alpha=down)
    assert keys(selection) == ["gamma-standard"]
    assert reasons(selection)["beta-standard"] is Reason.MULTIPLE
    assert keys(chosen(criteria(model="alpha-standard"), cat, multiple=2, alpha=down)) == [
        "beta-standard",
        "gamma-standard",
    ]


def test_a_second_choice_that_rests_replaces_nothing() -> None:
    assert chosen(criteria(), beta=Availability(Reason.NO_KEY)).replaced is None


def test_whoever_costs_more_than_the_multiple_of_the_first_is_left_out() -> None:
    cat = catalog(
        row("alpha-standard", priority=1, usd="0.01"),
        row("beta-standard", priority=2, usd="0.03"),
        row("gamma-standard", priority=3, usd="0.030001"),
    )
    selection = chosen(criteria(), cat)
    assert keys(selection) == ["alpha-standard", "beta-standard"]
    assert reasons(selection) == {"gamma-standard": Reason.MULTIPLE}


def test_a_price_equal_to_the_most_that_may_be_paid_is_within_it() -> None:
    assert "beta-standard" in keys(chosen(criteria(max_cost_microusd=60_000)))


def test_a_row_whose_state_is_unknown_counts_as_without_a_key() -> None:
    selection = select(THREE, criteria(), {}, price_multiple=Decimal(3), today=TODAY)
    assert set(reasons(selection).values()) == {Reason.NO_KEY}
    assert (selection.expected_microusd, selection.ceiling_microusd) == (0, 0)


def test_a_model_past_its_last_day_is_left_out_though_its_key_is_good() -> None:
    cat = catalog(
        row("alpha-one", priority=1, shutdownOn="2026-11-22"), row("beta-one", priority=2)
    )
    assert reasons(chosen(criteria(), cat)) == {"alpha-one": Reason.RETIRED}


def test_a_maximum_below_every_price_names_both_amounts() -> None:
    selection = chosen(criteria(max_cost_microusd=40_000))
    assert not selection.candidates
    assert "$0.05 is above the maxCost of $0.04" in selection.left_out[0].detail


def test_the_ceiling_is_the_price_of_the_dearest_candidate_wherever_it_stands() -> None:
    assert chosen(criteria()).ceiling_microusd == 70_000
    assert chosen(criteria(provider="gamma")).ceiling_microusd == 70_000


def test_a_prompt_of_exactly_the_longest_that_a_model_takes_is_taken() -> None:
    cat = catalog(row("alpha-one", priority=1, maxPromptCharacters=20))
    assert keys(chosen(criteria(prompt_characters=20), cat)) == ["alpha-one"]
    assert reasons(chosen(criteria(prompt_characters=21), cat)) == {"alpha-one": Reason.PROMPT}


def test_a_model_without_the_size_names_the_sizes_that_it_has() -> None:
    cat = catalog(
        row("alpha-one", priority=1, sizes=[SQUARE, LANDSCAPE], price=PER_MEGAPIXEL),
        row("beta-one", priority=2),
    )
    selection = chosen(criteria(size="portrait"), cat)
    details = {one.row.key: one.detail for one in selection.left_out}
    assert details == {
        "alpha-one": "supports 1024x1024, 1536x1024",
        "beta-one": "supports 1024x1024",
    }


def test_of_rows_of_other_tiers_that_all_lack_the_size_one_is_still_named() -> None:
    other: dict[str, Any] = {"sizes": [LANDSCAPE], "price": PER_MEGAPIXEL}
    cat = catalog(
        row("alpha-one", priority=1),
        row("beta-high", priority=1, tier="high", **other),
        row("beta-ultra", priority=1, tier="ultra", **other),
    )
    selection = chosen(criteria(provider="beta"), cat)
    assert keys(selection) == ["alpha-one"]
    assert selection.replaced is not None
    assert selection.replaced.row.provider == "beta"
    assert selection.replaced.price_microusd is None


def test_every_reason_has_the_code_that_the_docs_explain() -> None:
    text = (ROOT / "docs" / "how-it-works.md").read_text()
    assert [reason for reason in Reason if f"`{reason}`" not in text] == []


def test_a_model_without_a_price_is_unpriced_however_long_the_prompt_is() -> None:
    free: dict[str, Any] = {
        "price": {"rule": "perMegapixel", "usd": "0"},
        "maxPromptCharacters": 10,
    }
    cat = catalog(row("alpha-one", priority=1, **free), row("beta-one", priority=2))
    assert reasons(chosen(criteria(), cat)) == {"alpha-one": Reason.UNPRICED}
