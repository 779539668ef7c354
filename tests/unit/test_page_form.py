"""The page's form and lists without a browser: what stays in them, and how often is asked."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from local.paths import ROOT

NODE = shutil.which("node")
FORM = ROOT / "functions" / "page" / "static" / "form-view.js"
STAGE = Path(__file__).with_name("page_form_stage.mjs")

pytestmark = pytest.mark.skipif(NODE is None, reason="node runs the page's scripts")


def played(script: str) -> object:
    """What a script writes that has the form of a user who left a request with a picture in it."""
    text = f"const FORM = {json.dumps(FORM.as_uri())};\n{STAGE.read_text()}\n{script}"
    done = subprocess.run(  # noqa: S603
        [NODE or "", "--input-type=module", "-e", text],
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def test_a_request_that_was_left_comes_back_with_its_picture() -> None:
    script = "await loaded(); console.log(JSON.stringify(shown()));"
    left = {"prompt": "a kept fox", "style": "ink", "size": "same", "pictures": 1}
    assert played(script) == left


def test_a_link_is_not_replaced_by_the_request_that_was_left() -> None:
    script = """
form.open({ prompt: "a hut" });
await loaded();
console.log(JSON.stringify([shown(), asked]));
"""
    link = {"prompt": "a hut", "style": "", "size": "square", "pictures": 0}
    assert played(script) == [link, [{"prompt": "a hut", "size": "square"}]]


def test_what_is_written_before_the_pictures_are_loaded_stays() -> None:
    script = (
        'elements.prompt.value = "a boat"; await loaded(); console.log(JSON.stringify(shown()));'
    )
    assert played(script) == {"prompt": "a boat", "style": "", "size": "square", "pictures": 0}


def test_the_request_of_the_user_before_does_not_come_into_the_form_of_the_next() -> None:
    script = """
sessionStorage.setItem("imagegen.token", `x.${btoa(JSON.stringify({ iss: "us", sub: "ben" }))}.x`);
form.clear();
await loaded();
console.log(JSON.stringify(shown()));
"""
    assert played(script) == {"prompt": "", "style": "", "size": "square", "pictures": 0}


def test_one_price_is_asked_for_what_was_written_and_then_sent() -> None:
    script = """
await loaded();
order.listeners.input();
order.listeners.submit({ preventDefault() {} });
await new Promise((done) => setTimeout(done, 500));
console.log(asked.length);
"""
    assert played(script) == 1


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
