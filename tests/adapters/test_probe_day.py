"""A day of probes with the real adapters against the simulated providers: what it bills."""

from collections.abc import Iterator

import pytest
import requests

from imagegen.domain.breaker import Policy, State
from imagegen.domain.ports import ImageProvider
from imagegen.guard import Guard
from imagegen.providers import PROVIDERS, build_provider
from imagegen.usecases.availability import ProviderSetup
from imagegen.usecases.key_checks import KeyChecker
from local.simulator.routes import BASES
from local.simulator.server import Simulator
from tests.fakes.catalogs import real_catalog
from tests.fakes.circuits import MemoryCircuitStore
from tests.fakes.clock import Clock
from tests.vendors import credential, vendor

PROBES_A_DAY = 288
FIVE_MINUTES_MS = 300_000


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator.start() as running:
        yield running


def control(simulator: Simulator, provider: str, **fault: object) -> None:
    url = f"{simulator.url}/control/providers/{provider}"
    requests.post(url, json={"fault": None, **fault}, timeout=10).raise_for_status()


def key_checker(simulator: Simulator, clock: Clock, store: MemoryCircuitStore) -> KeyChecker:
    def provider(name: str) -> ImageProvider:
        base = simulator.url + BASES[name]
        return build_provider(name, credential=credential(name, "local-key"), base_url=base)

    guard = Guard(store, Policy(), clock, lambda: "call")
    setups = dict.fromkeys(PROVIDERS, ProviderSetup(has_key=True, enabled=True))
    return KeyChecker(real_catalog(), lambda: setups, provider, guard, store, clock)


def test_a_day_of_probes_bills_nothing_and_asks_for_no_image(simulator: Simulator) -> None:
    requests.post(f"{simulator.url}/control/reset", timeout=10).raise_for_status()
    clock, store = Clock(), MemoryCircuitStore()
    one = key_checker(simulator, clock, store)
    for _ in range(PROBES_A_DAY):
        assert set(one.check().outcomes.values()) == {"valid"}
        clock.advance(FIVE_MINUTES_MS)
    totals = requests.get(f"{simulator.url}/control/providers", timeout=10).json()
    assert set(totals) >= set(PROVIDERS)
    for name, seen in totals.items():
        assert (seen["billedMicrousd"], seen["images"], seen["calls"]) == (0, 0, 0), name
    asked = {name: totals[name]["freeCalls"] for name in PROVIDERS}
    assert asked == {name: vendor(name).check_calls * PROBES_A_DAY for name in PROVIDERS}


def test_the_catalog_s_models_are_in_the_lists_as_the_adapters_read_them(
    simulator: Simulator,
) -> None:
    requests.post(f"{simulator.url}/control/reset", timeout=10).raise_for_status()
    found = key_checker(simulator, Clock(), MemoryCircuitStore()).check()
    assert found.unlisted == ()
    assert set(found.key_checks) == set(PROVIDERS)


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_key_that_turns_bad_is_found_and_told_for_every_provider(
    simulator: Simulator, name: str
) -> None:
    requests.post(f"{simulator.url}/control/reset", timeout=10).raise_for_status()
    clock, store = Clock(), MemoryCircuitStore()
    one = key_checker(simulator, clock, store)
    one.check()
    control(simulator, name, fault="bad_key")
    clock.advance(FIVE_MINUTES_MS)
    found = one.check()
    assert [(change.provider, change.new) for change in found.changes] == [(name, "account")]
    assert {at for at, circuit in store.circuits.items() if circuit.state is State.OPEN} == {name}
    control(simulator, name)
    assert [change.new for change in one.check().changes] == ["valid"]
