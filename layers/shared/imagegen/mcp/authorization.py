"""Where a host of the Model Context Protocol signs its user in, and which web pages may call.

Sources: https://www.rfc-editor.org/rfc/rfc9728 and
https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#security-warning
"""

from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

WELL_KNOWN = "/.well-known/oauth-protected-resource"
ANY_ORIGIN = "*"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def resource_metadata(
    base_url: str, path: str, *, issuer: str, scopes: Collection[str]
) -> dict[str, Any]:
    """Return the metadata of a protected resource: of the whole function if ``path`` is empty.

    The identifier is what the document's address was made from (RFC 9728, 3.3).
    """
    found: dict[str, Any] = {
        "resource": f"{base_url}{path}",
        "authorization_servers": [issuer],
        "bearer_methods_supported": ["header"],
        "resource_name": "imagegen",
    }
    return {**found, "scopes_supported": list(scopes)} if scopes else found


def metadata_url(base_url: str, path: str) -> str:
    """Return the address of the metadata of one path, for the challenge of a 401."""
    return f"{base_url}{WELL_KNOWN}{path}"


def may_call(origin: str, allowed: Collection[str], own: str) -> bool:
    """Return whether a web page of this origin may send messages; ``own`` is the function's URL.

    Programs send no origin. ``*`` allows every origin but those of plain HTTP beyond loopback:
    only such a page can reach us under a name of its own by DNS rebinding, because a host without
    a certificate for that name cannot be opened with HTTPS.
    """
    if not origin or origin in allowed:
        return True
    try:
        parts, ours = urlsplit(origin), urlsplit(own)
        is_plain = parts.scheme == "http" and parts.hostname not in _LOOPBACK
    except ValueError:  # no address
        return False
    is_own = (parts.scheme, parts.netloc) == (ours.scheme, ours.netloc)
    return is_own or (ANY_ORIGIN in allowed and not is_plain)
