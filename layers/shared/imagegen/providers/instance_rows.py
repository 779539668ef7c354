"""A row of an instance as a row of the catalog: what the preset adds to what the operator wrote."""

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from imagegen.domain.catalog import Offering
from imagegen.domain.price_rules import PIXEL_SIZE
from imagegen.domain.pricing import price_microusd
from imagegen.providers.presets import Preset, SizeWords

RATIOS = (
    *("1:1", "3:4", "4:3", "9:16", "16:9", "2:3", "3:2", "1:2", "2:1"),
    *("19.5:9", "9:19.5", "20:9", "9:20", "21:9", "5:2"),
)
"""Of servers that take a ratio instead of pixels (https://docs.x.ai/docs/guides/image-generations).
"""
MOST_OFF = Decimal("1.04")
"""How far a size may be from the ratio that is sent for it."""
MOST_PIXELS_OF_1K = 1_700_000
SHAPES = {"square": 0, "landscape": 1, "portrait": -1}
PROMPT_CHARACTERS = 4_000
"""The longest prompt, unless the row says more."""
NOT_YET = ("inputs", "previews")


class RowError(ValueError):
    """A row cannot be offered; the message names the field, and what to do."""


def offering_fields(given: Mapping[str, Any], provider: str, preset: Preset) -> str:
    """Return the row as JSON of the catalog.

    Raises:
        RowError: a field contradicts the preset, or its price is not clear.
    """
    row = {name: one for name, one in given.items() if name not in {"usd", "free"}}
    if row.setdefault("provider", provider) != provider:
        raise RowError(f"provider: it is {provider!r} by its instance; leave the field out")
    for name in NOT_YET:
        if name in row:
            raise RowError(f"{name}: an instance has none yet; leave the field out")
    row.setdefault("key", f"{provider}-{row.get('tier', '')}")
    row.setdefault("source", preset.source)
    row.setdefault("shutdownOn", None)
    row.setdefault("maxPromptCharacters", PROMPT_CHARACTERS)
    row["params"] = params_of(row, preset)
    row["sizes"] = with_shapes([size_of(one, preset) for one in _list(row, "sizes")])
    row["price"] = price_of(given, [one["size"] for one in row["sizes"]])
    row["free"] = given.get("free", False)
    row["billsRefusals"] = preset.bills_refusals
    return json.dumps(row)


def params_of(row: Mapping[str, Any], preset: Preset) -> dict[str, Any]:
    """Return what is sent with each order: the row's parameters and the preset's.

    Raises:
        RowError: the row changes a parameter that is fixed, or lacks one that decides the price.
    """
    own = row.get("params", {})
    if not isinstance(own, Mapping):
        raise RowError("params: it has to be an object")
    for name in own:
        if name in {"model", "prompt", "n", "user", "stream"}:
            raise RowError(f"params.{name}: the service itself sends it; leave it out")
        if name in preset.fixed and own[name] != preset.fixed[name]:
            fixed = json.dumps(preset.fixed[name])
            raise RowError(f"params.{name}: it is always {fixed} at {preset.title}; leave it out")
    for name, models in preset.required.items():
        if re.fullmatch(models, str(row.get("model", ""))) and name not in own:
            raise RowError(f"params.{name}: it is missing, and the price depends on it; add it")
    return {**preset.usual, **own, **preset.fixed}


def size_of(given: Any, preset: Preset) -> dict[str, Any]:
    """Return one size with the parameters that request it; a text is a size alone.

    Raises:
        RowError: it is not ``WxH``, or the server has no ratio for it.
    """
    size = {"size": given} if isinstance(given, str) else given
    if not isinstance(size, Mapping) or not isinstance(size.get("size"), str):
        raise RowError('sizes: each is a text such as "1024x1024", or an object with a size')
    if not re.fullmatch(PIXEL_SIZE, size["size"]):
        raise RowError(f'sizes: {size["size"]!r} is not a size such as "1024x1024"')
    return {"params": size_params(size["size"], preset), **size}


def size_params(size: str, preset: Preset) -> dict[str, Any]:
    """Return the parameters that request a size, in the words of the server.

    Raises:
        RowError: the server has no ratio that is near enough.
    """
    if preset.size_words is SizeWords.PIXELS:
        return {"size": size}
    width, height = map(int, size.split("x"))
    off, ratio = min((_distance(width, height, one), one) for one in RATIOS)
    if off > MOST_OFF:
        raise RowError(f"sizes: {size!r} has none of the ratios {', '.join(RATIOS)}")
    resolution = "1k" if width * height <= MOST_PIXELS_OF_1K else "2k"
    return {"aspect_ratio": ratio, "resolution": resolution}


def with_shapes(sizes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the sizes; unless one has a shape, the first of each shape gets it."""
    found = [dict(one) for one in sizes]
    if any(one.get("shape") for one in found):
        return found
    for shape, sign in SHAPES.items():
        first = next((one for one in found if _sign(one["size"]) == sign), None)
        if first is not None:
            first["shape"] = shape
    return found


def price_of(given: Mapping[str, Any], sizes: Sequence[str]) -> Any:
    """Return the price rule: ``price`` as in the catalog, ``usd`` for each size, or ``free``.

    Raises:
        RowError: none of them or several are there, or a price of 0 is not said to be free.
    """
    stated = [name for name in ("price", "usd", "free") if given.get(name) not in (None, False)]
    if len(stated) != 1:
        raise RowError('price: give one of "price", "usd" and "free": true')
    if stated == ["price"]:
        return given["price"]
    usd = "0" if stated == ["free"] else given["usd"]
    if not isinstance(usd, str):
        raise RowError('usd: write it as a text, such as "0.01"')
    return {"rule": "perImage", "usd": dict.fromkeys(sizes, usd)}


def check_prices(row: Offering) -> None:
    """Raise unless each size has a price, or the row is free.

    Raises:
        RowError: a price is 0 and the row is not said to be free.
    """
    for option in row.sizes:
        if price_microusd(row, option) is None:
            raise RowError(f'price: {option.size} costs 0; if that is meant, write "free": true')


def _list(row: Mapping[str, Any], name: str) -> list[Any]:
    found = row.get(name)
    if not isinstance(found, list) or not found:
        raise RowError(f'{name}: list at least one, such as "1024x1024"')
    return found


def _distance(width: int, height: int, ratio: str) -> Decimal:
    across, down = map(Decimal, ratio.split(":"))
    larger, smaller = sorted((width * down, height * across), reverse=True)
    return larger / smaller


def _sign(size: str) -> int:
    width, height = map(int, size.split("x"))
    return (width > height) - (width < height)
