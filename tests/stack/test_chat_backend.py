"""A chat backend of one's own, by the lines that docs/embed.md shows: exactly those are run."""

import json
import re
from typing import Any

import openai
import pytest

from imagegen.chat import INSTRUCTIONS, message_complete, to_aisdk
from local.paths import ROOT
from local.simulator.chat import BASE, MODEL
from tests.stack.driver import Driver, Person

SHOWN = re.compile(
    r"^## With an LLM of your own$.*?^```python\n(.*?)^```", re.DOTALL | re.MULTILINE
)


@pytest.fixture
def person(stack: Driver) -> Person:
    return stack.person()


@pytest.fixture(scope="module")
def backend() -> dict[str, Any]:
    """What the lines define."""
    found = SHOWN.search((ROOT / "docs" / "embed.md").read_text())
    assert found is not None
    defined: dict[str, Any] = {}
    exec(compile(found[1], "docs/embed.md", "exec"), defined)  # noqa: S102 our own page
    return defined


def asked_of_llm(stack: Driver, messages: list[Any], tools: list[Any]) -> Any:
    client = openai.OpenAI(base_url=stack.urls["simulatorUrl"] + BASE, api_key="local-chat-key")
    messages = [{"role": "system", "content": INSTRUCTIONS}, *messages]
    answer = client.chat.completions.create(model=MODEL, messages=messages, tools=tools)
    return answer.choices[0].message


def test_the_lines_of_the_page_make_an_offer_that_becomes_an_image(
    stack: Driver, person: Person, backend: dict[str, Any]
) -> None:
    messages: list[Any] = [{"role": "user", "content": "Draw a high quality image of a lighthouse"}]
    wants = asked_of_llm(stack, messages, backend["tools"])
    (call,) = wants.tool_calls
    told, images = backend["use_tool"](
        json.loads(call.function.arguments), stack.urls["estimateUrl"], person.token
    )
    assert "q1." not in str(told)
    result = {"role": "tool", "tool_call_id": call.id, "content": json.dumps(told)}
    said = asked_of_llm(
        stack, [*messages, wants.model_dump(exclude_none=True), result], backend["tools"]
    )
    message = message_complete("msg_1", said.content, image_generations=images)
    (image,) = message["imageGenerations"]
    assert image["estimate"]["buttonLabel"].removeprefix("Generate Image for ") in said.content
    assert to_aisdk(image)["state"] == "approval-requested"
    made = person.confirm(image["estimate"]).json
    assert made["id"] == image["id"]
    assert made["status"] == "complete"


def test_the_lines_of_the_page_hand_a_refusal_to_the_llm(
    stack: Driver, person: Person, backend: dict[str, Any]
) -> None:
    told, images = backend["use_tool"](
        {"prompt": "a cat", "model": "dall-e-3", "size": None},
        stack.urls["estimateUrl"],
        person.token,
    )
    assert (told["offered"], told["code"], images) == (False, "model_retired", [])
