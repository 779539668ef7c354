"""The official ``openai`` client as an HTTP edge with the rules of ``imagegen.providers.http``.

The client's own timeout starts anew with every byte, and its transport reads the environment and
keeps connections: hence a transport of ours beneath it. Loading this costs half a second.
"""

import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import httpx2
import openai

from imagegen.domain.errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import Json
from imagegen.providers.faults import HttpAnswer, fault
from imagegen.providers.http import HEADERS, MAX_JSON_BYTES, to_answer
from imagegen.providers.stream import (
    CONNECT_SECONDS,
    Clock,
    Deadline,
    DeadlineError,
    TooLargeError,
    capped,
    cutting,
)

NOT_SENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.UnsupportedProtocol,
    httpx2.LocalProtocolError,
    httpx2.InvalidURL,
    UnicodeError,
)


class UnusableBodyError(httpx2.TransportError):
    """The body came and is too long, or packed although we asked for it plain."""


@dataclass(frozen=True, slots=True)
class OpenAISdk:
    """One ``openai`` client."""

    client: openai.OpenAI

    def create_image(self, body: Mapping[str, Json], *, timeout_seconds: float) -> HttpAnswer:
        """Return the answer to POST /images/generations, whatever its status.

        Raises:
            ProviderError: as ``imagegen.providers.http.JsonHttp.post``.
        """
        limits = httpx2.Timeout(timeout_seconds, connect=min(CONNECT_SECONDS, timeout_seconds))
        try:
            response = self._post(body, limits)
        except (openai.APIConnectionError, httpx2.InvalidURL, UnicodeError) as error:
            lost = to_fault(error.__cause__ or error)
        else:
            headers = {name.lower(): value for name, value in response.headers.items()}
            return to_answer("openai", response.status_code, headers, response.content)
        raise lost

    def _post(self, body: Mapping[str, Json], limits: httpx2.Timeout) -> httpx2.Response:
        images = self.client.images.with_raw_response
        try:
            # The whole body goes as ``extra_body``: what was priced is sent, key for key.
            answer = images.generate(prompt=str(body["prompt"]), extra_body=body, timeout=limits)
        except openai.APIStatusError as error:
            return error.response
        return answer.http_response


def build_sdk(
    api_key: str, base_url: str, clock: Clock = time.monotonic, max_bytes: int = MAX_JSON_BYTES
) -> OpenAISdk:
    """Return the client: no retries, no redirects, no proxies of the environment."""
    transport = BoundedTransport(clock, max_bytes)
    wire = httpx2.Client(transport=transport, trust_env=False, follow_redirects=False)
    return OpenAISdk(
        openai.OpenAI(
            api_key=api_key,
            base_url=base_url,
            max_retries=0,
            http_client=wire,
            default_headers=HEADERS,
        )
    )


def to_fault(cause: BaseException) -> ProviderError:
    """Return the error for a request without an answer."""
    outcome = Outcome.UNKNOWN
    if isinstance(cause, (*NOT_SENT, UnusableBodyError)):
        outcome = Outcome.UNAVAILABLE
    return fault("openai", outcome, type(cause).__name__)


class BoundedTransport(httpx2.HTTPTransport):
    """A transport with a total deadline and a cap, and one connection for each request."""

    def __init__(self, clock: Clock, max_bytes: int) -> None:
        super().__init__(trust_env=False, limits=httpx2.Limits(max_keepalive_connections=0))
        self.clock = clock
        self.max_bytes = max_bytes

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Return the response with its body bounded."""
        limits = request.extensions["timeout"]
        deadline = Deadline.after(limits["read"], self.clock)

        def renew(_event: str, _info: Mapping[str, object]) -> None:
            # Each phase reads the limits anew; connecting has used some of the time.
            limits["read"] = deadline.remaining_seconds()

        request.extensions["trace"] = renew
        response = super().handle_request(request)
        if response.headers.get("content-encoding", "identity") != "identity":
            response.close()
            raise UnusableBodyError("the body is packed")
        return httpx2.Response(
            response.status_code,
            headers=response.headers,
            stream=BoundedStream(response, deadline, self.max_bytes),
            extensions=response.extensions,
        )


@dataclass(frozen=True, slots=True)
class BoundedStream(httpx2.SyncByteStream):
    """A body that ends at the deadline and at the cap."""

    response: httpx2.Response
    deadline: Deadline
    max_bytes: int

    def __iter__(self) -> Iterator[bytes]:
        wire = self.response.extensions["network_stream"].get_extra_info("socket")
        try:
            with cutting(self.deadline, partial(wire.shutdown, socket.SHUT_RD)):
                chunks = self.response.iter_raw()
                yield from capped(chunks, self.deadline, max_bytes=self.max_bytes)
        except DeadlineError as error:
            raise httpx2.ReadTimeout("the body is late") from error
        except TooLargeError as error:
            raise UnusableBodyError("the body is too long") from error

    def close(self) -> None:
        """Close the connection beneath."""
        self.response.close()
