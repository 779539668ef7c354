"""Where an image stands, by the ledger and the records alone."""

import pytest

from imagegen.domain.errors import NotFoundError, StoreUnavailableError
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
