"""Links to the page that shows an offer, for hosts that show no button.

The link contains the request and the most that it may cost, and neither a quote nor a token: the
page asks for a new estimate with the person's own token, and only that person can confirm it. All
of it is in the fragment, which browsers do not send to any server, so no log contains the prompt.
"""

from urllib.parse import quote, urlencode

from imagegen.domain.money import usd_text
from imagegen.wire.images import Estimate, EstimateRequest

MOST_CHARACTERS = 6_000
"""Hosts cut longer links. A prompt that needs a longer one is entered by hand."""


def offer_link(page_url: str, estimate: Estimate, request: EstimateRequest) -> str | None:
    """Return the link, ``None`` if there is no page or the request does not fit into a link.

    A prompt may be too long. Inputs are never in a link: without them it would be another offer.
    """
    if not page_url or request.inputs:
        return None
    wanted = {
        "prompt": request.prompt,
        "quality": estimate.quality,
        "size": request.size,
        "style": request.style,
        "provider": estimate.provider,
        "maxCost": usd_text(estimate.price.ceiling),
    }
    given = {name: value for name, value in wanted.items() if value}
    text = urlencode(given, quote_via=quote, encoding="utf-8", errors="replace")
    link = f"{page_url}/#{text}"
    return link if len(link) <= MOST_CHARACTERS else None
