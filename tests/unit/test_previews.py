"""Preview frames: shown while the image is made, never an image, and gone when its attempt ends."""

from contextlib import suppress
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from imagegen.domain.errors import (
    ContentRefusedError,
    GenerationFailedError,
    ImagegenError,
    ParameterError,
)
from imagegen.domain.inputs import PreviewFrame
from imagegen.domain.ledger import OpState
from imagegen.domain.outcomes import Outcome
from imagegen.domain.quote import open_quote
from imagegen.usecases.generate.run import Made
from imagegen.wire.estimates import Estimate
from imagegen.wire.images import ImageStatus
from tests.fakes.catalogs import SOURCE, catalog, row
from tests.fakes.faults import DiedError, Fault
from tests.fakes.ledgers import MemoryLedgerStore
from tests.fakes.pictures import picture, png
from tests.fakes.service import KEYRING, LIFETIME_MS, USER, Service

FRAME = 3_000
PREVIEWS = {
    "most": 2,
    "usd": "0.003",
    "count": "partial_images",
    "params": {"stream": True},
    "source": SOURCE,
}
BOTH = [PreviewFrame(0, png((64, 64))), PreviewFrame(1, picture("WEBP", size=(64, 64)))]


def shop(*frames: PreviewFrame) -> Service:
    """Return a service of two models with preview frames, and a third without."""
    service = Service(
        catalog(
            row("alpha-standard", priority=1, usd="0.05", previews=PREVIEWS),
            row("beta-standard", priority=2, usd="0.06", previews=PREVIEWS),
            row("gamma-standard", priority=3, usd="0.07"),
        )
    )
    service.providers["alpha"].frames = list(frames or BOTH)
    return service


def status(service: Service, offer: Estimate) -> ImageStatus:
    return service.finder.status(offer.image_id, "https://us.test")


def watched(service: Service, offer: Estimate, provider: str = "alpha") -> list[ImageStatus]:
    """Let the status be looked at while the provider works, after its frames."""
    seen = list[ImageStatus]()
    service.providers[provider].sleep = lambda _ms: seen.append(status(service, offer))
    return seen


def test_frames_are_priced_in_the_quote_and_sent_as_priced() -> None:
    service = shop()
    plain, offer = service.estimate(), service.estimate(partials=2)
    assert plain.price.expected == 50_000
    assert (offer.price.expected, offer.price.ceiling) == (56_000, 66_000)
    assert service.estimate(partials=1).price.expected == 53_000
    service.confirm(offer)
    (order,) = service.providers["alpha"].orders
    assert (order.params["partial_images"], order.params["stream"]) == (2, True)
    assert offer.quote.startswith("q2.")


def test_no_frame_is_ordered_or_kept_unless_it_was_wished_for() -> None:
    service = shop()
    service.make()
    (order,) = service.providers["alpha"].orders
    assert order.on_preview is None
    assert not {"partial_images", "stream"} & set(order.params)
    assert not [one for one in service.wire.calls if one.startswith("previews.")]


def test_a_model_without_frames_is_left_out_with_that_reason() -> None:
    offer = shop().estimate(partials=1)
    (left_out,) = (one for one in offer.alternatives if not one.available)
    assert (left_out.key, left_out.reason) == ("gamma-standard", "wish_unsupported")
    with pytest.raises(ParameterError, match="preview frames"):
        Service().estimate(partials=1)


@pytest.mark.parametrize("count", [2, 4])
def test_several_images_have_no_frames(count: int) -> None:
    with pytest.raises(ParameterError, match="leave out count"):
        shop().estimate(partials=1, count=count)
    assert len(shop().estimate(count=count).quotes) == count


def test_the_newest_frame_is_in_the_status_while_the_image_is_made_and_then_gone() -> None:
    service = shop()
    offer = service.estimate(partials=2)
    seen = watched(service, offer)
    made = service.confirm(offer)
    assert isinstance(made, Made)
    (during,) = seen
    assert (during.status, during.image_url) == ("generating", None)
    assert during.preview is not None
    assert (during.preview.index, during.preview.url) == (1, "https://previews.test/1")
    assert not service.previews.objects
    after = status(service, offer)
    assert (after.status, after.preview) == ("complete", None)
    assert made.record.charged_microusd == 56_000
    service.check_charged_iff_stored()


def looks(service: Service) -> list[str]:
    return [one for one in service.wire.calls if one == "previews.newest"]


def test_a_look_at_an_image_without_frames_looks_for_none() -> None:
    service = shop()
    offer = service.estimate()
    seen = watched(service, offer)
    service.confirm(offer)
    assert [(one.status, one.preview) for one in seen] == [("generating", None)]
    assert looks(service) == []


