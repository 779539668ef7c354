"""DynamoDB without the SDK: each call is one plain request, which a test may watch, park or lose.

The stores cannot tell the difference: they get the same answers and the same errors.
"""

import base64
import http.client
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError, ConnectionClosedError

from tests.fakes.faults import DiedError

type Item = dict[str, Any]
_AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=test/20261122/us-east-1/dynamodb/aws4_request, "
    "SignedHeaders=host, Signature=0"
)


class Fate(StrEnum):
    """What becomes of one call."""

    DONE = "done"
    TWICE = "the first reply is lost and the SDK sends it again"
    LOST = "the request is lost, each time it is sent"
    UNHEARD = "carried out, and every reply is lost"
    DEAD = "the process dies before it"


def _done(_: str) -> Fate:
    return Fate.DONE


def _in_json(value: Any) -> Any:
    """Return bytes, which DynamoDB's JSON has as base64, and sets."""
    return base64.b64encode(value).decode() if isinstance(value, bytes) else sorted(value)


def _with_bytes(found: dict[str, Any]) -> dict[str, Any]:
    """Return a typed value with its bytes; every other object as it is."""
    match found:
        case {"B": str(text), **rest} if not rest:
            return {"B": base64.b64decode(text)}
        case {"BS": list(texts), **rest} if not rest:
            return {"BS": [base64.b64decode(text) for text in texts]}
    return found


@dataclass(slots=True)
class ThinDynamo:
    """What the stores use of a DynamoDB client."""

    endpoint: str
    fate: Callable[[str], Fate] = _done
    """Asked before each call; it may block until the call is wanted."""
    on_item: Callable[[Item], None] = lambda _item: None
    """Told each state of an item that an update left or found."""
    calls: int = 0
    _local: Any = field(default_factory=threading.local)
    """Each thread has its connection, unless only one of them ever runs."""

    def update_item(self, **params: Any) -> Item:
        # Also where the product asks for none: every state is told.
        return self._call("UpdateItem", {**params, "ReturnValues": "ALL_NEW"})

    def get_item(self, **params: Any) -> Item:
        return self._call("GetItem", params)

    def put_item(self, **params: Any) -> Item:
        return self._call("PutItem", params)

    def delete_item(self, **params: Any) -> Item:
        return self._call("DeleteItem", params)

    def query(self, **params: Any) -> Item:
        return self._call("Query", params)

    def _call(self, name: str, params: Item) -> Item:
        fate = self.fate(name)
        if fate is Fate.DEAD:
            raise DiedError
        if fate is not Fate.LOST:
            status, answer = self._ask(name, params)
        if fate is Fate.TWICE:
            status, answer = self._ask(name, params)
        if fate in (Fate.LOST, Fate.UNHEARD):
            raise ConnectionClosedError(endpoint_url=self.endpoint)
        if status == 200:
            return answer
        error = {"Code": answer["__type"].rpartition("#")[2], "Message": answer.get("message", "")}
        raise ClientError({**answer, "Error": error}, name)  # type: ignore[typeddict-item]

    def _ask(self, name: str, params: Item) -> tuple[int, Item]:
        self.calls += 1
        body = json.dumps(params, default=_in_json).encode()
        headers = {
            "X-Amz-Target": f"DynamoDB_20120810.{name}",
            "Content-Type": "application/x-amz-json-1.0",
            "Authorization": _AUTHORIZATION,
        }
        for _ in range(2):
            connection = self._connection()
            try:
                connection.request("POST", "/", body, headers)
                answer = connection.getresponse()
                content: Item = json.loads(answer.read(), object_hook=_with_bytes)
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                # Idle for too long; nothing was sent.
                self._local.connection = None
                continue
            self._tell(content)
            return answer.status, content
        raise ConnectionClosedError(endpoint_url=self.endpoint)

    def _tell(self, answer: Item) -> None:
        for key in ("Attributes", "Item"):
            if "v" in answer.get(key, {}):
                self.on_item(answer[key])

    def _connection(self) -> http.client.HTTPConnection:
        known: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if known is None:
            known = http.client.HTTPConnection(urlsplit(self.endpoint).netloc, timeout=30)
            self._local.connection = known
        return known
