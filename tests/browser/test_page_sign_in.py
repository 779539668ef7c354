"""Signing in on the deployed page: there and back, renewal, tabs, sign-out, hostile answers."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import jwt
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.browser.pages import (
    FOX,
    TIMEOUT_MS,
    WATCH,
    approve,
    drawn,
    expect_offered,
    expect_seen,
    heard,
)
from tests.browser.test_page_rules import faults
from tests.stack.driver import Driver, Person

pytest_plugins = ["tests.browser.deployed"]

NEED = "Sign in to see prices and make images."
SESSION = "JSON.parse(localStorage.getItem('imagegen.session'))"
KEPT = (
    "[...Object.keys(localStorage), ...Object.keys(sessionStorage)]"
    ".filter((name) => name.startsWith('imagegen.'))"
)
ENDED = "held.due = held.until = 0; held.refresh = 'not one';"


class Guest:
    """A browser in which somebody may sign in."""

    def __init__(self, stack: Driver, context: BrowserContext) -> None:
        self.stack = stack
        self.context = context
        self.errors: list[str] = []
        self.addresses: list[str] = []
        self.page = self.open()

    @property
    def url(self) -> str:
        return str(self.stack.urls["pageUrl"])

    def open(self, url: str = "") -> Page:
        """Open the page in a new tab."""
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("framenavigated", lambda frame: self.addresses.append(frame.url))
        page.goto(url or self.url)
        # The page has a name of its own for the button as soon as it runs.
        expect(page.locator("#person")).not_to_have_text("Your token", timeout=TIMEOUT_MS)
        return page

    def choose(self, name: str, page: Page | None = None) -> None:
        """Choose a person on the issuer's page."""
        tab = page or self.page
        tab.get_by_label("Somebody else").fill(name)
        tab.get_by_role("button", name="Sign in").click()
        expect(tab.locator("#person")).to_have_text(name, timeout=TIMEOUT_MS)

    def sign_in(self, name: str = "") -> str:
        """Sign in; the name of the person."""
        who = name or f"guest-{uuid4()}"
        self.page.locator("#sign-in").click()
        self.choose(who)
        return who

    def sign_out(self) -> None:
        """Sign out, and come back from the issuer; the page says at once that nobody is there."""
        self.page.locator("#person").click()
        with self.page.expect_event("load", timeout=TIMEOUT_MS):
            self.page.get_by_role("button", name="Sign out").click()
        expect(self.page.get_by_text(NEED)).to_be_visible(timeout=TIMEOUT_MS)

    def say(self, text: str = FOX) -> None:
        self.page.get_by_label("Message", exact=True).fill(text)
        self.page.get_by_role("button", name="Send").click()

    @property
    def image(self) -> Any:
        return self.page.locator("#messages generated-image").first

    @property
    def session(self) -> Any:
        return self.page.evaluate(SESSION)

    def change(self, script: str) -> None:
        """Change what is kept of the session, `held`."""
        self.page.evaluate(
            f"() => {{ const held = {SESSION}; {script} "
            "localStorage.setItem('imagegen.session', JSON.stringify(held)); }"
        )

    def spent(self, name: str) -> str:
        """What the service says that a person has spent."""
        person = Person(self.stack, self.stack.local.issuer.token(name))
        answer = person.call("GET", f"{self.stack.urls['generateUrl']}/usage")
        return str(answer.json["spent"])


type Enter = Callable[[], Guest]


@pytest.fixture
def enter(browser: Browser, stack: Driver) -> Iterator[Enter]:
    with ExitStack() as ends:

        def entered() -> Guest:
            context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US")
            ends.callback(context.close)
            context.add_init_script(WATCH)
            return Guest(stack, context)

        yield entered


# There and back.


def test_the_page_opens_signed_out_and_a_demo_person_is_two_presses_away(enter: Enter) -> None:
    guest = enter()
    expect(guest.page.get_by_text(NEED)).to_be_visible()
    # There is no conversation to leave, and none to go back to.
    for name in ("#anew", "#history"):
        expect(guest.page.locator(name)).to_be_hidden()
    assert faults(guest.page) == []
    guest.page.locator("#sign-in").click()
    expect(guest.page.get_by_role("heading", name="Who are you?")).to_be_visible()
    guest.page.get_by_role("button", name="Bob").click()
    expect(guest.page.locator("#person")).to_have_text("Bob", timeout=TIMEOUT_MS)
    expect(guest.page.locator("#spent")).to_contain_text("spent", timeout=TIMEOUT_MS)
    expect(guest.page.locator("#entry")).to_be_hidden()
    expect(guest.page).to_have_url(guest.url)
    assert guest.page.evaluate("window.violations") == []
    assert guest.errors == []


