"""The view of an offer for hosts that support MCP Apps: the page's image element.

Specification: https://github.com/modelcontextprotocol/ext-apps (2026-01-26). The view has no token
and loads nothing but the finished picture. A click on its button sends the quote, which the host
passes to the view alone, to the tool ``confirm_image``; the same quote again is charged at most
once. Where a host passes no quote or calls no tools, the button opens the link of the offer.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from imagegen.mcp.protocol import APPS_MIME_TYPE

URI = "ui://imagegen/offer.html"
TOOL_META = {"ui": {"resourceUri": URI}, "ui/resourceUri": URI}
"""The second key is for hosts of an earlier draft."""
RESOURCE = {
    "uri": URI,
    "name": "offer",
    "title": "An offer of an image",
    "description": "Shows the price of an image, a button to confirm it, and then the image.",
    "mimeType": APPS_MIME_TYPE,
}


@cache
def view() -> str:
    """Return the HTML of the view, which ``python -m generators.mcp_view`` writes."""
    return Path(__file__).with_name("offer.html").read_text()


def read(uri: str, image_origins: Sequence[str] = ()) -> dict[str, Any] | None:
    """Return the answer to ``resources/read``, ``None`` if there is no such resource.

    The view may load pictures from ``image_origins`` and nothing else.
    """
    if uri != URI:
        return None
    csp = {"resourceDomains": list(image_origins)} if image_origins else {}
    meta = {"ui": {"csp": csp, "prefersBorder": True}}
    return {"contents": [{"uri": URI, "mimeType": APPS_MIME_TYPE, "text": view(), "_meta": meta}]}
