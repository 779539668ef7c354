"""The session of the page's tabs without a browser: which token a request gets, and what waits."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.paths import ROOT
from tests.unit.scripts import NODE, written_by

STATIC = ROOT / "functions" / "page" / "static"
HERE = Path(__file__).parent
STAGES = ("page_sign_in_stage.mjs", "page_account_stage.mjs")

pytestmark = pytest.mark.skipif(NODE is None, reason="node runs the page's scripts")

WAITS = "the image that you clicked will be made at that price"


def played(script: str) -> Any:
    """What a script writes."""
    stages = "\n".join((HERE / name).read_text() for name in STAGES)
    return written_by(f"const STATIC = {json.dumps(STATIC.as_uri())};\n{stages}\n{script}")


# Which token a request gets.


def test_signed_out_a_request_is_told_to_sign_in_and_sends_nothing() -> None:
    script = """
const account = await opened();
write([await got(account.fresh({ path: "/estimate" })), await account.fresh({ path: "/health-check/image-providers" }), why(), asked]);"""  # noqa: E501
    told, health, why, asked = played(script)
    assert told == [401, "signed_out", None, "Sign in to see prices and make images."]
    assert health == ""
    assert why == "Sign in to see prices and make images."
    assert asked == []


def test_a_good_token_is_used_and_the_issuer_is_not_asked() -> None:
    script = """
const one = held();
const account = await opened();
write([await account.fresh({ path: "/estimate" }) === one.token, asked, why(), node("person").textContent]);"""  # noqa: E501
    assert played(script) == [True, [], "", "Ada"]


def test_a_token_near_its_end_is_renewed_and_the_new_one_is_kept() -> None:
    script = """
const one = held({ due: Date.now() - 1 });
const account = await opened();
const all = await Promise.all([1, 2, 3].map(() => account.fresh({ path: "/estimate" })));
write([new Set(all).size, all[0] === kept().token, all[0] === one.token, asked.filter(({ method }) => method === "POST").length]);"""  # noqa: E501
    assert played(script) == [1, True, False, 1]


def test_a_refused_token_is_replaced_though_it_seems_to_be_good() -> None:
    script = """
const one = held();
const account = await opened();
write([await account.fresh({ path: "/estimate", refused: one.token }) === one.token, kept().token === one.token]);"""  # noqa: E501
    assert played(script) == [False, False]


def test_an_issuer_that_is_away_leaves_a_token_that_is_still_good() -> None:
    script = """
const one = held({ due: Date.now() - 1 });
issuer.lost = true;
const account = await opened();
write([await got(account.fresh({ path: "/estimate" })) === one.token, why()]);"""
    assert played(script) == [True, ""]


@pytest.mark.parametrize("about", ['path: "/generate-image"', 'path: "/estimate"'])
def test_an_issuer_that_is_away_does_not_end_a_session(about: str) -> None:
    script = f"""
held({{ due: 0, until: 0 }});
issuer.lost = true;
const account = await opened();
const told = await got(account.fresh({{ {about} }}));
issuer.lost = false;
write([told, typeof await account.fresh({{ {about} }})]);"""
    told, later = played(script)
    assert told[:3] == [0, "network", None]
    assert later == "string"


def test_a_token_that_was_entered_by_hand_comes_first_and_is_not_renewed() -> None:
    script = """
held({ due: 0 });
person.enter("by.hand.x");
const account = await opened();
write([await account.fresh({ path: "/estimate" }), await account.fresh({ path: "/estimate", refused: "by.hand.x" }), asked]);"""  # noqa: E501
    assert played(script) == ["by.hand.x", "by.hand.x", []]


def test_without_a_sign_in_the_drawer_for_developers_is_open() -> None:
    script = """
const account = await opened(null);
account.show(account.need);
write([why(), node("developer").hidden, node("developer").open, node("sign-in").hidden, await account.fresh({ path: "/estimate" })]);"""  # noqa: E501
    assert played(script) == ["Prices and images need a token.", False, True, True, ""]


@pytest.mark.parametrize(("is_local", "is_hidden"), [("true", False), ("false", True)])
def test_with_a_sign_in_the_drawer_is_for_local_stacks(is_local: str, *, is_hidden: bool) -> None:
    script = f"""
await opened(SIGN_IN, {is_local});
write([node("developer").hidden, node("developer").open, node("sign-in").hidden]);"""
    assert played(script) == [is_hidden, False, False]


# A session that has ended.


def test_an_ended_session_is_said_and_a_question_is_not_kept_waiting() -> None:
    script = """
