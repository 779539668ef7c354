"""Sums by team: a record has its team's level in the table, and never beside the image's file."""

from dataclasses import replace

import pytest

from imagegen.bootstrap.generate import GenerateService
from imagegen.domain.budget_amounts import Amounts
from imagegen.domain.budgets import TEAM_PREFIX, team_level
from imagegen.domain.callers import IMAGES, User
from imagegen.domain.errors import ImagegenError
from imagegen.domain.ids import image_id
from imagegen.domain.quote import LIFETIME_MS
from imagegen.domain.records import ImageRecord, RecordStatus
from imagegen.domain.spending import UserRecord, added_up
from imagegen.wire.admin import SpendingQuery
from imagegen.wire.admin_budgets import BudgetPlace
from imagegen.wire.estimates import Estimate, EstimateRequest
from imagegen.wire.images import GenerateRequest
from operations.report import report
from tests.fakes.faults import DiedError, Fault
from tests.fakes.service import IMAGE_ID_KEY, PROMPT, USER, Service

TEAM = "design"
LEVEL = team_level(TEAM)
HASH = LEVEL.removeprefix(TEAM_PREFIX)


@pytest.fixture
def service() -> Service:
    found = Service()
    found.amounts.kept[LEVEL] = Amounts(5_000_000)
    return found


def click(service: Service, team: str = TEAM) -> str:
    """Confirm an offer as a person of a team, and return the quote's id."""
    offer = offered(service, team)
    confirm(service, offer, team)
    return offer.quote_id


def offered(service: Service, team: str = TEAM) -> Estimate:
    asked = EstimateRequest.model_validate({"prompt": PROMPT, "quality": "standard"})
    return as_member(service, team).estimator.estimate(asked, USER)


def as_member(service: Service, team: str = TEAM) -> GenerateService:
    return service.functions.under(User(USER, frozenset({IMAGES}), team))


def confirm(service: Service, offer: Estimate, team: str = TEAM) -> None:
    request = GenerateRequest(quote=offer.quote, prompt=offer.prompt)
    generator = as_member(service, team).generator
    generator.generate(request, USER, ends_ms=service.clock() + LIFETIME_MS)


def kept(service: Service) -> ImageRecord:
    (found,) = service.records.records.values()
    return found


def test_a_record_has_the_team_in_the_table_alone(service: Service) -> None:
    click(service)
    assert kept(service).team == LEVEL
    ((_, beside_the_file),) = service.images.objects.values()
    assert not beside_the_file.team


def test_a_request_without_a_team_has_none(service: Service) -> None:
    click(service, team="")
    assert not kept(service).team
    assert service.functions.spending.spending(SpendingQuery()).by_team == ()


def test_a_request_that_failed_has_its_team(service: Service) -> None:
    service.moderator = None
    with pytest.raises(ImagegenError):
        click(service)
    found = kept(service)
    assert (found.status, found.team) == (RecordStatus.FAILED, LEVEL)


def test_the_record_of_a_dead_run_has_its_team(service: Service) -> None:
    click(service)
    step = service.wire.calls.index("images.put")
    again = Service()
    again.amounts.kept[LEVEL] = Amounts(5_000_000)
    again.wire.faults[step] = Fault.DIES_AFTER
    with pytest.raises(DiedError):
        click(again)
    assert not again.records.records
    again.new_process()
    again.clock.advance(2 * LIFETIME_MS)
    again.reconciler.load(USER)
    assert kept(again).team == LEVEL


def test_a_record_that_is_repaired_keeps_its_team(service: Service) -> None:
    offer = offered(service)
    confirm(service, offer)
    (ref,) = service.records.records
    service.records.records[ref] = replace(kept(service), status=RecordStatus.FAILED)
    confirm(service, offer)
    assert (kept(service).status, kept(service).team) == (RecordStatus.COMPLETE, LEVEL)


def test_an_image_of_an_earlier_run_counts_for_the_team_of_its_quote(service: Service) -> None:
    click(service)
    ((ref, stored),) = service.images.objects.items()
    again = Service()
    again.amounts.kept[LEVEL] = Amounts(5_000_000)
    again.images.objects[ref] = stored
    click(again)
    assert (len(again.images.objects), kept(again).team) == (1, LEVEL)


def test_a_deleted_image_still_counts_for_its_team(service: Service) -> None:
    click(service)
    (ref,) = service.records.records
    service.gallery.delete(image_id(ref, IMAGE_ID_KEY), USER)
    found = kept(service)
    assert found.deleted_ms
    assert found.team == LEVEL


def test_a_team_is_a_hash_that_its_budget_explains(service: Service) -> None:
    click(service)
    charged = kept(service).charged_microusd
    (found,) = service.functions.spending.spending(SpendingQuery()).by_team
    assert (found.name, found.sums.charged) == (HASH, charged)
    budget = service.functions.budget_control.show(BudgetPlace(level="team", team=TEAM))
    assert budget.team_hash == HASH
    assert TEAM not in found.name


def test_the_report_of_a_month_has_teams_if_there_are_any(service: Service) -> None:
    click(service)
    sums = added_up([UserRecord(USER, kept(service))])
    assert HASH in report(sums, "2026-11")
    click(other := Service(), team="")
    assert "team" not in report(added_up([UserRecord(USER, kept(other))]), "2026-11")
