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
        ("1. a\n   - b\n   - c\n2. d", "<ol 1><li>a<ul><li>b</><li>c</></></><li>d</></>"),
        ("- a\n\n  more\n\n- b\n", "<ul><li>a<p>more</></><li>b</></>"),
        (
            "1. a\n\n\t* b\n\t\t1) c\n2. d",
            "<ol 1><li>a<ul><li>b<ol 1><li>c</></></></></><li>d</></>",
        ),
        ("- a\n  ```\n  x\n    y\n  ```\nend", "<ul><li>a<pre>x\n  y</></></><p>end</>"),
        (" 9. a\n10. b\n - c", "<ol 9><li>a</><li>b</></><ul><li>c</></>"),
        ("- a\n> q\n- b", "<ul><li>a</></><blockquote><p>q</></><ul><li>b</></>"),
        ("> - a\n>   - b", "<blockquote><ul><li>a<ul><li>b</></></></></>"),
        (
            "Prices:\n| model | price |\n|:---|---:|\n| **a** | $0.01 |\n| b\\|c |\n\nend",
            (
                "<p>Prices:</><div><table><thead><tr><th>model</><th>price</></></><tbody>"
                "<tr><td><strong>a</></><td>$0.01</></><tr><td>b|c</></></></></><p>end</>"
            ),
        ),
        (
            "a | b\n--|:-:\n1 | 2",
            "<div><table><thead><tr><th>a</><th>b</></></><tbody><tr><td>1</><td>2</></></></></>",
        ),
        ("a | b\n---\nc", "<p>a | b</><hr></><p>c</>"),
        ("| a | b |\n|---|\n", "<p>| a | b |\n|---|</>"),
        ("one\n***\ntwo", "<p>one</><hr></><p>two</>"),
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


def test_lists_in_lists_end_somewhere_and_what_is_deeper_is_text() -> None:
    found = played('console.log(JSON.stringify(html("- ".repeat(9000) + "a")));')
    assert isinstance(found, str)
    assert found.count("<ul>") == 6
    assert found.endswith("- a</></></></></></></></></></></></></>")


def test_the_columns_of_a_table_have_the_side_that_its_line_says() -> None:
    script = """
const [{ children: [table] }] = nodesOf("a|b|c|d\\n---|:-|:-:|-:\\n1|2|3|4|5");
const sides = table.children.map((part) => part.children[0].children.map((one) => one.className));
console.log(JSON.stringify(sides));"""
    assert played(script.replace("\\\\", "\\")) == [
        ["", "", "center", "end"],
        ["", "", "center", "end", ""],
    ]


def test_of_any_text_there_are_only_these_elements_and_no_letter_is_lost() -> None:
    script = r"""
const TOKENS = [
  "a", "b ", "c\n", "\n\n", "| f ", "|\n", "|-", ":-:|", "\n---\n",
  "\n  - ", "\n    1. ", "\t", "    ", "*", "**",
  "_", "`", "\x60\x60\x60\n", "# ", "\n- ", "\n1. ", "> ",
  "[", "](", ")", "https://d.example/e", "javascript:f", "<script>", " ", "é", "日本"];
const TAGS = new Set([
  "p", "strong", "em", "code", "pre", "ul", "ol", "li", "blockquote", "a", "hr",
  "div", "table", "thead", "tbody", "tr", "th", "td"]);
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
