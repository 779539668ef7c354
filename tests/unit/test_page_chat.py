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
chat.stop();
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


def test_what_is_requested_word_for_word_is_priced_without_the_chat() -> None:
    script = """
await write("a hut", { prompt: "a hut", size: "portrait" }, ["harbour.jpg"]);
await rest();
const roles = messagesOf(chat.shown()).map(({ role }) => role);
console.log(JSON.stringify([asked.length, estimated, rows(), roles]));
"""
    assert played(script) == [
        0,
        [{"prompt": "a hut", "size": "portrait"}],
        ["You: a hutWith harbour.jpg", "Assistant: "],
        ["user", "assistant"],
    ]


def test_a_new_chat_keeps_the_one_before_and_both_are_found_by_their_ids() -> None:
    script = """
await write("a fox", { prompt: "a fox", count: 2 });
await rest();
const first = chat.shown();
chat.anew();
const empty = rows();
await write("a hut", { prompt: "a hut", count: 2 });
await rest();
const second = chat.shown();
const titles = list().map(({ title }) => title);
chat.open(first);
const areAddresses = addresses.includes(first) && addresses.includes(second);
console.log(JSON.stringify([empty, titles, rows()[0], areAddresses, first !== second]));
"""
    assert played(script) == [[], ["a hut", "a fox"], "You: a fox", True, True]


def test_the_only_conversation_of_an_earlier_version_is_taken_over() -> None:
    script = """
stored.set(`imagegen.chat ${owner}`, JSON.stringify([
  { role: "user", content: "an old fox" },
  { role: "assistant", content: "$1", generations: [], calls: [] },
]));
chat.refresh();
console.log(JSON.stringify([rows(), list().length, stored.has(`imagegen.chat ${owner}`)]));
"""
    assert played(script) == [["You: an old fox", "Assistant: $1"], 1, False]


def test_what_another_tab_writes_in_the_same_conversation_appears_and_nothing_is_lost() -> None:
    script = """
await write("a fox", { prompt: "a fox", count: 2 });
await rest();
const id = chat.shown();
const place = `imagegen.chat.${id} ${owner}`;
const theirs = messagesOf(id);
Object.assign(theirs[1].generations[0], { status: "complete", image: { id: "image-1" } });
const at = Date.now() + 5;
stored.set(place, JSON.stringify([
  ...theirs,
  { id: "x", at, role: "user", content: "from the other tab" },
  { id: "y", at: at + 1, role: "assistant", content: "Yes.", generations: [], calls: [] },
]));
const before = stored.get(place);
heard.get("storage")({ key: place });
const isOnlyRead = stored.get(place) === before;
await write("on");
const states = messagesOf(id)[1].generations.map(({ status }) => status);
console.log(JSON.stringify([rows().slice(0, 4), states, isOnlyRead, messagesOf(id).length]));
process.exit();
"""
    shown = ["You: a fox", "Assistant: ", "You: from the other tab", "Assistant: Yes."]
    assert played(script) == [shown, ["complete"], True, 5]


MERGING = """
const { conversations, merged } = await import(new URL("./conversations.js", CHAT));
const offer = (id, status) => ({ id, status });
const answer = (generations, more) => [
  { id: "m", at: 1, role: "assistant", content: "", generations, ...more },
];
const told = ({ generations }) => generations.map(({ id, status }) => `${id} ${status}`);
const both = (mine, theirs) => merged(mine, theirs).map(told);
"""


