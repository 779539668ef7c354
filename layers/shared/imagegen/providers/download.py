"""Downloads an image from the URL that a provider returned, and from nowhere else.

The name is resolved once and the connection goes to exactly that address, so that a second answer
of the name server cannot redirect it. Each redirect goes through the same check.

The image is paid for and the download is free, so a file that is not there yet, or that broke off,
is requested again for some seconds. The bytes decide whether a file is an image, not its type.
"""

import re
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urljoin

from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.util import Timeout

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.pixels import is_whole
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
from imagegen.providers.bounds import (
    CHUNK_BYTES,
    CONNECT_SECONDS,
    Clock,
    Deadline,
    DeadlineError,
    TooLargeError,
    read_unpacked,
    shutdown_at,
)
from imagegen.providers.faults import billed, fault, parse_retry_after
from imagegen.providers.packing import UnpackError
from imagegen.providers.pictures import MAX_IMAGE_BYTES

type Connect = Callable[[Target], HTTPConnectionPool]
"""Returns a connection to the target's address under the target's host name."""

MAX_SECONDS = 30.0
MAX_REDIRECTS = 2
REDIRECTS = frozenset({301, 302, 303, 307, 308})
ACCEPT = "image/jpeg, image/jpg, image/png, image/webp"
SERVED = frozenset({200, 203, 206})
FINAL = frozenset({400, 401, 405, 406, 410, 451})
"""After these, another request for the same file is answered in the same way."""
LATE_SECONDS = 12.0
"""How long a file that is not there is requested again. A content network may take some seconds to
find a new file. One that is absent for longer is lost, and a fallback needs the time."""
FRAGMENT = re.compile(r"#[A-Za-z0-9._~=&-]*\Z")
"""What is never sent. With other characters, readers of URLs differ over where the host ends."""
PAUSES_SECONDS = (0.25, 0.5, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0)


class UnusableError(Exception):
    """The answer is not an image; the message repeats nothing of it."""

    def __init__(self, message: str, wait_seconds: int | None = 0) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds
        """The least time until another request may succeed; ``None`` if none can."""


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
    sleep: Callable[[float], None] = time.sleep
    hosts: Sequence[str] | None = None
    """The only hosts, with those below them, from which images may be fetched; ``None`` for any."""

    def fetch(self, url: str, *, timeout_seconds: float) -> bytes:
        """Return the image's bytes; the time limit is at most 30 seconds.

        A file that is late, cut off or not an image is requested again for up to 12 seconds.

        Raises:
            ProviderError: ``UNKNOWN`` when the download broke off, because the image was made and
                billed; ``UNAVAILABLE`` when the URL is not allowed or its answer is not an image.
        """
        deadline = Deadline.after(min(timeout_seconds, MAX_SECONDS), self.clock)
        end_seconds = min(deadline.at_seconds, self.clock() + LATE_SECONDS)
        for pause_seconds in (*PAUSES_SECONDS, None):
            least_seconds: int | None = 0
            try:
                return self._follow(url, deadline)
            except TooLargeError as error:
                failure = self._failure(Outcome.NO_IMAGE, error)
                least_seconds = None
            except (BlockedError, ValueError) as error:
                failure = self._failure(Outcome.UNAVAILABLE, error)
                least_seconds = None  # A redirect may also lead to an invalid URL.
            except (UnusableError, UnpackError) as error:
                failure = self._failure(Outcome.UNAVAILABLE, error)
                least_seconds = getattr(error, "wait_seconds", 0)
            except (HTTPError, OSError, DeadlineError) as error:
                failure = self._failure(Outcome.UNKNOWN, error)
            if pause_seconds is None or least_seconds is None:
                break
            pause = max(pause_seconds, least_seconds)
            if self.clock() + pause >= end_seconds:
                break
            self.sleep(pause)
        raise failure

    def _failure(self, outcome: Outcome, error: Exception) -> ProviderError:
        own = isinstance(error, (BlockedError, UnusableError, UnpackError))
        return fault(self.provider, outcome, f"its link: {error if own else type(error).__name__}")

    def _follow(self, url: str, deadline: Deadline) -> bytes:
        own = loopback_origin(self.base_url)
        for _ in range(1 + MAX_REDIRECTS):
            plain = FRAGMENT.sub("", url)
            target = allowed_target(plain, self.resolve, own=own, hosts=self.hosts)
            content, location = self._fetch_once(target, deadline)
            if content is not None:
                return content
            url = urljoin(url, location)
        raise BlockedError("too many redirects")

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
        require_file(response, self.max_bytes)
        packed_as = response.headers.get("content-encoding", "")
        with shutdown_at(deadline, response.shutdown):
            chunks = response.stream(CHUNK_BYTES, decode_content=False)
            content = read_unpacked(chunks, packed_as, deadline, max_bytes=self.max_bytes)
        if not is_whole(content):
            raise UnusableError("not the bytes of an image")
        return content, ""


def first_image(
    found: Iterable[bytes | str], downloader: Downloader, deadline: Deadline
) -> bytes | None:
    """Return the first image of an answer, downloaded if it is a link; ``None`` without any.

    Raises:
        ProviderError: there are only links, and none leads to an image: the first one's error.
    """
    failure: ProviderError | None = None
    for one in found:
        if isinstance(one, bytes):
            return one
        try:
            return downloader.fetch(one, timeout_seconds=deadline.remaining_seconds())
        except ProviderError as error:
            failure = failure or billed(error)
    if failure is not None:
        raise failure
    return None


def send_request(pool: HTTPConnectionPool, target: Target, deadline: Deadline) -> BaseHTTPResponse:
    """Return the response with its body unread: one attempt, no redirects, no compression."""
    return pool.urlopen(
        "GET",
        target.path,
        headers={
            "Host": host_header(target.origin),
            "User-Agent": "imagegen",
            "Accept": ACCEPT,
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


def require_file(response: BaseHTTPResponse, max_bytes: int) -> None:
    """Raise unless the response's status and length announce a file of allowed size.

    Raises:
        UnusableError: there is no file, or none yet.
        TooLargeError: the announced length is above ``max_bytes``.
    """
    status, length = response.status, response.headers.get("content-length", "")
    if status not in SERVED:
        headers = {name.lower(): value for name, value in response.headers.items()}
        wait_seconds = None if status in FINAL else parse_retry_after(headers) or 0
        raise UnusableError(f"HTTP {status}", wait_seconds)
    if length.isdecimal() and len(length) < 20 and int(length) > max_bytes:
        raise TooLargeError
