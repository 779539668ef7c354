"""Inputs, wishes and sizes per candidate: which rows remain, at which price, and what is signed."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from imagegen.domain.abilities import Enlargement, InputSupport
from imagegen.domain.candidates import Availability, Reason
from imagegen.domain.catalog import Offering, Tier
from imagegen.domain.criteria import SAME_SIZE, Criteria
from imagegen.domain.input_tokens import input_tokens
from imagegen.domain.inputs import QuotedInput, Role
from imagegen.domain.pricing import inputs_microusd
from imagegen.domain.quote import (
    Quote,
    QuotedCandidate,
    open_quote,
    parse_keyring,
    prompt_hash,
    sign_quote,
)
from imagegen.domain.selection import Selection, select
from imagegen.domain.wishes import Wishes
from tests.fakes.catalogs import SQUARE, catalog, row

TODAY = date(2026, 11, 26)
SOURCE = "https://example.com/prices"
SIDES = st.integers(1, 20_000)
WIDE = {"size": "1536x1024", "shape": "landscape", "params": {"size": "1536x1024"}}
KEYRING = parse_keyring("k1:" + "A" * 43)


def taking(key: str, **support: Any) -> dict[str, Any]:
    """Return a row that takes input images, free of charge unless ``support`` has a price."""
    inputs = {"most": 4, "price": {"rule": "free"}, "source": SOURCE, **support}
    return row(key, priority=1, inputs=inputs)


def parsed(given_row: dict[str, Any]) -> Offering:
    return catalog(given_row).models[0]


def chosen(rows: list[dict[str, Any]], **asked: Any) -> Selection:
    numbered = [one | {"fallbackPriority": at} for at, one in enumerate(rows, 1)]
    known = catalog(*numbered)
    least: dict[str, Any] = {
        "tier": Tier.STANDARD,
        "size": "square",
        "prompt_characters": 9,
        "prompt_tokens": 3,
    }
    criteria = Criteria(**(least | asked))
    states = {one.key: Availability() for one in known.models}
    return select(known, criteria, states, price_multiple=Decimal(100), today=TODAY)


def left_out(selection: Selection) -> dict[str, str]:
    return {one.row.key: one.detail for one in selection.left_out}


@pytest.mark.parametrize(
    ("price", "size", "microusd"),
    [
        pytest.param({"rule": "free"}, (4000, 4000), 0, id="free"),
        pytest.param({"rule": "perImage", "usd": "0.00112"}, (64, 4000), 1_120, id="per image"),
        pytest.param(
            {"rule": "perStartedMegapixel", "usd": "0.03", "most": 4}, (1024, 1024), 30_000, id="1"
        ),
        pytest.param(
            {"rule": "perStartedMegapixel", "usd": "0.03", "most": 4}, (1025, 1024), 60_000, id="2"
        ),
        pytest.param(
            {"rule": "perStartedMegapixel", "usd": "0.03", "most": 4}, (8000, 8000), 120_000, id="4"
        ),
        pytest.param(
            {"rule": "patchTokens", "usdPerMillion": "8", "cap": 1536}, (1024, 1024), 8_192, id="tk"
        ),
        pytest.param(
            {"rule": "patchTokens", "usdPerMillion": "8", "cap": 1536},
            (9, 20_000),
            12_288,
            id="cap",
        ),
    ],
)
def test_an_input_image_costs_what_the_row_s_rule_says(
    price: dict[str, Any], size: tuple[int, int], microusd: int
) -> None:
    known = parsed(taking("a", price=price))
    cost = inputs_microusd(known, [size], has_mask=False)
    assert cost == microusd
    assert inputs_microusd(known, [size, size], has_mask=False) == 2 * cost
    assert inputs_microusd(known, [size], has_mask=True) == 2 * cost


@given(SIDES, SIDES)
def test_an_input_image_never_has_more_tokens_than_the_cap(width: int, height: int) -> None:
    assert 1 <= input_tokens(width, height, cap=1536) <= 1536


def test_the_price_of_a_candidate_includes_its_inputs() -> None:
    rows = [taking("a", price={"rule": "perImage", "usd": "0.01"})]
    plain, edit = chosen(rows), chosen(rows, inputs=((1024, 1024), (10, 10)))
    assert edit.expected_microusd == plain.expected_microusd + 20_000


@pytest.mark.parametrize(
    ("support", "asked", "detail"),
    [
        ({"most": 1}, {"inputs": ((9, 9), (9, 9))}, "takes at most 1 input images"),
        ({}, {"inputs": ((9, 9),), "has_mask": True}, "takes no mask"),
        ({"needs": "image"}, {}, "needs an input image"),
        (
            {"needs": "mask", "mask": "white"},
            {"inputs": ((9, 9),)},
            "needs an input image and a mask",
        ),
    ],
)
def test_a_row_that_cannot_use_the_inputs_is_left_out_with_the_reason(
    support: dict[str, Any], asked: dict[str, Any], detail: str
) -> None:
    selection = chosen([taking("a", **support), taking("b", mask="alpha")], **asked)
    assert [one.key for one in selection.candidates] == ["b"]
    assert left_out(selection) == {"a": detail}
    assert selection.left_out[0].reason is Reason.INPUTS
    assert selection.left_out[0].price_microusd is None


def test_a_row_without_a_price_for_inputs_is_never_priced_like_a_drawing() -> None:
    selection = chosen([row("a", priority=1), taking("b")], inputs=((9, 9),))
    assert [one.key for one in selection.candidates] == ["b"]
    assert "no published price" in left_out(selection)["a"]


@pytest.mark.parametrize(
    ("wishes", "detail"),
    [
        (Wishes(transparent=True), "makes no transparent background"),
        (Wishes(seed=7), "has no seed"),
        (Wishes(partials=1), "sends no preview frames"),
    ],
)
def test_a_row_that_cannot_meet_a_wish_is_left_out_with_the_reason(
    wishes: Wishes, detail: str
) -> None:
    able = row("b", priority=2) | {
        "transparent": {"background": "transparent"},
        "seed": "seed",
        "previews": {
            "most": 2,
            "usd": "0.003",
            "count": "partial_images",
            "params": {"stream": True},
            "source": SOURCE,
        },
    }
    selection = chosen([row("a", priority=1), able], wishes=wishes)
    assert left_out(selection) == {"a": detail}
    sent = selection.candidates[0].variant.option.params
    wanted: dict[str, Any] = {"background": "transparent"} if wishes.transparent else {}
    wanted |= {"seed": 7} if wishes.seed else {}
    wanted |= {"partial_images": 1, "stream": True} if wishes.partials else {}
    assert wanted.items() <= dict(sent).items()


def test_a_row_that_sends_fewer_preview_frames_than_are_wanted_is_left_out() -> None:
    previews = {"most": 1, "usd": "0.003", "count": "partial_images", "source": SOURCE}
    rows = [row("a", priority=1) | {"previews": previews}, row("b", priority=2)]
    found = left_out(chosen(rows, wishes=Wishes(partials=2)))
    assert found == {"a": "sends fewer preview frames", "b": "sends no preview frames"}
    assert [one.key for one in chosen(rows, wishes=Wishes(partials=1)).candidates] == ["a"]


def test_preview_frames_are_priced() -> None:
    previews = {"most": 2, "usd": "0.003", "count": "partial_images", "source": SOURCE}
    rows = [row("a", priority=1) | {"previews": previews}]
    two = chosen(rows, wishes=Wishes(partials=2)).expected_microusd
    assert two == chosen(rows).expected_microusd + 6_000


def test_the_same_size_is_the_nearest_one_that_each_row_has() -> None:
    wide = taking("a") | {
        "sizes": [SQUARE, WIDE],
        "price": {"rule": "perImage", "usd": {"1024x1024": "0.01", "1536x1024": "0.02"}},
    }
    selection = chosen([wide, taking("b")], size=SAME_SIZE, inputs=((3000, 2000),))
    sizes = {one.key: one.variant.option.size for one in selection.candidates}
    assert sizes == {"a": "1536x1024", "b": "1024x1024"}


def _quote(**changes: Any) -> Quote:
    quote = Quote(
        quote_id="q" * 24,
        image_id="i",
        user="ab" * 16,
        day="20261126",
        issued_ms=1,
        expires_ms=2,
        prompt_hash=prompt_hash("a fox"),
        tier=Tier.STANDARD,
        size="square",
        style="",
        candidates=(QuotedCandidate("a", 1, "d" * 16),),
        slot=0,
    )
    return replace(quote, **changes)


@pytest.mark.parametrize(
    ("changes", "prefix"),
    [
        ({}, "q1."),
        ({"inputs": (QuotedInput(Role.EDIT, 9, 9, "image/png", image="x", issued_ms=3),)}, "q2."),
        ({"wishes": Wishes(seed=0)}, "q2."),
        ({"candidates": (QuotedCandidate("a", 1, "d" * 16, size="9x9"),)}, "q2."),
    ],
)
def test_a_quote_with_something_new_is_not_opened_by_an_earlier_release(
    changes: dict[str, Any], prefix: str
) -> None:
    quote = _quote(**changes)
    token = sign_quote(quote, KEYRING)
    assert token.startswith(prefix)
    assert open_quote(token, KEYRING) == quote


def test_the_parameters_of_a_row_for_inputs_are_sent_with_inputs_and_only_then() -> None:
    rows = [taking("alpha-one", needs="nothing", params={"fidelity": "high"})]
    without, with_one = chosen(rows), chosen(rows, inputs=((1024, 1024),))
    assert "fidelity" not in without.candidates[0].variant.option.params
    assert with_one.candidates[0].variant.option.params["fidelity"] == "high"


# What a row may say of an ability, and where it ends.


def enlarging(**more: Any) -> Enlargement:
    known = {"scales": {"2": {"factor": "2x"}}, "mostMegapixels": "4", "source": SOURCE}
    return Enlargement.model_validate(known | more)


def test_an_enlargement_is_possible_up_to_its_bounds_and_no_pixel_further() -> None:
    bounded = enlarging(leastEdge=64, mostEdge=4_000)
    assert bounded.misfit((64, 64), (4_000, 1_000)) is None, "exactly four megapixels"
    assert "at least 64" in (bounded.misfit((64, 63), (128, 126)) or "")
    assert "at most 4000 pixels, not 4001" in (bounded.misfit((64, 64), (100, 4_001)) or "")
    assert "at most 4 megapixels, not 2001x2000" in (bounded.misfit((64, 64), (2_001, 2_000)) or "")
    assert enlarging().misfit((1, 1), (4_000_000, 1)) is None, "one pixel is an edge, without more"


def test_a_scale_that_a_row_does_not_have_has_no_parameters() -> None:
    both = enlarging(scales={"2": {"factor": "2x"}, "4": {"factor": "4x"}})
    assert [both.params(scale) for scale in (2, 4, 3)] == [{"factor": "2x"}, {"factor": "4x"}, None]


@pytest.mark.parametrize(
    "wrong",
    [
        {"scales": {}},
        {"scales": {"3": {}}},
        {"leastEdge": 0},
        {"mostEdge": 0},
        {"mostMegapixels": "0"},
    ],
)
def test_an_enlargement_that_enlarges_nothing_is_refused(wrong: dict[str, Any]) -> None:
    assert enlarging(leastEdge=1, mostEdge=1)
    with pytest.raises(ValidationError):
        enlarging(**wrong)


def support(**more: Any) -> InputSupport:
    known = {"most": 1, "price": {"rule": "free"}, "source": SOURCE}
    return InputSupport.model_validate(known | more)


@pytest.mark.parametrize(
    ("encoded", "text"),
    [(None, ""), (4_000_000, "3.0 MB"), (19_999_999, "14.9 MB")],
)
def test_a_limit_in_base64_is_told_in_megabytes_of_files(encoded: int | None, text: str) -> None:
    assert support(mostEncodedBytes=encoded).most_megabytes == text


@pytest.mark.parametrize(
    "wrong", [{"most": 0}, {"mostEncodedBytes": 0}, {"mostMegapixels": "0"}, {"needs": "two"}]
)
def test_a_row_that_takes_no_input_says_nothing_of_inputs(wrong: dict[str, Any]) -> None:
    assert support(mostEncodedBytes=1, mostMegapixels="0.1")
    with pytest.raises(ValidationError):
        support(**wrong)


def test_a_row_that_says_no_more_takes_pictures_in_one_form_and_needs_none() -> None:
    plain = support()
    assert (plain.needs, plain.mask, plain.fields, plain.keeps_size) == (
        "nothing",
        None,
        None,
        False,
    )
    fields = support(field="image").fields
    assert fields is not None
    assert (fields.pictures, fields.is_list, fields.mask) == ("image", False, "")
