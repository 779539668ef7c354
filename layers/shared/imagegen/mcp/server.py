"""Answers the protocol's methods with one user's tools."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imagegen.mcp import app, protocol, tools
from imagegen.mcp.protocol import RpcError, RpcRequest
from imagegen.mcp.tools import Toolbox

VERSION = "0.1.0"
SERVER = {"name": "imagegen", "title": "Images with a binding price", "version": VERSION}
SERVER_INSTRUCTIONS = (
    "Offer images with estimate_image and state the most that it can cost. You cannot buy an "
    "image: the person confirms, on the page that the result links to or with a button of your "
    "application. They pay at most the price that was shown, once, and only for an image that they "
    "received."
)
CAPABILITIES: dict[str, Any] = {"tools": {}, "resources": {}}
CACHED = {"ttlMs": 3_600_000, "cacheScope": "public"}
"""The lists change only with a deployment and are the same for every user of a kind of client."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer over HTTP; a notification has no body."""

    status: int
    body: str = ""
    session: str = ""
    """The session id in the answer to ``initialize``; empty in every other answer."""


def reply(body: str | bytes, headers: Mapping[str, str], toolbox: Toolbox) -> Reply:
    """Return the answer to one message; ``headers`` have lower-case names."""
    request = None
    try:
        request = protocol.parse(body, headers)
        if request is None:
            return Reply(202)
        answer = protocol.result(request, _result(request, toolbox), SERVER)
    except RpcError as error:
        return Reply(protocol.status_of(error, request), _text(protocol.error(error)))
    begins = request.method == "initialize" and request.has_apps
    return Reply(200, _text(answer), protocol.APPS_SESSION if begins else "")


def _result(request: RpcRequest, toolbox: Toolbox) -> dict[str, Any]:
    cached = CACHED if request.is_modern else {}
    match request.method, request.is_modern:
        case "server/discover", True:
            return {**_about(), "supportedVersions": list(protocol.VERSIONS), **cached}
        case "initialize", False:
            version = _negotiated_version(request)
            return {**_about(), "protocolVersion": version, "serverInfo": SERVER}
        case "ping", False:
            return {}
        case "tools/list", _:
            listed = tools.definitions(toolbox.providers, has_apps=request.has_apps)
            return {"tools": listed, **cached}
        case "tools/call", _:
            return _call(request, toolbox)
        case "resources/list", _:
            return {"resources": [app.RESOURCE], **cached}
        case "resources/templates/list", _:
            return {"resourceTemplates": [], **cached}
        case "resources/read", _:
            return {**_read(request, toolbox), **cached}
    raise RpcError(protocol.METHOD_NOT_FOUND, "There is no such method.", request_id=request.id)


def _about() -> dict[str, Any]:
    return {"capabilities": CAPABILITIES, "instructions": SERVER_INSTRUCTIONS}


def _negotiated_version(request: RpcRequest) -> str:
    """Return the client's version if we support it, else our newest one with a handshake."""
    wanted = request.params.get("protocolVersion")
    if not isinstance(wanted, str):
        raise _invalid(request, "protocolVersion must be a string.")
    return wanted if wanted in protocol.HANDSHAKE else protocol.HANDSHAKE[0]


def _call(request: RpcRequest, toolbox: Toolbox) -> dict[str, Any]:
    name, arguments = request.params.get("name"), request.params.get("arguments")
    if not isinstance(name, str):
        raise _invalid(request, "name must be a string.")
    if not isinstance(arguments, dict | None):
        raise _invalid(request, "arguments must be an object.")
    result = tools.call(name, arguments or {}, toolbox, has_apps=request.has_apps)
    if result is None:
        raise _invalid(request, "There is no such tool.")
    return result


def _read(request: RpcRequest, toolbox: Toolbox) -> dict[str, Any]:
    uri = request.params.get("uri")
    if not isinstance(uri, str):
        raise _invalid(request, "uri must be a string.")
    found = app.read(uri, toolbox.image_origins)
    if found is None:
        raise RpcError(
            protocol.RESOURCE_NOT_FOUND, "There is no such resource.", request_id=request.id
        )
    return found


def _invalid(request: RpcRequest, message: str) -> RpcError:
    return RpcError(protocol.INVALID_PARAMS, message, request_id=request.id)


def _text(values: Mapping[str, Any]) -> str:
    return json.dumps(values, separators=(",", ":"))
