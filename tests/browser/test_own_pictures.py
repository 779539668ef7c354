"""One's own pictures on the deployed page: found, changed, multiplied, and deleted for good."""

import json
import re
from typing import Any

import pytest
import requests
from playwright.sync_api import FilePayload, Locator, Page, Route, expect

from local.paths import STATE
from tests.browser.pages import (
    FOX,
    TIMEOUT_MS,
    Visit,
    Visitor,
    approve,
    drawn,
    expect_offered,
    expect_seen,
    expect_state,
)
from tests.browser.stage import look_until
from tests.browser.test_page_rules import faults
from tests.fakes.pictures import picture
from tests.stack.driver import Driver

pytest_plugins = ["tests.browser.deployed"]

PHOTO = picture("JPEG", size=(96, 64), comment=b"taken at home by Ada")
FILE: FilePayload = {"name": "harbour.jpg", "mimeType": "image/jpeg", "buffer": PHOTO}


def made(visitor: Visitor, *prompts: str) -> list[dict[str, Any]]:
    """Images of the visitor, made on another device: this browser has stored nothing of them."""
    return [visitor.person.make(prompt, quality="fast").json for prompt in prompts]


def tiles(page: Page) -> Locator:
    return page.locator("#gallery .tiles button")


def gallery(visitor: Visitor) -> Locator:
    visitor.show("gallery")
    return tiles(visitor.page)


def opened(visitor: Visitor, at: int = 0) -> Locator:
    """One picture of the gallery, large."""
    gallery(visitor).nth(at).click()
    dialog = visitor.page.get_by_role("dialog", name="Your picture")
    expect(dialog).to_be_visible(timeout=TIMEOUT_MS)
    return dialog


def press(dialog: Locator, name: str) -> None:
    dialog.get_by_role("button", name=name, exact=True).click()


def sent(visitor: Visitor, words: str) -> Locator:
    """The offer for words that are sent with the composer's settings and pictures."""
    visitor.page.get_by_label("Message", exact=True).fill(words)
    expect(visitor.page.locator("#price")).to_contain_text("at most $", timeout=TIMEOUT_MS)
    before = visitor.images.count()
    visitor.page.get_by_role("button", name="Send").click()
    return newest(visitor, before + 1)


def newest(visitor: Visitor, count: int) -> Locator:
    """The newest of so many offers of the conversation."""
    expect(visitor.images).to_have_count(count, timeout=TIMEOUT_MS)
    expect_offered(visitor.images.last)
    return visitor.images.last


def screenshot(visitor: Visitor, name: str) -> None:
    visitor.page.screenshot(path=STATE / "screens" / f"own-{name}.png")


def shift(page: Page) -> float:
    found: float = page.evaluate("window.shifted")
    return found


