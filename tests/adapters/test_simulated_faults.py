"""Every way a simulated provider can fail, through the real adapter: the outcome it stands for."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import requests

from imagegen.domain import pixels
from imagegen.domain.call_errors import ProviderError
from imagegen.domain.catalog import Catalog, Variant, parse_catalog
from imagegen.domain.criteria import ordered as with_wishes
from imagegen.domain.inputs import InputFile, Role
from imagegen.domain.outcomes import Outcome
from imagegen.domain.pixels import BrokenImageError
from imagegen.domain.ports import ImageOrder
from imagegen.domain.pricing import charge_microusd
from imagegen.domain.wishes import Wishes
from imagegen.providers import PROVIDERS, build_provider
from local.paths import ROOT
from local.simulator.routes import BASES, MODULES
from local.simulator.server import Simulator
from local.simulator.wire import Ending
from tests.fakes.pictures import png
from tests.vendors import credential

TABLES = {name: module.build().faults for name, module in MODULES.items()}
CASES = [(provider, fault) for provider, faults in TABLES.items() for fault in sorted(faults)]
SECONDS = 2.5
SLOW_SECONDS = {"huge": 30.0, "large_file": 30.0}
"""For answers that take long on a busy machine."""
HANG_SECONDS = 0.5
"""For a server that never answers: any time limit has the same outcome."""


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator.start() as running:
        yield running


@pytest.fixture(scope="module")
def oracle(simulator: Simulator) -> dict[str, Any]:
    found: dict[str, Any] = requests.get(f"{simulator.url}/control/faults", timeout=10).json()
    return found


@cache
def catalog() -> Catalog:
    return parse_catalog((ROOT / "provider_catalog.json").read_text())


def ordered(provider: str) -> Variant:
    row = next(row for row in catalog().models if row.provider == provider)
    option = row.option("square")
    assert option is not None
    return Variant(row, option)


INPUT = InputFile(Role.EDIT, png((256, 256)), "image/png", 256, 256)


def order(provider: str, applies: str = "always") -> ImageOrder:
    """Return an order that the fault applies to: with an input, or with preview frames."""
    row, option = ordered(provider).row, ordered(provider).option
    option = with_wishes(row, option, Wishes(partials=2 if applies == "previews" else 0))
    inputs = (INPUT,) if applies == "inputs" else ()
    sent = row.sent(option)
    return ImageOrder(row.model, "A red fox", sent, *option.pixels, "ab" * 16, inputs)


def outcome_of(
    provider: str, simulator: Simulator, applies: str = "always", *, timeout_seconds: float
) -> str | None:
    """Return what a call comes to, measured as the service does; ``None`` for an image."""
    base = simulator.url + BASES[provider]
    adapter = build_provider(provider, credential=credential(provider, "local-key"), base_url=base)
    try:
        answer = adapter.generate(order(provider, applies), timeout_seconds=timeout_seconds)
        measured = pixels.measure(answer.content)
    except ProviderError as error:
        return error.outcome
    except BrokenImageError:
        return Outcome.UNAVAILABLE
    variant = ordered(provider)
    charged = charge_microusd(variant, measured, quoted_microusd=1_000_000)
    return Outcome.NO_IMAGE if measured.is_blank or charged is None else None


def test_every_provider_has_faults() -> None:
    assert set(TABLES) == set(PROVIDERS)
    assert len(CASES) >= 100


@pytest.mark.parametrize(("provider", "fault"), CASES)
def test_a_simulated_fault_is_what_it_stands_for(
    simulator: Simulator, oracle: dict[str, Any], provider: str, fault: str
) -> None:
    expected = oracle[provider][fault]
    if expected["applies"] == "url":
        # These spoil a linked file; this provider is asked for the bytes themselves.
        asked_for_bytes = "base64" in str(order(provider).params)
        expected = {"outcome": None} if asked_for_bytes else expected
    requests.post(f"{simulator.url}/control/reset", timeout=10)
    url = f"{simulator.url}/control/providers/{provider}"
    assert requests.post(url, json={"fault": fault}, timeout=10).ok

    hangs = TABLES[provider][fault].ending is Ending.HANG
    seconds = HANG_SECONDS if hangs else SLOW_SECONDS.get(fault, SECONDS)
    applies = oracle[provider][fault]["applies"]
    found = outcome_of(provider, simulator, applies, timeout_seconds=seconds)
    assert found == expected["outcome"]
