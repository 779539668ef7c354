"""The use cases that only read: an image's status, a user's usage, the models, the health."""

from collections.abc import Callable
from typing import Never

import pytest

from imagegen.domain.breaker import Circuit, State
from imagegen.domain.errors import (
    GoneError,
    ImagegenError,
    NotFoundError,
    StoreUnavailableError,
)
from imagegen.domain.ids import image_id
from imagegen.domain.ledger import Limits
from imagegen.domain.outcomes import Outcome
from imagegen.usecases.availability import ProviderSetup
from imagegen.usecases.generate.run import Made
from imagegen.usecases.status import ImageFinder
from imagegen.wire.estimates import Estimate
from tests.fakes.catalogs import catalog, real_catalog, row
from tests.fakes.faults import DiedError, Fault
from tests.fakes.service import (
    HOUR_MS,
    IMAGE_ID_KEY,
    OTHER_USER,
    PROMPT,
    USER,
    Service,
    with_stores,
)

BASE_URL = "https://us.test"
DIES_AT_PUT, DIES_AT_SETTLE = 5, 7


def died(at: int, fault: Fault = Fault.DIES_BEFORE) -> tuple[Service, Estimate]:
    """Return a service whose run died at a call of ``test_generator.STEPS``."""
    service = Service()
    offer = service.estimate()
    service.new_process()
    service.wire.faults[at] = fault
    with pytest.raises(DiedError):
        service.confirm(offer)
    service.new_process()
    return service, offer


def failed(outcome: Outcome) -> tuple[Service, Estimate]:
    service = Service(catalog=catalog(row("alpha-standard", priority=1)))
    service.react("alpha", outcome)
    offer = service.estimate()
    with pytest.raises(ImagegenError):
        service.confirm(offer)
    return service, offer


def missing(service: Service, text: str) -> None:
    with pytest.raises(NotFoundError):
        service.finder.status(text, BASE_URL)
    with pytest.raises(NotFoundError):
        service.finder.location(text)


class Dark:
    """A store that cannot be reached."""

    def __getattr__(self, name: str) -> Callable[..., Never]:
        def fail(*_: object, **_named: object) -> Never:
            raise StoreUnavailableError(f"{name} cannot be reached.")

        return fail


def charged_in_errors(finder: ImageFinder, image: str) -> list[bool | None]:
    """Return ``charged`` of the errors of status and location while a store is down."""
    charged = []
    for read in (lambda: finder.status(image, BASE_URL), lambda: finder.location(image)):
        with pytest.raises(StoreUnavailableError) as caught:
            read()
        charged.append(caught.value.charged)
    return charged


# One image.


def test_while_the_image_store_is_down_a_charged_image_is_reported_as_charged() -> None:
    service = Service()
    made = service.make()
    image = service.image_id(made)
    assert charged_in_errors(with_stores(service.finder, images=Dark()), image) == [True, True]
    # Days later the ledger entry is pruned; the record is still there.
    service.ledgers.ledgers.clear()
    assert charged_in_errors(with_stores(service.finder, images=Dark()), image) == [True, True]


def test_while_the_image_store_is_down_an_image_that_was_not_made_is_not_reported_as_charged() -> (
    None
):
    service, offer = failed(Outcome.UNAVAILABLE)
    dark = with_stores(service.finder, images=Dark())
    assert charged_in_errors(dark, offer.image_id) == [False, False]
    nothing = with_stores(dark, ledgers=Dark(), records=Dark())
    assert charged_in_errors(nothing, offer.image_id) == [None, None]


@pytest.mark.parametrize("fault", [Fault.DIES_BEFORE, Fault.DIES_AFTER])
def test_while_the_image_store_is_down_nothing_is_said_about_a_request_that_is_held(
    fault: Fault,
) -> None:
    # The run died at the write of its image: only the image store knows whether it is there.
    service, offer = died(DIES_AT_PUT, fault)
    dark = with_stores(service.finder, images=Dark())
    assert charged_in_errors(dark, offer.image_id) == [None, None]


def test_an_offer_that_was_not_accepted_is_not_found() -> None:
    service = Service()
    missing(service, service.estimate().image_id)


