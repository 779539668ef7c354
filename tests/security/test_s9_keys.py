"""S9: no key for programs but those that were made gets in, and inventing them costs nothing."""

import gc
import io
import json
import random
import secrets
import string
import tracemalloc
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace

from imagegen.domain.callers import ADMIN, CHAT, ESTIMATE, IMAGES, PEOPLE
from imagegen.domain.errors import UnauthorizedError
from imagegen.domain.keys import KeyLine, key_id, key_text
from imagegen.logs import logger
from imagegen.usecases.program_keys import KeyOrder, KeyRing, MadeKey
from imagegen.wire.headers import ON_BEHALF_OF
from tests.fakes.service import IMAGE_ID_KEY
from tests.security.board import Board
from tests.security.conftest import House

CHANGED = 10_000
ALPHABET = string.ascii_lowercase + "234567"
ALL = frozenset({ESTIMATE, IMAGES, CHAT, PEOPLE, ADMIN})
ODD = "=-_. \0\t1890é\u202eA/+"


def ring(house: House) -> KeyRing:
    service = house.service
    return KeyRing(service.program_keys, lambda: IMAGE_ID_KEY, service.clock, secrets.token_bytes)


def make(house: House, **changes: object) -> MadeKey:
    order = KeyOrder("a tool", ALL, KeyLine(5_000_000))
    return ring(house).create(replace(order, **changes), "operator")  # type: ignore[arg-type]


def changed_once(text: str, rng: random.Random) -> str:
    """Return a key with a change of a kind that a hand, a form or an attacker makes."""
    place = rng.randrange(len(text) + 1)
    end = min(len(text), place + rng.randint(1, 9))
    return rng.choice(
        (
            text[:place] + rng.choice(ALPHABET) + text[end:],
            text[:place] + rng.choice(ODD) + text[place:],
            text[:place] + text[end:],
            text[:place] + text[place:end].upper() + text[end:],
            text[:place] + text[place:end][::-1] + text[end:],
            text + _any(rng.randint(1, 64), rng),
            text[:11] + _any(56, rng),
            f"ik_{_any(64, rng)}",
            text[:3] + _any(8, rng) + text[11:],
            text[:-5] + _any(5, rng),
        )
    )


def _any(count: int, rng: random.Random) -> str:
    return "".join(rng.choices(ALPHABET, k=count))


def test_of_ten_thousand_changed_keys_none_gets_in(house: House, board: Board) -> None:
    made, rng, statuses = make(house), random.Random(20261126), Counter[int]()
    assert house.ask("generate", "GET", "/usage", token=made.text)["statusCode"] == 200
    reads = house.service.program_keys.reads
    tried = 0
    while tried < CHANGED:
        text = made.text
        for _ in range(rng.randint(1, 3)):
            text = changed_once(text, rng) or "ik_"
        # A blank at its end is no part of a header's value.
        if text.strip() != made.text:
            tried += 1
            statuses[house.ask("generate", "GET", "/usage", token=text)["statusCode"]] += 1
    looked_up = house.service.program_keys.reads - reads
    board.show(
        "S9a",
        "10,000 changed keys: 0 accepted, all 401, and none of them looked up",
        f"{tried} tried: {dict(statuses)}; {looked_up} looked up",
        passes=statuses == {401: CHANGED} and looked_up == 0,
    )


def test_invented_keys_that_pass_the_check_fill_no_memory(house: House, board: Board) -> None:
    # Only who has the key of the check could send these.
    forged = [
        key_text(key_id(number.to_bytes(5)), bytes(32), IMAGE_ID_KEY) for number in range(3_000)
    ]
    answer = house.ask("estimate", "GET", "/models", token=forged[0])
    verifier = house.service.functions.key_verifier

    def knock(text: str) -> int:
        try:
            verifier.verify(text, needed=ESTIMATE, person=None)
        except UnauthorizedError:
            return 1
        return 0

    for text in forged[:600]:
        knock(text)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    refused = sum(knock(text) for text in forged)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    board.show(
        "S9b",
        "3,000 keys that pass the check and are not stored: all refused, memory stays",
        f"{refused} refused, the first with {answer['statusCode']}; {grown / 1024:.0f} KB more",
        passes=refused == len(forged) and answer["statusCode"] == 401 and grown < 500_000,
    )


def test_no_line_and_no_answer_has_a_key(house: House, board: Board) -> None:
    keys = [make(house), make(house, scopes=frozenset({ESTIMATE}))]
    revoked = make(house)
    ring(house).revoke(revoked.key.id)
    out, answers = io.StringIO(), []
    handler = logger.registered_handler
    stream = handler.stream  # type: ignore[attr-defined]
    handler.setStream(out)  # type: ignore[attr-defined]
    try:
        with redirect_stdout(out), redirect_stderr(out):
            for made in (*keys, revoked):
                text = made.text
                for given in (text, text[:-1], f"{text}a", text.upper(), f"{text}, {text}"):
                    answers.append(house.ask("generate", "GET", "/usage", token=given))
                    answers.append(house.ask("chat", "POST", "/chat", {"x": text}, token=given))
                    answers.append(house.ask("generate", "POST", f"/{text}", token=given))
                    answers.append(house.ask("estimate", "GET", "/models", x_api_key=given))
                    named = {ON_BEHALF_OF: f"{text} {text * 4}"}
                    answers.append(house.ask("generate", "GET", "/usage", token=given, **named))
                    body = {"prompt": "a fox", "model": text}
                    path = "/v1/images/generations"
                    answers.append(house.ask("generate", "POST", path, body, token=given))
    finally:
        handler.setStream(stream)  # type: ignore[attr-defined]
    secret = [made.text[11:40] for made in (*keys, revoked)]
    logged = sum(out.getvalue().lower().count(one) for one in secret)
    headers = json.dumps([one["headers"] for one in answers])
    shown = sum(headers.count(one) for one in secret)
    told = [
        one["body"]
        for one in answers
        if any(part in one["body"] for part in secret) and "model" not in one["body"]
    ]
    board.show(
        "S9c",
        "no key in a line or in a header, nor in the body of any refusal of it",
        f"{len(answers)} answers, {len(out.getvalue().splitlines())} lines: "
        f"{logged} in lines, {shown} in headers, {len(told)} in bodies",
        passes=(logged, shown, told) == (0, 0, []),
    )