def test_no_address_ever_has_a_token(enter: Enter) -> None:
    guest = enter()
    guest.sign_in()
    session = guest.session
    guest.sign_out()
    for secret in (session["token"], session["refresh"]):
        assert not any(secret in address for address in guest.addresses)


def test_what_was_sent_before_is_answered_after_signing_in(enter: Enter) -> None:
    guest = enter()
    guest.say("Draw a lighthouse")
    expect(guest.page.locator("#messages").get_by_text(NEED)).to_be_visible(timeout=TIMEOUT_MS)
    guest.page.get_by_label("Message", exact=True).fill("and then a boat")
    guest.sign_in()
    expect(guest.image.locator(".prompt")).to_have_text("a lighthouse", timeout=TIMEOUT_MS)
    expect_offered(guest.image)
    expect(guest.page.locator("#messages generated-image")).to_have_count(1)
    # What was only written waits for its own click.
    expect(guest.page.get_by_label("Message", exact=True)).to_have_value("and then a boat")


def test_settings_that_were_chosen_before_are_there_after_signing_in(enter: Enter) -> None:
    guest = enter()
    guest.page.locator("#tune").click()
    guest.page.locator("#quality").select_option("fast")
    guest.page.get_by_label("Message", exact=True).fill("A boat")
    guest.sign_in()
    expect(guest.page.get_by_label("Message", exact=True)).to_have_value("A boat")
    expect(guest.page.locator("#quality")).to_have_value("fast")
    expect(guest.page.locator("#price")).to_contain_text("at most $", timeout=TIMEOUT_MS)


def test_a_view_that_was_open_before_is_open_after_signing_in(enter: Enter) -> None:
    guest = enter()
    guest.page.locator("nav a[href='#usage']").click()
    guest.sign_in()
    expect(guest.page.locator("#usage .figure").first).to_have_text("$0.00", timeout=TIMEOUT_MS)


@pytest.mark.parametrize("asked", ["link", "settings"])
def test_a_request_that_was_made_before_is_priced_after_signing_in(
    enter: Enter, asked: str
) -> None:
    guest = enter()
    if asked == "link":
        guest.page.close()
        guest.page = guest.open(f"{guest.url}#prompt=A%20blue%20boat&quality=fast")
    else:
        guest.page.locator("#tune").click()
        guest.page.locator("#quality").select_option("fast")
        guest.say("A blue boat")
    expect(guest.page.locator("#messages").get_by_text(NEED)).to_be_visible(timeout=TIMEOUT_MS)
    guest.sign_in()
    expect(guest.image.locator(".prompt")).to_have_text("A blue boat", timeout=TIMEOUT_MS)
    expect_offered(guest.image)
    expect(guest.page.locator("#messages generated-image")).to_have_count(1)
    expect(guest.page.get_by_label("Message", exact=True)).to_have_value("")


def test_a_reload_and_another_tab_keep_the_session(enter: Enter) -> None:
    guest = enter()
    who = guest.sign_in()
    guest.page.reload()
    expect(guest.page.locator("#person")).to_have_text(who, timeout=TIMEOUT_MS)
    other = guest.open()
    expect(other.locator("#person")).to_have_text(who, timeout=TIMEOUT_MS)
    expect(other.locator("#spent")).to_contain_text("spent", timeout=TIMEOUT_MS)


def test_a_session_ends_with_the_last_tab_of_the_page(enter: Enter) -> None:
    guest = enter()
    guest.sign_in()
    guest.page.close()
    later = guest.open()
    expect(later.get_by_text(NEED)).to_be_visible()
    assert later.evaluate("localStorage.getItem('imagegen.session')") is None


def test_a_cancelled_sign_in_is_said_in_words(enter: Enter) -> None:
    guest = enter()
    guest.page.locator("#sign-in").click()
    guest.page.get_by_role("button", name="Cancel").click()
    expect(guest.page.get_by_text("You were not signed in")).to_be_visible(timeout=TIMEOUT_MS)
    expect(guest.page).to_have_url(guest.url)
    assert guest.page.evaluate(KEPT) == []


def test_an_issuer_that_does_not_answer_is_said_in_words(enter: Enter) -> None:
    guest = enter()
    guest.context.route("**/.well-known/openid-configuration", lambda route: route.abort())
    guest.page.locator("#sign-in").click()
    expect(guest.page.get_by_text("The sign-in service cannot be reached")).to_be_visible()


# Renewal.


def count(guest: Guest) -> list[str]:
    """The requests for tokens, from now on."""
    found: list[str] = []
    guest.context.on(
        "request",
        lambda request: (
            found.append(request.post_data or "")
            if urlsplit(request.url).path == "/token"
            else None
        ),
    )
    return found


