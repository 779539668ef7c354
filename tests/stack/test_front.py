"""An address in front of the deployed functions: links name it, and calls past it are refused."""

import hashlib

import requests

from imagegen.edge.events import ORIGIN_HEADER
from tests.stack.driver import Driver

SECRET = "front-" * 8
FRONT = "https://images.example.com"


def test_behind_a_front_every_function_demands_its_header_and_links_name_it(stack: Driver) -> None:
    digest = hashlib.sha256(SECRET.encode()).hexdigest()
    settings = {"ORIGIN_DIGESTS": digest, "PUBLIC_API_URL": FRONT}
    with stack.configured("estimate", "generate", "page", **settings):
        person = stack.person()
        for url in (f"{stack.urls['estimateUrl']}/models", stack.urls["pageUrl"]):
            assert person.call("GET", url).status == 403
            assert person.call("GET", url, **{ORIGIN_HEADER: "guess"}).status == 403
            assert person.call("GET", url, **{ORIGIN_HEADER: SECRET}).status == 200
        config = requests.get(
            f"{stack.urls['pageUrl']}config.json", headers={ORIGIN_HEADER: SECRET}, timeout=60
        ).json()
        assert config["estimateUrl"] == config["generateUrl"] == FRONT
        offer = person.call(
            "POST",
            f"{stack.urls['estimateUrl']}/estimate",
            {"prompt": "A red fox", "quality": "fast"},
            **{ORIGIN_HEADER: SECRET},
        ).json
        order = {"quote": offer["quote"], "prompt": offer["prompt"]}
        url = f"{stack.urls['generateUrl']}/generate-image"
        assert person.call("POST", url, order).status == 403
        made = person.call("POST", url, order, **{ORIGIN_HEADER: SECRET})
        assert made.status == 200
        assert made.json["imageUrl"] == f"{FRONT}/images/{made.json['id']}"
        # The schedules call no URL.
        assert stack.invoke("generate", {"task": "reconcile"})["settled"] == 0
    assert stack.person().estimate().status == 200
