"""What the shipped catalog says about input images, and what follows for offers."""

import json
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.docs.prices import CATALOG
from imagegen.domain.candidates import Availability, Reason
from imagegen.domain.catalog import Offering, Tier
from imagegen.domain.criteria import SAME_SIZE, Criteria
from imagegen.domain.formats import choose_format
from imagegen.domain.money import label_text, parse_usd, usd_text
from imagegen.domain.pricing import inputs_microusd, most_for_input_microusd, price_microusd
from imagegen.domain.selection import Selection, select
from imagegen.domain.wishes import NONE, Wishes
from imagegen.providers import gemini
from imagegen.wire.model_list import OfferedInputs, OfferedPreviews
from local.paths import ROOT
from tests.fakes.catalogs import real_catalog
from tests.fakes.service import Service

REAL = real_catalog()
ROWS = [pytest.param(one, id=one.key) for one in REAL.models]
TAKING = [pytest.param(one, id=one.key) for one in REAL.models if one.inputs]
SQUARE = (1024, 1024)
SIDES = st.integers(1, 20_000)


def chosen(
    tier: Tier,
    *inputs: tuple[int, int],
    size: str = "square",
    has_mask: bool = False,
    wishes: Wishes = NONE,
    **more: Any,
) -> Selection:
    criteria = Criteria(tier, size, 9, 3, inputs=inputs, has_mask=has_mask, wishes=wishes, **more)
    states = {row.key: Availability() for row in REAL.models}
    today = date(2026, 11, 26)
    return select(REAL, criteria, states, price_multiple=Decimal(100), today=today)


def keys(selection: Selection) -> set[str]:
    return {one.key for one in selection.candidates}


def reason(selection: Selection, key: str) -> str:
    return next(one.detail for one in selection.left_out if one.row.key == key)


@pytest.mark.parametrize("tier", Tier)
@pytest.mark.parametrize("size", ["square", "landscape", "portrait", SAME_SIZE])
def test_every_tier_can_change_a_picture(tier: Tier, size: str) -> None:
    assert keys(chosen(tier, SQUARE, size=size))


@pytest.mark.parametrize("tier", Tier)
def test_every_tier_can_change_a_part_and_be_transparent(tier: Tier) -> None:
    assert keys(chosen(tier, SQUARE, has_mask=True))
    assert keys(chosen(tier, wishes=Wishes(transparent=True)))
    assert keys(chosen(tier, wishes=Wishes(seed=7)))


@pytest.mark.parametrize("tier", Tier)
def test_a_plain_image_is_never_made_by_a_row_that_needs_an_input(tier: Tier) -> None:
    offered = [REAL.by_key[key] for key in keys(chosen(tier))]
    assert all(row.inputs is None or row.inputs.needs == "nothing" for row in offered)


def test_what_a_model_can_is_listed_with_its_prices() -> None:
    listed = {one.key: one for one in Service(catalog=REAL).lister.models().models}
    openai, fill = listed["openai-fast"], listed["replicate-high-fill"]
    assert openai.inputs == OfferedInputs(most=16, price=12_288, mask=True, needs="nothing")
    assert openai.previews == OfferedPreviews(most=2, price=3_000)
    assert (openai.transparent, openai.seed) == (True, False)
    assert fill.inputs == OfferedInputs(most=1, price=0, mask=True, needs="mask")
    assert (fill.transparent, fill.seed, fill.previews) == (False, True, None)
    assert listed["together-high"].inputs is None


def test_the_sizes_of_a_plain_image_are_those_that_can_be_made_without_an_input() -> None:
    offer = Service(catalog=REAL).estimate(quality="high")
    assert "1264x848" in offer.constraints.sizes
    assert "1392x752" not in offer.constraints.sizes


@pytest.mark.parametrize("row", TAKING)
def test_an_input_never_costs_more_than_the_catalog_says(row: Offering) -> None:
    for size in ((1, 1), SQUARE, (3000, 2000), (8192, 8192), (9, 20_000)):
        assert inputs_microusd(row, [size], has_mask=False) <= most_for_input_microusd(row)


