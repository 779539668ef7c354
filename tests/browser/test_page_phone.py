"""The page on a phone: what is pressed is within the thumb's reach and large enough."""

import re
from collections.abc import Callable
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from imagegen.site.words import LANGUAGES
from local.paths import STATE
from tests.browser.pages import (
    TIMEOUT_MS,
    Visit,
    Visitor,
    approve,
    expect_offered,
    expect_seen,
    expect_state,
)
from tests.stack.driver import Driver

pytest_plugins = ["tests.browser.deployed"]

WIDTH, HEIGHT, KEYBOARD = 360, 740, 320
LEAST = 44
DOG = "a picture of my dog in a hat"
VIEWS = ("create", "gallery", "usage")
FILLED = {"create": "generated-image", "gallery": ".tiles img", "usage": ".chart"}
"""What is in each view once a picture was made."""
WIDER = "document.documentElement.scrollWidth > window.innerWidth"
SMALL = """(least) => {
  const all = (root) => [...root.querySelectorAll("*")].flatMap((one) =>
    [one, ...(one.shadowRoot ? all(one.shadowRoot) : [])]);
  const pressed = "button, a, summary, select, textarea, input:not([type=file]), label:has(input)";
  return all(document).filter((one) => one.matches(pressed) && one.checkVisibility())
    // A checkbox is pressed by its label, and a link within a sentence is as high as its line.
    .filter((one) => !one.matches("label input, .hint a, .skip"))
    .map((one) => [one.getBoundingClientRect(), one.outerHTML.slice(0, 90)])
    .filter(([{ width, height }]) => width > 1 && (width < least || height < least))
    .map(([{ width, height }, text]) => `${Math.round(width)}x${Math.round(height)} ${text}`);
}"""


@pytest.fixture
def phone(visit: Visit) -> Callable[..., Visitor]:
    """Open the page on a phone with a touch screen."""
    more = {"has_touch": True, "is_mobile": True, "device_scale_factor": 2}

    def opened(**options: object) -> Visitor:
        return visit(width=WIDTH, height=HEIGHT, **{**more, **options})

    return opened


def shot(visitor: Visitor, name: str) -> None:
    folder = STATE / "screens"
    folder.mkdir(parents=True, exist_ok=True)
    visitor.page.screenshot(path=folder / f"phone-{name}.png")


def signed_in(browser: Browser, stack: Driver, name: str) -> Page:
    """The page on a phone that has nothing of anybody, after a person has signed in there."""
    more = {"has_touch": True, "is_mobile": True, "device_scale_factor": 2}
    context = browser.new_context(
        viewport={"width": WIDTH, "height": HEIGHT},
        locale="en-US",
        **more,  # type: ignore[arg-type]
    )
    page = context.new_page()
    page.goto(stack.urls["pageUrl"])
    shown = STATE / "screens"
    shown.mkdir(parents=True, exist_ok=True)
    expect(page.locator("#sign-in")).to_be_visible(timeout=TIMEOUT_MS)
    page.screenshot(path=shown / "new-user-arrives.png")
    page.locator("#sign-in").tap()
    page.get_by_label("Somebody else").fill(name)
    page.screenshot(path=shown / "new-user-signs-in.png")
    page.get_by_role("button", name="Sign in").tap()
    expect(page.locator("#person")).to_have_text(name, timeout=TIMEOUT_MS)
    return page


