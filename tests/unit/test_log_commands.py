"""`make logs` prints one line for each record, and finds those of a person or of a provider."""

import json
from typing import Any

import pytest

from operations.logs import Filters, follow, line_of, lines, record_of

RECORD = {
    "level": "INFO",
    "location": "finished:54",
    "message": "generation finished",
    "timestamp": "2026-11-26T03:00:00.123Z",
    "service": "imagegen",
    "cold_start": False,
    "function_name": "prod-generate",
    "user": "0123456789abcdef",
    "provider": "openai",
    "model": "gpt image",
    "charged_usd": "0.052700",
    "code": None,
    "attempts": [{"provider": "gemini", "outcome": "unknown", "code": "server_error"}],
}
GROUPS = {"generate": "/imagegen/prod/generate", "chat": "/imagegen/prod/chat"}


class Client:
    """Answers like CloudWatch, two events on a page."""

    def __init__(self, events: dict[str, list[tuple[int, str]]], *, has_ids: bool = True) -> None:
        self.events, self.looks, self.has_ids = events, 0, has_ids

    def get_paginator(self, name: str) -> "Client":
        assert name == "filter_log_events"
        return self

    def paginate(self, *, logGroupName: str, startTime: int) -> Any:  # noqa: N803
        self.looks += 1
        found = [
            {"timestamp": at, "message": text}
            | ({"eventId": f"{logGroupName}{at}"} if self.has_ids else {})
            for at, text in self.events.get(logGroupName, [])
            if at >= startTime
        ]
        yield {"events": found[:2]}
        yield {"events": found[2:]}


def test_a_record_is_one_line_with_its_fields_and_without_what_every_line_has() -> None:
    line = line_of("generate", RECORD)
    assert line.startswith("2026-11-26T03:00:00 INFO  generate generation finished user=0123")
    assert "charged_usd=0.052700" in line
    assert 'model="gpt image"' in line
    assert "\n" not in line
    for absent in ("service=", "location=", "cold_start", "code="):
        assert absent not in line


@pytest.mark.parametrize(
    ("filters", "admits"),
    [
        ({}, True),
        ({"user": "0123456789abcdef"}, True),
        ({"user": "0123"}, False),
        ({"provider": "openai"}, True),
        ({"provider": "gemini"}, True),
        ({"provider": "bfl"}, False),
        ({"level": "info"}, True),
        ({"level": "error"}, False),
        ({"text": "FINISHED"}, True),
        ({"text": "refused"}, False),
        ({"code": "blocked"}, False),
        ({"code": "server_error"}, True),
        ({"code": "server_error", "provider": "bfl"}, False),
        ({"provider": "gemini", "text": "refused"}, False),
    ],
)
def test_a_filter_admits_what_it_names(filters: dict[str, str], *, admits: bool) -> None:
    assert Filters(**filters).admit(RECORD, line_of("generate", RECORD)) is admits


@pytest.mark.parametrize(
    "message",
    [
        json.dumps({"_aws": {}, "Images": 1}),
        json.dumps({"type": "platform.start", "time": "t", "record": {}}),
        json.dumps({"type": "platform.report", "time": "t", "record": {"status": "success"}}),
        "[]",
        "1",
    ],
)
def test_metrics_and_the_platforms_own_lines_are_left_out(message: str) -> None:
    assert record_of(message) is None


def test_an_invocation_that_failed_and_a_traceback_are_lines() -> None:
    timeout = {"type": "platform.report", "time": "t", "record": {"status": "timeout"}}
    found = record_of(json.dumps(timeout))
    assert found is not None
    assert "platform.report timeout" in line_of("chat", found)
    trace = record_of("Traceback:\n  File x\nImportError\n")
    assert trace is not None
    assert line_of("chat", trace).endswith("Traceback: File x ImportError")


def test_the_lines_of_all_functions_are_in_the_order_of_their_times() -> None:
    text = json.dumps(RECORD)
    events = {
        GROUPS["generate"]: [(1, text), (4, text), (5, text)],
        GROUPS["chat"]: [(0, text), (3, text)],
    }
    client: Any = Client(events)
    found = [line.split()[2] for _, line in lines(client, GROUPS, Filters(), 1)]
    assert found == ["generate", "chat", "generate", "generate"]


@pytest.mark.parametrize("has_ids", [True, False])
def test_a_line_that_is_followed_is_printed_once_and_a_late_one_is_not_lost(
    *, has_ids: bool
) -> None:
    events = {GROUPS["generate"]: [(100_000, json.dumps(RECORD))]}
    client: Any = Client(events, has_ids=has_ids)

    def later(_: float) -> None:
        # It is older than the last look, and appears only now.
        late = json.dumps({**RECORD, "message": f"late {client.looks}"})
        events[GROUPS["generate"]].append((99_999 + client.looks, late))

    found = follow(client, GROUPS, Filters(), start_ms=0, now_ms=lambda: 105_000, pause=later)
    texts = [next(found) for _ in range(3)]
    assert ["late" in one for one in texts] == [False, True, True]
    assert len(set(texts)) == 3