@given(SIDES, SIDES)
def test_no_input_costs_more_than_the_most(width: int, height: int) -> None:
    for row in REAL.models:
        if row.inputs:
            cost = inputs_microusd(row, [(width, height)], has_mask=False)
            assert cost <= most_for_input_microusd(row)


@pytest.mark.parametrize(
    ("key", "inputs", "microusd"),
    [
        ("openai-fast", [SQUARE], 5_900 + 8_192),
        ("openai-fast", [(1536, 1024)] * 16, 5_900 + 16 * 12_288),
        ("openai-high", [SQUARE], 52_700 + 8_192),
        ("gemini-ultra", [(4000, 3000)], 134_000 + 1_120),
        ("gemini-high", [SQUARE, (9, 9)], 33_600 + 3_360),
        ("gemini-standard", [SQUARE], 33_600 + 280),
        ("replicate-ultra", [SQUARE, (1025, 1024)], 70_000 + 90_000),
        ("replicate-high-flux-2", [SQUARE], 45_000),
        ("bfl-high", [SQUARE], 45_000),
        ("bfl-high", [SQUARE, (1025, 1024), (2000, 2000)], 30_000 + 15_000 + 30_000 + 60_000),
        ("fal-ultra-edit", [SQUARE], 100_000),
        ("fal-ultra-edit", [(9, 9), (1920, 1080), (2500, 2000)], 70_000 + 30_000 * (1 + 2 + 5)),
        ("together-high-kontext", [SQUARE], 41_944),
        ("together-ultra-kontext", [SQUARE], 83_887),
        ("replicate-high-kontext", [(4000, 3000)], 40_000),
        ("replicate-ultra-kontext", [SQUARE], 80_000),
    ],
)
def test_an_edit_costs_what_the_vendor_bills(
    key: str, inputs: list[tuple[int, int]], microusd: int
) -> None:
    row = REAL.by_key[key]
    criteria = Criteria(row.tier, "square", 9, 3, inputs=tuple(inputs))
    assert criteria.price_of(row) == microusd


@pytest.mark.parametrize("row", ROWS)
def test_a_row_of_a_vendor_without_a_published_price_takes_nothing(row: Offering) -> None:
    is_open = row.provider == "together" and "kontext" not in row.model
    assert (row.inputs is None) or not is_open


def test_what_no_row_of_a_tier_can_is_said_of_each() -> None:
    selection = chosen(Tier.HIGH, SQUARE, has_mask=True, size=SAME_SIZE)
    assert keys(selection) == {"openai-high", "replicate-high-fill", "ideogram-high-edit"}
    assert reason(selection, "gemini-high") == "takes no mask"
    assert "no published price" in reason(selection, "together-high")
    assert reason(chosen(Tier.HIGH, SQUARE), "replicate-high-fill") == (
        "needs an input image and a mask"
    )


@pytest.mark.parametrize(
    ("size", "inputs", "detail"),
    [
        ("1024x1024", ((800, 600),), "makes the image in the size of its input image"),
        (SAME_SIZE, ((3000, 2000),), "takes at most 4.2 megapixels"),
        ("square", (SQUARE,), "supports only the size of its input image"),
    ],
)
def test_fill_makes_the_size_of_its_input_or_nothing(
    size: str, inputs: tuple[tuple[int, int], ...], detail: str
) -> None:
    selection = chosen(Tier.HIGH, *inputs, size=size, has_mask=True)
    assert detail in reason(selection, "replicate-high-fill")


def test_fill_is_sold_and_found_again_in_the_exact_size() -> None:
    selection = chosen(Tier.HIGH, (800, 616), size=SAME_SIZE, has_mask=True)
    fill = next(one for one in selection.candidates if one.key == "replicate-high-fill")
    row, option = fill.variant.row, fill.variant.option
    assert (option.size, fill.price_microusd) == ("800x616", 50_000)
    again = row.option(option.size)
    assert again
    assert row.digest(again) == row.digest(option)


