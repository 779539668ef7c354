"""The public URLs of functions, and which addresses are this machine itself.

Standard library only: the page function has nothing else.
"""

from urllib.parse import urlsplit

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def is_on_loopback(url: str) -> bool:
    """Return whether a URL leads to this machine itself."""
    return urlsplit(url).hostname in LOOPBACK


def public_url(aws_endpoint_url: str, domain: str, url_id: str) -> str:
    """Return the public URL of a function, without a slash at the end."""
    if is_on_loopback(aws_endpoint_url):
        # The local AWS serves function URLs by path; their host names do not resolve.
        return f"{aws_endpoint_url.rstrip('/')}/_aws/lambda-url/{url_id}"
    return f"https://{domain}"
