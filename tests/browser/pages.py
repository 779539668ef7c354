"""The deployed page as people use it: a browser of their own, over a stack on this machine."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from playwright.sync_api import BrowserContext, Locator, Page, expect

from imagegen.providers import PROVIDERS
from tests.browser.stage import PATIENCE_SECONDS
from tests.stack.driver import Driver, Person

FOX = "Draw a red fox in fresh snow"
TIMEOUT_MS = PATIENCE_SECONDS * 1_000
WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""

FOLLOW = """(fragment) => new Promise((done) => {
  addEventListener("hashchange", () => done(), { once: true });
  location.hash = fragment;
})"""
"""Goes to an address; by its end the page has taken it in, because its own listener came first."""


@dataclass(slots=True)
class Visitor:
    """One person's browser with the page open."""

    stack: Driver
    person: Person
    context: BrowserContext
    page: Page
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def open(self, page: Page | None = None) -> Page:
        """Open the page, in a new tab if one is given, as `make run` prints it."""
        tab = page or self.page
        tab.on("request", lambda request: self.requests.append(request.url))
        tab.on("pageerror", lambda error: self.errors.append(str(error)))
        tab.goto(f"{self.stack.urls['pageUrl']}#token={self.person.token}")
        expect(tab.locator("#spent")).to_contain_text("spent", timeout=TIMEOUT_MS)
        return tab

    def show(self, view: str) -> None:
        """Go to a view of the page."""
        self.page.locator(f"nav a[href='#{view}']").click()

    def say(self, text: str) -> None:
        """Say something in the chat."""
        self.page.get_by_label("Message", exact=True).fill(text)
        self.page.get_by_role("button", name="Send").click()

    def hear(self) -> None:
        """Wait until the answer has ended: an offer is there before it, and is kept with it."""
        heard(self.page)

    def set(self, **fields: str) -> None:
        """Choose settings in the composer's drawer."""
        if self.page.locator("#settings").is_hidden():
            self.page.locator("#tune").click()
            expect(self.page.locator("#settings")).to_be_visible(timeout=TIMEOUT_MS)
        for name, value in fields.items():
            control = self.page.locator(f"#settings [name={name}]")
            (control.select_option if name in SELECTS else control.fill)(value)

    def ask(self, prompt: str, **fields: str) -> Locator:
        """Open a link with a request, in a conversation of its own; the element that offers it."""
        fragment = urlencode({"prompt": prompt, **fields}, quote_via=quote)
        # What was shown before may have the same words.
        self.page.evaluate(FOLLOW, fragment)
        offer = self.images.first
        expect(offer.locator(".prompt")).to_have_text(prompt, timeout=TIMEOUT_MS)
        return offer

    def develop(self) -> Locator:
        """Open the developer drawer."""
        drawer = self.page.locator("#drawer")
        if not drawer.is_visible():
            self.page.locator("#tools").click()
            rows = self.page.locator("#providers li")
            expect(rows).to_have_count(len(PROVIDERS), timeout=TIMEOUT_MS)
        return drawer

    @property
    def images(self) -> Locator:
        """The images of the chat."""
        return self.page.locator("#messages generated-image")

    def violations(self) -> list[str]:
        """What the Content-Security-Policy stopped."""
        found: list[str] = self.page.evaluate("window.violations")
        return found


def heard(page: Page) -> None:
    """Wait until the answer has ended: the button that stops it sends again."""
    expect(page.get_by_role("button", name="Send")).to_be_visible(timeout=TIMEOUT_MS)


OFFERED = re.compile("^pending")
SELECTS = {"quality", "size", "count", "model", "background"}


def drawn(stack: Driver) -> int:
    """How many images all simulated providers drew."""
    return sum(stack.counts(name)["images"] for name in PROVIDERS)


def price_of(element: Locator) -> str:
    """What the button says first, such as ``$0.0527``."""
    return approve(element).inner_text().removeprefix("Generate Image for ").partition(" ")[0]


def approve(element: Locator) -> Locator:
    """The button that spends."""
    return element.get_by_role("button", name="Generate Image for $")


def expect_state(element: Locator, state: str) -> None:
    """Wait until the element is in a state."""
    expect(element).to_have_attribute("data-state", state, timeout=TIMEOUT_MS)


def expect_offered(element: Locator) -> None:
    """Wait until its price can be clicked."""
    expect(element).to_have_attribute("data-state", OFFERED, timeout=TIMEOUT_MS)


def expect_seen(element: Locator) -> None:
    """Wait until the picture is really there: bytes, decoded, and shown."""
    picture = element.locator(".link img")
    expect(picture).to_be_visible(timeout=TIMEOUT_MS)
    picture.scroll_into_view_if_needed()
    element.page.wait_for_function(
        "image => image.complete && image.naturalWidth > 0",
        arg=picture.element_handle(),
        timeout=TIMEOUT_MS,
    )


type Visit = Callable[..., Visitor]
