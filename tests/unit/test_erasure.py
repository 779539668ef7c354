"""Who wants to be erased leaves the money and nothing else, also if the work is killed midway."""

from contextlib import suppress
from dataclasses import replace

import pytest

from imagegen.bootstrap.erasing import build_eraser
from imagegen.domain.erasures import Remains
from imagegen.domain.errors import ImageDeletedError, StoreUnavailableError
from imagegen.domain.ids import ImageRef
from imagegen.domain.inputs import PreviewFrame
from imagegen.domain.ledger import PersonalLimits
from imagegen.domain.records import Place, RecordStatus
from imagegen.domain.trail import Action
from imagegen.domain.uploads import UploadRef
from imagegen.usecases.erasure import ANSWER_MS, MARGIN_MS, STEP, Eraser
from imagegen.usecases.generate.run import Made, Running
from tests.fakes.faults import DiedError, Fault
from tests.fakes.service import LIFETIME_MS, OTHER_USER, USER, Service
from tests.unit.test_metrics import FAILED, MADE

WHO = "user:" + "c3" * 16


def eraser(service: Service) -> Eraser:
    return build_eraser(service.functions)


def erase(service: Service, user: str = USER) -> bool:
    ends_ms = service.clock() + LIFETIME_MS
    return eraser(service).erase_own(user, ends_ms=ends_ms).finished


def sweep(service: Service) -> int:
    return eraser(service).sweep(ends_ms=service.clock() + LIFETIME_MS)


def filled(images: int = 3) -> Service:
    """Return a service with images, an upload, a preview frame and a failed request of a user."""
    service = Service()
    for number in range(images):
        service.make(f"secret {number}")
        service.clock.advance(1_000)
    other = service.make("of another", OTHER_USER)
    for user in (USER, OTHER_USER):
        service.uploads.objects[UploadRef(user, "upload")] = b"a picture"
    ref = next(ref for ref in service.records.records if ref.user == USER)
    service.previews.put(ref, PreviewFrame(0, b"frame"), "image/png")
    failed = ImageRef("f" * 24, USER, service.clock())
    service.records.put(
        failed, replace(FAILED, quote_id="f" * 24, issued_ms=failed.issued_ms, uploads=("upload",))
    )
    assert other.ref.user == OTHER_USER
    service.clock.advance(1_000)
    return service


def left(service: Service, user: str = USER) -> dict[str, int]:
    """Return how much of a user is left that must go, by kind."""
    records = [one for ref, one in service.records.records.items() if ref.user == user]
    return {
        "images": sum(owner == user for owner, _ in service.images.objects),
        "prompts": sum(ref.user == user for ref in service.prompts.kept),
        "uploads": sum(ref.user == user for ref in service.uploads.objects),
        "frames": sum(ref.user == user for ref, _ in service.previews.objects),
        "records": sum(bool(one.uploads or one.parents or one.input_roles) for one in records),
        "listed": sum(
            one.status is RecordStatus.COMPLETE and not one.deleted_ms for one in records
        ),
    }


def is_erased(service: Service) -> bool:
    return not any(left(service).values()) and not service.erasures.erasures


def test_nothing_is_left_but_the_money_and_others_lose_nothing() -> None:
    service = filled()
    spent, others = service.spent(), left(service, OTHER_USER)
    assert erase(service)
    assert is_erased(service)
    assert left(service, OTHER_USER) == others
    assert others["images"] == others["prompts"] == others["uploads"] == 1
    assert service.spent() == spent
    records = [one for ref, one in service.records.records.items() if ref.user == USER]
    assert sum(one.charged_microusd for one in records) == spent == 150_000
    service.check_charged_iff_stored()


def test_the_answer_says_what_stays() -> None:
    service = filled()
    report = eraser(service).erase_own(USER, ends_ms=service.clock() + LIFETIME_MS)
    assert report.asked_at == service.clock()
    text = " ".join(report.stays)
    for word in ("cost", "limits", "chat", "mark", "log", "35 days"):
        assert word in text


def test_the_trail_has_who_wanted_it() -> None:
    service = filled()
    erase(service)
    (entry,) = service.trail.entries.values()
    assert (entry.who, entry.change.action, entry.change.target) == (
        "self",
        Action.USER_ERASED,
        USER,
    )


