"""Where an image stands, by the ledger and the records alone."""

import pytest

from imagegen.domain.errors import (
    ContentRefusedError,
    GenerationFailedError,
    NotFoundError,
    StoreUnavailableError,
)
from imagegen.domain.outcomes import Outcome
from tests.fakes.catalogs import catalog, row
from tests.fakes.faults import Fault
from tests.fakes.service import Service


def blind(service: Service) -> Service:
    """Lose the next read of a record, which follows the one of the ledger."""
    service.wire.mend()
    service.wire.faults = {1: Fault.BEFORE}
    return service


def test_a_charged_image_is_told_as_charged_though_its_record_cannot_be_read() -> None:
    service = Service()
    offer = service.estimate()
    service.confirm(offer)
    told = blind(service).status_reader.status(offer.image_id)
    assert (told.status, told.charged) == ("complete", True)


def test_there_is_no_telling_where_neither_ledger_nor_record_says_anything() -> None:
    service = Service()
    offer = service.estimate()
    with pytest.raises(NotFoundError):
        service.status_reader.status(offer.image_id)
    with pytest.raises(StoreUnavailableError):
        blind(service).status_reader.status(offer.image_id)


def test_a_failure_that_could_be_tried_again_is_not_the_last_word_once_it_left_the_ledger() -> None:
    service = Service(catalog=catalog(row("alpha-standard", priority=1)))
    service.react("alpha", Outcome.UNAVAILABLE)
    offer = service.estimate()
    with pytest.raises(GenerationFailedError):
        service.confirm(offer)
    seen = service.status_reader.status(offer.image_id)
    assert (seen.status, seen.charged) == ("failed", False)
    service.ledgers.ledgers.clear()
    forgotten = service.status_reader.status(offer.image_id)
    assert (forgotten.status, forgotten.charged) == ("failed", None)
    assert service.finder.status(offer.image_id, "https://us.test").charged is False


def test_a_refusal_is_the_last_word() -> None:
    service = Service()
    service.react("alpha", Outcome.REFUSED)
    offer = service.estimate()
    with pytest.raises(ContentRefusedError):
        service.confirm(offer)
    service.ledgers.ledgers.clear()
    assert service.status_reader.status(offer.image_id).charged is False