held(ENDED);
const account = await opened();
write([await got(account.fresh({ path: "/chat" })), why(), node("sign-in").hidden, asked]);"""
    told, why, is_hidden, asked = played(script)
    assert told == [401, "signed_out", None, "Your session has ended. Sign in again to go on."]
    assert (why, is_hidden, asked) == (told[3], False, [])


def test_what_the_page_asks_for_by_itself_does_not_open_the_panel_again() -> None:
    script = """
held(ENDED);
const account = await opened();
const all = [];
for (const path of ["/usage", "/usage", "/chat"]) {
  account.show("");
  await got(account.fresh({ path }));
  all.push(Boolean(why()));
}
write(all);"""
    assert played(script) == [True, False, True]


def test_a_click_waits_until_its_person_is_signed_in_again_in_any_tab() -> None:
    script = """
held(ENDED);
const account = await opened();
let token = "waits";
account.fresh({ path: "/generate-image" }).then((one) => { token = one; });
await rest();
const before = [token, why(), focused];
const again = held({ id: "s2" });
sessionStorage.setItem("imagegen.joined", "s1");
await elsewhere(again);
write([before, token === again.token, why(), seen.at(-1)]);"""
    (token, why, focused), is_sent, after, change = played(script)
    assert token == "waits"
    assert WAITS in why
    assert focused == "sign-in"
    assert (is_sent, after) == (True, "")
    assert change[0] == "changed"


@pytest.mark.parametrize(
    "end",
    [
        'await elsewhere({ ...kept(), id: "s2", token: access({ sub: "eve" }), due: Date.now() + 9e5 });',  # noqa: E501
        "await elsewhere(null);",
        'cancel({ quote: "q1" }); await rest();',
        'node("sign-out").listeners.click(); await rest();',
    ],
    ids=["somebody else", "signed out elsewhere", "given up", "signed out here"],
)
def test_a_click_that_waits_is_dropped_when_its_person_is_not_coming_back(end: str) -> None:
    script = f"""
held(ENDED);
const account = await opened();
let told = "waits";
got(account.fresh({{ path: "/generate-image", quote: "q1" }})).then((one) => {{ told = one; }});
await rest();
{end}
write(told);"""
    status, code, charged, _ = played(script)
    # Nobody has looked yet: the element looks at the image's status before it says anything.
    assert (status, code, charged) == (401, "signed_out", None)


@pytest.mark.parametrize(
    ("cancelled", "dropped"),
    [
        ([{"quote": "q1"}], [True, False, False]),
        ([{"quote": "q2", "quotes": ["q2"]}], [False, True, False]),
        # A click for several offers waits until the last of them is given up.
        ([{"quote": "q3"}], [False, False, False]),
        ([{"quote": "q3"}, {"quote": "q4"}], [False, False, True]),
        ([{"quotes": ["q3", "q4"]}], [False, False, True]),
        ([{"quote": "other"}, None], [False, False, False]),
    ],
)
def test_a_click_that_is_given_up_leaves_the_others_waiting(
    cancelled: list[object], dropped: list[bool]
) -> None:
    script = f"""
held(ENDED);
const account = await opened();
const told = [];
for (const quote of ["q1", "q2", ["q3", "q4"]]) {{
  const at = told.push(false) - 1;
  account.fresh({{ path: "/generate-image", quote }}).catch(() => {{ told[at] = true; }});
}}
await rest();
for (const estimate of {json.dumps(cancelled)}) cancel(estimate);
await rest();
write(told);"""
    assert played(script) == dropped


# Tabs.


def test_a_session_that_no_tab_takes_part_in_is_deleted() -> None:
    script = """
held();
sessionStorage.clear();
await opened();
write([kept(), why(), seen]);"""
    assert played(script) == [None, "Sign in to see prices and make images.", []]


def test_another_tabs_session_is_this_ones_too() -> None:
    script = """
const one = held();
sessionStorage.clear();
tabs.push({ name: "imagegen.tab s1" });
const account = await opened();
write([await account.fresh({ path: "/estimate" }) === one.token, seen, why(), tabs.length]);"""
    assert played(script) == [True, [["changed", ""]], "", 2]


@pytest.mark.parametrize("change", ['issuer: "https://old.example/"', 'clientId: "old"'])
def test_a_session_of_other_settings_is_deleted(change: str) -> None:
    assert played(f"held({{ {change} }}); await opened(); write(kept());") is None


def test_a_sign_out_in_another_tab_shows_nothing_of_the_person_any_more() -> None:
    script = """
