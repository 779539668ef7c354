"""The images of a set are moderated once, and what was refused makes none of them."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from imagegen.domain.errors import (
    ContentRefusedError,
    ImagegenError,
    ModerationUnavailableError,
)
from imagegen.domain.inputs import InputFile, Role
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import Moderation, ModerationMode
from imagegen.openai_api.retries import Call
from imagegen.openai_api.sets import Wanted
from imagegen.usecases.generate.run import Made
from imagegen.usecases.generate.shared_moderation import SharedModeration
from imagegen.wire.estimates import EstimateRequest
from tests.fakes.providers import ScriptedModerator
from tests.fakes.service import USER, Service
from tests.unit.test_inputs import editors, image_of, upload
from tests.unit.test_shared_inputs import PICTURE, confirm

ONE = InputFile(Role.EDIT, b"one", "image/png", 24, 16)
OTHER = InputFile(Role.EDIT, b"two", "image/png", 24, 16)


@dataclass(slots=True)
class Checks:
    """``PromptChecks`` that count, and fail as often as they are told."""

    errors: list[ImagegenError] = field(default_factory=list)
    asked: int = 0
    begun: threading.Event = field(default_factory=threading.Event)
    may_end: threading.Event = field(default_factory=threading.Event)

    def check(self, _text: str, _inputs: Sequence[InputFile] = ()) -> None:
        self.asked += 1
        self.begun.set()
        assert self.may_end.wait(10)
        if self.errors:
            raise self.errors.pop()


def shared(*errors: ImagegenError, waits: bool = False) -> tuple[SharedModeration, Checks]:
    checks = Checks(list(errors))
    if not waits:
        checks.may_end.set()
    return SharedModeration(checks, threading.Condition()), checks


def ended(moderation: SharedModeration, text: str = "a fox") -> ImagegenError | None:
    try:
        moderation.check(text)
    except ImagegenError as error:
        return error
    return None


def moderator_of(service: Service) -> ScriptedModerator:
    assert isinstance(service.moderator, ScriptedModerator)
    return service.moderator


@pytest.mark.parametrize("count", [1, 2, 4])
def test_a_set_is_moderated_once(count: int) -> None:
    service = editors()
    offer = service.estimate(
        "make it blue", count=count, inputs=[{"upload": upload(service, PICTURE)}]
    )
    assert [type(one) for one in confirm(service, [offer])] == [Made] * count
    assert moderator_of(service).asked == ["make it blue"]
    assert len(moderator_of(service).pictures) == 1


def test_images_of_other_pictures_are_moderated_by_themselves() -> None:
    service = editors()
    offers = [
        service.estimate("x", inputs=[given], count=2)
        for given in ({"upload": upload(service, PICTURE)}, {"image": image_of(service)})
    ]
    moderator_of(service).asked.clear()
    assert [type(one) for one in confirm(service, offers)] == [Made] * 4
    assert len(moderator_of(service).asked) == 2


def test_the_next_set_is_moderated_again() -> None:
    service = Service()
    offers = [service.estimate(count=2) for _ in range(2)]
    confirm(service, offers[:1])
    moderator_of(service).verdict = Moderation(flagged=True, categories=("violence",))
    found = confirm(service, offers[1:])
    assert [one.code for one in found] == ["content_refused"] * 2


@pytest.mark.parametrize(
    ("verdict", "code"),
    [
        (Moderation(flagged=True, categories=("violence",)), "content_refused"),
        (Outcome.UNAVAILABLE, "moderation_unavailable"),
        (Outcome.REFUSED, "content_refused"),
    ],
)
def test_of_a_set_that_is_not_accepted_nothing_is_made_or_charged(
    verdict: Moderation | Outcome, code: str
) -> None:
    service = Service(moderation=ModerationMode.REQUIRED)
    moderator_of(service).verdict = verdict
    found = confirm(service, [service.estimate(count=4)])
    assert [(one.code, one.charged) for one in found] == [(code, False)] * 4
    assert len({id(one) for one in found}) == 4
    assert not service.called
    service.check_charged_iff_stored()


def test_of_many_at_once_one_asks_and_the_others_wait() -> None:
    moderation, checks = shared()
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: ended(moderation), range(32))) == {None}
    assert checks.asked == 1


def test_those_that_waited_for_an_error_have_it_and_each_its_own() -> None:
    refusal = ContentRefusedError("no")
    moderation, checks = shared(refusal, waits=True)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(ended, moderation)
        assert checks.begun.wait(10)
        others = [pool.submit(ended, moderation) for _ in range(3)]
        while len(moderation.askers) < 4:
            threading.Event().wait(0.001)
        checks.may_end.set()
        found = [one.result() for one in (first, *others)]
    assert checks.asked == 1
    assert [str(one) for one in found] == ["no"] * 4
    assert len({id(one) for one in found}) == 4


def test_an_image_that_begins_after_an_error_asks_again() -> None:
    moderation, checks = shared(ModerationUnavailableError("x", retry_after_seconds=7))
    error = ended(moderation)
    assert error is not None
    assert error.retry_after_seconds == 7
    assert ended(moderation) is None
    assert ended(moderation) is None
    assert checks.asked == 2


def test_what_is_said_of_one_image_s_charge_is_not_said_of_another() -> None:
    moderation, _ = shared(ContentRefusedError("no"), ContentRefusedError("no"))
    first, second = ended(moderation), ended(moderation)
    assert first is not None
    assert second is not None
    first.charged = False
    assert second.charged is None


def test_other_words_and_other_pictures_are_asked_for_by_themselves() -> None:
    moderation, checks = shared()
    for text in ("a", "b"):
        for inputs in ((), (ONE,), (OTHER,), (ONE, OTHER), (OTHER, ONE)):
            moderation.check(text, inputs)
            moderation.check(text, list(inputs))
    assert checks.asked == 10


def test_a_bug_is_not_kept() -> None:
    moderation, checks = shared()
    checks.errors.append(RuntimeError("a bug"))  # type: ignore[arg-type]
    with pytest.raises(RuntimeError):
        moderation.check("a fox")
    assert ended(moderation) is None


@pytest.mark.parametrize("count", [1, 3])
def test_a_set_that_could_not_be_moderated_may_be_confirmed_again(count: int) -> None:
    service = Service(moderation=ModerationMode.REQUIRED)
    offer = service.estimate(count=count)
    moderator_of(service).verdict = Outcome.UNAVAILABLE
    assert {one.code for one in confirm(service, [offer])} == {"moderation_unavailable"}
    moderator_of(service).verdict = Moderation(flagged=False)
    assert [type(one) for one in confirm(service, [offer])] == [Made] * count


def test_the_images_of_one_call_are_moderated_once() -> None:
    service = Service()
    bought = service.functions.openai.set_buyer.buy(
        Wanted(EstimateRequest(prompt="a fox"), count=3),
        Call(USER, "body"),
        ends_ms=service.clock() + 300_000,
    )
    assert len(bought.made) == 3
    assert moderator_of(service).asked == ["a fox"]
