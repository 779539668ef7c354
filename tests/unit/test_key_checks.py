"""The key check: what it finds and reports about keys and models. It closes no circuit."""

from datetime import date

import pytest

from imagegen.domain.breaker import Circuit, State
from imagegen.domain.fleet import KeyCheck, Switch
from imagegen.domain.outcomes import Outcome
from imagegen.usecases.availability import ProviderSetup
from imagegen.usecases.key_checks import KeyChange
from tests.fakes.catalogs import catalog, row
from tests.fakes.faults import Fault
from tests.fakes.service import Service

FIVE_MINUTES_MS = 300_000
MODEL = "alpha-standard-model"


def checked_every_five_minutes(service: Service, *checks: Outcome | None) -> list[KeyChange]:
    """Return the changes that are reported if alpha's key checks have these outcomes in turn."""
    service.providers["alpha"].key_checks = list(checks)
    changes: list[KeyChange] = []
    for _ in checks:
        changes.extend(service.key_checker.check().changes)
        service.clock.advance(FIVE_MINUTES_MS)
    return changes


def warning(service: Service) -> str | None:
    return service.reporter.report().providers[0].models[0].warning


# Keys.


def test_a_key_that_becomes_bad_and_good_again_is_reported_once_each() -> None:
    changes = checked_every_five_minutes(
        Service(), None, Outcome.ACCOUNT, Outcome.ACCOUNT, None, None
    )
    assert changes == [
        KeyChange("alpha", "valid", "account"),
        KeyChange("alpha", "account", "valid"),
    ]


def test_a_key_that_is_bad_from_the_start_is_reported() -> None:
    assert checked_every_five_minutes(Service(), Outcome.ACCOUNT) == [
        KeyChange("alpha", "valid", "account")
    ]


def test_a_check_without_a_result_is_no_change_and_hides_no_change() -> None:
    lost = Outcome.UNAVAILABLE
    changes = checked_every_five_minutes(Service(), None, lost, Outcome.ACCOUNT, lost, lost, None)
    assert [one.new for one in changes] == ["account", "valid"]


def test_a_key_that_is_found_good_at_last_has_not_changed() -> None:
    assert checked_every_five_minutes(Service(), Outcome.UNAVAILABLE, None) == []


def test_two_key_checks_at_once_report_a_change_once() -> None:
    service = Service()
    service.providers["alpha"].key_checks = [Outcome.ACCOUNT, Outcome.ACCOUNT]
    first, second = service.key_checker, service.key_checker
    assert len(first.check().changes) + len(second.check().changes) == 1


def test_a_refused_key_counts_as_refused_until_a_check_finds_it_good() -> None:
    service = Service()
    service.providers["alpha"].key_checks = [Outcome.ACCOUNT, Outcome.UNAVAILABLE]
    assert service.key_checker.check().refused == ("alpha",)
    assert service.key_checker.check().refused == ("alpha",)
    assert service.key_checker.check().refused == ()


