"""The page's handler as Lambda calls it, with the files of events/page."""

import base64
import gzip
import json
from typing import Any

import pytest

from local.paths import ROOT
from tests.handlers.conftest import Context, Functions, load_handler
from tests.unit.test_page_site import DEPLOYED

EVENTS = {"index": 200, "config": 200, "head": 200, "unknown": 404}


def event(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "events" / "page" / f"{name}.json").read_text())
    return found


@pytest.fixture
def invoke(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in DEPLOYED.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_ENDPOINT_URL", "SIMULATOR_URL"):
        monkeypatch.delenv(name, raising=False)
    return load_handler("page").lambda_handler


def test_every_event_file_is_expected_and_the_reverse() -> None:
    assert {path.stem for path in (ROOT / "events" / "page").iterdir()} == set(EVENTS)


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_is_answered_as_expected(invoke: Any, name: str) -> None:
    assert invoke(event(name), Context())["statusCode"] == EVENTS[name]


def test_the_config_of_a_deployed_stack_is_its_own(invoke: Any) -> None:
    answer = invoke(event("config"), Context())
    config = json.loads(gzip.decompress(base64.b64decode(answer["body"])))
    assert config["chatUrl"] == "https://c.lambda-url.eu-central-1.on.aws"
    assert config["simulatorUrl"] is None


def test_the_way_to_an_images_bytes_is_not_taken_for_its_status(
    functions: Functions, user: str
) -> None:
    offer = functions.service.estimate("A red fox", user)
    functions.service.confirm(offer, user)
    sent = functions.event("generate/image", IMAGE_ID=offer.image_id)
    answer = functions.invoke("generate", sent)
    assert (answer["statusCode"], answer["headers"]["Vary"]) == (302, "Accept")
    assert "max-age" in answer["headers"]["Cache-Control"]


def test_a_deployed_stack_with_a_simulator_serves_nothing(
    invoke: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIMULATOR_URL", "http://127.0.0.1:1")
    with pytest.raises(ValueError, match="local stack"):
        invoke(event("index"), Context())
