"""Every offer of the catalog is drawn in its pixels and billed at its price."""

import base64
import io
import json
import math
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests
from PIL import Image

from local.simulator.drawing import Sketch, draw
from tests.fakes.pictures import png
from tests.vendors import vendor

CATALOG = json.loads((Path(__file__).parents[2] / "provider_catalog.json").read_text())


class Sold(NamedTuple):
    """The edges of a picture that is upscaled, and what that costs."""

    edges: tuple[int, int]
    usd: str


OFFERS = [
    pytest.param(row, size, id=f"{row['key']}-{size['size']}")
    for row in CATALOG["models"]
    for size in row["sizes"]
    if "enlarges" not in row
]
ENLARGED = [
    pytest.param(row, scale, Sold(edges, usd), id=f"{row['key']}-{scale}-{edges[0]}")
    for row in CATALOG["models"]
    for scale in row.get("enlarges", {}).get("scales", {})
    for edges, usd in {
        "replicate-upscale-crisp": {(1024, 768): "0.006", (64, 96): "0.006"},
        "replicate-upscale-topaz": {
            (1024, 768): "0.05",
            (1500, 1000): "0.05",
            (1600, 1000): "0.05" if scale == "2" else "0.10",
        },
    }[row["key"]].items()
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
    if row.get("operation"):
        params["prompt"] = ""
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


@pytest.mark.parametrize(("row", "scale", "sold"), ENLARGED)
def test_an_upscale_comes_in_the_promised_pixels_and_shows_the_picture(
    order: Order,
    totals: Callable[[str], Any],
    row: dict[str, Any],
    scale: str,
    sold: Sold,
) -> None:
    edges = sold.edges
    url = "data:image/png;base64," + base64.b64encode(png(edges)).decode()
    params = {**row["params"], **row["enlarges"]["scales"][scale], "image": url}
    answer = order("replicate", model=row["model"], prompt="", **params)
    assert answer.status_code == 201, answer.text
    image = Image.open(io.BytesIO(picture_in("replicate", answer.json())))
    assert image.size == (edges[0] * int(scale), edges[1] * int(scale))
    grey = image.convert("L")
    middle = image.height // 2
    left, right = (grey.getpixel((image.width * at // 4, middle)) for at in (1, 3))
    assert isinstance(left, int)
    assert isinstance(right, int)
    assert left + 128 < right
    assert totals("replicate")["billedMicrousd"] == int(Decimal(sold.usd) * 1_000_000)


def test_a_cutout_keeps_the_size_and_is_transparent_where_the_background_was(
    order: Order,
) -> None:
    shown = Image.new("RGB", (300, 200), (250, 250, 250))
    shown.paste((200, 10, 10), (100, 50, 200, 150))
    out = io.BytesIO()
    shown.save(out, "JPEG", quality=95)
    url = "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode()
    answer = order("replicate", model="bria/remove-background", prompt="", image=url)
    image = Image.open(io.BytesIO(picture_in("replicate", answer.json())))
    assert (image.format, image.mode, image.size) == ("PNG", "RGBA", (300, 200))
    alpha = image.getchannel("A")
    assert (alpha.getpixel((5, 5)), alpha.getpixel((150, 100))) == (0, 255)


@pytest.mark.parametrize(
    ("model", "params", "words"),
    [
        ("topazlabs/image-upscale", {"image": None}, "image is required"),
        ("topazlabs/image-upscale", {"upscale_factor": 2}, "input.upscale_factor"),
        ("topazlabs/image-upscale", {"upscale_factor": "8x"}, "input.upscale_factor"),
        ("topazlabs/image-upscale", {"enhance_model": "standard-v2"}, "input.enhance_model"),
        ("topazlabs/image-upscale", {"output_format": "webp"}, "input.output_format"),
        ("topazlabs/image-upscale", {"face_enhancement": "no"}, "input.face_enhancement"),
        ("topazlabs/image-upscale", {"face_enhancement_strength": 2}, "face_enhancement_strength"),
        ("topazlabs/image-upscale", {"input_image": "x"}, "Additional property"),
        ("topazlabs/image-upscale", {"prompt": "a fox"}, "Additional property"),
        ("topazlabs/image-upscale", {"image": "data:image/png;base64,AAAA"}, "Cannot be opened"),
        ("recraft-ai/recraft-crisp-upscale", {"scale": 2}, "Additional property"),
        ("recraft-ai/recraft-crisp-upscale", {"image": None}, "image is required"),
        ("recraft-ai/recraft-crisp-upscale", {"image": (31, 64)}, "from 32 to 4096"),
        ("recraft-ai/recraft-crisp-upscale", {"image": (4097, 64)}, "from 32 to 4096"),
        ("bria/remove-background", {"image": None}, "image is required"),
        ("bria/remove-background", {"mask": "x"}, "Additional property"),
        ("bria/remove-background", {"preserve_alpha": "yes"}, "input.preserve_alpha"),
    ],
)
def test_a_tool_is_refused_as_the_vendor_does_and_never_billed(
    order: Order, totals: Callable[[str], Any], model: str, params: dict[str, Any], words: str
) -> None:
    def url(edges: tuple[int, int]) -> str:
        return "data:image/png;base64," + base64.b64encode(png(edges)).decode()

    given = {"prompt": "", "image": (64, 64), **params}
    sent = {name: url(one) if isinstance(one, tuple) else one for name, one in given.items()}
    answer = order("replicate", model=model, **sent)
    assert answer.status_code == 422
    assert words in answer.json()["detail"]
    assert totals("replicate")["billedMicrousd"] == 0


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
