"""The client's token function: what it is told, and when a request is sent again."""

import json
from typing import Any

import pytest

from local.paths import ROOT
from tests.unit.scripts import NODE, written_by

CLIENT = ROOT / "functions" / "page" / "static" / "client.js"

pytestmark = pytest.mark.skipif(NODE is None, reason="node runs the page's scripts")

STAGE = """
const sent = [], told = [];
let good = "new";
globalThis.document = { baseURI: "https://page.example/" };
globalThis.fetch = async (url, { headers = {} }) => {
  const token = headers.authorization?.slice(7) ?? "";
  sent.push(token);
  if (token === good) return new Response('{"spent": "0"}');
  const options = { status: 401, headers: { "content-type": "application/problem+json" } };
  return new Response('{"status": 401, "code": "unauthorized", "detail": "No."}', options);
};
const { createClient } = await import(CLIENT);
const asked = (token) => createClient({ generateUrl: "https://api.example", token }).usage()
  .then(() => "answered", ({ problem }) => problem.code);
const giving = (...tokens) => (about) => { told.push(about); return tokens.shift(); };
"""


def played(script: str) -> Any:
    return written_by(f"const CLIENT = {json.dumps(CLIENT.as_uri())};\n{STAGE}\n{script}")


def test_a_refused_token_is_replaced_once() -> None:
    found = '[await asked(giving("old", "new")), sent, told]'
    assert played(f"console.log(JSON.stringify({found}));") == [
        "answered",
        ["old", "new"],
        [{"path": "/usage"}, {"path": "/usage", "refused": "old"}],
    ]


@pytest.mark.parametrize(
    ("tokens", "sent"),
    [
        ('giving("old", "older", "new")', ["old", "older"]),
        ('giving("old", "old")', ["old"]),
        ('giving("old", "")', ["old"]),
        ('giving("")', [""]),
        ('"old"', ["old"]),
    ],
    ids=["twice refused", "the same again", "none left", "none at all", "a text"],
)
def test_a_request_is_never_sent_a_third_time_nor_with_the_same_token(
    tokens: str, sent: list[str]
) -> None:
    script = f"console.log(JSON.stringify([await asked({tokens}), sent]));"
    assert played(script) == ["unauthorized", sent]


def test_a_token_function_that_fails_for_a_reason_says_it() -> None:
    script = """
const error = Object.assign(new Error("x"), { problem: { code: "signed_out" } });
console.log(JSON.stringify([await asked(() => { throw error; }), sent]));"""
    assert played(script) == ["signed_out", []]
