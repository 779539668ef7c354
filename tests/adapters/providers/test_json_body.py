"""Bodies with pictures: JSON as any other, with a length, and never whole in memory."""

import base64
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from imagegen.domain.inputs import InputFile, Role
from imagegen.providers.http import JsonHttp
from imagegen.providers.input_files import base64_text, data_url
from imagegen.providers.json_body import STEP_BYTES, Body, EncodedFile, json_body
from tests.adapters.conftest import role
from tests.adapters.providers.conftest import port, server
from tests.adapters.providers.loopback import Loopback, json_reply

__all__ = ["port", "role", "server"]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(-9, 9) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
FILES = st.builds(EncodedFile, st.binary(max_size=20), st.just(b"data:image/png;base64,"))


def text_of(file: EncodedFile) -> str:
    return file.start.decode() + base64.b64encode(file.content).decode()


def plain(value: Any) -> Any:
    """Return a value with the texts that its files are."""
    match value:
        case EncodedFile():
            return text_of(value)
        case dict():
            return {name: plain(one) for name, one in value.items()}
        case list():
            return [plain(one) for one in value]
    return value


@given(VALUES, FILES)
def test_a_body_with_a_file_is_the_json_of_its_text(value: Any, file: EncodedFile) -> None:
    body = {"a": value, "picture": file, "b": [file, {"c": file}, value], "d": []}
    found = json_body(body)
    assert b"".join(found) == to_json(plain(body))  # type: ignore[arg-type]
    assert len(found) == len(to_json(plain(body)))


@given(VALUES)
def test_a_body_without_a_file_is_bytes(value: Any) -> None:
    assert json_body(value) == to_json(value)


@pytest.mark.parametrize("more", range(-3, 4))
@pytest.mark.parametrize("steps", [0, 1, 2])
def test_where_a_file_is_cut_changes_nothing(steps: int, more: int) -> None:
    content = bytes(at % 251 for at in range(max(0, steps * STEP_BYTES + more)))
    file = EncodedFile(content, b"data:")
    assert b"".join(file).decode() == text_of(file)
    assert len(file) == len(text_of(file))


def test_a_file_needs_no_start() -> None:
    assert b"".join(EncodedFile(b"ab")) == b"YWI="


def test_a_file_is_sent_with_a_length_and_arrives(server: Loopback) -> None:
    file = InputFile(Role.EDIT, bytes(range(256)) * 3_000, "image/png", 24, 16)
    server.replies(json_reply(200, {}))
    url = f"http://127.0.0.1:{server.port}/v1/x"
    body: dict[str, Body] = {"prompt": "\u00e9", "url": data_url(file), "text": base64_text(file)}
    JsonHttp("bfl").post(url, headers={}, body=body, timeout_seconds=10)
    (asked,) = server.asked
    assert asked.json() == plain(body)
    assert asked.headers["content-length"] == str(len(asked.body))
    assert "transfer-encoding" not in asked.headers
    assert asked.headers["content-type"] == "application/json"
    assert json.loads(asked.body)["text"] == base64.b64encode(file.content).decode()


def test_a_large_file_is_never_whole_in_base64() -> None:
    body = json_body({"a": EncodedFile(bytes(6_000_000)), "b": EncodedFile(bytes(6_000_000))})
    tracemalloc.start()
    try:
        assert sum(map(len, body)) == len(body)  # type: ignore[arg-type]
        assert tracemalloc.get_traced_memory()[1] < 4 * STEP_BYTES
    finally:
        tracemalloc.stop()
