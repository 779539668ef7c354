"""The transport in a real `useChat`: offers as tool parts, and only a person's click buys."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.browser.bundles import bundles
from tests.browser.stage import SERVICE, answer_images, read_fixture

OFFER = read_fixture("pending")["data"]
PART = read_fixture("pending")["aisdk"]
IMAGE = read_fixture("complete")["data"]["image"] | {"id": OFFER["id"]}
NOW = "2026-11-22T10:01:00Z"
ABSENT = {"status": 404, "code": "not_found", "detail": "There is no such image.", "charged": False}
DONE = {
    "id": "msg_1", "role": "assistant", "content": "Here is an offer.", "imageGenerations": [OFFER],
    "llmApiCalls": [], "stopReason": "end",
}  # fmt: skip
EVENTS = [
    ("message_start", {"id": "msg_1", "role": "assistant", "createdAt": NOW}),
    ("text_delta", {"text": "Here is "}),
    (
        "tool_call",
        {"id": "call_1", "name": "generate_image", "ok": True, "imageGeneration": OFFER},
    ),
    ("text_delta", {"text": "an offer."}),
    ("message_complete", DONE),
]
CORS = {
    "access-control-allow-origin": "*",
    "access-control-allow-headers": "authorization, content-type",
}
PAGE = """<!doctype html><html lang=en><meta charset=utf-8><title>Chat</title>
<link rel=icon href=data:,><div id=root></div>
<script type=module src=/app/aisdk.js></script></html>"""
MOUNT = "(options) => mount(document.querySelector('#root'), options)"


def stream(events: list[tuple[str, Any]]) -> str:
    return "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in events)


class Chat:
    """A page with `useChat` over a service that answers with one offer."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.seen: list[tuple[str, Any]] = []
        self.events, self.image_made = EVENTS, False
        page.clock.set_fixed_time(NOW)
        page.route("https://images.example/**", answer_images)
        page.route(f"{url}/app/*", self.files)
        page.route(f"{SERVICE}/**", self.answer)
        page.goto(f"{url}/app/chat")
        page.wait_for_function("() => 'mount' in window")

    def files(self, route: Route) -> None:
        if route.request.url.endswith(".js"):
            route.fulfill(path=bundles() / "aisdk.js", content_type="text/javascript")
        else:
            route.fulfill(body=PAGE, content_type="text/html")

    def answer(self, route: Route) -> None:
        path = route.request.url.removeprefix(SERVICE)
        if route.request.method == "OPTIONS":
            route.fulfill(status=204, headers=CORS)
            return
        self.seen.append((path, route.request.post_data_json))
        if path == "/chat":
            kind = "text/event-stream"
            route.fulfill(body=stream(self.events), content_type=kind, headers=CORS)
        elif path == "/generate-image" or self.image_made:
            self.image_made = True
            route.fulfill(json=IMAGE, headers=CORS)
        else:
            kind = "application/problem+json"
            route.fulfill(status=404, json=ABSENT, content_type=kind, headers=CORS)

    def mount(self, messages: list[dict[str, Any]] | None = None) -> None:
        urls = dict.fromkeys(("estimateUrl", "generateUrl", "healthUrl", "chatUrl"), SERVICE)
        options = {"settings": urls | {"token": "a-token"}, "messages": messages or []}
        self.page.evaluate(MOUNT, options)
        self.page.wait_for_function("() => 'chat' in window")

    def say(self, text: str) -> None:
        self.page.evaluate("(text) => { chat.sendMessage({ text }); }", text)

    def sent(self, path: str) -> list[Any]:
        return [body for one, body in self.seen if one == path]

    @property
    def parts(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.page.evaluate(
            "chat.messages.at(-1).parts.filter(({ type }) => type.startsWith('tool-'))"
        )
        return found

    @property
    def element(self) -> Locator:
        return self.page.locator("generated-image")


@pytest.fixture
def chat(browser: Browser, static_url: str) -> Iterator[Chat]:
    context = browser.new_context()
    errors: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield Chat(page, static_url)
    context.close()
    assert errors == []


def expect_state(chat: Chat, state: str) -> None:
    expect(chat.element).to_have_attribute("data-state", state)


def is_valid(chat: Chat) -> bool:
    """Whether the AI SDK's own check takes the messages, as a host's store is to keep them."""
    found: bool = chat.page.evaluate("async () => Boolean(await validated())")
    return found


def test_words_become_an_offer_a_click_and_an_image(chat: Chat) -> None:
    chat.mount()
    chat.say("Draw a red fox")
    expect_state(chat, "pending")
    expect(chat.page.locator("article.assistant > p")).to_have_text("Here is an offer.")
    (part,) = chat.parts
    assert (part["state"], part["toolCallId"]) == ("approval-requested", OFFER["toolCallId"])
    assert is_valid(chat)
    assert chat.sent("/generate-image") == []
    chat.element.get_by_role("button", name="Generate Image").click()
    expect_state(chat, "complete")
    chat.page.wait_for_function(
        "() => chat.messages.at(-1).parts.some((p) => p.state === 'output-available')"
    )
    assert len(chat.sent("/generate-image")) == 1
    assert is_valid(chat)


def test_the_next_message_sends_texts_and_ids_and_never_a_quote(chat: Chat) -> None:
    chat.mount()
    chat.say("Draw a red fox")
    expect_state(chat, "pending")
    chat.page.wait_for_function("() => chat.status === 'ready'")
    next_one = EVENTS[0][1] | {"id": "msg_2"}
    done = DONE | {"id": "msg_2", "imageGenerations": []}
    chat.events = [("message_start", next_one), ("message_complete", done)]
    chat.say("Thank you")
    expect(chat.page.locator("article.assistant")).to_have_count(2)
    assert chat.sent("/chat")[1] == {
        "messages": [
            {"role": "user", "content": "Draw a red fox"},
            {
                "role": "assistant",
                "content": "Here is an offer.",
                "imageGenerations": [{"id": OFFER["id"]}],
            },
            {"role": "user", "content": "Thank you"},
        ]
    }


def test_a_stored_conversation_is_shown_as_it_was(chat: Chat) -> None:
    chat.mount([{"id": "m", "role": "assistant", "parts": [read_fixture("complete")["aisdk"]]}])
    expect_state(chat, "complete")
    assert is_valid(chat)
    assert chat.sent("/generate-image") == []


APPROVALS: list[dict[str, Any]] = [
    {}, {"approved": True}, {"approved": None}, {"approved": "true"}, {"approved": 1},
]  # fmt: skip


@pytest.mark.parametrize("approval", APPROVALS)
def test_no_approval_in_data_buys(chat: Chat, approval: dict[str, Any]) -> None:
    answered = {"state": "approval-responded", "approval": {"id": "a"} | approval}
    chat.mount([{"id": "m", "role": "assistant", "parts": [PART | answered]}])
    # With a yes it looks for the run first; there is none, and the offer is open.
    expect_state(chat, "pending")
    assert chat.sent("/generate-image") == []


def test_a_run_in_data_is_looked_for_and_never_bought(chat: Chat) -> None:
    output = {"status": "generating", "startedAt": NOW}
    running = {"state": "output-available", "preliminary": True, "output": output}
    approval = {"approval": {"id": "a", "approved": True}}
    chat.mount([{"id": "m", "role": "assistant", "parts": [PART | running | approval]}])
    expect_state(chat, "pending")
    assert chat.sent("/generate-image") == []
    assert len(chat.sent(f"/images/{OFFER['id']}")) >= 1


def test_a_problem_of_the_chat_is_the_hooks_error(chat: Chat) -> None:
    problem = {"status": 502, "code": "llm_unavailable", "detail": "The LLM does not answer."}
    failed = DONE | {"content": "", "imageGenerations": [], "problem": problem}
    chat.events = [EVENTS[0], ("message_complete", failed)]
    chat.mount()
    chat.say("Draw a red fox")
    expect(chat.page.get_by_role("alert")).to_have_text("The LLM does not answer.")


def test_an_answer_that_breaks_off_is_an_error_too(chat: Chat) -> None:
    chat.events = EVENTS[:2]
    chat.mount()
    chat.say("Draw a red fox")
    expect(chat.page.get_by_role("alert")).to_be_visible()
