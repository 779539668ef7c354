"""A chat with each known endpoint, over HTTP: what it refuses, streams and wants to get back."""

import json
from typing import Any

import pytest
import requests
from pydantic import SecretStr

from imagegen.chat import INSTRUCTIONS, tool_definition
from imagegen.llm.dialect import LEARNING_CALLS
from imagegen.llm.openai_chat import OpenAILlm, build_llm
from imagegen.wire.messages import ChatRequest, MessageComplete
from local.simulator import Simulator
from local.simulator.chat import BASE
from local.simulator.chat_dialects import PREFIX, THOUGHT, endpoints
from tests.fakes.catalogs import real_catalog
from tests.fakes.service import USER, Service

every_endpoint = pytest.mark.parametrize("name", sorted(endpoints()))
TWO = "Draw two images: a red fox and a white hare"


def llm_like(vendors: Simulator, name: str) -> OpenAILlm:
    tool = tool_definition("openai", ["openai", "gemini"])
    return build_llm(
        SecretStr("k"), vendors.url + BASE, PREFIX + name, instructions=INSTRUCTIONS, tool=tool
    )


def asked(vendors: Simulator) -> int:
    calls: list[dict[str, Any]] = requests.get(f"{vendors.url}/control/calls", timeout=10).json()
    return sum(one["provider"] == "llm" for one in calls)


def chat(service: Service, text: str = TWO, *earlier: tuple[str, str]) -> MessageComplete:
    messages = [*earlier, ("user", text)]
    request = ChatRequest.model_validate(
        {"messages": [{"role": role, "content": words} for role, words in messages]}
    )
    events = list(service.chatter.chat(request, USER, ends_ms=service.clock() + 20_000))
    assert isinstance(events[-1], MessageComplete)
    return events[-1]


@every_endpoint
def test_two_images_are_offered_with_every_endpoint(vendors: Simulator, name: str) -> None:
    service = Service(catalog=real_catalog(), llm=llm_like(vendors, name))
    complete = chat(service)
    assert complete.problem is None
    assert complete.stop_reason == "end"
    assert [one.prompt for one in complete.image_generations] == ["a red fox", "a white hare"]
    assert complete.content.startswith("Let me find out what those 2 would cost.\n\nI can offer")
    assert THOUGHT not in complete.content
    assert "<" not in complete.content


@every_endpoint
def test_what_was_learned_is_not_learned_again(vendors: Simulator, name: str) -> None:
    service = Service(catalog=real_catalog(), llm=llm_like(vendors, name))
    chat(service)
    first = asked(vendors)
    assert first <= 2 + LEARNING_CALLS
    complete = chat(service, "Draw a red fox", ("user", TWO), ("assistant", "Here you are."))
    assert len(complete.image_generations) == 1
    assert asked(vendors) == first + 2, "two rounds, and no refusal"


KEPT: list[dict[str, Any]] = [
    {"role": "user", "content": "Draw a fox and a hare"},
    {
        "role": "assistant",
        "content": None,
        "refusal": None,
        "tool_calls": [
            {
                "id": f"chatcmpl-tool-{prompt * 12}",
                "type": "function",
                "function": {"name": "generate_image", "arguments": {"prompt": prompt}},
            }
            for prompt in ("fox", "hare")
        ],
    },
    {"role": "tool", "tool_call_id": f"chatcmpl-tool-{'hare' * 12}", "content": "{}"},
    {"role": "user", "content": "Only the hare, please"},
    {"role": "assistant", "content": "A hare, then."},
]
"""A conversation with another vendor: long ids, an object, a lost result, an answer left out."""


@every_endpoint
def test_a_conversation_that_began_elsewhere_goes_on_with_every_endpoint(
    vendors: Simulator, name: str
) -> None:
    service = Service(catalog=real_catalog(), llm=llm_like(vendors, name))
    messages = [*KEPT, {"role": "user", "content": "Draw a white hare"}]
    request = ChatRequest.model_validate({"messages": messages})
    complete = list(service.chatter.chat(request, USER, ends_ms=service.clock() + 20_000))[-1]
    assert isinstance(complete, MessageComplete)
    assert complete.problem is None
    assert [one.prompt for one in complete.image_generations] == ["a white hare"]


@every_endpoint
def test_tokens_are_counted_where_the_endpoint_counts_them(vendors: Simulator, name: str) -> None:
    service = Service(catalog=real_catalog(), llm=llm_like(vendors, name))
    calls = [one for one in chat(service).llm_api_calls if one.type == "text"]
    expected = endpoints()[name]["stream"].get("usage") != "none"
    assert [one.output_tokens is not None for one in calls] == [expected] * 2


def test_every_endpoint_names_its_sources() -> None:
    for name, facts in endpoints().items():
        assert facts["title"], name
        assert all(one.startswith("https://") for one in facts["sources"]), name
        assert facts["sources"], name


@every_endpoint
def test_every_rule_of_an_endpoint_is_met_by_a_plain_request(vendors: Simulator, name: str) -> None:
    """A rule that no request of ours breaks would prove nothing, so each is broken here."""
    plain = {"messages": [{"role": "user", "content": "hi"}], "model": PREFIX + name}
    function = tool_definition("openai")["function"]
    everything = {
        **plain,
        "messages": [
            {"role": "system", "content": ""},
            {"role": "user", "content": "hi"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "a", "type": "function", "function": {"name": "n"}}],
            },
            {"role": "tool", "tool_call_id": "a", "content": "{}"},
        ],
        "tools": [{"type": "function", "function": function}],
        "max_tokens": 1,
        "max_completion_tokens": 1,
        "stream_options": {},
        "safety_identifier": "x",
    }
    answer = requests.post(
        f"{vendors.url}{BASE}/chat/completions",
        data=json.dumps(everything),
        headers={"Authorization": "Bearer k", "Content-Type": "application/json"},
        timeout=10,
    )
    refused = any(one["field"] != "messages.extra" for one in endpoints()[name]["refuses"])
    assert refused == (answer.status_code != 200 or "error" in answer.text)
