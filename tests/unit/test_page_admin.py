"""The page for operators without a browser: what it shows is what was asked for last."""

import json
from typing import Any

import pytest

from local.paths import ROOT
from tests.unit.scripts import NODE, written_by

ADMIN = ROOT / "functions" / "page" / "static" / "admin.js"

pytestmark = pytest.mark.skipif(NODE is None, reason="node runs the page's scripts")

STAGE = """
const element = () => ({
  children: [], listeners: {}, value: "", textContent: "", dataset: {},
  append(...all) { this.children.push(...all); }, replaceChildren(...all) { this.children = all; },
  setAttribute() {}, focus() {}, addEventListener(name, act) { this.listeners[name] = act; },
  querySelector(name) { return node(name); },
});
const nodes = new Map();
const node = (id) => nodes.get(id) ?? nodes.set(id, element()).get(id);
globalThis.document = {
  getElementById: node, createElement: element, createElementNS: element, addEventListener() {},
  querySelector: () => ({ content: '{"adminUrl": "https://api.example"}' }),
};
globalThis.location = new URL("https://page.example/admin");
[globalThis.addEventListener, globalThis.dispatchEvent] = [() => {}, () => {}];
const store = (held = new Map()) => ({
  getItem: (name) => held.get(name) ?? null, setItem: (name, value) => held.set(name, value),
  removeItem: (name) => held.delete(name), clear: () => held.clear(),
});
[globalThis.sessionStorage, globalThis.localStorage] = [store(), store()];
const waiting = new Map();
globalThis.fetch = (url, { body }) =>
  new Promise((done) => { waiting.set(JSON.parse(body).subject, done); });
await import(ADMIN);
sessionStorage.setItem("imagegen.token", "x.y.z");
const rest = () => new Promise((done) => setTimeout(done, 5));
const person = (name) => ({
  user: name, logName: name, recent: [], limits: {}, chat: {}, spent: "0", reserved: "0", images: 0,
});
function find(name) {
  node("who").value = name;
  node("find").listeners.submit({ preventDefault() {} });
}
async function answer(name, response = Response.json(person(name))) {
  await rest();
  waiting.get(name)(response);
  await rest();
}
const texts = (one) => [one.textContent, ...one.children.flatMap(texts)];
const shown = () => ["ada", "eve"].filter((name) => texts(node("people-tables")).includes(name));
const note = () => node("people-note").textContent;
const write = (value) => console.log(JSON.stringify(value));
"""


def played(script: str) -> Any:
    return written_by(f"const ADMIN = {json.dumps(ADMIN.as_uri())};\n{STAGE}\n{script}")


def test_the_person_who_was_asked_for_last_is_shown_whichever_answer_is_last() -> None:
    script = """
find("ada"); find("eve");
await answer("eve");
const first = shown();
await answer("ada");
write([first, shown(), note()]);"""
    assert played(script) == [["eve"], ["eve"], ""]


def test_an_error_about_somebody_else_is_not_said_of_who_is_shown() -> None:
    script = """
find("ada"); find("eve");
await answer("eve");
await answer("ada", Response.json({ status: 404, detail: "No such person." }, { status: 404 }));
write([shown(), note()]);"""
    assert played(script) == [["eve"], ""]


def test_what_is_answered_after_the_token_is_forgotten_is_not_shown() -> None:
    script = """
find("ada");
node("forget").listeners.click();
await answer("ada");
write([shown(), note()]);"""
    assert played(script) == [[], ""]


def test_nobody_is_shown_beside_the_error_of_looking_for_somebody_else() -> None:
    script = """
find("ada");
await answer("ada");
const first = shown();
find("eve");
await answer("eve", Response.json({ status: 503, detail: "Try again." }, { status: 503 }));
write([first, shown(), note()]);"""
    assert played(script) == [["ada"], [], "Try again."]
