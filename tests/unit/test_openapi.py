"""The OpenAPI document: rules of generators of clients, and how a deployed function serves it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from generators.openapi import DOCUMENT, FUNCTIONS, complete
from generators.openapi_shapes import for_generators, inner_name
from imagegen.domain.money import parse_usd
from imagegen.edge.openapi import FUNCTION, served_document

API: dict[str, Any] = json.loads(DOCUMENT.read_text())
SCHEMAS: dict[str, Any] = API["components"]["schemas"]
URLS = {name: f"https://{name}.test" for name in FUNCTIONS}


def nodes(node: Any, path: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every object of the document with its place."""
    if isinstance(node, dict):
        yield path, node
        for name, one in node.items():
            yield from nodes(one, f"{path}/{name}")
    elif isinstance(node, list):
        for number, one in enumerate(node):
            yield from nodes(one, f"{path}/{number}")


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in API["paths"].items():
        for method, one in methods.items():
            if method != FUNCTION:
                yield f"{method.upper()} {path}", one


def references(node: Any) -> set[str]:
    return {one["$ref"].rpartition("/")[2] for _, one in nodes(node) if "$ref" in one}


def sent() -> set[str]:
    """Return the names of the schemas in requests."""
    found = references([one.get("requestBody") for _, one in operations()])
    while more := references([SCHEMAS[name] for name in found]) - found:
        found |= more
    return found


every_operation = pytest.mark.parametrize(
    "operation", [one for _, one in operations()], ids=[name for name, _ in operations()]
)


# Generators of clients, as tried: openapi-python-client 0.29, openapi-generator 7.26 (Python),
# openapi-typescript 7.13, redocly 2, spectral 6.


def test_a_list_has_items_beside_its_first_ones() -> None:
    lists = [(place, one) for place, one in nodes(API) if one.get("type") == "array"]
    assert [place for place, one in lists if "items" not in one] == []


def test_an_enum_has_one_type_and_only_texts_or_whole_numbers() -> None:
    enums = [(place, one) for place, one in nodes(SCHEMAS) if isinstance(one.get("enum"), list)]
    assert enums
    for place, one in enums:
        kinds = {type(value) for value in one["enum"] if value is not None}
        assert len(kinds) == 1, place
        assert kinds <= {str, int}, place
        assert "type" in one, place


def test_no_object_inside_a_field_is_named_like_a_schema() -> None:
    """openapi-python-client leaves out both, and every call that needs one of them."""
    inner = {
        one.get("title", inner_name(name, field))
        for name, schema in SCHEMAS.items()
        for field, one in schema.get("properties", {}).items()
        if one.get("type") == "object"
    }
    assert inner
    assert not inner & set(SCHEMAS)


def test_no_two_fields_have_the_same_name_in_a_language() -> None:
    for name, schema in SCHEMAS.items():
        fields = [re.sub(r"[^a-z0-9]", "", one.lower()) for one in schema.get("properties", {})]
        assert len(set(fields)) == len(fields), name


def test_no_field_has_null_as_its_only_type() -> None:
    in_unions = "anyOf"
    for place, one in nodes(SCHEMAS):
        assert one.get("type") != "null" or in_unions in place, place


def test_nothing_is_a_constant_or_a_union_in_a_union() -> None:
    for place, one in nodes(SCHEMAS):
        assert not isinstance(one.get("const"), str | int | float), place
        assert not [choice for choice in one.get("anyOf", []) if "anyOf" in choice], place


@pytest.mark.parametrize("name", sorted(sent()))
def test_what_is_sent_has_no_default_that_makes_a_field_look_required(name: str) -> None:
    assert [place for place, one in nodes(SCHEMAS[name]) if "default" in one] == []


@pytest.mark.parametrize("name", sorted(sent()))
def test_what_is_sent_has_no_union_but_with_null(name: str) -> None:
    for place, one in nodes(SCHEMAS[name]):
        others = [choice for choice in one.get("anyOf", []) if choice.get("type") != "null"]
        assert len(others) <= 1 or place.endswith("/id"), place


def test_money_that_is_sent_is_text() -> None:
    max_cost = SCHEMAS["EstimateRequest"]["properties"]["maxCost"]
    assert [one["type"] for one in max_cost["anyOf"]] == ["string", "null"]


def test_a_field_that_an_answer_always_has_is_required() -> None:
    assert "currency" in SCHEMAS["Price"]["required"]
    assert "retryAfterSeconds" not in SCHEMAS["Problem"]["required"]


def test_every_schema_is_used_and_every_used_one_is_there() -> None:
    found = references(API["paths"])
    while more := references([SCHEMAS[name] for name in found]) - found:
        found |= more
    assert found == SCHEMAS.keys()


