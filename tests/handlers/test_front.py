"""Calls that do not come through the address in front, on every route; schedules always run."""

import hashlib
from collections.abc import Iterator

import pytest

from imagegen.bootstrap import verifier
from imagegen.edge.events import ORIGIN_HEADER
from tests.handlers.conftest import Functions
from tests.handlers.test_edges import ROUTES, request

SECRET = "front-" * 8
FRONT = "https://images.example.com"


@pytest.fixture
def behind_a_front(functions: Functions, monkeypatch: pytest.MonkeyPatch) -> Iterator[Functions]:
    monkeypatch.setenv("ORIGIN_DIGESTS", hashlib.sha256(SECRET.encode()).hexdigest())
    monkeypatch.setenv("PUBLIC_API_URL", FRONT)
    verifier.get_settings.cache_clear()
    yield functions
    verifier.get_settings.cache_clear()


@pytest.mark.parametrize(("function", "method", "path"), ROUTES)
def test_a_call_past_the_front_is_refused_on_every_route(
    behind_a_front: Functions, function: str, method: str, path: str
) -> None:
    event = request(behind_a_front, method, path)
    for sent in ({}, {ORIGIN_HEADER: ""}, {ORIGIN_HEADER: "guess"}):
        event["headers"] = {**event["headers"], **sent}
        answer = behind_a_front.invoke(function, event)
        assert answer["statusCode"] == 403
        assert "public address" in answer["body"]
        assert "guess" not in answer["body"]


def test_a_call_through_the_front_is_answered(behind_a_front: Functions) -> None:
    event = behind_a_front.event("estimate/prompt-only")
    event["headers"][ORIGIN_HEADER] = SECRET
    assert behind_a_front.invoke("estimate", event)["statusCode"] == 200


def test_a_schedule_is_no_call_and_runs(behind_a_front: Functions) -> None:
    done = behind_a_front.invoke("generate", {"task": "reconcile"})
    assert done == {"settled": 0, "released": 0, "users": 0}
    assert behind_a_front.service.sweeps == 1


def test_a_secret_is_in_no_log_line(
    behind_a_front: Functions, capsys: pytest.CaptureFixture[str]
) -> None:
    event = behind_a_front.event("estimate/prompt-only")
    event["headers"][ORIGIN_HEADER] = SECRET + "x"
    assert behind_a_front.invoke("estimate", event)["statusCode"] == 403
    assert SECRET not in capsys.readouterr().out
