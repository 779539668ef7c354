"""What the vendors' APIs take and answer: names, types, enums and limits, read in their pages.

One JSON Schema a vendor. Every object is closed: a field that a vendor does not name is an error.
``sources`` are the pages with the day that each is of; ``models`` is what a model narrows;
``example`` is a good request for one of them.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import (  # type: ignore[import-untyped] # it comes without types
    Draft202012Validator,
    ValidationError,
)
from jsonschema.validators import extend  # type: ignore[import-untyped] # as above

FOLDER = Path(__file__).parent
VENDORS = sorted(path.stem for path in FOLDER.glob("*.json"))


@cache
def contract(vendor: str) -> Any:
    found = json.loads((FOLDER / f"{vendor}.json").read_text())
    for schema in [found, *found.get("models", {}).values()]:
        Draft202012Validator.check_schema(schema)
    return found


def check(vendor: str, shape: str, value: object) -> None:
    """Raise ``ValidationError`` unless the value has the vendor's shape."""
    _validate({**contract(vendor), "$ref": f"#/$defs/{shape}"}, value)


def check_image_request(vendor: str, model: str, body: object) -> None:
    """Raise ``ValidationError`` unless the vendor takes the body for that model."""
    check(vendor, "imageRequest", body)
    if models := contract(vendor).get("models"):
        assert model in models, f"tests/contracts/{vendor}.json has no facts about {model}"
        _validate(models[model], body)


def _validate(schema: Mapping[str, Any], value: object) -> None:
    VALIDATOR(schema).validate(value)


def _edges(
    _validator: object, limits: Mapping[str, Any], size: object, _schema: object
) -> Iterator[ValidationError]:
    """Hold ``WIDTHxHEIGHT`` to a grid, a longest edge, a steepest ratio and a range of pixels."""
    if not isinstance(size, str) or "x" not in size:
        return
    short, long = sorted(map(int, size.split("x")))
    fewest, most = limits["pixels"]
    if short % limits["step"] or long % limits["step"]:
        yield ValidationError(f"{size} is off the grid of {limits['step']}")
    if long > limits["longest"] or long > limits["steepest"] * short:
        yield ValidationError(f"{size} has too long an edge")
    if not fewest <= short * long <= most:
        yield ValidationError(f"{size} has too few or too many pixels")


VALIDATOR = extend(Draft202012Validator, {"edges": _edges})