@every_operation
def test_an_operation_has_id_summary_description_and_a_tag(operation: dict[str, Any]) -> None:
    for name in ("operationId", "summary", "description", "tags"):
        assert operation[name], name
    assert set(operation["tags"]) <= {one["name"] for one in API["tags"]}


def test_the_server_is_at_the_root_and_no_path_has_a_variable_one() -> None:
    assert [one["url"] for one in API["servers"]] == ["/"]
    assert not [path for path, one in API["paths"].items() if "servers" in one]
    assert {one[FUNCTION] for one in API["paths"].values()} == set(FUNCTIONS)


def test_a_shape_keeps_its_meaning() -> None:
    fields = {
        "only": {"enum": [False, None], "description": "not streamed"},
        "number": {"enum": [1, None]},
        "nothing": {"enum": [None]},
        "word": {"const": "USD", "default": "USD", "type": "string"},
        "pair": {"prefixItems": [{"type": "string"}, {"type": "integer"}], "type": "array"},
        "nested": {
            "anyOf": [
                {"anyOf": [{"type": "string"}, {"type": "integer"}], "examples": ["a"]},
                {"type": "null"},
            ]
        },
        "single": {"anyOf": [{"type": "string"}], "description": "a text"},
    }
    schema = {"type": "object", "properties": fields}
    answer = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}}
    paths = {"/": {"get": {"responses": {"200": answer}}}}
    made = for_generators({"paths": paths, "schemas": {"A": schema, "B": {"type": "string"}}})
    assert made["schemas"]["A"]["properties"] == {
        "only": {"type": ["boolean", "null"], "description": "Only false or null: not streamed"},
        "number": {
            "type": ["integer", "null"],
            "minimum": 1,
            "maximum": 1,
            "description": "Only 1 or null: ",
        },
        "nothing": {"type": ["string", "null"], "maxLength": 0, "description": "Only null: "},
        "word": {"type": "string", "enum": ["USD"]},
        "pair": {
            "prefixItems": [{"type": "string"}, {"type": "integer"}],
            "type": "array",
            "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        },
        "nested": {
            "anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}],
            "examples": ["a"],
        },
        "single": {"type": "string", "description": "a text"},
    }
    assert made["schemas"]["A"]["required"] == ["word"]
    assert "B" not in made["schemas"]


# As it is served.


def test_a_served_document_has_the_absolute_url_of_each_function() -> None:
    served = json.loads(served_document(URLS, own="estimate"))
    assert served["servers"] == [{"url": "https://estimate.test"}]
    for path in served["paths"].values():
        (server,) = path.get("servers", served["servers"])
        assert server == {"url": URLS[path[FUNCTION]]}
    assert "{" not in json.dumps([one.get("servers") for one in served["paths"].values()])[1:2]


def test_functions_behind_one_address_need_no_server_of_their_own() -> None:
    served = json.loads(served_document(dict.fromkeys(FUNCTIONS, "https://a.test"), own="estimate"))
    assert not [path for path, one in served["paths"].items() if "servers" in one]


def test_paths_of_a_function_that_is_not_there_are_left_out() -> None:
    served = json.loads(served_document({"estimate": "https://a.test"}, own="estimate"))
    assert {one[FUNCTION] for one in served["paths"].values()} == {"estimate"}
    assert "/estimate" in served["paths"]


def query_of(path: str) -> dict[str, dict[str, Any]]:
    """Return the schema of each parameter in the query of a route."""
    parameters = API["paths"][path]["get"]["parameters"]
    return {one["name"]: one["schema"] for one in parameters if one["in"] == "query"}


def test_a_query_has_the_bounds_of_its_model() -> None:
    assert query_of("/images") == {
        "cursor": {"type": "string", "maxLength": 200},
        "limit": {"type": "integer", "minimum": 1, "maximum": 100},
    }
    formats = {"type": "string", "enum": ["openai", "anthropic", "gemini", "mcp"]}
    assert query_of("/tools/generate_image") == {"format": formats}


@pytest.mark.parametrize("path", ["/v1/images/generations", "/v1/images/edits"])
def test_the_pattern_of_the_most_that_may_be_paid_matches_amounts_alone(path: str) -> None:
    parameters = API["paths"][path]["post"]["parameters"]
    (schema,) = (one["schema"] for one in parameters if one["name"] == "x-max-cost")
    for text in ("0.05", ".05", "5", "0.000001", "999999999.999999"):
        assert re.search(schema["pattern"], text)
        assert parse_usd(text)
    for text in ("0.0000001", "99999999999", "1e3", "-1", "5.", "", " 1"):
        assert not re.search(schema["pattern"], text)
        with pytest.raises(ValueError, match="dollar"):
            parse_usd(text)


def test_an_operation_without_an_entry_is_named_with_the_place_of_the_entry() -> None:
    with pytest.raises(LookupError, match=r"'newRoute' has no entry in OPERATIONS of generators/"):
        complete({"operationId": "newRoute", "responses": {}})
