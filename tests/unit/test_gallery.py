"""A user's list of images: every paid one is in it, with its prompt, until it is deleted."""

import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.domain.errors import ParameterError, StoreUnavailableError
from imagegen.domain.gallery import DAY_MS, kept_until_ms, parse_cursor, to_cursor
from imagegen.domain.ids import quote_id
from imagegen.domain.outcomes import Outcome
from imagegen.domain.records import Place
from imagegen.usecases import gallery
from imagegen.usecases.generate.run import Made, Running
from imagegen.wire.gallery import GalleryPage, GalleryQuery
from imagegen.wire.values import iso_time
from tests.fakes.catalogs import catalog, row
from tests.fakes.clock import NOON_MS
from tests.fakes.faults import DiedError, Fault
from tests.fakes.pictures import png
from tests.fakes.service import LIFETIME_MS, OTHER_USER, USER, Service

BASE = "https://us.test"
ONE_MIDNIGHT = NOON_MS - NOON_MS % DAY_MS


def page(service: Service, user: str = USER, **query: Any) -> GalleryPage:
    return service.gallery.page(GalleryQuery.model_validate(query), user, BASE)


def pages(service: Service, **query: Any) -> Iterator[GalleryPage]:
    found = page(service, **query)
    yield found
    while found.next_cursor:
        found = page(service, cursor=found.next_cursor, **query)
        yield found


def ids(service: Service, user: str = USER) -> list[str]:
    return [one.id for one in page(service, user).images]


def drawn(service: Service, count: int, user: str = USER) -> list[str]:
    """Make images, one a second, and return their ids, the newest first."""
    made = []
    for number in range(count):
        service.clock.advance(1_000)
        made.append(service.image_id(service.make(f"picture {number}", user)))
    return made[::-1]


def test_an_image_is_listed_with_everything_that_its_owner_may_see() -> None:
    service = Service()
    offer = service.estimate("a fox in the snow", style="ink on paper")
    made = service.confirm(offer)
    assert isinstance(made, Made)
    (image,) = page(service).images
    assert image.id == offer.image_id
    assert image.image_url == f"{BASE}/images/{offer.image_id}"
    assert (image.prompt, image.alt, image.style) == (
        "a fox in the snow",
        "a fox in the snow",
        "ink on paper",
    )
    assert (image.provider, image.model) == ("alpha", "alpha-standard-model")
    assert (image.width, image.height, image.size) == (1024, 1024, "1024x1024")
    assert (image.media_type, image.quality) == ("image/png", "standard")
    assert image.cost.charged == 50_000
    assert image.charged
    assert image.created_at == made.record.created_ms
    assert (image.derived_from, image.inputs) == (None, ())
    assert image.provenance.model_dump() == {
        "generator": "alpha",
        "model": "alpha-standard-model",
        "created_at": iso_time(made.record.created_ms),
        "c2pa": "absent",
        "watermark": "unknown",
    }


def test_the_newest_comes_first_and_nobody_elses() -> None:
    service = Service()
    mine = drawn(service, 3)
    others = drawn(service, 2, OTHER_USER)
    assert ids(service) == mine
    assert ids(service, OTHER_USER) == others


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5])
def test_pages_have_every_image_once(limit: int) -> None:
    service = Service()
    mine = drawn(service, 5)
    found = list(pages(service, limit=limit))
    assert [one.id for part in found for one in part.images] == mine
    assert all(len(part.images) <= limit for part in found)
    assert found[-1].next_cursor is None
    assert len(found) == -(-5 // limit)


def test_a_page_stays_right_while_images_are_made_and_deleted() -> None:
    service = Service()
    mine = drawn(service, 4)
    first = page(service, limit=2)
    drawn(service, 1)
    service.gallery.delete(mine[1], USER)
    service.gallery.delete(mine[2], USER)
    second = page(service, limit=2, cursor=first.next_cursor)
    assert [one.id for one in second.images] == [mine[3]]
    assert second.next_cursor is None


def test_images_of_one_moment_are_all_listed() -> None:
    service = Service()
    made = {service.image_id(service.make(f"picture {n}")) for n in range(5)}
    found = [one.id for part in pages(service, limit=2) for one in part.images]
    assert set(found) == made
    assert len(found) == 5


def test_nobody_has_an_empty_list() -> None:
    assert page(Service()) == GalleryPage(images=(), next_cursor=None)


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.UNAVAILABLE, Outcome.UNKNOWN])
def test_a_request_without_an_image_is_not_listed_and_its_prompt_not_kept(
    outcome: Outcome,
) -> None:
    service = Service()
    for name in service.providers:
        service.react(name, outcome)
    with pytest.raises(Exception, match=r"."):
        service.make()
    assert ids(service) == []
    assert not service.prompts.kept


