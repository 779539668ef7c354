"""What is sent is what was priced, for every offer and size of the catalog."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.ports import ImageOrder
from imagegen.providers import PROVIDERS
from tests.adapters.providers.adapters import KEY, PATHS, PROMPT, build_adapter
from tests.adapters.providers.loopback import Loopback, Reply, ToolUse
from tests.contracts.vendors import check_image_request
from tests.vendors import KEYED, vendor

ROOT = Path(__file__).parents[3]
CATALOG = json.loads((ROOT / "provider_catalog.json").read_text())
COUNTS = ("n", "num_outputs", "candidateCount", "numberOfImages")
"""How vendors call the number of images."""


OFFERS = [
    pytest.param(row, size, id=f"{row['key']}-{size['size']}")
    for row in CATALOG["models"]
    # test_inputs.py has the rows that cannot work without an input.
    if row.get("inputs", {}).get("needs", "nothing") == "nothing"
    for size in row["sizes"]
]
OPENAI_OFFERS = [offer for offer in OFFERS if str(offer.id).startswith("openai-")]


def priced(row: Mapping[str, Any], size: Mapping[str, Any]) -> dict[str, Any]:
    return {**row["params"], **size["params"]}


def sent(row: Mapping[str, Any], size: Mapping[str, Any], server: Loopback) -> ToolUse:
    """Return the request that the adapter makes for the offer."""
    server.replies(Reply(500))
    width, height = map(int, size["size"].split("x"))
    order = ImageOrder(row["model"], PROMPT, priced(row, size), width, height, "user-1")
    with pytest.raises(ProviderError):
        build_adapter(row["provider"], server).generate(order, timeout_seconds=20)
    (asked,) = server.asked
    return asked


def digest(params: Mapping[str, Any]) -> str:
    canonical = json.dumps(params, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


@pytest.mark.parametrize(("row", "size"), OFFERS)
def test_exactly_the_priced_parameters_are_sent(row: Any, size: Any, server: Loopback) -> None:
    body = sent(row, size, server).json()
    assert digest(vendor(row["provider"]).params_of(body)) == digest(priced(row, size))


@pytest.mark.parametrize(("row", "size"), OFFERS)
def test_each_body_is_one_the_vendor_takes(row: Any, size: Any, server: Loopback) -> None:
    check_image_request(row["provider"], row["model"], sent(row, size, server).json())


@pytest.mark.parametrize(("row", "size"), OFFERS)
def test_one_image_of_the_model_is_asked_for(row: Any, size: Any, server: Loopback) -> None:
    asked = sent(row, size, server)
    wanted = vendor(row["provider"]).order(row["model"], PROMPT, priced(row, size))
    assert asked.path == PATHS[row["provider"]] + wanted.path
    assert asked.json().items() >= wanted.body.items()
    assert {priced(row, size).get(name, 1) for name in COUNTS} == {1}


@pytest.mark.parametrize(("row", "size"), OPENAI_OFFERS)
def test_openai_is_always_told_the_quality_and_the_user(
    row: Any, size: Any, server: Loopback
) -> None:
    """A quality left out may bill as ``high``, up to 35 times the price of ``low``."""
    body = sent(row, size, server).json()
    assert body["quality"] == row["params"]["quality"]
    assert body["quality"] != "auto"
    assert body["safety_identifier"] == "user-1"


@pytest.mark.parametrize("name", KEYED)
def test_the_key_goes_in_the_vendors_header_and_nowhere_else(name: str, server: Loopback) -> None:
    row = next(row for row in CATALOG["models"] if row["provider"] == name)
    asked = sent(row, row["sizes"][0], server)
    header = vendor(name).key_header
    assert asked.headers[header].removeprefix(f"{vendor(name).key_scheme} ") == KEY
    others = [value for name, value in asked.headers.items() if name != header]
    assert KEY not in f"{asked.path} {asked.body!r} {others}"


def test_every_catalog_provider_has_an_adapter_and_the_reverse() -> None:
    assert {row["provider"] for row in CATALOG["models"]} == set(PROVIDERS)
    assert {row["provider"] for row in CATALOG["retired"]} <= set(PROVIDERS)
