"""Sends requests to a running local stack, and keeps the exchanges that a page shows."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import requests

from generators.docs.exchanges import Call, exchange

SECONDS: Final = 30.0


class StackNotFreshError(Exception):
    """The stack would not give the usual answers; the message says why."""


@dataclass(frozen=True, slots=True)
class Example:
    """One exchange that a page shows."""

    name: str
    operation: str
    """The ``operationId`` of openapi.json."""
    status: int


@dataclass(slots=True)
class Visitor:
    """Sends requests to a running stack, and keeps those that a page shows."""

    stack: Mapping[str, Any]
    new_token: Callable[[str], str]
    addresses: Mapping[str, str]
    """The name of the stack's URL by operation, from openapi.json."""
    examples: Sequence[Example]
    pages: dict[str, str] = field(default_factory=dict)

    def person(self) -> str:
        """Return the token of a new user."""
        return self.new_token(f"reader-{secrets.token_hex(8)}")

    def ask(self, operation: str, call: Call) -> requests.Response:
        """Return the answer.

        Raises:
            StackNotFreshError: openapi.json does not have the operation yet.
        """
        if operation not in self.addresses:
            raise StackNotFreshError(f"{operation} is not in openapi.json: run `make openapi`")
        return requests.request(
            call.method,
            self.stack[self.addresses[operation]] + call.path,
            headers=call.headers(call.token),
            json=call.body,
            timeout=SECONDS,
            allow_redirects=False,
        )

    def show(self, name: str, call: Call) -> Any:
        """Return the answer's JSON, and keep the exchange as a page shows it.

        Raises:
            StackNotFreshError: the answer has another status than the example is for.
        """
        example = next(one for one in self.examples if one.name == name)
        answer = self.ask(example.operation, call)
        if answer.status_code != example.status:
            raise StackNotFreshError(
                f"{name}: {answer.status_code} instead of {example.status}: {answer.text[:400]}"
            )
        self.pages[f"example {name}"] = exchange(call, self.addresses[example.operation], answer)
        return answer.json() if "json" in answer.headers.get("Content-Type", "") else None
