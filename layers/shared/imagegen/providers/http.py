"""The HTTP edge that the adapters share: JSON out, JSON in, one total deadline, no second try.

Every request has a session and a connection of its own. A Lambda instance is frozen between calls,
and an idle connection that died meanwhile would look like a sent request whose answer was lost;
``Connection: close`` alone does not prevent it, for a server may ignore that.
Errors are raised outside their ``except``: a chained cause would carry the vendor's text.
"""

import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass

import requests
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.util import Timeout

from imagegen.domain.errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import Json
from imagegen.providers.faults import HttpAnswer, fault
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

MAX_JSON_BYTES = 40 * 1024 * 1024
HEADERS = {
    "User-Agent": "imagegen",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "Connection": "close",
}


def build_session() -> requests.Session:
    """Return a session that reads no proxy, netrc or certificate setting of the environment."""
    session = requests.Session()
    session.trust_env = False
    session.headers.clear()
    session.headers.update(HEADERS)
    return session


@dataclass(frozen=True, slots=True)
class JsonHttp:
    """Talk JSON with one provider.

    The time limit is total but for two things that no socket timeout covers: name resolution, and
    response headers that drip in byte by byte.
    """

    provider: str
    clock: Clock = time.monotonic
    max_bytes: int = MAX_JSON_BYTES

    def post(
        self, url: str, *, headers: Mapping[str, str], body: Json, timeout_seconds: float
    ) -> HttpAnswer:
        """Return the answer, whatever its status.

        Raises:
            ProviderError: ``UNAVAILABLE`` when nothing was sent or a success was no JSON or too
                long, ``UNKNOWN`` when the request was sent and its answer lost.
        """
        request = requests.Request("POST", url, headers=headers, json=body)
        return self._exchange(request, timeout_seconds)

    def get(self, url: str, *, headers: Mapping[str, str], timeout_seconds: float) -> HttpAnswer:
        """Return the answer, with the errors of ``post``."""
        return self._exchange(requests.Request("GET", url, headers=headers), timeout_seconds)

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
            lost = self._lost(error, sent=was_sent(error))
        raise lost

    def _read(self, response: requests.Response, deadline: Deadline) -> bytes:
        try:
            with response, cutting(deadline, response.raw.shutdown):
                chunks = response.iter_content(CHUNK_BYTES)
                return b"".join(capped(chunks, deadline, max_bytes=self.max_bytes))
        except (TooLargeError, requests.exceptions.ContentDecodingError) as error:
            lost = self._lost(error, sent=False)
        except (DeadlineError, OSError) as error:  # requests' errors are OSErrors
            lost = self._lost(error, sent=True)
        raise lost

    def _lost(self, error: Exception, *, sent: bool) -> ProviderError:
        outcome = Outcome.UNKNOWN if sent else Outcome.UNAVAILABLE
        return fault(self.provider, outcome, type(error).__name__)


def to_answer(provider: str, status: int, headers: Mapping[str, str], content: bytes) -> HttpAnswer:
    """Return the decoded answer.

    Raises:
        ProviderError: a success that is no JSON.
    """
    try:
        return HttpAnswer(status, headers, json.loads(content))
    except (ValueError, RecursionError):
        if not 200 <= status < 300:
            return HttpAnswer(status, headers, None)
    raise fault(provider, Outcome.UNAVAILABLE, "the answer is no JSON")


def was_sent(error: Exception) -> bool:
    """Return whether the request may have reached the provider before this error."""
    # Whatever is wrong with a URL, header or body of ours is a ValueError, too.
    if isinstance(error, (requests.ConnectTimeout, ValueError)):
        return False
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(error, requests.exceptions.SSLError):
        # An end of file is the one TLS failure that also comes after the handshake.
        return isinstance(reason, Exception) and isinstance(reason.args[0], ssl.SSLEOFError)
    return not isinstance(reason, NewConnectionError)