def test_an_invented_id_is_not_found_without_a_read_of_any_store() -> None:
    service = Service()
    service.new_process()
    missing(service, "a" * 64)
    assert not service.wire.calls


def test_an_image_that_was_made_is_complete_and_has_a_url() -> None:
    service = Service()
    offer = service.estimate()
    service.confirm(offer)
    status = service.finder.status(offer.image_id, BASE_URL)
    assert (status.status, status.charged, status.provider) == ("complete", True, "alpha")
    assert status.cost is not None
    assert status.cost.charged == 50_000
    assert service.finder.location(offer.image_id).startswith("https://images.test/")


def test_the_id_of_one_users_image_is_not_that_of_anothers() -> None:
    service = Service()
    offer = service.estimate()
    made = service.confirm(offer)
    assert isinstance(made, Made)
    foreign = type(made.ref)(made.ref.quote_id, OTHER_USER, made.ref.issued_ms)
    missing(service, image_id(foreign, IMAGE_ID_KEY))


def test_an_image_that_was_deleted_is_gone_and_stays_charged() -> None:
    service = Service()
    offer = service.estimate()
    service.confirm(offer)
    service.images.objects.clear()
    for later_ms in (0, 5 * HOUR_MS):
        service.clock.advance(later_ms)
        with pytest.raises(GoneError) as caught:
            service.finder.status(offer.image_id, BASE_URL)
        assert caught.value.charged
        with pytest.raises(GoneError):
            service.finder.location(offer.image_id)


def test_a_running_image_is_generating_and_not_charged() -> None:
    service, offer = died(DIES_AT_PUT)
    status = service.finder.status(offer.image_id, BASE_URL)
    assert (status.status, status.charged) == ("generating", False)
    assert status.started_at == offer.expires_at - 600_000
    with pytest.raises(NotFoundError):
        service.finder.location(offer.image_id)


def test_the_status_request_for_a_dead_run_ends_its_hold() -> None:
    service, offer = died(DIES_AT_PUT)
    service.clock.advance(330_001)
    status = service.finder.status(offer.image_id, BASE_URL)
    assert (status.status, status.charged, status.code) == ("failed", False, "generation_abandoned")
    assert status.retryable
    service.check_charged_iff_stored()


def test_a_stored_image_is_complete_before_it_is_settled() -> None:
    service, offer = died(DIES_AT_SETTLE)
    status = service.finder.status(offer.image_id, BASE_URL)
    assert (status.status, status.charged) == ("complete", True)


@pytest.mark.parametrize(
    ("outcome", "code", "retryable"),
    [
        (Outcome.REFUSED, "content_refused", False),
        (Outcome.UNAVAILABLE, "generation_failed", True),
        (Outcome.UNKNOWN, "generation_failed", False),
        (Outcome.RATE_LIMITED, "no_provider_available", True),
    ],
)
def test_the_status_of_a_failed_image_has_the_reason_and_no_charge(
    outcome: Outcome, code: str, *, retryable: bool
) -> None:
    service, offer = failed(outcome)
    status = service.finder.status(offer.image_id, BASE_URL)
    assert (status.status, status.charged, status.code) == ("failed", False, code)
    assert status.retryable is retryable
    assert [one.outcome for one in status.attempts] == [outcome]
    with pytest.raises(NotFoundError):
        service.finder.location(offer.image_id)


def test_a_second_attempt_that_succeeds_replaces_the_failure() -> None:
    service, offer = failed(Outcome.UNAVAILABLE)
    service.providers["alpha"].reactions = []
    service.confirm(offer)
    assert service.finder.status(offer.image_id, BASE_URL).status == "complete"


# The reconciler.


@pytest.mark.parametrize("fault", [Fault.DIES_BEFORE, Fault.DIES_AFTER])
@pytest.mark.parametrize("at", range(7))
def test_a_sweep_ends_holds_of_dead_runs_after_the_lease_and_not_before(
    at: int, fault: Fault
) -> None:
    service, _ = died(at, fault)
    service.clock.advance(330_000)
    assert service.reconciler.sweep(limit=10).users == 0
    service.clock.advance(1)
    done = service.reconciler.sweep(limit=10)
    assert done.settled + done.released <= 1
    assert (done.settled == 1) == (bool(service.images.objects) and done.users == 1)
    service.check_charged_iff_stored()
    assert service.reconciler.sweep(limit=10).users == 0


