"""The page of states: fixtures at the time of the reader, files of this checkout, nothing else."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from local.showcase.fixtures import FIXTURES, states
from local.showcase.inspector import McpHost
from local.showcase.server import answered, showcase
from local.tour import TEXT

NOW = datetime(2030, 5, 6, 7, 8, 9, 123_456, tzinfo=UTC)


def test_every_fixture_is_shown_at_its_own_time() -> None:
    shown = states(NOW)
    assert shown["now"] == "2030-05-06T07:08:09.123Z"
    paths = sorted(FIXTURES.glob("*.json"))
    assert [one["name"] for one in shown["states"]] == [path.stem for path in paths]
    for path, moved in zip(paths, shown["states"], strict=True):
        given = json.loads(path.read_text())
        assert moved["now"] == shown["now"]
        if "estimate" not in given["data"]:
            continue
        left = [
            datetime.fromisoformat(one["data"]["estimate"]["expiresAt"])
            - datetime.fromisoformat(one["now"])
            for one in (given, moved)
        ]
        assert abs(left[0] - left[1]) < timedelta(milliseconds=2)


def test_its_pictures_are_beside_the_page() -> None:
    assert "images.example" not in json.dumps(states(NOW))
    found = answered("/pictures/any/id")
    assert found
    assert found.media_type == "image/png"


@pytest.mark.parametrize(
    "path", ["/", "/inspector", "/states.js", "/states.css", "/states.json", "/elements.js"]
)
def test_it_has_its_files(path: str) -> None:
    found = answered(path)
    assert found
    assert found.content


@pytest.mark.parametrize(
    "path", ["/server.py", "/../run.py", "/%2e%2e/run.py", "/nothing", "//x", "/view"]
)
def test_it_has_no_other_files(path: str) -> None:
    assert answered(path) is None


def test_the_tour_leads_to_it() -> None:
    assert "{statesUrl}" in TEXT


class SilentHost(McpHost):
    """A host that notes what is passed on."""

    def call(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Answer with what was asked."""
        return {"result": {"method": method, "params": dict(params)}}


@pytest.mark.parametrize(
    ("origin", "status"),
    [("", 404), ("https://evil.example", 404), ("null", 404), ("own", 200)],
)
def test_only_the_inspector_itself_acts_as_the_person(origin: str, status: int) -> None:
    with showcase(SilentHost("http://127.0.0.1:1/mcp", "token")) as url:
        headers = {"Origin": url.rstrip("/") if origin == "own" else origin}
        asked = {"method": "tools/list", "params": {}}
        answer = requests.post(f"{url}rpc", json=asked, headers=headers, timeout=10)
        assert answer.status_code == status
        if status == 200:
            assert answer.json() == {"result": asked}


def test_without_a_stack_nothing_is_passed_on() -> None:
    with showcase() as url:
        headers = {"Origin": url.rstrip("/")}
        asked = {"method": "tools/list", "params": {}}
        assert (
            requests.post(f"{url}rpc", json=asked, headers=headers, timeout=10).status_code == 404
        )
