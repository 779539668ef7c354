"""The simulated LLM: the official client works with it, and the same words get the same answer."""

import json
from collections.abc import Callable
from typing import Any

import openai
import pytest
import requests

from imagegen.chat import tool_definition
from local.simulator import Simulator
from local.simulator.chat import BASE, MODEL
from local.simulator.chat_dialects import endpoints
from local.simulator.chat_words import reply_to, result_text

TOOLS: Any = [tool_definition("openai")]


@pytest.fixture
def client(sim: Simulator) -> openai.OpenAI:
    return openai.OpenAI(base_url=sim.url + BASE, api_key="sk-simulated", max_retries=0)


def user(text: str) -> list[Any]:
    return [{"role": "user", "content": text}]


@pytest.mark.parametrize(
    ("text", "prompts"),
    [
        (
            "Generate a photorealistic sunset over mountains",
            ["a photorealistic sunset over mountains"],
        ),
        ("Please draw me a picture of a cat.", ["a cat"]),
        ("can you paint an image showing two dogs?", ["two dogs"]),
        ("Draw two images: a red fox and a white hare", ["a red fox", "a white hare"]),
        ("Make 3 pictures of foxes", [f"foxes, version {number}" for number in (1, 2, 3)]),
        ("Make me something", []),
        ("Generate an image please", []),
        ("Good morning!", []),
        ("What is the capital of France?", []),
    ],
)
def test_words_decide_what_is_asked_of_the_tool(text: str, prompts: list[str]) -> None:
    uses = reply_to(user(text), has_tool=True).uses
    assert [json.loads(use.arguments)["prompt"] for use in uses] == prompts


@pytest.mark.parametrize(
    ("text", "extra"),
    [
        ("Draw a fox in high quality", {"quality": "high"}),
        ("Draw a landscape image of a fox", {"size": "landscape"}),
        ("Draw a 1024x1024 image of a fox", {"size": "1024x1024"}),
        ("Draw a fox with gemini", {"provider": "gemini"}),
        ("Draw a fox with dall-e-3", {"model": "dall-e-3"}),
        ("Draw a fox for at most $0.02", {"maxCost": 0.02}),
    ],
)
def test_wishes_become_arguments(text: str, extra: dict[str, Any]) -> None:
    (use,) = reply_to(user(text), has_tool=True).uses
    assert json.loads(use.arguments).items() >= extra.items()


def test_without_the_tool_there_are_only_words(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model=MODEL, messages=user("Draw a fox"))
    assert answer.choices[0].message.tool_calls is None
    assert answer.choices[0].message.content


def test_streamed_and_whole_answers_say_the_same(client: openai.OpenAI) -> None:
    asked: Any = {"model": MODEL, "messages": user("Draw a fox"), "tools": TOOLS}
    whole = client.chat.completions.create(**asked)
    with client.chat.completions.stream(**asked, stream_options={"include_usage": True}) as events:
        for _ in events:
            pass
        streamed = events.get_final_completion()
    assert streamed.choices[0].message.content == whole.choices[0].message.content
    calls: Any = [answer.choices[0].message.tool_calls for answer in (whole, streamed)]
    (one,), (other,) = calls
    assert (one.function.name, one.function.arguments) == (
        other.function.name,
        other.function.arguments,
    )
    assert streamed.usage == whole.usage
    assert streamed.choices[0].finish_reason == "tool_calls"


def test_a_result_is_told_as_a_price_or_a_problem() -> None:
    assert "$0.05" in result_text({"buttonLabel": "Generate Image for $0.05", "provider": "openai"})
    assert result_text({"detail": "No such model."}) == "That cannot be offered: No such model."
    assert "problem" in result_text(None)


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "tool", "tool_call_id": "x", "content": "{}"}],
        [*user("hi"), {"role": "assistant", "tool_calls": [{"id": "a"}]}, *user("hi")],
    ],
)
def test_a_history_that_openai_refuses_is_refused(
    client: openai.OpenAI, messages: list[Any]
) -> None:
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model=MODEL, messages=messages)


def test_it_breaks_apart_from_the_images_and_is_counted(
    sim: Simulator, client: openai.OpenAI, arm: Callable[..., None], totals: Callable[..., Any]
) -> None:
    arm("llm", "rate_limited", times=1)
    with pytest.raises(openai.RateLimitError):
        client.chat.completions.create(model=MODEL, messages=user("hi"))
    client.chat.completions.create(model=MODEL, messages=user("hi"))
    assert totals("llm")["calls"] == 2
    assert totals("openai")["calls"] == 0
    arm("openai", "server_error")
    client.chat.completions.create(model=MODEL, messages=user("hi"))


def test_a_bad_key_is_refused(sim: Simulator) -> None:
    bad = openai.OpenAI(base_url=sim.url + BASE, api_key="bad", max_retries=0)
    with pytest.raises(openai.AuthenticationError):
        bad.chat.completions.create(model=MODEL, messages=user("hi"))


def test_models_are_listed_and_other_paths_are_not_there(sim: Simulator) -> None:
    listed = requests.get(f"{sim.url}{BASE}/models", timeout=10).json()
    modes = [f"as-{name}" for name in endpoints()]
    assert [one["id"] for one in listed["data"]] == [MODEL, *modes]
    assert requests.post(f"{sim.url}{BASE}/images/generations", timeout=10).status_code == 404