def test_a_provider_whose_key_stays_refused_is_not_called_for_users() -> None:
    service = Service()
    service.providers["alpha"].key_checks = [Outcome.ACCOUNT] * 12
    for hour in range(12):
        service.key_checker.check()
        for _ in range(5):
            service.make(user=f"{hour:032x}")
            service.clock.advance(FIVE_MINUTES_MS // 5)
    assert not service.providers["alpha"].orders
    assert [(one.old, one.new) for one in service.moves] == [(State.CLOSED, State.OPEN)]


def test_a_recovered_key_closes_nothing_until_an_image_is_made() -> None:
    service = Service()
    service.providers["alpha"].key_checks = [Outcome.ACCOUNT]
    service.key_checker.check()
    service.clock.advance(FIVE_MINUTES_MS)
    service.key_checker.check()
    open_circuit = service.circuits.circuits["alpha"]
    service.clock.advance(FIVE_MINUTES_MS)
    service.make()
    assert (open_circuit.state, service.circuits.circuits["alpha"].state) == (
        State.OPEN,
        State.CLOSED,
    )


def test_a_key_check_leaves_a_half_open_circuit_to_its_probe() -> None:
    service = Service()
    half_open = Circuit(State.HALF_OPEN, 2, until_ms=service.clock() + 1_000, owner="call-9")
    service.circuits.circuits["alpha"] = half_open
    service.providers["alpha"].key_checks = [Outcome.ACCOUNT]
    service.key_checker.check()
    assert service.circuits.circuits["alpha"] == half_open


# Models.


def test_a_model_that_is_not_listed_causes_a_warning_and_still_makes_images() -> None:
    service = Service()
    service.providers["alpha"].served = {"another": None}
    assert service.key_checker.check().unlisted == (MODEL,)
    assert warning(service) == f"{MODEL} is not in the list of models that alpha serves"
    assert not service.circuits.circuits
    assert service.make().record.provider == "alpha"


def test_the_warning_ends_when_the_model_is_listed_again() -> None:
    service = Service()
    service.providers["alpha"].served = {}
    service.key_checker.check()
    service.providers["alpha"].served = {MODEL: None}
    assert service.key_checker.check().unlisted == ()
    assert warning(service) is None


@pytest.mark.parametrize("served", [None, Outcome.UNAVAILABLE, Outcome.ACCOUNT])
def test_without_a_list_the_earlier_findings_stay(served: Outcome | None) -> None:
    service = Service()
    service.providers["alpha"].served = {}
    service.key_checker.check()
    service.providers["alpha"].served = served
    found = service.key_checker.check()
    assert (found.unlisted, found.outcomes["alpha"]) == ((MODEL,), "valid")


def test_a_model_past_its_last_day_is_not_reported_as_missing() -> None:
    rows = (row("alpha-one", priority=1, shutdownOn="2026-11-22"), row("alpha-two", priority=2))
    service = Service(catalog=catalog(*rows))
    service.providers["alpha"].served = {"alpha-two-model": None}
    found = service.key_checker.check()
    assert (found.unlisted, found.days_left) == ((), None)


@pytest.mark.parametrize(
    ("in_catalog", "announced", "days"),
    [
        (None, None, None),
        ("2026-12-22", None, 30),
        (None, date(2026, 12, 1), 9),
        ("2026-12-22", date(2026, 12, 1), 9),
        ("2026-12-01", date(2026, 12, 22), 9),
    ],
)
def test_the_earlier_of_two_last_days_counts(
    in_catalog: str | None, announced: date | None, days: int | None
) -> None:
    service = Service(catalog=catalog(row("alpha-one", priority=1, shutdownOn=in_catalog)))
    service.providers["alpha"].served = {"alpha-one-model": announced}
    assert service.key_checker.check().days_left == days
    expected = None if days is None else "alpha-one-model ends on 2026-12-"
    assert (warning(service) or "").startswith(expected or "")
    assert (warning(service) is None) == (days is None)


# The fleet.


def test_health_after_a_key_check_is_one_read_and_none_from_the_cache() -> None:
    service = Service()
    service.key_checker.check()
    service.new_process()
    service.circuits.loads = 0
    service.reporter.report()
    service.reporter.report()
    assert service.circuits.loads == 1


def test_circuits_that_cannot_be_read_are_reported_as_unknown_not_as_closed() -> None:
    service = Service()
    assert service.reporter.report().status == "healthy"
    service.new_process()
    service.wire.refused = ("circuits.load",)
    report = service.reporter.report()
    assert report.status == "degraded"
    assert {one.circuit.state for one in report.providers} == {"unknown"}
    assert all(one.available for one in report.providers), "they are still called"


def test_the_circuits_that_let_no_call_through_are_counted_by_provider() -> None:
    service = Service()
    for name in ("alpha", "alpha/one", "beta/two"):
        service.circuits.circuits[name] = Circuit(State.OPEN, 1, until_ms=service.clock() + 1)
    service.circuits.circuits["gamma"] = Circuit(State.CLOSED, 2)
    # A probe is due: the next image may be made with it.
    service.circuits.circuits["gamma/due"] = Circuit(State.OPEN, 1, until_ms=service.clock())
    assert service.key_checker.check().open_circuits == {"alpha": 2, "beta": 1, "gamma": 0}


def test_a_provider_that_is_switched_off_is_not_checked() -> None:
    service = Service()
    service.setups = {"alpha": ProviderSetup(has_key=True, enabled=False)}
    assert service.key_checker.check().key_checks == {}


def test_a_provider_that_an_operator_has_switched_off_is_not_checked() -> None:
    service = Service()
    service.providers["alpha"].key_checks = [Outcome.ACCOUNT]
    service.circuits.switches["alpha"] = Switch(is_on=False, at_ms=service.clock())
    assert "alpha" not in service.key_checker.check().key_checks
    assert service.providers["alpha"].key_checks == [Outcome.ACCOUNT]


def test_without_the_store_results_are_reported_and_changes_are_not() -> None:
    service = Service()
    service.providers["alpha"].key_checks = [Outcome.ACCOUNT]
    service.wire.faults = {n: Fault.BEFORE for n in range(30) if n == 0 or n > 6}
    found = service.key_checker.check()
    assert (found.outcomes["alpha"], found.changes) == ("account", ())


def test_the_result_of_a_key_check_is_stored_for_all_instances() -> None:
    service = Service()
    service.providers["alpha"].served = {MODEL: date(2026, 12, 1)}
    found = service.key_checker.check().key_checks["alpha"]
    assert found == KeyCheck(service.clock(), "valid", "valid", (), {MODEL: date(2026, 12, 1)})
    assert service.circuits.key_checks["alpha"] == found


# Routes.


@pytest.mark.parametrize(
    ("check", "hint"),
    [
        (Outcome.MODEL_GONE, "set its address"),
        (Outcome.BAD_PARAMETER, "set its address"),
        (Outcome.BLOCKED, "set its address"),
        (Outcome.UNAVAILABLE, None),
        (Outcome.RATE_LIMITED, None),
        (None, None),
    ],
)
def test_health_says_what_to_do_about_an_address_without_routes(
    check: Outcome | None, hint: str | None
) -> None:
    advised = ProviderSetup(has_key=True, enabled=True, route_advice="set its address")
    service = Service(setups={"alpha": advised, "beta": ProviderSetup(has_key=True, enabled=True)})
    for name in ("alpha", "beta"):
        service.providers[name].key_checks = [check]
    service.key_checker.check()
    hints = {one.provider: one.hint for one in service.reporter.report().providers}
    assert hints == {"alpha": hint, "beta": None, "gamma": None}