@pytest.mark.parametrize("partials", [1, 2])
def test_a_look_finds_no_frame_that_was_not_ordered(partials: int) -> None:
    service = shop()
    offer = service.estimate(partials=partials)
    seen = watched(service, offer)
    quote = open_quote(offer.quote, KEYRING)
    # Left there by a run of a release that ordered more of them.
    service.previews.put(quote.ref, PreviewFrame(2, png((64, 64))), "image/png")
    service.confirm(offer)
    assert [one.preview and one.preview.index for one in seen] == [partials - 1]
    assert looks(service) == ["previews.newest"]


def test_a_frame_is_stored_with_the_type_of_its_bytes() -> None:
    service = shop()
    offer = service.estimate(partials=2)
    types = list[str]()
    service.providers["alpha"].sleep = lambda _ms: types.extend(
        kind for _, kind in service.previews.objects.values()
    )
    service.confirm(offer)
    assert types == ["image/png", "image/webp"]


STRANGE = {
    "one that was not ordered": PreviewFrame(2, png((64, 64))),
    "a negative index": PreviewFrame(-1, png((64, 64))),
    "a page": PreviewFrame(0, b"<html><script>alert(1)</script></html>"),
    "half a file": PreviewFrame(0, png((64, 64))[:30]),
    "nothing": PreviewFrame(0, b""),
}


@pytest.mark.parametrize("frame", STRANGE.values(), ids=STRANGE)
def test_a_strange_frame_is_neither_shown_nor_charged(frame: PreviewFrame) -> None:
    service = shop(frame)
    offer = service.estimate(partials=2)
    seen = watched(service, offer)
    made = service.confirm(offer)
    assert isinstance(made, Made)
    assert [one.preview for one in seen] == [None]
    assert made.record.charged_microusd == 50_000


@pytest.mark.parametrize(("frames", "charged"), [([], 50_000), (BOTH[:1], 53_000), (BOTH, 56_000)])
def test_a_frame_that_did_not_come_is_not_charged(frames: list[PreviewFrame], charged: int) -> None:
    service = shop()
    service.providers["alpha"].frames = frames
    made = service.confirm(service.estimate(partials=2))
    assert isinstance(made, Made)
    assert (made.record.charged_microusd, service.spent()) == (charged, charged)
    service.check_charged_iff_stored()


def test_a_frame_that_comes_twice_is_charged_once() -> None:
    service = shop(BOTH[0], BOTH[0], BOTH[0])
    made = service.confirm(service.estimate(partials=2))
    assert isinstance(made, Made)
    assert made.record.charged_microusd == 50_000 + FRAME


def test_another_model_that_takes_over_without_frames_is_charged_without_them() -> None:
    service = shop()
    service.react("alpha", Outcome.UNAVAILABLE)
    offer = service.estimate(partials=2)
    seen = watched(service, offer, "beta")
    made = service.confirm(offer)
    assert isinstance(made, Made)
    assert (made.record.provider, made.record.charged_microusd) == ("beta", 60_000)
    # The frame of the picture that did not come is not shown any more.
    assert [one.preview for one in seen] == [None]


def test_another_model_that_takes_over_with_frames_shows_its_own() -> None:
    service = shop()
    service.react("alpha", Outcome.UNAVAILABLE)
    service.providers["beta"].frames = BOTH[:1]
    offer = service.estimate(partials=2)
    seen = watched(service, offer, "beta")
    made = service.confirm(offer)
    assert isinstance(made, Made)
    assert [one.preview and one.preview.index for one in seen] == [0]
    assert made.record.charged_microusd == 60_000 + FRAME
    assert not service.previews.objects


def blank() -> bytes:
    """Return an image of one colour."""
    out = BytesIO()
    Image.new("RGB", (1024, 1024), "white").save(out, "PNG")
    return out.getvalue()


ENDINGS: dict[str, tuple[Any, type[ImagegenError]]] = {
    "refused when it was drawn": (Outcome.REFUSED, ContentRefusedError),
    "the stream ended": (Outcome.UNKNOWN, GenerationFailedError),
    "no image came": (Outcome.NO_IMAGE, GenerationFailedError),
    "the image is damaged": (b"\x89PNG\r\n\x1a\nbroken", GenerationFailedError),
    "the image has one colour": (blank(), GenerationFailedError),
}


@pytest.mark.parametrize(("reaction", "error"), ENDINGS.values(), ids=ENDINGS)
def test_nothing_that_was_shown_stays_reachable_after_a_failure(
    reaction: Any, error: type[ImagegenError]
) -> None:
    service = shop()
    for name in service.providers:
        service.react(name, reaction)
    service.providers["beta"].frames = list(BOTH)
    offer = service.estimate(partials=2)
    with pytest.raises(error) as raised:
        service.confirm(offer)
    assert raised.value.charged is False
    assert not service.previews.objects
    assert (status(service, offer).status, status(service, offer).preview) == ("failed", None)
    assert service.spent() == 0
    service.check_charged_iff_stored()