def test_what_the_reconciler_settles_has_its_record() -> None:
    service, offer = died(DIES_AT_SETTLE)
    service.clock.advance(330_001)
    service.reconciler.sweep(limit=10)
    assert service.records.records[service.ref(offer)].charged_microusd == 50_000


def test_a_sweep_takes_no_more_users_than_it_may() -> None:
    service = Service()
    for n in range(3):
        user = f"{n:032x}"
        offer = service.estimate(user=user)
        service.new_process()
        service.wire.faults[DIES_AT_PUT] = Fault.DIES_BEFORE
        with pytest.raises(DiedError):
            service.confirm(offer, user)
        service.new_process()
    service.clock.advance(330_001)
    assert service.reconciler.sweep(limit=2).released == 2
    assert service.reconciler.sweep(limit=2).released == 1


# A user's usage.


def test_usage_adds_up_what_was_charged_and_lists_the_newest_first() -> None:
    service = Service()
    service.make("one")
    service.clock.advance(1)
    service.react("alpha", Outcome.REFUSED)
    with pytest.raises(ImagegenError):
        service.confirm(service.estimate("two"))
    usage = service.usage_reader.usage(USER)
    assert (usage.day, usage.spent, usage.images, usage.attempts) == ("2026-11-22", 50_000, 1, 2)
    assert [one.status for one in usage.recent] == ["failed", "complete"]
    assert [one.code for one in usage.recent] == ["content_refused", None]
    assert usage.recent[1].cost == 50_000
    assert usage.remaining.usd_today == 9_950_000
    assert usage.remaining.images_this_hour == 9


def test_the_ids_in_the_usage_list_open_the_images() -> None:
    service = Service()
    service.make()
    used = service.usage_reader.usage(USER).recent[0]
    assert service.finder.status(used.id, BASE_URL).status == "complete"


def test_usage_is_of_today_and_of_one_user() -> None:
    service = Service()
    service.make()
    assert service.usage_reader.usage(OTHER_USER).spent == 0
    assert not service.usage_reader.usage(OTHER_USER).recent
    service.clock.advance(86_400_000)
    assert service.usage_reader.usage(USER).spent == 0
    assert len(service.usage_reader.usage(USER).recent) == 1


def test_no_hourly_limit_is_reported_as_none() -> None:
    service = Service(limits=Limits(hourly_images=0))
    usage = service.usage_reader.usage(USER)
    assert usage.limits.images_this_hour is None
    assert usage.remaining.images_this_hour is None


# The answers.


def test_the_answer_has_the_cost_and_the_remaining_allowance() -> None:
    service = Service()
    service.react("alpha", Outcome.RATE_LIMITED)
    offer = service.estimate(style="ink")
    image = service.present(offer)
    assert image.image_url == f"https://us.test/images/{offer.image_id}"
    assert (image.alt, image.style) == (PROMPT, "ink")
    assert (image.cost.charged, image.cost.expected, image.cost.ceiling) == (60_000, 50_000, 70_000)
    assert image.fallback is not None
    assert (image.fallback.provider, image.fallback.reason) == ("alpha", "rate_limited")
    assert [one.outcome for one in image.attempts] == ["rate_limited", "success"]
    assert image.llm_api_call.cost == 60_000
    assert image.remaining.usd_today == 9_940_000
    assert "a_code" not in image.model_dump_json()


# The models, and the health of the providers.


def test_every_row_is_listed_with_prices_and_whether_it_could_be_called() -> None:
    service = Service(catalog=real_catalog())
    service.setups["gemini"] = ProviderSetup(has_key=False, enabled=True)
    models = service.lister.models()
    assert len(models.models) == len(real_catalog().models)
    assert all(size.price > 0 for one in models.models for size in one.sizes)
    assert {one.reason for one in models.models if one.provider == "gemini"} == {"no_key"}
    assert {one.model for one in models.retired} >= {"dall-e-3", "gpt-image-1"}


def test_a_model_past_its_last_day_is_listed_as_retired() -> None:
    rows = (row("alpha-one", priority=1, shutdownOn="2026-11-22"), row("beta-one", priority=2))
    service = Service(catalog=catalog(*rows))
    assert [one.reason for one in service.lister.models().models] == ["retired", None]
    assert service.reporter.report().status == "degraded"


