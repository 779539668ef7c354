"""What is said on the page, as it is sent: its Markdown, and what can be done with a message."""

import base64
import json
from collections.abc import Iterator
from typing import Any, override

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route

from imagegen.site.files import read_files
from tests.browser.stage import SERVICE, STATIC, StaticFiles, serving

FILES = read_files(STATIC)
URLS = ("estimateUrl", "generateUrl", "healthUrl", "chatUrl")
CONFIG = json.dumps({**dict.fromkeys(URLS, SERVICE), "simulatorUrl": "", "signIn": None})
TOKEN = "x." + base64.b64encode(b'{"iss":"us","sub":"ada"}').decode().rstrip("=") + ".x"
ANSWER = "Here is **one offer**:\n\n- a fox\n- in snow"
HEADERS = {"access-control-allow-origin": "*", "access-control-allow-headers": "*"}


class Site(StaticFiles):
    """The page's files as they are sent, with a configuration."""

    @override
    def do_GET(self) -> None:
        file = FILES[self.path.split("?", maxsplit=1)[0]]
        config = f"content='{CONFIG}'".encode()
        self.send_response(200)
        self.send_header("Content-Type", file.media_type)
        self.end_headers()
        self.wfile.write(
            file.content.replace(b'name="config" content=""', b"name=config " + config)
        )


def answer(route: Route) -> None:
    if not route.request.url.endswith("/chat"):
        route.fulfill(status=503, body="{}", headers=HEADERS)
        return
    events: list[tuple[str, dict[str, Any]]] = [
        ("text_delta", {"text": ANSWER[:12]}),
        ("message_complete", {"content": ANSWER, "imageGenerations": [], "llmApiCalls": []}),
    ]
    told = "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in events)
    route.fulfill(body=told, content_type="text/event-stream", headers=HEADERS)


@pytest.fixture(scope="module")
def site_url() -> Iterator[str]:
    with serving(Site) as url:
        yield url


@pytest.fixture(params=[(360, True), (1280, False)], ids=["phone", "desk"])
def page(browser: Browser, site_url: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    width, has_touch = request.param
    context = browser.new_context(
        viewport={"width": width, "height": 740}, has_touch=has_touch, is_mobile=has_touch,
        permissions=["clipboard-read", "clipboard-write"], locale="en",
    )  # fmt: skip
    context.add_init_script(f"sessionStorage.setItem('imagegen.token', '{TOKEN}')")
    found = context.new_page()
    found.route(f"{SERVICE}/**", answer)
    found.goto(site_url)
    found.get_by_label("Message", exact=True).fill("A wish with many words for a fox " * 4)
    found.keyboard.press("Enter")
    found.locator(".words ul").wait_for()
    yield found
    context.close()


def test_an_answer_has_its_markdown_and_fits(page: Page) -> None:
    assert page.locator(".words strong").inner_text() == "one offer"
    assert page.locator(".words li").all_inner_texts() == ["a fox", "in snow"]
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    found = Axe().run(page).response["violations"]
    assert [one["id"] for one in found] == []


def test_a_message_is_copied_as_it_was_written(page: Page) -> None:
    page.locator(".assistant").get_by_role("button", name="Copy message").click()
    page.locator("#said", has_text="Copied.").wait_for(state="attached")
    assert page.evaluate("navigator.clipboard.readText()") == ANSWER


def test_a_message_is_edited_with_its_settings_and_stays_where_it_was(page: Page) -> None:
    page.evaluate("location.hash = 'prompt=a+fox&size=portrait&quality=fast&maxCost=0.02'")
    page.locator(".trouble").wait_for()
    page.get_by_role("button", name="Edit message").click()
    page.locator("#settings:not([hidden])").wait_for()
    values = [page.input_value(f"#{name}") for name in ("say", "size", "quality", "maxCost")]
    assert values == ["a fox", "portrait", "fast", "0.02"]
    assert page.locator(".user").count() == 1
