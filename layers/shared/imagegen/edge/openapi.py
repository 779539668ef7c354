"""The OpenAPI document as a deployed function serves it. ``make openapi`` writes the file."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FILE = "openapi.json"
FUNCTION = "x-imagegen-function"
"""The field of a path that names the function which serves it."""


def served_document(urls: Mapping[str, str], *, own: str) -> str:
    """Return the document as JSON, with the absolute URLs of this deployment.

    ``urls`` are those of the functions by name, and ``own`` names the one for the whole document.
    Paths of the others have a server of their own, because each function has its own URL. Paths of
    a function without a URL are left out.
    """
    document: dict[str, Any] = json.loads(_text())
    known = {path: one for path, one in document["paths"].items() if one[FUNCTION] in urls}
    for one in known.values():
        if urls[one[FUNCTION]] != urls[own]:
            one["servers"] = [{"url": urls[one[FUNCTION]]}]
    served = {**document, "servers": [{"url": urls[own]}], "paths": known}
    return json.dumps(served, ensure_ascii=False, separators=(",", ":"))


def _text() -> str:
    # Beside the package in the layer, at the top of the project elsewhere.
    beside = Path(__file__).parents[1] / FILE
    path = beside if beside.is_file() else Path(__file__).parents[4] / FILE
    return path.read_text()
