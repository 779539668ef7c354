"""What a function has written to its log, once it is there."""

from collections.abc import Callable

import requests

from tests.stack.driver import TIMEOUT_SECONDS, Driver

LOOKS = 100


def lines_of(stack: Driver, function: str, is_there: Callable[[list[str]], bool]) -> list[str]:
    """Return the lines of a function's log as soon as what is looked for is among them.

    The emulator shows a line that comes later than its answer with the next run (emulator_main).

    Raises:
        AssertionError: it never is; with the lines.
    """
    for _ in range(LOOKS):
        lines = _read(stack, function)
        if is_there(lines):
            return lines
        requests.get(stack.urls[f"{function}Url"], timeout=TIMEOUT_SECONDS)
    raise AssertionError(lines)


def _read(stack: Driver, function: str) -> list[str]:
    group = f"/imagegen/{stack.urls['stackName']}/{function}"
    pages = stack.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
    return [one["message"] for page in pages for one in page["events"]]
