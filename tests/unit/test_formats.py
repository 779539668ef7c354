"""File formats: requested where a row can, and small enough for the answer."""

import base64
from decimal import Decimal
from typing import Any

import pytest

from imagegen.domain.candidates import Availability, Reason
from imagegen.domain.catalog import Catalog, Offering, Tier
from imagegen.domain.criteria import Criteria
from imagegen.domain.days import today
from imagegen.domain.errors import ParameterError
from imagegen.domain.formats import (
    choose_format,
    format_detail,
    likely_bytes,
    requested,
    usual_format,
)
from imagegen.domain.operations import Operation
from imagegen.domain.quote import open_quote
from imagegen.domain.selection import select
from tests.contracts.vendors import check_image_request
from tests.fakes.catalogs import catalog, real_catalog, row
from tests.fakes.clock import NOON_MS
from tests.fakes.service import KEYRING, Service
from tests.vendors import vendor

REAL = real_catalog()
PNG: dict[str, Any] = {
    "params": {"output_format": "png"},
    "formats": {"jpeg": {"output_format": "jpeg"}},
}
TWO = catalog(row("alpha-standard", priority=1, **PNG), row("beta-standard", priority=2))


def chosen(cat: Catalog = TWO, **asked: Any) -> Any:
    criteria = Criteria(Tier.STANDARD, "square", 20, 20, **asked)
    up = {one.key: Availability() for one in cat.models}
    return select(cat, criteria, up, price_multiple=Decimal(3), today=today(NOON_MS))


@pytest.mark.parametrize(("wanted", "requested"), [(None, ""), ("png", ""), ("jpeg", "jpeg")])
def test_a_format_is_requested_only_if_it_does_not_come_anyway(
    wanted: str | None, requested: str
) -> None:
    first = chosen(file_format=wanted).candidates[0]
    assert (first.key, first.file_format) == ("alpha-standard", requested)
    sent = first.variant.row.sent(first.variant.option)
    assert sent["output_format"] == (requested or "png")


def test_a_row_that_does_not_make_the_format_is_left_out_with_that_reason() -> None:
    selection = chosen(file_format="jpeg")
    (left,) = selection.left_out
    assert (left.row.key, left.reason) == ("beta-standard", Reason.FORMAT)
    assert left.detail == "supports a format of its own"


def test_the_price_does_not_depend_on_the_format() -> None:
    prices = {chosen(file_format=one).candidates[0].price_microusd for one in (None, "png", "jpeg")}
    assert len(prices) == 1


def test_a_smaller_format_is_requested_if_the_usual_file_may_be_too_large() -> None:
    first = chosen(most_bytes=1_500_000).candidates[0]
    assert first.file_format == "jpeg"
    assert not chosen(most_bytes=1_000_000).candidates
    assert not chosen(file_format="png", most_bytes=1_500_000).candidates


def test_the_format_is_in_the_quote_and_is_sent_to_the_provider() -> None:
    service = Service(catalog=TWO)
    offer = service.estimate(format="jpeg")
    (candidate,) = open_quote(offer.quote, KEYRING).candidates
    assert candidate.file_format == "jpeg"
    service.confirm(offer)
    (order,) = service.providers["alpha"].orders
    assert order.params["output_format"] == "jpeg"


def test_a_quote_without_a_format_is_as_long_as_before() -> None:
    assert b"file_format" not in _payload(Service(catalog=TWO).estimate().quote)


def _payload(quote: str) -> bytes:
    text = quote.split(".")[2]
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_a_format_that_no_row_makes_is_an_error_of_the_caller() -> None:
    with pytest.raises(ParameterError, match="supports png, jpeg") as caught:
        Service(catalog=TWO).estimate(format="webp")
    assert caught.value.param == "format"


@pytest.mark.parametrize("one", REAL.models, ids=lambda one: one.key)
def test_every_format_of_the_real_catalog_is_one_that_its_vendor_takes(one: Offering) -> None:
    for file_format in one.formats:
        size = one.option("1024x1024") or one.sizes[0]
        option = requested(one, size, file_format)
        assert option is not None
        sent = one.sent(option)
        if one.inputs is not None and one.inputs.needs == "mask":
            sent |= {"image": "data:", "mask": "data:"}
        elif one.inputs is not None and one.inputs.needs == "image":
            url = "https://example.com/1.png"
            sent |= {one.inputs.field: [url] if one.inputs.is_list else url}
        # A row that makes one format only needs no parameter for it.
        assert (one.digest(option) != one.digest(size)) is bool(one.formats[file_format])
        if one.operation is not Operation.GENERATE:
            sent |= {"image": "data:"}
        prompt = "a fox" if one.operation is Operation.GENERATE else ""
        body = vendor(one.provider).order(one.model, prompt, sent).body
        check_image_request(one.provider, one.model, body)


def test_files_are_estimated_by_their_pixels() -> None:
    option = REAL.by_key["openai-high"].option("3840x2160")
    assert option is not None
    assert likely_bytes(option, "png") == 2 * likely_bytes(option, "jpeg") == 2 * 3840 * 2160


JPEG = catalog(
    row(
        "alpha-standard",
        priority=1,
        params={"output_format": "jpg", "seed": 1},
        formats={"png": {"output_format": "png"}, "webp": {"output_format": "webp"}},
    )
).models[0]
PLAIN = TWO.by_key["beta-standard"]


def test_a_vendors_word_jpg_is_the_format_jpeg() -> None:
    assert usual_format(JPEG) == "jpeg"
    assert choose_format(JPEG, JPEG.sizes[0], "jpeg", None) == ""


def test_a_format_is_added_to_the_other_parameters_of_a_size() -> None:
    size = JPEG.sizes[0].model_copy(update={"params": {"size": "1024x1024"}})
    asked = requested(JPEG, size, "webp")
    assert asked is not None
    assert asked.params == {"size": "1024x1024", "output_format": "webp"}
    assert requested(JPEG, size, "") is size
    assert requested(JPEG, size, "jpeg") is requested(PLAIN, size, "png") is None


def test_a_file_may_be_just_as_large_as_the_most_and_a_known_format_counts_as_itself() -> None:
    size = JPEG.sizes[0]
    jpeg, png = likely_bytes(size, "jpeg"), likely_bytes(size, "png")
    assert choose_format(JPEG, size, None, jpeg) == ""
    assert choose_format(JPEG, size, None, jpeg - 1) is None
    assert choose_format(PLAIN, size, None, png) == ""
    assert choose_format(PLAIN, size, None, png - 1) is None


@pytest.mark.parametrize(
    ("wanted", "has_alpha", "why"),
    [
        (None, False, "its file may be too large for the answer"),
        ("png", False, "its file may be too large for the answer"),
        ("png", True, "its file may be too large for the answer"),
        ("jpeg", True, "a JPEG has no transparent background"),
        ("jpeg", False, "its file may be too large for the answer"),
        ("avif", True, "supports jpeg, png, webp"),
    ],
)
def test_the_reason_says_what_is_wrong_with_the_format(
    wanted: str | None, *, has_alpha: bool, why: str
) -> None:
    assert format_detail(JPEG, wanted, has_alpha=has_alpha) == why


def test_without_transparency_a_row_without_jpeg_names_its_formats() -> None:
    assert format_detail(PLAIN, "jpeg") == "supports a format of its own"