@pytest.mark.parametrize("fault", [Fault.DIES_BEFORE, Fault.DIES_AFTER])
@pytest.mark.parametrize(
    "step",
    ["images.put", "records.put", "ledgers.settle", "prompts.put", "provider.alpha.generate"],
)
def test_whatever_a_dead_run_stored_is_listed_with_its_prompt_and_nothing_else(
    step: str, fault: Fault
) -> None:
    service = Service()
    offer = service.estimate()
    service.new_process()
    calls = steps()
    service.wire.faults[calls.index(step)] = fault
    with pytest.raises(DiedError):
        service.confirm(offer)
    service.new_process()
    service.clock.advance(3_600_000)
    service.reconciler.sweep(limit=10)
    stored = [offer.image_id] if service.images.objects else []
    assert ids(service) == stored
    assert len(service.prompts.kept) == len(stored)
    service.check_charged_iff_stored()


def steps() -> list[str]:
    other = Service()
    offer = other.estimate()
    other.new_process()
    other.confirm(offer)
    return list(other.wire.calls)


def test_an_image_whose_record_could_not_be_written_is_listed_at_once() -> None:
    service = Service()
    offer = service.estimate()
    service.wire.refused = ["records.put"]
    assert isinstance(service.confirm(offer), Made)
    service.new_process()
    assert not service.records.records
    # The hold has not ended: so the image is found, also by the schedule alone.
    assert ids(service) == [offer.image_id]
    assert list(service.records.records) == [service.ref(offer)]
    service.check_charged_iff_stored()


def test_what_could_be_lost_is_looked_for_once_and_only_where_a_hold_is_open() -> None:
    service = Service()
    drawn(service, 3)
    before = len(service.wire.calls)
    first = page(service, limit=2)
    assert "images.find" not in service.wire.calls[before:]
    before = len(service.wire.calls)
    page(service, limit=2, cursor=first.next_cursor)
    assert "ledgers.load" not in service.wire.calls[before:]


def test_the_schedule_alone_finds_an_image_without_a_record() -> None:
    service = Service()
    offer = service.estimate()
    service.wire.refused = ["records.put"]
    service.confirm(offer)
    service.new_process()
    service.clock.advance(3_600_000)
    service.reconciler.sweep(limit=10)
    assert [one.quote_id for one in service.records.records.values()] == [offer.quote_id]
    service.check_charged_iff_stored()


@pytest.mark.parametrize("store", ["images.find", "ledgers.load"])
def test_the_list_is_read_although_nothing_can_be_recovered_now(store: str) -> None:
    service = Service()
    (mine,) = drawn(service, 1)
    service.wire.refused = [store]
    assert ids(service) == [mine]


@pytest.mark.parametrize("store", ["records.page", "prompts.between"])
def test_a_list_that_cannot_be_read_is_not_answered_as_an_empty_one(store: str) -> None:
    service = Service()
    drawn(service, 1)
    service.wire.refused = [store]
    with pytest.raises(StoreUnavailableError):
        page(service)


def test_an_image_is_listed_although_its_prompt_could_not_be_kept() -> None:
    service = Service()
    service.wire.refused = ["prompts.put"]
    made = service.make()
    service.new_process()
    (image,) = page(service).images
    assert image.id == service.image_id(made)
    assert image.prompt is None
    assert image.alt == "AI-generated image"


def test_without_kept_prompts_nothing_is_kept_or_shown() -> None:
    service = Service()
    (before,) = drawn(service, 1)
    service.redeploy(keep_prompts=False)
    (after,) = drawn(service, 1)
    assert len(service.prompts.kept) == 1
    found = {one.id: (one.prompt, one.style) for one in page(service).images}
    assert found == {before: (None, None), after: (None, None)}
    assert service.finder.status(after, BASE, USER).prompt is None
    # What was kept before goes with its image.
    service.gallery.delete(before, USER)
    assert not service.prompts.kept


@pytest.mark.parametrize(
    "prompt",
    ["x" * 4_000, "狐" * 2_000, 'say "hi"\n\tand \\ leave', "🦊🏽 مرحبا"],
    ids=["long", "wide", "quotes", "scripts"],
)
def test_a_prompt_comes_back_letter_for_letter(prompt: str) -> None:
    service = Service()
    service.make(prompt)
    (image,) = page(service).images
    assert image.prompt == prompt
    assert service.finder.status(image.id, BASE, USER).prompt == prompt


def test_a_page_of_long_prompts_fits_into_an_answer() -> None:
    service = Service()
    mine = drawn(service, 6)
    for ref, (words, until_ms) in service.prompts.kept.items():
        service.prompts.kept[ref] = (replace(words, prompt="\u0001" * 132_000), until_ms)
    found = list(pages(service, limit=100))
    assert [one.id for part in found for one in part.images] == mine
    assert all(len(part.model_dump_json(by_alias=True)) < 6_000_000 for part in found)
    assert len(found) > 1


def test_an_image_is_listed_however_long_its_prompt_is() -> None:
    service = Service()
    mine = drawn(service, 1)
    ((ref, (words, until_ms)),) = service.prompts.kept.items()
    longest = "x" * (gallery.MOST_PROMPT_BYTES + 1)
    service.prompts.kept[ref] = (replace(words, prompt=longest), until_ms)
    assert ids(service) == mine


