"""Writes a request and its answer as a page shows them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import requests

from generators.docs import streams
from generators.docs.placeholders import stable

JSON: Final = "application/json"
SHOWN: Final = ("Content-Type", "Location", "Cache-Control", "Retry-After")
"""The headers of an answer that a page shows."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request."""

    method: str
    path: str
    body: Any = None
    token: str | None = None
    accept: str = ""
    others: Mapping[str, str] = field(default_factory=dict)
    """Other headers."""

    def headers(self, token: str | None) -> dict[str, str]:
        """Return the headers with this token."""
        named = {
            "Authorization": f"Bearer {token}" if token else "",
            "Content-Type": JSON if self.body is not None else "",
            "Accept": self.accept,
            **self.others,
        }
        return {name: value for name, value in named.items() if value}


def exchange(call: Call, address: str, answer: requests.Response) -> str:
    """Return a request and its answer as Markdown."""
    path = call.path if not call.path.startswith("/images/") else "/images/<image id>"
    request = [f"{call.method} <{address}>{path}"]
    shown = call.headers("<token>" if call.token else None)
    request += [f"{name}: {value}" for name, value in shown.items()]
    if call.body is not None:
        request += ["", json.dumps(stable(call.body), indent=2)]
    head = [f"HTTP {answer.status_code}"]
    head += [
        f"{name}: {_header(name, answer)}"
        for name in SHOWN
        if name in answer.headers and (name != "Content-Type" or answer.text)
    ]
    lines = ["```http", *request, "```", "", "```http", *head, "```"]
    if "event-stream" in answer.headers.get("Content-Type", ""):
        lines += ["", "```text", streams.shown(answer.text).rstrip(), "```"]
    elif "json" in answer.headers.get("Content-Type", ""):
        lines += ["", "```json", json.dumps(stable(answer.json()), indent=2), "```"]
    return "\n".join(lines) + "\n"


def _header(name: str, answer: requests.Response) -> str:
    if name == "Location" and answer.status_code == HTTPStatus.FOUND:
        return "<signed address of the file>"
    return str(stable({name: answer.headers[name]})[name])
