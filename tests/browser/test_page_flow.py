"""From words or a form to a picture, on the deployed page."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Route, expect

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
    price_of,
)
from tests.browser.stage import look_until
from tests.stack.driver import Driver

pytest_plugins = ["tests.browser.deployed"]

WITHOUT_AN_END = """() => {
  const { fetch } = window;
  window.fetch = async (...given) => {
    const answer = await fetch(...given);
    if (!answer.headers.get("content-type")?.startsWith("text/event-stream")) return answer;
    const begun = (await answer.text()).split("event: message_complete")[0];
    const start = (stream) => {
      stream.enqueue(new TextEncoder().encode(begun));
      given[1].signal.addEventListener("abort", () => stream.error(given[1].signal.reason));
    };
    return new Response(new ReadableStream({ start }), answer);
  };
}"""
"""The end of an answer never comes."""
HOSTILE = [
    "Draw <img src=x onerror=window.hit=1> a fox",
    'Draw "><script>window.hit=1</script> a fox',
    "Draw **bold** [a](javascript:window.hit=1) a fox",
    "Draw \u202egnp.exe\u202c a fox ${7*7} {{7*7}} </p></template>",
]


def test_words_become_a_price_a_click_and_a_picture(visit: Visit, stack: Driver) -> None:
    visitor = visit()
    visitor.say(FOX)
    image = visitor.images.first
    expect_offered(image)
    assert drawn(stack) == 0
    price = price_of(image)
    approve(image).click()
    expect_seen(image)
    expect_state(image, "complete")
    usage = visitor.person.usage()
    assert (usage["images"], drawn(stack)) == (1, 1)
    spent = usage["spent"].rstrip("0")
    assert float(spent) <= float(price.removeprefix("$"))
    expect(image.locator(".money")).to_contain_text(f"${spent} charged")
    expect(visitor.page.locator("#spent")).to_have_text(f"${spent} spent", timeout=TIMEOUT_MS)
    visitor.page.screenshot(path=STATE / "screens" / "page-complete.png")


def test_one_message_may_ask_for_several_images(visit: Visit, stack: Driver) -> None:
    visitor = visit()
    visitor.say("Sketch two logos for a bakery, fast quality")
    expect(visitor.images).to_have_count(2, timeout=TIMEOUT_MS)
    approve(visitor.images.nth(1)).click()
    expect_seen(visitor.images.nth(1))
    expect_offered(visitor.images.nth(0))
    assert drawn(stack) == 1
    visitor.page.screenshot(path=STATE / "screens" / "page-two-images.png")


def test_every_call_of_a_conversation_is_listed_with_its_cost(visit: Visit) -> None:
    visitor = visit()
    visitor.say(FOX)
    approve(visitor.images.first).click()
    expect_state(visitor.images.first, "complete")
    visitor.hear()
    drawer = visitor.develop()
    button = drawer.get_by_role("button", name=re.compile("^LLM info:"))
    button.click()
    rows = drawer.locator("llm-info tbody tr")
    expect(rows).to_have_count(3)
    assert [one.locator("td").first.inner_text() for one in rows.all()] == ["Text", "Text", "Image"]
    visitor.page.screenshot(path=STATE / "screens" / "page-llm-info.png")
    visitor.page.keyboard.press("Escape")
    expect(button).to_be_focused()


def test_the_composer_shows_the_price_while_the_words_are_written(
    visit: Visit, stack: Driver
) -> None:
    visitor = visit()
    price = visitor.page.locator("#price")
    visitor.set(quality="fast")
    visitor.page.get_by_label("Message", exact=True).fill("A lighthouse at dawn")
    expect(price).to_contain_text("at most $", timeout=TIMEOUT_MS)
    cheap = price.inner_text()
    between: list[str] = []

    def look(route: Route) -> None:
        between.append(price.inner_text())
        route.continue_()

    visitor.page.route("**/estimate", look, times=1)
    visitor.set(quality="ultra")
    expect(price).to_contain_text("at most $", timeout=TIMEOUT_MS)
    # It belonged to the settings before.
    assert between == [""]
    dear = price.inner_text()
    assert dear != cheap
    visitor.page.screenshot(path=STATE / "screens" / "page-settings.png")
    visitor.page.get_by_role("button", name="Send").click()
    expect_offered(visitor.images.first)
    assert dear == f"at most {price_of(visitor.images.first)}"
    assert drawn(stack) == 0


def test_settings_go_to_the_service_word_for_word(visit: Visit) -> None:
    visitor = visit()
    wishes = {"quality": "high", "size": "landscape", "maxCost": "0.2", "style": "ink"}
    visitor.set(**wishes, count="2", seed="7")
    expect(visitor.page.locator("#tune")).to_have_text("Settings · 6")
    visitor.page.get_by_label("Message", exact=True).fill("A lighthouse")
    with visitor.page.expect_request(lambda one: one.url.endswith("/estimate")) as asked:
        visitor.page.get_by_role("button", name="Send").click()
    body = json.loads(asked.value.post_data or "")
    assert body == {"prompt": "A lighthouse", **wishes, "count": 2, "seed": 7}
    offer = visitor.images.first
    expect_offered(offer)
    data: dict[str, Any] = offer.evaluate("element => element.data")
    assert (data["estimate"]["quality"], data["estimate"]["style"]) == ("high", "ink")
    assert not [url for url in visitor.requests if url.endswith("/chat")]


def test_a_model_is_chosen_by_name_and_settings_can_be_left(visit: Visit) -> None:
    visitor = visit()
    visitor.set()
    models = visitor.page.locator("#model option")
    expect(models).not_to_have_count(1, timeout=TIMEOUT_MS)
    key = models.nth(3).get_attribute("value") or ""
    visitor.set(model=key)
    with visitor.page.expect_request(lambda one: one.url.endswith("/estimate")) as asked:
        visitor.page.get_by_label("Message", exact=True).fill("A hut")
    assert json.loads(asked.value.post_data or "") == {"prompt": "A hut", "model": key}
    visitor.page.get_by_role("button", name="Use no settings").click()
    expect(visitor.page.locator("#tune")).to_have_text("Settings")
    expect(visitor.page.locator("#price")).to_have_text("")


@pytest.mark.parametrize("prompt", HOSTILE)
def test_hostile_words_are_shown_as_words(visit: Visit, prompt: str) -> None:
    visitor = visit()
    visitor.say(prompt)
    expect_offered(visitor.images.first)
    assert visitor.page.locator(".user p").inner_text() == prompt
    offer = visitor.ask(prompt)
    assert visitor.page.locator(".user p").inner_text() == prompt
    assert offer.locator(".prompt").inner_text() == prompt
    approve(offer).click()
    expect_seen(offer)
    assert visitor.page.evaluate("window.hit") is None
    assert visitor.violations() == []
    ours = "document.querySelectorAll('#messages :is(script, img, template, b)').length"
    assert visitor.page.evaluate(ours) == 0


def test_an_answer_that_does_not_come_can_be_asked_for_again(visit: Visit) -> None:
    visitor = visit()
    visitor.page.route("**/chat", lambda route: route.abort(), times=1)
    visitor.say(FOX)
    again = visitor.page.get_by_role("button", name="Ask again")
    expect(again).to_be_visible(timeout=TIMEOUT_MS)
    again.click()
    expect_offered(visitor.images.first)
    assert visitor.page.locator(".user").count() == 1


def test_what_was_read_stays_when_an_answer_breaks_off(visit: Visit) -> None:
    visitor = visit()
    half = 'event: text_delta\ndata: {"text":"A fox in snow?"}\n\n'
    cors = {"access-control-allow-origin": "*"}
    visitor.page.route(
        "**/chat",
        lambda route: route.fulfill(body=half, content_type="text/event-stream", headers=cors),
        times=1,
    )
    visitor.say(FOX)
    expect(visitor.page.get_by_text("The answer broke off.")).to_be_visible(timeout=TIMEOUT_MS)
    expect(visitor.page.locator(".assistant p").first).to_have_text("A fox in snow?")
    visitor.page.reload()
    expect(visitor.page.locator(".assistant p").first).to_have_text("A fox in snow?")
    visitor.page.get_by_role("button", name="Ask again").click()
    expect_offered(visitor.images.first)
    assert visitor.page.locator(".user").count() == 1


def test_an_answer_can_be_stopped(visit: Visit) -> None:
    visitor = visit()
    visitor.page.route("**/chat", lambda _: None)  # It never answers.
    with visitor.page.expect_request("**/chat"):
        visitor.say(FOX)
    stop_answer(visitor)
    visitor.page.unroute("**/chat")
    visitor.page.get_by_role("button", name="Ask again").click()
    expect_offered(visitor.images.first)


def test_a_question_can_be_stopped_before_it_is_sent(visit: Visit) -> None:
    visitor = visit()

    def stop_first(route: Route) -> None:
        stop_answer(visitor)
        route.continue_()

    # What sends it is still being loaded.
    visitor.page.route("**/client-run.js", stop_first)
    visitor.say(FOX)
    visitor.page.get_by_role("button", name="Ask again").click()
    expect_offered(visitor.images.first)
    assert sum(url.endswith("/chat") for url in visitor.requests) == 1


def test_what_is_bought_while_the_answer_still_comes_stays(visit: Visit) -> None:
    visitor = visit()
    visitor.page.evaluate(WITHOUT_AN_END)
    visitor.say(FOX)
    image = visitor.images.first
    expect_offered(image)
    approve(image).click()
    visitor.page.reload()
    expect_seen(visitor.images.first)
    expect_state(visitor.images.first, "complete")
    assert visitor.page.locator(".user, .assistant").count() == 2


def test_an_offer_whose_answer_breaks_off_is_there_once(visit: Visit) -> None:
    visitor = visit()
    visitor.page.evaluate(WITHOUT_AN_END)
    visitor.say(FOX)
    expect_offered(visitor.images.first)
    stop_answer(visitor)
    expect(visitor.page.get_by_text("Stopped.", exact=True)).to_be_visible()
    visitor.page.reload()
    expect_offered(visitor.images.first)
    assert visitor.images.count() == 1


def test_what_is_sent_right_after_a_reload_has_the_settings_that_were_left(visit: Visit) -> None:
    visitor = visit()
    visitor.set(size="portrait", quality="fast")
    visitor.page.get_by_label("Message", exact=True).fill(FOX)
    expect(visitor.page.locator("#price")).not_to_be_empty(timeout=TIMEOUT_MS)
    held: list[Route] = []
    visitor.page.route("**/settings.js", lambda route: held.append(route))  # noqa: PLW0108
    with visitor.page.expect_request("**/settings.js"):
        visitor.page.reload()
    visitor.say(FOX)
    assert visitor.page.locator(".user").count() == 0
    look_until(lambda: bool(held), "the settings are asked for")
    held[0].continue_()
    expect_offered(visitor.images.first)
    wished = visitor.page.evaluate(
        """() => { const { data } = document.querySelector("#messages generated-image");
        return [data.estimate.request.size, data.estimate.request.quality]; }"""
    )
    assert wished == ["portrait", "fast"]
    assert not any(url.endswith("/chat") for url in visitor.requests)


def stop_answer(visitor: Visitor) -> None:
    """Stop the answer that is waited for."""
    visitor.page.get_by_role("button", name="Stop").click()


def test_without_a_token_the_page_says_what_it_needs(visit: Visit) -> None:
    visitor = visit()
    page = visitor.context.new_page()
    page.goto(visitor.stack.urls["pageUrl"])
    expect(page.get_by_text("Sign in to see prices and make images.")).to_be_visible()
    page.get_by_text("For developers: use a token").click()
    page.get_by_label("Your token", exact=True).fill(visitor.person.token)
    page.get_by_role("button", name="Use it").click()
    expect(page.locator("#entry")).to_be_hidden()
    expect(page.locator("#spent")).to_have_text("$0.00 spent", timeout=TIMEOUT_MS)


def test_a_token_that_has_ended_is_asked_for_anew(visit: Visit) -> None:
    visitor = visit()
    page = visitor.context.new_page()
    page.goto(f"{visitor.stack.urls['pageUrl']}#token=ended")
    expect(page.get_by_text("Your token is not accepted")).to_be_visible(timeout=TIMEOUT_MS)


def test_a_token_leaves_the_address_at_once_and_is_kept_by_this_tab_alone(visit: Visit) -> None:
    visitor = visit()
    assert "token" not in visitor.page.url
    assert visitor.page.evaluate("JSON.stringify(localStorage)").count(visitor.person.token) == 0
    assert visitor.page.evaluate("sessionStorage.length") == 1
