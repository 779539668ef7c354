"""Counts calls of functions: how much work something is, whatever the machine's speed."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType

TOOL, STARTED = sys.monitoring.DEBUGGER_ID, sys.monitoring.events.PY_START


@contextmanager
def counted_calls() -> Iterator[Counter[str]]:
    """Count the calls of all functions by their names, until the end of the block."""
    calls = Counter[str]()

    def count(code: CodeType, _offset: int) -> None:
        calls[code.co_name] += 1

    sys.monitoring.use_tool_id(TOOL, "steps")
    sys.monitoring.register_callback(TOOL, STARTED, count)
    sys.monitoring.set_events(TOOL, STARTED)
    try:
        yield calls
    finally:
        sys.monitoring.set_events(TOOL, 0)
        sys.monitoring.register_callback(TOOL, STARTED, None)
        sys.monitoring.free_tool_id(TOOL)
