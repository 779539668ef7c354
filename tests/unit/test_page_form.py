"""The composer's settings and the lists without a browser: what stays in them, what is asked."""

import json
from pathlib import Path

import pytest

from local.paths import ROOT
from tests.unit.scripts import NODE, written_by

FORM = ROOT / "functions" / "page" / "static" / "settings.js"
STAGE = Path(__file__).with_name("page_form_stage.mjs")

pytestmark = pytest.mark.skipif(NODE is None, reason="node runs the page's scripts")


def played(script: str) -> object:
    """What a script writes in the composer of a user who left settings and a picture."""
    return written_by(f"const FORM = {json.dumps(FORM.as_uri())};\n{STAGE.read_text()}\n{script}")


def test_settings_that_were_left_come_back_with_their_picture() -> None:
    script = "await loaded(); console.log(JSON.stringify(shown()));"
    assert played(script) == {"prompt": "", "style": "ink", "size": "same", "pictures": 1}


def test_other_settings_are_not_replaced_by_those_that_were_left() -> None:
    script = """
form.open({ style: "oil" });
await loaded();
elements.prompt.value = "a hut";
console.log(JSON.stringify([shown(), form.request()]));
"""
    shown = {"prompt": "a hut", "style": "oil", "size": "square", "pictures": 0}
    assert played(script) == [shown, {"prompt": "a hut", "style": "oil"}]


def test_what_is_written_before_the_pictures_are_loaded_stays() -> None:
    script = """
elements.prompt.value = "a boat";
await loaded();
console.log(JSON.stringify(shown().prompt));
"""
    assert played(script) == "a boat"


def test_settings_of_the_user_before_do_not_come_into_the_composer_of_the_next() -> None:
    script = """
sessionStorage.setItem("imagegen.token", `x.${btoa(JSON.stringify({ iss: "us", sub: "ben" }))}.x`);
form.refresh();
await loaded();
console.log(JSON.stringify(shown()));
"""
    assert played(script) == {"prompt": "", "style": "", "size": "square", "pictures": 0}


def test_one_price_is_asked_for_what_was_written_when_the_typing_pauses() -> None:
    script = """
await loaded();
elements.prompt.value = "a boat";
order.listeners.input();
order.listeners.input();
await new Promise((done) => setTimeout(done, 500));
console.log(JSON.stringify(asked));
"""
    wanted = {"prompt": "a boat", "size": "same", "style": "ink"}
    assert played(script) == [{**wanted, "inputs": [{"upload": "one", "role": "edit"}]}]


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("size", "square", None),
        ("size", "portrait", {"size": "portrait"}),
        ("count", "3", {"count": 3}),
        ("seed", "0", {"seed": 0}),
        ("maxCost", "0.02", {"maxCost": "0.02"}),
        ("background", "transparent", {"background": "transparent"}),
        ("model", "together-fast", {"model": "together-fast"}),
        ("quality", "high", {"quality": "high"}),
        ("style", "  ", None),
    ],
)
def test_words_go_to_the_chat_unless_something_is_set(
    name: str, value: str, wanted: dict[str, object] | None
) -> None:
    script = f"""
form.open({{}});
await loaded();
elements.prompt.value = "a boat";
elements[{json.dumps(name)}].value = {json.dumps(value)};
console.log(JSON.stringify(form.request()));
"""
    assert played(script) == (wanted and {"prompt": "a boat", **wanted})


def test_a_list_that_is_emptied_while_it_is_loaded_is_not_busy() -> None:
    script = """
const { pictureList } = await import(new URL("./picture-list.js", FORM));
const list = pictureList({ images: () => new Promise(() => {}) }, {}, () => {});
list.load();
const before = list.node["aria-busy"];
list.clear();
console.log(JSON.stringify([before, list.node["aria-busy"] ?? false]));
"""
    assert played(script) == [True, False]


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        ('{ upload: "before" }', "What you painted before still holds."),
        ("undefined", "What you painted is not stored, so all of the picture may change."),
    ],
)
def test_a_picture_that_cannot_be_painted_on_keeps_the_mask_that_it_has(
    mask: str, words: str
) -> None:
    script = f"""
const make = document.createElement;
const decode = () => Promise.reject(new Error());
document.createElement = () => Object.assign(make(), {{ decode }});
const {{ changeMask }} = await import(new URL("./mask-dialog.js", FORM));
const item = {{ src: "gone.png", name: "a boat", mask: {mask} }};
const said = [];
const view = {{ fits: () => true, say: (text) => said.push(text), failed() {{}}, changed() {{}} }};
await changeMask({{}}, item, view);
console.log(JSON.stringify([item.mask ?? null, said]));
"""
    kept = None if mask == "undefined" else {"upload": "before"}
    why = "The picture cannot be shown here, so nothing can be painted on it."
    assert played(script) == [kept, [f"{words} {why}"]]