def test_a_refused_picture_is_removed_before_its_hold_is_given_back() -> None:
    service = shop()
    service.react("alpha", Outcome.REFUSED)
    offer = service.estimate(partials=2)
    with pytest.raises(ContentRefusedError):
        service.confirm(offer)
    calls = service.wire.calls
    assert calls.index("previews.delete") < calls.index("ledgers.release")


def test_a_bug_of_ours_leaves_no_frame_either() -> None:
    service = shop()
    service.react("alpha", RuntimeError("a bug"))
    with pytest.raises(RuntimeError):
        service.confirm(service.estimate(partials=2))
    assert not service.previews.objects


@pytest.mark.parametrize("call", ["previews.put", "previews.delete", "previews.newest"])
def test_a_store_of_frames_that_is_down_fails_nothing(call: str) -> None:
    service = shop()
    offer = service.estimate(partials=2)
    service.wire.refused = [call]
    seen = watched(service, offer)
    made = service.confirm(offer)
    assert isinstance(made, Made)
    (during,) = seen
    assert during.status == "generating"
    assert (during.preview is None) == (call != "previews.delete")
    assert made.record.charged_microusd == (50_000 if call == "previews.put" else 56_000)
    assert status(service, offer).preview is None
    service.check_charged_iff_stored()


def test_after_one_failed_write_no_other_frame_delays_the_image() -> None:
    service = shop()
    offer = service.estimate(partials=2)
    service.wire.refused = ["previews.put"]
    service.confirm(offer)
    assert service.wire.calls.count("previews.put") == 1
    # It may have been stored all the same.
    assert service.wire.calls.count("previews.delete") == 2


def test_a_frame_that_could_not_be_removed_is_removed_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service = shop()
    service.react("alpha", Outcome.REFUSED)
    offer = service.estimate(partials=2)
    service.wire.refused = ["previews.delete"]
    release = MemoryLedgerStore.release

    def released(*args: Any, **named: Any) -> bool:
        service.wire.refused = ()
        return release(*args, **named)

    monkeypatch.setattr(MemoryLedgerStore, "release", released)
    with pytest.raises(ContentRefusedError):
        service.confirm(offer)
    assert not service.previews.objects


STEPS = 16
"""More than a run with frames has calls."""


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("step", range(STEPS))
def test_whatever_fails_or_dies_a_frame_never_counts_as_an_image(step: int, fault: Fault) -> None:
    service = shop()
    offer = service.estimate(partials=2)
    service.new_process()
    service.wire.faults[step] = fault
    with suppress(ImagegenError, DiedError):
        service.confirm(offer)
    service.new_process()
    service.clock.advance(LIFETIME_MS + 600_000)
    service.reconciler.sweep(limit=10)
    op = service.ledger().ops.get(offer.quote_id)
    stored = service.images.objects
    assert op is None or (op.state is OpState.SETTLED) == bool(stored)
    assert service.spent() in ({50_000, 53_000, 56_000, 60_000} if stored else {0})
    if op is not None and op.state is OpState.RELEASED:
        assert status(service, offer).preview is None
    service.check_charged_iff_stored()


def test_a_dead_run_with_frames_is_released_and_they_are_not_looked_at() -> None:
    service = shop()
    offer = service.estimate(partials=2)
    service.providers["alpha"].sleep = lambda _ms: (_ for _ in ()).throw(DiedError())
    with pytest.raises(DiedError):
        service.confirm(offer)
    service.previews.put(service.ref(offer), BOTH[0], "image/png")
    service.new_process()
    service.clock.advance(LIFETIME_MS + 600_000)
    service.reconciler.sweep(limit=10)
    assert not [one for one in service.wire.calls if one.startswith("previews.")]
    assert service.spent() == 0
    found = status(service, offer)
    assert (found.status, found.charged, found.preview) == ("failed", False, None)


def test_the_next_run_removes_what_a_dead_one_left() -> None:
    service = shop()
    offer = service.estimate(partials=2)
    for index in (0, 1):
        service.previews.put(service.ref(offer), PreviewFrame(index, png((64, 64))), "image/png")
    service.providers["alpha"].frames = []
    made = service.confirm(offer)
    assert isinstance(made, Made)
    assert made.record.charged_microusd == 50_000
    assert not service.previews.objects


def test_a_replay_shows_and_orders_no_frame() -> None:
    service = shop()
    offer = service.estimate(partials=2)
    service.confirm(offer)
    again = service.confirm(offer)
    assert isinstance(again, Made)
    assert again.is_replay
    assert len(service.providers["alpha"].orders) == 1
    assert service.spent() == 56_000


def test_the_quote_binds_the_number_of_frames() -> None:
    quote = open_quote(shop().estimate(partials=1).quote, KEYRING)
    assert (quote.user, quote.wishes.partials) == (USER, 1)


def test_a_frame_that_was_removed_is_not_removed_again() -> None:
    service = shop()
    service.confirm(service.estimate(partials=2))
    assert service.wire.calls.count("previews.delete") == 2
