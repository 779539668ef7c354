"""OpenAI's own client, unchanged, against each kind of server that an instance may be."""

import base64
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import openai
import pytest
import requests
from pydantic import SecretStr

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.catalog import Variant
from imagegen.domain.money import usd_text
from imagegen.domain.outcomes import Outcome
from imagegen.domain.pixels import measure
from imagegen.domain.ports import ImageOrder
from imagegen.domain.pricing import COST, charge_microusd, price_microusd
from imagegen.providers import build_provider
from imagegen.providers.compatible import build_instance
from imagegen.providers.instances import Instance, with_instances
from imagegen.providers.openai_images import OpenAIProvider
from imagegen.providers.presets import PRESETS
from local.simulator import Simulator
from local.simulator.compatible_facts import FACTS
from local.simulator.faults import Fault
from local.simulator.wire import Ending
from tests.adapters.providers.loopback import serving
from tests.fakes.catalogs import catalog
from tests.fakes.catalogs import row as catalog_row
from tests.fakes.instances import instances_of_every_preset
from tests.fakes.service import Service

KEY = "sk-simulated-1234"
SIMULATED = sorted(PRESETS)
DRAWN_AT = ("vllm", "xai")
"""Where pictures that are damaged on the way are tried: all presets are read by the same code."""
every = pytest.mark.parametrize("preset", SIMULATED)


@pytest.fixture(scope="module")
def servers() -> Iterator[Simulator]:
    added = tuple(instances_of_every_preset()[preset] for preset in SIMULATED)
    with Simulator.start(added=added) as running:
        yield running


def instance_of(preset: str) -> Instance:
    return instances_of_every_preset()[preset]


def base_of(servers: Simulator, preset: str) -> str:
    return servers.url + servers.world.bases[instance_of(preset).name]


def client_of(servers: Simulator, preset: str, key: str = KEY) -> openai.OpenAI:
    header = FACTS[preset].key_header
    headers: dict[str, Any] = {} if header == "authorization" else {header: key}
    url = base_of(servers, preset)
    return openai.OpenAI(base_url=url, api_key=key, max_retries=0, default_headers=headers)


def adapter_of(servers: Simulator, preset: str, key: str = KEY) -> OpenAIProvider:
    instance = instance_of(preset)
    used = key if instance.key_name else ""
    return build_instance(instance, SecretStr(used), base_of(servers, preset))


def order_of(preset: str, shape: str = "square", prompt: str = "a fox") -> ImageOrder:
    row = instance_of(preset).rows[0]
    option = row.option(shape)
    assert option
    return ImageOrder(row.model, prompt, row.sent(option), *option.pixels, "user-1")


def test_every_preset_is_simulated() -> None:
    assert set(PRESETS) == set(FACTS)


def test_each_instance_can_be_broken(servers: Simulator) -> None:
    listed = requests.get(f"{servers.url}/control/faults", timeout=5).json()
    assert all("refused" in listed[instance_of(preset).name] for preset in PRESETS)


@every
def test_openais_client_draws_unchanged(servers: Simulator, preset: str) -> None:
    order = order_of(preset)
    with client_of(servers, preset) as client:
        answer = client.images.generate(
            model=order.model, prompt=order.prompt, extra_body=dict(order.params)
        )
    assert answer.data
    content = base64.b64decode(answer.data[0].b64_json or "")
    assert measure(content)


@every
def test_every_priced_size_is_sent_as_it_was_priced_and_drawn_in_its_size(
    servers: Simulator, preset: str
) -> None:
    row = instance_of(preset).rows[0]
    for option in row.sizes:
        sent = row.sent(option)
        order = ImageOrder(row.model, "a fox", sent, *option.pixels, "user-1")
        answer = adapter_of(servers, preset).generate(order, timeout_seconds=20)
        measured = measure(answer.content)
        assert measured
        price = row.price.usd[option.size] if hasattr(row.price, "usd") else 0  # type: ignore[index]
        assert charge_microusd(Variant(row, option), measured, quoted_microusd=price) == price
        got = requests.get(f"{servers.url}/control/calls", timeout=5).json()[-1]
        assert {name: got["params"].get(name) for name in sent} == sent
        assert got["billedMicrousd"] == price


@every
def test_a_click_makes_and_charges_an_image_of_each_server(servers: Simulator, preset: str) -> None:
    instance = instance_of(preset)
    priced = catalog(catalog_row("alpha-standard", priority=1, usd="0.06"))
    service = Service(catalog=with_instances(priced, (instance,)))
    service.providers[instance.name] = adapter_of(servers, preset)  # type: ignore[assignment]
    row = instance.rows[0]
    image = service.present(service.estimate(model=row.model))
    assert image.provider == instance.name
    price = price_microusd(row, row.sizes[0])
    assert price is not None
    assert image.model_dump(mode="json", by_alias=True)["cost"]["charged"] == usd_text(price)
    assert service.spent() == price
    service.check_charged_iff_stored()


