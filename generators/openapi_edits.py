"""The two bodies of the route for edits. Its handler reads them itself: one of them is a form."""

from typing import Any, Final

from imagegen.openai_api.edit_models import EditFields, EditRequest
from imagegen.wire.inputs import MAX_INPUTS

JSON, FORM = "application/json", "multipart/form-data"
_REFERENCE: Final = "#/components/schemas/{model}"
_FILE: Final[dict[str, Any]] = {"type": "string", "format": "binary"}
_FILES: Final[dict[str, Any]] = {
    # Only one of the names that are read: generators make the same name of both in a language.
    "image": {
        "type": "array",
        "items": _FILE,
        "maxItems": MAX_INPUTS,
        "description": "The pictures: PNG, JPEG or WebP; a mask is for the first one. The field "
        "is sent once for each, as image or image[].",
    },
    "mask": {
        **_FILE,
        "description": "A PNG of the first picture's size: it is changed where the mask is "
        "transparent.",
    },
}


def edit_body() -> dict[str, Any]:
    """Return the request body in both media types."""
    names = {JSON: "EditRequest", FORM: "EditForm"}
    content = {kind: {"schema": {"$ref": _ref(name)}} for kind, name in names.items()}
    return {"required": True, "content": content}


def edit_schemas() -> dict[str, Any]:
    """Return the schemas of both bodies, and the schemas they refer to."""
    as_json = EditRequest.model_json_schema(ref_template=_REFERENCE)
    form = EditFields.model_json_schema(ref_template=_REFERENCE)
    found = {**as_json.pop("$defs", {}), **form.pop("$defs", {})}
    properties = {**form["properties"], **_FILES}
    form |= {"title": "EditForm", "properties": properties, "description": "An edit, as a form."}
    return {**found, "EditRequest": as_json, "EditForm": form}


def _ref(name: str) -> str:
    return _REFERENCE.format(model=name)
