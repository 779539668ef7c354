"""The examples of docs/embed.md are what tests run: the text is compared, or run as it stands."""

import json
import re
from html import unescape

import pytest
from playwright.sync_api import Browser, Route, expect

from local.paths import ROOT
from tests.browser.bundles import APPS
from tests.browser.stage import SERVICE, read_fixture

EMBED = (ROOT / "docs" / "embed.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", EMBED, re.DOTALL | re.MULTILINE)
ID = 'id="subject" '
"""What a test's app has beside the example: how the test finds the element."""
TEMPLATES = {"React 19": "react-offer.jsx", "Vue 3": "vue.js", "Svelte 5": "App.svelte"} | {
    "Angular": "angular.ts"
}
CORS = {
    "access-control-allow-origin": "*",
    "access-control-allow-headers": "authorization, content-type",
}


@pytest.mark.parametrize("framework", TEMPLATES)
def test_the_line_of_a_framework_is_what_its_app_renders(framework: str) -> None:
    row = next(one for one in EMBED.splitlines() if one.startswith(f"| {framework} |"))
    line = unescape(row.split("`")[1])
    source = (APPS / TEMPLATES[framework]).read_text()
    assert line in source.replace(ID, "")


@pytest.mark.parametrize(
    ("source", "since"),
    [("react-offer.jsx", "export function ServedOffer"), ("conversation.jsx", "")],
)
def test_an_example_of_several_lines_is_what_its_app_runs(source: str, since: str) -> None:
    text = (APPS / source).read_text().replace(ID, "")
    text = text[text.index(since) :]
    assert [block for kind, block in BLOCKS if kind == "jsx" and block.endswith(text)]


def test_the_example_for_any_page_shows_an_offer(browser: Browser, static_url: str) -> None:
    example = next(block for kind, block in BLOCKS if kind == "html")
    page = browser.new_page()
    page.clock.set_fixed_time("2026-11-22T10:01:00Z")
    urls = dict.fromkeys(("estimateUrl", "generateUrl", "healthUrl", "chatUrl"), SERVICE)

    def answer(route: Route) -> None:
        if route.request.method == "OPTIONS":
            route.fulfill(status=204, headers=CORS)
            return
        call = {"ok": True, "imageGeneration": read_fixture("pending")["data"]}
        events = [("text_delta", {"text": "Here"}), ("tool_call", call), ("message_complete", {})]
        body = "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in events)
        route.fulfill(body=body, content_type="text/event-stream", headers=CORS)

    page.route("**/config.json", lambda route: route.fulfill(json=urls))
    page.route(f"{SERVICE}/chat", answer)
    body = "<!doctype html><meta charset=utf-8>" + example.replace("https://PAGE", static_url)
    page.route(
        f"{static_url}/host", lambda route: route.fulfill(body=body, content_type="text/html")
    )
    page.goto(f"{static_url}/host")
    expect(page.locator("generated-image")).to_have_attribute("data-state", "pending")
    expect(page.locator("#log")).to_contain_text("Here")
    page.close()
