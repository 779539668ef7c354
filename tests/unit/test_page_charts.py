"""The bars of the page for operators: round axes, and each number in the table beside them."""

import json
import subprocess
from itertools import pairwise
from typing import Any

import pytest

from local.paths import ROOT

STAGE = """
const made = (tag) => ({ tag, attributes: {}, children: [],
  setAttribute(name, value) { this.attributes[name] = String(value); },
  append(...more) { this.children.push(...more); } });
globalThis.document = { createElement: made, createElementNS: (_, tag) => made(tag) };
const { bars, roundAbove, table } = await import("file://%s/charts.js");
const [what, given] = [process.argv[1], JSON.parse(process.argv[2])];
const text = (one) => `$${one}`;
const found = { round: () => given.map(roundAbove),
  bars: () => bars(given.rows, given.parts, text, "M"),
  table: () => table("Sums", given.heads, given.rows) }[what]();
console.log(JSON.stringify(found));
"""


def made(what: str, given: object) -> Any:
    program = STAGE % (ROOT / "functions" / "page" / "static")
    command = ["node", "--input-type=module", "-e", program, what, json.dumps(given)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    return json.loads(done.stdout)


def all_of(tree: Any, tag: str) -> list[dict[str, Any]]:
    if not isinstance(tree, dict):
        return []
    mine = [tree] if tree.get("tag") == tag else []
    children: list[Any] = tree.get("children", [])
    return [*mine, *(one for child in children for one in all_of(child, tag))]


def number(bar: dict[str, Any], name: str) -> float:
    return float(bar["attributes"][name])


def test_the_top_of_the_axis_is_a_round_number_that_holds_all() -> None:
    given = [0, -1, 1, 1.2, 2, 2.1, 5, 7, 10, 11, 52_700, 1_000_000, 0.003]
    assert made("round", given) == [
        *(1, 1, 1, 2, 2, 5, 5, 10, 10, 20, 100_000, 1_000_000),
        pytest.approx(0.005),
    ]


def test_parts_are_stacked_without_overlap_and_nothing_leaves_the_picture() -> None:
    rows = [{"name": f"{n:02d}:00", "values": [n * 100, n * 10, 7]} for n in range(24)]
    tree = made("bars", {"rows": rows, "parts": ["charged", "in doubt", "unsold"]})
    bars = all_of(tree, "rect")
    assert len(bars) == 24 * 3 - 2
    columns: dict[float, list[tuple[float, float]]] = {}
    for bar in bars:
        top, height = number(bar, "y"), number(bar, "height")
        assert 0 <= top <= top + height <= 160.001
        assert 0 <= number(bar, "x") <= 640 - number(bar, "width")
        columns.setdefault(number(bar, "x"), []).append((top, top + height))
    for spans in columns.values():
        ordered = sorted(spans)
        assert all(first[1] <= second[0] + 1.001 for first, second in pairwise(ordered))


def test_labels_are_few_enough_to_be_read_and_the_picture_has_a_name() -> None:
    rows = [{"name": str(n), "values": [1]} for n in range(31)]
    tree = made("bars", {"rows": rows, "parts": ["charged"]})
    ticks = [one for one in all_of(tree, "text") if "text-anchor" in str(one["attributes"])]
    assert len(ticks) <= 8
    (picture,) = all_of(tree, "svg")
    assert picture["attributes"]["role"] == "img"
    assert "table below" in picture["attributes"]["aria-label"]


def test_without_any_money_there_is_a_picture_all_the_same() -> None:
    tree = made("bars", {"rows": [{"name": "12:00", "values": [0]}], "parts": ["charged"]})
    assert all_of(tree, "rect") == []


def test_a_table_has_a_caption_heads_and_scrolls_by_itself_with_the_keyboard() -> None:
    tree = made("table", {"heads": ["a", "b"], "rows": [["x", "1"], ["y", "2"]]})
    assert tree["tabIndex"] == 0
    assert tree["attributes"] == {"aria-label": "Sums"}
    assert len(all_of(tree, "td")) == 2
    scopes = [one.get("scope") for one in all_of(tree, "th")]
    assert scopes == ["col", "col", "row", "row"]
