"""Button, quote and charge are one number: for each row of the catalog, with pictures, in sets."""

import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from imagegen.domain.catalog import Offering
from imagegen.domain.ledger import Limits
from imagegen.domain.money import label_text, parse_usd
from imagegen.domain.operations import Operation
from imagegen.domain.outcomes import Outcome
from imagegen.domain.quote import open_quote
from imagegen.usecases.generate.run import Made
from imagegen.wire.estimates import Estimate
from tests.fakes.catalogs import real_catalog
from tests.fakes.pictures import clear_png, picture
from tests.fakes.service import KEYRING, Service
from tests.unit.test_confirmed_sets import confirm
from tests.unit.test_inputs import mask, upload

SIZE = (96, 64)
COUNT = 2
ROWS = {row.key: row for row in real_catalog().models}
WITHOUT_LIMITS = Limits(0, 100_000, 450, 10**12)


def pictures_of(row: Offering) -> Iterator[str]:
    """Yield which pictures a row can be given."""
    inputs = row.inputs
    if inputs is None or not inputs.needs:
        yield "nothing"
    if inputs is not None and inputs.needs != "mask":
        yield from ("one", "two") if inputs.most > 1 else ("one",)
    if inputs is not None and inputs.mask:
        yield "masked"


CASES = [
    pytest.param(row, given, count, id=f"{row.key}-{given}-{count}")
    for row, count in product(ROWS.values(), (1, COUNT))
    for given in pictures_of(row)
    if count == 1 or row.operation is Operation.GENERATE
]


SETS = [one for one in CASES if one.values[2] == COUNT]


def request_for(service: Service, given: str) -> dict[str, Any]:
    """Return the pictures of a request, uploaded."""
    pictures = {"nothing": 0, "two": 2}.get(given, 1)
    uploads = [upload(service, picture(size=SIZE)) for _ in range(pictures)]
    masked = {"mask": {"upload": upload(service, mask(SIZE))}} if given == "masked" else {}
    return {"inputs": [{"upload": one} for one in uploads], **masked}


def new_service() -> Service:
    """Return the service with the product's catalog and multiple."""
    multiple = Decimal("1.25")
    return Service(catalog=real_catalog(), limits=WITHOUT_LIMITS, price_multiple=multiple)


def offered(service: Service, row: Offering, given: str, count: int) -> Estimate:
    wishes: dict[str, Any] = {"model": row.key, "count": count, **request_for(service, given)}
    if row.operation is not Operation.GENERATE:
        scale = {"scale": int(min(row.enlarges.scales))} if row.enlarges else {}
        wishes |= {"operation": row.operation, "prompt": None, **scale}
    return service.estimate(**{"quality": row.tier, **wishes})


def most_of(label: str) -> int:
    """Return the number of a button, in micro-dollars."""
    (number,) = re.findall(r"\$([0-9.]+)$", label)
    return parse_usd(number)


def charged(service: Service, offer: Estimate) -> list[int]:
    """Click, and return what each stored image is charged."""
    results = [one.result for one in confirm(service, offer)]
    return [one.record.charged_microusd for one in results if isinstance(one, Made)]


@pytest.mark.parametrize(("row", "given", "count"), CASES)
def test_what_is_charged_is_what_was_quoted_and_never_more_than_the_button_says(
    row: Offering, given: str, count: int
) -> None:
    service = new_service()
    offer = offered(service, row, given, count)
    quotes = [open_quote(one, KEYRING) for one in offer.quotes]
    assert {one.candidates[0].key for one in quotes} == {row.key}
    most = [max(found.price_microusd for found in one.candidates) for one in quotes]
    assert offer.price.ceiling == sum(most) == offer.price.per_image * count
    assert offer.button_label.endswith(f" for {label_text(offer.price.ceiling)}")
    if row.operation is Operation.CUTOUT:
        service.react(row.provider, clear_png(SIZE))
    charges = charged(service, offer)
    assert charges == [one.candidates[0].price_microusd for one in quotes]
    assert sum(charges) == offer.price.expected == service.spent() <= most_of(offer.button_label)


@pytest.mark.parametrize(("row", "given", "count"), SETS)
def test_a_fallback_is_charged_as_it_was_quoted(row: Offering, given: str, count: int) -> None:
    service = new_service()
    offer = offered(service, row, given, count)
    service.react(row.provider, Outcome.UNAVAILABLE)
    quotes = [open_quote(one, KEYRING) for one in offer.quotes]
    others = [one for one in quotes[0].candidates if ROWS[one.key].provider != row.provider]
    charges = charged(service, offer)
    assert charges == [one.price_microusd for one in others[:1]] * count
    assert sum(charges) == service.spent() <= most_of(offer.button_label)
