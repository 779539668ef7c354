"""Other people's clients, with the handlers in the place of the network."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2
import openai

from imagegen.wire.headers import JSON
from tests.handlers.conftest import Functions

URL = "https://url.test"


@dataclass(slots=True)
class Bridge:
    """Takes a client's requests to a function, and loses the replies it is told to lose."""

    functions: Functions
    function: str
    lost: int = 0
    """So many replies are lost on their way back."""
    seen: list[httpx2.Request] = field(default_factory=list)

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.seen.append(request)
        answer = self.functions.invoke(self.function, self._event(request))
        if self.lost:
            self.lost -= 1
            raise httpx2.ReadError("the connection broke", request=request)
        headers = answer.get("headers", {}) | {
            name: ", ".join(values) for name, values in answer.get("multiValueHeaders", {}).items()
        }
        return httpx2.Response(answer["statusCode"], headers=headers, text=answer["body"] or "")

    def _event(self, request: httpx2.Request) -> dict[str, Any]:
        event = self.functions.event("estimate/prompt-only")
        event["rawPath"] = request.url.path
        event["requestContext"]["http"].update(method=request.method, path=request.url.path)
        event["headers"] = {name.lower(): value for name, value in request.headers.items()}
        if event["headers"].get("content-type", JSON).startswith(JSON):
            event["body"] = request.content.decode() or None
        else:
            # A function URL passes bytes on as base64.
            event["body"] = base64.b64encode(request.content).decode()
            event["isBase64Encoded"] = True
        return event


def openai_client(bridge: Bridge, **options: Any) -> openai.OpenAI:
    """Return OpenAI's client with the user's token as its key; it waits for nothing."""
    client = openai.OpenAI(
        base_url=f"{URL}/v1",
        api_key=bridge.functions.token,
        http_client=httpx2.Client(transport=httpx2.MockTransport(bridge)),
        **options,
    )
    patient: Callable[..., float] = lambda *_args, **_kwargs: 0.0  # noqa: E731
    client._calculate_retry_timeout = patient  # type: ignore[method-assign]
    return client


def body_of(response: Any) -> dict[str, Any]:
    """Return the error in OpenAI's shape that an SDK's exception holds."""
    body: dict[str, Any] = json.loads(response.text)
    error: dict[str, Any] = body["error"]
    return error
