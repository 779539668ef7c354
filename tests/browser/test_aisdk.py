"""The mapping to AI SDK UI tool parts, against the fixtures that the Python twin reads too."""

import json
from typing import Any

import pytest

from imagegen.chat import from_aisdk
from tests.browser.stage import ALL_STATES, Gallery, OpenGallery, read_fixture

TO_PART = "async (data) => (await import('/aisdk.js')).toPart(data)"
FROM_PART = "async (part) => (await import('/aisdk.js')).fromPart(part)"


@pytest.fixture
def gallery(shared_gallery: OpenGallery) -> Gallery:
    return shared_gallery()


@pytest.mark.parametrize("name", ALL_STATES)
def test_a_generation_becomes_its_part_and_comes_back_whole(gallery: Gallery, name: str) -> None:
    known = read_fixture(name)
    assert gallery.page.evaluate(TO_PART, known["data"]) == known["aisdk"]
    assert gallery.page.evaluate(FROM_PART, known["aisdk"]) == known["data"]


@pytest.mark.parametrize(
    ("approval", "status"), [({"approved": True}, "generating"), ({"approved": False}, "declined")]
)
def test_an_answer_given_in_the_other_chat_counts(
    gallery: Gallery, approval: dict[str, Any], status: str
) -> None:
    part = read_fixture("pending")["aisdk"]
    part |= {"state": "approval-responded", "approval": part["approval"] | approval}
    assert gallery.page.evaluate(FROM_PART, part)["status"] == status


def test_parts_of_other_tools_are_none_of_ours(gallery: Gallery) -> None:
    part = read_fixture("pending")["aisdk"]
    assert gallery.page.evaluate(FROM_PART, part | {"type": "tool-search"}) is None
    assert gallery.page.evaluate(FROM_PART, {"type": "text", "text": "hello"}) is None


def test_what_it_does_not_know_travels_along(gallery: Gallery) -> None:
    data = read_fixture("complete")["data"] | {"note": {"kept": [1, None, "x"]}}
    part = gallery.page.evaluate(TO_PART, data)
    assert json.dumps(gallery.page.evaluate(FROM_PART, part), sort_keys=True) == json.dumps(
        data, sort_keys=True
    )


ODD: dict[str, list[Any]] = {
    "approval": [None, "yes", {}, *({"approved": one} for one in (None, "true", 1, True, False))],
    "input": [None, {}, {"prompt": ["x"]}],
    "toolCallId": [None, 7],
    "toolMetadata": [None, [], {"imageGeneration": {}}, {"imageGeneration": "x"}],
}


@pytest.mark.parametrize(
    "change", [{field: odd} for field, values in ODD.items() for odd in values]
)
def test_both_languages_read_any_part_alike(gallery: Gallery, change: dict[str, Any]) -> None:
    part = read_fixture("pending")["aisdk"] | {"state": "approval-responded"} | change
    assert gallery.page.evaluate(FROM_PART, part) == from_aisdk(part)
