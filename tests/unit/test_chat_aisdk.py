"""The AI SDK's tool parts: the fixtures that the JavaScript twin is held to, and no loss."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.chat import from_aisdk, to_aisdk
from imagegen.chat.aisdk import PARTS
from tests.fakes.catalogs import ROOT
from tests.fakes.service import Service

FIXTURES = [json.loads(path.read_text()) for path in sorted((ROOT / "events/ui").glob("*.json"))]
every_fixture = pytest.mark.parametrize(
    "fixture",
    [one for one in FIXTURES if "aisdk" in one],
    ids=lambda one: str(one["name"]),
)
ESTIMATE = Service().estimate().model_dump(mode="json", by_alias=True)
TEXT = st.text(max_size=30)
ISO = st.datetimes().map(lambda at: f"{at.isoformat()}Z")
PROBLEMS = st.fixed_dictionaries(
    {
        "code": TEXT,
        "detail": TEXT,
        "charged": st.booleans() | st.none(),
        "retryable": st.booleans(),
    }
)
IMAGES = st.fixed_dictionaries(
    {"id": TEXT, "status": st.sampled_from(["complete", "failed"])},
    optional={
        "imageUrl": TEXT,
        "alt": TEXT,
        "cost": st.none() | st.fixed_dictionaries({"charged": TEXT}),
        "fallback": st.none() | st.fixed_dictionaries({"provider": TEXT, "reason": TEXT}),
        "code": st.none() | TEXT,
    },
)


def generations(*statuses: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"id": st.text(min_size=1), "prompt": TEXT, "status": st.sampled_from(statuses)},
        optional={
            "toolCallId": st.text(min_size=1).map("call_{}".format),
            "estimate": st.just(ESTIMATE),
            "image": IMAGES,
            "problem": PROBLEMS,
            "startedAt": ISO,
            "previewUrl": TEXT,
        },
    ).filter(lambda one: one.get("toolCallId") != one["id"])


def test_there_are_fixtures_of_every_status() -> None:
    assert {one["data"]["status"] for one in FIXTURES if "aisdk" in one} == set(PARTS)


@every_fixture
def test_a_fixture_is_the_part_that_it_says(fixture: dict[str, Any]) -> None:
    assert to_aisdk(fixture["data"]) == fixture["aisdk"]
    assert from_aisdk(fixture["aisdk"]) == fixture["data"]


@given(generations(*sorted(PARTS)))
def test_nothing_is_lost_on_the_way_there_and_back(generation: dict[str, Any]) -> None:
    part = to_aisdk(generation)
    assert from_aisdk(json.loads(json.dumps(part))) == generation


@given(generations("pending"), st.booleans())
def test_what_the_person_answered_since_wins(generation: dict[str, Any], yes: bool) -> None:  # noqa: FBT001 drawn
    part = to_aisdk(generation)
    part |= {"state": "approval-responded", "approval": {**part["approval"], "approved": yes}}
    back = from_aisdk(part)
    assert back is not None
    assert back["status"] == ("generating" if yes else "declined")


@pytest.mark.parametrize(
    "part",
    [
        {},
        {"type": "text", "text": "hello"},
        {"type": "tool-search", "toolMetadata": {"imageGeneration": {"id": "a"}}},
        {"type": "tool-generate_image", "toolCallId": "c", "state": "input-streaming"},
        {"type": "tool-generate_image", "toolCallId": "c", "toolMetadata": None},
    ],
)
def test_a_part_that_is_none_of_ours_is_left_alone(part: dict[str, Any]) -> None:
    assert from_aisdk(part) is None


@pytest.mark.parametrize("approval", [{}, {"approved": None}, {"approved": "true"}, None, "yes", 1])
def test_only_true_is_a_yes(approval: Any) -> None:
    part = to_aisdk(FIXTURES[0]["data"] | {"status": "pending"})
    part |= {"state": "approval-responded", "approval": approval}
    back = from_aisdk(part)
    assert back is not None
    assert back["status"] == "pending"


@pytest.mark.parametrize("charged", [True, False, None])
def test_a_charge_that_is_not_known_stays_unknown(charged: bool | None) -> None:  # noqa: FBT001 a flag
    problem = {"code": "x", "detail": "", "charged": charged, "retryable": False}
    data = FIXTURES[0]["data"] | {"status": "failed", "problem": problem}
    assert to_aisdk(data)["toolMetadata"]["charged"] is charged


@pytest.mark.parametrize(
    "change",
    [
        {"toolCallId": None},
        {"toolCallId": 7},
        {"input": None},
        {"input": {}},
        {"input": {"prompt": ["x"]}},
        {"toolMetadata": {"imageGeneration": {}}},
        {"toolMetadata": {"imageGeneration": "x"}},
        {"toolMetadata": []},
    ],
)
def test_a_part_that_is_malformed_is_no_image(change: dict[str, Any]) -> None:
    assert from_aisdk(to_aisdk(FIXTURES[0]["data"]) | change) is None
