"""Drives one client; runs in the environment of ``requirements/clients.txt``, not in ours.

Prints JSON: the client's version, and how many images it was given. A client that does not work
ends with a traceback.
"""

import asyncio
import base64
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

PROMPT = "A red fox in fresh snow"
TOOLS = ["estimate_image", "image_status", "list_models"]
type Given = dict[str, str]


def openai_sdk(given: Given) -> int:
    """OpenAI's own SDK: one image, several, a model of yesterday, an edit, what is not offered."""
    openai = import_module("openai")
    client = openai.OpenAI(base_url=given["base"], api_key=given["token"])
    one = client.images.generate(prompt=PROMPT)
    assert one.data[0].b64_json
    assert one.data[0].url
    several = client.images.generate(
        prompt=PROMPT, model="gpt-image-1", n=4, quality="low", output_format="png",
        background="opaque", moderation="low",
    )  # fmt: skip
    assert len({image.url for image in several.data}) == 4
    old = client.images.generate(
        prompt=PROMPT, model="dall-e-3", size="1792x1024", quality="standard", style="vivid",
        response_format="b64_json",
    )  # fmt: skip
    assert old.data[0].b64_json
    listed = [one.id for one in client.models.list()]
    assert all(client.models.retrieve(name).id == name for name in listed if "/" in name)
    drawn = base64.b64decode(one.data[0].b64_json)
    changed = client.images.edit(image=drawn, prompt="The same at night", size="1024x1024")
    assert base64.b64decode(changed.data[0].b64_json) != drawn
    try:
        client.images.create_variation(image=drawn)
    except openai.NotFoundError as error:
        assert "Variations are not made" in str(error)
    else:
        raise AssertionError("a variation was answered")
    return 7


def litellm_sdk(given: Given) -> int:
    """LiteLLM's SDK with its own defaults, with several images, and with a model of yesterday."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # no download at import
    litellm = import_module("litellm")
    asked = {"prompt": PROMPT, "api_base": given["base"], "api_key": given["token"]}
    one = litellm.image_generation(model="openai/standard", **asked)
    assert one.data[0].b64_json
    several = litellm.image_generation(model="openai/dall-e-3", n=2, size="1024x1024", **asked)
    assert len([image for image in several.data if image.b64_json]) == 2
    most = {"x-max-cost": "0.06"}
    limited = litellm.image_generation(model="openai/high", headers=most, **asked)
    assert limited.data[0].url
    return 4


def litellm_proxy(given: Given) -> int:
    """LiteLLM's SDK as it calls a proxy of its own kind."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    litellm = import_module("litellm")
    asked = {"prompt": PROMPT, "api_base": given["base"], "api_key": given["token"]}
    got = litellm.image_generation(model="litellm_proxy/standard", n=2, **asked)
    assert len([image for image in got.data if image.b64_json]) == 2
    return 2


def litellm_router(given: Given) -> int:
    """LiteLLM's router with retries of its own, synchronous and not."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    litellm = import_module("litellm")
    params = {"model": "openai/standard", "api_base": given["base"], "api_key": given["token"]}
    named = {"model_name": "pictures", "litellm_params": params}
    router = litellm.Router(model_list=[named], num_retries=2)
    assert router.image_generation(prompt=PROMPT, model="pictures").data[0].b64_json
    got = asyncio.run(router.aimage_generation(prompt=PROMPT, model="pictures"))
    assert got.data[0].b64_json
    return 2


def langchain(given: Given) -> int:
    """LangChain's wrapper with its default model; it reads the URL."""
    dalle = import_module("langchain_community.utilities.dalle_image_generator")
    asked = {"base_url": given["base"], "api_key": given["token"]}
    assert dalle.DallEAPIWrapper(**asked).run(PROMPT).startswith("http")
    several = dalle.DallEAPIWrapper(model="dall-e-3", n=2, quality="hd", size="1792x1024", **asked)
    assert len(set(several.run(PROMPT).split())) == 2
    return 3


def llama_index(given: Given) -> int:
    """LlamaIndex's tool, which allows no names but dall-e-2 and dall-e-3."""
    os.environ["OPENAI_BASE_URL"] = given["base"]
    tool = import_module("llama_index.tools.openai.image_generation.base")
    spec = tool.OpenAIImageGenerationToolSpec(api_key=given["token"])
    assert spec.image_generation(PROMPT).startswith("http")
    small = spec.image_generation(PROMPT, model="dall-e-2", size="512x512")
    assert small.startswith("http")
    return 2


def mcp_sdk(given: Given) -> int:
    """The protocol's own Python SDK."""

    async def talk() -> None:
        http = import_module("httpx2").AsyncClient(headers=_headers(given))
        transport = import_module("mcp.client.streamable_http").streamable_http_client
        async with (
            http,
            import_module("mcp.client.client").Client(
                transport(given["mcp"], http_client=http)
            ) as client,
        ):
            assert [tool.name for tool in (await client.list_tools()).tools] == TOOLS
            got = await client.call_tool("estimate_image", {"prompt": PROMPT})
            _check_offer(got.content[0].text)

    asyncio.run(talk())
    return 0


