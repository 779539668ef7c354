"""One simulator for all tests of this suite, healthy and empty before each."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests

from imagegen.providers import MODERATOR
from local.simulator import Simulator
from local.simulator.bedrock_checks import NAME as CHECKS
from local.simulator.bedrock_checks import PATH
from local.simulator.routes import BASES
from tests.vendors import Sent, vendor

CATALOG = json.loads((Path(__file__).parents[2] / "provider_catalog.json").read_text())
KEY = "sk-simulated-1234"
CATEGORIES = ("VIOLENCE", "HATE", "SEXUAL", "MISCONDUCT", "INSULTS")
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
        if provider == "moderation":
            sent = Sent(
                "/moderations", {"model": "omni-moderation-latest", "input": prompt, **more}
            )
            vendor_name = MODERATOR
        elif provider == CHECKS:
            vendor_name = provider.partition("-")[0]
            sent = Sent(PATH, checks_of(prompt, more))
        else:
            sent, vendor_name = asked_for(provider, prompt, more), provider
        url = f"{sim.url}{BASES[vendor_name]}{sent.path}"
        headers = {**vendor(vendor_name).auth(key), **more.get("headers", sent.headers)}
        given: dict[str, Any] = form_of(sent.body) if sent.is_form else {"json": sent.body}
        return requests.post(url, **given, headers=headers, timeout=timeout)

    return send


def form_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """A body as a form: pictures in data URLs as files, all else as texts."""
    data, files = dict[str, str](), dict[str, bytes]()
    for name, value in body.items():
        text = value if isinstance(value, str) else json.dumps(value)
        _, is_picture, encoded = text.partition(";base64,")
        if is_picture:
            files[name] = base64.b64decode(encoded)
        else:
            data[name] = text
    return {
        "data": data,
        "files": {name: (f"{name}.png", one, "image/png") for name, one in files.items()},
    }


def checks_of(prompt: str, more: Mapping[str, Any]) -> dict[str, Any]:
    """A request for guardrail checks, changed as a test wants it."""
    categories = [{"category": one} for one in CATEGORIES]
    return {
        "messages": [{"role": "user", "content": [{"text": prompt}]}],
        "checks": {"contentFilter": {"categories": categories}},
        **more,
    }


def asked_for(provider: str, prompt: str, more: Mapping[str, Any]) -> Sent:
    """The vendor's usual order, changed as a test wants it."""
    given = {**vendor(provider).usual, **more}
    model = given.pop("model")
    given.pop("headers", None)
    return vendor(provider).order(model, prompt, given)
