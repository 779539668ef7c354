"""The part of the Model Context Protocol that does not depend on our tools: JSON-RPC and versions.

Revision 2026-07-28 has no handshake: each request contains its version in ``_meta`` and names its
method in headers. Older clients send ``initialize`` first; we have no sessions, so nothing of that
is stored.
Source: https://modelcontextprotocol.io/specification
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Never

MODERN = "2026-07-28"
HANDSHAKE = ("2025-11-25", "2025-06-18", "2025-03-26")
VERSIONS = (MODERN, *HANDSHAKE)
VERSION_HEADER, METHOD_HEADER, NAME_HEADER = "mcp-protocol-version", "mcp-method", "mcp-name"
META = "io.modelcontextprotocol/"
VERSION_KEY, CAPABILITIES_KEY = f"{META}protocolVersion", f"{META}clientCapabilities"
SERVER_KEY = f"{META}serverInfo"
SESSION_HEADER, APPS_SESSION = "mcp-session-id", "apps"
"""Clients with a handshake name their capabilities in it alone. One that supports MCP Apps gets
this value as its session id and sends it with each request; nothing is stored for the session."""
APPS, APPS_MIME_TYPE = "io.modelcontextprotocol/ui", "text/html;profile=mcp-app"

PARSE_ERROR, INVALID_REQUEST = -32700, -32600
METHOD_NOT_FOUND, INVALID_PARAMS = -32601, -32602
RESOURCE_NOT_FOUND = -32002
HEADER_MISMATCH, UNSUPPORTED_VERSION = -32020, -32022
_NAMES = {"tools/call": "name", "resources/read": "uri"}
"""The parameter that the name's header repeats, by method."""
_STATUS = {METHOD_NOT_FOUND: 404}
"""Any other code has status 400. Before 2026-07-28, an error of a valid message had status 200."""


class RpcError(Exception):
    """The answer to the message is a JSON-RPC error."""

    def __init__(
        self, code: int, message: str, *, data: Any = None, request_id: Any = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.data = data
        self.request_id = request_id


@dataclass(frozen=True, slots=True)
class RpcRequest:
    """A valid request, which needs an answer."""

    id: str | int
    method: str
    params: Mapping[str, Any]
    is_modern: bool
    has_apps: bool = False
    """Whether the client says that it shows the views of MCP Apps."""


def parse(body: str | bytes, headers: Mapping[str, str]) -> RpcRequest | None:
    """Return the request in a body, ``None`` for a notification, which gets no answer.

    Raises:
        RpcError: the body is not one valid message, or its version is not supported.
    """
    message = _message(body)
    method, params = message.get("method"), message.get("params", {})
    request_id: Any = message.get("id")
    has_id = "id" in message
    if has_id and (isinstance(request_id, bool) or not isinstance(request_id, str | int)):
        _fail(INVALID_REQUEST, "The id must be a string or an integer.")
    if message.get("jsonrpc") != "2.0" or not isinstance(method, str):
        _fail(INVALID_REQUEST, "The body is not a JSON-RPC 2.0 request.", request_id)
    if not isinstance(params, dict):
        _fail(INVALID_REQUEST, "params must be an object.", request_id)
    is_modern = _is_modern(params, headers)
    if not has_id:
        _check_version(headers.get(VERSION_HEADER, MODERN))
        return None
    if is_modern:
        _check(method, params, headers, request_id)
    return RpcRequest(request_id, method, params, is_modern, _has_apps(params, headers))


def result(
    request: RpcRequest, values: Mapping[str, Any], server: Mapping[str, str]
) -> dict[str, Any]:
    """Return the answer to a request, with ``values`` as its result."""
    values = dict(values)
    if request.is_modern:
        values = {"resultType": "complete", **values}
        values["_meta"] = {**values.get("_meta", {}), SERVER_KEY: dict(server)}
    return {"jsonrpc": "2.0", "id": request.id, "result": values}


def error(failed: RpcError) -> dict[str, Any]:
    """Return the answer for an error; its id is ``null`` when the message has none."""
    body: dict[str, Any] = {"code": failed.code, "message": str(failed)}
    if failed.data is not None:
        body["data"] = failed.data
    return {"jsonrpc": "2.0", "id": failed.request_id, "error": body}


def status_of(failed: RpcError, request: RpcRequest | None) -> int:
    """Return the HTTP status of an error; ``request`` is ``None`` when it was not valid."""
    is_old = request is not None and not request.is_modern
    return 200 if is_old else _STATUS.get(failed.code, 400)


def _message(body: str | bytes) -> dict[str, Any]:
    try:
        # From bytes, Python would also accept UTF-16 and lone surrogates.
        text = body.decode() if isinstance(body, bytes) else body
        message = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        _fail(PARSE_ERROR, "The body is not JSON.")
    if not isinstance(message, dict):
        _fail(INVALID_REQUEST, "Send one JSON-RPC message; batches are not supported.")
    return message


def _refuse_constant(name: str) -> Never:
    raise ValueError(name)


def _is_modern(params: Mapping[str, Any], headers: Mapping[str, str]) -> bool:
    """Return whether a request belongs to a revision without a handshake, known or future."""
    version, meta = headers.get(VERSION_HEADER), params.get("_meta")
    has_version = isinstance(meta, dict) and VERSION_KEY in meta
    return has_version or (version is not None and version not in HANDSHAKE)


def _has_apps(params: Mapping[str, Any], headers: Mapping[str, str]) -> bool:
    meta = params.get("_meta")
    declared = [params.get("capabilities")]
    declared += [meta.get(CAPABILITIES_KEY)] if isinstance(meta, dict) else []
    for one in declared:
        extensions = one.get("extensions") if isinstance(one, dict) else None
        apps = extensions.get(APPS) if isinstance(extensions, dict) else None
        types = apps.get("mimeTypes") if isinstance(apps, dict) else None
        if isinstance(types, list) and APPS_MIME_TYPE in types:
            return True
    return headers.get(SESSION_HEADER) == APPS_SESSION


def _check(
    method: str, params: Mapping[str, Any], headers: Mapping[str, str], request_id: str | int
) -> None:
    meta = params.get("_meta")
    if not isinstance(meta, dict) or not {VERSION_KEY, CAPABILITIES_KEY} <= meta.keys():
        needed = f"params._meta must contain {VERSION_KEY} and {CAPABILITIES_KEY}."
        _fail(INVALID_PARAMS, needed, request_id)
    named = {VERSION_HEADER: meta[VERSION_KEY], METHOD_HEADER: method}
    if (name := params.get(_NAMES.get(method, ""))) is not None:
        named[NAME_HEADER] = name
    for header, value in named.items():
        if _plain(headers.get(header)) != value:
            _fail(HEADER_MISMATCH, f"The header {header} does not match the body.", request_id)
    _check_version(meta[VERSION_KEY], request_id)


def _check_version(version: object, request_id: str | int | None = None) -> None:
    if version not in VERSIONS:
        data = {"supported": list(VERSIONS), "requested": version}
        raise RpcError(
            UNSUPPORTED_VERSION, "Unsupported protocol version", data=data, request_id=request_id
        )


def _plain(value: str | None) -> str | None:
    """Return a header's value, ``None`` if it is missing or cannot be decoded.

    Text that a header cannot contain is encoded as ``=?base64?...?=``.
    """
    if value is None or not (value.startswith("=?base64?") and value.endswith("?=")):
        return value
    try:
        return base64.b64decode(value[9:-2], validate=True).decode()
    except (binascii.Error, ValueError):
        return None


def _fail(code: int, message: str, request_id: Any = None) -> Never:
    raise RpcError(code, message, request_id=request_id)
