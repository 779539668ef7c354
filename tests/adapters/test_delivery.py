"""Over HTTP, with simulated vendors: what a user pays for what the vendor sends.

The product's own wiring and adapters; only the stores are in memory.
"""

from dataclasses import replace
from typing import Any

import pytest
import requests

from imagegen.domain.errors import ContentRefusedError
from imagegen.providers import PROVIDERS, build_provider
from imagegen.usecases.generate.run import Made
from local.simulator.routes import BASES, MODULES
from local.simulator.server import Simulator
from tests.adapters.providers.adapters import no_pause
from tests.fakes.catalogs import real_catalog, tier_of
from tests.fakes.service import Service
from tests.vendors import credential

TAKEN = [
    (name, fault.name)
    for name, module in MODULES.items()
    for fault in module.build().faults.values()
    if fault.draws and fault.outcome is None
]
THROWN_AWAY = ["hole", "blank_image", "tiny_image", "wrong_bytes", "truncated_image"]


def arm(vendors: Simulator, provider: str, **fault: Any) -> None:
    url = f"{vendors.url}/control/providers/{provider}"
    requests.post(url, json=fault, timeout=10).raise_for_status()


def adapter_of(vendors: Simulator, name: str) -> Any:
    """Return the adapter that is shipped; it does not sleep before it asks for a file again."""
    base_url = vendors.url + BASES[name]
    adapter: Any = build_provider(name, credential=credential(name, "local-key"), base_url=base_url)
    return replace(adapter, downloader=replace(adapter.downloader, sleep=no_pause))


def service_of(vendors: Simulator) -> Service:
    adapters: Any = {name: adapter_of(vendors, name) for name in PROVIDERS}
    return Service(catalog=real_catalog(), providers=adapters)


def bought(service: Service, prompt: str = "A red fox", **wishes: Any) -> tuple[int, Made]:
    """Return the expected price and the image."""
    offer = service.estimate(prompt, **wishes)
    made = service.confirm(offer)
    assert isinstance(made, Made)
    service.check_charged_iff_stored()
    return offer.price.expected, made


def billed(vendors: Simulator, provider: str) -> int:
    url = f"{vendors.url}/control/providers"
    microusd: int = requests.get(url, timeout=10).json()[provider]["billedMicrousd"]
    return microusd


@pytest.mark.parametrize(("provider", "fault"), TAKEN)
def test_an_image_in_an_odd_form_is_delivered_at_its_price(
    vendors: Simulator, provider: str, fault: str
) -> None:
    arm(vendors, provider, fault=fault)
    service = service_of(vendors)
    expected, made = bought(service, quality=tier_of(provider), provider=provider)
    assert (made.record.provider, made.record.fallback) == (provider, None)
    assert made.record.charged_microusd == expected == service.spent()


@pytest.mark.parametrize("fault", THROWN_AWAY)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_cannot_be_sold_is_not_charged(vendors: Simulator, provider: str, fault: str) -> None:
    arm(vendors, provider, fault=fault)
    service = service_of(vendors)
    _, made = bought(service, quality=tier_of(provider), provider=provider)
    assert made.record.provider != provider
    assert service.spent() == made.record.charged_microusd


def test_a_smaller_image_costs_what_it_is_worth(vendors: Simulator) -> None:
    arm(vendors, "openai", fault="square_image")
    service = service_of(vendors)
    expected, made = bought(service, quality="ultra", provider="openai", size="3840x2160")
    assert (expected, made.record.charged_microusd, service.spent()) == (177_900, 93_700, 93_700)
    assert (made.record.width, made.record.height) == (1024, 1024)


def test_of_several_images_one_is_sold_and_all_are_metered(vendors: Simulator) -> None:
    arm(vendors, "gemini", fault="several_images")
    service = service_of(vendors)
    expected, made = bought(service, quality="ultra", provider="gemini")
    assert service.spent() == expected == 134_000
    # Three were drawn; the limit in the request lets no more through.
    assert billed(vendors, "gemini") == 3 * 134_000
    assert made.record.actual_microusd is not None
    assert made.record.actual_microusd >= 3 * 134_000


def test_the_limit_of_nano_banana_lets_one_image_through(vendors: Simulator) -> None:
    arm(vendors, "gemini", fault="several_images")
    service = service_of(vendors)
    expected, _ = bought(service, quality="high", provider="gemini")
    assert service.spent() == expected == billed(vendors, "gemini") == 33_600


@pytest.mark.parametrize(
    "packing", ["gzip", "deflate", "raw-deflate", "gzip-twice", "gzip-unlabelled",
                "plain-labelled-gzip"],
)  # fmt: skip
def test_a_packed_refusal_asks_nobody_else(vendors: Simulator, packing: str) -> None:
    arm(vendors, "openai", fault="moderation_blocked", packing=packing)
    service = service_of(vendors)
    with pytest.raises(ContentRefusedError):
        service.confirm(service.estimate("A red fox", quality="high", provider="openai"))
    assert service.spent() == 0
    assert billed(vendors, "gemini") == 0


def test_a_dense_prompt_is_charged_what_it_is_billed(vendors: Simulator) -> None:
    service = service_of(vendors)
    _, made = bought(service, "\u9f98" * 30_000, quality="fast", provider="openai")
    assert made.record.actual_microusd is not None
    assert made.record.charged_microusd >= made.record.actual_microusd - 250 * 5
