"""The functions behind one WSGI application: HTTP to function URL events and back."""

import base64
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

type StartResponse = Callable[[str, list[tuple[str, str]]], Any]
type Invoke = Callable[[str, dict[str, Any]], dict[str, Any]]


def function_of(path: str) -> str:
    """Return which function serves a path."""
    if path.startswith("/health-check"):
        return "health"
    if path.startswith("/chat"):
        return "chat"
    if path.startswith("/admin"):
        return "admin"
    of_estimate = ("/estimate", "/inputs", "/mcp", "/models", "/tools")
    return "estimate" if path.startswith(of_estimate) else "generate"


def application(
    invoke: Invoke, event_of: Callable[..., dict[str, Any]]
) -> Callable[[dict[str, Any], StartResponse], Iterable[bytes]]:
    """Return the application."""

    def answer(environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
        event = event_of(environ["REQUEST_METHOD"], path)
        event["rawQueryString"] = environ.get("QUERY_STRING", "")
        event["queryStringParameters"] = dict(
            parse_qsl(event["rawQueryString"], keep_blank_values=True)
        )
        event["headers"] = headers_of(environ)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if body:
            # What is not text reaches a function in base64.
            event["body"] = base64.b64encode(body).decode()
            event["isBase64Encoded"] = True
        got = invoke(function_of(path), event)
        status = HTTPStatus(got["statusCode"])
        headers = {**got.get("headers", {}), **flat(got.get("multiValueHeaders", {}))}
        start(f"{int(status)} {status.phrase}", [(name, str(v)) for name, v in headers.items()])
        return [(got.get("body") or "").encode()]

    return answer


def headers_of(environ: dict[str, Any]) -> dict[str, str]:
    """Return a request's headers as the function URL hands them over."""
    named = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    if environ.get("CONTENT_TYPE"):
        named["content-type"] = environ["CONTENT_TYPE"]
    return named


def flat(headers: dict[str, list[str]]) -> dict[str, str]:
    """Return headers with their values joined."""
    return {name: ", ".join(values) for name, values in headers.items()}
