"""The write that settles a hold is lost: every answer has the same charge, until it is settled."""

import base64
import json
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from imagegen.edge.tokens import user_id
from tests.stack.driver import Driver
from tests.stack.proxy import Watch, watching
from tests.stack.test_crash import is_settle


def nothing(_proxy: str) -> None:
    """Only lose the request, or its reply."""


THROTTLED = (400, "ProvisionedThroughputExceededException")


@pytest.mark.parametrize(
    ("after", "refusal"),
    [
        (False, None),
        (True, None),
        (False, THROTTLED),
    ],
    ids=["request lost", "reply lost", "throttled"],
)
def test_a_charged_image_stays_charged_while_its_hold_cannot_be_settled(
    stack: Driver, refusal: tuple[int, str] | None, *, after: bool
) -> None:
    person = stack.person()
    offer = person.estimate(quality="standard").json
    assert offer["price"]["ceiling"] > offer["price"]["expected"]
    watch = Watch(is_settle, nothing, after=after, refusal=refusal)
    with (
        watching(stack.urls["awsEndpoint"], watch) as proxy,
        stack.configured("generate", AWS_ENDPOINT_URL=proxy),
    ):
        first = person.confirm(offer)
        again = person.confirm(offer)
        status = person.status(offer["imageId"])
        usage = person.usage()
    assert watch.hits > 0
    charge = first.json["cost"]["charged"]
    assert [one.status for one in (first, again, status)] == [200, 200, 200]
    assert [one.json["cost"]["charged"] for one in (again, status)] == [charge, charge]
    assert status.json["charged"] is True
    assert (usage["spent"], usage["recent"][0]["cost"]) == (charge, charge)

    assert person.confirm(offer).json["cost"]["charged"] == charge
    assert stack.invoke("generate", {"task": "reconcile"})["settled"] == 0
    assert person.usage()["spent"] == charge


def test_an_error_before_the_look_does_not_say_that_a_charged_image_is_free(stack: Driver) -> None:
    person = stack.person()
    offer = person.estimate(quality="fast").json
    assert person.confirm(offer).status == 200
    ended = replace(person, token=f"{person.token[:-4]}AAAA")
    early = [
        ended.confirm(offer),
        person.confirm({**offer, "prompt": "another prompt"}),
        person.confirm({**offer, "quote": offer["quote"][:-4]}),
        person.call("POST", f"{stack.urls['generateUrl']}/generate-image", "{"),
    ]
    assert [one.status for one in early] == [401, 409, 400, 400]
    assert [one.json["charged"] for one in early] == [None] * 4
    # The status needs no token, and looks.
    assert ended.status(offer["imageId"]).json["charged"] is True


def test_an_image_link_names_nobody(stack: Driver) -> None:
    person = stack.person()
    links = []
    for _ in range(2):
        image_id = person.make(quality="fast").json["id"]
        url = f"{stack.urls['generateUrl']}/images/{image_id}"
        links.append(urlsplit(person.call("GET", url, Accept="image/*").headers["location"]).path)
    user = user_id(stack.local.issuer.url, subject_of(person.token))
    assert not any(user in link for link in links)
    first, second = (link.partition("/img/")[2].split("/") for link in links)
    assert not set(first) & set(second)


def subject_of(token: str) -> str:
    payload = token.split(".")[1]
    values = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return str(values["sub"])
