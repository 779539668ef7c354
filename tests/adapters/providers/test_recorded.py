"""Every recorded answer, through the real adapter and over a real connection."""

import json
from pathlib import Path
from typing import Any

import pytest

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageProvider
from imagegen.providers import PROVIDERS
from imagegen.providers.pictures import is_image
from tests.adapters.providers.adapters import KEY, PROMPT, build_adapter, order_for, texts_of
from tests.adapters.providers.loopback import (
    Loopback,
    Reply,
    ToolUse,
    Wire,
    image_reply,
    json_reply,
)

FOLDER = Path(__file__).parent / "recorded"
RECORDINGS = sorted(FOLDER.glob("*/*.json"))


def replay(recorded: dict[str, Any], server: Loopback) -> None:
    """Answer the request as recorded, each poll by the next of ``polls``, files with an image."""
    text = json.dumps([recorded, *recorded.get("polls", [])]).replace("{origin}", server.origin)
    answers = [json_reply(x["status"], x["body"], x.get("headers")) for x in json.loads(text)]

    def script(asked: ToolUse, _wire: Wire) -> Reply:
        if asked.path.startswith("/files/"):
            return image_reply()
        if asked.path.startswith(("/gone", "/elsewhere")):
            return Reply(404)
        return answers.pop(0)

    server.script = script


def failure_of(adapter: ImageProvider, name: str) -> ProviderError | None:
    try:
        adapter.generate(order_for(name), timeout_seconds=20)
    except ProviderError as error:
        return error
    return None


def ids(path: Path) -> str:
    return f"{path.parent.name}-{path.stem}"


@pytest.mark.parametrize("path", RECORDINGS, ids=ids)
def test_each_recorded_answer_comes_to_its_outcome(path: Path, server: Loopback) -> None:
    recorded = json.loads(path.read_text())
    name = path.parent.name
    replay(recorded, server)
    adapter = build_adapter(name, server)

    if recorded["outcome"] == "image":
        answer = adapter.generate(order_for(name), timeout_seconds=20)
        assert is_image(answer.content)
        assert answer.job_id == recorded.get("jobId")
        assert answer.usage == recorded.get("usage")
        return
    with pytest.raises(ProviderError) as caught:
        adapter.generate(order_for(name), timeout_seconds=20)
    error = caught.value
    assert (error.provider, error.outcome) == (name, recorded["outcome"])
    assert error.provider_code == recorded.get("code")
    assert error.retry_after_seconds == recorded.get("retryAfterSeconds")


@pytest.mark.parametrize("path", RECORDINGS, ids=ids)
def test_no_error_repeats_prompt_key_or_vendor_text(path: Path, server: Loopback) -> None:
    recorded = json.loads(path.read_text().replace("CANARY-VENDOR-TEXT", f"VENDOR {PROMPT} {KEY}"))
    replay(recorded, server)
    adapter = build_adapter(path.parent.name, server)
    error = failure_of(adapter, path.parent.name)
    shown = repr(adapter) + (texts_of(error) if error else "")
    assert error is None or error.__cause__ is error.__context__ is None
    assert "CANARY" not in shown
    assert "VENDOR" not in shown


def test_only_an_error_by_its_status_closes_a_provider_at_once() -> None:
    """A success, whatever it contains, is the end of one answer: it counts for one user at most."""
    found = {path.stem: json.loads(path.read_text()) for path in RECORDINGS}
    successes = {name: one for name, one in found.items() if 200 <= one["status"] < 300}
    assert len(successes) > 100
    assert [name for name, one in successes.items() if one["outcome"] == Outcome.ACCOUNT] == []


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_provider_has_a_success_and_each_kind_of_failure(name: str) -> None:
    outcomes = {
        json.loads(path.read_text())["outcome"] for path in RECORDINGS if path.parent.name == name
    }
    assert outcomes >= {
        "image",
        "unavailable",
        "rate_limited",
        "account",
        "model_gone",
        "refused",
        "bad_parameter",
    }


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_provider_has_twelve_recordings_with_a_refusal_in_disguise(name: str) -> None:
    recorded = [json.loads(path.read_text()) for path in RECORDINGS if path.parent.name == name]
    assert len(recorded) >= 12
    assert all(one["why"] and one["source"] for one in recorded)
    in_disguise = [one for one in recorded if one["outcome"] == "refused" and one["status"] < 300]
    assert in_disguise, "a success that is a refusal"
