"""The elements in React, Vue, Svelte and Angular: whoever loads first, and over a server's HTML."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.browser.bundles import bundles
from tests.browser.stage import answer_images, read_fixture

FRAMEWORKS = ("react", "vue", "svelte", "angular")
SERVED = ("react", "vue")
"""Those that a server renders here."""
OFFER = read_fixture("pending")["data"]
OTHER = read_fixture("pending-range")["data"]
DONE = read_fixture("complete")["data"]
NOW = "2026-11-22T10:01:00Z"
MOUNT = "([data, options]) => mount(document.querySelector('#root'), data, options)"
DEFINE = "() => import('/elements.js').then(() => undefined)"
STUB = """(element) => import("/gallery/gallery.js").then(({ stubClient }) => {
  window.client = element.client = stubClient(); })"""
SETTLE = "(image) => { client.resolve('generate', image); }"
PAGE = """<!doctype html><html lang=en><meta charset=utf-8><title>App</title>
<link rel=icon href=data:,><div id=root>{html}</div>
<script type=module src=/app/{name}.js></script></html>"""


class App:
    """A page with one app of a framework, whose element is defined when a test says so."""

    def __init__(self, page: Page, url: str, name: str, *, served: str = "") -> None:
        self.page, self.errors = page, list[str]()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self.heard)
        page.clock.set_fixed_time(NOW)
        page.route("https://images.example/**", answer_images)
        page.route(f"{url}/app/*", lambda route: answer(route, name, served=served))
        page.goto(f"{url}/app/{name}")
        page.wait_for_function("() => 'mount' in window")

    def heard(self, message: Any) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def define(self) -> None:
        self.page.evaluate(DEFINE)

    def mount(self, data: Any, **options: Any) -> None:
        self.page.evaluate(MOUNT, [data, options])
        self.page.wait_for_function("() => 'give' in window")

    def give(self, data: Any) -> None:
        self.page.evaluate("(data) => { give(data); }", data)

    @property
    def element(self) -> Locator:
        return self.page.locator("#subject")


def answer(route: Route, name: str, *, served: str) -> None:
    asked = Path(route.request.url).name
    if asked.endswith(".js"):
        route.fulfill(path=bundles() / asked, content_type="text/javascript")
        return
    html = (bundles() / f"{name}-{served}.html").read_text() if served else ""
    route.fulfill(body=PAGE.format(html=html, name=name), content_type="text/html")


type Open = Callable[..., App]


@pytest.fixture
def open_app(browser: Browser, static_url: str) -> Iterator[Open]:
    context = browser.new_context()
    opened: list[App] = []

    def app(name: str, *, served: str = "") -> App:
        opened.append(App(context.new_page(), static_url, name, served=served))
        return opened[-1]

    yield app
    context.close()
    assert [error for one in opened for error in one.errors] == []


def expect_offer(app: App, label: str = OFFER["estimate"]["buttonLabel"]) -> None:
    expect(app.element.get_by_role("button", name=label, exact=True)).to_be_visible()


frameworks = pytest.mark.parametrize("name", FRAMEWORKS)
orders = pytest.mark.parametrize("order", ["element first", "framework first"])
forms = pytest.mark.parametrize("form", ["object", "text"])


def started(app: App, order: str, data: Any, **options: Any) -> App:
    if order == "element first":
        app.define()
    app.mount(data, **options)
    app.define()
    return app


def given(data: dict[str, Any], form: str) -> Any:
    return data if form == "object" else json.dumps(data)


@frameworks
@orders
@forms
def test_data_is_shown_whoever_loads_first(
    open_app: Open, name: str, order: str, form: str
) -> None:
    app = started(open_app(name), order, given(OFFER, form))
    expect_offer(app)


@frameworks
@orders
def test_data_that_comes_late_and_changes_is_shown(open_app: Open, name: str, order: str) -> None:
    app = started(open_app(name), order, None)
    app.give(OFFER)
    expect_offer(app)
    app.give(OTHER)
    expect_offer(app, OTHER["estimate"]["buttonLabel"])
    app.give(DONE)
    expect(app.element).to_have_attribute("data-state", "complete")


@frameworks
@orders
def test_an_image_that_was_bought_is_no_offer_again_when_the_host_renders_its_old_data(
    open_app: Open, name: str, order: str
) -> None:
    app = started(open_app(name), order, OFFER)
    expect_offer(app)
    app.element.evaluate(STUB)
    app.element.get_by_role("button", name="Generate Image").click()
    app.page.evaluate("() => { rerender(); }")
    app.give(OFFER)
    expect(app.element).to_have_attribute("data-state", "starting")
    app.page.evaluate(SETTLE, DONE["image"])
    app.give(dict(reversed(OFFER.items())))
    expect(app.element).to_have_attribute("data-state", "complete")
    assert app.page.evaluate("client.calls.length") == 1
    assert app.page.evaluate("changes") == ["generating", "complete"]


@pytest.mark.parametrize("name", SERVED)
@orders
@forms
def test_data_is_shown_over_the_html_of_a_server(
    open_app: Open, name: str, order: str, form: str
) -> None:
    app = started(open_app(name, served=form), order, given(OFFER, form), hydrate=True)
    expect_offer(app)
    app.give(OTHER)
    expect_offer(app, OTHER["estimate"]["buttonLabel"])


@pytest.mark.parametrize("name", SERVED)
@orders
def test_events_reach_a_host_that_took_over_a_servers_html(
    open_app: Open, name: str, order: str
) -> None:
    options = {"hydrate": True, "served": True}
    app = started(open_app(name, served="wrapped"), order, OFFER, **options)
    expect_offer(app)
    app.element.evaluate(STUB)
    app.element.get_by_role("button", name="Generate Image").click()
    expect(app.element).to_have_attribute("data-state", "starting")
    app.page.wait_for_function("() => changes.length === 1")
    app.give(OTHER)
    expect_offer(app, OTHER["estimate"]["buttonLabel"])
