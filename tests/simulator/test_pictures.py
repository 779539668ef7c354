"""Every offer of the catalog is drawn in its pixels and billed at its price."""

import base64
import io
import json
import math
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from local.simulator.drawing import Sketch, draw
from tests.fakes.pictures import png
from tests.vendors import vendor

CATALOG = json.loads((Path(__file__).parents[2] / "provider_catalog.json").read_text())
OFFERS = [
    pytest.param(row, size, id=f"{row['key']}-{size['size']}")
    for row in CATALOG["models"]
    for size in row["sizes"]
]
type Order = Callable[..., requests.Response]


def picture_in(provider: str, answer: dict[str, Any]) -> bytes:
    found = vendor(provider).picture(answer)
    assert found
    if found.startswith("http"):
        return requests.get(found, timeout=30).content
    return base64.b64decode(found)


def sent_for(row: dict[str, Any], size: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of an offer, with the pictures that the model cannot work without."""
    support = row.get("inputs", {})
    params = {**row["params"], **size["params"]}
    if support.get("needs", "nothing") == "nothing":
        return params
    width, height = (int(edge) for edge in size["size"].split("x"))
    url = "data:image/png;base64," + base64.b64encode(png((width, height))).decode()
    needed = {support["field"]: [url] if support.get("isList") else url}
    return params | needed | ({support["maskField"]: url} if support["needs"] == "mask" else {})


@pytest.mark.parametrize(("row", "size"), OFFERS)
def test_an_offer_comes_in_its_listed_pixels_and_format_and_is_billed_at_the_catalogs_price(
    order: Order, totals: Callable[[str], Any], row: dict[str, Any], size: dict[str, Any]
) -> None:
    answer = order(row["provider"], model=row["model"], **sent_for(row, size))
    assert answer.status_code in (200, 201), answer.text
    image = Image.open(io.BytesIO(picture_in(row["provider"], answer.json())))
    assert f"{image.width}x{image.height}" == size["size"]
    wanted = row["params"].get("output_format")
    assert wanted is None or image.format == {"jpg": "JPEG"}.get(wanted, wanted.upper())
    assert totals(row["provider"])["billedMicrousd"] == listed_microusd(row, size)


def listed_microusd(row: dict[str, Any], size: dict[str, Any]) -> int:
    """What the catalog says that the offer costs, worked out apart from the product."""
    price = row["price"]
    if price["rule"] == "perImage":
        usd = Decimal(price["usd"][size["size"]])
    else:
        width, height = (int(edge) for edge in size["size"].split("x"))
        area = Decimal(width * height) / 1_000_000
        megapixels = Decimal(size.get("billedMegapixels", area))
        usd = Decimal(price.get("usdPerRun", 0)) + Decimal(price["usd"]) * megapixels
    if "needs" in row.get("inputs", {}) and row["inputs"]["price"]["rule"] != "free":
        # One picture that begins as many megapixels as the image has.
        width, height = (int(edge) for edge in size["size"].split("x"))
        usd += Decimal(row["inputs"]["price"]["usd"]) * math.ceil(width * height / 1024**2)
    return math.ceil(usd * 1_000_000)


@pytest.mark.parametrize("image_format", ["png", "jpeg", "webp"])
def test_a_picture_decodes_whole(image_format: str) -> None:
    content = draw(Sketch("together", "m", "a fox " * 200, 640, 384, image_format))
    image = Image.open(io.BytesIO(content))
    image.load()
    assert image.size == (640, 384)


def test_the_same_order_is_the_same_bytes_and_another_prompt_is_not() -> None:
    one, again, other = (Sketch("gemini", "m", p, 256, 256, "png") for p in ("a", "a", "b"))
    assert draw(one) == draw(again) != draw(other)