@pytest.mark.parametrize(
    ("mine", "theirs", "found"),
    [
        ("answer([offer('a', 'pending')])", "answer([offer('a', 'complete')])", ["a complete"]),
        ("answer([offer('a', 'complete')])", "answer([offer('a', 'pending')])", ["a complete"]),
        ("answer([offer('a', 'generating')])", "answer([offer('a', 'declined')])", ["a generating"]),  # noqa: E501
        # A newer price stands for the offer before, unless that one was confirmed in the other tab.
        (
            "answer([offer('b', 'pending')], { replaced: ['a'] })",
            "answer([offer('a', 'pending')])",
            ["b pending"],
        ),
        (
            "answer([offer('b', 'pending')], { replaced: ['a'] })",
            "answer([offer('a', 'complete')])",
            ["b pending", "a complete"],
        ),
        (
            "answer([offer('a', 'pending')])",
            "answer([offer('b', 'pending')], { replaced: ['a'] })",
            ["b pending"],
        ),
    ],
)  # fmt: skip
def test_of_two_tabs_the_later_state_of_an_offer_stays(
    mine: str, theirs: str, found: list[str]
) -> None:
    script = f"{MERGING}console.log(JSON.stringify(both({mine}, {theirs})));"
    assert played(script) == [found]


def test_a_deleted_conversation_comes_back_whole() -> None:
    script = """
await write("a fox", { prompt: "a fox", count: 2 });
await rest();
const { conversations } = await import(new URL("./conversations.js", CHAT));
const id = chat.shown();
const before = [list(), messagesOf(id)];
const back = conversations.remove(id);
const during = [list().length, stored.has(`imagegen.chat.${id} ${owner}`)];
back();
const isSame = JSON.stringify([list(), messagesOf(id)]) === JSON.stringify(before);
console.log(JSON.stringify([during, isSame]));
"""
    assert played(script) == [[0, False], True]


def test_an_empty_conversation_that_is_opened_first_offers_no_way_to_another() -> None:
    shown = "['hello', 'anew', 'history'].map((id) => node(id).hidden)"
    assert played(f"console.log(JSON.stringify({shown}));") == [False, True, True]


def test_an_image_of_a_conversation_that_is_left_is_still_told_to_the_page() -> None:
    script = """
await write("a fox", { size: "portrait" });
const offers = node("messages").children.at(-1).children.flatMap(({ children }) => children);
const moved = offers.find((one) => one.data).listeners["image-change"];
node("anew").listeners.click();
moved({ detail: { generation: { id: "image-1", status: "complete" } } });
const left = [...moves];
// What was another person's is no news for whoever is there now.
chat.refresh();
moved({ detail: { generation: { id: "image-1", status: "failed" } } });
console.log(JSON.stringify([left, moves]));
"""
    told = [["image-1", "complete"]]
    assert played(script) == [told, told]


def test_an_answer_is_shown_by_its_markdown_and_kept_and_sent_as_it_was_written() -> None:
    script = """
await import(new URL("./markdown.js", CHAT));
await write("a fox");
asked[0].say("text_delta", { text: "A **red** f" });
await rest();
const during = rows().at(-1);
asked[0].say("text_delta", { text: "ox." });
await rest();
chat.stop();
await rest();
await write("and a hut");
console.log(JSON.stringify([during, rows()[1], kept().slice(0, 2), asked[1].words]));
"""
    written = "A **red** fox."
    assert played(script) == [
        "Assistant: A red f",
        "Assistant: A red fox.Stopped.",
        ["a fox", written],
        ["a fox", written, "and a hut"],
    ]


def test_a_message_can_be_copied_and_ones_own_edited() -> None:
    script = """
const copied = [], edited = [];
Object.defineProperty(globalThis, "navigator", {
  value: { clipboard: { writeText: async (text) => copied.push(text) } },
});
await import(new URL("./message-acts.js", CHAT));
await write("a fox");
asked[0].say("message_complete", { content: "A **fox**.", imageGenerations: [], llmApiCalls: [] });
await rest();
page.edit = ({ content }) => edited.push(content);
const all = node("messages").children.map((one) => buttonsOf(one));
for (const one of all.flat()) one.listeners.click();
await write("Make this picture larger", { operation: "upscale", inputs: [{ image: "one" }] });
const [, , upscale] = node("messages").children.map((one) => buttonsOf(one));
const names = [...all, upscale].map((list) => list.map((one) => one["aria-label"]));
console.log(JSON.stringify([names, copied, edited]));
"""
    assert played(script) == [
        [["Copy message", "Edit message"], ["Copy message"], ["Copy message"]],
        ["a fox", "A **fox**."],
        ["a fox"],
    ]
