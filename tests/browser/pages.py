"""The deployed page as people use it: a browser of their own, over a stack on this machine."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from playwright.sync_api import BrowserContext, Locator, Page, expect

from imagegen.providers import PROVIDERS
from tests.stack.driver import Driver, Person

FOX = "Draw a red fox in fresh snow"
TIMEOUT_MS = 30_000
"""A cold start of the emulator on a busy machine; nothing waits as long as this otherwise."""
WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""


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
        expect(tab.locator("#providers li")).to_have_count(len(PROVIDERS), timeout=TIMEOUT_MS)
        return tab

    def show(self, part: str) -> None:
        """Go to a part of the page, where the screen is too small for all of it."""
        button = self.page.locator(f"nav button[data-show={part}]")
        if button.is_visible():
            button.click()

    def say(self, text: str) -> None:
        """Say something in the chat."""
        self.show("chat")
        self.page.get_by_label("Message", exact=True).fill(text)
        self.page.get_by_role("button", name="Send").click()

    def ask(self, prompt: str, **fields: str) -> Locator:
        """Fill the form; the element that offers the image."""
        self.show("make")
        for name, value in fields.items():
            control = self.page.locator(f"#order [name={name}]")
            (control.select_option if name in SELECTS else control.fill)(value)
        self.page.get_by_label("Prompt", exact=True).fill(prompt)
        offer = self.page.locator("#made generated-image").first
        expect(offer.locator(".prompt")).to_have_text(prompt, timeout=TIMEOUT_MS)
        expect(offer).not_to_have_attribute("inert", "")
        return offer

    @property
    def images(self) -> Locator:
        """The images of the chat."""
        return self.page.locator("#messages generated-image")

    def violations(self) -> list[str]:
        """What the Content-Security-Policy stopped."""
        found: list[str] = self.page.evaluate("window.violations")
        return found


OFFERED = re.compile("^pending")
SELECTS = {"quality", "size", "provider"}


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
    picture = element.locator("img").first
    expect(picture).to_be_visible(timeout=TIMEOUT_MS)
    picture.scroll_into_view_if_needed()
    element.page.wait_for_function(
        "image => image.complete && image.naturalWidth > 0",
        arg=picture.element_handle(),
        timeout=TIMEOUT_MS,
    )


type Visit = Callable[..., Visitor]
