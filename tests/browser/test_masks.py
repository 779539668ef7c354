"""A mask on the deployed page: painted or given in numbers, always "painted may change"."""

import base64
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Locator, Page, Request, expect

from tests.browser.pages import TIMEOUT_MS, Visit, Visitor, approve, expect_seen
from tests.browser.test_own_pictures import made, newest, opened, press, screenshot, sent
from tests.browser.test_page_rules import faults
from tests.fakes.pictures import picture

pytest_plugins = ["tests.browser.deployed"]

SIZE = (600, 400)
FILE: FilePayload = {
    "name": "harbour.png",
    "mimeType": "image/png",
    "buffer": picture("PNG", size=SIZE),
}


def given(visitor: Visitor) -> Locator:
    """The dialog for a file that the visitor has uploaded."""
    page = visitor.page
    page.locator("#file").set_input_files([FILE])
    expect(page.locator("#given-note")).to_contain_text("is uploaded", timeout=TIMEOUT_MS)
    return dialog_of(page)


def dialog_of(page: Page) -> Locator:
    page.get_by_role("button", name="Paint what may change").click()
    dialog = page.get_by_role("dialog", name="What may change in harbour.png?")
    expect(dialog).to_be_visible(timeout=TIMEOUT_MS)
    return dialog


def stroke(page: Page, *points: tuple[float, float]) -> None:
    """Paint through places, each as parts of the picture's width and height."""
    box = page.locator("#mask canvas").bounding_box()
    assert box is not None
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places:
        page.mouse.move(*place, steps=4)
    page.mouse.up()


WATCH_FILES = """() => {
  const { send } = XMLHttpRequest.prototype;
  XMLHttpRequest.prototype.send = function (body) {
    window.fileSent = body;
    return send.call(this, body);
  };
}"""
FILE_SENT = """() => new Promise((done) => {
  const reader = new FileReader();
  reader.onload = () => done(reader.result.split(",")[1]);
  reader.readAsDataURL(window.fileSent);
})"""


def is_file(request: Request) -> bool:
    return request.method == "PUT"


def alpha_of(page: Page, act: Callable[[], None]) -> Image.Image:
    """The alpha channel of the mask that is stored when something is done."""
    # A browser does not report a file's bytes with its request.
    page.evaluate(WATCH_FILES)
    with page.expect_request(is_file, timeout=TIMEOUT_MS):
        act()
    content = base64.b64decode(page.evaluate(FILE_SENT))
    assert len(content) < 4_000_000
    mask = Image.open(io.BytesIO(content))
    assert (mask.format, mask.mode, mask.size) == ("PNG", "RGBA", SIZE)
    return mask.getchannel("A")


def estimated(page: Page, act: Callable[[], None]) -> dict[str, Any]:
    """What is sent to get the price after something is done."""
    with page.expect_request(
        lambda one: one.url.endswith("/estimate") and one.method == "POST", timeout=TIMEOUT_MS
    ) as asked:
        act()
    body: dict[str, Any] = json.loads(asked.value.post_data or "")
    return body


def test_what_is_painted_is_transparent_in_the_mask_and_the_rest_is_not(visit: Visit) -> None:
    visitor = visit()
    page, dialog = visitor.page, given(visitor)
    expect(dialog).to_contain_text("Nothing is painted yet.")
    press(dialog, "Use it")
    expect(dialog).to_be_visible()
    stroke(page, (0.25, 0.3), (0.75, 0.3))
    expect(dialog).to_contain_text("% of the picture may change.")
    alpha = alpha_of(page, lambda: press(dialog, "Use it"))
    assert [alpha.getpixel((x, 120)) for x in (150, 300, 450)] == [0, 0, 0]
    assert [alpha.getpixel(at) for at in ((5, 5), (300, 390), (590, 120))] == [255, 255, 255]
    note = page.locator("#given-note")
    expect(note).to_contain_text("Only what you painted may change.", timeout=TIMEOUT_MS)
    found = sent(visitor, "make the sky red")
    roles = found.evaluate("element => element.data.estimate.inputs.map((one) => one.role)")
    assert roles == ["edit", "mask"]
    approve(found).click()
    expect_seen(found)
    assert (visitor.violations(), visitor.errors) == ([], [])


def test_what_is_erased_stays_as_it_is(visit: Visit) -> None:
    visitor = visit()
    page, dialog = visitor.page, given(visitor)
    stroke(page, (0.2, 0.5), (0.8, 0.5))
    press(dialog, "Erase")
    stroke(page, (0.7, 0.5), (0.8, 0.5))
    alpha = alpha_of(page, lambda: press(dialog, "Use it"))
    assert [alpha.getpixel((x, 200)) for x in (150, 250, 450)] == [0, 0, 255]


