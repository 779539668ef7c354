"""The page for operators without a browser: what it shows is what was asked for last."""

import json
from typing import Any

import pytest

from local.paths import ROOT
from tests.unit.scripts import NODE, written_by

ADMIN = ROOT / "functions" / "page" / "static" / "admin.js"

pytestmark = pytest.mark.skipif(NODE is None, reason="node runs the page's scripts")

STAGE = """
const element = () => ({
  children: [], listeners: {}, value: "", textContent: "", dataset: {},
  append(...all) { this.children.push(...all); }, replaceChildren(...all) { this.children = all; },
  setAttribute(name, value) { if (name === "data-act") this.act = value; },
  focus() {}, showModal() {}, addEventListener(name, act) { this.listeners[name] = act; },
  querySelector(name) { return node(name); },
});
const nodes = new Map();
const node = (id) => nodes.get(id) ?? nodes.set(id, element()).get(id);
const heard = {};
globalThis.document = {
  getElementById: node, createElement: element, createElementNS: element,
  addEventListener(name, act) { heard[name] = act; },
  querySelector: () => ({
    content: JSON.stringify({ adminUrl: "https://api.example", signIn: SIGN_IN }),
  }),
};
globalThis.location = new URL("https://page.example/admin");
[globalThis.addEventListener, globalThis.dispatchEvent] = [() => {}, () => {}];
const store = (held = new Map()) => ({
  getItem: (name) => held.get(name) ?? null, setItem: (name, value) => held.set(name, value),
  removeItem: (name) => held.delete(name), clear: () => held.clear(),
});
[globalThis.sessionStorage, globalThis.localStorage] = [store(), store()];
const waiting = new Map();
globalThis.fetch = (url, { body }) =>
  new Promise((done) => { waiting.set(JSON.parse(body).subject, done); });
await import(ADMIN);
sessionStorage.setItem("imagegen.token", "x.y.z");
const rest = () => new Promise((done) => setTimeout(done, 5));
const person = (name) => ({
  user: name, logName: name, recent: [], limits: {}, chat: {}, spent: "0", reserved: "0", images: 0,
});
function find(name) {
  node("who").value = name;
  node("find").listeners.submit({ preventDefault() {} });
}
async function answer(name, response = Response.json(person(name))) {
  await rest();
  waiting.get(name)(response);
  await rest();
}
const texts = (one) =>
  (typeof one === "string" ? [one] : [one.textContent, ...one.children.flatMap(texts)]);
const shown = () => ["ada", "eve"].filter((name) => texts(node("people-tables")).includes(name));
const note = () => node("people-note").textContent;
/** Answers every call with the same, and keeps what was asked. */
function answered(found, calls = []) {
  globalThis.fetch = async (url, { body }) => {
    calls.push([url.replace("https://api.example/admin/", ""), body && JSON.parse(body)]);
    return Response.json(found);
  };
  return calls;
}
const all = (one) => [one, ...(one.children ?? []).flatMap(all)];
const named = (part, text) => all(node(part)).find(({ textContent }) => textContent === text);
/** Presses a button of a part, and says yes with a reason. */
async function press(part, text, why = "because") {
  const button = named(part, text);
  heard.click({ target: Object.assign(button, { dataset: { act: button.act } }) });
  node("act-why").value = why;
  node("act").returnValue = "yes";
  await node("act").onclose();
}
const write = (value) => console.log(JSON.stringify(value));
"""


def played(script: str, *, sign_in: dict[str, str] | None = None) -> Any:
    given = f"const [ADMIN, SIGN_IN] = {json.dumps([ADMIN.as_uri(), sign_in])};"
    return written_by(f"{given}\n{STAGE}\n{script}")


def test_the_person_who_was_asked_for_last_is_shown_whichever_answer_is_last() -> None:
    script = """
find("ada"); find("eve");
await answer("eve");
const first = shown();
await answer("ada");
write([first, shown(), note()]);"""
    assert played(script) == [["eve"], ["eve"], ""]


def test_an_error_about_somebody_else_is_not_said_of_who_is_shown() -> None:
    script = """
find("ada"); find("eve");
await answer("eve");
await answer("ada", Response.json({ status: 404, detail: "No such person." }, { status: 404 }));
write([shown(), note()]);"""
    assert played(script) == [["eve"], ""]


def test_what_is_answered_after_the_token_is_forgotten_is_not_shown() -> None:
    script = """
find("ada");
node("forget").listeners.click();
await answer("ada");
write([shown(), note()]);"""
    assert played(script) == [[], ""]


def test_nobody_is_shown_beside_the_error_of_looking_for_somebody_else() -> None:
    script = """
find("ada");
await answer("ada");
const first = shown();
find("eve");
await answer("eve", Response.json({ status: 503, detail: "Try again." }, { status: 503 }));
write([first, shown(), note()]);"""
    assert played(script) == [["ada"], [], "Try again."]


BUDGET = """
const found = {
  level: "team", team: "design", teamHash: "b1c2", user: "", isSet: true,
  dailySpend: "5.000000", monthlySpend: null, ownDailySpend: null, ownMonthlySpend: null,
  spentToday: "1.250000", spentThisMonth: "1.250000",
};
const calls = answered(found);
node("level").value = "team";
node("whose").value = "design";
node("budget").listeners.submit({ preventDefault() {} });
await rest();
const words = texts(node("budgets-tables"));
"""