def fast_mcp(given: Given) -> int:
    """FastMCP with a token."""

    async def talk() -> None:
        fastmcp = import_module("fastmcp")
        async with fastmcp.Client(given["mcp"], auth=given["token"]) as client:
            assert [tool.name for tool in await client.list_tools()] == TOOLS
            got = await client.call_tool("estimate_image", {"prompt": PROMPT})
            _check_offer(got.content[0].text)

    asyncio.run(talk())
    return 0


def langchain_mcp(given: Given) -> int:
    """LangChain's adapters."""

    async def talk() -> None:
        module = import_module("langchain_mcp_adapters.client")
        server = {"transport": "streamable_http", "url": given["mcp"], "headers": _headers(given)}
        tools = await module.MultiServerMCPClient({"imagegen": server}).get_tools()
        assert [tool.name for tool in tools] == TOOLS
        got = await tools[0].ainvoke({"prompt": PROMPT})
        _check_offer(str(got))

    asyncio.run(talk())
    return 0


def llama_index_mcp(given: Given) -> int:
    """LlamaIndex's MCP tools."""

    async def talk() -> None:
        module = import_module("llama_index.tools.mcp")
        client = module.BasicMCPClient(given["mcp"], headers=_headers(given))
        tools = await module.McpToolSpec(client=client).to_tool_list_async()
        assert [tool.metadata.name for tool in tools] == TOOLS
        got = await tools[0].acall(prompt=PROMPT)
        _check_offer(str(got))

    asyncio.run(talk())
    return 0


def openai_agents(given: Given) -> int:
    """OpenAI's Agents SDK, which makes the schemas strict and sends null for what is left out."""

    async def talk() -> None:
        module = import_module("agents.mcp")
        params = {"url": given["mcp"], "headers": _headers(given)}
        async with module.MCPServerStreamableHttp(params=params) as server:
            assert [tool.name for tool in await server.list_tools()] == TOOLS
            nulls = dict.fromkeys(("quality", "size", "style", "maxCost", "provider", "model"))
            got = await server.call_tool("estimate_image", {"prompt": PROMPT, **nulls})
            _check_offer(got.content[0].text)

    asyncio.run(talk())
    return 0


def openapi_python_client(given: Given) -> int:
    """A client that openapi-python-client generates, which has one base address."""
    with tempfile.TemporaryDirectory() as folder:
        made = f"{folder}/generated"
        command = [sys.executable, "-m", "openapi_python_client", "generate", "--path"]
        options = ["--meta", "none", "--output-path", made, "--config"]
        config = Path(folder, "config.json")
        config.write_text('{"post_hooks": []}')
        subprocess.run([*command, given["specification"], *options, str(config)], check=True)  # noqa: S603
        sys.path.insert(0, folder)
        generated = import_module("generated")
        models = import_module("generated.models")
        estimating = import_module("generated.api.images.estimate_image")
        making = import_module("generated.api.images.generate_image")

        def at(url: str) -> Any:
            return generated.AuthenticatedClient(base_url=url, token=given["token"])

        asked = models.EstimateRequest(prompt=PROMPT)
        offer = estimating.sync(client=at(given["estimate"]), body=asked)
        confirmed = models.GenerateRequest(prompt=PROMPT, quote=offer.quote)
        image = making.sync(client=at(given["generate"]), body=confirmed)
        assert image.status == "complete"
    return 1


def _headers(given: Given) -> dict[str, str]:
    return {"Authorization": f"Bearer {given['token']}"}


def _check_offer(text: str) -> None:
    assert "at most $" in text, text
    assert "#prompt=A%20red%20fox" in text, text


CLIENTS: dict[str, tuple[str, Callable[[Given], int]]] = {
    "openai": ("openai", openai_sdk),
    "litellm": ("litellm", litellm_sdk),
    "litellm-proxy": ("litellm", litellm_proxy),
    "litellm-router": ("litellm", litellm_router),
    "langchain": ("langchain-community", langchain),
    "llama-index": ("llama-index-tools-openai-image-generation", llama_index),
    "mcp": ("mcp", mcp_sdk),
    "fastmcp": ("fastmcp", fast_mcp),
    "langchain-mcp": ("langchain-mcp-adapters", langchain_mcp),
    "llama-index-mcp": ("llama-index-tools-mcp", llama_index_mcp),
    "openai-agents": ("openai-agents", openai_agents),
    "openapi-python-client": ("openapi-python-client", openapi_python_client),
}


def main() -> None:
    """Drive the client that the first argument names; the second has the addresses as JSON."""
    package, drive = CLIENTS[sys.argv[1]]
    given: Any = json.loads(sys.argv[2])
    images = drive(given)
    print(json.dumps({"version": version(package), "images": images}))


if __name__ == "__main__":
    main()
