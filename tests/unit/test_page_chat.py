"""The page's conversation without a browser: an answer belongs to one conversation, once."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from local.paths import ROOT

NODE = shutil.which("node")
CHAT = ROOT / "functions" / "page" / "static" / "chat-view.js"
STAGE = Path(__file__).with_name("page_chat_stage.mjs")

pytestmark = pytest.mark.skipif(NODE is None, reason="node runs the page's scripts")


def played(script: str) -> object:
    """What a script writes in the page of a user without a conversation."""
    text = f"const CHAT = {json.dumps(CHAT.as_uri())};\n{STAGE.read_text()}\n{script}"
    done = subprocess.run(  # noqa: S603
        [NODE or "", "--input-type=module", "-e", text],
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def test_a_new_chat_ends_the_answer_of_the_one_before_and_can_be_written_in_at_once() -> None:
    script = """
await write("a fox");
asked[0].say("text_delta", { text: "Which" });
await rest();
node("anew").listeners.click();
const free = button.textContent;
await write("a hut");
asked[0].say("text_delta", { text: " fox?" });
asked[1].say("text_delta", { text: "A hut." });
await rest();
const during = button.textContent;
asked[1].say("message_complete", { content: "A hut.", imageGenerations: [], llmApiCalls: [] });
await rest();
console.log(JSON.stringify([
  asked[0].signal.aborted, asked[1].signal.aborted, free, during, button.textContent,
  asked.map(({ words }) => words), rows()]));
"""
    assert played(script) == [
        *(True, False, "Send", "Stop", "Send"),
        [["a fox"], ["a hut"]],
        ["You: a hut", "Assistant: A hut."],
    ]


def test_another_user_gets_nothing_of_an_answer_that_was_running() -> None:
    script = """
await write("a fox");
asked[0].say("text_delta", { text: "Which fox?" });
await rest();
sessionStorage.setItem("imagegen.token", "");
chat.refresh();
await rest();
console.log(JSON.stringify([rows(), button.textContent, asked[0].signal.aborted]));
"""
    assert played(script) == [[], "Send", True]


def test_an_answer_is_asked_for_again_once_and_not_beside_another_one() -> None:
    script = """
await write("a fox");
asked[0].say("text_delta", { text: "Which" });
asked[0].end();
await rest();
const before = buttons("Ask again").length;
await write("a hut");
const during = buttons("Ask again").length;
console.log(JSON.stringify([before, during, asked.map(({ words }) => words)]));
process.exit();
"""
    assert played(script) == [1, 0, [["a fox"], ["a fox", "Which", "a hut"]]]


def test_what_was_read_of_a_stopped_answer_is_kept_and_is_not_sent_when_it_is_asked_again() -> None:
    script = """
await write("a fox");
asked[0].say("text_delta", { text: "Which" });
await rest();
node("composer").listeners.submit({ preventDefault() {} });
await rest();
buttons("Ask again")[0].listeners.click();
await rest();
console.log(JSON.stringify([rows(), kept(), asked.map(({ words }) => words)]));
process.exit();
"""
    assert played(script) == [
        ["You: a fox", "Assistant: WhichStopped.", "Assistant: "],
        ["a fox", "Which"],
        [["a fox"], ["a fox"]],
    ]
