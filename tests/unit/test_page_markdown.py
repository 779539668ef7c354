"""The Markdown of an answer: elements of a few kinds and text, whatever an LLM writes."""

import json

import pytest

from local.paths import ROOT
from tests.unit.scripts import NODE, written_by

MARKDOWN = ROOT / "functions" / "page" / "static" / "markdown.js"
STAGE = """
class Node {
  constructor(tag) { this.tag = tag; this.children = []; }
  append(...all) { this.children.push(...all); }
  setAttribute() { throw new Error("no attribute is needed"); }
}
globalThis.document = { createElement: (tag) => new Node(tag) };
const from = (name) => import(new URL(name, MARKDOWN));
const [{ h }, { safeUrl }] = await Promise.all([from("./ui.js"), from("./format.js")]);
const nodesOf = (await import(MARKDOWN)).reader({ h, safeUrl, addStyle() {} });
const shown = (one) => typeof one === "string" ? one
  : `<${[one.tag, one.href, one.start].filter(Boolean).join(" ")}>${textOf(one)}</>`;
const textOf = ({ children }) => children.map(shown).join("");
const html = (text) => nodesOf(text).map(shown).join("");
"""

pytestmark = pytest.mark.skipif(NODE is None, reason="node runs the page's scripts")


def played(script: str) -> object:
    """What a script writes."""
    return written_by(f"const MARKDOWN = {json.dumps(MARKDOWN.as_uri())};\n{STAGE}\n{script}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Two lines\nof one.\n\nAnother.", "<p>Two lines\nof one.</><p>Another.</>"),
        ("**$0.02** and *soft* _light_", "<p><strong>$0.02</> and <em>soft</> <em>light</></>"),
        ("**bold *and* more**", "<p>**bold <em>and</> more**</>"),
        ("a_b_c 2*3*4 2 * 3 ** a **", "<p>a_b_c 2*3*4 2 * 3 ** a **</>"),
        (
            "## Offers\n- one\n- `two`",
            "<p><strong>Offers</></><ul><li>one</><li><code>two</></></>",
        ),
        ("2. b\n3) c\n* d", "<ol 2><li>b</><li>c</></><ul><li>d</></>"),
        ("> > said\n> so", "<blockquote><p>said\nso</></>"),
        ("```js\n**a**\n\n- b\n```\nc", "<pre>**a**\n\n- b</><p>c</>"),
        ("```\nnever ends", "<pre>never ends</>"),
        ("[docs](https://x.example/a).", "<p><a https://x.example/a>docs</>.</>"),
        ("See https://x.example/a.", "<p>See <a https://x.example/a>https://x.example/a</>.</>"),
        ("![p](https://x.example/p.png)", "<p><a https://x.example/p.png>p</></>"),
        ("[go](javascript:alert`1`)", "<p>go (javascript:alert`1`)</>"),
        ("[go](javascript:alert)", "<p>go (javascript:alert)</>"),
        ("[go](data:text/html,x)", "<p>go (data:text/html,x)</>"),
        ("[go](//evil.example)", "<p>go (//evil.example)</>"),
        ("<img src=x onerror=alert(1)>", "<p><img src=x onerror=alert(1)></>"),
    ],
)
def test_the_signs_of_markdown_are_elements_and_all_else_is_text(text: str, expected: str) -> None:
    assert played(f"console.log(JSON.stringify(html({json.dumps(text)})));") == expected


def test_of_any_text_there_are_only_these_elements_and_no_letter_is_lost() -> None:
    script = r"""
const TOKENS = [
  "a", "b ", "c\n", "\n\n", "*", "**", "_", "`", "\x60\x60\x60\n", "# ", "\n- ", "\n1. ", "> ",
  "[", "](", ")", "https://d.example/e", "javascript:f", "<script>", " ", "é", "日本"];
const TAGS = new Set(["p", "strong", "em", "code", "pre", "ul", "ol", "li", "blockquote", "a"]);
let seed = 7;
const random = (most) => { seed = (seed * 48271) % 2147483647; return seed % most; };
const all = (one) => typeof one === "string" ? [one] : [one, ...one.children.flatMap(all)];
const letters = (text) => [...text.matchAll(/\p{L}/gu)].map(String).sort();
const odd = [];
for (let turn = 0; turn < 4000; turn += 1) {
  const text = Array.from({ length: 1 + random(24) }, () => TOKENS[random(TOKENS.length)]).join("");
  const found = nodesOf(text).flatMap(all);
  const nodes = found.filter((one) => typeof one !== "string");
  const texts = found.map((one) => typeof one === "string" ? one : one.href ?? "");
  const said = letters(texts.join(""));
  const isKnown = nodes.every(({ tag, href = "https:" }) => TAGS.has(tag) && /^https:/.test(href));
  const take = (letter) => said.splice(said.indexOf(letter), said.includes(letter) ? 1 : 0).length;
  const isWhole = letters(text).every(take);
  if (!isKnown || !isWhole) odd.push(text);
}
console.log(JSON.stringify(odd.slice(0, 5)));
"""
    assert played(script) == []
