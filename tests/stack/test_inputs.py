"""Draw and edit, upload and edit: over the deployed functions' URLs and the bucket's own."""

import hashlib
from typing import Any

import pytest
import requests

from tests.fakes.pictures import picture
from tests.stack.driver import Answer, Driver, Person

PAGE = "https://chat.example.com"
CONTENT = picture("JPEG", size=(96, 64), comment=b"taken at home by Ada")


@pytest.fixture
def person(stack: Driver) -> Person:
    return stack.person()


def ask(person: Person, content: bytes = CONTENT, **changes: Any) -> Answer:
    body = {
        "mediaType": "image/jpeg",
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        **changes,
    }
    return person.call("POST", f"{person.stack.urls['estimateUrl']}/inputs", body)


def send(ticket: dict[str, Any], content: bytes = CONTENT, **headers: str) -> requests.Response:
    upload = ticket["upload"]
    assert upload["method"] == "PUT"
    sent = {**upload["headers"], **headers}
    return requests.put(upload["url"], data=content, headers=sent, timeout=30)


def uploaded(person: Person, content: bytes = CONTENT) -> str:
    ticket = ask(person, content).json
    answer = send(ticket, content)
    assert answer.status_code == 200, answer.text
    upload_id: str = ticket["uploadId"]
    return upload_id


def stored(stack: Driver, prefix: str) -> list[str]:
    bucket = stack.urls["bucket"]
    answer = stack.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)
    return [one["Key"] for one in answer.get("Contents", [])]


def test_an_image_is_drawn_and_then_edited_by_its_id(stack: Driver, person: Person) -> None:
    parent = person.make(quality="standard").json
    offer = person.estimate("Make it blue", quality="standard", inputs=[{"image": parent["id"]}])
    assert offer.status == 200, offer.text
    assert offer.json["size"] == parent["size"]
    # The offer repeats the request to who sent it, and has the id nowhere else.
    assert offer.json["request"]["inputs"] == [{"image": parent["id"]}]
    assert offer.text.count(parent["id"]) == 1
    made = person.confirm(offer.json)
    assert made.status == 200, made.text
    assert made.json["derivedFrom"] == parent["id"][:24]
    assert (made.json["inputs"], made.json["parents"]) == (["edit"], [parent["id"][:24]])
    assert parent["id"] not in made.text
    assert made.json["cost"]["charged"] == offer.json["price"]["expected"]


def test_the_image_of_another_person_is_answered_like_an_unknown_one(stack: Driver) -> None:
    one, other = stack.person(), stack.person()
    parent = one.make().json
    foreign = other.estimate("x", inputs=[{"image": parent["id"]}])
    unknown = other.estimate("x", inputs=[{"image": "a" * 64}])
    assert (foreign.status, foreign.json) == (404, unknown.json)
    assert foreign.json["charged"] is False


def test_a_picture_is_uploaded_once_and_edited(stack: Driver, person: Person) -> None:
    ticket = ask(person).json
    assert send(ticket, CONTENT + b"x").status_code == 403
    assert send(ticket, CONTENT[::-1]).status_code == 400
    assert send(ticket).status_code == 200
    assert send(ticket).status_code == 412
    offer = person.estimate("Make it blue", inputs=[{"upload": ticket["uploadId"]}])
    assert offer.status == 200, offer.text
    assert offer.json["inputs"] == [
        {"role": "edit", "width": 96, "height": 64, "mediaType": "image/jpeg", "quoteId": None}
    ]
    made = person.confirm(offer.json)
    assert made.status == 200, made.text
    assert (made.json["derivedFrom"], made.json["inputs"]) == (None, ["edit"])
    assert stored(stack, "inputs/")
    assert not [key for key in stored(stack, "img/") if ticket["uploadId"] in key]


def test_a_page_may_send_an_upload_from_its_own_origin(person: Person) -> None:
    ticket = ask(person).json
    names = ",".join(name.lower() for name in ticket["upload"]["headers"])
    asked = {
        "Origin": PAGE,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": names,
    }
    preflight = requests.options(ticket["upload"]["url"], headers=asked, timeout=30)
    assert preflight.status_code == 200
    assert preflight.headers["Access-Control-Allow-Origin"] in {"*", PAGE}
    assert "PUT" in preflight.headers["Access-Control-Allow-Methods"]
    assert send(ticket, Origin=PAGE).headers["Access-Control-Allow-Origin"] in {"*", PAGE}


def replace(stack: Driver, content: bytes | None) -> None:
    """Change, or remove, everything that was uploaded, as nobody could over a link."""
    bucket, s3 = stack.urls["bucket"], stack.client("s3")
    for key in stored(stack, "inputs/"):
        if content is None:
            s3.delete_object(Bucket=bucket, Key=key)
        else:
            s3.put_object(Bucket=bucket, Key=key, Body=content)


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [(picture("JPEG", size=(32, 32)), 409, "quote_mismatch"), (None, 410, "input_gone")],
)
def test_an_input_that_changed_or_is_gone_stops_the_click_before_anything_is_held(
    stack: Driver, person: Person, content: bytes | None, status: int, code: str
) -> None:
    offer = person.estimate("x", inputs=[{"upload": uploaded(person)}]).json
    replace(stack, content)
    answer = person.confirm(offer)
    assert (answer.status, answer.json["code"], answer.json["charged"]) == (status, code, False)
    usage = person.usage()
    assert (usage["attempts"], usage["spent"]) == (0, "0.000000")


def test_a_made_image_is_answered_again_although_its_input_is_gone(
    stack: Driver, person: Person
) -> None:
    offer = person.estimate("x", inputs=[{"upload": uploaded(person)}]).json
    first = person.confirm(offer).json
    replace(stack, None)
    again = person.confirm(offer)
    assert (again.status, again.json["id"]) == (200, first["id"])
    assert person.usage()["spent"] == first["cost"]["charged"]


def test_an_upload_of_another_person_is_answered_like_an_unknown_one(stack: Driver) -> None:
    one, other = stack.person(), stack.person()
    sent = uploaded(one)
    foreign = other.estimate("x", inputs=[{"upload": sent}])
    unknown = other.estimate("x", inputs=[{"upload": "a" * 16}])
    assert (foreign.status, foreign.json) == (404, unknown.json)


def test_an_upload_cannot_be_fetched(stack: Driver, person: Person) -> None:
    ticket = ask(person).json
    send(ticket)
    plain = ticket["upload"]["url"].partition("?")[0]
    assert requests.get(ticket["upload"]["url"], timeout=30).status_code == 403
    assert requests.get(plain, timeout=30).status_code in {403, 404}
    assert person.status(ticket["uploadId"]).status == 404


@pytest.mark.parametrize(
    "content", [b"<svg onload='alert(1)'/>", b"GIF89a" + bytes(40), CONTENT[:-9], b"\0"]
)
def test_a_file_that_is_no_picture_is_refused(person: Person, content: bytes) -> None:
    answer = person.estimate("x", inputs=[{"upload": uploaded(person, content)}])
    assert (answer.status, answer.json["code"]) == (422, "unsupported_parameter")
    assert answer.json["errors"][0]["field"] == "inputs.0"
