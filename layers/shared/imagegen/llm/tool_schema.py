"""The tool's definition with less in it, for endpoints that refuse a part of a strict schema."""

from collections.abc import Mapping
from typing import Final

from imagegen.domain.ports import Json

MINIMAL: Final = 2


def tool_in_form(tool: Mapping[str, Json], form: int) -> Json:
    """Return OpenAI's strict definition of the tool in a form.

    0: as it is. 1: without ``strict``, which requires every argument and so makes them nullable.
    ``MINIMAL``: also without ``additionalProperties``; Gemini and older servers accept neither
    that nor a list of types.
    """
    function = tool.get("function")
    if not form or not isinstance(function, Mapping):
        return dict(tool)
    plain = {name: value for name, value in function.items() if name != "strict"}
    return {**tool, "function": {**plain, "parameters": _plain(plain.get("parameters"), form)}}


def _plain(schema: Json, form: int) -> Json:
    if not isinstance(schema, Mapping):
        return schema
    properties = schema.get("properties")
    listed = properties if isinstance(properties, Mapping) else {}
    plain: dict[str, Json] = {
        **schema,
        "properties": {name: _without_null(one) for name, one in listed.items()},
        "required": [name for name, one in listed.items() if not _is_nullable(one)],
    }
    if form == MINIMAL:
        plain.pop("additionalProperties", None)
    return plain


def _is_nullable(schema: Json) -> bool:
    kind = schema.get("type") if isinstance(schema, Mapping) else None
    return isinstance(kind, list) and "null" in kind


def _without_null(schema: Json) -> Json:
    if not isinstance(schema, Mapping):
        return schema
    plain = dict(schema)
    kinds, values = plain.get("type"), plain.get("enum")
    if isinstance(kinds, list):
        plain["type"] = next((one for one in kinds if one != "null"), "string")
    if isinstance(values, list):
        plain["enum"] = [one for one in values if one is not None]
    return plain
