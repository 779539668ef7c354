"""A stream of server-sent events, read as a browser reads it."""

import json
from typing import Any


def events_in(stream: str) -> list[tuple[str, dict[str, Any]]]:
    """Return each event's name and data."""
    found = []
    for block in stream.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if line.strip(" :"))
        if fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found
