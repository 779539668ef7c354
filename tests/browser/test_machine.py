"""machine.js against the table that both languages read."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.browser.stage import ALL_STATES, STATES, Gallery, OpenGallery, read_fixture

MACHINE: dict[str, Any] = json.loads((Path(__file__).parent / "machine.json").read_text())
TABLE: dict[str, dict[str, str]] = MACHINE["table"]
EVENTS: dict[str, dict[str, Any]] = {
    "approve": {},
    "decline": {},
    "undo": {},
    "cancel": {},
    "started": {"startedAt": "2026-11-22T10:00:05.000Z"},
    "previewed": {"previewUrl": "https://images.example/previews/fox.png"},
    "completed": {"image": read_fixture("complete")["data"]["image"]},
    "failed": {"problem": read_fixture("error")["data"]["problem"]},
    "resumed": {"startedAt": "2026-11-22T10:00:05.000Z"},
    "unmade": {"problem": read_fixture("error")["data"]["problem"] | {"status": 404}},
    "gone": {"problem": read_fixture("gone")["data"]["problem"]},
    "quoted": {
        "estimate": read_fixture("pending")["data"]["estimate"]
        | {"expiresAt": "2026-11-22T11:00:00.000Z"}
    },
}
NEXT = """async ([data, event, now]) => {
  const { next, viewState } = await import("/machine.js");
  const at = Date.parse(now);
  const after = next(data, event, at);
  const same = JSON.stringify(after) === JSON.stringify(data);
  return [viewState(after, at), same, after];
}"""


@pytest.fixture(scope="module")
def gallery(shared_gallery: OpenGallery) -> Gallery:
    return shared_gallery()


def moved(gallery: Gallery, name: str, kind: str) -> tuple[str, bool, dict[str, Any]]:
    known = read_fixture(name)
    state, same, after = gallery.page.evaluate(
        NEXT, [known["data"], {"type": kind, **EVENTS[kind]}, known["now"]]
    )
    return state, same, after


def test_there_are_fifteen_states_and_a_fixture_of_each() -> None:
    assert len(MACHINE["states"]) == 15
    assert set(STATES) == set(MACHINE["states"]) == set(TABLE)


def test_the_module_knows_the_same_states_and_events(gallery: Gallery) -> None:
    states, events = gallery.page.evaluate(
        "import('/machine.js').then(({ STATES, EVENTS }) => [STATES, EVENTS])"
    )
    assert states == MACHINE["states"]
    assert set(events) == set(EVENTS)


@pytest.mark.parametrize("name", ALL_STATES)
def test_a_fixture_is_in_its_state(gallery: Gallery, name: str) -> None:
    known = read_fixture(name)
    found = gallery.page.evaluate(
        "([data, now]) => import('/machine.js').then((m) => m.viewState(data, Date.parse(now)))",
        [known["data"], known["now"]],
    )
    assert found == known["state"]


@pytest.mark.parametrize("name", STATES)
@pytest.mark.parametrize("kind", EVENTS)
def test_an_event_moves_a_state_as_the_table_says(gallery: Gallery, name: str, kind: str) -> None:
    state, same, _ = moved(gallery, name, kind)
    assert state == TABLE[name].get(kind, name)
    if kind not in TABLE[name] and kind != "started":
        assert same


def test_an_offer_without_a_price_cannot_be_approved(gallery: Gallery) -> None:
    assert moved(gallery, "pending-unknown", "approve")[1]


def test_a_new_price_is_not_taken_while_the_old_one_may_still_be_charged(gallery: Gallery) -> None:
    assert moved(gallery, "cancelled", "quoted")[1]
    assert moved(gallery, "cancelled-settled", "quoted")[0] == "pending"


def test_a_new_price_leaves_nothing_of_the_failed_try(gallery: Gallery) -> None:
    _, _, after = moved(gallery, "error", "quoted")
    assert set(after) == {"id", "toolCallId", "prompt", "status", "estimate"}
    assert after["id"] == EVENTS["quoted"]["estimate"]["imageId"]


@pytest.mark.parametrize("name", ["error-unknown", "error-charged"])
def test_no_new_price_is_taken_before_it_is_known_that_there_is_no_image(
    gallery: Gallery, name: str
) -> None:
    assert moved(gallery, name, "quoted")[1]
    assert moved(gallery, name, "completed")[0] == "complete"
    assert moved(gallery, name, "resumed")[0] == "generating"


def test_a_look_that_finds_nothing_is_what_says_not_charged(gallery: Gallery) -> None:
    state, _, after = moved(gallery, "error-unknown", "unmade")
    assert state == "error"
    assert after["problem"]["charged"] is False
    assert after["problem"]["detail"] == "The token is not valid."


UNKNOWN = """([data, now]) => import("/machine.js").then(({ isUnknown }) => isUnknown(data))"""


@pytest.mark.parametrize(
    ("change", "unknown"),
    [
        ({}, True),
        ({"problem": {"status": 429, "code": "hourly_images", "charged": None}}, True),
        ({"problem": {"status": 422, "code": "content_refused", "charged": None}}, True),
        ({"problem": {"status": 410, "code": "quote_expired"}}, True),
        ({"problem": {"status": 502, "code": "generation_failed", "charged": "false"}}, True),
        ({"problem": {"status": 502, "code": "generation_failed", "charged": False}}, False),
        ({"problem": None}, True),
        ({"problem": None, "image": {"status": "failed", "charged": None}}, True),
        ({"problem": None, "image": {"status": "failed", "charged": False}}, False),
        ({"status": "complete", "problem": None}, True),
        ({"status": "complete", "problem": None, "image": {"status": "complete"}}, True),
        ({"status": "cancelled"}, True),
        ({"status": "cancelled", "problem": None}, False),
        ({"status": "a word of a later version"}, True),
        ({"status": "pending", "problem": None}, False),
        ({"status": "declined", "problem": None}, False),
    ],
)
def test_only_a_word_that_somebody_looked_for_counts_as_known(
    gallery: Gallery,
    change: dict[str, Any],
    unknown: bool,  # noqa: FBT001 a parametrized flag
) -> None:
    data = read_fixture("error-unknown")["data"] | change
    found = gallery.page.evaluate(UNKNOWN, [data, ""])
    assert found is unknown


def test_a_late_image_after_stopping_is_shown_with_its_cost(gallery: Gallery) -> None:
    state, _, after = moved(gallery, "cancelled", "completed")
    assert state == "complete"
    assert after["image"]["cost"]["charged"] == "0.052700"


@pytest.mark.parametrize(
    ("name", "now", "state"),
    [
        ("pending", "2026-11-22T10:09:59.999Z", "pending"),
        ("pending", "2026-11-22T10:10:00.000Z", "expired"),
        ("generating", "2026-11-22T10:01:27.000Z", "generating"),
        ("generating", "2026-11-22T10:01:27.001Z", "slow"),
        ("preview", "2026-11-22T10:05:00.000Z", "slow"),
        ("declined", "2026-11-22T11:00:00.000Z", "declined"),
    ],
)
def test_time_alone_moves_what_waits(gallery: Gallery, name: str, now: str, state: str) -> None:
    found = gallery.page.evaluate(
        "([data, now]) => import('/machine.js').then((m) => m.viewState(data, Date.parse(now)))",
        [read_fixture(name)["data"], now],
    )
    assert found == state


@pytest.mark.parametrize("name", ["generating", "cancelled"])
def test_a_run_whose_image_is_deleted_already_was_charged(gallery: Gallery, name: str) -> None:
    known = read_fixture(name)
    event = {"type": "failed", "problem": read_fixture("gone")["data"]["problem"]}
    assert gallery.page.evaluate(NEXT, [known["data"], event, known["now"]])[0] == "gone"