held();
localStorage.setItem("imagegen.chat x", "1");
const account = await opened();
await elsewhere(null);
write([seen, why(), sessionStorage.names(), await got(account.fresh({ path: "/estimate" }))]);"""
    seen, why, names, told = played(script)
    assert seen == [["left"]]
    assert why == "Sign in to see prices and make images."
    assert names == []
    assert told[:2] == [401, "signed_out"]


def test_a_renewal_in_another_tab_changes_nothing_that_is_shown() -> None:
    script = """
const one = held();
const account = await opened();
await elsewhere({ ...one, token: access() });
write([seen, await account.fresh({ path: "/estimate" }) === kept().token]);"""
    assert played(script) == [[], True]


# A request belongs to the person who asked.


@pytest.mark.parametrize(
    "change",
    [
        'await elsewhere({ ...kept(), id: "s2", token: access({ sub: "eve" }), due: Date.now() + 9e5 });',  # noqa: E501
        "person.enter(access({ sub: 'eve' }));",
        "person.enter(access({ sub: 'eve' })); signIn = null;",
    ],
    ids=["signed in elsewhere", "a token entered", "no sign-in"],
)
def test_what_was_refused_is_never_sent_again_as_somebody_else(change: str) -> None:
    script = f"""
let signIn = SIGN_IN;
const one = held();
const early = await opened();
{change}
const account = signIn ? early : await opened(null);
const again = await got(account.fresh({{ path: "/chat", refused: one.token }}));
write([again, await account.fresh({{ path: "/chat" }}) === person.token()]);"""
    told, is_usable = played(script)
    assert told[:3] == [401, "signed_out", None]
    assert is_usable


def test_what_was_refused_is_sent_again_with_another_token_of_its_person() -> None:
    script = """
held();
const account = await opened();
const refused = person.token();
person.enter(access());
write([await account.fresh({ path: "/chat", refused }) === person.token(), person.token() === refused]);"""  # noqa: E501
    assert played(script) == [True, False]


MEANWHILE = {
    "somebody else": 'await elsewhere({ ...kept(), id: "s2", token: access({ sub: "eve" }), due: Date.now() + 9e5 });',  # noqa: E501
    "signed out": "await elsewhere(null);",
}


@pytest.mark.parametrize("path", ["/chat", "/generate-image"])
@pytest.mark.parametrize("change", MEANWHILE.values(), ids=MEANWHILE)
def test_a_request_that_waits_for_a_renewal_is_not_sent_as_who_came_meanwhile(
    path: str, change: str
) -> None:
    script = f"""
held({{ due: 0, until: 0 }});
const account = await opened();
let free;
navigator.locks.request("imagegen.renewal", () => new Promise((done) => {{ free = done; }}));
let told = "waits";
got(account.fresh({{ path: "{path}" }})).then((one) => {{ told = one; }});
await rest();
{change}
free();
await rest();
write([told, node("sign-in").hidden, why()]);"""
    told, is_hidden, why = played(script)
    # Not even when the same person comes back: they saw it dropped.
    assert told[:3] == [401, "signed_out", None]
    is_somebody = change == MEANWHILE["somebody else"]
    assert is_hidden is is_somebody
    assert why == ("" if is_somebody else "Sign in to see prices and make images.")


# There and back.


def test_the_answer_of_the_issuer_leaves_the_address_at_once() -> None:
    script = """
const query = await begun(SIGN_IN, { part: "make" });
location.search = `?code=c1&state=${query.state}&iss=${encodeURIComponent(ISSUER)}`;
const account = accountView(SIGN_IN, false, page);
const replaced = went.at(-1);
await account.start();
write([replaced, seen, kept().name, why(), await account.fresh({ path: "/estimate" }) === kept().token]);"""  # noqa: E501
    replaced, seen, name, why, has_token = played(script)
    assert replaced == "replaced /app/#y"
    assert seen == [["changed", ""], ["restore", {"part": "make"}]]
    assert (name, why, has_token) == ("Ada", "", True)


def test_a_request_during_the_way_back_waits_for_its_token() -> None:
    script = """
const query = await begun();
location.search = `?code=c1&state=${query.state}&iss=${encodeURIComponent(ISSUER)}`;
const account = accountView(SIGN_IN, false, page);
const early = account.fresh({ path: "/generate-image" });
await account.start();
write(await early === kept().token);"""
    assert played(script) is True


def test_what_one_person_asked_for_is_not_sent_as_another_who_comes_back() -> None:
    script = """