def test_an_image_of_a_quote_of_the_day_before_is_listed_until_its_own_time_is_over() -> None:
    service = Service(image_retention_days=2)
    service.clock.at_ms = ONE_MIDNIGHT - LIFETIME_MS + 10
    offer = service.estimate()
    service.clock.at_ms = ONE_MIDNIGHT + 1
    assert isinstance(service.confirm(offer), Made)
    service.clock.at_ms = ONE_MIDNIGHT + 3 * DAY_MS - 1
    assert ids(service) == [offer.image_id]


def test_an_image_is_listed_until_its_time_is_over() -> None:
    service = Service(image_retention_days=2)
    (mine,) = drawn(service, 1)
    until_ms = kept_until_ms(service.clock(), 2)
    service.clock.at_ms = until_ms - 1
    assert ids(service) == [mine]
    service.clock.at_ms = until_ms
    assert ids(service) == []


def test_a_prompt_is_kept_as_long_as_the_image() -> None:
    service = Service(image_retention_days=30)
    made = service.make()
    (kept,) = service.prompts.kept.values()
    assert kept[1] == kept_until_ms(made.record.created_ms, 30)


@pytest.mark.parametrize(
    ("created_ms", "days", "until_ms"),
    [
        (ONE_MIDNIGHT, 1, ONE_MIDNIGHT + DAY_MS),
        (ONE_MIDNIGHT + 1, 1, ONE_MIDNIGHT + 2 * DAY_MS),
        (ONE_MIDNIGHT - 1, 1, ONE_MIDNIGHT + DAY_MS),
        (NOON_MS, 365, ONE_MIDNIGHT + 366 * DAY_MS),
        (0, 1, DAY_MS),
    ],
)
def test_an_objects_time_ends_at_a_midnight(created_ms: int, days: int, until_ms: int) -> None:
    assert kept_until_ms(created_ms, days) == until_ms


@given(st.integers(0, 10**15 - 1), st.binary(min_size=15, max_size=15))
def test_a_cursor_leads_back_to_its_place(issued_ms: int, nonce: bytes) -> None:
    place = Place(issued_ms, quote_id(nonce))
    assert parse_cursor(to_cursor(place)) == place


GOOD = to_cursor(Place(NOON_MS, "a" * 24))
BAD_CURSORS = (
    "", " ", "eA", "eA==", "null", "undefined", "0", GOOD[:-1], f"{GOOD} ", f" {GOOD}", GOOD * 2,
    GOOD.rstrip("="), GOOD.lower(), f"{GOOD}=", "a" * 200, "💥", "\x00", "../../x",
    to_cursor(Place(NOON_MS, "A" * 24)), to_cursor(Place(NOON_MS, "a" * 23)),
    to_cursor(Place(-1, "a" * 24)), to_cursor(Place(10**15, "a" * 24)),
)  # fmt: skip


@pytest.mark.parametrize("text", BAD_CURSORS)
def test_a_cursor_that_no_page_had_is_named(text: str) -> None:
    with pytest.raises(ParameterError) as caught:
        page(Service(), cursor=text)
    assert caught.value.param == "cursor"


@given(st.text(max_size=200))
def test_any_other_text_is_no_cursor(text: str) -> None:
    try:
        place = parse_cursor(text)
    except ParameterError:
        return
    assert to_cursor(place) == text


def test_the_cursor_of_another_user_shows_nothing_of_theirs() -> None:
    service = Service()
    mine = drawn(service, 2)
    drawn(service, 3, OTHER_USER)
    theirs = page(service, OTHER_USER, limit=1)
    assert [one.id for one in page(service, cursor=theirs.next_cursor).images] == mine


def test_an_image_in_the_making_is_not_listed() -> None:
    service = Service()
    seen = list[list[str]]()
    service.providers["alpha"].sleep = lambda _ms: seen.append(ids(service))
    service.make()
    assert seen == [[]]


def test_an_image_that_its_run_could_not_report_is_listed() -> None:
    service = Service()
    offer = service.estimate()
    service.wire.refused = ["ledgers.settle", "records.put"]
    made = service.confirm(offer)
    assert isinstance(made, Made | Running)
    service.new_process()
    assert ids(service) == [offer.image_id]


def test_what_is_listed_opens() -> None:
    service = Service()
    drawn(service, 2)
    for image in page(service).images:
        assert service.finder.location(image.id).startswith("https://images.test/")
        assert service.finder.status(image.id, BASE).status == "complete"


def test_the_marks_of_a_model_and_of_its_file_are_listed() -> None:
    marked = row("alpha-standard", priority=1, marks=["c2pa", "synthid"])
    service = Service(catalog=catalog(marked))
    service.react("alpha", with_manifest())
    drawn(service, 1)
    (image,) = page(service).images
    assert (image.provenance.c2pa, image.provenance.watermark) == ("present", "synthid")


def with_manifest() -> bytes:
    """Return a PNG with a chunk of the kind that contains a C2PA manifest."""
    content, body = png(), b"caBXjumb"
    chunk = b"\x00\x00\x00\x04" + body + zlib.crc32(body).to_bytes(4)
    return content[:33] + chunk + content[33:]
