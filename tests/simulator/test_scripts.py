"""Answers word for word: each to the requests it is for, with the picture where it is named."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
import requests

from local.simulator import Simulator
from local.simulator.chat import MODEL

type Order = Callable[..., requests.Response]
type Arm = Callable[..., None]
type Totals = Callable[[str], dict[str, Any]]


def test_an_answer_is_sent_as_it_stands(order: Order, arm: Arm, totals: Totals) -> None:
    headers = {"Content-Type": "text/html", "X-Edge": "7"}
    arm("openai", None, answers=[{"status": 403, "headers": headers, "text": "<h1>No</h1>"}])
    answer = order("openai")
    assert (answer.status_code, answer.text) == (403, "<h1>No</h1>")
    assert (answer.headers["content-type"], answer.headers["x-edge"]) == ("text/html", "7")
    assert totals("openai")["images"] == 0


def test_the_picture_stands_where_it_is_named(order: Order, arm: Arm, totals: Totals) -> None:
    arm("together", None, answers=[{"json": {"here": "$IMAGE", "there": ["$FILE"]}}])
    found = order("together").json()
    inline, link = base64.b64decode(found["here"]), found["there"][0]
    assert requests.get(link, timeout=10).content == inline
    assert totals("together")["images"] == 1


def test_a_script_may_damage_pack_and_end(order: Order, arm: Arm) -> None:
    arm("openai", None, answers=[{"json": {"it": "$IMAGE"}}], spoil="text", packing="gzip", times=1)
    answer = order("openai")
    assert answer.headers["content-encoding"] == "gzip"
    assert base64.b64decode(answer.json()["it"]).startswith(b"<!DOCTYPE")
    assert order("openai").json()["data"]


def test_each_request_gets_the_first_answer_that_is_for_it(order: Order, arm: Arm) -> None:
    answers = [
        {"text": "red", "has": "red"},
        {"text": "no blue", "lacks": "blue"},
        {"text": "red and blue", "has": "red", "lacks": "green"},
    ]
    arm("openai", None, answers=answers)
    assert [order("openai", prompt=one).text for one in ("a red fox", "a fox")] == [
        "red",
        "no blue",
    ]
    assert order("openai", prompt="a blue fox").json()["data"], "none is for it"


def test_the_llm_has_scripts_as_well(sim: Simulator, arm: Arm) -> None:
    arm("llm", None, answers=[{"text": "data: x\n\n", "headers": {"Content-Type": "a/b"}}])
    answer = requests.post(
        f"{sim.url}/llm/v1/chat/completions",
        json={"model": MODEL, "messages": [{"role": "user", "content": "hi"}]},
        headers={"authorization": "Bearer sk-simulated-1234"},
        timeout=10,
    )
    assert (answer.text, answer.headers["content-type"]) == ("data: x\n\n", "a/b")


@pytest.mark.parametrize(
    "body",
    [
        {"answers": {}},
        {"answers": [7]},
        {"answers": [{"body": "x"}]},
        {"answers": [{"text": "x"}], "spoil": "nonsense"},
    ],
)
def test_a_mistaken_script_is_refused(sim: Simulator, body: Any) -> None:
    answer = requests.post(f"{sim.url}/control/providers/openai", json=body, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["error"]
