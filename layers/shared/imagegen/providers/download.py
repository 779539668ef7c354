"""Downloads an image from the URL that a provider returned, and from nowhere else.

The name is resolved once and the connection goes to exactly that address, so that a second answer
of the name server cannot redirect it. Each redirect goes through the same check.
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
from imagegen.providers.faults import MAX_IMAGE_BYTES, fault, is_image
from imagegen.providers.http import (
    CHUNK_BYTES,
    CONNECT_SECONDS,
    Clock,
    Deadline,
    DeadlineError,
    TooLargeError,
    limited_chunks,
    shutdown_at,
)

type Connect = Callable[[Target], HTTPConnectionPool]
"""Returns a connection to the target's address under the target's host name."""

MAX_SECONDS = 30.0
MAX_REDIRECTS = 2
REDIRECTS = frozenset({301, 302, 303, 307, 308})
IMAGE_TYPES = frozenset({"image/png", "image/jpeg", "image/jpg", "image/webp"})


class UnusableError(Exception):
    """The answer is not an image; the message repeats nothing of it."""


def connect_pinned(target: Target) -> HTTPConnectionPool:
    """Return a connection to the address that checks the certificate against the host name."""
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
    """Downloads images for one provider."""

    provider: str
    base_url: str
    """When it is on loopback, images may be fetched from its origin; for local stacks."""
    resolve: Resolve = resolve_host
    connect: Connect = connect_pinned
    clock: Clock = time.monotonic
    max_bytes: int = MAX_IMAGE_BYTES

    def fetch(self, url: str, *, timeout_seconds: float) -> bytes:
        """Return the image's bytes; the time limit is at most 30 seconds.

        Raises:
            ProviderError: ``UNKNOWN`` when the download broke off, because the image was made and
                billed; ``UNAVAILABLE`` when the URL is not allowed or its answer is not an image.
        """
        deadline = Deadline.after(min(timeout_seconds, MAX_SECONDS), self.clock)
        try:
            return self._follow(url, deadline)
        except (BlockedError, UnusableError) as error:
            failure = fault(self.provider, Outcome.UNAVAILABLE, f"its link: {error}")
        except TooLargeError as error:
            failure = fault(self.provider, Outcome.NO_IMAGE, f"its link: {type(error).__name__}")
        except ValueError as error:  # a redirect may not be a valid URL
            failure = fault(self.provider, Outcome.UNAVAILABLE, f"its link: {type(error).__name__}")
        except (HTTPError, OSError, DeadlineError) as error:
            failure = fault(self.provider, Outcome.UNKNOWN, f"its link: {type(error).__name__}")
        raise failure

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
            response = send_request(pool, target, deadline)
            try:
                return self._read(response, deadline)
            finally:
                response.close()

    def _read(self, response: BaseHTTPResponse, deadline: Deadline) -> tuple[bytes | None, str]:
        """Return the image and an empty text, or ``None`` and the address of a redirect."""
        location = response.headers.get("location")
        if response.status in REDIRECTS and location:
            return None, location
        require_image(response, self.max_bytes)
        with shutdown_at(deadline, response.shutdown):
            chunks = response.stream(CHUNK_BYTES, decode_content=False)
            content = b"".join(limited_chunks(chunks, deadline, max_bytes=self.max_bytes))
        if not is_image(content):
            raise UnusableError("not the bytes of an image")
        return content, ""


def send_request(pool: HTTPConnectionPool, target: Target, deadline: Deadline) -> BaseHTTPResponse:
    """Return the response with its body unread: one attempt, no redirects, no compression."""
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
    """Return the Host header: IPv6 in brackets, the port only if it is not the default."""
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    return host if origin.port == PORTS[origin.scheme] else f"{host}:{origin.port}"


def require_image(response: BaseHTTPResponse, max_bytes: int) -> None:
    """Raise unless the response's status and headers announce an image of allowed size.

    Raises:
        UnusableError: they announce something else.
        TooLargeError: the announced length is above ``max_bytes``.
    """
    headers = response.headers
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if response.status != 200:
        raise UnusableError(f"HTTP {response.status}")
    if media_type not in IMAGE_TYPES:
        raise UnusableError("not an image type")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise UnusableError("compressed, although not requested")
    length = headers.get("content-length", "")
    if length.isdecimal() and len(length) < 20 and int(length) > max_bytes:
        raise TooLargeError
