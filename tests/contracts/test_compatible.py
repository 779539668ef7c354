"""What an instance sends is what its kind of server takes: a facts file for each preset."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import (  # type: ignore[import-untyped] # it comes without types
    Draft202012Validator,
    ValidationError,
)

from imagegen.domain.ports import ImageOrder
from imagegen.providers.compatible import CompatibleEndpoint
from imagegen.providers.presets import PRESETS
from tests.fakes.instances import instances_of_every_preset

FOLDER = Path(__file__).parent / "compatible"
FACTS = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}


def bodies(preset: str) -> list[dict[str, Any]]:
    """Return what is sent for every row and size."""
    instance = instances_of_every_preset()[preset]
    endpoint = CompatibleEndpoint(instance.name, instance.kind)
    orders = [
        ImageOrder(row.model, "a fox", row.sent(option), *option.pixels, "user-1")
        for row in instance.rows
        for option in row.sizes
    ]
    return [dict(endpoint.to_body(order)) for order in orders]


def test_every_known_server_has_its_facts_with_source_and_day() -> None:
    assert set(FACTS) == set(PRESETS) - {"generic"}
    for facts in FACTS.values():
        Draft202012Validator.check_schema(facts["imageRequest"])
        assert all(one["url"].startswith("https://") and one["date"] for one in facts["sources"])


@pytest.mark.parametrize("preset", FACTS)
def test_every_row_and_size_is_what_the_server_takes(preset: str) -> None:
    check = Draft202012Validator(FACTS[preset]["imageRequest"])
    for body in bodies(preset):
        check.validate(body)
        with pytest.raises(ValidationError):
            check.validate({**body, "surprise": 1})


@pytest.mark.parametrize(
    ("preset", "name", "value"),
    [
        ("meta", "tool_enablement", {"enable_web_search": True}),
        ("recraft", "size", "1000x1000"),
        ("byteplus", "watermark", True),
        ("byteplus", "sequential_image_generation", "auto"),
        ("xai", "resolution", "4k"),
        ("xai", "quality", "auto"),
        ("azure", "quality", "auto"),
        ("vllm", "response_format", "url"),
        ("sglang", "response_format", "url"),
        ("localai", "size", "auto"),
    ],
)
def test_what_would_change_the_price_or_the_form_is_not_taken(
    preset: str, name: str, value: Any
) -> None:
    (body, *_) = bodies(preset)
    with pytest.raises(ValidationError):
        Draft202012Validator(FACTS[preset]["imageRequest"]).validate({**body, name: value})
