"""The parts beneath the adapters, each by itself."""

import base64
import json
import ssl
import subprocess
import sys
import tracemalloc
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError, SSLError

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.errors import ConfigurationError
from imagegen.domain.outcomes import Outcome
from imagegen.providers import MODERATORS, PROVIDERS, build_moderator, build_provider
from imagegen.providers.bounds import (
    Deadline,
    DeadlineError,
    TooLargeError,
    limited_chunks,
    shutdown_at,
)
from imagegen.providers.faults import (
    HttpAnswer,
    bounded_seconds,
    dig,
    outcome_of,
    parse_retry_after,
    token,
)
from imagegen.providers.http import JsonHttp, to_answer, was_sent
from imagegen.providers.pictures import decoded_image
from tests.adapters.providers.loopback import Loopback, json_reply
from tests.fakes.pictures import png
from tests.vendors import credential

KEY = SecretStr("sk-CANARY")


def test_an_unknown_provider_is_an_error_that_lists_the_known() -> None:
    with pytest.raises(ConfigurationError) as caught:
        build_provider("dalle", credential=KEY)
    assert all(name in str(caught.value) for name in PROVIDERS)


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize("base_url", [None, ""])
def test_without_a_base_url_each_talks_to_its_vendor(name: str, base_url: str | None) -> None:
    access = credential(name, KEY.get_secret_value())
    provider = build_provider(name, credential=access, base_url=base_url)
    shown = repr(provider)
    # Where there are no keys, the Region is the address.
    assert ("https://" in shown) != ("us-west-2" in shown)
    assert "CANARY" not in shown


def test_the_moderator_shows_no_key() -> None:
    assert "CANARY" not in repr(build_moderator(KEY, None))


def test_each_file_of_a_provider_is_in_the_registry() -> None:
    folder = Path(sys.modules[build_provider.__module__].__file__ or "").parent
    files = {path.stem for path in folder.glob("*.py") if "\ndef build(" in read(path)}
    assert files - set(MODERATORS.values()) == set(PROVIDERS)


def read(path: Path) -> str:
    return path.read_text()


def test_importing_the_registry_loads_no_client() -> None:
    """Estimate and health must not pay for it when cold."""
    layer = Path(sys.modules[build_provider.__module__].__file__ or "").parents[2]
    program = "import sys, imagegen.providers; print(*sys.modules)"
    loaded = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(layer)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert not {"openai", "requests", "urllib3", "httpx2", "boto3"} & set(loaded)


def test_checking_openais_key_does_not_load_its_client() -> None:
    layer = Path(sys.modules[build_provider.__module__].__file__ or "").parents[2]
    program = (
        "import sys; from pydantic import SecretStr; from imagegen.providers import build_provider;"
        "build_provider('openai', credential=SecretStr('k')); print(*sys.modules)"
    )
    loaded = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(layer)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert "imagegen.providers.openai" in loaded
    assert not {"openai", "httpx2"} & set(loaded)


def test_an_answer_shows_neither_headers_nor_body() -> None:
    shown = repr(HttpAnswer(200, {"x": "CANARY"}, {"y": "CANARY"}))
    assert shown == "HttpAnswer(status=200)"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (204, Outcome.NO_IMAGE),
        (302, Outcome.BLOCKED),
        (400, Outcome.BAD_PARAMETER),
        (401, Outcome.UNAVAILABLE),
        (402, Outcome.UNAVAILABLE),
        (403, Outcome.BLOCKED),
        (408, Outcome.UNAVAILABLE),
        (410, Outcome.MODEL_GONE),
        (418, Outcome.BAD_PARAMETER),
        (429, Outcome.RATE_LIMITED),
        (451, Outcome.BLOCKED),
        (500, Outcome.UNAVAILABLE),
        (502, Outcome.UNAVAILABLE),
        (503, Outcome.UNAVAILABLE),
        (504, Outcome.UNKNOWN),
        (520, Outcome.UNKNOWN),
        (524, Outcome.UNKNOWN),
        (529, Outcome.UNAVAILABLE),
        (599, Outcome.UNAVAILABLE),
    ],
)
def test_a_status_by_itself_has_a_meaning(status: int, outcome: Outcome) -> None:
    assert outcome_of(status) is outcome


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "0"}, 0),
        ({"retry-after": " 12 "}, 12),
        ({"retry-after-ms": "1500", "retry-after": "60"}, 2),
        ({"retry-after-ms": "soon", "retry-after": "60"}, 60),
        ({"retry-after": "1.2"}, 2),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "1e9"}, None),
        ({"retry-after": "99999999999999"}, None),
        ({"retry-after": "999999999"}, 3600),
        ({"retry-after": "Sun, 22 Nov 2026 10:00:00 GMT"}, None),
        (
            {
                "date": "Sun, 22 Nov 2026 10:00:00 GMT",
                "retry-after": "Sun, 22 Nov 2026 09:00:00 GMT",
            },
            0,
        ),
        (
            {
                "date": "Sun, 22 Nov 2026 10:00:00 -0000",
                "retry-after": "Sun, 22 Nov 2026 10:00:30 GMT",
            },
            30,
        ),
        ({"date": "x", "retry-after": "y"}, None),
    ],
)
def test_retry_after_is_read_once_and_bounded(headers: dict[str, str], seconds: int | None) -> None:
    assert parse_retry_after(headers) == seconds


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_retry_after_breaks_the_reader(value: str, date: str) -> None:
    found = parse_retry_after({"retry-after": value, "date": date})
    assert found is None or 0 <= found <= 3600


@given(st.floats(-1e12, 1e12))
def test_a_wait_is_never_shorter_than_asked_nor_longer_than_an_hour(seconds: float) -> None:
    found = bounded_seconds(seconds)
    assert 0 <= found <= 3600
    assert found >= min(seconds, 3600)


