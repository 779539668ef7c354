"""Takes events one after the other, and sends what the handler answers."""

import base64
import importlib
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, TextIO

from imagegen.runtime.invocations import TRACE, Context, Invocation
from imagegen.runtime.runtime_api import Failure, RuntimeApi

type Handler = Callable[[Any, Context], Any]
SMALLEST_BODY = b"\n"
"""Sent where an answer has no body: Lambda loses the status and headers of an empty stream.
Source: https://github.com/aws/aws-lambda-nodejs-runtime-interface-client/issues/95"""


@dataclass(frozen=True, slots=True)
class Loop:
    """The loop of one instance."""

    api: RuntimeApi
    handler: Handler
    log: TextIO = sys.stdout

    def run_once(self) -> None:
        """Take one event and answer it; an error of the handler is reported and logged."""
        invocation = self.api.next()
        if trace := invocation.headers.get(TRACE):
            os.environ["_X_AMZN_TRACE_ID"] = trace
        try:
            answer = self.handler(invocation.event, invocation.context())
            if not invocation.is_http:
                self.api.respond(invocation.id, answer)
                return
            head, pieces = streamed(answer)
        except Exception as error:  # noqa: BLE001 whatever a handler raises is reported
            self._report(invocation, error)
            self.api.fail(invocation.id, failure_of(error))
            return
        self._stream(invocation, head, pieces)

    def _stream(
        self, invocation: Invocation, head: Mapping[str, Any], pieces: Iterator[bytes]
    ) -> None:
        try:
            self.api.stream(invocation.id, head, pieces)
        except Exception as error:  # noqa: BLE001 the client has the beginning; the next one waits
            self._report(invocation, error)
            self._finish(invocation, pieces)

    def _finish(self, invocation: Invocation, pieces: Iterator[bytes]) -> None:
        """Make the rest of an answer that cannot be sent: what it used is counted at its end."""
        try:
            for _ in pieces:
                pass
        except Exception as error:  # noqa: BLE001 as above
            self._report(invocation, error)

    def _report(self, invocation: Invocation, error: Exception) -> None:
        """Log where an error was raised, without its text: that may contain a prompt."""
        place = traceback.extract_tb(error.__traceback__)[-1]
        line = {
            "level": "ERROR",
            "message": "the handler failed",
            "kind": type(error).__name__,
            "place": f"{os.path.basename(place.filename)}:{place.lineno}",  # noqa: PTH119
            "function_request_id": invocation.id,
        }
        self.log.write(f"{json.dumps(line)}\n")
        self.log.flush()


def streamed(answer: Mapping[str, Any]) -> tuple[dict[str, Any], Iterator[bytes]]:
    """Return a handler's answer as status and headers, and the pieces of its body.

    The first piece is made before anything is sent, so that its error is still an error.

    Raises:
        Exception: the error of the body's first piece.
    """
    head: dict[str, Any] = {
        "statusCode": answer["statusCode"],
        "headers": dict(answer.get("headers", {})),
    }
    if answer.get("cookies"):
        head["cookies"] = list(answer["cookies"])
    pieces = iter(_pieces(answer.get("body") or "", is_base64=bool(answer.get("isBase64Encoded"))))
    first = next((piece for piece in pieces if piece), SMALLEST_BODY)
    return head, chain((first,), pieces)


def _pieces(body: str | Iterable[str], *, is_base64: bool) -> Iterator[bytes]:
    if isinstance(body, str):
        yield base64.b64decode(body) if is_base64 else body.encode()
        return
    for piece in body:
        yield piece.encode()


def failure_of(error: BaseException) -> Failure:
    """Return an error in the API's format, without its text: that may contain a prompt."""
    frames = traceback.extract_tb(error.__traceback__)
    places = tuple(f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames)
    return Failure(type(error).__name__, "The error is in the logs.", places)


def load_handler(name: str) -> Handler:
    """Return the handler ``module.function``.

    Raises:
        AttributeError: the module has no such function.
        Exception: whatever the import of the module raises.
    """
    module, _, function = name.rpartition(".")
    handler: Handler = getattr(importlib.import_module(module), function)
    return handler


def main(environ: Mapping[str, str] = os.environ) -> None:
    """Run the function's handler until Lambda ends the instance.

    An instance that cannot start reports why, and exits with the status 1.
    """
    api = RuntimeApi(environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        handler = load_handler(environ["_HANDLER"])
    except Exception as error:  # noqa: BLE001 whatever an import raises is reported
        traceback.print_exc()
        api.fail_init(Failure(type(error).__name__, str(error), failure_of(error).trace))
        sys.exit(1)
    loop = Loop(api, handler)
    while True:
        loop.run_once()
