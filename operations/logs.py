"""``make logs``: prints one line for each record of the functions' logs, and follows them.

Metrics and the lines of Lambda's own platform are left out, unless an invocation failed.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import boto3

from operations import accounts

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import FilteredLogEventTypeDef

FUNCTIONS: Final = ("estimate", "generate", "health", "chat", "admin", "page")
FIRST: Final = ("timestamp", "level", "message")
LEFT_OUT: Final = frozenset(
    {
        *(*FIRST, "service", "sampling_rate", "location", "cold_start", "function_name"),
        *("function_memory_size", "function_arn", "function_request_id", "xray_trace_id"),
    }
)
"""Fields that say the same in every line, or where the line is in our source."""
MS: Final = 1_000
PAUSE_SECONDS: Final = 2.0
LATE_MS: Final = 10_000
"""How much later than its time a record may still appear."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which records are printed; an empty text admits all."""

    user: str = ""
    code: str = ""
    provider: str = ""
    level: str = ""
    text: str = ""

    def admit(self, record: Mapping[str, Any], line: str) -> bool:
        """Return whether a record is printed as its line."""
        exact = {"user": self.user, "level": self.level.upper()}
        of_attempts = {"code": self.code, "provider": self.provider}
        return (
            all(record.get(name) == value for name, value in exact.items() if value)
            and all(_names(record, name, value) for name, value in of_attempts.items() if value)
            and self.text.lower() in line.lower()
        )


def _names(record: Mapping[str, Any], name: str, value: str) -> bool:
    """Return whether a record has a value, itself or among the attempts of a request."""
    attempts = record.get("attempts") or ()
    return value in (record.get(name), *(one.get(name) for one in attempts))


def record_of(message: str) -> dict[str, Any] | None:
    """Return a line of a log as a record, ``None`` for metrics and what the platform reports.

    A line that is not JSON, such as a traceback, is a record with a message alone.
    """
    try:
        found = json.loads(message)
    except ValueError:
        return {"level": "ERROR", "message": message.strip()}
    if not isinstance(found, dict) or "_aws" in found:
        return None
    if "type" not in found:
        return found
    failed = found.get("record", {}).get("status", "success") != "success"
    if not failed:
        return None
    reason = f"{found['type']} {found['record']['status']}"
    return {"timestamp": found.get("time", ""), "level": "ERROR", "message": reason}


def line_of(function: str, record: Mapping[str, Any]) -> str:
    """Return a record on one line: time, level, function, message, and its fields."""
    time_text, level, message = (str(record.get(name, "")) for name in FIRST)
    fields = [f"{k}={_text(v)}" for k, v in record.items() if k not in LEFT_OUT and v is not None]
    head = f"{time_text[:19]} {level:<5} {function:<8} {' '.join(message.split())}"
    return " ".join((head, *fields))


def lines(
    client: "CloudWatchLogsClient", groups: Mapping[str, str], filters: Filters, start_ms: int
) -> Iterator[tuple[str, str]]:
    """Yield id and line of each record since a time, in the order of their times."""
    found: list[tuple[int, str, str]] = []
    for function, group in groups.items():
        pages = client.get_paginator("filter_log_events").paginate(
            logGroupName=group, startTime=start_ms
        )
        for page in pages:
            for event in page["events"]:
                if (record := record_of(event["message"])) is None:
                    continue
                line = line_of(function, record)
                if filters.admit(record, line):
                    found.append((event["timestamp"], _id_of(event, group), line))
    for _, event_id, line in sorted(found):
        yield event_id, line


def _id_of(event: "FilteredLogEventTypeDef", group: str) -> str:
    """Return the event's id, or what it consists of: the API does not promise an id.

    Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilteredLogEvent.html
    """
    return event.get("eventId") or f"{group} {event['timestamp']} {event['message']}"


def follow(
    client: "CloudWatchLogsClient",
    groups: Mapping[str, str],
    filters: Filters,
    *,
    start_ms: int,
    now_ms: Callable[[], int],
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[str]:
    """Yield each line once, for ever; it pauses between two looks."""
    seen: set[str] = set()
    while True:
        looked_ms = now_ms()
        for event_id, line in lines(client, groups, filters, start_ms):
            if event_id not in seen:
                seen.add(event_id)
                yield line
        start_ms = max(start_ms, looked_ms - LATE_MS)
        pause(PAUSE_SECONDS)


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    return json.dumps(text) if " " in text or not text else text


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def main() -> None:
    """Print the lines."""
    parser = argparse.ArgumentParser(prog="make logs", description=__doc__)
    parser.add_argument("--stack", required=True)
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--follow", action="store_true")
    for name in ("user", "code", "provider", "level", "text"):
        parser.add_argument(f"--{name}", default="")
    given = parser.parse_args()
    accounts.settle_region()
    try:
        accounts.run("make logs", lambda: show(given))
    except KeyboardInterrupt:
        sys.exit(0)


def show(given: argparse.Namespace) -> None:
    """Print the lines that are asked for."""
    filters = Filters(given.user, given.code, given.provider, given.level, given.text)
    groups = {name: f"/imagegen/{given.stack}/{name}" for name in FUNCTIONS}
    client, start_ms = boto3.client("logs"), _now_ms() - given.minutes * 60 * MS
    if given.follow:
        for line in follow(client, groups, filters, start_ms=start_ms, now_ms=_now_ms):
            print(line, flush=True)
    for _, line in lines(client, groups, filters, start_ms):
        print(line)


if __name__ == "__main__":
    main()