WATCH_SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) if (!one.hadRecentInput) window.shifted += one.value;
}).observe({ type: "layout-shift", buffered: true });
"""


def drawn_and_changed_twice(visitor: Visitor) -> None:
    """A fox, changed in the chat by words, and that one changed from the picture."""
    page = visitor.page
    visitor.say(FOX)
    expect_offered(visitor.images.first)
    approve(visitor.images.first).click()
    expect_seen(visitor.images.first)
    visitor.say("make it blue")
    blue = visitor.images.nth(1)
    expect_offered(blue)
    first = visitor.images.first.evaluate("element => element.data.image.id")
    assert inputs_of(blue) == [("edit", first[:24])]
    approve(blue).click()
    expect_seen(blue)
    screenshot(visitor, "chat-changed")
    blue.get_by_role("button", name="Edit").click()
    expect(page.locator("#given li")).to_have_count(1, timeout=TIMEOUT_MS)
    hut = sent(visitor, "add a small hut")
    expect(page.locator("#given li")).to_have_count(0)
    expect(hut.locator(".prompt")).to_have_text("add a small hut", timeout=TIMEOUT_MS)
    second = blue.evaluate("element => element.data.image.id")
    assert inputs_of(hut) == [("edit", second[:24])]
    approve(hut).click()
    expect_seen(hut)
    screenshot(visitor, "edited")


def inputs_of(element: Locator) -> list[tuple[str, str]]:
    found = element.evaluate("element => element.data.estimate.inputs")
    return [(one["role"], one["quoteId"]) for one in found]


def four_by_the_cheaper_choice(visitor: Visitor) -> None:
    """Four more like the first picture."""
    before = visitor.images.count()
    visitor.images.first.get_by_role("button", name="More").click()
    press(visitor.page.get_by_role("dialog", name="Your picture"), "Make more")
    four = newest(visitor, before + 1)
    button = four.get_by_role("button", name="Generate 4 Images for $")
    expect(button).to_be_visible(timeout=TIMEOUT_MS)
    dear = button.inner_text()
    screenshot(visitor, "four-offered")
    four.get_by_role("button", name=re.compile("^Use this: .*cheapest", re.IGNORECASE)).click()
    expect(button).not_to_have_text(dear, timeout=TIMEOUT_MS)
    button.click()
    expect_state(four, "complete")
    expect(four.locator(".money")).to_contain_text("for 4 of 4 images")
    expect(four.locator(".grid img")).to_have_count(4)
    for image in four.locator(".grid img").all():
        image.evaluate("image => image.decode()")
    screenshot(visitor, "four-made")


def worked_on(visitor: Visitor, action: str, label: str) -> None:
    """The first picture, upscaled or cut out."""
    before = visitor.images.count()
    visitor.images.first.get_by_role("button", name="More").click()
    press(visitor.page.get_by_role("dialog", name="Your picture"), action)
    found = newest(visitor, before + 1)
    button = found.get_by_role("button", name=f"{label} Image for $")
    expect(button).to_be_visible(timeout=TIMEOUT_MS)
    button.click()
    expect_state(found, "complete")
    # It has no quality levels, so that none is named.
    expect(found.get_by_text("Standard", exact=True)).to_have_count(0)
    expect_seen(found)
    screenshot(visitor, action.lower().replace(" ", "-"))


def one_deleted(visitor: Visitor) -> str:
    """The link of the picture that was deleted."""
    dialog = opened(visitor, 8)
    link = dialog.locator("a").get_attribute("href") or ""
    dialog.locator("img").evaluate("image => image.decode()")
    screenshot(visitor, "dialog")
    press(dialog, "Delete")
    toast = visitor.page.get_by_role("region", name="Undo")
    expect(toast).to_contain_text(re.compile(r"The charge of \$0\.\d+ stays"))
    screenshot(visitor, "delete")
    with visitor.page.expect_response(lambda one: one.request.method == "DELETE") as answer:
        toast.get_by_role("button", name="Close").click()
    assert answer.value.ok
    expect(tiles(visitor.page)).to_have_count(8, timeout=TIMEOUT_MS)
    return link


def test_the_whole_flow_from_the_first_picture_to_its_deletion(visit: Visit, stack: Driver) -> None:
    visitor = visit()
    drawn_and_changed_twice(visitor)
    four_by_the_cheaper_choice(visitor)
    worked_on(visitor, "Upscale", "Upscale")
    worked_on(visitor, "Remove background", "Cut Out")
    visitor.page.evaluate("localStorage.clear()")
    visitor.page.reload()
    expect(visitor.images).to_have_count(0)
    expect(gallery(visitor)).to_have_count(9, timeout=TIMEOUT_MS)
    visitor.page.wait_for_load_state("networkidle")
    screenshot(visitor, "gallery")
    spent = visitor.person.usage()["spent"]
    link = one_deleted(visitor)
    assert requests.get(link, timeout=30).status_code == 410
    assert (visitor.person.usage()["spent"], drawn(stack)) == (spent, 9)
    assert (visitor.violations(), visitor.errors) == ([], [])


def test_more_pictures_come_by_scrolling_and_none_is_missing(visit: Visit) -> None:
    visitor = visit(height=500)
    prompts = [f"A lighthouse number {number}" for number in range(10)]
    made(visitor, *prompts)
    visitor.page.route(re.compile(r"/images\?"), fewer)
    found = gallery(visitor)
    for count in (4, 8, 10):
        # More of them may be there already, where the end of the list is in view.
        expect(found.nth(count - 1)).to_be_attached(timeout=TIMEOUT_MS)
        visitor.page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    expect(found).to_have_count(10, timeout=TIMEOUT_MS)
    titles = [one.get_attribute("title") for one in found.all()]
    assert titles == prompts[::-1]
    expect(visitor.page.locator("#gallery").get_by_role("status")).to_have_text("10 pictures.")


def fewer(route: Route) -> None:
    """Pages of four, so that ten pictures are three pages."""
    route.continue_(url=route.request.url.replace("limit=12", "limit=4"))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_each_state_is_accessible_and_fits(visit: Visit, theme: str, width: int) -> None:
    visitor = visit(width=width, theme=theme)
    page = visitor.page
    page.add_init_script(WATCH_SHIFTS)
    page.reload()
    name = f"{width}-{theme}"
    gallery(visitor)
    expect(page.get_by_text("You have no pictures yet.")).to_be_visible(timeout=TIMEOUT_MS)
    assert faults(page) == []
    made(visitor, "A fox " + "in deep snow " * 40, "Ein Fuchs", "A hut")
    page.reload()
    dialog = opened(visitor)
    # What moves while the page itself loads, up to 0.012 on a small screen, is not of these states.
    page.evaluate("window.shifted = 0")
    dialog.locator("img").evaluate("image => image.decode()")
    screenshot(visitor, f"dialog-{name}")
    assert faults(page) == []
    press(dialog, "Delete")
    undo = page.get_by_role("button", name="Undo")
    # Ten seconds may be over before axe has looked: under the pointer it waits.
    undo.hover()
    assert faults(page) == []
    undo.click()
    expect(tiles(page)).to_have_count(3, timeout=TIMEOUT_MS)
    screenshot(visitor, f"gallery-{name}")
    assert faults(page) == []
    scroll, inner = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert scroll <= inner
    press(opened(visitor, 2), "Edit")
    page.locator("#file").set_input_files([FILE])
    expect(page.locator("#given-note")).to_contain_text("is uploaded", timeout=TIMEOUT_MS)
    screenshot(visitor, f"inputs-{name}")
    assert faults(page) == []
    page.get_by_role("button", name="Choose one of your pictures").click()
    expect(page.locator("#choice .tiles button")).to_have_count(3, timeout=TIMEOUT_MS)
    screenshot(visitor, f"choice-{name}")
    assert faults(page) == []
    assert shift(page) < 0.01
    assert visitor.errors == []


def test_the_keyboard_alone_opens_asks_deletes_and_keeps_its_place(visit: Visit) -> None:
    visitor = visit()
    page = visitor.page
    made(visitor, "A fox", "A hut")
    expect(gallery(visitor)).to_have_count(2, timeout=TIMEOUT_MS)
    tiles(page).first.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Your picture")
    expect(dialog.get_by_role("button", name="Close")).to_be_focused(timeout=TIMEOUT_MS)
    page.keyboard.press("Escape")
    expect(tiles(page).first).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("button", name="Close")).to_be_focused()
    dialog.get_by_role("button", name="Delete", exact=True).focus()
    page.keyboard.press("Enter")
    expect(tiles(page)).to_have_count(1, timeout=TIMEOUT_MS)
    expect(tiles(page).first).to_be_focused()
    assert re.match("A fox, ", tiles(page).first.locator("img").get_attribute("alt") or "")


def test_a_deletion_that_fails_says_so_and_can_be_repeated(visit: Visit) -> None:
    visitor = visit()
    made(visitor, "A fox")
    problem = {"type": "about:blank", "title": "x", "status": 503, "code": "store_unavailable"}
    problem |= {"detail": "A store does not answer.", "charged": None, "retryable": True}
    dialog = opened(visitor)

    def fail(route: Route) -> None:
        headers = {
            "content-type": "application/problem+json",
            "access-control-allow-origin": "*",
        }
        if route.request.method == "DELETE":
            route.fulfill(status=503, body=json.dumps(problem), headers=headers)
        else:
            route.continue_()

    visitor.page.route("**/images/*", fail)
    press(dialog, "Delete")
    expect(visitor.page.get_by_text("You have no pictures yet.")).to_be_visible()
    visitor.page.get_by_role("region", name="Undo").get_by_role("button", name="Close").click()
    said = visitor.page.locator("#said")
    expect(said).to_contain_text("not deleted. Something failed", timeout=TIMEOUT_MS)
    # It is there again, and can be deleted.
    expect(tiles(visitor.page)).to_have_count(1, timeout=TIMEOUT_MS)
    visitor.page.unroute("**/images/*")
    press(opened(visitor), "Delete")
    visitor.page.get_by_role("region", name="Undo").get_by_role("button", name="Close").click()
    expect(visitor.page.get_by_text("You have no pictures yet.")).to_be_visible()


def test_a_deletion_is_taken_back_within_ten_seconds_and_done_when_the_page_is_left(
    visit: Visit,
) -> None:
    visitor = visit()
    page = visitor.page
    kept, gone = made(visitor, "A fox", "A hut")
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url) if one.method == "DELETE" else None)
    press(opened(visitor, 1), "Delete")
    expect(tiles(page)).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    expect(tiles(page)).to_have_count(2, timeout=TIMEOUT_MS)
    assert asked == []
    press(opened(visitor, 0), "Delete")
    expect(tiles(page)).to_have_count(1)
    page.goto("about:blank")
    look_until(lambda: visitor.person.status(gone["id"]).status == 410, "deleted")
    page.goto(f"{visitor.stack.urls['pageUrl']}#gallery")
    expect(tiles(page)).to_have_count(1, timeout=TIMEOUT_MS)
    assert visitor.person.status(kept["id"]).status == 200


def test_what_is_sent_right_after_a_reload_has_the_pictures_that_were_left(visit: Visit) -> None:
    visitor = visit()
    page = visitor.page
    page.locator("#file").set_input_files([FILE])
    page.get_by_label("Message", exact=True).fill("Make it night")
    expect(page.locator("#price")).to_contain_text("at most $", timeout=TIMEOUT_MS)
    held: list[Route] = []
    page.route("**/pictures.js", lambda route: held.append(route))  # noqa: PLW0108
    with page.expect_request("**/pictures.js"):
        page.reload()
    visitor.say("Make it night")
    assert page.locator(".user").count() == 0
    look_until(lambda: bool(held), "the pictures are asked for")
    held[0].continue_()
    newest(visitor, 1)
    expect(page.locator(".user .with")).to_have_text("With harbour.jpg")
    assert not any(url.endswith("/chat") for url in visitor.requests)


def test_a_file_is_uploaded_once_and_the_price_comes_with_it(visit: Visit) -> None:
    visitor = visit()
    page = visitor.page
    with page.expect_request(lambda one: one.method == "PUT") as put:
        page.locator("#file").set_input_files([FILE])
    assert put.value.headers["if-none-match"] == "*"
    expect(page.locator("#given-note")).to_contain_text("EXIF, GPS", timeout=TIMEOUT_MS)
    expect(page.get_by_label("What happens with harbour.jpg")).to_have_value("edit")
    assert page.locator("#size").input_value() == "same"
    page.get_by_label("What happens with harbour.jpg").select_option("reference")
    page.reload()
    # Nothing serves an upload: after a reload its name stands for it.
    expect(page.locator("#given")).to_contain_text("harbour.jpg", timeout=TIMEOUT_MS)
    found = sent(visitor, "make it a night")
    inputs = found.evaluate("element => element.data.estimate.inputs")
    assert [(one["role"], one["width"], one["height"]) for one in inputs] == [("reference", 96, 64)]
    expect(page.get_by_text("With harbour.jpg")).to_be_visible()
    approve(found).click()
    expect_seen(found)
    # They belonged to that request.
    expect(page.locator("#given li")).to_have_count(0)
    assert page.locator("#size").input_value() == "square"


def test_a_picture_is_pasted_into_the_message(visit: Visit) -> None:
    visitor = visit()
    visitor.page.evaluate(PASTE)
    expect(visitor.page.locator("#given-note")).to_contain_text("is uploaded", timeout=TIMEOUT_MS)
    expect(visitor.page.locator("#given")).to_contain_text("pasted.png")
    assert visitor.page.locator("#say").input_value() == ""


PASTE = """async () => {
  const canvas = new OffscreenCanvas(96, 64);
  canvas.getContext("2d").fillRect(0, 0, 50, 50);
  const file = new File([await canvas.convertToBlob()], "pasted.png", { type: "image/png" });
  const clipboardData = new DataTransfer();
  clipboardData.items.add(file);
  const event = new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true });
  document.getElementById("say").dispatchEvent(event);
}"""


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ({"name": "a.heic", "mimeType": "image/heic", "buffer": b"x"}, "This file is image/heic."),
        ({"name": "a.png", "mimeType": "image/png", "buffer": b""}, "This file is empty."),
        (
            {"name": "a.png", "mimeType": "image/png", "buffer": b"x" * 10_100_000},
            "This file has 10.1 MB.",
        ),
        ({"name": "a.txt", "mimeType": "text/plain", "buffer": b"x"}, "This file is text/plain."),
    ],
)
def test_a_file_that_cannot_be_an_input_is_refused_before_it_is_sent(
    visit: Visit, file: FilePayload, words: str
) -> None:
    visitor = visit()
    visitor.page.locator("#file").set_input_files([file])
    expect(visitor.page.locator("#given-note")).to_contain_text(words, timeout=TIMEOUT_MS)
    expect(visitor.page.locator("#given")).to_contain_text("Not uploaded")
    assert not [url for url in visitor.requests if url.endswith("/inputs")]


def test_a_file_that_is_no_picture_is_refused_in_words_of_the_service(visit: Visit) -> None:
    visitor = visit()
    page = visitor.page
    text: FilePayload = {"name": "a.png", "mimeType": "image/png", "buffer": b"no picture" * 9}
    page.locator("#file").set_input_files([text])
    page.get_by_label("Message", exact=True).fill("make it a night")
    words = "The file is not an image in a supported format. Send a PNG, JPEG or WebP."
    why = page.locator("#why")
    expect(why).to_contain_text("Change the words or the settings.", timeout=TIMEOUT_MS)
    why.get_by_text("Technical details").click()
    expect(why.get_by_text(words)).to_be_visible()


def test_an_upload_whose_reply_is_lost_is_stored_once(visit: Visit) -> None:
    visitor = visit()
    lost = 0

    def lose(route: Route) -> None:
        nonlocal lost
        if route.request.method != "PUT" or lost:
            route.continue_()
            return
        lost += 1
        request = route.request
        requests.put(
            request.url, data=request.post_data_buffer, headers=signed(request.headers), timeout=30
        )
        route.abort()

    visitor.page.route("**/inputs/**", lose)
    visitor.page.locator("#file").set_input_files([FILE])
    expect(visitor.page.locator("#given-note")).to_contain_text("is uploaded", timeout=TIMEOUT_MS)
    assert lost == 1


def signed(headers: dict[str, str]) -> dict[str, str]:
    names = ("content-type", "if-none-match", "x-amz-checksum-sha256")
    return {name: value for name, value in headers.items() if name in names}


@pytest.mark.parametrize("operations", [[], ["upscale", "cutout"]])
def test_an_operation_is_offered_where_the_catalog_has_it(
    visit: Visit, operations: list[str]
) -> None:
    visitor = visit()
    parent = made(visitor, "A fox")[0]

    def listed(route: Route) -> None:
        body = route.fetch().json()
        rows = [one for one in body["models"] if one["operation"] == "generate"]
        rows += [rows[0] | {"operation": name, "available": True} for name in operations]
        headers = {"access-control-allow-origin": "*"}
        route.fulfill(json=body | {"models": rows}, headers=headers)

    visitor.page.route("**/models", listed)
    dialog = opened(visitor)
    names = ["Upscale", "Remove background"]
    shown = [dialog.get_by_role("button", name=name).count() for name in names]
    assert shown == ([1, 1] if operations else [0, 0])
    if not operations:
        return
    with visitor.page.expect_request(lambda one: one.url.endswith("/estimate")) as asked:
        press(dialog, "Upscale")
    body = json.loads(asked.value.post_data or "")
    assert body == {"operation": "upscale", "inputs": [{"image": parent["id"]}]}


def test_another_user_sees_none_of_them_and_a_link_brings_no_inputs(visit: Visit) -> None:
    visitor = visit()
    page = visitor.page
    made(visitor, "A fox")
    expect(gallery(visitor)).to_have_count(1, timeout=TIMEOUT_MS)
    page.locator("#person").click()
    page.get_by_label("Your token", exact=True).fill(visitor.stack.person().token)
    page.get_by_role("button", name="Use it").click()
    expect(page.get_by_text("You have no pictures yet.")).to_be_visible(timeout=TIMEOUT_MS)
    expect(tiles(page)).to_have_count(0)
    page.evaluate("location.hash = 'prompt=A%20boat&inputs=x'")
    newest(visitor, 1)
    assert visitor.images.first.evaluate("element => element.data.estimate.inputs") == []
    expect(page.locator("#given li")).to_have_count(0)