def test_an_erased_image_answers_that_it_is_deleted_and_is_not_made_again() -> None:
    service = Service()
    offer = service.estimate()
    service.confirm(offer)
    service.clock.advance(1)
    assert erase(service)
    with pytest.raises(ImageDeletedError):
        service.confirm(offer)
    assert len(service.called) == 1


@pytest.mark.thorough
@pytest.mark.parametrize("fault", list(Fault))
@pytest.mark.parametrize("number", range(40))
def test_it_is_resumed_wherever_it_breaks_off(fault: Fault, number: int) -> None:
    service = filled(2)
    service.wire.calls.clear()
    service.wire.faults = {number: fault}
    with suppress(StoreUnavailableError, DiedError):
        erase(service)
    service.new_process()
    if not service.erasures.erasures and not is_erased(service):
        # It died before anything was stored: nobody was told that it is asked for.
        assert number == 0
        erase(service)
    sweep(service)
    assert is_erased(service)
    assert service.spent() == 100_000
    assert len(service.trail.entries) == 1


def test_a_long_list_goes_on_where_it_was() -> None:
    service = Service()
    for number in range(3 * STEP):
        ref = ImageRef(f"{number:024d}", USER, number + 1)
        record = replace(MADE, quote_id=ref.quote_id, issued_ms=ref.issued_ms)
        service.records.records[ref] = record
    service.clock.advance(1)
    until_ms = service.clock() + MARGIN_MS + ANSWER_MS
    removed: list[str] = []

    def slowly(ref: ImageRef) -> None:
        removed.append(ref.quote_id)
        service.clock.advance(ANSWER_MS // (STEP + 5))

    one = eraser(service)
    kept = one.kept

    class Slow:
        def __getattr__(self, name: str) -> object:
            return slowly if name == "remove_image" else getattr(kept, name)

    slow = replace(one, kept=Slow())  # type: ignore[arg-type]
    assert not slow.erase_own(USER, ends_ms=until_ms).finished
    first = len(removed)
    assert first == STEP + 5
    (pending,) = service.erasures.erasures.values()
    assert pending.done is not None
    assert pending.done.quote_id == removed[-1]
    while service.erasures.erasures:
        slow.sweep(ends_ms=service.clock() + MARGIN_MS + ANSWER_MS)
    assert len(removed) == 3 * STEP
    assert is_erased(service)


def test_an_image_that_is_being_made_is_erased_when_it_is_there() -> None:
    service = Service()
    offers = [service.estimate(f"number {n}") for n in range(2)]
    finished: list[bool] = []

    def ask_meanwhile(_: object) -> None:
        if not finished:
            service.clock.advance(1)
            finished.append(erase(service))

    provider = service.providers["alpha"]
    made = service.confirm(offers[1])
    real = type(provider).generate

    def generate(order: object, *, timeout_seconds: float) -> object:
        ask_meanwhile(order)
        return real(provider, order, timeout_seconds=timeout_seconds)  # type: ignore[arg-type]

    class Watched:
        def __getattr__(self, name: str) -> object:
            return generate if name == "generate" else getattr(provider, name)

    service.providers["alpha"] = Watched()  # type: ignore[assignment]
    service.confirm(offers[0])
    assert made is not None
    assert finished == [False]
    assert left(service)["images"] >= 1
    sweep(service)
    assert is_erased(service)
    service.check_charged_iff_stored()


@pytest.mark.parametrize("keep_prompts", [True, False])
@pytest.mark.parametrize("newer", [0, 1, 2 * STEP])
def test_an_image_that_is_made_more_slowly_than_newer_ones_is_erased_too(
    newer: int, *, keep_prompts: bool
) -> None:
    service = Service(keep_prompts=keep_prompts)
    assert isinstance(service.confirm_async(service.estimate("a slow one")), Running)
    for number in range(newer):
        ref = ImageRef(f"{number:024d}", USER, service.clock() + 1 + number)
        record = replace(MADE, quote_id=ref.quote_id, issued_ms=ref.issued_ms)
        service.records.records[ref] = record
    service.clock.advance(1_000)
    assert not erase(service)
    assert sweep(service) == 0, "it waits for the slow one"
    assert isinstance(service.deliver(service.events[0]), Made)
    assert left(service)["images"] == 1
    assert sweep(service) == 1
    assert is_erased(service)
    assert service.spent() == 50_000


def test_an_image_of_a_later_quote_that_is_being_made_holds_nothing_up() -> None:
    service = filled()
    service.functions.people.erase(USER, WHO, reason="")
    service.clock.advance(1_000)
    service.make("a later one")
    service.clock.advance(1_000)
    service.confirm_async(service.estimate("a later one that is being made"))
    assert sweep(service) == 1
    assert left(service)["images"] == 1, "the later one is kept"


def test_what_is_confirmed_afterwards_is_kept() -> None:
    service = filled()
    assert erase(service)
    service.clock.advance(1_000)
    service.make("a new one")
    assert left(service)["images"] == 1
    assert sweep(service) == 0
    assert left(service)["images"] == 1
    service.clock.advance(1)
    assert erase(service)
    assert is_erased(service)


def test_an_image_whose_record_has_ended_is_found_by_its_prompt() -> None:
    service = Service()
    made = service.make()
    service.records.records.clear()
    service.clock.advance(1)
    assert erase(service)
    assert is_erased(service)
    assert service.images.find(made.ref) is not None, "the mark stays"


def test_who_was_never_here_is_erased_at_once() -> None:
    service = Service()
    assert erase(service)
    assert is_erased(service)


def test_an_operators_wish_is_done_by_the_schedule_and_recorded_at_both_ends() -> None:
    service = filled()
    found = service.functions.people.erase(USER, WHO, reason="letter")
    assert found.erasing_since == service.clock()
    again = service.functions.people.erase(USER, WHO, reason="letter")
    assert again.erasing_since == found.erasing_since
    assert left(service)["images"] == 3
    assert sweep(service) == 1
    assert is_erased(service)
    entries = [one.change for one in service.trail.entries.values()]
    assert {(one.old, one.new) for one in entries} == {("kept", "asked"), ("asked", "erased")}
    assert service.functions.people.person(USER).erasing_since is None


def test_one_erasure_that_fails_does_not_keep_the_others() -> None:
    service = filled()
    for user in (USER, OTHER_USER):
        service.functions.people.erase(user, WHO, reason="")
    real = service.functions.reconciler.load

    class Failing:
        def load(self, user: str) -> object:
            if user == USER:
                raise StoreUnavailableError("away")
            return real(user)

    broken = replace(eraser(service), reconciler=Failing())  # type: ignore[arg-type]
    with pytest.raises(StoreUnavailableError):
        broken.sweep(ends_ms=service.clock() + LIFETIME_MS)
    assert list(service.erasures.erasures) == [USER]
    assert sweep(service) == 1


def test_a_sweep_without_time_begins_nothing() -> None:
    service = filled()
    service.functions.people.erase(USER, WHO, reason="")
    assert eraser(service).sweep(ends_ms=service.clock() + MARGIN_MS) == 0
    assert left(service)["images"] == 3


def test_the_block_and_the_limits_of_a_person_stay_and_the_answer_says_so() -> None:
    service = filled(1)
    before = service.ledgers.load(USER)
    limits = PersonalLimits(daily_microusd=2_000_000, own_daily_microusd=1_000_000)
    service.ledgers.ledgers[USER] = replace(before, blocked=True, personal=limits)
    ends_ms = service.clock() + LIFETIME_MS
    stays = " ".join(eraser(service).erase_own(USER, ends_ms=ends_ms).stays)
    after = service.ledgers.load(USER)
    assert (after.blocked, after.personal) == (True, limits)
    for kept in ("is blocked", "the limits that", "what operators changed", "forgotten already"):
        assert kept in stays


@pytest.mark.parametrize(("prompts", "objects"), [(0, 0), (1, 0), (0, 1), (2, 3)])
def test_nothing_remains_only_if_neither_a_prompt_nor_an_object_does(
    prompts: int, objects: int
) -> None:
    assert Remains(prompts, objects).is_nothing is (prompts + objects == 0)


def listed(service: Service, *times: int) -> None:
    """Add images of the user that were made of quotes of these times."""
    for at in times:
        ref = ImageRef(f"{at:024d}", USER, at)
        record = replace(MADE, quote_id=ref.quote_id, issued_ms=at)
        service.records.records[ref] = record


class Kept:
    """What is kept of users, where the removal of each image takes 5 seconds, or dies."""

    def __init__(self, service: Service, *, dies_at: int = 0) -> None:
        self.service, self.removed, self.dies_at = service, 0, dies_at
        self.eraser = replace(eraser(service), kept=self)  # type: ignore[arg-type]
        self.real = eraser(service).kept

    def __getattr__(self, name: str) -> object:
        return getattr(self.real, name)

    def remove_image(self, ref: ImageRef) -> None:
        self.removed += 1
        if self.removed == self.dies_at:
            raise DiedError
        self.real.remove_image(ref)
        self.service.clock.advance(5_000 * (not self.dies_at))


@pytest.mark.parametrize("has_records", [True, False])
def test_a_request_answers_after_15_seconds_and_the_schedule_goes_on(*, has_records: bool) -> None:
    service = filled(6)
    if not has_records:
        service.records.records.clear()
    kept = Kept(service)
    ends_ms = service.clock() + LIFETIME_MS
    assert not kept.eraser.erase_own(USER, ends_ms=ends_ms).finished
    assert kept.removed == 3
    assert list(service.erasures.erasures) == [USER]
    assert kept.eraser.sweep(ends_ms=service.clock() + LIFETIME_MS) == 1
    assert is_erased(service)


def test_twenty_seconds_before_the_end_of_an_invocation_no_other_image_is_begun() -> None:
    service = filled(6)
    kept = Kept(service)
    assert not kept.eraser.erase_own(USER, ends_ms=service.clock() + 20_000 + 1).finished
    assert kept.removed == 1
    assert kept.eraser.sweep(ends_ms=service.clock() + 20_000 + 1) == 0
    assert kept.removed == 2


def test_a_run_that_dies_has_stored_its_place_after_each_twenty_images() -> None:
    service = Service()
    listed(service, *range(1, 60))
    kept = Kept(service, dies_at=46)
    with suppress(DiedError):
        kept.eraser.erase_own(USER, ends_ms=service.clock() + LIFETIME_MS)
    (pending,) = service.erasures.erasures.values()
    assert pending.done == Place(40, f"{40:024d}")


def test_the_place_in_the_list_never_passes_the_oldest_image_that_is_being_made() -> None:
    service = Service(keep_prompts=False)
    listed(service, *range(1, STEP), service.clock() + 1)
    for prompt in ("a slow one", "a newer one"):
        assert isinstance(service.confirm_async(service.estimate(prompt)), Running)
        service.clock.advance(1_000)
    assert not erase(service)
    for event in service.events:
        assert isinstance(service.deliver(event), Made)
    assert sweep(service) == 1
    assert is_erased(service)


def test_an_image_of_the_same_millisecond_is_waited_for() -> None:
    service = Service(keep_prompts=False)
    assert isinstance(service.confirm_async(service.estimate()), Running)
    assert not erase(service)
    assert isinstance(service.deliver(service.events[0]), Made)
    assert sweep(service) == 1
    assert is_erased(service)


def test_while_anything_remains_an_erasure_is_not_finished() -> None:
    service = filled(1)
    kept = Kept(service)
    kept.remains = lambda *_, **__: Remains(objects=1)  # type: ignore[attr-defined]
    assert not kept.eraser.erase_own(USER, ends_ms=service.clock() + LIFETIME_MS).finished
    assert list(service.erasures.erasures) == [USER]
    assert sweep(service) == 1


def test_a_failed_request_keeps_nothing_of_its_pictures() -> None:
    service = Service()
    failed = replace(
        FAILED,
        quote_id="f" * 24,
        issued_ms=service.clock(),
        uploads=("u",),
        parents=("p" * 24,),
        input_roles=("image",),
    )
    ref = ImageRef("f" * 24, USER, service.clock())
    service.records.put(ref, failed)
    assert erase(service)
    kept = service.records.records[ref]
    assert kept == replace(failed, uploads=(), parents=(), input_roles=())


def test_a_prompt_without_record_and_image_is_erased() -> None:
    service = Service()
    service.make("a secret wish")
    service.records.records.clear()
    service.images.objects.clear()
    service.clock.advance(1)
    assert erase(service)
    assert is_erased(service)
