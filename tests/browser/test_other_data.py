"""An element that is given another image while it waits: nothing is taken for the other one's."""

import pytest

from tests.browser.stage import Gallery, OpenGallery, calls, read_fixture, settle, state
from tests.browser.test_flows import IMAGE, press

PREVIEWED = {
    "id": read_fixture("pending")["data"]["id"],
    "status": "generating",
    "startedAt": "2026-11-22T10:00:07.000Z",
    "preview": {"index": 0, "url": "https://images.example/previews/one.png"},
}
OTHER = {"id": "another", "prompt": "a heron", "status": "generating"}
SET = "(element, data) => { element.data = data; }"
TEXT = "(element) => element.shadowRoot.querySelector('.prompt').textContent"


@pytest.fixture
def gallery(open_gallery: OpenGallery) -> Gallery:
    return open_gallery()


def test_the_price_of_one_image_is_not_offered_in_place_of_another(gallery: Gallery) -> None:
    gallery.show("error")
    press(gallery, "Get a new price")
    assert [call[0] for call in calls(gallery)] == ["estimate"]
    gallery.evaluate(SET, read_fixture("complete")["data"] | {"id": "another", "prompt": "a heron"})
    fresh = read_fixture("pending")["data"]["estimate"]
    settle(gallery, "(estimate) => client.resolve('estimate', estimate)", fresh)
    assert state(gallery) == "complete"
    assert gallery.evaluate(TEXT) == "a heron"


def test_the_progress_of_one_image_is_not_shown_at_another(gallery: Gallery) -> None:
    gallery.show("pending")
    press(gallery, "Generate Image")
    gallery.evaluate(SET, OTHER)
    settle(gallery, "(record) => client.progress('generate', record)", PREVIEWED)
    assert state(gallery) == "starting"
    assert gallery.evaluate("(element) => element.data") == OTHER


def test_an_image_that_came_while_another_was_shown_is_looked_for_again(gallery: Gallery) -> None:
    gallery.show("pending")
    press(gallery, "Generate Image")
    waiting = gallery.evaluate("(element) => element.data")
    declined = read_fixture("declined")["data"] | {"id": "another"}
    gallery.evaluate(SET, declined)
    settle(gallery, "(image) => client.resolve('generate', image)", IMAGE)
    gallery.evaluate(SET, waiting)
    assert [call[0] for call in calls(gallery)] == ["generate", "watch"]
    settle(gallery, "(image) => client.resolve('watch', image)", IMAGE)
    assert state(gallery) == "complete"
