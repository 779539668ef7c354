"""The HTTP client that all adapters share: JSON bodies, a total deadline, a size limit, no retries.

Every request has a session and a connection of its own. A Lambda instance is frozen between calls,
and an idle connection that died meanwhile would look like a sent request whose answer was lost.
``Connection: close`` alone does not prevent this, because a server may ignore it.
Errors are raised outside their ``except``: a chained cause would carry the vendor's text.
"""

import json
import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass

import requests
from pydantic_core import from_json
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.util import Timeout

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import Json
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
from imagegen.providers.faults import HttpAnswer, billed, fault
from imagegen.providers.json_body import Body, json_body
from imagegen.providers.packing import UnpackError
from imagegen.providers.pictures import is_image

type FilePart = tuple[str, bytes, str]
"""Name, content and media type."""

MAX_JSON_BYTES = 40 * 1024 * 1024
JSON_STARTS = (b"{", b"[")
MARKUP = re.compile(r"\s*<(?:!doctype|html|\?xml|head|body)", re.IGNORECASE)
HEADERS = {
    "User-Agent": "imagegen",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "Connection": "close",
}


def build_session() -> requests.Session:
    """Return a session that ignores the environment's proxy, netrc and certificate settings."""
    session = requests.Session()
    session.trust_env = False
    session.headers.clear()
    session.headers.update(HEADERS)
    return session


@dataclass(frozen=True, slots=True)
class JsonHttp:
    """Sends JSON requests to one provider.

    The time limit covers the whole request, except two things that no socket timeout covers: name
    resolution, and response headers that arrive byte by byte.
    """

    provider: str
    clock: Clock = time.monotonic
    max_bytes: int = MAX_JSON_BYTES

    def post(
        self,
        url: str,
        *,
        headers: Mapping[str, str],
        body: Body = None,
        files: Mapping[str, FilePart] | None = None,
        timeout_seconds: float,
    ) -> HttpAnswer:
        """Return the answer, whatever its status; with ``files``, a form with ``body``'s fields.

        Raises:
            ProviderError: ``UNAVAILABLE`` when nothing was sent; ``UNKNOWN`` when the request was
                sent and its answer was lost; ``BLOCKED`` when a success was a page, ``NO_IMAGE``
                when it was not JSON or was too long.
        """
        request = requests.Request("POST", url, headers=headers, files=files)
        if files is not None and isinstance(body, Mapping):
            request.data = {name: _field(value) for name, value in body.items()}
        elif body is not None:
            request.data = json_body(body)
            request.headers = {"Content-Type": "application/json", **headers}
        return self._exchange(request, timeout_seconds)

    def get(self, url: str, *, headers: Mapping[str, str], timeout_seconds: float) -> HttpAnswer:
        """Return the answer, whatever its status; raises the errors of ``post``."""
        return self._exchange(requests.Request("GET", url, headers=headers), timeout_seconds)

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes,
        timeout_seconds: float,
    ) -> HttpAnswer:
        """Return the answer to a request that was signed; raises the errors of ``post``."""
        request = requests.Request(method, url, headers=headers, data=content)
        return self._exchange(request, timeout_seconds)

    def _exchange(self, request: requests.Request, timeout_seconds: float) -> HttpAnswer:
        deadline = Deadline.after(timeout_seconds, self.clock)
        with build_session() as session:
            response = self._send(session, request, deadline)
            content = self._read(response, deadline)
        headers = {name.lower(): value for name, value in response.headers.items()}
        return to_answer(self.provider, response.status_code, headers, content)

    def _send(
        self, session: requests.Session, request: requests.Request, deadline: Deadline
    ) -> requests.Response:
        limits = Timeout(connect=CONNECT_SECONDS, total=deadline.remaining_seconds())
        try:
            prepared = session.prepare_request(request)
            return session.send(
                prepared,
                timeout=limits,  # type: ignore[arg-type] # the stubs lack urllib3's own class
                stream=True,
                allow_redirects=False,
            )
        except (requests.RequestException, HTTPError, ValueError) as error:
            failure = self._failure(error, sent=was_sent(error))
        raise failure

    def _read(self, response: requests.Response, deadline: Deadline) -> bytes:
        packed_as = response.headers.get("content-encoding", "")
        try:
            with response, shutdown_at(deadline, response.raw.shutdown):
                # Not requests' own decoder: it trusts the label, and has no limit.
                chunks = response.raw.stream(CHUNK_BYTES, decode_content=False)
                return read_unpacked(chunks, packed_as, deadline, max_bytes=self.max_bytes)
        except (TooLargeError, UnpackError) as error:
            if not response.ok:
                return b""  # The status of an error is enough.
            if isinstance(error, TooLargeError):
                failure = fault(self.provider, Outcome.NO_IMAGE, type(error).__name__)
            else:
                failure = self._failure(error, sent=False)
            failure = billed(failure)
        except (DeadlineError, HTTPError, OSError) as error:
            failure = self._failure(error, sent=True)
        raise failure

    def _failure(self, error: Exception, *, sent: bool) -> ProviderError:
        outcome = Outcome.UNKNOWN if sent else Outcome.UNAVAILABLE
        return fault(self.provider, outcome, type(error).__name__)


