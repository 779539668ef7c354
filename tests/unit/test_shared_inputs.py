"""Inputs of a set are read once, and still before every hold."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from imagegen.domain.errors import ImagegenError, InputGoneError
from imagegen.domain.inputs import InputFile, QuotedInput, Role
from imagegen.usecases.generate.run import Made
from imagegen.usecases.shared_inputs import FRESH_MS, SharedInputs
from imagegen.wire.estimates import EstimateRequest
from imagegen.wire.images import GenerateRequest
from tests.fakes.clock import Clock
from tests.fakes.pictures import png
from tests.fakes.service import OTHER_USER, USER, Service
from tests.unit.test_inputs import editors, image_of, mask, upload

PICTURE = png((24, 16))
ONE = QuotedInput(Role.EDIT, 24, 16, "image/png", upload="u" * 12, sha256="a" * 64)
OTHER = QuotedInput(Role.EDIT, 24, 16, "image/png", upload="v" * 12, sha256="b" * 64)


@dataclass(slots=True)
class Reads:
    """``Inputs`` that count how often they are read."""

    errors: list[ImagegenError] = field(default_factory=list)
    files_read: int = 0
    looks: int = 0

    def quoted(self, _request: EstimateRequest, _user: str) -> tuple[QuotedInput, ...]:
        self.looks += 1
        return (ONE,)

    def files(self, inputs: tuple[QuotedInput, ...], _user: str) -> tuple[InputFile, ...]:
        self.files_read += 1
        if self.errors:
            raise self.errors.pop()
        return tuple(InputFile(one.role, b"x", one.media_type, 24, 16) for one in inputs)


def shared(reader: Reads, clock: Clock) -> SharedInputs:
    return SharedInputs(reader, threading.Condition(), clock)


def confirm(service: Service, offers: list[Any], **more: Any) -> list[Any]:
    quotes = [quote for offer in offers for quote in offer.quotes]
    asked = {"quotes": quotes, "prompt": offers[0].prompt, **more}
    request = GenerateRequest.model_validate(asked)
    made = service.functions.set_generator
    confirmed = made.generate(request, USER, ends_ms=service.clock() + 300_000)
    return [one.result for one in confirmed]


@pytest.mark.parametrize("count", [1, 2, 4])
def test_a_set_reads_its_uploads_once(count: int) -> None:
    service = editors()
    first, second = upload(service, PICTURE), upload(service, mask())
    offer = service.estimate(
        "make it blue", inputs=[{"upload": first}], mask={"upload": second}, count=count
    )
    service.uploads.reads.clear()
    results = confirm(service, [offer])
    assert [type(one) for one in results] == [Made] * count
    assert sorted(ref.upload_id for ref in service.uploads.reads) == sorted([first, second])


def test_each_image_of_a_set_gets_the_same_pictures() -> None:
    service = editors()
    offer = service.estimate("x", inputs=[{"image": image_of(service)}], count=4)
    confirm(service, [offer])
    orders = [order for one in service.providers.values() for order in one.orders][-4:]
    assert len({tuple(file.content for file in order.inputs) for order in orders}) == 1
    assert all(order.inputs for order in orders)


def test_a_set_of_two_offers_reads_the_inputs_of_both() -> None:
    service = editors()
    first, second = upload(service, PICTURE), upload(service, mask())
    offers = [service.estimate("x", inputs=[{"upload": one}], count=2) for one in (first, second)]
    service.uploads.reads.clear()
    results = confirm(service, offers)
    assert [type(one) for one in results] == [Made] * 4
    assert sorted(ref.upload_id for ref in service.uploads.reads) == sorted([first, second])
    parents = [one.record.uploads for one in results]
    assert parents == [(first,), (first,), (second,), (second,)]


@pytest.mark.parametrize("changed", [None, b"other bytes"])
def test_an_input_that_is_gone_or_changed_stops_each_image_before_any_hold(
    changed: bytes | None,
) -> None:
    service = editors()
    upload_id = upload(service, PICTURE)
    offer = service.estimate("x", inputs=[{"upload": upload_id}], count=3)
    (ref,) = service.uploads.objects
    service.uploads.delete(ref)
    if changed is not None:
        service.uploads.objects[ref] = changed
    writes = service.writes
    results = confirm(service, [offer])
    code = "input_gone" if changed is None else "quote_mismatch"
    assert [(one.code, one.charged) for one in results] == [(code, False)] * 3
    assert len({id(one) for one in results}) == 3
    assert service.writes == writes


def test_the_next_confirmation_reads_again() -> None:
    service = editors()
    upload_id = upload(service, PICTURE)
    offers = [service.estimate("x", inputs=[{"upload": upload_id}], count=2) for _ in range(2)]
    confirm(service, offers[:1])
    service.uploads.objects.clear()
    assert {one.code for one in confirm(service, offers[1:])} == {"input_gone"}


def test_an_image_that_begins_later_reads_again_before_its_hold() -> None:
    clock, reader = Clock(1_000_000), Reads()
    inputs = shared(reader, clock)
    inputs.files((ONE,), USER)
    clock.advance(FRESH_MS)
    inputs.files((ONE,), USER)
    assert reader.files_read == 1
    clock.advance(1)
    inputs.files((ONE,), USER)
    assert reader.files_read == 2


def test_other_inputs_and_other_users_are_read_by_themselves() -> None:
    reader = Reads()
    inputs = shared(reader, Clock(0))
    for bound in ((ONE,), (OTHER,), (ONE, OTHER), (OTHER, ONE)):
        for user in (USER, OTHER_USER):
            inputs.files(bound, user)
            inputs.files(bound, user)
    assert reader.files_read == 8


def test_an_error_is_not_shared() -> None:
    reader = Reads(errors=[InputGoneError("x"), InputGoneError("y")])
    inputs = shared(reader, Clock(0))
    found = []
    for _ in range(2):
        with pytest.raises(InputGoneError) as caught:
            inputs.files((ONE,), USER)
        found.append(caught.value)
    assert found[0] is not found[1]
    assert inputs.files((ONE,), USER)
    assert reader.files_read == 3


def test_of_many_at_once_one_reads_and_the_others_wait() -> None:
    reader = Reads()
    inputs = shared(reader, Clock(0))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: inputs.files((ONE,), USER), range(32)))
    assert reader.files_read == 1
    assert len({id(one) for one in found}) == 1


def test_a_call_looks_at_its_pictures_once() -> None:
    reader = Reads()
    inputs = shared(reader, Clock(0))
    requests = [
        EstimateRequest(prompt=prompt, inputs=({"upload": upload_id},))
        for prompt in ("x", "y")
        for upload_id in ("a", "b", "a")
    ]
    for request in requests:
        inputs.quoted(request, USER)
    assert reader.looks == 2


def ledger_reads(service: Service) -> int:
    return service.wire.calls.count("ledgers.load")


@pytest.mark.parametrize("count", [1, 2, 4])
def test_a_new_set_reads_the_ledger_once_however_many_images_and_inputs_it_has(count: int) -> None:
    service = editors()
    offer = service.estimate("x", inputs=[{"image": image_of(service)}], count=count)
    before = ledger_reads(service)
    assert [type(one) for one in confirm(service, [offer])] == [Made] * count
    assert ledger_reads(service) == before + 1


@pytest.mark.parametrize("is_gone", [False, True])
def test_an_image_that_another_click_made_since_the_set_began_is_its_result(
    *, is_gone: bool
) -> None:
    service = editors()
    picture = upload(service, PICTURE)
    offer = service.estimate("x", inputs=[{"upload": picture}], count=2)
    first = service.providers["alpha"]

    def click_the_second_alone(_ms: int) -> None:
        first.sleep = lambda _ms: None
        confirm(service, [offer.model_copy(update={"quotes": offer.quotes[1:]})])
        if is_gone:
            service.uploads.objects.clear()
            service.clock.advance(FRESH_MS + 1)

    first.sleep = click_the_second_alone
    results = confirm(service, [offer])
    assert [type(one) for one in results] == [Made, Made]
    assert len(first.orders) == 2
    assert service.spent() == sum(one.record.charged_microusd for one in results)
    service.check_charged_iff_stored()
