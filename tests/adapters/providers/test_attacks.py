"""Answers that no vendor documents, to every adapter: what holds whatever comes back.

An adapter raises nothing but ``ProviderError``, sells nothing but an image, orders once, sends its
key nowhere else, and closes a provider for no success.
"""

import base64
import json
import math
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imagegen.domain.breaker import EFFECTS, Effect
from imagegen.domain.call_errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageProvider
from imagegen.providers import PROVIDERS
from imagegen.providers.pictures import decoded_image, is_image
from tests.adapters.providers.adapters import build_adapter, order_for, texts_of
from tests.adapters.providers.loopback import (
    PNG,
    Loopback,
    Port,
    Reply,
    ToolUse,
    Wire,
    image_reply,
    json_reply,
)
from tests.adapters.providers.test_polling import Time
from tests.vendors import vendor

SECONDS = 20
CLOSES = {Effect.TRIP, Effect.TRIP_MODEL}
GIF = base64.b64encode(
    b"GIF89a\x01\x00\x01\x00\x00\xff\x00,\x00\x00\x00\x00\x01\x00\x01\x00"
).decode()
every = pytest.mark.parametrize("name", PROVIDERS)


def recorded(name: str) -> list[dict[str, Any]]:
    """Return a recorded success: the answer to the order, and to each question for its job."""
    folder = Path(__file__).parent / "recorded" / name
    first = json.loads(min(folder.glob("success*.json")).read_text())
    return [{"status": 200, **one} for one in (first, *first.get("polls", []))]