held(ENDED);
const query = await begun();
location.search = `?code=c1&state=${query.state}&iss=${encodeURIComponent(ISSUER)}`;
const plain = issuer.token;
issuer.token = (form) => ({ ...plain(form), access_token: access({ sub: "eve" }) });
const account = accountView(SIGN_IN, false, page);
const early = got(account.fresh({ path: "/generate-image" }));
await account.start();
write([await early, await account.fresh({ path: "/estimate" }) === kept().token]);"""
    told, is_there = played(script)
    assert told[:3] == [401, "signed_out", None]
    assert is_there


@pytest.mark.parametrize(("comes", "is_shown"), [("ada", True), ("eve", False)])
@pytest.mark.parametrize("tab", ["", "await elsewhere(null);"], ids=["ended", "signed out too"])
def test_what_one_person_left_on_the_page_is_not_shown_to_another_who_comes_back(
    comes: str, tab: str, *, is_shown: bool
) -> None:
    script = f"""
held(ENDED);
await opened();
node("sign-in").listeners.click();
while (!sessionStorage.getItem("imagegen.sign-in")) await rest();
const query = Object.fromEntries(new URL(went.at(-1)).searchParams);
nonce = query.nonce;
const began = sessionStorage.getItem("imagegen.sign-in");
{tab}
sessionStorage.setItem("imagegen.sign-in", began);
location.search = `?code=c1&state=${{query.state}}&iss=${{encodeURIComponent(ISSUER)}}`;
const plain = issuer.token;
issuer.token = (form) => ({{ ...plain(form), access_token: access({{ sub: "{comes}" }}) }});
await opened();
write([seen.some(([what]) => what === "restore"), kept().name]);"""
    assert played(script) == [is_shown, "Ada"]


def test_a_forged_answer_leaves_the_session_as_it_is() -> None:
    script = """
const one = held();
location.search = "?code=c1&state=forged";
await opened();
write([kept().token === one.token, why(), seen]);"""
    is_kept, why, seen = played(script)
    assert is_kept
    assert "does not belong to a sign-in" in why
    assert seen == []


def test_signing_out_here_goes_to_the_issuer_without_anything_left() -> None:
    script = """
held();
localStorage.setItem(`imagegen.chat ${JSON.stringify([ISSUER, "ada"])}`, "mine");
localStorage.setItem(`imagegen.chat ${JSON.stringify([ISSUER, "bob"])}`, "his");
const account = await opened();
await account.leave();
write([localStorage.names(), sessionStorage.names(), went.at(-1), seen, tabs]);"""
    names, here, went, seen, tabs = played(script)
    assert names == ['imagegen.chat ["https://issuer.example/tenant/","bob"]']
    assert here == []
    assert went.startswith("https://issuer.example/logout?")
    assert seen == [["left"]]
    assert tabs == []


def test_where_the_issuer_has_no_sign_out_the_page_says_so() -> None:
    script = """
held();
delete metadata.end_session_endpoint;
const account = await opened();
await account.leave();
write([kept(), why()]);"""
    kept, why = played(script)
    assert kept is None
    assert "You may still be signed in at the sign-in service" in why


LEAVING = {
    "signed out": "await account.leave();",
    "another token": "account.parted(); held();",
    "signed out elsewhere": "await elsewhere(null);",
    "somebody else elsewhere": MEANWHILE["somebody else"],
}


@pytest.mark.parametrize("due", [60_000, -1], ids=["new", "near its end"])
@pytest.mark.parametrize("way", LEAVING)
def test_what_waits_is_done_with_the_token_of_the_person_who_leaves(way: str, due: int) -> None:
    script = f"""
const one = held({{ due: Date.now() + {due} }});
const account = await opened();
let sent;
listeners["person-leaves"] = () => {{ sent = got(account.fresh({{ path: "/images/i1" }})); }};
{LEAVING[way]}
write([await sent === one.token, kept()?.token === one.token]);"""
    assert played(script) == [True, False]


def test_an_operator_who_signed_in_from_the_other_page_goes_back_to_it() -> None:
    script = """
location.replace = (to) => went.push(`to ${to}`);
page.view = () => ({ back: "admin" });
page.need = "Sign in as an operator.";
await opened();
const told = why();
node("sign-in").listeners.click();
while (!sessionStorage.getItem("imagegen.sign-in")) await rest();
const query = Object.fromEntries(new URL(went.at(-1)).searchParams);
nonce = query.nonce;
location.search = `?code=c1&state=${query.state}&iss=${encodeURIComponent(ISSUER)}`;
await opened();
write([told, query.redirect_uri, went.at(-1), seen.some(([what]) => what === "restore"), kept().name]);"""  # noqa: E501
    asked, redirect, went, is_restored, name = played(script)
    assert asked == "Sign in as an operator."
    assert redirect.endswith("/app/")
    assert went == "to admin"
    assert not is_restored
    assert name == "Ada"