def test_a_token_is_renewed_before_it_ends_and_nothing_is_noticed(enter: Enter) -> None:
    guest = enter()
    guest.sign_in()
    before = guest.session
    sent = count(guest)
    guest.change("held.due = 0;")
    guest.say()
    expect_offered(guest.image)
    assert guest.session["refresh"] != before["refresh"]
    assert len(sent) == 1


def test_two_tabs_renew_once(enter: Enter) -> None:
    guest = enter()
    who = guest.sign_in()
    other = guest.open()
    expect(other.locator("#person")).to_have_text(who, timeout=TIMEOUT_MS)
    sent = count(guest)
    guest.change("held.due = 0;")
    for view in ("usage", "gallery", "create"):
        for tab in (guest.page, other):
            tab.evaluate("(view) => { location.hash = view; }", view)
    guest.say()
    expect_offered(guest.image)
    assert len(sent) == 1


def test_a_token_that_the_service_refuses_is_renewed_whatever_the_clock_shows(enter: Enter) -> None:
    guest = enter()
    who = guest.sign_in()
    old = guest.stack.local.issuer.token(who, exp=1_000_000)
    guest.change(f"held.token = {json.dumps(old)};")
    guest.say()
    expect_offered(guest.image)
    assert guest.session["token"] != old


# A click that the end of a session interrupts.


def interrupted(guest: Guest) -> None:
    """Click Generate when the session has ended for good."""
    guest.say()
    expect_offered(guest.image)
    heard(guest.page)
    guest.change(ENDED)
    approve(guest.image).click()
    expect(guest.page.get_by_text("the image that you clicked will be made")).to_be_visible(
        timeout=TIMEOUT_MS
    )


def test_an_interrupted_click_goes_on_after_signing_in_and_makes_one_image(enter: Enter) -> None:
    guest = enter()
    who = guest.sign_in()
    before = drawn(guest.stack)
    interrupted(guest)
    assert drawn(guest.stack) == before
    # The issuer still has its own session: nobody is asked anything.
    guest.page.locator("#sign-in").click()
    expect(guest.page.locator("#person")).to_have_text(who, timeout=TIMEOUT_MS)
    expect_seen(guest.image)
    assert drawn(guest.stack) == before + 1
    guest.page.reload()
    expect_seen(guest.image)
    assert drawn(guest.stack) == before + 1
    assert guest.errors == []


def test_signing_in_in_another_tab_is_enough(enter: Enter) -> None:
    guest = enter()
    guest.sign_in()
    before = drawn(guest.stack)
    interrupted(guest)
    other = guest.open()
    other.locator("#sign-in").click()
    expect_seen(guest.image)
    assert drawn(guest.stack) == before + 1


def test_somebody_else_who_signs_in_buys_nothing_and_sees_nothing(enter: Enter) -> None:
    guest = enter()
    guest.sign_in()
    before = drawn(guest.stack)
    interrupted(guest)
    guest.context.clear_cookies()
    other = guest.sign_in()
    expect(guest.page.locator("generated-image")).to_have_count(0)
    expect(guest.page.get_by_text(FOX)).to_have_count(0)
    assert guest.spent(other) == "0.000000"
    assert drawn(guest.stack) == before


def test_a_click_that_is_given_up_is_not_made_later(enter: Enter) -> None:
    guest = enter()
    guest.sign_in()
    before = drawn(guest.stack)
    interrupted(guest)
    guest.image.get_by_role("button", name="Stop waiting").click()
    with guest.page.expect_response("**/token"):
        guest.page.locator("#sign-in").click()
    expect(guest.page.locator("#spent")).to_contain_text("$0.00 spent", timeout=TIMEOUT_MS)
    assert drawn(guest.stack) == before


# Sign-out.


def test_signing_out_clears_everything_in_every_tab_and_at_the_issuer(enter: Enter) -> None:
    guest = enter()
    guest.sign_in()
    other = guest.open()
    guest.say()
    expect_offered(guest.image)
    heard(guest.page)
    approve(guest.image).click()
    expect_seen(guest.image)
    guest.sign_out()
    expect(guest.page).to_have_url(guest.url, timeout=TIMEOUT_MS)
    expect(other.get_by_text(NEED)).to_be_visible(timeout=TIMEOUT_MS)
    for tab in (guest.page, other):
        expect(tab.locator("generated-image")).to_have_count(0)
        expect(tab.get_by_text(FOX)).to_have_count(0)
        expect(tab.locator("#spent")).to_have_text("")
        assert tab.evaluate(KEPT) == []
    guest.page.locator("#sign-in").click()
    expect(guest.page.get_by_role("heading", name="Who are you?")).to_be_visible()


