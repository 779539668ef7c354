"""``make openapi``: writes the OpenAPI document of the whole service, from the handlers.

Each function describes its own routes. This module merges them and adds what is common to them:
errors that the edge returns for every route, security, and URLs. ``make check`` fails when
openapi.json is out of date.
"""

import argparse
import importlib.util
import json
import sys
import tomllib
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from pydantic import BaseModel

from generators.openapi_edits import edit_body, edit_schemas
from generators.openapi_operations import JSON_RPC, OPENAI, OPERATIONS
from generators.openapi_shapes import OPENAI_ERROR, RPC_ERROR, RPC_REQUEST, for_generators
from imagegen.edge.openapi import FUNCTION
from imagegen.wire.problems import Problem
from local.paths import ROOT

JSON, PROBLEM_JSON = "application/json", "application/problem+json"
DOCUMENT: Final = ROOT / "openapi.json"
FUNCTIONS: Final = ("estimate", "generate", "health", "chat", "admin")
EVERYWHERE: Final = (400, 413, 415, 500, 503)
CLOSED: Final = (401, 403)
WAITS: Final = frozenset({202, 429, 503})
"""The statuses of answers with ``Retry-After``."""

TAGS: Final = [
    {"name": "images", "description": "Offers, and the images made of them"},
    {"name": "catalog", "description": "Models and prices"},
    {"name": "chat", "description": "An LLM that can offer images, and its tool"},
    {"name": "openai", "description": "For clients of OpenAI's API"},
    {"name": "mcp", "description": "For hosts of the Model Context Protocol"},
    {"name": "usage", "description": "What a user spent"},
    {"name": "operations", "description": "The state of the providers"},
    {
        "name": "admin",
        "description": "For operators: spending, people, providers, the trail",
    },
]


DESCRIPTION: Final = (
    "Image generation with a binding price: the price on the button is the most you pay, you pay "
    "at most once, and only for an image you got. Errors are application/problem+json and always "
    "contain `charged`. If the function URLs require AWS signatures, send the token in the header "
    "x-imagegen-token, without the word Bearer."
)


def merged() -> dict[str, Any]:
    """Return the paths and schemas of all functions, in the form that generators can use."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for function in FUNCTIONS:
        found = described(function)
        for path, methods in found["paths"].items():
            paths[path] = {FUNCTION: function, **methods}
        schemas |= found["components"]["schemas"]
    for methods in paths.values():
        for method, operation in methods.items():
            if method != FUNCTION:
                complete(operation)
    return for_generators(
        {
            "paths": dict(sorted(paths.items())),
            "schemas": dict(sorted((schemas | problem_schemas() | edit_schemas()).items())),
        }
    )


def document() -> dict[str, Any]:
    """Return the document of all functions."""
    described = merged()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "imagegen",
            "version": version(),
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        # A deployed function serves the document with absolute URLs: imagegen/edge/openapi.py.
        "servers": [{"url": "/", "description": f"The function that a path names in {FUNCTION}"}],
        "security": [{"bearer": []}],
        "tags": TAGS,
        "paths": described["paths"],
        "components": {
            "schemas": described["schemas"],
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            },
        },
    }


def version() -> str:
    """Return the project's version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return str(project["version"])


def described(function: str) -> dict[str, Any]:
    """Return Powertools' document of one function's routes, with the bounds of their queries."""
    api = handler_of(function).api
    found: dict[str, Any] = json.loads(api.get_openapi_json_schema(title="imagegen", version="0"))
    # The resolver has no public list of its routes.
    for route in (*api._static_routes, *api._dynamic_routes):  # noqa: SLF001
        if route.include_in_schema:
            operation = found["paths"][route.openapi_path][route.method.lower()]
            for query in route.dependant.query_params:
                bind_query(operation["parameters"], query.field_info.annotation)
    return found


def bind_query(parameters: list[dict[str, Any]], model: type[BaseModel]) -> None:
    """Add what the model of a query says of its fields: Powertools has their types alone."""
    fields = model.model_json_schema(by_alias=True)["properties"]
    for parameter in parameters:
        field = fields.get(parameter["name"], {})
        bounds = next((one for one in field.get("anyOf", ()) if one["type"] != "null"), field)
        words = ("title", "description", "default")
        parameter["schema"] |= {name: one for name, one in bounds.items() if name not in words}


