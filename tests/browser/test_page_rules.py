"""What holds for the whole page: accessible, at home on every screen, alone with its service."""

from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route, expect

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
from tests.browser.stage import serving

pytest_plugins = ["tests.browser.deployed"]

VIEWS = ("create", "gallery", "usage")
SHOWN = {"create": "generated-image", "gallery": ".tiles img", "usage": ".chart"}
WIDER = "document.documentElement.scrollWidth > window.innerWidth"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def used(visitor: Visitor) -> Visitor:
    """The page with a conversation, a picture and an offer on it."""
    visitor.ask("A lighthouse at dawn, with a very long line of words behind it " * 3)
    visitor.say("Sketch two logos for a bakery, fast quality")
    expect(visitor.images).to_have_count(3, timeout=TIMEOUT_MS)
    approve(visitor.images.nth(1)).click()
    expect_seen(visitor.images.nth(1))
    return visitor


STICKY = """(position) => {
  for (const one of document.querySelectorAll(".top, #composer")) one.style.position = position;
}"""


def faults(page: Page) -> list[tuple[str, str]]:
    """What axe finds: the rule, and where."""
    # What is scrolled halfway below a sticky bar can be scrolled out of it.
    page.evaluate(STICKY, "static")
    found = Axe().run(page, options=RULES).response["violations"]
    page.evaluate(STICKY, "")
    return [(one["id"], str(node["target"])) for one in found for node in one["nodes"]]


def seen(page: Page) -> set[str]:
    """The views of the page that are on the screen."""
    found = page.locator("[data-part]").filter(visible=True).all()
    return {str(one.get_attribute("data-part")) for one in found}


def focused(page: Page) -> str:
    name: str = page.evaluate(
        "() => { let e = document.activeElement;"
        " while (e.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;"
        " return e.id || e.textContent || e.tagName; }"
    )
    return name


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_every_view_is_accessible_and_fits(visit: Visit, theme: str, width: int) -> None:
    visitor = used(visit(width=width, theme=theme))
    for view in VIEWS:
        visitor.show(view)
        expect(visitor.page.locator(SHOWN[view]).first).to_be_visible(timeout=TIMEOUT_MS)
        assert seen(visitor.page) == {view}
        assert faults(visitor.page) == []
        assert not visitor.page.evaluate(WIDER)
        visitor.page.screenshot(path=STATE / "screens" / f"page-{view}-{width}-{theme}.png")


@pytest.mark.parametrize("width", [360, 1280])
def test_drawers_and_the_list_of_conversations_are_accessible_and_fit(
    visit: Visit, width: int
) -> None:
    visitor = used(visit(width=width))
    page = visitor.page
    visitor.set(quality="fast")
    page.screenshot(path=STATE / "screens" / f"page-settings-{width}.png")
    assert faults(page) == []
    page.locator("#history").click()
    expect(page.get_by_role("dialog", name="Conversations")).to_be_visible(timeout=TIMEOUT_MS)
    assert faults(page) == []
    page.keyboard.press("Escape")
    visitor.develop()
    page.screenshot(path=STATE / "screens" / f"page-developer-{width}.png")
    assert faults(page) == []
    assert not page.evaluate(WIDER)


@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_is_whole_where_text_runs_from_right_to_left(visit: Visit, width: int) -> None:
    visitor = used(visit(width=width))
    visitor.page.evaluate("document.documentElement.dir = 'rtl'")
    for view in VIEWS:
        visitor.show(view)
        expect(visitor.page.locator(SHOWN[view]).first).to_be_visible(timeout=TIMEOUT_MS)
        assert not visitor.page.evaluate(WIDER)
        visitor.page.screenshot(path=STATE / "screens" / f"page-{view}-{width}-rtl.png")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_an_empty_page_and_the_question_for_a_token_are_accessible(
    visit: Visit, theme: str
) -> None:
    visitor = visit(theme=theme)
    assert faults(visitor.page) == []
    visitor.page.get_by_role("button", name="Your token").click()
    expect(visitor.page.locator("#entry")).to_be_visible()
    assert faults(visitor.page) == []
    visitor.page.screenshot(path=STATE / "screens" / f"page-token-{theme}.png")


