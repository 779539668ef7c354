"""An element before anything was loaded for it: an offer needs nothing more until it is clicked."""

import pytest
from playwright.sync_api import Route

from tests.browser.stage import Gallery, OpenGallery, answer_images, calls, look_until, state

CHOICES = ".choices button"
LATE = ("later.js", "element-acts.js", "client-run.js", "picture-acts.js")


@pytest.fixture
def gallery(open_gallery: OpenGallery, static_url: str) -> Gallery:
    """Return a gallery that has loaded what an offer needs, and nothing else."""
    opened = open_gallery()
    opened.page.goto(f"{static_url}/gallery/?before-the-click")
    opened.until("window.ready")
    opened.requests.clear()
    return opened


@pytest.fixture
def held(gallery: Gallery) -> list[Route]:
    """Return the requests for what comes after the click; each waits until a test answers it."""
    routes: list[Route] = []
    gallery.page.route("**/later.js", lambda route: routes.append(route))  # noqa: PLW0108
    return routes


def names(gallery: Gallery) -> list[str]:
    return [name for name, *_ in calls(gallery)]


def wait_for(gallery: Gallery, held: list[Route]) -> Route:
    """Return the request that is held, once there is one."""

    def has_come() -> bool:
        # Playwright calls handlers while it waits for an answer.
        gallery.page.evaluate("() => Promise.resolve()")
        return bool(held)

    look_until(has_come, "later.js is asked for")
    return held[-1]


@pytest.mark.parametrize("name", ["pending", "pending-range", "declined"])
def test_an_offer_asks_for_no_other_file(gallery: Gallery, name: str) -> None:
    gallery.show(name)
    late = [url for url in gallery.requests if url.rsplit("/", 1)[-1] in LATE]
    assert late == []


def test_the_click_that_spends_waits_for_nothing_else(gallery: Gallery, held: list[Route]) -> None:
    gallery.show("pending")
    gallery.element.locator(".offer .main").click()
    assert (names(gallery), state(gallery)) == (["generate"], "starting")
    route = wait_for(gallery, held)
    gallery.page.evaluate(
        "() => client.progress('generate', { id: 'x', startedAt: '2026-11-22T10:00:00Z' })"
    )
    assert state(gallery) == "generating"
    route.continue_()
    gallery.until("subject.shadowRoot.querySelector('.head').textContent === 'Generating'")
    assert names(gallery) == ["generate"]


def test_while_a_choice_waits_for_its_code_the_offer_cannot_be_confirmed(
    gallery: Gallery, held: list[Route]
) -> None:
    gallery.show("pending")
    gallery.element.locator(CHOICES).nth(1).click()
    approve = gallery.element.locator(".offer .main")
    assert approve.get_attribute("aria-disabled") == "true"
    gallery.evaluate("(element) => element.shadowRoot.querySelector('.offer .main').click()")
    # A second choice meanwhile asks for nothing more.
    gallery.element.locator(CHOICES).nth(2).click()
    assert names(gallery) == []
    wait_for(gallery, held).continue_()
    gallery.until("client.calls.length")
    assert names(gallery) == ["estimate"]
    assert approve.get_attribute("aria-disabled") == "true"


def test_a_choice_of_an_offer_that_is_no_longer_shown_asks_for_nothing(
    gallery: Gallery, held: list[Route]
) -> None:
    gallery.show("pending")
    gallery.element.locator(CHOICES).nth(1).click()
    gallery.evaluate("(element) => { element.data = { ...element.data, id: 'b'.repeat(64) }; }")
    wait_for(gallery, held).continue_()
    approve = "subject.shadowRoot.querySelector('.offer .main')"
    gallery.until(f"{approve}.ariaDisabled === 'false'")
    assert names(gallery) == []


def test_a_choice_whose_code_cannot_be_loaded_leaves_the_offer(
    gallery: Gallery, held: list[Route]
) -> None:
    gallery.show("pending")
    gallery.element.locator(CHOICES).nth(1).click()
    wait_for(gallery, held).abort()
    gallery.until(
        "subject.shadowRoot.querySelector('.money').textContent.includes('cannot be reached')"
    )
    assert names(gallery) == []
    gallery.element.locator(".offer .main").click()
    assert names(gallery) == ["generate"]


def test_a_picture_that_failed_before_is_found(gallery: Gallery, held: list[Route]) -> None:
    gallery.page.route("https://images.example/**", lambda route: route.abort())
    gallery.show("complete")
    gallery.until("subject.shadowRoot.querySelector('.link img').complete")
    wait_for(gallery, held).continue_()
    gallery.until("subject.hasAttribute('data-lost')")
    gallery.page.unroute("https://images.example/**")
    gallery.page.route("https://images.example/**", answer_images)
    gallery.element.locator(".heal").click()
    gallery.until("!subject.hasAttribute('data-lost')")


def test_what_could_not_be_loaded_is_tried_again(gallery: Gallery, held: list[Route]) -> None:
    gallery.show("complete", ticking=True)
    wait_for(gallery, held).abort()
    gallery.until("subject.shadowRoot.querySelector('.head').textContent === 'Loading'")
    held.clear()
    gallery.page.clock.run_for(5_000)
    wait_for(gallery, held).continue_()
    gallery.until("subject.shadowRoot.querySelector('.money').textContent.includes('charged')")
