"""Reads Replicate's waiting headers: https://replicate.com/docs/reference/http#headers."""

import re

from local.simulator.wire import Request

LONGEST_WAIT_SECONDS = 60
UNIT_SECONDS = {"h": 3600, "m": 60, "s": 1}


def wait_seconds(request: Request) -> float:
    """Return how many seconds the client waits for the output: ``Prefer: wait[=n]``."""
    match = re.search(r"\bwait(?:=(\d+))?", request.headers.get("prefer", ""))
    return min(LONGEST_WAIT_SECONDS, int(match[1] or LONGEST_WAIT_SECONDS)) if match else 0


def cancel_after_seconds(request: Request) -> int | None:
    """Return after how many seconds the prediction is cancelled: ``Cancel-After: 1h30m``."""
    parts = re.findall(r"(\d+)([hms])", request.headers.get("cancel-after", ""))
    return sum(int(number) * UNIT_SECONDS[unit] for number, unit in parts) if parts else None
