"""What a row of the catalog may say: a mistyped field stops the file from loading."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from imagegen.domain.catalog import Catalog, Offering, Tier, parse_catalog
from imagegen.domain.inputs import InputFields
from imagegen.domain.operations import Operation
from imagegen.domain.replacements import MAX_NAME
from tests.fakes.catalogs import SOURCE, catalog, row

INPUTS = {"most": 4, "price": {"rule": "free"}, "source": SOURCE}
ENLARGES = {"scales": {"2": {}}, "mostMegapixels": "48", "source": SOURCE}
PREVIEWS = {"most": 2, "usd": "0.003", "count": "partials", "source": SOURCE}
UPSCALER = {
    "operation": "upscale",
    "inputs": INPUTS | {"most": 1, "needs": "image"},
    "enlarges": ENLARGES,
    "maxPromptCharacters": 0,
}


def made(**changes: Any) -> Offering:
    (one,) = catalog(row("alpha-one", priority=1) | changes).models
    return one


def refused(field: str, **changes: Any) -> None:
    with pytest.raises(ValidationError) as error:
        made(**changes)
    places = [".".join(map(str, one["loc"])) for one in error.value.errors()]
    assert any(place.endswith(field) for place in places), places


@pytest.mark.parametrize("field", ["fallbackPriority", "typicalSeconds", "slowSeconds"])
def test_a_place_and_a_time_begin_with_one(field: str) -> None:
    assert made(typicalSeconds=1, slowSeconds=1, fallbackPriority=1)
    for wrong in (0, -1):
        refused(field, **({"typicalSeconds": 1, "slowSeconds": 1} | {field: wrong}))


def test_a_prompt_has_no_negative_length() -> None:
    refused("maxPromptCharacters", maxPromptCharacters=-1)


@pytest.mark.parametrize("field", ["key", "provider", "model"])
def test_a_name_fits_into_the_metadata_of_an_image(field: str) -> None:
    made(**{field: "a" * MAX_NAME})
    made(**{field: "a"})
    refused(field, **{field: "a" * (MAX_NAME + 1)})
    refused(field, **{field: ""})


@pytest.mark.parametrize("field", ["key", "provider"])
@pytest.mark.parametrize("wrong", ["Alpha", "al pha", "alpha_one", "älpha", "alpha/one", "alpha\n"])
def test_a_key_is_made_of_small_letters_figures_and_hyphens(field: str, wrong: str) -> None:
    made(**{field: "alpha-2"})
    refused(field, **{field: wrong})


def test_the_name_of_a_seed_is_not_empty_and_may_be_left_out() -> None:
    assert made().seed is None
    assert made(seed="s").seed == "s"
    refused("seed", seed="")


def test_a_row_has_a_size_and_a_catalog_has_a_row() -> None:
    refused("sizes", sizes=[])
    with pytest.raises(ValidationError, match="models"):
        catalog()


def test_formats_marks_and_tiers_have_the_names_that_the_file_writes() -> None:
    one = made(formats={name: {} for name in ("png", "jpeg", "webp")}, marks=["c2pa", "synthid"])
    assert (set(one.formats), one.marks) == ({"png", "jpeg", "webp"}, ("c2pa", "synthid"))
    assert [made(tier=name).tier for name in ("ultra", "high", "standard", "fast")] == [*Tier]
    refused("tier", tier="best")
    refused("marks.0", marks=["c2p"])
    refused("[key]", formats={"gif": {}})


@pytest.mark.parametrize("marks", [[], ["c2pa"], ["synthid"], ["c2pa", "synthid"]])
def test_only_the_invisible_mark_is_a_watermark(marks: list[str]) -> None:
    assert made(marks=marks).watermark == ("synthid" if "synthid" in marks else "")


def test_a_slow_image_does_not_come_before_a_usual_one_and_a_call_waits_twice_as_long() -> None:
    assert made(typicalSeconds=60, slowSeconds=60).call_seconds == 120
    with pytest.raises(ValidationError, match="slowSeconds is less"):
        made(typicalSeconds=61, slowSeconds=60)


# Abilities.


@pytest.mark.parametrize(("field", "least"), [("most", 1), ("mostEncodedBytes", 1)])
def test_a_model_that_takes_pictures_takes_at_least_one(field: str, least: int) -> None:
    made(inputs=INPUTS | {field: least})
    refused(f"inputs.{field}", inputs=INPUTS | {field: least - 1})


def test_what_a_row_does_not_say_of_inputs_is_not_needed_and_not_limited() -> None:
    support = made(inputs=INPUTS).inputs
    assert support
    assert (support.needs, support.mask, support.fields) == ("nothing", None, None)
    assert (support.most_encoded_bytes, support.most_megabytes) == (None, "")
    named = made(inputs=INPUTS | {"field": "image"}).inputs
    assert named
    assert named.fields
    assert named.fields == InputFields("image", is_list=False, mask="")


@pytest.mark.parametrize(
    ("most_bytes", "words"),
    [
        (1_000_000, "0.7 MB"),
        (4_000_000, "3.0 MB"),
        (13_333_334, "10.0 MB"),
        (19_000_000, "14.2 MB"),
    ],
)
def test_the_largest_files_are_named_before_base64_makes_them_a_third_longer(
    most_bytes: int, words: str
) -> None:
    support = made(inputs=INPUTS | {"mostEncodedBytes": most_bytes}).inputs
    assert support
    assert support.most_megabytes == words


@pytest.mark.parametrize("field", ["leastEdge", "mostEdge"])
def test_an_edge_has_at_least_a_pixel(field: str) -> None:
    made(**UPSCALER | {"enlarges": ENLARGES | {field: 1}})
    refused(f"enlarges.{field}", **UPSCALER | {"enlarges": ENLARGES | {field: 0}})


def test_an_upscaler_has_a_scale_and_takes_every_edge_unless_it_says_otherwise() -> None:
    refused("enlarges.scales", **UPSCALER | {"enlarges": ENLARGES | {"scales": {}}})
    one = made(**UPSCALER).enlarges
    assert one
    assert one.misfit((1, 1), (2, 2)) is None
    assert one.misfit((1, 20_000), (2, 20_000)) is None
    assert (one.params(2), one.params(4)) == ({}, None)


@pytest.mark.parametrize(
    ("pixels", "result", "words"),
    [
        ((32, 32), (64, 64), None),
        ((31, 400), (62, 800), "edges of at least 32 pixels"),
        ((400, 31), (800, 62), "edges of at least 32 pixels"),
        ((2000, 32), (4000, 64), None),
        ((2001, 32), (4002, 64), "edges of at most 4000 pixels, not 4002"),
        ((32, 2001), (64, 4002), "edges of at most 4000 pixels, not 4002"),
        ((1000, 500), (2000, 1000), None),
        ((1001, 500), (2002, 1000), "at most 2 megapixels, not 2002x1000"),
    ],
)
def test_a_picture_that_the_upscaler_cannot_take_is_refused_with_the_reason(
    pixels: tuple[int, int], result: tuple[int, int], words: str | None
) -> None:
    limits = {"leastEdge": 32, "mostEdge": 4000, "mostMegapixels": "2"}
    one = made(**UPSCALER | {"enlarges": ENLARGES | limits}).enlarges
    assert one
    found = one.misfit(pixels, result)
    assert found is None if words is None else words in (found or "")


def test_a_megapixel_is_exactly_a_million_pixels() -> None:
    one = made(**UPSCALER | {"enlarges": ENLARGES | {"mostMegapixels": "2"}}).enlarges
    assert one
    assert one.misfit((9, 9), (1_000_000, 2)) is None
    assert one.misfit((9, 9), (1_000_001, 2))


def test_a_model_with_previews_sends_at_least_one() -> None:
    made(previews=PREVIEWS | {"most": 1})
    refused("previews.most", previews=PREVIEWS | {"most": 0})


# Names that clients send.


def test_a_model_that_is_not_offered_is_known_by_its_name_and_its_replacement_by_its_key() -> None:
    gone = {
        "provider": "alpha",
        "model": "old",
        "shutdownOn": "2026-01-01",
        "replacedBy": "alpha-one",
        "source": SOURCE,
    }
    known = catalog(row("alpha-one", priority=1), retired=(gone,))
    assert known.replacements == {"old": "alpha-one"}
    assert known.retirement("old")
    assert known.retirement("alpha-one") is None
    with pytest.raises(ValidationError, match="replacedBy"):
        catalog(row("alpha-one", priority=1), retired=(gone | {"replacedBy": "Alpha One"},))


def test_a_retired_model_is_replaced_as_its_end_says_whatever_an_alias_says() -> None:
    file = {
        "schemaVersion": 1,
        "currency": "USD",
        "models": [row("alpha-one", priority=1), row("beta-one", priority=2)],
        "aliases": [{"model": "old", "replacedBy": "beta-one", "source": SOURCE}],
    }
    gone = {"provider": "alpha", "model": "old", "shutdownOn": "2026-01-01", "source": SOURCE}
    known = Catalog.model_validate(file | {"retired": [gone | {"replacedBy": "alpha-one"}]})
    assert known.replacements == {"old": "alpha-one"}
    assert Catalog.model_validate(file | {"retired": []}).replacements == {"old": "beta-one"}


def test_rows_of_one_operation_are_in_one_tier_and_in_no_other_operation() -> None:
    known = catalog(row("alpha-one", priority=1), row("alpha-two", priority=1) | UPSCALER)
    assert [one.key for one in known.rows_of(Operation.UPSCALE)] == ["alpha-two"]
    assert [one.key for one in known.tier(Tier.STANDARD)] == ["alpha-one"]
    assert [one.key for one in known.tier(Tier.STANDARD, Operation.UPSCALE)] == ["alpha-two"]
    assert known.tier(Tier.HIGH) == ()


def test_images_of_prompts_are_made_in_several_tiers() -> None:
    known = catalog(row("alpha-one", priority=1), row("alpha-two", priority=1, tier="high"))
    assert [one.key for one in known.tier(Tier.HIGH)] == ["alpha-two"]


def test_several_sizes_may_have_no_name_for_their_shape() -> None:
    plain: list[dict[str, Any]] = [
        {"size": size, "params": {}} for size in ("512x512", "600x600", "9999x16")
    ]
    one = made(sizes=plain, price={"rule": "perMegapixel", "usd": "0.01"})
    assert set(one.options) == {"512x512", "600x600", "9999x16"}


@pytest.mark.parametrize(
    ("inputs", "is_needed"),
    [
        (None, False),
        (INPUTS, False),
        (INPUTS | {"needs": "image"}, True),
        (INPUTS | {"needs": "mask", "mask": "white"}, True),
    ],
)
def test_a_model_needs_a_picture_if_it_cannot_work_without_one(
    inputs: dict[str, Any] | None, *, is_needed: bool
) -> None:
    assert made(inputs=inputs).needs_input is is_needed


def test_the_text_of_a_file_is_read_as_the_catalog_that_it_writes() -> None:
    known = catalog(row("alpha-one", priority=1))
    file = {
        "schemaVersion": 1,
        "currency": "USD",
        "models": [row("alpha-one", priority=1)],
        "retired": [],
    }
    assert parse_catalog(json.dumps(file)) == known


def test_only_a_row_that_follows_its_input_has_sizes_that_it_does_not_list() -> None:
    keeping = made(inputs=INPUTS | {"keepsSize": True})
    for one, has_it in ((made(), False), (keeping, True), (made(**UPSCALER), True)):
        assert (one.option("640x480") is not None) is has_it
        assert one.option("portrait") is None
        assert one.option("square")