def test_a_budget_is_shown_with_its_hash_and_what_is_used() -> None:
    words, calls = played(f"{BUDGET} write([words, calls]);")
    assert calls == [["budgets/find", {"level": "team", "team": "design"}]]
    text = " ".join(filter(None, words))
    assert "Budget of the team design (b1c2), set by an operator" in text
    assert "Dollars a day" in words


@pytest.mark.parametrize(
    ("day", "month", "sent"),
    [
        ("7.50", "", {"dailySpend": "7.50"}),
        ("5.00", "100", {"monthlySpend": "100"}),
        ("", "", {"dailySpend": None}),
        ("6", "60", {"dailySpend": "6", "monthlySpend": "60"}),
    ],
)
def test_only_an_amount_that_was_changed_is_sent(day: str, month: str, sent: Any) -> None:
    script = f"""{BUDGET}
node("set-day").value = {json.dumps(day)};
node("set-month").value = {json.dumps(month)};
await press("budgets-tables", "Set it");
write([node("act-title").textContent, calls[1]]);"""
    title, call = played(script)
    assert title == "Set the budget of the team design?"
    wanted = {"level": "team", "team": "design", "reason": "because", **sent}
    assert call == ["budgets/set", wanted]


def test_whose_budget_it_is_is_said_where_it_is_shown_and_set() -> None:
    person = (
        """level: "person", user: "f54206d54f8fb20bb2555924c471061b", team: "", teamHash: "","""
    )
    budget = BUDGET.replace(
        """level: "team", team: "design", teamHash: "b1c2", user: "",""", person
    )
    script = f"""{budget}
await press("budgets-tables", "Set it");
write([words, node("act-title").textContent, calls[1]]);"""
    words, title, (_, body) = played(script)
    assert "Budget of the person f54206d5, set by an operator" in " ".join(filter(None, words))
    assert title == "Set the budget of the person f54206d5?"
    assert body["user"] == "f54206d54f8fb20bb2555924c471061b"


def test_a_budget_that_an_operator_set_is_reset() -> None:
    script = f"""{BUDGET}
await press("budgets-tables", "Reset it");
write(calls[1]);"""
    wanted = {"level": "team", "team": "design", "reset": True, "reason": "because"}
    assert played(script) == ["budgets/set", wanted]


def test_a_key_is_revoked_and_the_keys_are_read_again() -> None:
    script = """
const calls = answered({ keys: [{
  name: "nightly", keyId: "abcd2345", scopes: ["images"], state: "valid", madeBy: "user:me",
  dailySpend: "5.000000", monthlySpend: null, expiresAt: null,
}] });
heard.click({ target: { dataset: { again: "keys" } } });
await rest();
await press("keys-tables", "Revoke abcd2345", "it leaked");
write([node("act-title").textContent, calls]);"""
    title, calls = played(script)
    assert title == "Revoke the key nightly (abcd2345)?"
    revoked = ["keys/revoke", {"keyId": "abcd2345", "reason": "it leaked"}]
    assert calls == [["keys", None], revoked, ["keys", None], ["trail", None]]


def test_providers_and_circuits_have_the_names_that_people_know() -> None:
    script = """
const circuit = { circuit: "gemini/gemini-image", state: "open", failures: 5, users: 5 };
answered({ circuits: [circuit], providers: [{
  provider: "bfl", enabled: true, flag: true, switch: null, hasKey: true, lastKeyCheck: "valid",
  circuit: { ...circuit, circuit: "bfl" },
}] });
heard.click({ target: { dataset: { again: "state" } } });
await rest();
const words = texts(node("state-tables"));
await press("state-tables", "Switch Black Forest Labs off");
write([words, node("act-title").textContent]);"""
    words, title = played(script)
    assert "Close Google Gemini gemini-image" in words
    assert title == "Switch Black Forest Labs off?"


ISSUER = {"issuer": "https://issuer.example", "clientId": "the-page", "scopes": "openid"}


def test_where_people_sign_in_an_operator_is_asked_to() -> None:
    script = """
sessionStorage.clear();
await rest();
const hidden = ["sign-in", "sign-out", "entry"].map((id) => node(id).hidden);
write([node("person").textContent, node("entry-why").textContent, ...hidden]);"""
    shown = ["Sign in", "Sign in as an operator.", False, True, False]
    assert played(script, sign_in=ISSUER) == shown


def test_who_lacks_the_scope_is_told_so_and_sees_nothing() -> None:
    script = """
sessionStorage.setItem("imagegen.token", "x.y.z");
globalThis.fetch = async () =>
  Response.json({ status: 403, detail: "This is for operators." }, { status: 403 });
heard.click({ target: { dataset: { again: "state" } } });
await rest();
const rows = node("state-tables").children.length;
write([node("entry-why").textContent, node("entry").hidden, rows]);"""
    why, hidden, rows = played(script, sign_in=ISSUER)
    assert why == "This is for operators. You need the scope of operators."
    assert (hidden, rows) == (False, 0)


def test_a_token_that_is_refused_is_not_sent_again_and_a_new_one_is_asked_for() -> None:
    script = """
let calls = 0;
globalThis.fetch = async () => {
  calls += 1;
  return Response.json({ status: 401, detail: "Not valid." }, { status: 401 });
};
heard.click({ target: { dataset: { again: "state" } } });
await rest();
write([calls, node("entry").hidden, node("entry-why").textContent]);"""
    calls, hidden, why = played(script)
    assert (calls, hidden) == (1, False)
    assert "not accepted" in why
