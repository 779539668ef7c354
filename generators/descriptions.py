"""botocore's descriptions of the services, cut to what is read: each is parsed at every cold start.

Half a megabyte of DynamoDB's is its documentation, and the addresses of 300 services stand in one
file of which four are called here.
"""

import gzip
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any


def cut(data: Path, services: Collection[str]) -> None:
    """Cut the descriptions in botocore's folder ``data``; services that are not named go."""
    for description in data.glob("*/*/service-2.json.gz"):
        said = json.loads(gzip.decompress(description.read_bytes()))
        # No time in the file: the same recipe gives the same bytes.
        description.write_bytes(gzip.compress(_json(without_documentation(said)), mtime=0))
    addresses = data / "endpoints.json"
    addresses.write_bytes(_json(addresses_of(json.loads(addresses.read_bytes()), services)))


def without_documentation(said: Any) -> Any:
    """Return a description with its texts empty; a member of that name is no text and stays."""
    if isinstance(said, dict):
        return {
            name: "" if _is_text(name, value) else without_documentation(value)
            for name, value in said.items()
        }
    if isinstance(said, list):
        return [without_documentation(one) for one in said]
    return said


def addresses_of(endpoints: dict[str, Any], services: Collection[str]) -> dict[str, Any]:
    """Return botocore's table of addresses with these services alone; every Region stays."""
    partitions = [
        {**one, "services": {name: at for name, at in one["services"].items() if name in services}}
        for one in endpoints["partitions"]
    ]
    return {**endpoints, "partitions": partitions}


def _is_text(name: str, value: Any) -> bool:
    return name == "documentation" and isinstance(value, str)


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
