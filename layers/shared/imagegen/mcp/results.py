"""The forms of a tool's definition and of its result."""

import json
from typing import Any

from pydantic import BaseModel

META_PREFIX = "imagegen/"
"""Of our names in the ``_meta`` of a result."""
FREE = {"readOnlyHint": True, "destructiveHint": False, "idempotentHint": True}


def structured(text: str, model: BaseModel) -> dict[str, Any]:
    """Return a result with a text, and the values as text and as they are."""
    values = model.model_dump(mode="json", by_alias=True)
    as_text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return {**content(text, as_text), "structuredContent": values, "isError": False}


def content(*texts: str) -> dict[str, Any]:
    """Return a result of texts."""
    return {"content": [{"type": "text", "text": text} for text in texts]}


def definition(
    name: str, title: str, description: str, arguments: dict[str, Any], answer: type[BaseModel]
) -> dict[str, Any]:
    """Return the definition of a tool that changes nothing."""
    return {
        "name": name,
        "title": title,
        "description": description,
        "inputSchema": arguments,
        "outputSchema": answer.model_json_schema(by_alias=True, mode="serialization"),
        "annotations": {**FREE, "openWorldHint": False},
    }


def schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON schema of a tool's arguments."""
    return model.model_json_schema(by_alias=True)
