"""Replays: what was kept of the first run decides, and is repaired on the way."""

from dataclasses import replace

import pytest

from imagegen.domain.errors import ContentRefusedError, GoneError, ImagegenError
from imagegen.domain.ids import ImageRef
from imagegen.domain.outcomes import Outcome
from imagegen.domain.records import ImageRecord, RecordStatus
from imagegen.usecases.generate.run import Made
from tests.fakes.service import USER, Service


def failed(record: ImageRecord) -> ImageRecord:
    return replace(record, status=RecordStatus.FAILED, charged_microusd=0)


def made(service: Service) -> tuple[ImageRef, Made]:
    """Make an image; return its address as a quote has it, and the image."""
    first = service.make()
    service.wire.calls.clear()
    return first.ref, first


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.UNAVAILABLE])
def test_the_error_of_an_earlier_run_is_marked_as_a_replay_and_the_first_is_not(
    outcome: Outcome,
) -> None:
    service = Service(fallback_after_unknown=False)
    for name in service.providers:
        service.react(name, Outcome.UNKNOWN if outcome is Outcome.UNAVAILABLE else outcome)
    offer = service.estimate()
    replayed = []
    for _ in range(2):
        with pytest.raises(ImagegenError) as caught:
            service.confirm(offer)
        replayed.append(caught.value.replayed)
        assert caught.value.charged is False
        assert caught.value.retryable is False
    assert replayed == [False, True]


def test_a_refused_prompt_is_refused_again_and_a_deleted_image_is_charged_and_gone() -> None:
    service = Service()
    service.react("alpha", Outcome.REFUSED)
    offer = service.estimate()
    for _ in range(2):
        with pytest.raises(ContentRefusedError):
            service.confirm(offer)
    service.providers["alpha"].reactions.clear()
    offer = service.estimate("another fox")
    service.confirm(offer)
    service.images.objects.clear()
    with pytest.raises(GoneError) as caught:
        service.confirm(offer)
    assert caught.value.charged is True
    assert caught.value.replayed


def test_an_image_is_found_without_its_time_of_issue() -> None:
    service = Service()
    ref, first = made(service)
    found = service.generator.replayer.stored(replace(ref, issued_ms=0), service.ledger())
    assert found is not None
    assert found.ref == ref
    assert found.record == first.record
    assert found.is_replay


@pytest.mark.parametrize("lost", [True, False], ids=["lost", "of a failure"])
def test_a_record_that_was_lost_or_is_of_a_failure_is_written_again(*, lost: bool) -> None:
    service = Service()
    ref, first = made(service)
    service.records.records.clear()
    if not lost:
        service.records.put(ref, failed(first.record))
    service.generator.replayer.stored(ref, service.ledger())
    assert service.records.get(ref) == first.record


def test_a_record_that_is_there_is_not_written_again() -> None:
    service = Service()
    ref, _ = made(service)
    service.generator.replayer.stored(ref, service.ledger())
    assert "records.put" not in service.wire.calls


@pytest.mark.parametrize("record", ["none", "of a failure", "complete"])
@pytest.mark.parametrize("is_stored", [False, True])
def test_an_image_was_made_if_its_record_or_the_image_says_so(
    record: str, *, is_stored: bool
) -> None:
    service = Service()
    ref, first = made(service)
    if record != "complete":
        service.records.records.clear()
    if record == "of a failure":
        service.records.put(ref, failed(first.record))
    if not is_stored:
        service.images.objects.clear()
    assert service.generator.replayer.was_made(ref) is (record == "complete" or is_stored)


def test_an_image_of_another_user_was_not_made() -> None:
    service = Service()
    ref, _ = made(service)
    assert ref.user == USER
    assert not service.generator.replayer.was_made(replace(ref, user="f" * 32))
