"""The official client of the Model Context Protocol against the deployed function."""

from collections.abc import Callable
from typing import Any

import anyio
import httpx2
import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client

from imagegen.chat import extract_image_generations
from tests.stack.driver import Driver, Person

PROMPT = "A red fox in fresh snow"


def talk(person: Person, mode: str, ask: Callable[[Client], Any]) -> Any:
    async def all_of_it() -> Any:
        url = f"{person.stack.urls['estimateUrl']}/mcp"
        headers = {"Authorization": f"Bearer {person.token}"}
        async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
            way = streamable_http_client(url, http_client=http)
            async with Client(way, mode=mode) as client:
                return await ask(client)

    return anyio.run(all_of_it)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_an_llm_learns_the_price_and_a_person_buys(stack: Driver, mode: str) -> None:
    person = stack.person()
    arguments = {"prompt": PROMPT, "quality": "high"}
    got = talk(person, mode, lambda client: client.call_tool("estimate_image", arguments))
    assert person.usage()["spent"] == "0.000000"
    (image,) = extract_image_generations(got.model_dump(mode="json", by_alias=True))
    made = person.confirm(image["estimate"])
    assert made.status == 200, made.text
    which = {"imageId": image["id"]}
    status = talk(person, mode, lambda client: client.call_tool("image_status", which))
    assert status.structured_content["status"] == "complete"
    assert status.structured_content["imageUrl"] == made.json["imageUrl"]
    assert status.structured_content["cost"]["charged"] == made.json["cost"]["charged"]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_the_tools_are_listed_and_none_of_them_spends(stack: Driver, mode: str) -> None:
    listed = talk(stack.person(), mode, lambda client: client.list_tools())
    assert [tool.name for tool in listed.tools] == ["estimate_image", "image_status", "list_models"]
