"""The images of one request are made by one model, in whatever order they end."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.domain.errors import ImagegenError, NoProviderError, StillRunningError
from imagegen.domain.image_sets import Place, Stage, Verdict, is_same_model, verdict
from imagegen.domain.outcomes import Outcome
from imagegen.openai_api.retries import Call
from imagegen.openai_api.sets import Bought, Wanted
from imagegen.usecases.generate.same_look import SameLook
from tests.fakes.faults import Fault
from tests.fakes.pictures import png
from tests.fakes.service import USER, Service
from tests.unit.test_image_sets import LAMBDA_MS, REQUEST

FAILS = [Outcome.UNAVAILABLE, Outcome.NO_IMAGE, Outcome.BLOCKED, Outcome.RATE_LIMITED]
KEYED = Call(USER, "body", key="a-set")


def buy(service: Service, count: int, call: Call = KEYED) -> Bought:
    ends_ms = service.clock() + LAMBDA_MS
    return service.functions.openai.set_buyer.buy(Wanted(REQUEST, count), call, ends_ms=ends_ms)


def providers_of(bought: Bought) -> list[str]:
    return [one.record.provider for one in bought.made]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("black-forest-labs/FLUX.2-max", "black-forest-labs/flux-2-max", True),
        ("a-model", "a-model", True),
        ("vendor/a-model", "a-model", True),
        ("black-forest-labs/FLUX.2-pro", "black-forest-labs/flux-1.1-pro", False),
        ("gpt-image-2.5-flare", "gpt-image-2.5-sunburst", False),
        ("flux-dev", "flux-schnell", False),
    ],
)
def test_one_model_is_the_same_under_two_vendors_names(one: str, other: str, *, same: bool) -> None:
    assert is_same_model(one, other) is same


def test_before_anything_is_known_each_image_may_begin() -> None:
    assert verdict({0: Place(), 1: Place()}, 0, "a") is Verdict.GO
    assert verdict({0: Place(Stage.CALLING, "a"), 1: Place()}, 1, "a") is Verdict.GO


def test_a_stored_image_decides() -> None:
    for stage in Stage:
        places = {0: Place(Stage.STORED, "a"), 1: Place(stage), 2: Place(Stage.CALLING, "b")}
        assert verdict(places, 1, "a") is Verdict.GO
        assert verdict(places, 1, "b") is Verdict.NO


def test_where_two_models_made_images_already_each_of_them_may_make_the_others() -> None:
    places = {0: Place(Stage.STORED, "a"), 1: Place(), 2: Place(Stage.STORED, "b")}
    verdicts = [verdict(places, 1, model) for model in ("a", "b", "c")]
    assert verdicts == [Verdict.GO, Verdict.GO, Verdict.NO]


def test_a_fallback_waits_for_images_that_are_made_or_have_not_called_yet() -> None:
    for other in (Place(Stage.CALLING, "a"), Place()):
        assert verdict({0: other, 1: Place(Stage.FAILED)}, 1, "b") is Verdict.WAIT
    for other in (Place(Stage.FAILED), Place(Stage.ENDED), Place(Stage.CALLING, "b")):
        assert verdict({0: other, 1: Place(Stage.FAILED)}, 1, "b") is Verdict.GO


places = st.builds(Place, st.sampled_from(Stage), st.sampled_from(["a", "b", "c"]))


@given(st.lists(places, min_size=1, max_size=4), st.data())
def test_of_the_images_that_are_not_ended_one_may_always_go_on(
    images: list[Place], data: st.DataObject
) -> None:
    """No two images wait for each other: either a call is running, or somebody need not wait."""
    found = dict(enumerate(images))
    wants = {n: data.draw(st.sampled_from(["a", "b", "c"])) for n in found}
    asking = [n for n, one in found.items() if one.stage in (Stage.BEGUN, Stage.FAILED)]
    waiting = [n for n in asking if verdict(found, n, wants[n]) is Verdict.WAIT]
    is_calling = any(one.stage is Stage.CALLING for one in images)
    assert is_calling or not asking or len(waiting) < len(asking)


@given(st.lists(places, min_size=2, max_size=4), st.sampled_from(["a", "b", "c"]))
def test_no_model_begins_beside_a_stored_image_or_a_call_of_another(
    images: list[Place], model: str
) -> None:
    found = dict(enumerate(images))
    others = {one.model for one in images[1:] if one.stage in (Stage.STORED, Stage.CALLING)}
    if verdict(found, 0, model) is Verdict.GO:
        stored = {one.model for one in images[1:] if one.stage is Stage.STORED}
        assert model in stored if stored else others <= {model}


@dataclass(slots=True)
class Script:
    """Threads whose calls end in a given order: ``alpha`` fails for the images in ``failing``."""

    failing: frozenset[int]
    order: Sequence[int]
    beta_fails: bool = False
    made: dict[int, str] = field(default_factory=dict)
    called: list[tuple[int, str]] = field(default_factory=list)
    look: SameLook = field(default_factory=lambda: SameLook(threading.Condition()))
    ended: dict[int, threading.Event] = field(default_factory=dict)

    def run(self) -> dict[int, str]:
        count = len(self.order)
        self.ended = {index: threading.Event() for index in range(count)}
        begun = threading.Barrier(count)

        def image(index: int) -> None:
            look = self.look.begin(index)
            begun.wait(10)
            model = next((one for one in ("a", "b") if self._makes(index, one, look)), None)
            if model:
                self.made[index] = model
            error = ImagegenError("no")
            error.charged = False
            self.look.end(index, model, error)

        with ThreadPoolExecutor(count) as pool:
            for one in [pool.submit(image, index) for index in range(count)]:
                one.result(20)
        return self.made

    def _makes(self, index: int, model: str, look: Any) -> bool:
        if not look.admits(model):
            return False
        self.called.append((index, model))
        if model == "a":
            place = self.order.index(index)
            if place:
                assert self.ended[self.order[place - 1]].wait(10)
            self.ended[index].set()
            return index not in self.failing
        return not self.beta_fails


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("failing", [(), (0,), (1,), (0, 1)])
def test_two_images_have_one_model_whichever_ends_first(
    order: tuple[int, ...], failing: tuple[int, ...]
) -> None:
    script = Script(frozenset(failing), order)
    made = script.run()
    expected = {0: "b", 1: "b"} if len(failing) == 2 else dict.fromkeys({0, 1} - set(failing), "a")
    assert made == expected


@given(
    order=st.permutations(range(4)),
    failing=st.frozensets(st.integers(0, 3)),
    beta_fails=st.booleans(),
)
def test_four_images_have_one_model_in_each_order_of_ends(
    order: list[int], failing: frozenset[int], *, beta_fails: bool
) -> None:
    script = Script(failing, order, beta_fails=beta_fails)
    made = script.run()
    assert len(set(made.values())) <= 1
    if len(failing) < 4:
        assert made == {index: "a" for index in range(4) if index not in failing}
        assert all(model == "a" for _, model in script.called)
    else:
        assert made == ({} if beta_fails else dict.fromkeys(range(4), "b"))


@pytest.mark.parametrize("outcome", FAILS)
def test_an_image_that_failed_beside_a_stored_one_is_not_made_by_another_model(
    outcome: Outcome,
) -> None:
    service = Service()
    service.react("alpha", png(), outcome)
    bought = buy(service, 2)
    assert providers_of(bought) == ["alpha"]
    ((index, error),) = bought.failed
    assert (index, error.charged) == (1, False)
    assert "other_model_in_set" in str(error)
    service.check_charged_iff_stored()


@pytest.mark.parametrize("outcome", FAILS)
def test_after_a_fallback_was_stored_the_later_images_are_made_by_its_model(
    outcome: Outcome,
) -> None:
    service = Service()
    service.react("alpha", outcome)
    bought = buy(service, 3)
    assert providers_of(bought) == ["beta"] * 3
    assert [one.split("-")[0] for one in service.called] == ["alpha", "beta", "beta", "beta"]
    service.check_charged_iff_stored()


def test_a_repetition_makes_the_missing_image_with_the_model_of_the_stored_ones() -> None:
    service = Service()
    service.react("alpha", png(), Outcome.UNAVAILABLE)
    assert providers_of(buy(service, 2)) == ["alpha"]
    for provider in service.providers.values():
        provider.reactions.clear()
    again = buy(service, 2)
    assert providers_of(again) == ["alpha", "alpha"]
    assert [one.is_replay for one in again.made] == [True, False]


@pytest.mark.parametrize("forgotten", [False, True])
def test_a_repetition_does_not_complete_a_set_with_another_model(*, forgotten: bool) -> None:
    service = Service()
    service.react("alpha", Outcome.UNAVAILABLE, png())
    service.react("beta", Outcome.UNAVAILABLE)
    service.react("gamma", Outcome.UNAVAILABLE)
    first = buy(service, 2)
    assert providers_of(first) == ["alpha"]
    if forgotten:
        service.ledgers.ledgers[USER] = replace(service.ledger(), ops={})
    service.react("alpha", Outcome.UNAVAILABLE, Outcome.UNAVAILABLE)
    for name in ("beta", "gamma"):
        service.providers[name].reactions.clear()
    again = buy(service, 2)
    assert providers_of(again) == ["alpha"]
    assert again.failed[0][0] == 0
    service.check_charged_iff_stored()


def test_one_image_alone_falls_back_as_ever() -> None:
    service = Service()
    service.react("alpha", Outcome.UNAVAILABLE)
    assert providers_of(buy(service, 1)) == ["beta"]


def test_two_calls_are_two_sets() -> None:
    service = Service()
    service.react("alpha", png(), png(), Outcome.UNAVAILABLE, Outcome.UNAVAILABLE)
    assert providers_of(buy(service, 2)) == ["alpha"] * 2
    assert providers_of(buy(service, 2, replace(KEYED, key="another"))) == ["beta"] * 2


def test_an_image_that_may_be_stored_decides_as_a_stored_one() -> None:
    images = SameLook(threading.Condition())
    one, other = images.begin(0), images.begin(1)
    assert one.admits("a")
    images.end(0, None, StillRunningError("not seen"))
    assert not other.admits("b")
    assert other.admits("a")


def test_an_image_that_is_known_not_to_be_stored_decides_nothing() -> None:
    images = SameLook(threading.Condition())
    one, other = images.begin(0), images.begin(1)
    assert one.admits("a")
    error = NoProviderError("down")
    error.charged = False
    images.end(0, None, error)
    assert other.admits("b")


def test_while_another_run_makes_an_image_no_other_image_is_bought() -> None:
    service = Service()
    met: list[Any] = []

    def during(_ms: int) -> None:
        service.providers["alpha"].sleep = service.clock.advance
        with pytest.raises(StillRunningError) as caught:
            buy(service, 2)
        met.append((caught.value.charged, list(service.called)))

    service.providers["alpha"].sleep = during
    bought = buy(service, 2)
    assert [called for _, called in met] == [["alpha-standard-model"]], (
        "the repetition called nobody"
    )
    assert met[0][0] is not True
    assert providers_of(bought) == ["alpha"] * 2
    service.check_charged_iff_stored()


@pytest.mark.parametrize("at", range(12))
@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER])
def test_whatever_store_fails_a_set_has_one_model_and_is_charged_as_stored(
    at: int, fault: Fault
) -> None:
    service = Service()
    service.react("alpha", png(), Outcome.UNAVAILABLE)
    service.wire.faults[at] = fault
    made: list[str] = []
    for _ in range(2):
        try:
            made = providers_of(buy(service, 2))
        except ImagegenError:
            service.clock.advance(1_000)
        service.wire.mend()
    assert len(set(made)) <= 1


def test_an_image_that_a_model_may_not_make_does_not_count_as_being_made_by_it() -> None:
    images = SameLook(threading.Condition())
    images.remember([(0, "a")])
    assert not images.begin(1).admits("b")
    assert images.places[1] == Place()


def test_an_image_that_no_model_was_called_for_is_not_taken_for_stored() -> None:
    images = SameLook(threading.Condition())
    images.begin(0)
    images.end(0, None, ImagegenError("its end is not known"))
    assert images.places[0].stage is Stage.ENDED
