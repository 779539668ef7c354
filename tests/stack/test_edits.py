"""Edits by OpenAI's clients over the deployed function: bytes through a real URL, paid once."""

import base64
from typing import Any

import openai
import pytest
import requests

from tests.fakes.pictures import picture
from tests.stack.driver import TIMEOUT_SECONDS, Driver, Person
from tests.stack.test_compatible import client_of, receipt
from tests.stack.test_inputs import CONTENT, stored, uploaded
from tests.unit.test_inputs import mask

PROMPT = "Make it blue"
PATH = "/v1/images/edits"
MODEL = "openai-standard"


@pytest.fixture
def person(stack: Driver) -> Person:
    return stack.person()


def test_the_python_client_edits_files_with_a_mask_and_nothing_of_them_is_stored(
    stack: Driver, person: Person
) -> None:
    before = stored(stack, "inputs/")
    got = client_of(person).images.edit(
        image=[("fox.png", picture(size=(96, 64)), "image/png"), ("tree.jpg", CONTENT)],
        mask=("mask.png", mask((96, 64))),
        prompt=PROMPT,
        model=MODEL,
    )
    assert got.data is not None
    ours = receipt(got)
    content = base64.b64decode(got.data[0].b64_json or "")
    assert requests.get(ours["imageUrl"], timeout=TIMEOUT_SECONDS).content == content
    assert person.usage()["spent"] == ours["cost"]["charged"]
    assert stored(stack, "inputs/") == before


def test_the_python_client_gets_four_edits_of_one_picture_with_a_mask_and_three_references(
    stack: Driver, person: Person
) -> None:
    references = [(f"{size}.png", picture(size=(size, 64)), "image/png") for size in (64, 80, 112)]
    got = client_of(person).images.edit(
        image=[("fox.png", picture(size=(96, 64)), "image/png"), *references],
        mask=("mask.png", mask((96, 64))),
        prompt=PROMPT,
        model=MODEL,
        n=4,
    )
    assert got.data is not None
    assert all(one.b64_json for one in got.data)
    assert len({one["imageId"] for one in receipt(got)["images"]}) == len(got.data) == 4
    assert person.usage()["spent"] == receipt(got)["cost"]["charged"]
    assert person.usage()["images"] == stack.counts("openai")["images"] == 4


def test_an_image_is_made_and_edited_by_its_address_and_its_id(person: Person) -> None:
    client = client_of(person)
    first = receipt(client.images.generate(prompt="A red fox", model=MODEL))
    images: list[dict[str, str]] = [
        {"image_url": first["imageUrl"]},
        {"file_id": first["imageId"]},
        {"file_id": uploaded(person)},
    ]
    answer = post(person, {"prompt": PROMPT, "model": MODEL, "images": images})
    assert answer.status_code == 200, answer.text
    status = person.status(answer.json()["imagegen"]["imageId"]).json
    assert status["derivedFrom"] == first["imageId"][:24]


def post(person: Person, body: dict[str, Any]) -> requests.Response:
    url = f"{person.stack.urls['generateUrl']}{PATH}"
    headers = {"Authorization": f"Bearer {person.token}"}
    return requests.post(url, json=body, headers=headers, timeout=TIMEOUT_SECONDS)


def test_a_key_is_for_the_bytes(stack: Driver, person: Person) -> None:
    client, key = client_of(person), {"Idempotency-Key": "edit-80"}

    def edit(content: bytes) -> Any:
        got = client.images.edit(image=content, prompt=PROMPT, model=MODEL, extra_headers=key)
        return receipt(got)["imageId"]

    assert edit(CONTENT) == edit(CONTENT)
    with pytest.raises(openai.UnprocessableEntityError):
        edit(picture(size=(64, 64)))
    assert person.usage()["images"] == stack.counts("openai")["images"] == 1


def test_a_picture_that_is_none_and_an_address_elsewhere_cost_nothing(person: Person) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client_of(person).images.edit(image=b"<svg/>", prompt=PROMPT)
    assert caught.value.param == "image"
    elsewhere = {"image_url": "http://169.254.169.254/latest/meta-data/"}
    answer = post(person, {"prompt": PROMPT, "images": [elsewhere]})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "images")
    assert person.usage()["spent"] == "0.000000"
