"""Preview frames over the deployed functions: seen while the image is made, and gone afterwards."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from tests.stack.driver import Answer, Driver, Person
from tests.stack.proxy import Watch, watching
from tests.stack.test_background import click, ended


@pytest.fixture
def person(stack: Driver) -> Person:
    return stack.person()


def stored(stack: Driver, prefix: str) -> list[str]:
    bucket = stack.urls["bucket"]
    answer = stack.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)
    return [one["Key"] for one in answer.get("Contents", [])]


def offered(person: Person, **fields: Any) -> dict[str, Any]:
    answer = person.estimate(quality="standard", provider="openai", **fields)
    assert answer.status == 200, answer.text
    return answer.json


def is_put_of_the_second_frame(method: str, path: str, body: bytes) -> bool:
    return method == "PUT" and "/previews/" in path and path.partition("?")[0].endswith("/1")


@dataclass(slots=True)
class Seen:
    """What a look found while the image was made, and what is behind its link afterwards."""

    answer: Answer
    status: dict[str, Any]
    frame: requests.Response
    later: requests.Response


def confirmed(person: Person, offer: dict[str, Any]) -> Answer:
    return person.confirm(offer)


def confirmed_later(person: Person, offer: dict[str, Any]) -> Answer:
    """Click, be answered before the image is made, and wait for its end."""
    first = click(person, offer)
    assert (first.status, first.json["status"]) == (202, "generating"), first.text
    ended(person, offer["imageId"])
    return person.status(offer["imageId"])


def watched(
    person: Person,
    offer: dict[str, Any],
    confirm: Callable[[Person, dict[str, Any]], Answer] = confirmed,
) -> Seen:
    """Click, and look when the second frame is stored; the reply to that write is lost."""
    stack, seen = person.stack, list[tuple[dict[str, Any], requests.Response]]()

    def look(_proxy: str) -> None:
        status = person.status(offer["imageId"]).json
        seen.append((status, requests.get(status["preview"]["url"], timeout=30)))

    with (
        watching(
            stack.urls["awsEndpoint"], Watch(is_put_of_the_second_frame, look, after=True)
        ) as proxy,
        stack.configured("generate", AWS_ENDPOINT_URL=proxy),
    ):
        answer = confirm(person, offer)
        ((status, frame),) = seen
        later = requests.get(status["preview"]["url"], timeout=30)
    return Seen(answer, status, frame, later)


def test_the_newest_frame_is_seen_while_the_image_is_made_and_not_afterwards(
    stack: Driver, person: Person
) -> None:
    offer = offered(person, partials=2)
    seen = watched(person, offer)
    assert (seen.status["status"], seen.status["charged"]) == ("generating", False)
    assert seen.status["imageUrl"] is None
    assert seen.status["preview"]["index"] == 1
    assert (seen.frame.status_code, seen.frame.headers["content-type"]) == (200, "image/png")
    assert seen.later.status_code == 404
    assert seen.answer.status == 200, seen.answer.text
    # The reply to the second write was lost, so that only the first frame is known to be there.
    more = float(offer["price"]["expected"]) - float(seen.answer.json["cost"]["charged"])
    assert round(more, 6) == 0.003
    assert person.usage()["spent"] == seen.answer.json["cost"]["charged"]
    assert not [key for key in stored(stack, "previews/") if offer["quoteId"] in key]


def test_a_picture_that_is_refused_after_its_frames_is_not_reachable_and_not_charged(
    stack: Driver, person: Person
) -> None:
    offer = offered(person, partials=2)
    stack.provider("openai", fault="stream_refuses")
    seen = watched(person, offer)
    assert seen.frame.status_code == 200
    assert seen.later.status_code == 404
    assert (seen.answer.status, seen.answer.json["charged"]) == (422, False)
    status = person.status(offer["imageId"]).json
    assert (status["status"], status["preview"]) == ("failed", None)
    assert person.usage()["spent"] == "0.000000"
    assert not [key for key in stored(stack, "previews/") if offer["quoteId"] in key]
    assert not [key for key in stored(stack, "img/") if offer["quoteId"] in key]


def test_the_frames_of_an_image_in_the_background_are_seen_while_it_is_made(
    stack: Driver, person: Person
) -> None:
    offer = offered(person, partials=2)
    seen = watched(person, offer, confirmed_later)
    assert (seen.status["status"], seen.status["charged"]) == ("generating", False)
    assert seen.status["preview"]["index"] == 1
    assert (seen.frame.status_code, seen.frame.headers["content-type"]) == (200, "image/png")
    assert seen.later.status_code == 404
    assert (seen.answer.json["status"], seen.answer.json["preview"]) == ("complete", None)
    # As above: one of the two frames has a reply.
    more = float(offer["price"]["expected"]) - float(seen.answer.json["cost"]["charged"])
    assert round(more, 6) == 0.003
    assert person.usage()["spent"] == seen.answer.json["cost"]["charged"]
    assert not [key for key in stored(stack, "previews/") if offer["quoteId"] in key]


def test_in_the_background_too_nothing_is_left_of_a_picture_that_is_refused_after_its_frames(
    stack: Driver, person: Person
) -> None:
    offer = offered(person, partials=2)
    stack.provider("openai", fault="stream_refuses")
    seen = watched(person, offer, confirmed_later)
    assert (seen.frame.status_code, seen.later.status_code) == (200, 404)
    assert (seen.answer.json["status"], seen.answer.json["preview"]) == ("failed", None)
    assert (seen.answer.json["code"], seen.answer.json["charged"]) == ("content_refused", False)
    assert person.usage()["spent"] == "0.000000"
    assert not [key for key in stored(stack, "previews/") if offer["quoteId"] in key]
    assert not [key for key in stored(stack, "img/") if offer["quoteId"] in key]


@pytest.mark.parametrize("fault", ["stream_ends_early", "stream_fails"])
def test_a_stream_that_breaks_off_leaves_no_frame_and_no_charge(
    stack: Driver, person: Person, fault: str
) -> None:
    offer = offered(person, partials=2)
    stack.provider("openai", fault=fault)
    answer = person.confirm(offer)
    assert (answer.status, answer.json["charged"]) == (502, False)
    assert person.usage()["spent"] == "0.000000"
    assert not [key for key in stored(stack, "previews/") if offer["quoteId"] in key]


def test_frames_cost_what_the_offer_says_and_are_gone_with_the_image(
    stack: Driver, person: Person
) -> None:
    plain, offer = offered(person), offered(person, partials=2)
    more = float(offer["price"]["expected"]) - float(plain["price"]["expected"])
    assert round(more, 6) == 0.006
    made = person.confirm(offer)
    assert made.status == 200, made.text
    assert made.json["cost"]["charged"] == offer["price"]["expected"]
    status = person.status(offer["imageId"]).json
    assert (status["status"], status["preview"]) == ("complete", None)
    assert not [key for key in stored(stack, "previews/") if offer["quoteId"] in key]


def test_without_partials_nothing_is_previewed(stack: Driver, person: Person) -> None:
    made = person.confirm(offered(person))
    assert made.status == 200, made.text
    assert not [key for key in stored(stack, "previews/") if made.json["id"][:24] in key]


def test_other_models_and_numbers_of_frames_are_explained(person: Person) -> None:
    offer = offered(person, partials=1)
    reasons = {one["key"]: one["reason"] for one in offer["alternatives"]}
    others = {reason for key, reason in reasons.items() if not key.startswith("openai-")}
    assert reasons["ideogram-standard-edit"] == "inputs_unsupported"
    assert others == {"inputs_unsupported", "wish_unsupported"}
    for wrong in (3, -1, "x", 1.5):
        assert person.estimate(quality="standard", partials=wrong).status == 422