@pytest.mark.parametrize("value", ["a sentence", "", "x" * 81, "ä", "a\nb", None, 7, ["a"]])
def test_what_is_no_code_is_not_repeated(value: str | int | list[str] | None) -> None:
    assert token(value) is None  # type: ignore[arg-type]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(JSON, st.lists(st.text(max_size=3) | st.integers(0, 3), max_size=4))
def test_no_shape_of_json_breaks_the_reader(value: object, path: list[str | int]) -> None:
    dig(value, *path)  # type: ignore[arg-type]


def test_a_body_is_stopped_at_the_cap_and_at_the_deadline() -> None:
    ticks = count()
    deadline = Deadline.after(3, lambda: float(next(ticks)))
    with pytest.raises(DeadlineError):
        list(limited_chunks([b"x"] * 9, deadline, max_bytes=99))
    standing = Deadline.after(3, lambda: 0.0)
    with pytest.raises(TooLargeError):
        list(limited_chunks([b"xx"] * 9, standing, max_bytes=5))
    assert list(limited_chunks([b"xx", b"y"], standing, max_bytes=3)) == [b"xx", b"y"]


def test_a_silent_read_is_cut_by_a_timer_whose_failure_is_quiet() -> None:
    was_cut = Event()

    def cut() -> None:
        was_cut.set()
        raise OSError

    with shutdown_at(Deadline.after(0, lambda: 0.0), cut):
        assert was_cut.wait(5)


def max_retries(reason: Exception) -> MaxRetryError:
    return MaxRetryError(None, "/", reason)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "sent"),
    [
        (requests.ConnectTimeout(), False),
        (requests.exceptions.InvalidURL(), False),
        (requests.exceptions.InvalidHeader(), False),
        (requests.ConnectionError(max_retries(NewConnectionError(None, "x"))), False),  # type: ignore[arg-type]
        (requests.ConnectionError(ProtocolError("Connection aborted.")), True),
        (requests.ConnectionError(), True),
        (requests.ReadTimeout(), True),
        (
            requests.exceptions.SSLError(max_retries(SSLError(ssl.SSLCertVerificationError()))),
            False,
        ),
        (requests.exceptions.SSLError(max_retries(SSLError(ssl.SSLError()))), False),
        (requests.exceptions.SSLError(max_retries(SSLError(ssl.SSLEOFError()))), True),
        (UnicodeError(), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_may_have_reached_the_provider_is_told_apart(error: Exception, *, sent: bool) -> None:
    assert was_sent(error) is sent


# Answers in JSON.


ANY_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=20,
)


def body_of(content: bytes) -> Any:
    return to_answer("openai", 200, {}, content).body


@given(ANY_JSON, st.booleans())
def test_an_answer_is_read_as_json_is(value: Any, is_ascii: bool) -> None:  # noqa: FBT001
    text = json.dumps({"data": value}, ensure_ascii=is_ascii)
    content = text.encode("utf-8", "surrogatepass")
    assert body_of(content) == json.loads(text) == {"data": value}


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b'\xef\xbb\xbf{"data": 1}', {"data": 1}),
        ('{"data": "\u00e9"}'.encode("utf-16"), {"data": "\u00e9"}),
        (b'{"data": "\\ud83d"}', {"data": "\ud83d"}),
        (b'{"data": "\\ud83d\\ude00"}', {"data": "\U0001f600"}),
        (b'{"data": Infinity}', {"data": float("inf")}),
        (b'{"data": 1, "data": 2}', {"data": 2}),
        (b'{"data": 12345678901234567890123}', {"data": 12345678901234567890123}),
        (b' \n{"data": 1}\r\n', {"data": 1}),
    ],
)
def test_an_answer_in_an_odd_spelling_is_read(content: bytes, value: Any) -> None:
    assert body_of(content) == value


def test_an_answer_that_is_nested_deeply_is_read() -> None:
    found = body_of(b'{"data": ' + b"[" * 500 + b"]" * 500 + b"}")["data"]
    for _ in range(499):
        (found,) = found
    assert found == []


@pytest.mark.parametrize("content", [b"", b"{", b'{"data": 1}}', b"[" * 100_000, b'{"a": "\xff"}'])
def test_what_is_no_json_is_no_image(content: bytes) -> None:
    with pytest.raises(ProviderError) as caught:
        body_of(content)
    assert caught.value.outcome is Outcome.NO_IMAGE


def test_an_image_in_an_answer_is_in_memory_once_more_and_not_twice() -> None:
    content = json.dumps({"data": base64.b64encode(bytes(3_000_000)).decode()}).encode()
    tracemalloc.start()
    try:
        assert body_of(content)["data"]
        assert tracemalloc.get_traced_memory()[1] < 1.1 * len(content)
    finally:
        tracemalloc.stop()


def test_an_image_in_base64_is_decoded_without_a_copy_of_its_text() -> None:
    content = png() + bytes(3_000_000)
    text = base64.b64encode(content).decode()
    tracemalloc.start()
    try:
        assert decoded_image(text) == content
        assert tracemalloc.get_traced_memory()[1] < 1.1 * len(content)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("body", [{"a": "\u00e9 \U0001f98a"}, {"a": [1, 2.5, None, True]}, {}, []])
def test_a_body_is_sent_as_json_in_utf_8(server: Loopback, body: Any) -> None:
    server.replies(json_reply(200, {}))
    url = f"http://127.0.0.1:{server.port}/v1/x"
    JsonHttp("openai").post(url, headers={"X-A": "1"}, body=body, timeout_seconds=10)
    (asked,) = server.asked
    assert asked.json() == body
    assert asked.body.decode() == json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["x-a"] == "1"
