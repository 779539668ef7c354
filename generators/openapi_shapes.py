"""JSON schemas of foreign protocols that have no model in our code."""

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