def test_the_keyboard_alone_marks_an_area_exactly(visit: Visit) -> None:
    visitor = visit()
    page = visitor.page
    page.locator("#file").set_input_files([FILE])
    expect(page.locator("#given-note")).to_contain_text("is uploaded", timeout=TIMEOUT_MS)
    page.get_by_role("button", name="Paint what may change").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="What may change in harbour.png?")
    expect(dialog.get_by_role("button", name="Paint", exact=True)).to_be_focused(timeout=TIMEOUT_MS)
    for _ in range(6):
        if page.evaluate("document.activeElement.tagName") == "SUMMARY":
            break
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    page.keyboard.press("Enter")
    for value in ("10", "20", "30", "40"):
        page.keyboard.press("Tab")
        page.keyboard.type(value)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("12 % of the picture may change.")
    page.keyboard.press("Tab")
    alpha = alpha_of(page, lambda: page.keyboard.press("Enter"))
    painted = alpha.point(lambda value: 255 - value).getbbox()
    assert painted == (60, 80, 240, 240)
    again = page.get_by_role("button", name="Paint what may change")
    expect(again).to_be_focused(timeout=TIMEOUT_MS)
    expect(again).to_have_attribute("aria-pressed", "true")


def test_a_mask_belongs_to_the_picture_that_is_changed_and_can_be_taken_back(visit: Visit) -> None:
    visitor = visit()
    page, dialog = visitor.page, given(visitor)
    stroke(page, (0.3, 0.3), (0.6, 0.6))
    press(dialog, "Use it")
    note = page.locator("#given-note")
    expect(note).to_contain_text("Only what you painted may change.", timeout=TIMEOUT_MS)
    page.get_by_label("Message", exact=True).fill("make the sky red")
    # The price of these words is asked for a moment later, with the mask.
    expect(page.locator("#price")).to_contain_text("at most $", timeout=TIMEOUT_MS)
    role = page.get_by_label("What happens with harbour.png")
    looked = estimated(page, lambda: void(role.select_option("reference")))
    assert "mask" not in looked
    expect(page.get_by_role("button", name="Paint what may change")).to_be_hidden()
    changed = estimated(page, lambda: void(role.select_option("edit")))
    assert set(changed["mask"]) == {"upload"}
    dialog = dialog_of(page)
    press(dialog, "Close")
    after = estimated(page, lambda: press(dialog_of(page), "All may change"))
    assert "mask" not in after
    expect(note).to_have_text("All of the picture may change.")


def void(_: object) -> None:
    """Forget a result."""


def test_a_mask_that_cannot_be_stored_says_so_and_all_may_change(visit: Visit) -> None:
    visitor = visit()
    page, dialog = visitor.page, given(visitor)
    stroke(page, (0.3, 0.3), (0.6, 0.6))
    page.route("**/inputs", lambda route: route.abort())
    press(dialog, "Use it")
    note = page.locator("#given-note")
    expect(note).to_contain_text("all of the picture may change", timeout=TIMEOUT_MS)
    found = sent(visitor, "make the sky red")
    roles = found.evaluate("element => element.data.estimate.inputs.map((one) => one.role)")
    assert roles == ["edit"]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_the_dialog_is_accessible_and_fits(visit: Visit, theme: str, width: int) -> None:
    visitor = visit(width=width, theme=theme)
    page, dialog = visitor.page, given(visitor)
    stroke(page, (0.25, 0.3), (0.75, 0.6))
    dialog.get_by_text("Mark an area by numbers").click()
    screenshot(visitor, f"mask-{width}-{theme}")
    assert faults(page) == []
    scroll, inner = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert scroll <= inner
    press(dialog, "Use it")
    note = page.locator("#given-note")
    expect(note).to_contain_text("Only what you painted may change.", timeout=TIMEOUT_MS)
    page.locator("#given").scroll_into_view_if_needed()
    screenshot(visitor, f"masked-{width}-{theme}")
    assert faults(page) == []


def test_a_picture_is_varied_by_looking_at_it(visit: Visit) -> None:
    visitor = visit()
    parent = made(visitor, "A fox in a hut")[0]
    dialog = opened(visitor)
    body = estimated(visitor.page, lambda: press(dialog, "Vary"))
    assert body["inputs"] == [{"image": parent["id"], "role": "reference"}]
    assert (body["prompt"], body["count"]) == ("A fox in a hut", 4)
    expect(newest(visitor, 1)).to_contain_text("4 Images for $")


@pytest.mark.parametrize("button", ["Edit", "More"])
def test_what_cannot_be_loaded_is_said_at_the_picture_that_was_pressed(
    visit: Visit, button: str
) -> None:
    visitor = visit()
    page = visitor.page
    approve(visitor.ask("A fox")).click()
    shown = visitor.images.first
    expect_seen(shown)
    page.route("**/pictures.js", lambda route: route.abort())
    shown.get_by_role("button", name=button).click()
    said = shown.get_by_text("The service cannot be reached.")
    expect(said).to_be_visible(timeout=TIMEOUT_MS)
    page.unroute("**/pictures.js")
    shown.get_by_role("button", name=button).click()
    expect(said).to_be_hidden(timeout=TIMEOUT_MS)
