"""Models side by side, without a browser: what is asked, what is summed, what is sent."""

import json
from typing import Any

import pytest

from local.paths import ROOT
from tests.unit.scripts import NODE, written_by

COMPARE = ROOT / "functions" / "page" / "static" / "compare.js"
CLIENT = ROOT / "functions" / "page" / "static" / "client.js"
STAGE = """
const found = await import(COMPARE);
const estimateOf = (model, ceiling, more) => ({
  imageId: `image of ${model}`, prompt: "a fox", provider: "openai", model, quality: "high",
  size: "1024x1024", typicalSeconds: 9, quotes: [`quote of ${model}`],
  price: { expected: ceiling, ceiling, perImage: ceiling, count: 1 }, ...more,
});
const asked = [];
const clientOf = (answers) => ({ async estimate(request) {
  asked.push(request);
  const answer = answers[request.model];
  if (answer instanceof Error) throw answer;
  return answer;
} });
const problemOf = (detail) => ({ problem: { code: "no_offer", detail } });
const refused = (detail) => Object.assign(new Error(detail), problemOf(detail));
"""

pytestmark = pytest.mark.skipif(NODE is None, reason="node runs the page's scripts")


def played(script: str) -> Any:
    """What a script writes."""
    return written_by(f"const COMPARE = {json.dumps(COMPARE.as_uri())};\n{STAGE}\n{script}")


def test_each_model_is_asked_for_its_own_price_of_one_image() -> None:
    script = """
const client = clientOf({ a: estimateOf("a", "0.010000"), b: estimateOf("b", "0.020001") });
const wish = { prompt: "a fox", size: "portrait", count: 3, compare: ["a", "b"] };
const all = await found.priced(client, wish);
const offers = all.generations.map(({ id, status }) => [id, status]);
console.log(JSON.stringify([asked, offers, all.left, found.totalText(all)]));
"""
    asked, offers, left, total = played(script)
    wish = {"prompt": "a fox", "size": "portrait"}
    assert asked == [{**wish, "model": "a"}, {**wish, "model": "b"}]
    assert offers == [["image of a", "pending"], ["image of b", "pending"]]
    assert left == []
    # Rounded up, as every price is: 0.030001 is never shown as 0.03.
    assert total == "at most $0.0301 for 2"


def test_a_model_without_a_price_is_left_out_and_named() -> None:
    script = """
const b = refused("It does not draw this size.");
const client = clientOf({ a: estimateOf("a", "0.010000"), b });
console.log(JSON.stringify(await found.priced(client, { prompt: "a fox", compare: ["a", "b"] })));
"""
    all_of_them = played(script)
    assert [one["id"] for one in all_of_them["generations"]] == ["image of a"]
    # Without the page's words, a reason is named by its key.
    assert all_of_them["left"] == [{"model": "b", "why": "e.later"}]


def test_two_names_that_lead_to_the_same_model_are_one_offer() -> None:
    script = """
const b = estimateOf("a", "0.010000", { imageId: "another" });
const client = clientOf({ a: estimateOf("a", "0.010000"), b });
const wish = { prompt: "a fox", compare: ["a", "b"] };
const { generations, left } = await found.priced(client, wish);
console.log(JSON.stringify([generations.map(({ id }) => id), left.map(({ model }) => model)]));
"""
    assert played(script) == [["image of a"], ["b"]]


def test_without_any_price_the_reason_is_passed_on() -> None:
    script = """
const client = clientOf({ a: refused("No model is available."), b: refused("No.") });
const wish = { prompt: "a fox", compare: ["a", "b"] };
const error = await found.priced(client, wish).catch((one) => one);
console.log(JSON.stringify(error.problem.detail));
"""
    assert played(script) == "No model is available."


def test_the_choices_of_an_offer_are_compared_with_what_it_was_requested_with() -> None:
    script = """
const models = ["a", "b", "b", "c", "d", "e"];
const choices = models.map((model) => ({ request: { model, quality: "high" } }));
const request = { size: "portrait", quality: "high", model: "a", count: 2, style: "ink" };
const estimate = { choices, request };
console.log(JSON.stringify(found.requestOf({ prompt: "a fox", estimate })));
"""
    wanted = {"size": "portrait", "style": "ink", "prompt": "a fox"}
    assert played(script) == {**wanted, "compare": ["a", "b", "c", "d"]}


REFUSALS = [
    ("{}", "{}", ""),
    ('{ maxCost: "0.02" }', "{}", "more than the $0.02 that you set"),
    ('{ maxCost: "0.03" }', "{}", ""),
    ("{}", '{ usdToday: "0.029999", imagesThisHour: null, imagesToday: 9 }', "of your day is left"),
    ("{}", '{ usdToday: "0.030000", imagesThisHour: null, imagesToday: 9 }', ""),
    ("{}", '{ usdToday: "9.0", imagesThisHour: 1, imagesToday: 9 }', "room for 1 more"),
    ("{}", '{ usdToday: "9.0", imagesThisHour: null, imagesToday: 0 }', "room for 0 more"),
]


@pytest.mark.parametrize(("request_", "remaining", "reason"), REFUSALS)
def test_a_total_that_the_click_could_not_buy_has_no_button(
    request_: str, remaining: str, reason: str
) -> None:
    script = f"""
const more = {{ remaining: {remaining} }};
const offer = (model, money) => ({{ estimate: estimateOf(model, money, more) }});
const offers = [offer("a", "0.010000"), offer("b", "0.020000")];
console.log(JSON.stringify(found.refusalOf(offers, {request_})));
"""
    text = played(script)
    assert reason in text
    assert bool(text) is bool(reason)


