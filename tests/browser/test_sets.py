"""A set under one button: its quotes are sent together, and what is shown is what is stored."""

from typing import Any

import pytest

from tests.browser.stage import IMAGES, Gallery, OpenGallery, calls, read_fixture, settle

IMAGE = read_fixture("complete")["data"]["image"]
REFUSED = read_fixture("refused")["data"]["problem"] | {"charged": False}
IDS = [letter * 64 for letter in "abcd"]
QUOTES = [f"q1.k1.set-{letter}.signature-{letter}" for letter in "abcd"]


@pytest.fixture
def gallery(open_gallery: OpenGallery) -> Gallery:
    return open_gallery()


def offer_of_four() -> dict[str, Any]:
    known = read_fixture("pending")
    estimate = known["data"]["estimate"]
    price = {"perImage": "0.052700", "expected": "0.210800", "ceiling": "0.210800", "count": 4}
    estimate |= {
        "quote": "",
        "quotes": QUOTES,
        "imageId": IDS[0],
        "imageIds": IDS,
        "price": estimate["price"] | price,
        "buttonLabel": "Generate 4 Images for $0.2108",
    }
    known["data"]["id"] = IDS[0]
    return known


def stored(index: int) -> dict[str, Any]:
    url = f"{IMAGES}/images/{IDS[index]}"
    image = IMAGE | {"id": IDS[index], "imageUrl": url}
    return {
        "index": index,
        "id": IDS[index],
        "status": "complete",
        "charged": True,
        "image": image,
    }


def missing(index: int, charged: bool | None = False) -> dict[str, Any]:  # noqa: FBT001, FBT002
    problem = REFUSED | {"charged": charged}
    item = {"index": index, "id": IDS[index], "status": "failed", "charged": charged}
    return item | {"problem": problem}


def click(gallery: Gallery, images: list[dict[str, Any]]) -> None:
    gallery.show(offer_of_four())
    gallery.element.get_by_role("button", name="Generate 4 Images for $0.2108").click()
    record = {"status": "complete", "images": images}
    settle(gallery, "(record) => client.resolve('generate', record)", record)


def test_one_click_sends_all_quotes_and_shows_a_grid(gallery: Gallery) -> None:
    click(gallery, [stored(index) for index in range(4)])
    name, quotes, _, options = calls(gallery)[0]
    assert (name, list(quotes.values()) if isinstance(quotes, dict) else quotes) == (
        "generate",
        QUOTES,
    )
    assert options["imageId"] == IDS
    assert gallery.evaluate("(element) => element.dataset.state") == "complete"
    assert gallery.element.locator(".grid button").count() == 4
    assert "$0.2108 charged for 4 of 4 images." in gallery.text
    assert gallery.errors == []


def test_each_image_has_its_place_while_it_is_made(gallery: Gallery) -> None:
    gallery.show(offer_of_four())
    gallery.element.get_by_role("button", name="Generate 4 Images for $0.2108").click()
    places = gallery.element.locator(".grid li")
    assert [one.inner_text() for one in places.all()] == [
        f"Image {number} is being made" for number in (1, 2, 3, 4)
    ]
    running = {"status": "generating", "charged": False}
    images = [stored(0), *({"index": at, "id": IDS[at], **running} for at in (1, 2, 3))]
    record = {"id": IDS[0], "startedAt": "2026-11-22T10:00:07.000Z", "images": images}
    settle(gallery, "(record) => client.progress('generate', record)", record)
    assert gallery.evaluate("(element) => element.dataset.state") == "generating"
    assert places.count() == 4
    assert places.first.locator("img").is_visible()
    assert gallery.element.get_by_text("is being made").count() == 3


def test_what_is_missing_is_said_and_was_not_charged(gallery: Gallery) -> None:
    click(gallery, [stored(0), missing(1), stored(2), missing(3)])
    assert "$0.1054 charged for 2 of 4 images." in gallery.text
    assert "The others were not made and not charged" in gallery.text
    assert gallery.element.locator(".grid button").count() == 2
    assert gallery.element.locator(".grid li").nth(1).inner_text() == "Not made"


def test_what_is_not_known_is_not_called_uncharged(gallery: Gallery) -> None:
    click(gallery, [stored(0), stored(1), stored(2), missing(3, None)])
    assert "Whether 1 more will be charged is not known yet." in gallery.text
    assert "not charged" not in gallery.text
    assert gallery.element.locator(".grid li").nth(3).inner_text() == "Not known yet"


