"""The official ``openai`` client under the rules of ``imagegen.providers.http``.

The client's own timeout starts again with every byte, and its transport reads the environment and
keeps connections open, so it gets a transport of ours. Loading this module takes half a second.
"""

import io
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import cache, partial
from ssl import SSLContext
from typing import Any

import httpx2
import openai

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.inputs import InputFile, Role
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import Json
from imagegen.providers.bounds import (
    CONNECT_SECONDS,
    Clock,
    Deadline,
    DeadlineError,
    TooLargeError,
    limited_chunks,
    shutdown_at,
)
from imagegen.providers.faults import HttpAnswer, billed, fault
from imagegen.providers.http import HEADERS, JsonHttp, to_answer
from imagegen.providers.image_stream import OnPreview, is_event_stream, read_image
from imagegen.providers.input_files import file_name
from imagegen.providers.packing import UnpackError, unpacked

STREAMED_IMAGES = 4
"""A stream has up to this number of images in it: one, and preview frames."""
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
    """The body is too long, or its packing is damaged or not supported."""


class TooLongBodyError(UnusableBodyError):
    """The body is too long."""


@dataclass(frozen=True, slots=True)
class OpenAISdk:
    """One ``openai`` client."""

    client: openai.OpenAI
    provider: str
    headers: Mapping[str, str | openai.Omit] = field(repr=False)
    """With the key, for each request."""

    def create_image(
        self,
        body: Mapping[str, Json],
        inputs: Sequence[InputFile] = (),
        *,
        timeout_seconds: float,
        on_preview: OnPreview | None = None,
    ) -> HttpAnswer:
        """Return the answer to POST /images/generations or, with inputs, to POST /images/edits.

        Its status does not matter. An answer that comes as a stream is returned as if it had come
        at once; its preview frames are handed to ``on_preview``.

        Raises:
            ProviderError: in the same cases as ``imagegen.providers.http.JsonHttp.post``; also
                ``UNKNOWN`` when a stream ended without an image or an error.
        """
        limits = httpx2.Timeout(timeout_seconds, connect=min(CONNECT_SECONDS, timeout_seconds))
        try:
            return self._answer(self._post(body, inputs, limits), on_preview)
        except (openai.APIConnectionError, httpx2.HTTPError, httpx2.InvalidURL) as error:
            failure = self._fault(error.__cause__ or error)
        except UnicodeError as error:
            failure = self._fault(error)
        raise failure

    def _post(
        self, body: Mapping[str, Json], inputs: Sequence[InputFile], limits: httpx2.Timeout
    ) -> httpx2.Response:
        # The body is sent as ``extra_body``, so that it is exactly what was priced.
        # ``stream`` must also be an argument: the client would read the answer to its end.
        streams = {"stream": True} if body.get("stream") else {}
        more: Any = {
            "extra_body": body,
            "extra_headers": self.headers,
            "timeout": limits,
            **streams,
        }
        prompt, images = str(body["prompt"]), self.client.images.with_raw_response
        try:
            if inputs:
                answer = images.edit(prompt=prompt, **_files(inputs), **more)
            else:
                answer = images.generate(prompt=prompt, **more)
        except openai.APIStatusError as error:
            return error.response
        response: httpx2.Response = answer.http_response
        return response

    def _answer(self, response: httpx2.Response, on_preview: OnPreview | None) -> HttpAnswer:
        headers = {name.lower(): value for name, value in response.headers.items()}
        with closing(response):
            if response.is_error or not is_event_stream(headers):
                return to_answer(self.provider, response.status_code, headers, response.read())
            with suppress(ValueError):
                if found := read_image(response.iter_lines(), on_preview):
                    return HttpAnswer(found[0], headers, found[1])
        raise fault(self.provider, Outcome.UNKNOWN, "the stream ended without an image")

    def _fault(self, cause: BaseException) -> ProviderError:
        """Return the error for a request without an answer."""
        outcome = Outcome.UNKNOWN
        if isinstance(cause, TooLongBodyError):
            outcome = Outcome.NO_IMAGE
        elif isinstance(cause, (*NOT_SENT, UnusableBodyError)):
            outcome = Outcome.UNAVAILABLE
        failure = fault(self.provider, outcome, type(cause).__name__)
        return billed(failure) if isinstance(cause, UnusableBodyError) else failure


