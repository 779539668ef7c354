"""Shortens botocore's service descriptions, which are parsed at every cold start.

Half a megabyte of DynamoDB's description is documentation, and one file contains the addresses of
300 services, of which seven are called here.
"""

import gzip
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any


def cut(data: Path, services: Collection[str]) -> None:
    """Shorten the files in botocore's folder ``data``; only these services keep their addresses."""
    for path in data.glob("*/*/service-2.json.gz"):
        description = json.loads(gzip.decompress(path.read_bytes()))
        # The file contains no time, so that the same input gives the same bytes.
        path.write_bytes(gzip.compress(_json(without_documentation(description)), mtime=0))
    addresses = data / "endpoints.json"
    addresses.write_bytes(_json(addresses_of(json.loads(addresses.read_bytes()), services)))


def without_documentation(description: Any) -> Any:
    """Return a description with empty ``documentation`` texts.

    A member that is named ``documentation`` is an object, not a text, and stays.
    """
    if isinstance(description, dict):
        return {
            name: "" if _is_text(name, value) else without_documentation(value)
            for name, value in description.items()
        }
    if isinstance(description, list):
        return [without_documentation(one) for one in description]
    return description


def addresses_of(endpoints: dict[str, Any], services: Collection[str]) -> dict[str, Any]:
    """Return botocore's table of addresses with only these services, in every Region."""
    partitions = [
        {**one, "services": {name: at for name, at in one["services"].items() if name in services}}
        for one in endpoints["partitions"]
    ]
    return {**endpoints, "partitions": partitions}


def _is_text(name: str, value: Any) -> bool:
    return name == "documentation" and isinstance(value, str)


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
