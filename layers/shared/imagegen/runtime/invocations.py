"""One invocation as the Runtime API delivers it, and the context that its handler is given."""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

ID = "lambda-runtime-aws-request-id"
DEADLINE = "lambda-runtime-deadline-ms"
ARN = "lambda-runtime-invoked-function-arn"
TRACE = "lambda-runtime-trace-id"
CLIENT = "lambda-runtime-client-context"
IDENTITY = "lambda-runtime-cognito-identity"
TENANT = "lambda-runtime-aws-tenant-id"


@dataclass(frozen=True, slots=True)
class Invocation:
    """An event, and what the Runtime API says about it in its headers."""

    event: Any
    headers: Mapping[str, str]
    """Their names are in lower case."""

    @property
    def id(self) -> str:
        """The request id, which every answer names."""
        return self.headers[ID]

    @property
    def is_http(self) -> bool:
        """Whether the event is a request at the function's URL; others get one whole answer."""
        event = self.event
        request = event.get("requestContext") if isinstance(event, dict) else None
        return isinstance(request, dict) and "http" in request

    def context(self) -> "Context":
        """Return what the handler is given beside the event."""
        headers = self.headers
        return Context(
            aws_request_id=self.id,
            deadline_ms=int(headers[DEADLINE]),
            invoked_function_arn=headers.get(ARN, ""),
            client_context=_fields(headers.get(CLIENT)),
            identity=_fields(headers.get(IDENTITY)),
            tenant_id=headers.get(TENANT),
            streams=self.is_http,
        )


@dataclass(frozen=True, slots=True)
class Context:
    """The context object of a handler, with the names of AWS's.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
    """

    aws_request_id: str
    deadline_ms: int
    invoked_function_arn: str
    client_context: Any
    identity: Any
    tenant_id: str | None
    streams: bool
    """Whether the body of the answer may be an iterator of texts: yes, for requests at the URL."""

    @property
    def function_name(self) -> str:
        """The function's name."""
        return os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "")

    @property
    def function_version(self) -> str:
        """The function's version."""
        return os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "")

    @property
    def memory_limit_in_mb(self) -> str:
        """The function's memory, as text."""
        return os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")

    @property
    def log_group_name(self) -> str:
        """The group of the function's logs."""
        return os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME", "")

    @property
    def log_stream_name(self) -> str:
        """The stream of this instance's logs."""
        return os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME", "")

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until Lambda ends the invocation, at least 0."""
        return max(self.deadline_ms - time.time_ns() // 1_000_000, 0)


def _fields(text: str | None) -> Any:
    """Return a header's JSON object as one with attributes, ``None`` if there is none."""
    if not text:
        return None
    return json.loads(text, object_hook=lambda found: SimpleNamespace(**found))