def test_a_limit_of_one_of_them_is_the_limit_of_all() -> None:
    script = """
const blocked = { reason: "daily_images", detail: "Ten images a day.", opensAt: null };
const offers = [{}, { blocked }].map((more) => ({ estimate: estimateOf("a", "0.01", more) }));
console.log(JSON.stringify(found.refusalOf(offers, {})));
"""
    # Without the page's words, a reason is named by its key.
    assert played(script) == "l.day"


def test_one_request_confirms_all_quotes_and_says_that_models_may_differ() -> None:
    script = f"""
const {{ createClient }} = await import({json.dumps(CLIENT.as_uri())});
const sent = [];
Object.defineProperty(globalThis, "navigator", {{ value: {{ onLine: true }}, configurable: true }});
globalThis.fetch = async (_, {{ body }}) => {{
  sent.push(JSON.parse(body));
  const one = {{ index: 0, id: "x", status: "complete", charged: true, image: {{}} }};
  return Response.json({{ images: [one] }});
}};
const client = createClient({{ generateUrl: "https://api.example", token: "t" }});
await client.generate(["one", "two"], "a fox", {{ mixed: true }});
await client.generate("three", "a fox").catch(() => {{}});
console.log(JSON.stringify(sent));
"""
    assert played(script) == [
        {"quotes": ["one", "two"], "prompt": "a fox", "mixed": True},
        {"quote": "three", "prompt": "a fox"},
    ]


RUN = """
const looks = { a: null, b: null };
const client = {
  async status(id) { if (looks[id] instanceof Error) throw looks[id]; return looks[id]; },
  watch: async (id) => ({ id, status: "complete", later: true }),
};
const absent = Object.assign(new Error("none"), { problem: { status: 404, charged: false } });
const run = found.followed(client, ["a", "b"], ({ problem }) => problem?.status === 404);
const ends = ["a", "b"].map((id, index) => run.clientOf(index).watch(id, {}).then(
  (image) => image, ({ problem }) => problem));
const problem = { code: "network", detail: "No answer.", charged: null };
"""


def test_each_image_of_the_request_ends_by_itself() -> None:
    script = f"""{RUN}
run.tell({{ images: [
  {{ id: "a", status: "complete", image: {{ id: "a", status: "complete" }} }},
  {{ id: "b", status: "generating", startedAt: "2026-11-22T10:00:00Z" }},
] }});
await new Promise((done) => setTimeout(done));
const first = await Promise.race([ends[0], "open"]);
run.tell({{ images: [
  {{ id: "a", status: "complete", image: {{ id: "other" }} }},
  {{ id: "b", status: "failed", charged: false, problem: {{ code: "content_refused", charged: false }} }},
] }});
console.log(JSON.stringify([first, ...await Promise.all(ends)]));
"""  # noqa: E501
    stored = {"id": "a", "status": "complete"}
    refused = {"code": "content_refused", "charged": False}
    assert played(script) == [stored, stored, refused]


def test_an_image_that_has_begun_is_told_to_its_element_alone() -> None:
    script = f"""{RUN}
const heard = [];
for (const index of [0, 1])
  run.clientOf(index).watch("ab"[index], {{ onProgress: ({{ id }}) => heard.push([index, id]) }});
run.tell({{ images: [
  {{ id: "a", status: "generating", startedAt: null }},
  {{ id: "b", status: "generating", startedAt: "2026-11-22T10:00:00Z" }},
] }});
run.tell({{ startedAt: "2026-11-22T10:00:00Z", images: [{{ id: "a", status: "generating" }}] }});
console.log(JSON.stringify(heard));
"""
    assert played(script) == [[1, "b"], [0, "a"]]


@pytest.mark.parametrize(
    ("charged", "is_open"), [("false", True), ("null", False), ("true", False)]
)
def test_only_what_certainly_was_not_begun_is_an_open_offer_again(
    charged: str, *, is_open: bool
) -> None:
    script = f"""{RUN}
looks.a = looks.b = absent;
const isOpen = await run.look({{ ...problem, charged: {charged} }});
console.log(JSON.stringify([isOpen, isOpen ? [] : await Promise.all(ends)]));
"""
    known, ended = played(script)
    assert known is is_open
    assert [one["charged"] for one in ended] == ([] if is_open else [None, None])


def test_after_an_error_for_all_each_image_is_looked_at() -> None:
    script = f"""{RUN}
looks.a = {{ id: "a", status: "complete" }};
looks.b = {{ id: "b", status: "failed", code: "content_refused", charged: false }};
const isOpen = await run.look(problem);
console.log(JSON.stringify([isOpen, ...await Promise.all(ends)]));
"""
    is_open, stored, refused = played(script)
    assert is_open is False
    assert stored == {"id": "a", "status": "complete"}
    assert (refused["code"], refused["charged"], refused["detail"]) == (
        "content_refused",
        False,
        "",
    )


def test_what_still_runs_after_a_lost_answer_is_followed_to_its_end() -> None:
    script = f"""{RUN}
looks.a = {{ id: "a", status: "generating" }};
looks.b = new Error("offline");
await run.look(problem);
console.log(JSON.stringify(await Promise.all(ends)));
"""
    running, unknown = played(script)
    assert running == {"id": "a", "status": "complete", "later": True}
    assert unknown["charged"] is None


def test_a_new_offer_in_the_place_of_one_is_followed_by_itself() -> None:
    script = f"""{RUN}
console.log(JSON.stringify(await run.clientOf(0).watch("another", {{}})));
"""
    assert played(script) == {"id": "another", "status": "complete", "later": True}
