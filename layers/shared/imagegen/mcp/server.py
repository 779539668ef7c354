"""The methods of the protocol, over one user's tools."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imagegen.mcp import protocol, tools
from imagegen.mcp.protocol import RpcError, RpcRequest
from imagegen.mcp.tools import Toolbox

VERSION = "0.1.0"
SERVER = {"name": "imagegen", "title": "Images with a binding price", "version": VERSION}
INSTRUCTIONS = (
    "Offer images with estimate_image and tell the price. You cannot buy one: the person confirms "
    "in their own client, and pays at most the price that was shown, once, for an image they got."
)
CAPABILITIES: dict[str, Any] = {"tools": {}}
CACHED = {"ttlMs": 3_600_000, "cacheScope": "public"}
"""What is listed changes with a deployment, and is the same for everybody."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer over HTTP; a notification has no body."""

    status: int
    body: str = ""


def reply(body: str | bytes, headers: Mapping[str, str], toolbox: Toolbox) -> Reply:
    """Return the answer to one message; ``headers`` have lower-case names."""
    asked = None
    try:
        asked = protocol.parse(body, headers)
        if asked is None:
            return Reply(202)
        said = protocol.result(asked, _result(asked, toolbox), SERVER)
    except RpcError as error:
        return Reply(protocol.status_of(error, asked), _text(protocol.error(error)))
    return Reply(200, _text(said))


def _result(asked: RpcRequest, toolbox: Toolbox) -> dict[str, Any]:
    cached = CACHED if asked.is_modern else {}
    match asked.method, asked.is_modern:
        case "server/discover", True:
            return {**_about(), "supportedVersions": list(protocol.VERSIONS), **cached}
        case "initialize", False:
            return {**_about(), "protocolVersion": _agreed(asked), "serverInfo": SERVER}
        case "ping", False:
            return {}
        case "tools/list", _:
            return {"tools": tools.definitions(toolbox.providers), **cached}
        case "tools/call", _:
            return _call(asked, toolbox)
    raise RpcError(protocol.METHOD_NOT_FOUND, "There is no such method.", request_id=asked.id)


def _about() -> dict[str, Any]:
    return {"capabilities": CAPABILITIES, "instructions": INSTRUCTIONS}


def _agreed(asked: RpcRequest) -> str:
    """Return the version to go on with: the client's, or else our newest with a handshake."""
    wanted = asked.params.get("protocolVersion")
    if not isinstance(wanted, str):
        raise _invalid(asked, "protocolVersion is a string.")
    return wanted if wanted in protocol.HANDSHAKE else protocol.HANDSHAKE[0]


def _call(asked: RpcRequest, toolbox: Toolbox) -> dict[str, Any]:
    name, arguments = asked.params.get("name"), asked.params.get("arguments")
    if not isinstance(name, str):
        raise _invalid(asked, "name is a string.")
    if not isinstance(arguments, dict | None):
        raise _invalid(asked, "arguments is an object.")
    said = tools.call(name, arguments or {}, toolbox)
    if said is None:
        raise _invalid(asked, "There is no such tool.")
    return said


def _invalid(asked: RpcRequest, message: str) -> RpcError:
    return RpcError(protocol.INVALID_PARAMS, message, request_id=asked.id)


def _text(values: Mapping[str, Any]) -> str:
    return json.dumps(values, separators=(",", ":"))
