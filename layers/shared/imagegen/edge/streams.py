"""Answers that are sent while they are being made: streams of server-sent events."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.lambda_function_url import LambdaFunctionUrlResolver
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

EVENTS = "text/event-stream"
SILENCE_SECONDS = 10.0
"""The longest time in which nothing is sent. CloudFront ends an answer after 30 seconds of silence:
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesOrigin.html"""
COMMENT = ": \n\n"
"""An event stream's comment, which readers skip."""


@dataclass(slots=True)
class Stream:
    """Where a route leaves the pieces of its answer: the resolver would read them to the end."""

    pieces: Iterable[str] | None = None

    def into(self, answer: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Return the answer with the pieces as its body, joined unless the runtime client streams.

        AWS's own client accepts texts alone; the context of ours says that it streams.
        """
        if self.pieces is None:
            return answer
        streams = getattr(context, "streams", False)
        body = with_comments(self.pieces) if streams else "".join(self.pieces)
        return {**answer, "body": body}


def events_response(api: LambdaFunctionUrlResolver, pieces: Iterable[str]) -> Response[str]:
    """Return the answer that contains a stream of server-sent events."""
    stream: Stream = api.context["stream"]
    stream.pieces = pieces
    headers: dict[str, str | list[str]] = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Response(200, f"{EVENTS}; charset=utf-8", "", headers=headers)


def event_stream_schema(description: str, names: Collection[str]) -> OpenAPIResponse:
    """Return the OpenAPI description of a stream of server-sent events: that of one event."""
    data = {"type": "string", "description": "JSON"}
    properties = {"event": {"enum": list(names)}, "data": data}
    event = {"type": "object", "properties": properties, "required": list(properties)}
    return {"description": description, "content": {EVENTS: {"schema": event}}}


def with_comments(pieces: Iterable[str], silence_seconds: float = SILENCE_SECONDS) -> Iterator[str]:
    """Yield the pieces, and a comment whenever none came for a while.

    Raises:
        Exception: what the pieces' iterator raises.
    """
    # The pieces are made in a thread, because making one may take long.
    made: SimpleQueue[str | BaseException | None] = SimpleQueue()
    Thread(target=_make, args=(pieces, made), daemon=True).start()
    while True:
        try:
            piece = made.get(timeout=silence_seconds)
        except Empty:
            yield COMMENT
            continue
        if piece is None:
            return
        if isinstance(piece, BaseException):
            raise piece
        yield piece


def _make(pieces: Iterable[str], made: SimpleQueue[str | BaseException | None]) -> None:
    try:
        for piece in pieces:
            made.put(piece)
    except BaseException as error:  # noqa: BLE001 it is raised again where the pieces are read
        made.put(error)
    else:
        made.put(None)
