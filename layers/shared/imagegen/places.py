"""The public URLs of functions, and which calls came through the address in front of them.

Standard library only: the page function has nothing else.
"""

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


ORIGIN_HEADER = "x-imagegen-origin"
"""CloudFront sends it with a secret value (edge.yaml). The functions have only its digest."""


def came_through_front(headers: Mapping[str, str], digests: str) -> bool:
    """Return whether a request has a header value with one of the SHA-256 digests.

    Without digests every request has. Two digests are accepted while the secret is being changed.
    """
    if not digests:
        return True
    sent = hashlib.sha256(headers.get(ORIGIN_HEADER, "").encode(errors="replace")).hexdigest()
    return any(hmac.compare_digest(sent, one) for one in digests.split(","))


def is_on_loopback(url: str) -> bool:
    """Return whether a URL leads to this machine itself."""
    return urlsplit(url).hostname in LOOPBACK


def public_url(aws_endpoint_url: str, domain: str, url_id: str) -> str:
    """Return the public URL of a function, without a slash at the end."""
    if is_on_loopback(aws_endpoint_url):
        # The local AWS serves function URLs by path; their host names do not resolve.
        return f"{aws_endpoint_url.rstrip('/')}/_aws/lambda-url/{url_id}"
    return f"https://{domain}"
