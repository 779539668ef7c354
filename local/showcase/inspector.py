"""The host's side of a view for MCP Apps: calls the stack's tools, and serves the view."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import requests

from imagegen.mcp import app, protocol

TIMEOUT_SECONDS: Final = 300
CAPABILITIES: Final = {"extensions": {protocol.APPS: {"mimeTypes": [protocol.APPS_MIME_TYPE]}}}
NAMED: Final = {"tools/call": "name", "resources/read": "uri"}
"""The parameter that a header repeats, by method."""
SANDBOX: Final = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: {images}; connect-src 'none'; base-uri 'none'; form-action 'none'"
)
"""The policy of a view, by the specification: nothing but the domains that it names."""


@dataclass(frozen=True, slots=True)
class McpHost:
    """A host that speaks to one server for one person."""

    url: str
    token: str

    def call(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the server's answer to a request: its ``result`` or its ``error``."""
        meta = {
            protocol.VERSION_KEY: protocol.MODERN,
            protocol.CAPABILITIES_KEY: CAPABILITIES,
        }
        message = {"jsonrpc": "2.0", "id": 1, "method": method}
        named = NAMED.get(method)
        answer = requests.post(
            self.url,
            json={**message, "params": {**params, "_meta": meta}},
            headers={
                "Authorization": f"Bearer {self.token}",
                "Accept": "application/json",
                protocol.VERSION_HEADER: protocol.MODERN,
                protocol.METHOD_HEADER: method,
                **({protocol.NAME_HEADER: str(params.get(named))} if named else {}),
            },
            timeout=TIMEOUT_SECONDS,
        )
        found: dict[str, Any] = json.loads(answer.text)
        return found

    def view(self) -> tuple[str, str]:
        """Return the view's HTML and the policy that it is served with.

        Raises:
            KeyError: the server has no view.
        """
        (content,) = self.call("resources/read", {"uri": app.URI})["result"]["contents"]
        domains = content["_meta"]["ui"]["csp"].get("resourceDomains", [])
        return content["text"], SANDBOX.format(images=" ".join(domains))
