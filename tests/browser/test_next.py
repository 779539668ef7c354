"""The element in an app of Next's App Router: rendered on the server, taken over by the browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.browser.bundles import next_pages
from tests.browser.stage import answer_images, read_fixture

OFFER = read_fixture("pending")["data"]
OTHER = read_fixture("pending-range")["data"]
DONE = read_fixture("complete")["data"]
NOW = "2026-11-22T10:01:00Z"
DEFINE = "import('/elements.js');"
STUB = """(element) => import("/gallery/gallery.js").then(({ stubClient }) => {
  window.client = element.client = stubClient(); })"""
KINDS = {".html": "text/html", ".js": "text/javascript", ".txt": "text/plain"}


class App:
    """The app's page, from the files that Next built, beside the files of the elements."""

    def __init__(self, page: Page, url: str, order: str) -> None:
        self.page, self.errors = page, list[str]()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self.heard)
        page.clock.set_fixed_time(NOW)
        page.route("https://images.example/**", answer_images)
        page.route(f"{url}/", self.answer)
        page.route(f"{url}/_next/**", self.answer)
        if order == "element first":
            page.add_init_script(DEFINE)
        page.goto(f"{url}/")
        page.wait_for_function("() => 'mount' in window")
        page.evaluate(f"() => {{ {DEFINE} }}")

    def heard(self, message: Any) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    @staticmethod
    def answer(route: Route) -> None:
        path = urlsplit(route.request.url).path
        file = next_pages() / (path.lstrip("/") or "index.html")
        kind = KINDS.get(Path(path or "/index.html").suffix, "text/html")
        route.fulfill(path=file, content_type=kind)

    @property
    def element(self) -> Locator:
        return self.page.locator("#subject")


@pytest.fixture(params=["element first", "framework first"])
def app(request: pytest.FixtureRequest, browser: Browser, static_url: str) -> Iterator[App]:
    context = browser.new_context()
    opened = App(context.new_page(), static_url, request.param)
    yield opened
    context.close()
    # A difference between the server's HTML and the browser's would be an error of the console.
    assert opened.errors == []


def expect_offer(app: App, label: str = OFFER["estimate"]["buttonLabel"]) -> None:
    expect(app.element.get_by_role("button", name=label, exact=True)).to_be_visible()


def test_the_element_is_in_the_html_that_the_server_made() -> None:
    assert '<generated-image id="subject"' in (next_pages() / "index.html").read_text()


def test_the_offer_of_a_server_component_is_shown_and_changes(app: App) -> None:
    expect_offer(app)
    app.page.evaluate("(data) => { give(data); }", OTHER)
    expect_offer(app, OTHER["estimate"]["buttonLabel"])


def test_a_click_is_one_request_and_its_events_reach_the_app(app: App) -> None:
    expect_offer(app)
    app.element.evaluate(STUB)
    app.element.get_by_role("button", name="Generate Image").click()
    app.page.evaluate("(image) => { client.resolve('generate', image); }", DONE["image"])
    expect(app.element).to_have_attribute("data-state", "complete")
    assert app.page.evaluate("client.calls.length") == 1
    assert app.page.evaluate("changes") == ["generating", "complete"]
