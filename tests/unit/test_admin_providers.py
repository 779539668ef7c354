"""Operators switch providers and reset circuits: live at once, and each change in the trail."""

from contextlib import suppress
from dataclasses import replace

import pytest

from imagegen.domain import breaker
from imagegen.domain.breaker import Circuit, Failure, State
from imagegen.domain.errors import NoProviderError, ParameterError, StoreUnavailableError
from imagegen.domain.trail import Action, Change
from imagegen.guard import CACHE_MS
from imagegen.usecases.admin.providers import ProviderControl
from imagegen.usecases.availability import ProviderSetup
from tests.fakes.faults import DiedError, Fault
from tests.fakes.service import Service

WHO = "user:" + "c3" * 16


def control(service: Service) -> ProviderControl:
    return service.functions.provider_control


def changes(service: Service) -> list[Change]:
    return [one.change for one in service.trail.entries.values()]


def switched(service: Service, provider: str, *, is_on: bool) -> None:
    control(service).switch(provider, WHO, is_on=is_on, reason="drill")
    service.clock.advance(CACHE_MS)


def opened(service: Service, name: str) -> Circuit:
    circuit = breaker.opened(Circuit(), until_ms=service.clock() + 600_000, why="account")
    assert service.circuits.swap(name, Circuit(), circuit)
    service.clock.advance(CACHE_MS)
    return circuit


def test_a_provider_that_is_switched_off_is_in_no_offer_until_it_is_on_again() -> None:
    service = Service()
    assert service.estimate().provider == "alpha"
    switched(service, "alpha", is_on=False)
    assert service.estimate().provider != "alpha"
    switched(service, "alpha", is_on=True)
    assert service.estimate().provider == "alpha"
    assert changes(service) == [
        Change(Action.PROVIDER_SWITCHED, "alpha", "on", "off", "drill"),
        Change(Action.PROVIDER_SWITCHED, "alpha", "off", "on", "drill"),
    ]


def test_a_quote_of_before_skips_the_provider_also_in_another_instance() -> None:
    service = Service()
    offer = service.estimate()
    other = service.new_instance()
    other.guard.fleet()
    switched(service, "alpha", is_on=False)
    service.functions = other
    service.confirm(offer)
    assert not service.providers["alpha"].orders


def test_all_providers_off_is_an_error_and_nothing_is_charged() -> None:
    service = Service()
    for name in service.catalog.providers:
        switched(service, name, is_on=False)
    with pytest.raises(NoProviderError):
        service.estimate()


@pytest.mark.parametrize("is_on", [True, False])
def test_the_flag_and_the_switch_must_both_allow_it(*, is_on: bool) -> None:
    service = Service()
    service.setups["alpha"] = ProviderSetup(has_key=True, enabled=False)
    switched(service, "alpha", is_on=False)
    switched(service, "alpha", is_on=is_on)
    (alpha,) = (one for one in control(service).overview().providers if one.provider == "alpha")
    assert (alpha.flag, alpha.enabled) == (False, False)
    assert alpha.switch is not None
    assert (alpha.switch.on, alpha.switch.reason) == (is_on, "drill")


def test_what_was_switched_off_stays_off_while_the_table_cannot_be_read() -> None:
    service = Service()
    switched(service, "alpha", is_on=False)
    assert service.guard.fleet().switched_off() == {"alpha"}
    service.wire.refused = {"circuits.load"}
    service.clock.advance(CACHE_MS)
    assert service.guard.fleet().switched_off() == {"alpha"}
    assert not service.guard.circuits()


def test_a_switch_that_stands_already_leaves_no_entry() -> None:
    service = Service()
    switched(service, "alpha", is_on=True)
    switched(service, "beta", is_on=False)
    switched(service, "beta", is_on=False)
    assert [one.target for one in changes(service)] == ["beta"]
    assert service.circuits.writes == 1


@pytest.mark.parametrize("name", ["nobody", "", "alpha/alpha-model"])
def test_an_unknown_provider_is_named_and_nothing_changes(name: str) -> None:
    service = Service()
    with pytest.raises(ParameterError, match="alpha") as raised:
        control(service).switch(name, WHO, is_on=False, reason="")
    assert raised.value.param == "provider"
    assert not changes(service)