@every
def test_each_simulated_fault_comes_to_its_outcome(servers: Simulator, preset: str) -> None:
    name = instance_of(preset).name
    faults: dict[str, Fault] = servers.world.providers[name].faults  # type: ignore[assignment]
    adapter = adapter_of(servers, preset)
    for fault in faults.values():
        is_slow = fault.ending is Ending.HANG or (fault.draws and preset not in DRAWN_AT)
        if fault.applies != "always" or is_slow:
            continue
        arm(servers, name, fault.name)
        found = None
        try:
            adapter.generate(order_of(preset), timeout_seconds=5)
        except ProviderError as error:
            found = error.outcome.value
        if found is None and fault.draws and fault.outcome:
            continue  # Whether drawn bytes can be sold is looked at after the adapter.
        assert found == (fault.outcome and fault.outcome.value), (preset, fault.name)


def arm(servers: Simulator, name: str, fault: str) -> None:
    requests.post(f"{servers.url}/control/reset", timeout=5).raise_for_status()
    url = f"{servers.url}/control/providers/{name}"
    requests.post(url, json={"fault": fault}, timeout=5).raise_for_status()


KEYED = [one for one in SIMULATED if FACTS[one].needs_key]


@pytest.mark.parametrize("preset", KEYED)
def test_a_bad_key_is_the_accounts_and_never_in_the_error(servers: Simulator, preset: str) -> None:
    with pytest.raises(ProviderError) as caught:
        adapter_of(servers, preset, "sk-bad-CANARY").generate(order_of(preset), timeout_seconds=5)
    assert caught.value.outcome is Outcome.ACCOUNT
    assert "CANARY" not in repr(vars(caught.value))


@pytest.mark.parametrize("preset", [one for one in KEYED if FACTS[one].key_path])
def test_the_free_check_finds_a_bad_key_and_lists_what_is_served(
    servers: Simulator, preset: str
) -> None:
    requests.post(f"{servers.url}/control/reset", timeout=5)
    with pytest.raises(ProviderError) as caught:
        adapter_of(servers, preset, "sk-bad-1").check_key(timeout_seconds=5)
    assert caught.value.outcome is Outcome.ACCOUNT
    good = adapter_of(servers, preset)
    good.check_key(timeout_seconds=5)
    listed = good.models(timeout_seconds=5)
    rows = instance_of(preset).rows
    assert listed == ({row.model: None for row in rows} if FACTS[preset].lists_models else None)
    assert requests.get(f"{servers.url}/control/calls", timeout=5).json() == []


@pytest.mark.parametrize("preset", [one for one in KEYED if not FACTS[one].key_path])
def test_without_a_free_check_no_key_is_said_to_be_good(servers: Simulator, preset: str) -> None:
    with pytest.raises(ProviderError) as caught:
        adapter_of(servers, preset).check_key(timeout_seconds=5)
    assert caught.value.outcome is Outcome.NOT_CALLED


@pytest.mark.parametrize(("preset", "cost"), [("recraft", 7_000), ("xai", 40_000)])
def test_what_the_answer_says_that_it_cost_is_read_back(
    servers: Simulator, preset: str, cost: int
) -> None:
    answer = adapter_of(servers, preset).generate(order_of(preset), timeout_seconds=5)
    assert answer.usage == {COST: cost}


def test_a_refusal_at_xai_is_billed_to_the_operator(servers: Simulator) -> None:
    requests.post(f"{servers.url}/control/reset", timeout=5)
    order = order_of("xai", prompt="provider-refusal")
    with pytest.raises(ProviderError) as caught:
        adapter_of(servers, "xai").generate(order, timeout_seconds=5)
    assert caught.value.outcome is Outcome.REFUSED
    (call,) = requests.get(f"{servers.url}/control/calls", timeout=5).json()
    assert call["billedMicrousd"] == 40_000


UNKNOWN_FIELDS = [(preset, "surprise") for preset in SIMULATED] + [
    ("xai", "size"),
    ("byteplus", "n"),
    ("azure", "response_format"),
    ("deepinfra", "quality"),
]


@pytest.mark.parametrize(("preset", "name"), UNKNOWN_FIELDS)
def test_a_field_that_a_server_does_not_have_is_refused(
    servers: Simulator, preset: str, name: str
) -> None:
    order = order_of(preset)
    body = {**order.params, "model": order.model, "prompt": "a fox", name: "x"}
    header = FACTS[preset].key_header
    key = {header: f"Bearer {KEY}" if header == "authorization" else KEY}
    url = f"{base_of(servers, preset)}/images/generations"
    assert requests.post(url, json=body, headers=key, timeout=5).status_code in (400, 422)


@pytest.mark.parametrize("preset", ["vllm", "azure", "xai"])
def test_only_the_header_of_the_server_has_the_key(preset: str) -> None:
    instance = instance_of(preset)
    given = {} if not instance.key_name else {FACTS[preset].key_header: KEY}
    with serving() as heard:
        used = SecretStr(KEY if instance.key_name else "")
        adapter = build_instance(instance, used, f"{heard.origin}/v1")
        with pytest.raises(ProviderError):
            adapter.generate(order_of(preset), timeout_seconds=5)
        with suppress(ProviderError):
            adapter.check_key(timeout_seconds=5)
    assert len(heard.asked) == 2
    for asked in heard.asked:
        sent = {name.lower(): value for name, value in asked.headers.items()}
        for name in ("authorization", "api-key"):
            assert sent.get(name, "").removeprefix("Bearer ") == given.get(name, "")


def test_a_name_that_is_not_there_is_said_with_those_that_are() -> None:
    with pytest.raises(Exception, match="no provider 'nobody'; use one of openai"):
        build_provider("nobody", credential=SecretStr(KEY))
