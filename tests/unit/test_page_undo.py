"""What can be undone on the page: it is done once or not at all, whichever way its notice goes."""

import json

import pytest

from local.paths import ROOT
from tests.unit.scripts import NODE, written_by

UNDO = ROOT / "functions" / "page" / "static" / "undo.js"
STAGE = """
const listeners = new Map();
const timers = new Map();
let named = 0;
class Node {
  listeners = {}; children = [];
  append(...all) { this.children.push(...all); }
  setAttribute() {}
  addEventListener(name, act) { this.listeners[name] = act; }
  // A browser reports that the focus and the pointer have left.
  remove() { this.listeners.focusout?.(); this.listeners.pointerleave?.(); }
}
const body = new Node();
globalThis.document = { createElement: () => new Node(), body };
globalThis.addEventListener = (name, act) => listeners.set(name, act);
globalThis.removeEventListener = (name) => listeners.delete(name);
globalThis.setTimeout = (act, ms) => { timers.set(++named, { act, ms }); return named; };
globalThis.clearTimeout = (id) => timers.delete(id);
const pass = () => {
  const due = [...timers.values()];
  timers.clear();
  for (const { act } of due) act();
};
const { undoable } = await import(UNDO);
const done = [];
const commit = (options) => done.push(options);
undoable("It is deleted.", { commit, undo: () => done.push("undone") });
const [toast] = body.children;
const [, undo, close] = toast.children;
const waits = () => [...timers.values()].map(({ ms }) => ms);
"""

pytestmark = pytest.mark.skipif(NODE is None, reason="node runs the page's scripts")


def played(script: str) -> object:
    """What a script writes after something was shown that can be undone."""
    return written_by(f"const UNDO = {json.dumps(UNDO.as_uri())};\n{STAGE}\n{script}")


PRESS_UNDO = "undo.listeners.click();"
PRESS_CLOSE = "close.listeners.click();"
LEAVE = "listeners.get('pagehide')?.();"
CHANGE = "listeners.get('person-leaves')?.();"
TOUCH = "toast.listeners.focusin();"
LET_GO = "toast.listeners.focusout();"


@pytest.mark.parametrize(
    ("acts", "done"),
    [
        ("pass();", [{}]),
        (PRESS_UNDO, ["undone"]),
        (f"{PRESS_UNDO} pass(); {LEAVE}", ["undone"]),
        (f"{TOUCH} {PRESS_UNDO} pass(); pass();", ["undone"]),
        (f"{PRESS_CLOSE} pass(); {LEAVE}", [{}]),
        (f"{LEAVE} pass();", [{"keepalive": True}]),
        (f"{CHANGE} pass(); {LEAVE}", [{"keepalive": True}]),
        (f"pass(); {LEAVE} {PRESS_UNDO}", [{}]),
        (f"{PRESS_UNDO} {PRESS_UNDO}", ["undone"]),
        # While it is touched it waits.
        (f"{TOUCH} pass();", []),
        (f"{TOUCH} pass(); {LET_GO} pass();", [{}]),
    ],
)
def test_it_is_done_once_or_taken_back(acts: str, done: list[object]) -> None:
    assert played(f"{acts} console.log(JSON.stringify(done));") == done


def test_there_are_ten_seconds() -> None:
    assert played("console.log(JSON.stringify(waits()));") == [10_000]
