"""What is done with one's own pictures: for that person alone, and never to what came since."""

import json

import pytest

from local.paths import ROOT
from tests.unit.scripts import NODE, written_by

PICTURES = ROOT / "functions" / "page" / "static" / "own-pictures.js"
STAGE = """
class Node {
  listeners = {}; children = []; hidden = false;
  append(...all) { this.children.push(...all); }
  replaceChildren(...all) { this.children = all; }
  replaceWith() {} remove() {} setAttribute() {} focus() {} after() {}
  addEventListener(name, act) { this.listeners[name] = act; }
  showModal() { opened.push(this.id); }
}
const opened = [], quoted = [], elements = [], commits = [];
const nodes = new Map();
const node = (id) => nodes.get(id) ?? nodes.set(id, new Node()).get(id);
const body = new Node();
globalThis.document = {
  baseURI: "https://page.example/", body, activeElement: null, adoptedStyleSheets: [],
  createElement: () => new Node(), getElementById: node, querySelectorAll: () => elements,
};
globalThis.CSSStyleSheet = class { replaceSync() {} };
globalThis.IntersectionObserver = class { observe() {} unobserve() {} };
globalThis.addEventListener = globalThis.removeEventListener = () => {};
globalThis.setTimeout = () => 1;
globalThis.navigator ??= {};
let answer;
const client = {
  models: () => new Promise((done) => { answer = done; }),
  remove: () => Promise.reject({ problem: { code: "network", status: 0 } }),
};
const told = { say() {}, note() {}, failed() {}, hasToken: () => false };
const { ownPictures } = await import(PICTURES);
const quote = (words, request) => quoted.push(request.operation);
const own = ownPictures(client, told, { change() {}, quote });
const image = { id: "one", imageUrl: "/images/one", prompt: "a fox" };
const models = { models: [{ operation: "upscale", available: true }] };
const rest = async () => { for (let turn = 0; turn < 9; turn += 1) await null; };
"""

pytestmark = pytest.mark.skipif(NODE is None, reason="node runs the page's scripts")


def played(script: str) -> object:
    """What a script writes."""
    return written_by(f"const PICTURES = {json.dumps(PICTURES.as_uri())};\n{STAGE}\n{script}")


@pytest.mark.parametrize(
    ("leaves", "expected"), [("", [["picture"], ["upscale"]]), ("own.clear();", [[], []])]
)
def test_a_picture_that_was_asked_for_is_not_shown_to_the_next_person(
    leaves: str, expected: list[list[str]]
) -> None:
    script = f"""
own.open(image);
own.upscale(image);
{leaves}
answer(models);
await rest();
console.log(JSON.stringify([opened, quoted]));
"""
    assert played(script) == expected


def test_a_deletion_that_is_taken_back_leaves_what_was_made_there_since() -> None:
    script = """
elements.push({ data: { id: "one", status: "complete", image } });
elements.push({ data: { id: "one", status: "complete", image } });
own.remove(image);
const meanwhile = elements.map(({ data }) => data.problem?.code);
elements[0].data = { id: "two", status: "generating" };
body.children.at(-1).children[1].listeners.click();
const all = elements.map(({ data }) => [data.id, data.status, data.problem]);
console.log(JSON.stringify([meanwhile, all]));
"""
    assert played(script) == [
        ["image_deleted", "image_deleted"],
        [["two", "generating", None], ["one", "complete", None]],
    ]