def test_the_chosen_image_is_what_the_buttons_are_about(open_gallery: OpenGallery) -> None:
    gallery = open_gallery(permissions=["clipboard-read", "clipboard-write"])
    click(gallery, [missing(0), stored(1), stored(2), stored(3)])
    pressed = gallery.element.locator(".grid [aria-pressed=true]")
    assert "(2 of 4)" in (pressed.locator("img").get_attribute("alt") or "")
    gallery.element.locator(".grid button").nth(1).click()
    gallery.element.get_by_role("button", name="Copy link").click()
    gallery.until("document.querySelector('#subject').shadowRoot.textContent.includes('copied')")
    copied = gallery.page.evaluate("navigator.clipboard.readText()")
    assert copied == f"{IMAGES}/images/{IDS[2]}"


def test_a_set_that_made_nothing_says_so(gallery: Gallery) -> None:
    gallery.show(offer_of_four())
    gallery.element.get_by_role("button", name="Generate 4 Images").click()
    settle(gallery, "(problem) => client.reject('generate', problem)", REFUSED)
    assert "You were not charged." in gallery.text


def test_a_set_in_data_is_shown_and_never_bought(gallery: Gallery) -> None:
    known = offer_of_four()
    known["data"] |= {"status": "complete", "images": [missing(0), stored(1)]}
    gallery.show(known)
    assert gallery.evaluate("(element) => element.dataset.state") == "complete"
    assert calls(gallery) == []
    known = offer_of_four()
    known["data"] |= {"status": "generating"}
    gallery.show(known)
    assert [call[0] for call in calls(gallery)] == ["watch"]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768])
def test_a_set_fits(open_gallery: OpenGallery, width: int, theme: str) -> None:
    gallery = open_gallery(width=width, theme=theme)
    click(gallery, [stored(0), missing(1), stored(2), stored(3)])
    wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not gallery.page.evaluate(wider)


CLIENT = """async ([answers]) => {
  const { createClient } = await import("/client.js");
  const urls = { estimateUrl: "https://api.example", generateUrl: "https://api.example" };
  const client = createClient({ ...urls, token: "t" });
  const bodies = [];
  window.fetch = async (url, { body }) => {
    bodies.push(body ? JSON.parse(body) : String(url).slice(-1));
    const [status, answer] = answers.shift();
    const type = status < 400 ? "application/json" : "application/problem+json";
    const headers = { "content-type": type, "retry-after": "0.001" };
    return new Response(JSON.stringify(answer), { status, headers });
  };
  const act = QUOTES_OR_IDS;
  const result = await act(client).catch((error) => error.problem);
  return [result, bodies];
}"""


def run_client(gallery: Gallery, act: str, answers: list[Any]) -> Any:
    return gallery.page.evaluate(CLIENT.replace("QUOTES_OR_IDS", act), [answers])


def test_the_client_repeats_a_set_that_is_being_made(gallery: Gallery) -> None:
    running = {"index": 1, "id": IDS[1], "status": "generating", "charged": False}
    first, last = [stored(0), running], [stored(0), stored(1)]
    result, bodies = run_client(
        gallery,
        "(client) => client.generate(['a', 'b'], 'a fox')",
        [[202, {"images": first}], [200, {"images": last}]],
    )
    assert bodies == [{"quotes": ["a", "b"], "prompt": "a fox"}] * 2
    assert result["status"] == "complete"
    assert len(result["images"]) == 2


def test_the_client_sees_what_is_there_of_a_set(gallery: Gallery) -> None:
    absent = {"status": 404, "code": "not_found", "detail": "No such image.", "charged": False}
    record = {"id": IDS[0], "status": "complete", "charged": True, "imageUrl": "u"}
    look = "(client) => client.status(['a', 'b'])"
    result, _ = run_client(gallery, look, [[200, record], [404, absent]])
    assert [one["status"] for one in result["images"]] == ["complete", "failed"]
    assert [one["charged"] for one in result["images"]] == [True, False]
    making = record | {"status": "generating", "charged": False}
    result, _ = run_client(gallery, look, [[200, making], [404, absent]])
    assert [one["charged"] for one in result["images"]] == [False, None]
    result, _ = run_client(gallery, look, [[404, absent], [404, absent]])
    assert (result["code"], result["charged"]) == ("not_found", False)
    lost = {"status": 503, "code": "store_unavailable", "detail": "Away.", "charged": None}
    result, _ = run_client(gallery, look, [[404, absent], [503, lost]])
    assert result["charged"] is None
