"""One's own images on the deployed stack: found again on every device, deleted for good."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from imagegen.providers import PROVIDERS
from tests.stack.driver import Answer, Driver, Person

PROMPT = "A red fox in fresh snow, seen by a canary"


@pytest.fixture
def person(stack: Driver) -> Person:
    return stack.person()


def images(person: Person, query: str = "") -> dict[str, Any]:
    answer = person.call("GET", f"{person.stack.urls['generateUrl']}/images{query}")
    assert answer.status == 200, answer.text
    return answer.json


def delete(person: Person, image_id: str) -> Answer:
    return person.call("DELETE", f"{person.stack.urls['generateUrl']}/images/{image_id}")


def keys(stack: Driver, quote_id: str) -> list[str]:
    bucket = stack.client("s3").list_objects_v2(Bucket=stack.urls["bucket"])
    return [one["Key"] for one in bucket.get("Contents", []) if quote_id in one["Key"]]


def rows(stack: Driver, words: str) -> int:
    """Return how many items of the table contain these words or are prompts of the quote."""
    pages = stack.client("dynamodb").get_paginator("scan").paginate(TableName=stack.urls["table"])
    return sum(words in str(item) for page in pages for item in page["Items"])


def test_every_image_is_found_page_by_page_with_its_prompt(person: Person) -> None:
    made = [person.make(f"{PROMPT} {number}", quality="fast").json for number in range(3)]
    first = images(person, "?limit=2")
    second = images(person, f"?limit=2&cursor={first['nextCursor']}")
    found = first["images"] + second["images"]
    assert [one["id"] for one in found] == [one["id"] for one in made[::-1]]
    assert [one["prompt"] for one in found] == [f"{PROMPT} {number}" for number in (2, 1, 0)]
    assert second["nextCursor"] is None
    for one, other in zip(found, made[::-1], strict=True):
        assert one["imageUrl"] == other["imageUrl"]
        assert one["cost"] == other["cost"]
        assert one["provenance"] == other["provenance"]
        assert requests.get(one["imageUrl"], timeout=30).status_code == 200


def test_only_its_owner_reads_the_prompt(stack: Driver, person: Person) -> None:
    made = person.make(PROMPT, quality="fast").json
    url = f"{stack.urls['generateUrl']}/images/{made['id']}"
    accept = {"Accept": "application/json"}
    assert person.status(made["id"]).json["prompt"] == PROMPT
    assert stack.person().status(made["id"]).json["prompt"] is None
    for headers in ({}, {"Authorization": "Bearer x.y.z"}, {"Authorization": "nonsense"}):
        got = requests.get(url, headers={**accept, **headers}, timeout=30)
        assert (got.status_code, got.json()["prompt"]) == (200, None)
        assert requests.get(url, headers=headers, timeout=30).status_code == 200


def test_a_deleted_image_is_gone_from_every_place_and_stays_charged(
    stack: Driver, person: Person
) -> None:
    offer = person.estimate(PROMPT, quality="fast").json
    made = person.confirm(offer).json
    url = made["imageUrl"]
    link = requests.get(url, timeout=30, allow_redirects=False).headers["location"]
    spent = person.usage()["spent"]
    assert requests.get(link, timeout=30).status_code == 200

    assert delete(stack.person(), made["id"]).status == 404
    assert delete(person, made["id"]).status == 204
    assert delete(person, made["id"]).status == 204

    assert requests.get(link, timeout=30).status_code == 404
    assert requests.get(url, timeout=30).status_code == 410
    assert requests.head(url, timeout=30).status_code == 410
    for answer in (person.status(made["id"]), person.confirm(offer)):
        assert (answer.status, answer.json["code"]) == (410, "image_deleted")
        assert answer.json["charged"] is True
    assert images(person)["images"] == []
    assert person.usage()["spent"] == spent == offer["price"]["expected"]
    assert [key.partition("/")[0] for key in keys(stack, offer["quoteId"])] == ["deleted"]
    assert rows(stack, f"#{offer['quoteId']}") == 1  # its record


def test_the_same_key_never_buys_a_deleted_image_again(stack: Driver, person: Person) -> None:
    url, body = f"{stack.urls['generateUrl']}/v1/images/generations", {"prompt": PROMPT}
    key = {"Idempotency-Key": "order-66", "x-max-cost": "1"}
    body |= {"model": "fast", "response_format": "url"}
    assert person.call("POST", url, body, **key).status == 200
    (image,) = images(person)["images"]
    assert delete(person, image["id"]).status == 204
    again = person.call("POST", url, body, **key)
    assert (again.status, again.json["error"]["code"]) == (410, "image_deleted")
    assert again.json["error"]["imagegen"]["charged"] is True
    assert sum(stack.counts(name)["images"] for name in PROVIDERS) == 1


def test_clicks_and_deletes_at_once_end_with_one_charge_and_no_image(
    stack: Driver, person: Person
) -> None:
    offer = person.estimate(PROMPT, quality="fast").json
    work = [
        lambda: person.confirm_patiently(offer),
        *[lambda: delete(person, offer["imageId"])] * 3,
        lambda: person.confirm_patiently(offer),
        *[lambda: delete(person, offer["imageId"])] * 3,
    ]
    with ThreadPoolExecutor(len(work)) as pool:
        came = [one.status for one in pool.map(lambda act: act(), work)]
    assert set(came) <= {200, 202, 204, 404, 410, 429, 503}
    for _ in range(60):
        if delete(person, offer["imageId"]).status == 204:
            break
    assert person.confirm(offer).json["code"] == "image_deleted"
    assert person.usage()["spent"] == offer["price"]["expected"]
    assert [key.partition("/")[0] for key in keys(stack, offer["quoteId"])] == ["deleted"]


def test_a_page_of_another_origin_may_delete(stack: Driver) -> None:
    got = requests.options(
        f"{stack.urls['generateUrl']}/images/x",
        headers={
            "Origin": "https://shop.example",
            "Access-Control-Request-Method": "DELETE",
            "Access-Control-Request-Headers": "authorization",
        },
        timeout=30,
    )
    assert "DELETE" in got.headers["Access-Control-Allow-Methods"]


def test_no_prompt_is_in_the_logs_or_beside_the_image(stack: Driver, person: Person) -> None:
    offer = person.estimate(PROMPT, quality="fast").json
    person.confirm(offer)
    images(person)
    (key,) = keys(stack, offer["quoteId"])
    head = stack.client("s3").head_object(Bucket=stack.urls["bucket"], Key=key)
    assert "canary" not in json.dumps(head["Metadata"])
    assert rows(stack, "canary") == 0  # the table has it deflated, and nowhere else