def build_sdk(
    provider: str, base_url: str, headers: Mapping[str, str], *, http: JsonHttp
) -> OpenAISdk:
    """Return a client without retries, redirects and the environment's proxies.

    ``headers`` has the provider's key, if it has one; limits and clock are those of ``http``.
    """
    transport = BoundedTransport(http.clock, http.max_bytes)
    wire = httpx2.Client(transport=transport, trust_env=False, follow_redirects=False)
    client = openai.OpenAI(
        # The client insists on a key. It is never sent: each request has a header in its place.
        api_key="unused",
        base_url=base_url,
        max_retries=0,
        http_client=wire,
        default_headers=HEADERS,
    )
    return OpenAISdk(client, provider, {"Authorization": openai.Omit(), **headers})


def _files(inputs: Sequence[InputFile]) -> dict[str, Any]:
    """Return the arguments for the files.

    A single image is not put into a list, because the client names the field of a list differently.
    The files are passed as streams: of plain bytes, the client would copy all that is left with
    each part that it sends.
    """
    files = [
        (one.role, (file_name(number, one), io.BytesIO(one.content), one.media_type))
        for number, one in enumerate(inputs, 1)
    ]
    images = [file for role, file in files if role is not Role.MASK]
    masks = [file for role, file in files if role is Role.MASK]
    named: dict[str, Any] = {"image": images[0] if len(images) == 1 else images}
    return {**named, "mask": masks[0]} if masks else named


@cache
def tls() -> SSLContext:
    """Return what TLS connections are checked by; reading the authorities takes some tens of ms."""
    return httpx2.create_ssl_context(trust_env=False)


class BoundedTransport(httpx2.HTTPTransport):
    """A transport with a total deadline, a size limit, and a new connection for each request."""

    def __init__(self, clock: Clock, max_bytes: int) -> None:
        limits = httpx2.Limits(max_keepalive_connections=0)
        super().__init__(verify=tls(), trust_env=False, limits=limits)
        self.clock = clock
        self.max_bytes = max_bytes

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Return the response; its body is limited in time and size."""
        limits = request.extensions["timeout"]
        deadline = Deadline.after(limits["read"], self.clock)

        def update_limits(event: str, _info: Mapping[str, object]) -> None:
            # Each phase reads the limits after it began, and connecting has used some of the time.
            if event.endswith(".started"):
                limits["read"] = deadline.remaining_seconds()

        request.extensions["trace"] = update_limits
        response = super().handle_request(request)
        # The stream is unpacked here, with a limit, so the client must not unpack it again.
        headers = response.headers.copy()
        headers.pop("content-encoding", None)
        is_stream = is_event_stream({"content-type": headers.get("content-type", "")})
        max_bytes = self.max_bytes * (STREAMED_IMAGES if is_stream else 1)
        return httpx2.Response(
            response.status_code,
            headers=headers,
            stream=BoundedStream(response, deadline, max_bytes),
            extensions=response.extensions,
        )


@dataclass(frozen=True, slots=True)
class BoundedStream(httpx2.SyncByteStream):
    """A response body that fails at the deadline or above the size limit."""

    response: httpx2.Response
    deadline: Deadline
    max_bytes: int

    def __iter__(self) -> Iterator[bytes]:
        wire = self.response.extensions["network_stream"].get_extra_info("socket")
        try:
            with shutdown_at(self.deadline, partial(wire.shutdown, socket.SHUT_RD)):
                packed_as = self.response.headers.get("content-encoding", "")
                packed = self._limited(self.response.iter_raw())
                yield from self._limited(unpacked(packed, packed_as))
        except DeadlineError as error:
            raise httpx2.ReadTimeout("the body is late") from error
        except (TooLargeError, UnpackError) as error:
            if self.response.is_error:
                return  # The status of an error is enough.
            kind = TooLongBodyError if isinstance(error, TooLargeError) else UnusableBodyError
            raise kind(type(error).__name__) from error

    def _limited(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        return limited_chunks(chunks, self.deadline, max_bytes=self.max_bytes)

    def close(self) -> None:
        """Close the connection."""
        self.response.close()