@pytest.mark.parametrize("width", [360, 1280])
def test_what_can_be_pressed_is_large_enough(visit: Visit, width: int) -> None:
    visitor = used(visit(width=width))
    small = []
    for view in VIEWS:
        visitor.show(view)
        expect(visitor.page.locator(SHOWN[view]).first).to_be_visible(timeout=TIMEOUT_MS)
        for control in visitor.page.locator("button, input, select, textarea, a").all():
            box = control.bounding_box() if control.is_visible() else None
            if box and box["width"] > 1 and (box["width"] < 24 or box["height"] < 20):
                small.append((control.evaluate("e => e.outerHTML")[:80], box))
    assert small == []


def test_a_whole_turn_needs_no_pointer_and_never_loses_the_focus(visit: Visit) -> None:
    visitor = visit()
    page = visitor.page
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the message field"
    page.keyboard.press("Enter")
    assert focused(page) == "say"
    page.keyboard.type(FOX)
    page.keyboard.press("Enter")
    expect_offered(visitor.images.first)
    assert focused(page) == "say"
    for _ in range(30):
        page.keyboard.press("Shift+Tab")
        if focused(page).startswith("Generate Image for $"):
            break
    page.keyboard.press("Enter")
    expect_seen(visitor.images.first)
    assert focused(page) not in ("BODY", "")
    assert drawn(visitor.stack) == 1


def test_nothing_is_asked_of_anybody_else_and_no_rule_is_broken(visit: Visit) -> None:
    visitor = used(visit())
    ours = {
        urlsplit(url).netloc for name, url in visitor.stack.urls.items() if name.endswith("Url")
    }
    asked = {
        urlsplit(url).netloc for url in visitor.requests if not url.startswith(("data:", "blob:"))
    }
    assert asked - {""} <= ours
    assert visitor.violations() == []
    assert visitor.errors == []


def test_the_rules_are_in_force(visit: Visit) -> None:
    page = visit().page
    page.evaluate(
        "document.body.append(new Image()); document.body.lastChild.src = '//evil.example'"
    )
    thrown = page.evaluate(
        "() => { try { document.body.innerHTML = 'x'; } catch (no) { return no.name; } }"
    )
    assert thrown == "TypeError"
    page.wait_for_function("() => window.violations.length >= 2")


def test_nothing_moves_for_whoever_asked_for_rest(visit: Visit) -> None:
    visitor = visit(reduced_motion="reduce")
    visitor.say(FOX)
    held: list[Route] = []
    visitor.page.route("**/generate-image", lambda route: hold(held, route))
    visitor.page.route("**/images/*", answer_running)
    approve(visitor.images.first).click()
    expect_state(visitor.images.first, "generating")
    running = "document.getAnimations().filter(one => one.playState === 'running').length"
    assert visitor.page.evaluate(running) == 0
    visitor.page.unroute("**/images/*")
    held[0].continue_()
    expect_seen(visitor.images.first)


def hold(held: list[Route], route: Route) -> None:
    """Keep a request, which is answered when it goes on."""
    held.append(route)


def answer_running(route: Route) -> None:
    """Answer as the service does while an image is made, which is never late here."""
    route.fulfill(
        json={"status": "generating", "startedAt": "2999-01-01T00:00:00Z", "charged": False},
        headers={"access-control-allow-origin": "*"},
    )


def test_everything_can_be_seen_in_forced_colours(visit: Visit) -> None:
    visitor = used(visit(forced_colors="active"))
    visitor.page.screenshot(path=STATE / "screens" / "page-forced-colours.png")
    expect(visitor.page.get_by_role("button", name="Send")).to_be_visible()


class OtherSite(BaseHTTPRequestHandler):
    """A page of another origin, with one script tag."""

    elements = ""

    def do_GET(self) -> None:
        body = f"<!doctype html><title>x</title><script type=module src={self.elements}></script>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_another_sites_page_may_use_the_elements_by_one_script_tag(visit: Visit) -> None:
    visitor = visit()
    page = visitor.context.new_page()
    address = f"{visitor.stack.urls['pageUrl']}elements.js"
    with serving(type("Site", (OtherSite,), {"elements": address})) as url:
        page.goto(url)
        page.wait_for_function(
            "() => Boolean(customElements.get('generated-image'))", timeout=TIMEOUT_MS
        )