def test_the_next_person_sees_nothing_of_the_one_before_who_finds_their_images(
    enter: Enter,
) -> None:
    guest = enter()
    who = guest.sign_in()
    guest.say()
    expect_offered(guest.image)
    heard(guest.page)
    approve(guest.image).click()
    expect_seen(guest.image)
    guest.sign_out()
    guest.sign_in()
    expect(guest.page.locator("generated-image")).to_have_count(0)
    expect(guest.page.locator("#spent")).to_have_text("$0.00 spent", timeout=TIMEOUT_MS)
    guest.sign_out()
    guest.sign_in(who)
    guest.page.locator("nav a[href='#gallery']").click()
    expect(guest.page.locator("#gallery .tiles img").first).to_be_visible(timeout=TIMEOUT_MS)


# What an attacker may send.


def returned(guest: Guest) -> str:
    """Go through a sign-in up to the way back, which does not happen; its address."""
    kept: list[str] = []

    def hold(route: Route) -> None:
        if route.request.method != "POST":
            route.continue_()
            return
        kept.append(route.fetch(max_redirects=0).headers["location"])
        route.fulfill(body="Held.", content_type="text/plain")

    guest.context.route("**/authorize*", hold)
    guest.page.locator("#sign-in").click()
    guest.page.get_by_label("Somebody else").fill(f"guest-{uuid4()}")
    guest.page.get_by_role("button", name="Sign in").click()
    expect(guest.page.get_by_text("Held.")).to_be_visible(timeout=TIMEOUT_MS)
    guest.context.unroute("**/authorize*")
    return kept[0]


def expect_nobody(guest: Guest, words: str) -> None:
    expect(guest.page.get_by_text(words)).to_be_visible(timeout=TIMEOUT_MS)
    expect(guest.page.locator("#person")).to_have_text("Sign in")
    assert guest.page.evaluate("localStorage.getItem('imagegen.session')") is None
    expect(guest.page).to_have_url(guest.url)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("state", "forged", "does not belong to a sign-in that began in this tab"),
        ("iss", "https://evil.example", "not meant for this page"),
        ("code", "stolen", "took too long, or was used"),
    ],
)
def test_a_changed_answer_signs_nobody_in(enter: Enter, name: str, value: str, words: str) -> None:
    guest = enter()
    back = urlsplit(returned(guest))
    query = {key: one for key, (one,) in parse_qs(back.query).items()}
    changed = "&".join(f"{key}={one}" for key, one in {**query, name: value}.items())
    guest.page.goto(f"{guest.url}?{changed}")
    expect_nobody(guest, words)


def test_a_link_of_somebody_elses_sign_in_signs_nobody_in(enter: Enter) -> None:
    attacker, guest = enter(), enter()
    guest.page.goto(returned(attacker))
    expect_nobody(guest, "does not belong to a sign-in that began in this tab")


def test_going_back_to_a_used_code_changes_nothing(enter: Enter) -> None:
    guest = enter()
    back = returned(guest)
    guest.page.goto(back)
    expect(guest.page.locator("#spent")).to_contain_text("spent", timeout=TIMEOUT_MS)
    before = guest.session
    sent = count(guest)
    guest.page.goto(back)
    expect(guest.page.get_by_text("does not belong to a sign-in")).to_be_visible(timeout=TIMEOUT_MS)
    assert guest.session["id"] == before["id"]
    assert sent == []


@pytest.mark.parametrize(
    "claims",
    [{"nonce": "another"}, {"nonce": None}, {"iss": "https://evil.example"}, {"aud": "another"}],
)
def test_a_token_for_another_sign_in_signs_nobody_in(
    enter: Enter, claims: dict[str, str | None]
) -> None:
    guest = enter()

    def change(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        found = jwt.decode(body["id_token"], options={"verify_signature": False})
        body["id_token"] = jwt.encode({**found, **claims}, "k" * 32, "HS256")
        route.fulfill(response=answer, json=body)

    guest.context.route("**/token", change)
    guest.page.locator("#sign-in").click()
    guest.page.get_by_role("button", name="Alice").click()
    expect_nobody(guest, "not meant for this page")


def test_the_issuer_sends_nobody_elsewhere(enter: Enter) -> None:
    guest = enter()
    guest.page.locator("#sign-in").click()
    expect(guest.page.get_by_role("heading", name="Who are you?")).to_be_visible()
    asked = guest.page.url
    evil = asked.replace("redirect_uri=", "redirect_uri=https%3A%2F%2Fevil.example%2F&was=")
    guest.page.goto(evil)
    expect(guest.page.get_by_text("Nobody was sent anywhere")).to_be_visible()
