"""Recorded answers of every kind of server, through the real adapter and over a real connection."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from imagegen.domain.breaker import EFFECTS, Effect
from imagegen.domain.call_errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageOrder
from imagegen.providers.compatible import build_instance
from imagegen.providers.openai_images import OpenAIProvider
from imagegen.providers.pictures import is_image
from imagegen.providers.presets import PRESETS
from tests.adapters.providers.loopback import (
    PNG,
    Loopback,
    Reply,
    ToolUse,
    Wire,
    image_reply,
    json_reply,
    serving,
)
from tests.fakes.instances import instances_of_every_preset

RECORDINGS = sorted((Path(__file__).parent / "recorded").glob("*/*.json"))
KEY = "sk-CANARY-KEY-0123456789"
PROMPT = "CANARY-PROMPT: a lighthouse in the fog"


@pytest.fixture
def server() -> Iterator[Loopback]:
    with serving() as running:
        yield running


def read(path: Path, server: Loopback) -> dict[str, Any]:
    """Return a recording, with the addresses and the image that its texts stand for."""
    text = path.read_text().replace("{origin}", server.origin)
    text = text.replace("{png}", base64.b64encode(PNG).decode())
    recorded: dict[str, Any] = json.loads(text.replace("CANARY-VENDOR-TEXT", f"{PROMPT} {KEY}"))
    return recorded


def adapter_for(preset: str, server: Loopback) -> OpenAIProvider:
    instance = instances_of_every_preset()[preset]
    key = SecretStr(KEY if instance.key_name else "")
    return build_instance(instance, key, f"{server.origin}/v1")


def order_for(preset: str) -> ImageOrder:
    row = instances_of_every_preset()[preset].rows[0]
    option = row.sizes[0]
    return ImageOrder(row.model, PROMPT, row.sent(option), *option.pixels, "user-1")


def replay(recorded: dict[str, Any], server: Loopback) -> None:
    reply = json_reply(recorded["status"], recorded["body"], recorded["headers"])
    if "content-type" in recorded["headers"]:
        reply = Reply(recorded["status"], recorded["headers"], recorded["body"].encode())

    def script(asked: ToolUse, _wire: Wire) -> Reply:
        return image_reply() if asked.path.startswith("/files/") else reply

    server.script = script


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_each_recorded_answer_comes_to_its_outcome(path: Path, server: Loopback) -> None:
    preset, recorded = path.parent.name, read(path, server)
    replay(recorded, server)
    adapter = adapter_for(preset, server)
    if recorded["outcome"] == "image":
        answer = adapter.generate(order_for(preset), timeout_seconds=20)
        assert is_image(answer.content)
        assert answer.usage == recorded.get("usage")
        return
    with pytest.raises(ProviderError) as caught:
        adapter.generate(order_for(preset), timeout_seconds=20)
    error = caught.value
    assert error.provider == instances_of_every_preset()[preset].name
    assert error.outcome == recorded["outcome"]
    assert error.provider_code == recorded.get("code")
    assert error.retry_after_seconds == recorded.get("retryAfterSeconds")
    shown = "".join((str(error), repr(vars(error)), repr(adapter)))
    assert "CANARY" not in shown
    assert error.__cause__ is error.__context__ is None


def test_every_preset_has_recordings_each_with_its_source() -> None:
    recorded = [json.loads(path.read_text()) for path in RECORDINGS]
    assert {path.parent.name for path in RECORDINGS} == set(PRESETS)
    assert len(recorded) >= 40
    assert all(one["why"] and one["source"] for one in recorded)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 500, 503])
def test_a_page_in_front_never_closes_an_instance(
    preset: str, status: int, server: Loopback
) -> None:
    page = b"<!DOCTYPE html><html>Blocked</html>"
    server.replies(Reply(status, {"Content-Type": "text/html"}, page))
    with pytest.raises(ProviderError) as caught:
        adapter_for(preset, server).generate(order_for(preset), timeout_seconds=10)
    assert EFFECTS[caught.value.outcome] is Effect.NONE


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("echo", ["incorrect api key", "insufficient_quota", "not enough credits"])
def test_a_prompt_that_an_error_repeats_never_closes_an_instance(
    preset: str, echo: str, server: Loopback
) -> None:
    message = f"The prompt could not be used: {echo}"
    for body in (
        {"error": {"message": message, "type": "invalid_request_error", "code": None}},
        {"code": "invalid-argument", "error": message},
        {"detail": message},
        {"detail": {"error": message}},
        {"message": message, "type": "BadRequestError"},
    ):
        server.replies(json_reply(400, body))
        with pytest.raises(ProviderError) as caught:
            adapter_for(preset, server).generate(order_for(preset), timeout_seconds=10)
        assert caught.value.outcome is Outcome.BAD_PARAMETER


@pytest.mark.parametrize("preset", PRESETS)
def test_a_redirect_is_not_followed_with_the_key(preset: str, server: Loopback) -> None:
    server.replies(Reply(307, {"Location": f"{server.origin}/elsewhere"}))
    with pytest.raises(ProviderError):
        adapter_for(preset, server).generate(order_for(preset), timeout_seconds=10)
    assert len(server.asked) == 1


def test_an_image_may_also_come_from_a_host_that_the_operator_names() -> None:
    instance = instances_of_every_preset()["xai"]
    named = instance.model_copy(update={"result_hosts": ("cdn.example.com",)})
    provider = build_instance(named, SecretStr(KEY), named.url)
    assert provider.downloader.hosts == ("imgen.x.ai", "cdn.example.com")


def test_models_with_a_last_day_are_read_with_it(server: Loopback) -> None:
    listed = [{"id": "one", "shutdown_date": "2027-01-20"}, {"id": "two"}]
    server.replies(json_reply(200, {"object": "list", "data": listed}))
    found = adapter_for("vllm", server).models(timeout_seconds=5)
    assert found is not None
    assert {name: day and day.isoformat() for name, day in found.items()} == {
        "one": "2027-01-20",
        "two": None,
    }


def test_a_key_that_the_vendor_has_blocked_is_not_good(server: Loopback) -> None:
    server.replies(json_reply(200, {"api_key_blocked": True, "team_blocked": False}))
    with pytest.raises(ProviderError) as caught:
        adapter_for("xai", server).check_key(timeout_seconds=5)
    assert caught.value.outcome is Outcome.ACCOUNT
