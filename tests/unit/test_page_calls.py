"""The list of the page's calls, which others may see on the screen: no token is in it."""

import json
from typing import Any

import pytest

from local.paths import ROOT
from tests.unit.scripts import NODE, written_by

DEVELOPER = ROOT / "functions" / "page" / "static" / "developer.js"

pytestmark = pytest.mark.skipif(NODE is None, reason="node runs the page's scripts")

STAGE = """
const element = (tag) => ({
  tag, children: [], dataset: {}, append(...all) { this.children.push(...all); }, prepend(...all) { this.children.unshift(...all); },
  setAttribute() {}, addEventListener() {}, replaceChildren(...all) { this.children = all; },
  get childElementCount() { return this.children.length; },
});
const listeners = {};
globalThis.addEventListener = (name, act) => { listeners[name] = act; };
globalThis.CSSStyleSheet = class { replaceSync() {} };
globalThis.document = {
  baseURI: "https://page.example/", body: element("body"), createElement: element, addEventListener() {}, adoptedStyleSheets: [],
};
globalThis.fetch = async () => Response.json({ access_token: "secret-1", refresh_token: "secret-2", price: "$0.01" });
const { developerView } = await import(DEVELOPER);
developerView({}, { calls: () => [], failed() {} });
const found = (one, tag) => one.tag === tag ? [one] : (one.children ?? []).flatMap((child) => found(child, tag));
const texts = (one) => typeof one === "string" ? [one] : [one.textContent ?? "", ...one.children.flatMap(texts)];
const rest = () => new Promise((done) => setTimeout(done, 5));
const called = () => texts(found(document.body, "ol")[0]).filter(Boolean).map((text) => text.replace(/ \\d+ ms$/, ""));
"""  # noqa: E501


def played(script: str) -> Any:
    return written_by(f"const DEVELOPER = {json.dumps(DEVELOPER.as_uri())};\n{STAGE}\n{script}")


def test_a_call_of_the_service_is_listed_with_what_was_sent_and_answered() -> None:
    script = """
await fetch("https://api.example/estimate", { method: "POST", headers: { authorization: "Bearer secret-0" }, body: '{"prompt":"a fox"}' });
await rest();
console.log(JSON.stringify(called()));"""  # noqa: E501
    title, sent, answered = played(script)
    assert title.startswith("POST /estimate · 200")
    assert sent == '{"prompt":"a fox"}'
    assert '"price":"$0.01"' in answered
    assert "secret-0" not in title + sent + answered


@pytest.mark.parametrize("grant", ["authorization_code", "refresh_token"])
def test_what_is_sent_to_the_sign_in_service_and_answered_is_not_listed(grant: str) -> None:
    script = f"""
const body = new URLSearchParams({{ grant_type: "{grant}", code: "secret-3", refresh_token: "secret-4" }});
const answer = await fetch("https://issuer.example/token", {{ method: "POST", body }});
await rest();
console.log(JSON.stringify([called(), (await answer.json()).access_token]));"""  # noqa: E501
    assert played(script) == [[], "secret-1"]


def test_what_was_listed_is_gone_with_the_person() -> None:
    script = """
await fetch("https://api.example/estimate", { method: "POST", body: '{"prompt":"a fox"}' });
await rest();
listeners["person-leaves"]();
console.log(JSON.stringify(called()));"""
    assert played(script) == []