def _field(value: object) -> str:
    """Return a value as a form's field: a text as it is, anything else as in JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def to_answer(provider: str, status: int, headers: Mapping[str, str], content: bytes) -> HttpAnswer:
    """Return the decoded answer.

    Raises:
        ProviderError: the status is a success and the body is neither JSON nor an image.
    """
    if 200 <= status < 300 and is_image(content):
        return HttpAnswer(status, headers, None, image=content)
    try:
        return HttpAnswer(status, headers, _one_object(_decoded(content)))
    except (ValueError, RecursionError):
        page = is_page(headers, content)
        if not 200 <= status < 300:
            return HttpAnswer(status, headers, None, is_page=page)
    # It came in time: one prompt may cause it, and something in front may have written it.
    if page:
        raise fault(provider, Outcome.BLOCKED, "the answer is a page")
    failure = fault(provider, Outcome.NO_IMAGE, "the answer is not JSON")
    # An answer of the API that is cut off: what it was to contain was made.
    raise billed(failure) if content.lstrip().startswith(JSON_STARTS) else failure


def _decoded(content: bytes) -> Json:
    """Return the value of a JSON text.

    The first reader reads the bytes themselves, without a copy as text: an image in them is large.
    The other one takes what only it reads, such as halves of characters, NaN and UTF-16.

    Raises:
        ValueError, RecursionError: it is not JSON.
    """
    try:
        value: Json = from_json(content)
    except ValueError:
        value = json.loads(content)
    return value


def _one_object(body: Json) -> Json:
    """Return the object of a list with one, as Google's streams and some gateways answer.

    Other gateways encode an answer twice, so that it is a text in JSON.

    Raises:
        ValueError, RecursionError: such a text is not JSON.
    """
    if isinstance(body, str) and body.lstrip().startswith(("{", "[")):
        body = _decoded(body.encode())
    if isinstance(body, list) and len(body) == 1 and isinstance(body[0], Mapping):
        return body[0]
    return body


def is_page(headers: Mapping[str, str], content: bytes) -> bool:
    """Return whether a body is HTML or XML; the names of ``headers`` are in lower case."""
    media_type = headers.get("content-type", "").lower()
    start = content[:200].decode("utf-8", "replace").lstrip("\ufeff")
    return "html" in media_type or "xml" in media_type or bool(MARKUP.match(start))


def was_sent(error: Exception) -> bool:
    """Return whether the request may have reached the provider before this error."""
    # An invalid URL, header or body of ours also raises a ValueError.
    if isinstance(error, (requests.ConnectTimeout, ValueError)):
        return False
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(error, requests.exceptions.SSLError):
        # An end of file is the only TLS failure that can also happen after the handshake.
        return isinstance(reason, Exception) and isinstance(reason.args[0], ssl.SSLEOFError)
    return not isinstance(reason, NewConnectionError)
