"""What the elements do: spend only on a click, say everything once, lose no focus, never lie."""

from typing import Any

import pytest
from playwright.sync_api import expect

from imagegen.site.words import LANGUAGES
from tests.browser.stage import (
    IMAGES,
    Gallery,
    OpenGallery,
    calls,
    read_fixture,
    settle,
    state,
)
from tests.browser.test_languages import speak

IMAGE = read_fixture("complete")["data"]["image"]
PROBLEM = read_fixture("error")["data"]["problem"]
GONE = read_fixture("gone")["data"]["problem"]
STARTED = {"startedAt": "2026-11-22T10:00:07.000Z"}
ABSENT = {
    "status": 404, "code": "not_found", "detail": "There is no such image.", "charged": False,
}  # fmt: skip
LOST = {"code": "network", "status": 0, "detail": "The service could not be reached."}
FRAMES = (
    "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))"
)
FOCUSED = """() => { const shadow = document.activeElement.shadowRoot;
  return [document.activeElement.tagName, shadow?.activeElement?.className ?? null]; }"""


@pytest.fixture
def gallery(open_gallery: OpenGallery) -> Gallery:
    return open_gallery(permissions=["clipboard-read", "clipboard-write"], accept_downloads=True)


def press(gallery: Gallery, text: str) -> None:
    gallery.element.get_by_role("button", name=text).click()


def test_a_click_sends_the_quote_once_and_shows_the_image(gallery: Gallery) -> None:
    gallery.show("pending", ticking=True)
    press(gallery, "Generate Image for $0.0527")
    assert state(gallery) == "starting"
    settle(gallery, "(record) => client.progress('generate', record)", STARTED)
    assert state(gallery) == "generating"
    settle(gallery, "(image) => client.resolve('generate', image)", IMAGE)
    assert state(gallery) == "complete"
    known = read_fixture("pending")["data"]
    assert [call[:3] for call in calls(gallery)] == [
        ["generate", known["estimate"]["quote"], known["prompt"]]
    ]
    assert "$0.0527 charged, as quoted." in gallery.text


