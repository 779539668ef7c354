"""One simulator for all tests of this suite, healthy and empty before each."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests

from local.simulator import Simulator

CATALOG = json.loads((Path(__file__).parents[2] / "provider_catalog.json").read_text())
KEY = "sk-simulated-1234"
BASES = {
    "openai": "/openai/v1",
    "together": "/together/v1",
    "replicate": "/replicate/v1",
    "gemini": "/gemini/v1beta",
    "moderation": "/openai/v1",
}
type Post = Callable[..., requests.Response]


@pytest.fixture(scope="session")
def running() -> Iterator[Simulator]:
    with Simulator.start() as simulator:
        yield simulator


@pytest.fixture
def sim(running: Simulator) -> Simulator:
    requests.post(f"{running.url}/control/reset", timeout=10).raise_for_status()
    return running


@pytest.fixture
def arm(sim: Simulator) -> Callable[..., None]:
    def arm_fault(provider: str, fault: str | None, **more: Any) -> None:
        url = f"{sim.url}/control/providers/{provider}"
        requests.post(url, json={"fault": fault, **more}, timeout=10).raise_for_status()

    return arm_fault


@pytest.fixture
def totals(sim: Simulator) -> Callable[[str], dict[str, Any]]:
    def read_totals(provider: str) -> dict[str, Any]:
        url = f"{sim.url}/control/providers"
        return dict(requests.get(url, timeout=10).json()[provider])

    return read_totals


@pytest.fixture
def order(sim: Simulator) -> Post:
    """Order one picture as a plain HTTP client does."""

    def send(
        provider: str, *, prompt: str = "a fox", key: str = KEY, timeout: float = 30, **more: Any
    ) -> requests.Response:
        path, body, headers = words(provider, prompt, more)
        auth = {"x-goog-api-key": key} if provider == "gemini" else bearer(key)
        url = f"{sim.url}{BASES[provider]}{path}"
        return requests.post(url, json=body, headers={**auth, **headers}, timeout=timeout)

    return send


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def words(
    provider: str, prompt: str, more: Mapping[str, Any]
) -> tuple[str, dict[str, Any], dict[str, str]]:
    if provider == "gemini":
        model = more.get("model", "gemini-nano-banana-2.1")
        config = {key: value for key, value in more.items() if key != "model"}
        contents = [{"role": "user", "parts": [{"text": prompt}]}]
        body = {"contents": contents, "generationConfig": config}
        return f"/models/{model}:generateContent", body, {}
    if provider == "replicate":
        model = more.get("model", "black-forest-labs/flux-schnell")
        headers = more.get("headers", {"prefer": "wait"})
        given = {key: value for key, value in more.items() if key not in ("model", "headers")}
        inputs: dict[str, Any] = {"prompt": prompt, **given}
        return f"/models/{model}/predictions", {"input": inputs}, headers
    if provider == "moderation":
        return "/moderations", {"model": "omni-moderation-latest", "input": prompt, **more}, {}
    defaults: dict[str, dict[str, Any]] = {
        "openai": {"model": "gpt-image-2.5-flare", "quality": "low"},
        "together": {"model": "black-forest-labs/FLUX.2-dev", "response_format": "base64"},
    }
    return "/images/generations", {"prompt": prompt, **defaults[provider], **more}, {}