def nodes(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of everything in a JSON value, the value itself first."""
    yield path
    found = enumerate(value) if isinstance(value, list) else ()
    for step, one in value.items() if isinstance(value, dict) else found:
        yield from nodes(one, (*path, step))


def changed(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Return a copy of a body with another value at a path."""
    if not path:
        return value
    copied = deepcopy(body)
    place = copied
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return copied


def at(body: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        body = body[step]
    return body


def is_picture(value: Any) -> bool:
    """Return whether a value is an image in base64, or the link to one."""
    return isinstance(value, str) and (
        value.startswith("{origin}/files/") or decoded_image(value) is not None
    )


def with_picture(name: str, value: Any) -> list[dict[str, Any]]:
    """Return a recorded success with something else in the place of its image."""
    answers = recorded(name)
    for answer in answers:
        for path in nodes(answer["body"]):
            if is_picture(at(answer["body"], path)):
                answer["body"] = changed(answer["body"], path, value)
                return answers
    raise AssertionError(f"the recorded success of {name} has no image")


def as_reply(answer: dict[str, Any], origin: str) -> Reply:
    text = json.dumps(answer["body"]).replace("{origin}", origin)
    return json_reply(answer["status"], text, answer.get("headers"))


def adapter(name: str, server: Loopback) -> ImageProvider:
    """Return the adapter; of a job that never ends, the time passes while it sleeps."""
    found: Any = build_adapter(name, server)
    if hasattr(found, "sleep"):
        time = Time()
        found = replace(found, clock=time.read, sleep=time.sleep)
    patient: ImageProvider = found
    return patient


def run(name: str, server: Loopback, *replies: Reply) -> bytes | ProviderError:
    """Return the image or the error that answers come to, the last of them for ever."""
    queue = list(replies)

    def script(asked: ToolUse, _wire: Wire) -> Reply:
        if asked.path.startswith("/files/"):
            return image_reply()
        if asked.path.startswith("/inwards/"):
            return Reply(302, {"Location": "http://169.254.169.254/latest/meta-data/"})
        return queue.pop(0) if len(queue) > 1 else queue[0]

    server.script = script
    server.asked.clear()
    try:
        content = adapter(name, server).generate(order_for(name), timeout_seconds=SECONDS)
    except ProviderError as error:
        check(error)
        found: bytes | ProviderError = error
    else:
        assert is_image(content.content)
        assert all(type(one) is int and one >= 0 for one in (content.usage or {}).values())
        assert content.job_id is None or re.fullmatch(r"[A-Za-z0-9_.:-]{1,80}", content.job_id)
        found = content.content
    orders = [one for one in server.asked if one.method == "POST" and "cancel" not in one.path]
    assert len(orders) == 1, "an order is sent once"
    return found


def check(error: ProviderError) -> None:
    """Hold what holds for every error."""
    wait = error.retry_after_seconds
    assert wait is None or 0 <= wait <= 3600
    assert "CANARY" not in texts_of(error)
    assert error.__cause__ is None


def failure(name: str, server: Loopback, *replies: Reply) -> ProviderError:
    found = run(name, server, *replies)
    assert isinstance(found, ProviderError)
    return found


JUNK = {
    "nothing": None,
    "an empty text": "",
    "a text": "x",
    "half a character": "\ud800",
    "a number": 7,
    "less than nothing": -1.5,
    "no number": math.nan,
    "without end": math.inf,
    "yes": True,
    "an empty list": [],
    "an object in a list": [{"url": None}],
    "an empty object": {},
    "a link with a name in it": "https://user:secret@127.0.0.1/1.png",
    "a deep list": json.loads("[" * 60 + "]" * 60),
}


@every
@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
def test_whatever_stands_in_a_field_it_is_an_image_or_an_error_that_closes_nobody(
    name: str, junk: Any, server: Loopback
) -> None:
    answers = recorded(name)
    for number, answer in enumerate(answers):
        for path in nodes(answer["body"]):
            wrong = {**answer, "body": changed(answer["body"], path, junk)}
            sent = [*answers[:number], wrong, *answers[number + 1 :]]
            found = run(name, server, *(as_reply(one, server.origin) for one in sent))
            if isinstance(found, ProviderError):
                assert EFFECTS[found.outcome] not in CLOSES, path


@every
@pytest.mark.parametrize(
    "value",
    [
        "https://user:secret@files.example.com/1.png",
        "{origin}/inwards/1.png",
        "http://169.254.169.254/latest/meta-data/",
        "https://[::1]/1.png",
        "https://metadata.internal:99999/1.png",
        "file:///etc/passwd",
        GIF,
        "undefined",
    ],
)
def test_what_leads_to_no_image_was_made_and_is_a_loss(
    name: str, value: str, server: Loopback
) -> None:
    answers = [as_reply(one, server.origin) for one in with_picture(name, value)]
    error = failure(name, server, *answers)
    assert (error.outcome, error.is_billed) == (Outcome.UNAVAILABLE, True)
    assert not any("secret" in one.path or one.path == "/1.png" for one in server.asked)


@every
@pytest.mark.parametrize(
    "value",
    [
        base64.encodebytes(PNG).decode(),
        base64.urlsafe_b64encode(PNG).decode().rstrip("="),
        f"data:image/gif;base64,{base64.b64encode(PNG).decode()}",
        f"\n {base64.b64encode(PNG).decode()} \n",
        "{origin}/files/1.png?signature=a%2Fb&x=1#part",
        [base64.b64encode(PNG).decode(), "{origin}/files/2.png"],
        {"url": "{origin}/files/1.png"},
    ],
    ids=["lines", "for URLs", "a data URI", "spaces", "a link", "two", "an object"],
)
def test_an_image_in_any_form_is_the_one_that_is_sold(
    name: str, value: Any, server: Loopback
) -> None:
    answers = [as_reply(one, server.origin) for one in with_picture(name, value)]
    assert run(name, server, *answers) == PNG


@every
@pytest.mark.parametrize("value", [None, "", [], {}, math.nan, 0, False])
def test_a_success_without_an_image_is_never_one(name: str, value: Any, server: Loopback) -> None:
    answers = [as_reply(one, server.origin) for one in with_picture(name, value)]
    error = failure(name, server, *answers)
    assert EFFECTS[error.outcome] is Effect.NONE or error.outcome is Outcome.UNKNOWN


@every
@pytest.mark.parametrize(
    "body",
    [
        b'{"data": [{"b64',
        b'[{"id": "r1", "status_url": "https',
        b"[" * 100_000,
        b'{"a": 1} {"b": 2}',
    ],
)
def test_a_success_that_is_cut_off_may_have_been_made(
    name: str, body: bytes, server: Loopback
) -> None:
    error = failure(name, server, Reply(200, {"Content-Type": "application/json"}, body))
    assert (error.outcome, error.is_billed) == (Outcome.NO_IMAGE, True)


@every
@pytest.mark.parametrize(
    ("said", "wait"),
    [
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3600),
        ("86400", 3600),
        ("-1", None),
        ("NaN", None),
        ("soon", None),
        ("Thu, 31 Feb 2026 00:00:00 GMT", None),
    ],
)
def test_a_wait_is_never_negative_nor_longer_than_an_hour(
    name: str, said: str, wait: int | None, server: Loopback
) -> None:
    headers = {"Date": "Thu, 26 Nov 2026 10:00:00 GMT", "Retry-After": said}
    body = vendor(name).error(429, "rate_limit_exceeded", "Too many requests.")
    error = failure(name, server, json_reply(429, body, headers))
    assert (error.outcome, error.retry_after_seconds) == (Outcome.RATE_LIMITED, wait)


@every
@pytest.mark.parametrize("status", [301, 303, 307, 308])
def test_no_redirect_of_an_order_is_followed(name: str, status: int, server: Loopback) -> None:
    reply = Reply(status, {"Location": f"{server.origin}/stolen"}, b"")
    error = failure(name, server, reply)
    assert EFFECTS[error.outcome] is Effect.NONE
    assert [one for one in server.asked if one.path.startswith("/stolen")] == []


@every
@pytest.mark.parametrize("status", [400, 418, 500, 503])
def test_an_image_with_the_status_of_an_error_is_not_sold(
    name: str, status: int, server: Loopback
) -> None:
    error = failure(name, server, Reply(status, {"Content-Type": "image/png"}, PNG))
    assert EFFECTS[error.outcome] not in CLOSES


@every
def test_a_teapot_is_an_error_of_ours(name: str, server: Loopback) -> None:
    body = vendor(name).error(418, "teapot", "I'm a teapot.")
    error = failure(name, server, json_reply(418, body))
    assert error.outcome is Outcome.BAD_PARAMETER
    assert not error.is_billed


NAMES = ("error", "detail", "code", "status", "data", "images", "url", "id", "message", "output")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(NAMES),
            inner,
            max_size=3,
        )
    ),
    max_leaves=10,
)
STATUSES = st.one_of(st.integers(200, 204), st.integers(300, 308), st.integers(400, 599))


