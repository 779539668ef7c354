"""Several images under one button, over HTTP: one offer, one click, one list."""

import json
from typing import Any

import pytest

from imagegen.domain.outcomes import Outcome
from tests.fakes.pictures import png
from tests.handlers.conftest import Functions

PROMPT = "A photorealistic sunset over mountains"


def priced(functions: Functions, **asked: Any) -> tuple[int, dict[str, Any]]:
    return functions.answer("estimate/prompt-only", {"prompt": PROMPT, **asked})


def clicked(functions: Functions, **body: Any) -> dict[str, Any]:
    event = functions.event("generate/confirmed", {"prompt": PROMPT, **body})
    return functions.invoke("generate", event)


def test_four_are_offered_confirmed_and_charged_one_by_one(functions: Functions) -> None:
    status, offer = priced(functions, count=4)
    assert (status, offer["price"]["count"], offer["quote"]) == (200, 4, "")
    assert offer["buttonLabel"].startswith("Generate 4 Images for $")
    assert len(offer["quotes"]) == len(offer["imageIds"]) == 4
    answer = clicked(functions, quotes=offer["quotes"])
    images = json.loads(answer["body"])["images"]
    assert answer["statusCode"] == 200
    assert [one["index"] for one in images] == [0, 1, 2, 3]
    assert [one["id"] for one in images] == offer["imageIds"]
    assert {(one["status"], one["charged"]) for one in images} == {("complete", True)}
    assert all("problem" not in one for one in images)
    urls = {one["image"]["imageUrl"] for one in images}
    assert len(urls) == 4
    again = json.loads(clicked(functions, quotes=offer["quotes"])["body"])["images"]
    assert [one["image"]["cost"] for one in again] == [one["image"]["cost"] for one in images]
    assert len(functions.service.images.objects) == 4


def test_what_is_missing_has_its_problem_in_the_list(functions: Functions) -> None:
    _, offer = priced(functions, count=3)
    provider = functions.service.providers[offer["provider"]]
    width, height = map(int, offer["size"].split("x"))
    size = (width, height)
    provider.reactions = [png(size), Outcome.REFUSED, png(size)]
    answer = clicked(functions, quotes=offer["quotes"])
    images = json.loads(answer["body"])["images"]
    assert answer["statusCode"] == 200
    assert [one["status"] for one in images] == ["complete", "failed", "complete"]
    assert images[1]["problem"]["code"] == "content_refused"
    assert images[1]["charged"] is images[1]["problem"]["charged"] is False
    assert "image" not in images[1]


def test_if_none_is_stored_the_answer_is_an_error(functions: Functions) -> None:
    _, offer = priced(functions, count=2)
    functions.service.providers[offer["provider"]].reactions = [Outcome.REFUSED]
    answer = clicked(functions, quotes=offer["quotes"])
    problem = json.loads(answer["body"])
    assert (answer["statusCode"], problem["code"]) == (422, "content_refused")
    assert problem["charged"] is False


def test_while_one_is_being_made_the_answer_is_202_with_the_list(functions: Functions) -> None:
    _, offer = priced(functions, count=2)
    met: list[dict[str, Any]] = []
    provider = functions.service.providers[offer["provider"]]

    def during(_ms: int) -> None:
        if not met:
            met.append(clicked(functions, quotes=offer["quotes"]))

    provider.sleep = during
    assert clicked(functions, quotes=offer["quotes"])["statusCode"] == 200
    assert met[0]["statusCode"] == 202
    assert met[0]["headers"]["Retry-After"]
    images = json.loads(met[0]["body"])["images"]
    assert [one["status"] for one in images] == ["generating", "generating"]
    assert [one["charged"] for one in images] == [False, None]
    assert all(one["startedAt"] and one["typicalSeconds"] for one in images)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"quote": "a", "quotes": ["b"]}, "either quote or quotes"),
        ({}, "either quote or quotes"),
        ({"quotes": ["a", "a"]}, "only once"),
        ({"quotes": "a"}, "quotes"),
        ({"quotes": [1]}, "quotes"),
        ({"quotes": [str(number) for number in range(11)]}, "quotes"),
        ({"quotes": ["a"], "mixed": "perhaps"}, "mixed"),
    ],
)
def test_a_wrong_confirmation_says_what_is_wrong(
    functions: Functions, body: dict[str, Any], field: str
) -> None:
    answer = clicked(functions, **body)
    problem = json.loads(answer["body"])
    assert answer["statusCode"] == 422
    assert field in problem["detail"]
    assert problem["charged"] is None


@pytest.mark.parametrize("count", [0, -1, 5, 11, 1.5, "many", True, [4]])
def test_a_wrong_count_is_refused_with_its_field(functions: Functions, count: Any) -> None:
    status, problem = priced(functions, count=count)
    assert status == 422
    assert "count" in json.dumps(problem)
    assert problem["charged"] is False


def test_more_quotes_than_one_click_may_confirm_make_nothing(functions: Functions) -> None:
    quotes = [one for _ in range(2) for one in priced(functions, count=3)[1]["quotes"]]
    answer = clicked(functions, quotes=quotes)
    assert answer["statusCode"] == 422
    assert "at most 4 quotes" in json.loads(answer["body"])["detail"]
    assert not functions.service.images.objects
