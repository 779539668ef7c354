"""JSON schemas of foreign protocols that have no model in our code, and a form for generators.

Generators of clients read JSON Schema less freely than validators do. ``for_generators`` says the
same in the form that all of them understand; ``tests/unit/test_openapi.py`` has its rules.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

_TEXT: Final[dict[str, Any]] = {"type": "string"}
_TEXT_OR_NULL: Final = {"anyOf": [_TEXT, {"type": "null"}]}
OPENAI_ERROR: Final[dict[str, Any]] = {
    "type": "object",
    "title": "OpenaiError",
    "description": "An error in OpenAI's shape.",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code", "imagegen"],
            "properties": {
                "message": _TEXT,
                "type": _TEXT,
                "param": _TEXT_OR_NULL,
                "code": _TEXT,
                "imagegen": {
                    "type": "object",
                    "required": ["charged", "retryable"],
                    "properties": {
                        "charged": {"type": ["boolean", "null"]},
                        "retryable": {"type": "boolean"},
                    },
                },
            },
        }
    },
}
RPC_REQUEST: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["jsonrpc", "method"],
    "properties": {
        "jsonrpc": {"const": "2.0"},
        "id": {"anyOf": [_TEXT, {"type": "integer"}]},
        "method": _TEXT,
        "params": {"type": "object"},
    },
}
RPC_ERROR: Final[dict[str, Any]] = {
    "type": "object",
    "title": "JsonRpcError",
    "description": "An error of JSON-RPC 2.0.",
    "required": ["jsonrpc", "id", "error"],
    "properties": {
        "jsonrpc": {"const": "2.0"},
        "id": {"anyOf": [_TEXT, {"type": "integer"}, {"type": "null"}]},
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {"code": {"type": "integer"}, "message": _TEXT},
        },
    },
}

REFERENCE: Final = "#/components/schemas/"
_TYPES: Final = {bool: "boolean", int: "integer", float: "number", str: "string"}


def for_generators(described: dict[str, Any]) -> dict[str, Any]:
    """Return ``paths`` and ``schemas`` in the form that generators understand, without unused ones.

    Defaults are in the descriptions of what is sent, where they would make a field look required,
    and a field of an answer is required if it has one, because it is always there.
    """
    paths, schemas = _plain(described["paths"]), _plain(described["schemas"])
    used = _reachable(paths, schemas)
    sent = _reachable(list(_bodies(paths)), schemas)
    found = {name: one for name, one in schemas.items() if name in used}
    return {
        "paths": paths,
        "schemas": {
            name: _named_apart(
                name, _without_defaults(one) if name in sent else _with_all_fields(one), used
            )
            for name, one in found.items()
        },
    }


def inner_name(schema: str, field: str) -> str:
    """Return the name that generators give to an object inside of a field."""
    return f"{schema}{field[:1].upper()}{field[1:]}"


def _named_apart(name: str, schema: dict[str, Any], taken: Collection[str]) -> dict[str, Any]:
    """Return a schema whose inner objects are not named like schemas: both would be left out."""
    properties = {
        field: {**one, "title": f"{inner_name(name, field)}Fields"}
        for field, one in schema.get("properties", {}).items()
        if one.get("type") == "object" and inner_name(name, field) in taken
    }
    if not properties:
        return schema
    return {**schema, "properties": {**schema["properties"], **properties}}


def _plain(node: Any) -> Any:
    if isinstance(node, list):
        return [_plain(one) for one in node]
    if not isinstance(node, dict):
        return node
    plain = {name: _plain(one) for name, one in node.items()}
    if isinstance(plain.get("properties"), dict):
        plain["properties"] = {name: _untitled(one) for name, one in plain["properties"].items()}
    if "const" in plain:
        plain["enum"] = [plain.pop("const")]
    if isinstance(plain.get("enum"), list):
        plain = _typed(plain)
    if "prefixItems" in plain:
        plain.setdefault("items", _any_of(plain["prefixItems"]))
    if "anyOf" in plain:
        union = _any_of(plain.pop("anyOf"))
        plain |= union
    return plain


def _untitled(schema: Any) -> Any:
    """Return a field without the title that pydantic makes of its name: generators name it so."""
    return {name: one for name, one in schema.items() if name != "title"}


def _typed(plain: dict[str, Any]) -> dict[str, Any]:
    """Return an enum with its type; a nullable one of numbers or booleans in other words.

    Generators make enums of texts alone, and of ``null`` alone or ``[false, null]`` nothing: there
    the only value is in the description, as closely as the type can have it.
    """
    values = plain["enum"]
    others = [one for one in values if one is not None]
    types = list(dict.fromkeys(_TYPES[type(one)] for one in others)) or ["string"]
    if len(others) == len(values):
        return {**plain, "type": types[0] if len(types) == 1 else types}
    nullable = {**plain, "type": [*types, "null"]}
    if types == ["string"] and others:
        return nullable
    del nullable["enum"]
    words = f"Only {' or '.join(map(json.dumps, values))}: {plain.get('description', '')}"
    return {**nullable, **_bounds(others), "description": words}


def _bounds(values: list[Any]) -> dict[str, Any]:
    """Return what bounds a field to its only values, as far as its type can be bounded."""
    if not values:
        return {"maxLength": 0}
    is_number = all(type(one) is int for one in values)
    return {"minimum": min(values), "maximum": max(values)} if is_number else {}


def _any_of(choices: list[Any]) -> dict[str, Any]:
    """Return a union that has no union inside; of one choice only, that choice."""
    flat: list[Any] = []
    rest: dict[str, Any] = {}
    for one in choices:
        inner = one.get("anyOf") if isinstance(one, dict) else None
        flat += inner or [one]
        rest |= {name: value for name, value in one.items() if name != "anyOf"} if inner else {}
    unique = list({json.dumps(one, sort_keys=True): one for one in flat}.values())
    return {**rest, **unique[0]} if len(unique) == 1 else {"anyOf": unique, **rest}


def _without_defaults(schema: dict[str, Any]) -> dict[str, Any]:
    fields = {name: _default_in_words(one) for name, one in schema.get("properties", {}).items()}
    return {**schema, "properties": fields} if fields else schema


def _default_in_words(field: dict[str, Any]) -> dict[str, Any]:
    rest = {name: one for name, one in field.items() if name != "default"}
    if field.get("default") in (None, "", [], {}):
        return rest
    text = f"{rest.get('description', '')} Default: {field['default']}.".strip()
    return {**rest, "description": text}


def _with_all_fields(schema: dict[str, Any]) -> dict[str, Any]:
    fields: Mapping[str, Any] = schema.get("properties", {})
    if not fields:
        return schema
    # Some fields whose default is null are left out instead.
    given = [name for name, one in fields.items() if one.get("default") is not None]
    plain = {
        name: {key: value for key, value in one.items() if key != "default"}
        for name, one in fields.items()
    }
    required = list(dict.fromkeys([*schema.get("required", []), *given]))
    return {**schema, "properties": plain, **({"required": required} if required else {})}


def _bodies(paths: Mapping[str, Any]) -> Iterator[Any]:
    for methods in paths.values():
        for operation in methods.values():
            if isinstance(operation, dict):
                yield [operation.get("requestBody"), operation.get("parameters")]


def _reachable(node: Any, schemas: Mapping[str, Any]) -> set[str]:
    """Return the names of the schemas that a part of the document refers to, at any depth."""
    found: set[str] = set()
    waiting = [node]
    while waiting:
        names = set(_references(waiting.pop())) - found
        found |= names
        waiting += [schemas[name] for name in names]
    return found


def _references(node: Any) -> Iterator[str]:
    match node:
        case {"$ref": str(reference)}:
            yield reference.removeprefix(REFERENCE)
        case dict():
            for one in node.values():
                yield from _references(one)
        case list():
            for one in node:
                yield from _references(one)