@every
@given(status=STATUSES, body=VALUES, wait=st.text(max_size=8))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_answer_whatever_raises_anything_else(
    name: str, port: Port, status: int, body: Any, wait: str
) -> None:
    headers = {"Retry-After": "".join(one for one in wait if 32 < ord(one) < 127)}
    with port.serving() as server:
        found = run(name, server, json_reply(status, json.dumps(body), headers))
    assert isinstance(found, ProviderError)
    assert status < 300 or EFFECTS[found.outcome] not in CLOSES or status in range(400, 500)


def asked_for_free(name: str, server: Loopback, reply: Reply) -> None:
    """Ask everything that is free of charge, and hold what holds for its answers."""
    server.replies(reply)
    server.asked.clear()
    client: Any = adapter(name, server)
    for question in ("check_key", "models", "stated_prices"):
        orders = ([order_for(name)],) if question == "stated_prices" else ()
        ask = getattr(client, question, None)
        try:
            found = ask(*orders, timeout_seconds=SECONDS) if ask else None
        except ProviderError as error:
            check(error)
            continue
        if question == "stated_prices":
            assert all((one.microusd or 0) >= 0 for one in found or ())
    orders_sent = [one for one in server.asked if one.method == "POST"]
    assert all("dry_run=true" in one.path for one in orders_sent), "nothing is ordered"


@every
@given(status=STATUSES, body=VALUES)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_answer_to_a_free_question_raises_anything_else(
    name: str, port: Port, status: int, body: Any
) -> None:
    with port.serving() as server:
        asked_for_free(name, server, json_reply(status, json.dumps(body)))


@every
@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
def test_whatever_stands_in_a_price_or_a_list_of_models_it_breaks_nothing(
    name: str, junk: Any, server: Loopback
) -> None:
    model = order_for(name).model
    bodies: tuple[Any, ...] = (
        {"data": [{"id": model, "shutdown_date": junk}], "object": junk},
        {"prices": [{"endpoint_id": model, "unit_price": junk, "unit": "images"}]},
        {"prices": [{"endpoint_id": model, "unit_price": 0.07, "unit": junk, "currency": junk}]},
        {"object": "price_quote", "usd_micros": junk, "quantity": junk, "qualifier": junk},
        {"modelSummaries": [{"modelId": model, "modelLifecycle": junk}], "models": junk},
        {"models": [{"name": junk, "displayName": junk}], "nextPageToken": junk},
        [{"id": model, "pricing": {"image": junk}, "type": junk}],
        junk,
    )
    for body in bodies:
        asked_for_free(name, server, json_reply(200, json.dumps(body)))