def test_twenty_rapid_clicks_are_one_request(gallery: Gallery) -> None:
    gallery.show("pending")
    gallery.evaluate(
        """(element) => { const button = element.shadowRoot.querySelector(".offer .main");
          for (let i = 0; i < 20; i += 1) button.click(); }"""
    )
    assert [call[0] for call in calls(gallery)] == ["generate"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_below_moves_from_the_click_to_the_image(
    open_gallery: OpenGallery, language: str
) -> None:
    for width in (320, 390, 620, 768, 1280):
        gallery = open_gallery(width=width)
        gallery.show("pending")
        speak(gallery, language)
        # An offer is three lines: the click makes room for the picture.
        gallery.evaluate("(element) => element.shadowRoot.querySelector('.offer .main').click()")
        gallery.page.evaluate(FRAMES)
        gallery.page.evaluate(
            """() => { window.shifts = []; new PerformanceObserver((list) => window.shifts.push(
                 ...list.getEntries().map((one) => one.value)))
                 .observe({ type: "layout-shift", buffered: false }); }"""
        )
        top = gallery.page.locator("#after").bounding_box()
        settle(gallery, "(record) => client.progress('generate', record)", STARTED)
        settle(gallery, "(image) => client.resolve('generate', image)", IMAGE)
        gallery.until(
            "document.querySelector('#subject').shadowRoot.querySelector('.link img').complete"
        )
        gallery.page.evaluate(FRAMES)
        assert gallery.page.locator("#after").bounding_box() == top
        assert gallery.page.evaluate("window.shifts") == []


def test_each_change_is_said_once_and_a_tick_never(gallery: Gallery) -> None:
    gallery.show("pending", ticking=True)
    assert gallery.said == []
    press(gallery, "Generate Image")
    settle(gallery, "(record) => client.progress('generate', record)", STARTED)
    gallery.page.clock.run_for(30_000)
    assert "32 s · usually 40 s" in gallery.text or "30 s · usually 40 s" in gallery.text
    gallery.page.clock.run_for(60_000)
    settle(gallery, "(image) => client.resolve('generate', image)", IMAGE)
    assert gallery.said == [
        "Starting. You pay at most $0.0527 once, and only for an image you get.",
        "Generating, usually 40 s.",
        "Still working, longer than usual.",
        "Image complete. $0.0527 charged, as quoted.",
    ]


def test_the_status_region_is_there_and_empty_before_anything_is_said(gallery: Gallery) -> None:
    assert gallery.show("complete") == "complete"
    assert gallery.element.locator("[role=status]").inner_text() == ""


def test_a_price_expires_by_itself_and_a_new_one_is_shown_not_spent(gallery: Gallery) -> None:
    gallery.show("pending", ticking=True)
    gallery.page.clock.run_for(600_000)
    assert state(gallery) == "expired"
    press(gallery, "Get a new price")
    settle(gallery, "(problem) => client.reject('status', problem)", ABSENT)
    fresh = read_fixture("pending-range")["data"]["estimate"]
    fresh |= {"expiresAt": "2026-11-22T10:30:00.000Z"}
    settle(gallery, "(estimate) => client.resolve('estimate', estimate)", fresh)
    assert state(gallery) == "pending-range"
    assert [call[0] for call in calls(gallery)] == ["status", "estimate"]
    # As it was requested, not as the model's pixels.
    assert calls(gallery)[1][1]["size"] == "square"


def test_a_second_enter_on_retry_cannot_spend(gallery: Gallery) -> None:
    gallery.show("error")
    gallery.element.get_by_role("button", name="Get a new price").focus()
    gallery.page.keyboard.press("Enter")
    gallery.page.keyboard.press("Enter")
    settle(
        gallery,
        "(estimate) => client.resolve('estimate', estimate)",
        read_fixture("pending")["data"]["estimate"],
    )
    gallery.page.keyboard.press("Enter")
    assert state(gallery) == "pending"
    assert [call[0] for call in calls(gallery)] == ["estimate"]


def test_stopping_says_that_the_run_may_go_on_and_shows_a_late_image(gallery: Gallery) -> None:
    gallery.show("pending", ticking=True)
    press(gallery, "Generate Image")
    press(gallery, "Stop waiting")
    assert "it costs at most $0.0527 and appears here" in gallery.text
    assert [call[0] for call in calls(gallery)] == ["generate", "watch"]
    assert calls(gallery)[1][2]["slow"] is True
    settle(gallery, "(image) => client.resolve('watch', image)", IMAGE | {"status": "complete"})
    assert state(gallery) == "complete"
    assert "made after you stopped waiting" in gallery.text
    assert "$0.0527 charged" in gallery.text
    # The first request answers too; the same image is not said twice.
    settle(gallery, "(image) => client.resolve('generate', image)", IMAGE)
    assert len(gallery.said) == 3


def test_stopping_says_when_nothing_was_charged(gallery: Gallery) -> None:
    gallery.show("pending")
    press(gallery, "Generate Image")
    press(gallery, "Stop waiting")
    settle(gallery, "(problem) => client.reject('generate', problem)", PROBLEM)
    assert state(gallery) == "cancelled"
    assert "You were not charged." in gallery.text
    expect(gallery.element.get_by_role("button", name="Get a new price")).to_be_visible()


def test_a_stopped_wait_is_taken_up_again_after_a_reload(gallery: Gallery) -> None:
    gallery.show("cancelled")
    assert calls(gallery)[0][0] == "watch"
    assert calls(gallery)[0][2]["until"] == 1795342200000


def test_declining_is_quiet_and_can_be_undone(gallery: Gallery) -> None:
    gallery.show("pending")
    press(gallery, "Not now")
    assert state(gallery) == "declined"
    press(gallery, "Undo")
    assert state(gallery) == "pending"
    assert calls(gallery) == []


def test_a_refused_prompt_is_edited_and_priced_again(gallery: Gallery) -> None:
    gallery.show("refused")
    box = gallery.element.get_by_label("Change the prompt")
    assert box.input_value() == read_fixture("refused")["data"]["prompt"]
    box.fill("A portrait of a smiling lighthouse keeper")
    press(gallery, "Get a price")
    name, wish = calls(gallery)[0][:2]
    assert (name, wish["prompt"]) == ("estimate", "A portrait of a smiling lighthouse keeper")


def test_a_limit_opens_when_it_said_it_would(gallery: Gallery) -> None:
    gallery.show("limited", ticking=True)
    retry = gallery.element.get_by_role("button", name="Get a new price")
    assert retry.get_attribute("aria-disabled") == "true"
    gallery.evaluate("(element) => element.shadowRoot.querySelector('.redo button').click()")
    assert calls(gallery) == []
    gallery.page.clock.run_for(1_500_000)
    assert retry.get_attribute("aria-disabled") == "false"
    assert "It is open again." in gallery.text


def test_a_lost_connection_claims_nothing_and_is_looked_into_before_a_new_price(
    gallery: Gallery,
) -> None:
    gallery.show("pending")
    press(gallery, "Generate Image")
    settle(gallery, "(problem) => client.reject('generate', problem)", LOST)
    assert "You pay only if it was, at most $0.0527." in gallery.text
    assert "not charged" not in gallery.text
    press(gallery, "Check again")
    settle(gallery, "(image) => client.resolve('status', image)", IMAGE)
    assert state(gallery) == "complete"
    assert [call[0] for call in calls(gallery)] == ["generate", "status"]


def test_a_run_in_data_is_looked_for_and_never_bought(gallery: Gallery) -> None:
    gallery.show("generating")
    assert [call[0] for call in calls(gallery)] == ["watch"]
    settle(gallery, "(problem) => client.reject('watch', problem)", ABSENT)
    # Nobody confirmed it: data alone is no click. The same offer is open again.
    assert state(gallery) == "pending"
    assert [call[0] for call in calls(gallery)] == ["watch"]
    press(gallery, "Generate Image for $0.0527")
    settle(gallery, "(image) => client.resolve('generate', image)", IMAGE)
    assert state(gallery) == "complete"


def test_a_click_of_this_tab_is_not_asked_for_again_after_a_reload(gallery: Gallery) -> None:
    gallery.show("pending")
    press(gallery, "Generate Image for $0.0527")
    clicked = gallery.evaluate("(element) => element.data")
    gallery.show(read_fixture("pending") | {"data": clicked})
    settle(gallery, "(problem) => client.reject('watch', problem)", ABSENT)
    assert [call[0] for call in calls(gallery)] == ["watch", "generate"]
    assert calls(gallery)[1][1] == read_fixture("pending")["data"]["estimate"]["quote"]


def test_another_quote_under_the_id_of_a_click_is_not_sent(gallery: Gallery) -> None:
    gallery.show("pending")
    press(gallery, "Generate Image for $0.0527")
    forged = gallery.evaluate("(element) => element.data")
    forged["estimate"]["quote"] = "q1.k1.another-offer.another-signature"
    gallery.show(read_fixture("pending") | {"data": forged})
    settle(gallery, "(problem) => client.reject('watch', problem)", ABSENT)
    assert [call[0] for call in calls(gallery)] == ["watch"]
    assert state(gallery) == "pending"


def test_an_old_run_that_nobody_knows_is_not_bought_again(gallery: Gallery) -> None:
    known = read_fixture("generating") | {"now": "2026-11-23T10:00:00Z"}
    gallery.show(known)
    settle(
        gallery,
        "(problem) => client.reject('watch', problem)",
        {"status": 404, "code": "not_found", "detail": "There is no such image.", "charged": False},
    )
    assert [call[0] for call in calls(gallery)] == ["watch"]
    assert state(gallery) == "error"


def show_address(gallery: Gallery) -> None:
    """Show an element that has nothing but the address of an image."""
    gallery.page.evaluate(
        f"""async () => {{
          const {{ stubClient }} = await import("/gallery/gallery.js");
          const element = document.createElement("generated-image");
          element.id = "subject"; window.client = element.client = stubClient();
          element.setAttribute("src", "{IMAGES}/images/abc");
          document.querySelector("#stage").replaceChildren(element);
        }}"""
    )


def test_an_image_is_shown_from_its_address_alone(gallery: Gallery) -> None:
    show_address(gallery)
    assert calls(gallery)[0][:2] == ["watch", f"{IMAGES}/images/abc"]
    record = read_fixture("complete-status")["data"]["image"]
    settle(gallery, "(image) => client.resolve('watch', image)", record)
    assert state(gallery) == "complete"
    alt = gallery.element.locator(".link img").get_attribute("alt")
    assert alt == "Generated image"


def test_a_file_that_is_gone_says_so_and_keeps_the_prompt(gallery: Gallery) -> None:
    gallery.page.route(f"{IMAGES}/images/**", lambda route: route.fulfill(status=410, body=""))
    gallery.show("complete")
    gallery.until("client.calls.length === 1")
    settle(gallery, "(problem) => client.reject('status', problem)", GONE)
    assert state(gallery) == "gone"
    assert read_fixture("complete")["data"]["prompt"] in gallery.text


def test_the_link_the_markdown_and_the_file_are_what_they_say(gallery: Gallery) -> None:
    gallery.show("complete")
    press(gallery, "Copy link")
    expect(gallery.element.get_by_text("Link copied.").first).to_be_attached()
    assert gallery.page.evaluate("navigator.clipboard.readText()") == IMAGE["imageUrl"]
    press(gallery, "Copy as Markdown")
    expect(gallery.element.get_by_text("Markdown copied.").first).to_be_attached()
    copied = gallery.page.evaluate("navigator.clipboard.readText()")
    assert copied == f"![{IMAGE['alt']}]({IMAGE['imageUrl']})"
    with gallery.page.expect_download() as download:
        press(gallery, "Download")
    name = download.value.suggested_filename
    assert name == "a-red-fox-asleep-in-fresh-snow-morning-light-thr.png"
    assert download.value.path().read_bytes().startswith(b"\x89PNG")


def test_a_page_of_html_is_not_saved_as_a_picture(gallery: Gallery) -> None:
    gallery.show("complete")
    gallery.page.route(
        f"{IMAGES}/images/**",
        lambda route: route.fulfill(
            body="<html>", content_type="text/html", headers={"access-control-allow-origin": "*"}
        ),
    )
    press(gallery, "Download")
    expect(gallery.element.get_by_text("The download failed.").first).to_be_attached()


def test_a_refused_clipboard_shows_what_was_to_be_copied(open_gallery: OpenGallery) -> None:
    gallery = open_gallery(permissions=[])
    gallery.page.evaluate(
        "() => { navigator.clipboard.writeText = () => Promise.reject(new Error()); }"
    )
    gallery.show("complete")
    press(gallery, "Copy link")
    expect(gallery.element.locator(".money")).to_contain_text(IMAGE["imageUrl"])


@pytest.mark.parametrize(
    ("name", "button", "kind"),
    [
        ("pending", "Generate Image", "image-approve"),
        ("pending", "Not now", "image-decline"),
        ("generating", "Stop waiting", "image-cancel"),
        ("error", "Get a new price", "image-retry"),
        ("complete", "Copy link", "image-copy"),
        ("complete", "Copy as Markdown", "image-grab"),
        ("complete", "LLM info", "image-info"),
    ],
)
def test_a_host_that_prevents_the_default_does_it_itself(
    gallery: Gallery, name: str, button: str, kind: str
) -> None:
    gallery.show(name)
    before = calls(gallery)
    gallery.page.evaluate(f"document.addEventListener('{kind}', (event) => event.preventDefault())")
    press(gallery, button)
    assert [event[0] for event in gallery.page.evaluate("events")] == [kind]
    assert calls(gallery) == before
    assert state(gallery) == name
    assert gallery.element.locator("dialog[open]").count() == 0


def test_a_host_that_approves_itself_sets_the_data_and_the_element_asks_nobody(
    gallery: Gallery,
) -> None:
    gallery.show("pending")
    gallery.page.evaluate(
        """document.addEventListener("image-approve", (event) => { event.preventDefault();
          event.target.data = { ...event.target.data, status: "generating" }; })"""
    )
    press(gallery, "Generate Image")
    assert state(gallery) == "starting"
    assert calls(gallery) == []


def test_every_change_is_told_to_the_host(gallery: Gallery) -> None:
    gallery.show("pending")
    press(gallery, "Generate Image")
    settle(gallery, "(image) => client.resolve('generate', image)", IMAGE)
    assert gallery.page.evaluate("events") == [
        ["image-approve", "pending"],
        ["image-change", "generating"],
        ["image-change", "complete"],
    ]


def tab_to(gallery: Gallery, text: str) -> None:
    for _ in range(20):
        gallery.page.keyboard.press("Tab")
        if gallery.page.evaluate(
            """(text) => { let one = document.activeElement;
              while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
              return one?.textContent.includes(text) || one?.value === text; }""",
            text,
        ):
            return
    raise AssertionError(f"Tab does not reach {text!r}")


def test_everything_is_done_without_a_pointer_and_the_focus_is_never_lost(
    gallery: Gallery,
) -> None:
    def act(text: str) -> None:
        gallery.page.evaluate("document.activeElement?.blur()")
        tab_to(gallery, text)
        gallery.page.keyboard.press("Enter")
        tag, _ = gallery.page.evaluate(FOCUSED)
        assert tag == "GENERATED-IMAGE", text

    gallery.show("pending")
    act("Not now")
    act("Undo")
    act("Generate Image")
    act("Stop waiting")
    settle(gallery, "(problem) => client.reject('generate', problem)", PROBLEM)
    act("Get a new price")
    fresh = read_fixture("pending")["data"]["estimate"]
    settle(gallery, "(estimate) => client.resolve('estimate', estimate)", fresh)
    assert gallery.page.evaluate(FOCUSED)[0] == "GENERATED-IMAGE"
    act("Generate Image")
    settle(gallery, "(image) => client.resolve('generate', image)", IMAGE)
    assert gallery.page.evaluate(FOCUSED)[0] == "GENERATED-IMAGE"
    for text in ("Copy link", "Copy as Markdown", "Download", "Details"):
        act(text)
    act("LLM info")
    expect(gallery.element.locator("dialog[open]")).to_be_visible()
    gallery.page.keyboard.press("Escape")
    expect(gallery.element.locator("dialog[open]")).to_have_count(0)
    assert gallery.page.evaluate(FOCUSED) == ["GENERATED-IMAGE", ""]


def test_the_text_of_the_picture_is_short_never_empty_and_the_hosts_if_given(
    gallery: Gallery,
) -> None:
    known = read_fixture("complete")
    known["data"]["image"]["alt"] = known["data"]["prompt"] = "word " * 100
    gallery.show(known)
    picture = gallery.element.locator(".link img")
    assert 0 < len(picture.get_attribute("alt") or "") <= 200
    gallery.show("complete", alt="A fox, seen from above")
    assert picture.get_attribute("alt") == "A fox, seen from above"


def test_a_limit_runs_on_where_the_host_sets_what_it_was_told(gallery: Gallery) -> None:
    gallery.show("limited", ticking=True)
    gallery.page.clock.run_for(600_000)
    gallery.evaluate("(element) => { element.data = structuredClone(element.data); }")
    assert "Opens again at 10:25" in gallery.text


def test_a_client_that_breaks_leaves_open_whether_there_is_an_image(gallery: Gallery) -> None:
    gallery.show("pending")
    gallery.page.evaluate("() => { client.generate = () => Promise.reject(new Error('odd')); }")
    press(gallery, "Generate Image")
    assert state(gallery) == "error"
    assert "You pay only if it was" in gallery.text


UNKNOWN = {
    "token ended": {"status": 401, "code": "unauthorized", "detail": "The token is not valid."},
    "scope": {"status": 403, "code": "forbidden", "detail": "The scope is missing."},
    "ledger away": {"status": 503, "code": "store_unavailable", "detail": "Try again."},
    "our bug": {"status": 500, "code": "internal_error", "detail": "An unexpected error."},
    "key dropped": {"status": 400, "code": "quote_invalid", "detail": "The quote is not valid."},
    "a limit, not looked": {"status": 429, "code": "hourly_images", "detail": "All are used."},
    "a refusal, not looked": {"status": 422, "code": "content_refused", "detail": "Change it."},
    "gateway": {"status": 502, "code": "network", "detail": "No answer."},
}
unknown = pytest.mark.parametrize("problem", [one | {"charged": None} for one in UNKNOWN.values()])
RUNNING = {"id": IMAGE["id"], "status": "generating", "startedAt": "2026-11-22T10:00:07.000Z"}


def test_a_preview_frame_is_shown_once_and_gone_when_its_attempt_failed(gallery: Gallery) -> None:
    def shown() -> str:
        script = "(element) => element.shadowRoot.querySelector('.seen').src"
        found: str = gallery.evaluate(script)
        return found

    def look(preview: dict[str, Any] | None) -> None:
        told = RUNNING | {"preview": preview}
        settle(gallery, "(record) => client.progress('generate', record)", told)

    gallery.show("pending", ticking=True)
    press(gallery, "Generate Image")
    look(None)
    assert state(gallery) == "generating"
    look({"index": 0, "url": "https://f.test/a?signed=1"})
    assert state(gallery) == "preview"
    look({"index": 0, "url": "https://f.test/a?signed=2"})
    assert shown().endswith("signed=1")
    look({"index": 1, "url": "https://f.test/b?signed=3"})
    assert shown().endswith("signed=3")
    look(None)
    assert state(gallery) == "generating"
    settle(gallery, "(image) => client.resolve('generate', image)", IMAGE)
    assert state(gallery) == "complete"


def fail(gallery: Gallery, problem: dict[str, Any]) -> None:
    gallery.show("pending")
    press(gallery, "Generate Image")
    settle(gallery, "(problem) => client.reject('generate', problem)", problem)


def buttons(gallery: Gallery) -> list[str]:
    shown = gallery.element.locator(".card button").filter(visible=True).all()
    return [one.inner_text() for one in shown]


@unknown
def test_an_error_that_leaves_it_open_offers_a_look_and_nothing_else(
    gallery: Gallery, problem: dict[str, Any]
) -> None:
    fail(gallery, problem)
    assert "not charged" not in gallery.text
    assert "You pay only if it was, at most $0.0527." in gallery.text
    assert buttons(gallery) == ["Check again"]
    # It looks by itself, too, and asks for no price meanwhile.
    assert [call[0] for call in calls(gallery)] == ["generate", "status"]
    settle(gallery, "(problem) => client.reject('status', problem)", LOST)
    assert buttons(gallery) == ["Check again"]
    press(gallery, "Check again")
    settle(gallery, "(problem) => client.reject('status', problem)", LOST)
    assert buttons(gallery) == ["Check again"]
    assert {call[0] for call in calls(gallery)} == {"generate", "status"}


@unknown
def test_a_look_shows_the_image_that_was_made(gallery: Gallery, problem: dict[str, Any]) -> None:
    fail(gallery, problem)
    settle(gallery, "(image) => client.resolve('status', image)", IMAGE)
    assert state(gallery) == "complete"
    assert "$0.0527 charged" in gallery.text


@unknown
def test_a_look_follows_a_run(gallery: Gallery, problem: dict[str, Any]) -> None:
    fail(gallery, problem)
    settle(gallery, "(record) => client.resolve('status', record)", RUNNING)
    assert state(gallery) == "generating"
    settle(gallery, "(image) => client.resolve('watch', image)", IMAGE)
    assert state(gallery) == "complete"


def test_a_look_that_finds_nothing_leads_back_to_the_same_offer(gallery: Gallery) -> None:
    fail(gallery, UNKNOWN["token ended"] | {"charged": None})
    settle(gallery, "(problem) => client.reject('status', problem)", ABSENT)
    assert "The service does not accept your sign-in." in gallery.text
    assert "You were not charged." in gallery.text
    press(gallery, "Back to the offer")
    assert buttons(gallery)[-2:] == ["Generate Image for $0.0527", "Not now"]
    quote = read_fixture("pending")["data"]["estimate"]["quote"]
    press(gallery, "Generate Image for $0.0527")
    sent = [call[1] for call in calls(gallery) if call[0] == "generate"]
    assert sent == [quote, quote]


def test_a_look_that_finds_a_failed_run_says_what_it_came_to(gallery: Gallery) -> None:
    fail(gallery, UNKNOWN["ledger away"] | {"charged": None})
    record = {"status": "failed", "charged": False, "code": "generation_failed", "retryable": True}
    settle(gallery, "(record) => client.resolve('status', record)", record)
    assert "You were not charged." in gallery.text
    assert buttons(gallery) == ["Get a new price"]


def test_a_failed_run_of_which_the_charge_is_not_known_stays_open(gallery: Gallery) -> None:
    fail(gallery, UNKNOWN["ledger away"] | {"charged": None})
    record = {"status": "failed", "charged": None, "code": "generation_failed"}
    settle(gallery, "(record) => client.resolve('status', record)", record)
    assert "not charged" not in gallery.text
    assert buttons(gallery) == ["Check again"]


def test_a_charged_image_that_cannot_be_read_is_not_sold_again(gallery: Gallery) -> None:
    fail(gallery, UNKNOWN["ledger away"] | {"charged": True})
    assert "It was charged." in gallery.text
    assert buttons(gallery) == ["Check again"]
    settle(gallery, "(image) => client.resolve('status', image)", IMAGE)
    assert state(gallery) == "complete"


@pytest.mark.parametrize("name", ["error-unknown", "error-charged"])
def test_a_tab_that_is_opened_again_looks_at_once(gallery: Gallery, name: str) -> None:
    gallery.show(name)
    assert [call[0] for call in calls(gallery)] == ["status"]
    settle(gallery, "(image) => client.resolve('status', image)", IMAGE)
    assert state(gallery) == "complete"


def test_the_network_that_is_back_is_looked_through(gallery: Gallery) -> None:
    fail(gallery, LOST | {"charged": None})
    settle(gallery, "(problem) => client.reject('status', problem)", LOST)
    gallery.page.evaluate("() => { dispatchEvent(new Event('online')); }")
    settle(gallery, "(image) => client.resolve('status', image)", IMAGE)
    assert state(gallery) == "complete"


def test_who_stopped_waiting_is_told_nothing_that_nobody_looked_for(gallery: Gallery) -> None:
    gallery.show("pending")
    press(gallery, "Generate Image")
    press(gallery, "Stop waiting")
    problem = UNKNOWN["token ended"] | {"charged": None}
    settle(gallery, "(problem) => client.reject('generate', problem)", problem)
    assert "not charged" not in gallery.text
    assert buttons(gallery) == ["Check again"]
    settle(gallery, "(problem) => client.reject('status', problem)", ABSENT)
    assert "You were not charged." in gallery.text


def test_an_offer_that_expired_here_and_was_bought_in_another_tab_is_shown(
    gallery: Gallery,
) -> None:
    gallery.show("expired")
    assert "not charged" not in gallery.text
    press(gallery, "Get a new price")
    settle(gallery, "(image) => client.resolve('status', image)", IMAGE)
    assert state(gallery) == "complete"
    assert "estimate" not in {call[0] for call in calls(gallery)}


def test_an_offer_that_expired_gets_no_new_price_while_the_look_fails(gallery: Gallery) -> None:
    gallery.show("expired")
    press(gallery, "Get a new price")
    settle(gallery, "(problem) => client.reject('status', problem)", LOST)
    assert state(gallery) == "expired"
    assert "estimate" not in {call[0] for call in calls(gallery)}


@pytest.mark.parametrize(
    "record", [{"status": "complete", "problem": None}, {"status": "failed", "problem": None}]
)
def test_a_state_without_its_facts_is_looked_up(gallery: Gallery, record: dict[str, Any]) -> None:
    known = read_fixture("error")
    gallery.show(known | {"data": known["data"] | record})
    assert "not charged" not in gallery.text
    settle(gallery, "(image) => client.resolve('status', image)", IMAGE)
    assert state(gallery) == "complete"


def test_an_address_that_leads_nowhere_is_an_error_and_no_offer(gallery: Gallery) -> None:
    show_address(gallery)
    settle(gallery, "(problem) => client.reject('watch', problem)", ABSENT)
    assert "There is no image here" in gallery.text
    assert buttons(gallery) == ["Check again"]


def test_a_press_shows_the_picture_as_large_as_the_window(gallery: Gallery) -> None:
    gallery.show("complete")
    gallery.element.locator(".link").focus()
    gallery.page.keyboard.press("Enter")
    box = gallery.element.get_by_role("dialog")
    expect(box).to_be_visible()
    assert box.bounding_box() == {"x": 0, "y": 0, "width": 768, "height": 900}
    assert box.locator("img").get_attribute("src") == IMAGE["imageUrl"]
    gallery.page.keyboard.press("Escape")
    expect(box).to_have_count(0)
    assert gallery.page.evaluate(FOCUSED) == ["GENERATED-IMAGE", "link"]
    gallery.element.locator(".link").click()
    expect(box).to_be_visible()
    box.click(position={"x": 5, "y": 5})
    expect(box).to_have_count(0)