def handler_of(function: str) -> ModuleType:
    """Return a function's module under a unique name, because every file is ``handler.py``."""
    path = ROOT / "functions" / function / "handler.py"
    spec = importlib.util.spec_from_file_location(f"{function}_described", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def complete(operation: dict[str, Any]) -> None:
    """Add summary, security, headers and every error to an operation."""
    about = OPERATIONS.get(operation["operationId"])
    if about is None:
        missing = f"{operation['operationId']!r} has no entry"
        raise LookupError(f"{missing} in OPERATIONS of generators/openapi_operations.py: add one.")
    operation["summary"] = about.summary
    operation["description"] = about.description or f"{about.summary}."
    if about.is_open:
        # Open to every caller; a token is optional and shows an admin or an owner more.
        with_token = operation["operationId"] in ("getProviderHealth", "getImage")
        operation["security"] = [{}, {"bearer": []}] if with_token else []
    good = {code: one for code, one in operation["responses"].items() if int(code) < 400}
    for code, answer in good.items():
        answer.update(headers_of(int(code)))
        if int(code) == 202 and operation["operationId"] == "generateImage":
            answer["headers"] |= ACCEPTED
        if int(code) in (204, 302) or (int(code) == 202 and about.style == JSON_RPC):
            answer.pop("content", None)
    problems = {*EVERYWHERE, *about.problems, *(() if about.is_open else CLOSED)}
    bad = {str(code): problem(code, about.style) for code in sorted(problems)}
    if about.headers:
        operation["parameters"] = [header(name, *one) for name, one in about.headers.items()]
    if about.style == JSON_RPC:
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": RPC_REQUEST}}}
    if operation["operationId"] == "editImage":
        operation["requestBody"] = edit_body()
    operation["responses"] = dict(sorted(good.items())) | bad


_TEXT = {"schema": {"type": "string"}}
ACCEPTED: Final = {
    "Location": {"description": "URL of the one image, and with Accept of its status", **_TEXT},
    "Preference-Applied": {"description": "respond-async, if that was preferred", **_TEXT},
}
"""Headers of the answer while an image is being made."""


def headers_of(code: int) -> dict[str, Any]:
    """Return ``headers`` for an answer of this status; empty if it has none."""
    text = {"schema": {"type": "string"}}
    seconds = {"schema": {"type": "integer", "minimum": 0}}
    found: dict[str, Any] = {}
    if code == 302:
        found["Location"] = {"description": "URL of the image file, valid for 15 minutes", **text}
    if code in WAITS:
        found["Retry-After"] = {"description": "Seconds to wait, if known", **seconds}
    if code == 401:
        found["WWW-Authenticate"] = {"description": "Bearer", **text}
    return {"headers": found} if found else {}


def header(name: str, description: str, bounds: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameter for a request header."""
    schema = {"type": "string", **bounds}
    return {"name": name, "in": "header", "description": description, "schema": schema}


def problem(code: int, style: str) -> dict[str, Any]:
    """Return the answer for an error status."""
    content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    if style == OPENAI:
        content = {JSON: {"schema": {"$ref": "#/components/schemas/OpenaiError"}}}
    elif style == JSON_RPC and code in (400, 404):
        content[JSON] = {"schema": {"$ref": "#/components/schemas/JsonRpcError"}}
    return {"description": HTTPStatus(code).phrase, **headers_of(code), "content": content}


def problem_schemas() -> dict[str, Any]:
    """Return the schemas of errors, and the schemas they refer to."""
    found = Problem.model_json_schema(
        mode="serialization", ref_template="#/components/schemas/{model}"
    )
    return {
        **found.pop("$defs", {}),
        "Problem": found,
        "OpenaiError": OPENAI_ERROR,
        "JsonRpcError": RPC_ERROR,
    }


def text_of(made: dict[str, Any]) -> str:
    """Return the document as the text of openapi.json."""
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


def main(path: Path = DOCUMENT) -> None:
    """Write the document, or with --check exit with an error if it is out of date."""
    parser = argparse.ArgumentParser(prog="make openapi", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    options = parser.parse_args()
    text = text_of(document())
    if not options.check:
        path.write_text(text)
    elif not path.is_file() or path.read_text() != text:
        sys.exit("openapi.json does not match the handlers: run `make openapi`")


if __name__ == "__main__":
    main()
