"""An operator's own server: added by a file, deployed, and an image made by it for nothing."""

import json
import os
import socket
from collections.abc import Iterator

import pytest
import requests

from imagegen.providers.instance_file import INSTANCES_VARIABLE
from imagegen.providers.instances import parse_instances
from local.simulator import Simulator
from local.stack import LocalStack, Options
from tests.fakes.instances import own, row, text_of
from tests.stack.driver import Driver

MODEL = "Qwen/Qwen-Image"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def gpu(local_stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """The server, deployed as the operator's file says; afterwards the stack is as before."""
    port = free_port()
    model = row(MODEL, priority=91, tier="fast")
    path = tmp_path_factory.mktemp("own") / "provider_instances.json"
    path.write_text(
        text_of(own(title="Our GPU", baseUrl=f"http://127.0.0.1:{port}/gpu/v1", models=[model]))
    )
    (served,) = parse_instances(text_of(own(baseUrl=f"http://127.0.0.1:{port}/v1", models=[model])))
    described = local_stack.describe()
    # The address in the file is the one that is called.
    changed = LocalStack.attach(described, Options(environ={"INSTANCES_URL": "-"}))
    with Simulator.start(port=port, added=(served,)) as running:
        os.environ[INSTANCES_VARIABLE] = str(path)
        try:
            changed.deploy()
            yield running
        finally:
            del os.environ[INSTANCES_VARIABLE]
            LocalStack.attach(described).deploy()


def calls(gpu: Simulator) -> list[dict[str, object]]:
    found: list[dict[str, object]] = requests.get(f"{gpu.url}/control/calls", timeout=10).json()
    return found


@pytest.fixture(autouse=True)
def quiet(gpu: Simulator) -> None:
    requests.post(f"{gpu.url}/control/reset", timeout=10).raise_for_status()


def test_an_image_is_made_by_it_and_costs_nothing(gpu: Simulator, stack: Driver) -> None:
    person = stack.person()
    offer = person.estimate(model=MODEL, quality="fast")
    assert offer.status == 200, offer.text
    assert offer.json["buttonLabel"] == "Generate Image for Free"
    made = person.confirm(offer.json)
    assert made.status == 200, made.text
    assert made.json["provider"] == "gpu"
    assert made.json["cost"]["charged"] == "0.000000"
    (call,) = calls(gpu)
    assert call["model"] == MODEL
    assert requests.get(made.json["imageUrl"], timeout=30).content.startswith(b"\x89PNG")
    again = person.confirm(offer.json)
    assert again.status == 200
    assert len(calls(gpu)) == 1


def test_its_failure_is_not_charged_and_makes_no_priced_image(
    gpu: Simulator, stack: Driver
) -> None:
    person = stack.person()
    offer = person.estimate(model=MODEL, quality="fast").json
    url = f"{gpu.url}/control/providers/gpu"
    requests.post(url, json={"fault": "server_error"}, timeout=10).raise_for_status()
    failed = person.confirm(offer)
    assert failed.status >= 500, failed.text
    assert failed.json["charged"] is False
    assert [one["outcome"] for one in calls(gpu)] == ["unavailable"]


def test_it_is_in_the_health_report_the_models_and_the_page(stack: Driver) -> None:
    person = stack.person()
    health = person.call("GET", f"{stack.urls['healthUrl']}/health-check/image-providers").json
    (shown,) = [one for one in health["providers"] if one["provider"] == "gpu"]
    assert shown["enabled"] is True
    assert [one["model"] for one in shown["models"]] == [MODEL]
    models = person.call("GET", f"{stack.urls['estimateUrl']}/models").json["models"]
    (listed,) = [one for one in models if one["provider"] == "gpu"]
    assert listed["available"] is True
    assert {one["price"] for one in listed["sizes"]} == {"0.000000"}
    script = requests.get(f"{stack.urls['pageUrl']}providers.js", timeout=30).text
    assert (
        json.loads(script.removeprefix("export const PROVIDERS = ").rstrip(";\n"))["gpu"]["title"]
        == "Our GPU"
    )


def test_built_in_providers_are_called_as_before(stack: Driver) -> None:
    made = stack.person().make()
    assert made.status == 200, made.text
    assert made.json["provider"] != "gpu"