def test_the_service_is_healthy_if_every_model_can_be_called() -> None:
    service = Service(catalog=real_catalog())
    report = service.reporter.report()
    assert report.status == "healthy"
    assert [one.provider for one in report.providers] == list(real_catalog().providers)
    assert {one.credentials for one in report.providers} == {"present"}


def test_one_unavailable_provider_is_degraded_and_no_available_provider_is_unhealthy() -> None:
    service = Service()
    service.setups["alpha"] = ProviderSetup(has_key=True, enabled=False)
    assert service.reporter.report().status == "degraded"
    service.setups.clear()
    report = service.reporter.report()
    assert report.status == "unhealthy"
    assert {one.credentials for one in report.providers} == {"missing"}


def test_an_open_circuit_is_shown_with_its_failures_and_its_end() -> None:
    service = Service()
    until_ms = service.clock() + 5
    service.circuits.circuits["alpha"] = Circuit(State.OPEN, 1, until_ms=until_ms, why="account")
    one = service.reporter.report().providers[0]
    assert (one.available, one.reason) == (False, "circuit_open")
    assert (one.circuit.state, one.circuit.retry_at) == ("open", until_ms)


def test_a_model_that_ends_within_thirty_days_has_a_warning() -> None:
    rows = (
        row("alpha-one", priority=1, shutdownOn="2026-12-22"),
        row("beta-one", priority=2, shutdownOn="2026-12-23"),
    )
    report = Service(catalog=catalog(*rows)).reporter.report()
    warnings = [one.warning for provider in report.providers for one in provider.models]
    assert warnings == ["alpha-one-model ends on 2026-12-22", None]


def test_only_keys_that_are_set_and_switched_on_are_checked() -> None:
    service = Service()
    service.setups["beta"] = ProviderSetup(has_key=False, enabled=True)
    service.setups["gamma"] = ProviderSetup(has_key=True, enabled=False)
    assert service.key_checker.check().outcomes == {"alpha": "valid"}
    report = service.reporter.report()
    assert [one.credentials for one in report.providers] == ["valid", "missing", "present"]


def test_a_refused_key_opens_the_circuit_before_a_users_request_fails() -> None:
    service = Service()
    service.providers["alpha"].key_checks = [Outcome.ACCOUNT]
    assert service.key_checker.check().outcomes["alpha"] == "account"
    assert service.circuits.circuits["alpha"].state is State.OPEN
    assert service.estimate().provider == "beta"
    service.clock.advance(2_000)
    assert service.reporter.report().providers[0].credentials == "refused"


@pytest.mark.parametrize("outcome", [Outcome.UNAVAILABLE, Outcome.RATE_LIMITED, Outcome.UNKNOWN])
def test_a_key_check_without_a_result_opens_no_circuit(outcome: Outcome) -> None:
    service = Service()
    service.providers["alpha"].key_checks = [outcome]
    assert service.key_checker.check().outcomes["alpha"] == outcome
    assert not service.circuits.circuits
    assert service.reporter.report().providers[0].credentials == "present"


def test_a_good_key_closes_no_circuit() -> None:
    service = Service()
    open_circuit = Circuit(State.OPEN, 1, until_ms=service.clock() + 1)
    service.circuits.circuits["alpha"] = open_circuit
    service.key_checker.check()
    assert service.circuits.circuits["alpha"] == open_circuit


def test_a_result_that_cannot_be_stored_is_still_reported() -> None:
    service = Service()
    service.new_process()
    calls_of_checks = 1 + 2 * len(service.catalog.providers)
    service.wire.faults = dict.fromkeys(range(calls_of_checks, calls_of_checks + 10), Fault.BEFORE)
    assert service.key_checker.check().outcomes == {
        "alpha": "valid",
        "beta": "valid",
        "gamma": "valid",
    }
    assert not service.circuits.key_checks


def test_without_the_circuit_store_health_is_still_reported() -> None:
    service = Service()
    service.wire.faults = dict.fromkeys(range(20), Fault.BEFORE)
    assert service.reporter.report().status == "degraded", "nobody knows the circuits"
