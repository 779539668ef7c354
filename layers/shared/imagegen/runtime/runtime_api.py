"""The calls of the Lambda Runtime API.

Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import base64
import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from imagegen.runtime.invocations import Invocation

PATH = "/2018-06-01/runtime"
STREAM = "application/vnd.awslambda.http-integration-response"
"""The type of an answer that begins with its own status and headers as JSON, and 8 zero bytes."""
END_OF_HEAD = bytes(8)
ERROR_TYPE = "Lambda-Runtime-Function-Error-Type"
ERROR_BODY = "Lambda-Runtime-Function-Error-Body"


@dataclass(frozen=True, slots=True)
class Failure:
    """An error in the form in which the Runtime API takes it."""

    kind: str
    message: str
    trace: tuple[str, ...] = ()

    def body(self) -> bytes:
        """Return it in the API's format."""
        fields = {"errorType": self.kind, "errorMessage": self.message, "stackTrace": self.trace}
        return json.dumps(fields).encode()


@dataclass(frozen=True, slots=True)
class RuntimeApi:
    """The Runtime API at ``address``, which is ``AWS_LAMBDA_RUNTIME_API``: a host and a port."""

    address: str

    def next(self) -> Invocation:
        """Wait for the next event, as long as it takes, and return it."""
        with closing(http.client.HTTPConnection(self.address)) as connection:
            connection.request("GET", f"{PATH}/invocation/next")
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return Invocation(json.loads(answer.read()), headers)

    def respond(self, invocation: str, answer: object) -> None:
        """Send an answer in one piece. If it is too large for the API, report that as the failure.

        Raises:
            TypeError: the answer cannot be written as JSON.
        """
        body = json.dumps(answer, ensure_ascii=False).encode()
        status = self._post(f"/invocation/{invocation}/response", body)
        if status == http.client.REQUEST_ENTITY_TOO_LARGE:
            too_large = f"The answer has {len(body):,} bytes, more than Lambda's limit."
            self.fail(invocation, Failure("Function.ResponseSizeTooLarge", too_large))

    def fail(self, invocation: str, failure: Failure) -> None:
        """Report an error of an invocation of which nothing was sent yet."""
        self._post(f"/invocation/{invocation}/error", failure.body(), {ERROR_TYPE: failure.kind})

    def fail_init(self, failure: Failure) -> None:
        """Report that the instance cannot start."""
        self._post("/init/error", failure.body(), {ERROR_TYPE: failure.kind})

    def stream(self, invocation: str, head: Mapping[str, Any], pieces: Iterator[bytes]) -> None:
        """Send an answer piece by piece; each is sent before the next is asked for.

        Raises:
            OSError: the API no longer listens.
            Exception: the iterator's own error. The API has been told; the client sees an answer
                that breaks off.
        """
        with closing(http.client.HTTPConnection(self.address)) as connection:
            connection.putrequest("POST", f"{PATH}/invocation/{invocation}/response")
            connection.putheader("Lambda-Runtime-Function-Response-Mode", "streaming")
            connection.putheader("Content-Type", STREAM)
            connection.putheader("Transfer-Encoding", "chunked")
            connection.putheader("Trailer", f"{ERROR_TYPE}, {ERROR_BODY}")
            connection.putheader("Connection", "close")
            connection.endheaders()
            connection.send(_chunk(json.dumps(head).encode() + END_OF_HEAD))
            try:
                for piece in pieces:
                    if piece:  # An empty chunk is the end of the answer.
                        connection.send(_chunk(piece))
            except Exception as error:
                _end(connection, Failure(type(error).__name__, "The stream failed."))
                raise
            _end(connection)

    def _post(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> int:
        sent = {"Content-Type": "application/json", **(headers or {})}
        with closing(http.client.HTTPConnection(self.address)) as connection:
            connection.request("POST", PATH + path, body, sent)
            answer = connection.getresponse()
            answer.read()
            return answer.status


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _end(connection: http.client.HTTPConnection, failure: Failure | None = None) -> None:
    """End a chunked body, and wait for the reply: an error of the stream stands in its trailers."""
    trailers = ""
    if failure is not None:
        told = base64.b64encode(failure.body()).decode()
        trailers = f"{ERROR_TYPE}: {failure.kind}\r\n{ERROR_BODY}: {told}\r\n"
    connection.send(f"0\r\n{trailers}\r\n".encode())
    connection.getresponse().read()