def bottom(locator: Locator) -> float:
    box = locator.bounding_box()
    assert box
    return box["y"] + box["height"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_whole_way_on_a_phone(phone: Callable[..., Visitor], theme: str) -> None:
    visitor = phone(theme=theme)
    page = visitor.page
    assert page.evaluate(SMALL, LEAST) == []
    shot(visitor, f"hello-{theme}")
    visitor.say(f"{DOG} for under two cents")
    offer = visitor.images.first
    expect_offered(offer)
    assert page.evaluate(SMALL, LEAST) == []
    shot(visitor, f"offer-{theme}")
    approve(offer).tap()
    expect_seen(offer)
    assert page.evaluate(SMALL, LEAST) == []
    shot(visitor, f"picture-{theme}")
    # The picture opens alone, as large as the screen.
    offer.locator(".link").tap()
    large = offer.locator("dialog img")
    expect(large).to_be_visible(timeout=TIMEOUT_MS)
    box = offer.locator("dialog").bounding_box()
    assert box
    assert (round(box["width"]), round(box["height"])) == (WIDTH, HEIGHT)
    shot(visitor, f"large-{theme}")
    page.keyboard.press("Escape")
    for view in VIEWS:
        visitor.show(view)
        expect(page.locator(f"#{view} {FILLED[view]}").first).to_be_visible(timeout=TIMEOUT_MS)
        assert page.evaluate(SMALL, LEAST) == []
        assert not page.evaluate(WIDER)
        assert Axe().run(page).response["violations"] == []
        shot(visitor, f"{view}-{theme}")


def test_the_bar_stands_at_the_bottom_in_every_view(phone: Callable[..., Visitor]) -> None:
    visitor = phone()
    bar = visitor.page.get_by_role("navigation", name="Views")
    for view in VIEWS:
        visitor.show(view)
        expect(visitor.page.locator(f"#{view}")).to_be_visible()
        assert bottom(bar) == pytest.approx(HEIGHT, abs=1)
        box = bar.bounding_box()
        assert box
        assert box["y"] > HEIGHT - 90
    expect(bar.get_by_role("link", name="Usage")).to_have_attribute("aria-current", "page")


def test_the_message_field_stands_above_the_bar_and_above_a_keyboard(
    phone: Callable[..., Visitor],
) -> None:
    visitor = phone()
    page = visitor.page
    bar = page.get_by_role("navigation", name="Views").bounding_box()
    field = page.get_by_label("Message", exact=True)
    assert bar
    assert bottom(page.locator("#composer")) <= bar["y"]
    field.tap()
    # A keyboard makes the page as much lower (interactive-widget=resizes-content).
    page.set_viewport_size({"width": WIDTH, "height": HEIGHT - KEYBOARD})
    field.fill("A lighthouse at dawn")
    expect(page.get_by_role("button", name="Send")).to_be_in_viewport(ratio=1)
    expect(field).to_be_in_viewport(ratio=1)
    assert bottom(page.locator("#composer")) <= HEIGHT - KEYBOARD
    shot(visitor, "keyboard")
    meta = page.locator("meta[name=viewport]").get_attribute("content") or ""
    assert "interactive-widget=resizes-content" in meta
    assert "viewport-fit=cover" in meta


def test_a_keyboard_that_covers_the_page_lifts_the_message_field(
    phone: Callable[..., Visitor],
) -> None:
    page = phone().page
    lifted = """(height) => {
      Object.defineProperty(visualViewport, "height", { value: height, configurable: true });
      visualViewport.dispatchEvent(new Event("resize"));
      return document.querySelector("#composer").getBoundingClientRect().bottom;
    }"""
    assert page.evaluate(lifted, HEIGHT - KEYBOARD) <= HEIGHT - KEYBOARD
    assert page.evaluate(lifted, HEIGHT) > HEIGHT - KEYBOARD


def test_an_upload_offers_the_camera_and_the_photos(phone: Callable[..., Visitor]) -> None:
    visitor = phone()
    chosen = visitor.page.locator("#file")
    # Images alone: then a phone offers its photos and its camera. `capture` would force the camera.
    assert re.fullmatch(r"(image/\w+,?)+", chosen.get_attribute("accept") or "")
    assert chosen.get_attribute("capture") is None
    with visitor.page.expect_file_chooser() as chooser:
        visitor.page.get_by_role("button", name="Upload a picture").tap()
    assert not chooser.value.is_multiple()


def test_settings_and_a_comparison_fit_a_phone(phone: Callable[..., Visitor]) -> None:
    visitor = phone()
    page = visitor.page
    visitor.set()
    page.get_by_role("button", name="Compare models").tap()
    boxes = page.locator(".models label")
    expect(boxes.first).to_be_visible(timeout=TIMEOUT_MS)
    boxes.nth(0).tap()
    boxes.nth(2).tap()
    shot(visitor, "models")
    assert page.evaluate(SMALL, LEAST) == []
    page.get_by_label("Message", exact=True).fill("A lighthouse at dawn")
    page.get_by_role("button", name="Send").tap()
    button = page.locator(".compare").get_by_role("button", name="Generate 2 Images for $")
    expect(button).to_be_visible(timeout=TIMEOUT_MS)
    shot(visitor, "compare-offer")
    assert page.evaluate(SMALL, LEAST) == []
    button.tap()
    expect_state(visitor.images.last, "complete")
    assert page.evaluate(SMALL, LEAST) == []
    assert not page.evaluate(WIDER)
    shot(visitor, "compare")


def test_a_picture_that_was_made_on_one_device_is_found_on_the_phone_the_next_day(
    browser: Browser, stack: Driver
) -> None:
    # At home, as somebody new: the address, one click to sign in, three sentences.
    name = f"guest-{uuid4()}"
    page = signed_in(browser, stack, name)
    say = page.get_by_label("Message", exact=True)
    for number, words in enumerate((f"{DOG} for under two cents", "make it a portrait")):
        say.fill(words)
        page.get_by_role("button", name="Send").click()
        expect_offered(page.locator("#messages generated-image").nth(number))
        page.screenshot(path=STATE / "screens" / f"new-user-{number}.png")
    offer = page.locator("#messages generated-image").nth(1)
    size = offer.evaluate("(element) => element.data.estimate.size")
    width, height = map(int, size.split("x"))
    assert width < height
    most = float(approve(offer).inner_text().rpartition("$")[2])
    assert most <= 0.02
    approve(offer).click()
    expect_seen(offer)
    page.screenshot(path=STATE / "screens" / "new-user-2.png")
    made = offer.evaluate("(element) => element.data.image.id")
    page.context.close()
    # The next day, on the phone: the same person signs in, and it is in the gallery.
    page = signed_in(browser, stack, name)
    page.get_by_role("link", name="Gallery").tap()
    tile = page.locator(".tiles button").first
    expect(tile).to_be_visible(timeout=TIMEOUT_MS)
    page.screenshot(path=STATE / "screens" / "new-user-gallery.png")
    tile.tap()
    dialog = page.get_by_role("dialog", name="Your picture")
    expect(dialog.get_by_text("dog", exact=False).first).to_be_visible(timeout=TIMEOUT_MS)
    assert made in (dialog.locator("a").get_attribute("href") or "")
    assert page.evaluate(SMALL, LEAST) == []
    page.screenshot(path=STATE / "screens" / "new-user-found.png")
    dialog.locator("a").tap()
    alone = page.locator("#alone")
    expect(alone.get_by_role("img")).to_be_visible()
    box = alone.bounding_box()
    assert box
    assert (round(box["width"]), round(box["height"])) == (WIDTH, HEIGHT)
    page.screenshot(path=STATE / "screens" / "new-user-large.png")
    alone.tap()
    expect(dialog).to_be_visible()
    page.context.close()


CUT = """() => [...document.querySelectorAll(".top :is(a:not(.skip), button), #anew, #history")]
  .filter((one) => one.checkVisibility() && one.scrollWidth > one.clientWidth)
  .map((one) => `${one.textContent}: ${one.scrollWidth} in ${one.clientWidth}`)"""
NAME_IS_CUT = """() => {
  const [head, name] = [document.querySelector("h1"), document.createRange()];
  name.selectNodeContents(head.lastChild);
  const [box, word] = [head, name].map((one) => one.getBoundingClientRect());
  return word.top < box.bottom && word.right > box.right;
}"""
"""The product's name is there as a whole, or not at all."""
OUTSIDE = """() => [...document.querySelectorAll(".top :is(a:not(.skip), button, img)")]
  .filter((one) => one.checkVisibility())
  .map((one) => [one.getBoundingClientRect(), one.textContent])
  .filter(([box]) => box.left < 0 || box.right > window.innerWidth).map(([, text]) => text)"""


@pytest.mark.parametrize("width", [320, 360, 768])
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_label_of_the_head_is_cut_in_any_language(
    browser: Browser, stack: Driver, language: str, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": HEIGHT}, locale=language)
    page = context.new_page()
    page.goto(stack.urls["pageUrl"])
    # Signed out; a local stack has the most labels.
    expect(page.locator("#sign-in")).to_be_visible(timeout=TIMEOUT_MS)
    expect(page.locator("#tools")).to_be_visible()
    assert page.evaluate("document.documentElement.lang").startswith(language)
    found = [page.evaluate(one) for one in (CUT, OUTSIDE, NAME_IS_CUT, WIDER)]
    context.close()
    assert found == [[], [], False, False]


@pytest.mark.parametrize("language", ["de", "ja"])
def test_no_label_of_the_head_is_cut_beside_the_drawer(
    browser: Browser, stack: Driver, language: str
) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale=language)
    page = context.new_page()
    token = stack.local.issuer.token(f"visitor-{uuid4()}")
    page.goto(f"{stack.urls['pageUrl']}#token={token}")
    expect(page.locator("#spent")).not_to_be_empty(timeout=TIMEOUT_MS)
    page.locator("#tools").click()
    expect(page.locator("#drawer")).to_be_visible(timeout=TIMEOUT_MS)
    found = [page.evaluate(one) for one in (CUT, OUTSIDE, NAME_IS_CUT, WIDER)]
    context.close()
    assert found == [[], [], False, False]
