"""S3: what is somebody else's is answered as what does not exist, byte for byte."""

import base64
import json
from itertools import product
from typing import Any

from imagegen.domain.ids import image_id
from tests.fakes.service import PROMPT
from tests.security.board import Board
from tests.security.conftest import House

ABSENT = "a" * 24


def shown(answer: dict[str, Any]) -> tuple[int, str, dict[str, str]]:
    """Return all that a caller sees of an answer."""
    return answer["statusCode"], answer["body"], dict(answer["headers"])


def test_every_id_of_one_user_is_absent_for_another(house: House, board: Board) -> None:
    owner = house.user("owner")
    names = ("made", "open", "failed")
    offers = [house.service.estimate(f"{PROMPT} {name}", owner) for name in names]
    made, open_, failed = offers
    house.service.confirm(made, owner)
    other = house.forge.good(sub="other")
    before = house.service.writes
    ids = [
        owner, "owner", f"U%23{owner}",
        *(offer.quote_id for offer in offers), *(offer.quote_id.upper() for offer in offers),
        *(offer.image_id[:-1] + ("b" if offer.image_id[-1] == "a" else "a") for offer in offers),
        *(offer.quote_id + "a" * 40 for offer in offers),
        open_.image_id, failed.image_id, made.image_id[24:], made.quote[:64],
        image_id(house.service.ref(made, owner), b"another key of 32 bytes ........"),
    ]  # fmt: skip
    paths = ["/images/{}", "/usage?user={}", "/usage?id={}", "/generate-image/{}", "/usage/{}"]
    leaks, asked = [], 0
    for path, one, accept in product(paths, ids, ("application/json", "*/*")):
        got = house.ask("generate", "GET", path.format(one), token=other, accept=accept)
        none = house.ask("generate", "GET", path.format(ABSENT), token=other, accept=accept)
        asked += 1
        if shown(got) != shown(none):
            leaks.append((path, one[:12], got["statusCode"]))
    foreign: list[Any] = []
    forged: list[Any] = []
    for offer in (made, open_):
        for prompt in (offer.prompt, "another"):
            for quote, seen in ((offer.quote, foreign), (resigned(offer.quote), forged)):
                body = {"quote": quote, "prompt": prompt}
                answer = house.ask("generate", "POST", "/generate-image", body, token=other)
                seen.append(shown(answer))
                asked += 1
    board.show(
        "S3a",
        "two users x every route x every id: foreign is answered as absent, same status and body",
        f"{asked} requests, {len(leaks)} differ {leaks or ''}; a foreign quote and a forged one: "
        f"{sorted({one[0] for one in foreign})}, the same: {foreign == forged}",
        passes=not leaks and foreign == forged and house.service.writes == before,
    )


def resigned(quote: str) -> str:
    """Return the quote with a signature that is nobody's."""
    return quote.rpartition(".")[0] + "." + base64.urlsafe_b64encode(bytes(32)).decode()[:-1]


def test_no_answer_to_one_user_tells_of_another(house: House, board: Board) -> None:
    people = {name: house.forge.good(sub=name) for name in ("one", "two")}
    offers = {name: house.service.estimate(f"{name}-secret", house.user(name)) for name in people}
    house.service.confirm(offers["one"], house.user("one"))
    requests = [
        ("estimate", "POST", "/estimate", {"prompt": "mine"}),
        ("estimate", "GET", "/models", None),
        ("generate", "GET", "/usage", None),
        ("generate", "POST", "/generate-image", {"quote": offers["two"].quote, "prompt": "x"}),
        ("health", "GET", "/health-check/image-providers", None),
    ]
    answers = [house.ask(*one, token=people["two"])["body"] for one in requests]
    one = offers["one"]
    marks = [one.quote_id, one.image_id, one.quote, one.prompt, house.user("one"), "secret"]
    leaks = [mark[:12] for mark, body in product(marks, answers) if mark in body]
    usage = json.loads(answers[2])
    board.show(
        "S3b",
        "nothing of one user in any answer to another",
        f"{len(answers)} routes x {len(marks)} marks: {len(leaks)} found; the other's usage shows "
        f"{usage['images']} images, {usage['spent']} USD",
        passes=not leaks and usage["images"] == 0 and usage["spent"] == "0.000000",
    )


def test_an_images_id_cannot_be_made_from_what_logs_and_answers_show(
    house: House, board: Board
) -> None:
    offer = house.service.estimate(PROMPT, house.user())
    house.service.confirm(offer, house.user())
    nonce, tail = offer.image_id[:24], offer.image_id[24:]
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    near = {
        tail[:place] + letter + tail[place + 1 :]
        for place in range(len(tail))
        for letter in letters
    } - {tail}
    found = [
        guess
        for guess in near
        if house.ask("generate", "GET", f"/images/{nonce}{guess}")["statusCode"] != 404
    ]
    known = house.ask("generate", "GET", f"/images/{offer.image_id}")["statusCode"]
    board.show(
        "S3c",
        "an image's id is the capability: no other id of 200 bits beside it opens anything",
        f"{len(near)} ids one letter away: {len(found)} open one; the id itself: {known}",
        passes=not found and known == 302,
    )
