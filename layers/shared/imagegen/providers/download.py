"""Fetch an image from the URL a provider gave, and from nowhere else.

The name is resolved once and the connection goes to that very address, so that a second answer of
the name server cannot move it; each redirect goes through the same check.
"""

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urljoin

from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.util import Timeout

from imagegen.domain.outcomes import Outcome
from imagegen.providers.addresses import (
    PORTS,
    BlockedError,
    Origin,
    Resolve,
    Target,
    allowed_target,
    loopback_origin,
    resolve_host,
)
from imagegen.providers.faults import fault
from imagegen.providers.images import MAX_IMAGE_BYTES, is_image
from imagegen.providers.stream import (
    CHUNK_BYTES,
    CONNECT_SECONDS,
    Clock,
    Deadline,
    DeadlineError,
    TooLargeError,
    capped,
    cutting,
)

type Connect = Callable[[Target], HTTPConnectionPool]
"""A connection to the target's address under the target's name."""

MAX_SECONDS = 30.0
MAX_REDIRECTS = 2
REDIRECTS = frozenset({301, 302, 303, 307, 308})
IMAGE_TYPES = frozenset({"image/png", "image/jpeg", "image/jpg", "image/webp"})


class UnusableError(Exception):
    """The answer is no image; the message repeats nothing of it."""


def connect_pinned(target: Target) -> HTTPConnectionPool:
    """Return a connection to the address, with the certificate checked against the host."""
    if target.origin.scheme == "http":
        return HTTPConnectionPool(target.address, target.origin.port)
    return HTTPSConnectionPool(
        target.address,
        target.origin.port,
        server_hostname=target.origin.host,
        assert_hostname=target.origin.host,
        ssl_context=ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH),
    )


@dataclass(frozen=True, slots=True)
class Downloader:
    """Fetch images for one provider."""

    provider: str
    base_url: str
    """Its own origin may be fetched from where it is on loopback, for local stacks."""
    resolve: Resolve = resolve_host
    connect: Connect = connect_pinned
    clock: Clock = time.monotonic
    max_bytes: int = MAX_IMAGE_BYTES

    def fetch(self, url: str, *, timeout_seconds: float) -> bytes:
        """Return the image's bytes, within the time and at most 30 seconds.

        Raises:
            ProviderError: ``UNKNOWN`` when the image was lost on its way, for it was made and
                billed; ``UNAVAILABLE`` when the URL or what is there is no good.
        """
        deadline = Deadline.after(min(timeout_seconds, MAX_SECONDS), self.clock)
        try:
            return self._follow(url, deadline)
        except (BlockedError, UnusableError) as error:
            lost = fault(self.provider, Outcome.UNAVAILABLE, f"its link: {error}")
        except (TooLargeError, ValueError) as error:  # a redirect may be no URL at all
            lost = fault(self.provider, Outcome.UNAVAILABLE, f"its link: {type(error).__name__}")
        except (HTTPError, OSError, DeadlineError) as error:
            lost = fault(self.provider, Outcome.UNKNOWN, f"its link: {type(error).__name__}")
        raise lost

    def _follow(self, url: str, deadline: Deadline) -> bytes:
        own = loopback_origin(self.base_url)
        for _ in range(1 + MAX_REDIRECTS):
            target = allowed_target(url, self.resolve, own=own)
            content, location = self._fetch_once(target, deadline)
            if content is not None:
                return content
            url = urljoin(url, location)
        raise UnusableError("too many redirects")

    def _fetch_once(self, target: Target, deadline: Deadline) -> tuple[bytes | None, str]:
        with self.connect(target) as pool:
            response = ask(pool, target, deadline)
            try:
                return self._taken(response, deadline)
            finally:
                response.close()

    def _taken(self, response: BaseHTTPResponse, deadline: Deadline) -> tuple[bytes | None, str]:
        location = response.headers.get("location")
        if response.status in REDIRECTS and location:
            return None, location
        require_image(response, self.max_bytes)
        with cutting(deadline, response.shutdown):
            chunks = response.stream(CHUNK_BYTES, decode_content=False)
            content = b"".join(capped(chunks, deadline, max_bytes=self.max_bytes))
        if not is_image(content):
            raise UnusableError("not the bytes of an image")
        return content, ""


def ask(pool: HTTPConnectionPool, target: Target, deadline: Deadline) -> BaseHTTPResponse:
    """Return the response with its body unread: one try, no redirect, nothing packed."""
    return pool.urlopen(
        "GET",
        target.path,
        headers={
            "Host": host_header(target.origin),
            "User-Agent": "imagegen",
            "Accept": ", ".join(sorted(IMAGE_TYPES)),
            "Accept-Encoding": "identity",
            "Connection": "close",
        },
        retries=False,
        redirect=False,
        timeout=Timeout(connect=CONNECT_SECONDS, total=deadline.remaining_seconds()),
        preload_content=False,
        decode_content=False,
    )


def host_header(origin: Origin) -> str:
    """Return the host as a header has it: brackets for IPv6, a port where it is unusual."""
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    return host if origin.port == PORTS[origin.scheme] else f"{host}:{origin.port}"


def require_image(response: BaseHTTPResponse, max_bytes: int) -> None:
    """Return when the response's head promises an image.

    Raises:
        UnusableError: it does not.
        TooLargeError: it promises too much of it.
    """
    headers = response.headers
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if response.status != 200:
        raise UnusableError(f"HTTP {response.status}")
    if media_type not in IMAGE_TYPES:
        raise UnusableError("not of an image's type")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise UnusableError("packed, though asked for plain")
    length = headers.get("content-length", "")
    if length.isdecimal() and len(length) < 20 and int(length) > max_bytes:
        raise TooLargeError