@pytest.mark.parametrize(
    ("inputs", "fits"),
    [
        ((SQUARE,) * 7, True),
        ((SQUARE,) * 8, False),  # 8.4 megapixels, and one for the image
        (((2000, 2000),) * 2, False),
        (((2000, 1900),) * 2, True),
    ],
)
def test_flux_2_takes_nine_megapixels_in_all(
    inputs: tuple[tuple[int, int], ...], *, fits: bool
) -> None:
    selection = chosen(Tier.ULTRA, *inputs)
    assert ("replicate-ultra" in keys(selection)) == fits
    if not fits:
        assert "9 megapixels" in reason(selection, "replicate-ultra")


def test_gemini_takes_what_fits_a_request_and_not_a_byte_more() -> None:
    most = gemini.LIMITS.most_encoded_bytes
    assert most is not None
    rows = [one for one in REAL.models if one.provider == "gemini" and one.inputs]
    assert [one.inputs.most_encoded_bytes for one in rows if one.inputs] == [most] * 3
    for row in rows:
        for size, is_offered in ((most, True), (most + 1, False)):
            selection = chosen(row.tier, SQUARE, SQUARE, encoded_bytes=size)
            assert (row.key in keys(selection)) == is_offered
            if not is_offered:
                assert reason(selection, row.key) == "takes at most 14.2 MB of input images"


def test_a_transparent_image_is_no_jpeg() -> None:
    wishes = Wishes(transparent=True)
    selection = chosen(Tier.STANDARD, wishes=wishes, file_format="jpeg")
    assert not selection.candidates
    assert reason(selection, "openai-standard") == "a JPEG has no transparent background"
    left = next(one for one in selection.left_out if one.row.key == "openai-standard")
    assert left.reason is Reason.FORMAT
    small = chosen(Tier.STANDARD, wishes=wishes, most_bytes=1_500_000)
    assert [one.file_format for one in small.candidates] == ["webp"]
    row = REAL.by_key["openai-standard"]
    assert choose_format(row, row.sizes[0], None, 1_500_000) == "jpeg"


@pytest.mark.parametrize("row", ROWS)
def test_previews_are_openai_s_and_cost_a_hundred_tokens(row: Offering) -> None:
    assert (row.previews is not None) == (row.provider == "openai")
    if row.previews:
        assert (row.previews.most, row.previews.usd) == (2, 3_000)


def test_sizes_of_4k_cost_what_their_tokens_do() -> None:
    row = REAL.by_key["gemini-high"]
    option = row.option("4096x4096")
    assert option
    assert price_microusd(row, option) == 3_780 * 30


PRICES = {"usd", "usdPerMillion", "usdPerRun", "textIn", "imageIn", "imageOut", "textOut"}
PAGE = (ROOT / "docs" / "prices.md").read_text()


def amounts(value: Any, *, is_price: bool = False) -> Iterator[str]:
    """Yield each price in a row of the catalog file, as it is written there."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from amounts(inner, is_price=is_price or name in PRICES)
    elif isinstance(value, list):
        for inner in value:
            yield from amounts(inner)
    elif is_price:
        yield value


def shown(key: str) -> str:
    """Return what the page of prices says of a row: its lines in the tables, and its section."""
    section = PAGE.partition(f"### {key}\n")[2].partition("\n### ")[0].partition("\n## ")[0]
    return "\n".join([*(line for line in PAGE.splitlines() if f"`{key}`" in line), section])


@pytest.mark.parametrize(
    "row", json.loads(CATALOG.read_text())["models"], ids=lambda one: one["key"]
)
def test_the_page_of_prices_has_every_price_of_a_row_and_what_it_can(row: dict[str, Any]) -> None:
    said = shown(row["key"])
    for amount in amounts(row):
        price = parse_usd(amount)
        exact = "$" + usd_text(price).rstrip("0")
        assert not price or {label_text(price), exact} & set(re.findall(r"\$[0-9.]+[0-9]", said))
    for name in [*row.get("formats", {}), *(one["size"] for one in row["sizes"][1:])]:
        assert name in said
    for scale in row.get("enlarges", {}).get("scales", {}):
        assert f"{scale} times" in said
    if "mostMegapixels" in row.get("inputs", {}):
        assert f"{row['inputs']['mostMegapixels']} megapixels with the image" in said
    assert ("Requests that its policy refuses are billed" in said) == row.get(
        "billsRefusals", False
    )
