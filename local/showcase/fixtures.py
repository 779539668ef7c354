"""The states of ``events/ui`` as a page can show them now, with their times moved."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from local.paths import ROOT

FIXTURES = ROOT / "events" / "ui"
IMAGES = "https://images.example/"
"""Where the fixtures have their pictures."""
TIME = re.compile(r'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)"')


def states(now: datetime) -> dict[str, Any]:
    """Return each state with its name, as it is at ``now``, and the lists of calls."""
    paths = sorted(FIXTURES.glob("*.json"))
    return {
        "now": _text(now),
        "states": [_moved(path, now) for path in paths],
        "calls": [json.loads(path.read_text()) for path in sorted(FIXTURES.glob("llm-info/*"))],
    }


def _moved(path: Path, now: datetime) -> dict[str, Any]:
    """Return a fixture whose own time is ``now``, with pictures beside the page."""
    text = path.read_text()
    apart = now - _time(json.loads(text)["now"])
    moved = TIME.sub(lambda found: f'"{_text(_time(found[1]) + apart)}"', text)
    fixture: dict[str, Any] = json.loads(moved.replace(IMAGES, "pictures/"))
    return fixture


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _text(time: datetime) -> str:
    """Return a time as JavaScript writes it, in UTC and milliseconds."""
    whole = timedelta(microseconds=time.microsecond % 1000)
    return (time - whole).astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