def test_a_reset_closes_the_circuit_and_names_its_former_state() -> None:
    service = Service()
    opened(service, "alpha")
    shown = control(service).overview()
    assert [(one.circuit, one.state, one.why) for one in shown.circuits] == [
        ("alpha", "open", "account")
    ]
    after = control(service).reset("alpha", WHO, reason="new key")
    assert after.circuits == ()
    assert service.circuits.circuits["alpha"].state is State.CLOSED
    assert changes(service) == [Change(Action.CIRCUIT_RESET, "alpha", "open", "closed", "new key")]
    assert [(one.old, one.new, one.why) for one in service.moves] == [
        (State.OPEN, State.CLOSED, "reset")
    ]
    service.clock.advance(CACHE_MS)
    assert service.estimate().provider == "alpha"


def test_the_circuit_of_a_model_is_reset_by_its_full_name() -> None:
    service = Service()
    row = service.catalog.models[0]
    name = f"{row.provider}/{row.model}"
    opened(service, name)
    control(service).reset(name, WHO, reason="")
    assert service.circuits.circuits[name].state is State.CLOSED


def test_failures_and_a_rest_of_a_closed_circuit_are_forgotten_too() -> None:
    service, now = Service(), 0
    now = service.clock()
    service.circuits.add_failure("alpha", 0, Failure(now, "one", "a1a1a1a1"))
    service.circuits.rest("beta", 0, now + 60_000)
    shown = {one.circuit: one for one in control(service).overview().circuits}
    assert (shown["alpha"].failures, shown["alpha"].users) == (1, 1)
    assert shown["beta"].retry_at == now + 60_000
    for name in shown:
        control(service).reset(name, WHO, reason="")
    assert control(service).overview().circuits == ()


def test_a_circuit_that_is_simply_closed_is_left_as_it_is() -> None:
    service = Service()
    control(service).reset("alpha", WHO, reason="")
    old = Failure(service.clock() - 600_001, "one")
    service.circuits.add_failure("alpha", 0, old)
    control(service).reset("alpha", WHO, reason="")
    assert not changes(service)


def test_an_unknown_circuit_is_refused_and_one_of_an_earlier_catalog_is_not() -> None:
    service = Service()
    with pytest.raises(ParameterError) as raised:
        control(service).reset("nobody", WHO, reason="")
    assert raised.value.param == "circuit"
    opened(service, "alpha/removed")
    control(service).reset("alpha/removed", WHO, reason="")
    assert len(changes(service)) == 1


def test_a_change_by_somebody_else_at_the_same_moment_is_not_overwritten() -> None:
    service = Service()
    seen = opened(service, "alpha")
    store, real = service.circuits, service.circuits.swap
    calls: list[Circuit] = []

    class Racing:
        def __getattr__(self, name: str) -> object:
            return getattr(store, name)

        def swap(self, name: str, old: Circuit, new: Circuit) -> bool:
            if not calls:
                probing = breaker.given_back(seen)
                real(name, seen, probing)
            calls.append(old)
            return real(name, old, new)

    racing = replace(control(service), store=Racing())  # type: ignore[arg-type]
    racing.reset("alpha", WHO, reason="")
    assert [one.generation for one in calls] == [1, 2]
    assert store.circuits["alpha"].state is State.CLOSED
    assert len(changes(service)) == 1


def test_a_circuit_that_never_holds_still_is_an_error() -> None:
    service = Service()
    opened(service, "alpha")
    store = service.circuits

    class Losing:
        def __getattr__(self, name: str) -> object:
            return getattr(store, name)

        def swap(self, *_: object) -> bool:
            return False

    with pytest.raises(StoreUnavailableError, match="again"):
        replace(control(service), store=Losing()).reset(  # type: ignore[arg-type]
            "alpha", WHO, reason=""
        )


@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER, Fault.DIES_BEFORE, Fault.DIES_AFTER])
@pytest.mark.parametrize("number", range(5))
def test_whatever_breaks_no_provider_is_switched_without_an_entry(
    fault: Fault, number: int
) -> None:
    service = Service()
    service.wire.faults = {number: fault}
    with suppress(StoreUnavailableError, DiedError):
        control(service).switch("alpha", WHO, is_on=False, reason="drill")
    is_off = "alpha" in service.circuits.switches
    assert changes(service) or not is_off
    service.new_process()
    control(service).switch("alpha", WHO, is_on=False, reason="drill")
    assert service.circuits.switches["alpha"].is_on is False
    assert 1 <= len(changes(service)) <= 2
