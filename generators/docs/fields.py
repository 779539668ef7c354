"""The tables of routes and of request fields, from ``openapi.json``."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from generators.docs.blocks import code, table
from generators.openapi import DOCUMENT
from imagegen.edge.openapi import FUNCTION

METHODS: Final = ("get", "post", "put", "delete")


def made(document: Path = DOCUMENT) -> dict[str, str]:
    """Return the tables of docs/api.md: the routes, and each body's fields."""
    api = json.loads(document.read_text())
    found = {"routes": table(("call", "needs", "URL", "what it does"), _routes(api))}
    for _, _, operation in operations(api):
        name = operation["operationId"]
        if "requestBody" in operation:
            found[f"fields {name}"] = _fields(api, operation)
    return found


def operations(api: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield every method in capitals, path and operation."""
    for path, methods in api["paths"].items():
        for method in METHODS:
            if method in methods:
                yield method.upper(), path, methods[method]


def shown_path(path: str) -> str:
    """Return a path as people read it: ``/images/{id}``."""
    return path.replace("{image_id}", "{id}")


def resolved(api: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a schema, or the one that it refers to."""
    if "$ref" not in schema:
        return schema
    found: Mapping[str, Any] = api["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def _routes(api: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for method, path, operation in operations(api):
        security = operation.get("security", api["security"])
        needs = "token" if security and {} not in security else "nothing"
        needs = "operator's token" if path.startswith("/admin/") else needs
        url = f"{api['paths'][path][FUNCTION]}Url"
        yield code(f"{method} {shown_path(path)}"), needs, code(url), operation["summary"]


def _fields(api: Mapping[str, Any], operation: Mapping[str, Any]) -> str:
    content = operation["requestBody"]["content"]["application/json"]
    schema = resolved(api, content["schema"])
    needed = schema.get("required", ())
    rows = (
        (
            code(name),
            _kind(api, one),
            "yes" if name in needed else _default(one),
            str(one.get("description", "")),
        )
        for name, one in schema["properties"].items()
    )
    return table(("field", "type", "required", "what it is"), rows)


def _default(schema: Mapping[str, Any]) -> str:
    default = schema.get("default")
    return "no" if default in (None, "") else f"no: {code(default)}"


def _kind(api: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    schema = resolved(api, schema)
    if "anyOf" in schema:
        kinds = (_kind(api, one) for one in schema["anyOf"] if one.get("type") != "null")
        return " or ".join(dict.fromkeys(kinds))
    if "enum" in schema:
        values = (one if isinstance(one, str) else json.dumps(one) for one in schema["enum"])
        return ", ".join(map(code, values))
    if "const" in schema:
        return code(schema["const"])
    if schema.get("type") == "array":
        return f"list of {_kind(api, schema.get('items', {}))}"
    longest, kind = schema.get("maxLength"), _type(schema)
    return f"{kind}, at most {longest:,} characters" if longest else kind


def _type(schema: Mapping[str, Any]) -> str:
    types = schema.get("type") or schema.get("title") or "any JSON"
    if isinstance(types, str):
        return types
    # A text without a letter is how the document says that only null is possible.
    is_none = schema.get("maxLength") == 0
    return code("null") if is_none else " or ".join(one for one in types if one != "null")
