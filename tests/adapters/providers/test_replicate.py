"""A Replicate prediction's life: waited for, polled, and ended when our time is up."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageAnswer
from imagegen.providers.faults import HttpAnswer
from imagegen.providers.replicate import ReplicateProvider, job_url
from tests.adapters.providers.adapters import build_adapter, order_for
from tests.adapters.providers.loopback import (
    PNG,
    Loopback,
    Reply,
    ToolUse,
    Wire,
    image_reply,
    json_reply,
)

BASE = "https://api.replicate.com/v1"


@dataclass
class Time:
    """A clock that moves by sleeping alone."""

    now_seconds: float = 1000.0

    def read(self) -> float:
        return self.now_seconds

    def sleep(self, seconds: float) -> None:
        self.now_seconds += seconds


def prediction(server: Loopback, status: str, **fields: Any) -> dict[str, Any]:
    urls = {
        "get": f"{server.origin}/v1/predictions/p1",
        "cancel": f"{server.origin}/v1/predictions/p1/cancel",
    }
    return {"id": "p1", "status": status, "output": None, "error": None, "urls": urls, **fields}


def generate(server: Loopback, *, timeout_seconds: float) -> ImageAnswer:
    adapter = build_adapter("replicate", server)
    assert isinstance(adapter, ReplicateProvider)
    time = Time()
    adapter = replace(adapter, clock=time.read, sleep=time.sleep)
    return adapter.generate(order_for("replicate"), timeout_seconds=timeout_seconds)


def failure(server: Loopback, *, timeout_seconds: float) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        generate(server, timeout_seconds=timeout_seconds)
    return caught.value


def never_done(server: Loopback, cancel: Reply) -> Callable[[ToolUse, Wire], Reply]:
    def script(asked: ToolUse, _wire: Wire) -> Reply:
        if asked.path.endswith("/cancel"):
            return cancel
        if asked.path.startswith("/files/"):
            return image_reply()
        return json_reply(200, prediction(server, "processing"))

    return script


@pytest.mark.parametrize(
    ("timeout_seconds", "wait", "cancel_after"),
    [
        (2, "wait=1", "5s"),
        (10, "wait=7", "10s"),
        (45.5, "wait=42", "46s"),
        (120, "wait=60", "120s"),
    ],
)
def test_replicate_is_told_how_long_to_wait_and_when_to_stop(
    timeout_seconds: float, wait: str, cancel_after: str, server: Loopback
) -> None:
    server.replies(Reply(500))
    failure(server, timeout_seconds=timeout_seconds)
    (asked,) = server.asked
    assert asked.headers["prefer"] == wait
    assert asked.headers["cancel-after"] == cancel_after


def test_at_the_deadline_the_prediction_is_cancelled(server: Loopback) -> None:
    server.script = never_done(server, json_reply(200, prediction(server, "canceled")))
    assert failure(server, timeout_seconds=10).outcome is Outcome.UNAVAILABLE
    # A poll that the server reads late, on a busy machine, may be listed after the cancelling.
    created, *later = (asked for asked in server.asked if asked.method == "POST")
    assert created.path.endswith("/predictions")
    assert [asked.path for asked in later] == ["/v1/predictions/p1/cancel"]
    assert sum(asked.method == "GET" for asked in server.asked) == 15


@pytest.mark.parametrize("status", [200, 404, 500])
def test_a_prediction_that_will_not_end_is_unknown(status: int, server: Loopback) -> None:
    server.script = never_done(server, json_reply(status, prediction(server, "processing")))
    assert failure(server, timeout_seconds=10).outcome is Outcome.UNKNOWN


def test_an_image_that_was_ready_when_cancelled_is_taken(server: Loopback) -> None:
    done = prediction(server, "succeeded", output=f"{server.origin}/files/a.png")
    server.script = never_done(server, json_reply(200, done))
    assert generate(server, timeout_seconds=10).content == PNG


def test_an_aborted_prediction_is_not_polled_for_ever(server: Loopback) -> None:
    server.replies(
        json_reply(201, prediction(server, "starting")),
        json_reply(200, prediction(server, "aborted")),
    )
    assert failure(server, timeout_seconds=60).outcome is Outcome.UNAVAILABLE
    assert len(server.asked) == 2


def test_one_prediction_is_made_whatever_the_polls_do(server: Loopback) -> None:
    def script(asked: ToolUse, _wire: Wire) -> Reply | None:
        running = json_reply(202, prediction(server, "starting"))
        return running if asked.path.endswith("/predictions") else None

    server.script = script
    assert failure(server, timeout_seconds=5).outcome is Outcome.UNKNOWN
    posts = [asked.path for asked in server.asked if asked.method == "POST"]
    assert posts == [
        f"/v1/models/{order_for('replicate').model}/predictions",
        "/v1/predictions/p1/cancel",
    ]


def test_the_download_gets_no_key(server: Loopback) -> None:
    done = prediction(server, "succeeded", output=f"{server.origin}/files/a.png")
    server.replies(json_reply(201, done), image_reply())
    generate(server, timeout_seconds=10)
    assert "authorization" not in server.asked[-1].headers


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/v1/predictions/p1",
        "http://api.replicate.com/v1/predictions/p1",
        "https://api.replicate.com.evil.example/v1/predictions/p1",
        "https://api.replicate.com@evil.example/p1",
        "https://api.replicate.com:8443/p1",
        "https://api.replicate.com\\@evil.example/p1",
        "https://api.replicate.com?@evil.example/p1",
        "//evil.example/p1",
        "",
        None,
        7,
    ],
)
def test_the_key_follows_no_foreign_url(url: str | int | None) -> None:
    answer = HttpAnswer(201, {}, {"id": "p1", "urls": {"get": url, "cancel": url}})
    assert job_url(answer, BASE) == f"{BASE}/predictions/p1"
    assert job_url(answer, BASE, "cancel") == f"{BASE}/predictions/p1/cancel"


@pytest.mark.parametrize("job_id", ["../account", "a/b", "a?b", "", None, 7, "x" * 81])
def test_an_id_that_is_none_leads_nowhere(job_id: str | int | None) -> None:
    with pytest.raises(ProviderError) as caught:
        job_url(HttpAnswer(201, {}, {"id": job_id}), BASE)
    assert caught.value.outcome is Outcome.UNKNOWN
