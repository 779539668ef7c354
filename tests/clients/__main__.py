"""``make clients``: drives every client, prints the matrix, and writes it for the docs.

A client counts as unchanged if it works with nothing set but the base URL and the user's token, and
if exactly the images that it was given are charged.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from local.paths import ROOT
from local.stack import own_or_running
from tests.clients.replayed import REPLAYED, Replayed
from tests.stack.driver import Driver, Person

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results.json"
TOOLS = Path(os.environ.get("IMAGEGEN_CLIENTS", ROOT / ".tools"))
IN_PYTHON = {
    "openai": "OpenAI SDK for Python",
    "litellm": "LiteLLM SDK",
    "litellm-proxy": "LiteLLM SDK, litellm_proxy/",
    "litellm-router": "LiteLLM Router",
    "langchain": "LangChain for Python, DallEAPIWrapper",
    "llama-index": "LlamaIndex, OpenAI image tool",
    "mcp": "MCP SDK for Python",
    "fastmcp": "FastMCP",
    "langchain-mcp": "LangChain MCP adapters",
    "llama-index-mcp": "LlamaIndex MCP tools",
    "openai-agents": "OpenAI Agents SDK",
    "openapi-python-client": "openapi-python-client, generated",
}
IN_NODE = {
    "openai": "OpenAI SDK for JavaScript",
    "ai-sdk-openai": "AI SDK, @ai-sdk/openai with gpt-image-1",
    "ai-sdk-openai-tier": "AI SDK, @ai-sdk/openai with a tier",
    "ai-sdk-compatible": "AI SDK, @ai-sdk/openai-compatible",
    "langchain": "LangChain for JavaScript, DallEAPIWrapper",
    "mcp": "MCP SDK for TypeScript",
    "mcp-2": "MCP client for TypeScript, 2.x",
    "mcp-inspector": "MCP Inspector, --cli",
    "langchain-mcp": "LangChain MCP adapters for JavaScript",
    "ai-sdk-mcp": "AI SDK, MCP client",
    "openapi-fetch": "openapi-fetch",
    "oazapfts": "oazapfts, generated",
}
OWN_ROUTES = frozenset({"openapi-fetch", "oazapfts", "openapi-python-client"})
"""Clients of what ``openapi.json`` describes."""
ENVIRONMENTS = {"langchain-mcp": "clients-langchain"}
"""Where a client is installed that does not fit the others' environment."""
SECONDS = 240
AT_ONCE = 3
"""The most requests that a client sends at the same time."""


@dataclass(frozen=True, slots=True)
class Result:
    """A line of the matrix."""

    client: str
    version: str
    how: str
    """``run`` or ``replayed``."""
    route: str
    unchanged: bool
    images: int
    why: str = ""
    """What went wrong. It is printed and never written: a traceback has this machine's paths."""


def main() -> None:
    """Drive the clients, all of them or those named; exit with 1 if one does not work."""
    parser = argparse.ArgumentParser(prog="make clients", description=__doc__)
    parser.add_argument("--only", nargs="*", default=[], help="words of clients' names")
    only = parser.parse_args().only
    with own_or_running() as local:
        results = [one for name, one in cases(Driver(local)) if _is_wanted(name, only)]
        done = [_shown(drive()) for drive in results]
    if not only:
        RESULTS.write_text(written(done))
    sys.exit(0 if all(one.unchanged for one in done) else 1)


def cases(driver: Driver) -> Iterator[tuple[str, Callable[[], Result]]]:
    """Yield each client's name and what drives it."""
    for key, name in IN_PYTHON.items():
        environment = ENVIRONMENTS.get(key, "clients")
        command = [str(TOOLS / environment / "bin/python"), str(FOLDER / "in_python.py"), key]
        yield name, partial(_run, driver, name, command, FOLDER)
    for key, name in IN_NODE.items():
        yield name, partial(_run, driver, name, ["node", "run.mjs", key], TOOLS / "clients-js")
    for one in REPLAYED:
        yield one.client, partial(_replay, driver, one)


def written(results: Sequence[Result]) -> str:
    """Return the text of the matrix's file."""
    rows = [{name: one for name, one in asdict(line).items() if name != "why"} for line in results]
    return json.dumps(rows, indent=2) + "\n"


def _is_wanted(name: str, only: list[str]) -> bool:
    return not only or any(word.lower() in name.lower() for word in only)


def _shown(result: Result) -> Result:
    print(f"{'yes' if result.unchanged else 'NO ':<4}{result.client} {result.version}", flush=True)
    if result.why:
        print(result.why, flush=True)
    return result


def _run(driver: Driver, name: str, command: list[str], folder: Path) -> Result:
    person = _person(driver)
    given = {
        "base": f"{driver.urls['generateUrl']}/v1",
        "mcp": f"{driver.urls['estimateUrl']}/mcp",
        "estimate": driver.urls["estimateUrl"],
        "generate": driver.urls["generateUrl"],
        "specification": str(ROOT / "openapi.json"),
        "token": person.token,
    }
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    done = subprocess.run(  # noqa: S603 the commands are those above
        [*command, json.dumps(given)],
        cwd=folder, env=environ, capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    route = _route(command[-1])
    if done.returncode != 0:
        return Result(name, "", "run", route, unchanged=False, images=0, why=done.stderr[-3_000:])
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    why = _charged(person, said["images"])
    return Result(name, said["version"], "run", route, not why, said["images"], why)


def _route(key: str) -> str:
    if "mcp" in key or key == "openai-agents":
        return "MCP"
    return "own routes" if key in OWN_ROUTES else "OpenAI"


def _person(driver: Driver) -> Person:
    """Return a user that no run has had before, also on a stack that other suites use."""
    driver.reset()
    person = Person(driver, driver.local.issuer.token(f"client-{uuid4()}"))
    _wake(person)
    return person


def _wake(person: Person) -> None:
    """Let instances start before a client calls: some clients wait for 5 s and no longer.

    A client of MCP has up to three requests at once. A reset may have ended all instances.
    """
    urls = person.stack.urls
    routes = [f"{urls['estimateUrl']}/models", f"{urls['generateUrl']}/usage"]
    with ThreadPoolExecutor(len(routes) * AT_ONCE) as pool:
        answers = pool.map(lambda route: person.call("GET", route).status, routes * AT_ONCE)
        assert set(answers) == {200}


def _charged(person: Person, images: int) -> str:
    """Return what is wrong with the charge, empty if exactly these images are charged."""
    used = person.usage()
    costs = sum(float(one["cost"]) for one in used["recent"])
    if used["images"] == images and abs(costs - float(used["spent"])) < 1e-9:
        return ""
    return f"{images} images were given, and {used['images']} are charged ({used['spent']})"


def _replay(driver: Driver, one: Replayed) -> Result:
    person = _person(driver)
    got = person.call("POST", f"{driver.urls['generateUrl']}/v1/images/generations", one.body)
    images, why = one.body["n"], got.text[:1_000] if got.status != 200 else ""
    if not why:
        fields = ("b64_json", "url") if one.reads == "either" else (one.reads,)
        read = [image for image in got.json["data"] if any(image.get(name) for name in fields)]
        why = _charged(person, images) if len(read) == images else f"no {one.reads}"
    return Result(one.client, one.version, "replayed", "OpenAI", not why, images, why)


if __name__ == "__main__":
    main()
