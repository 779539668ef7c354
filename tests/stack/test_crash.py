"""The worker is killed on its way: in the end charged if and only if the image is stored."""

import contextlib
import os
import signal
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.stack.driver import Driver, Person
from tests.stack.proxy import Watch, watching

PAST_THE_LEASE = "400"


def is_put(method: str, path: str, body: bytes) -> bool:
    return method == "PUT" and "/img/" in path


def is_settle(method: str, path: str, body: bytes) -> bool:
    return method == "POST" and b"UpdateExpression" in body and b'{"S": "D"}' in body


def kill_workers(endpoint: str) -> None:
    """End every instance that talks to this AWS as the machine under it would: without a word."""
    mark = f"AWS_ENDPOINT_URL={endpoint}".encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        if mark in variables(entry):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(entry.name), signal.SIGKILL)


def variables(process: Path) -> list[bytes]:
    """Return the environment of a process; that of a copy is in a file (``emulator_forks``)."""
    for place in (process / "cwd" / ".." / "environ", process / "environ"):
        with contextlib.suppress(OSError):
            return place.read_bytes().split(b"\0")
    return []


def stored(stack: Driver, quote_id: str) -> bool:
    found = stack.client("s3").list_objects_v2(Bucket=stack.urls["bucket"]).get("Contents", [])
    return any(one["Key"].endswith(quote_id) for one in found)


def held_or_charged(person: Person) -> str:
    """Return the dollars that are held or charged."""
    usage = person.usage()
    return str(Decimal(usage["spent"]) + Decimal(usage["reserved"]))


@pytest.mark.parametrize(
    ("step", "matches", "after", "is_stored"),
    [
        ("before the put", is_put, False, False),
        ("after the put", is_put, True, True),
        ("before the settle", is_settle, False, True),
        ("after the settle", is_settle, True, True),
    ],
)
def test_killed_then_reconciled_is_charged_if_and_only_if_stored(
    stack: Driver, step: str, matches: Any, after: bool, is_stored: bool
) -> None:
    person = stack.person()
    offer = person.estimate(quality="high", provider="openai").json
    watch = Watch(matches, kill_workers, after=after)
    with (
        watching(stack.urls["awsEndpoint"], watch) as proxy,
        stack.configured("generate", AWS_ENDPOINT_URL=proxy),
    ):
        assert person.confirm(offer).status >= 500
    assert watch.hits == 1
    assert stored(stack, offer["quoteId"]) is is_stored
    # Until the settlement the hold is what the dearest fallback would cost.
    assert held_or_charged(person) == (
        offer["price"]["ceiling"] if matches is is_put else "0.052700"
    )

    with stack.configured("generate", CLOCK_OFFSET_SECONDS=PAST_THE_LEASE):
        first = stack.invoke("generate", {"task": "reconcile"})
        second = stack.invoke("generate", {"task": "reconcile"})
        usage = person.usage()
        again = person.confirm(offer)
    print(f"\nkilled {step}: stored {is_stored}, reconciled {first}, spent {usage['spent']}")
    assert usage["spent"] == ("0.052700" if is_stored else "0.000000")
    assert usage["images"] == int(is_stored)
    assert second == {"settled": 0, "released": 0, "users": 0}
    # The same quote: the stored image, or a new try that is charged once.
    assert (again.status, again.json["id"]) == (200, offer["imageId"])
    assert stored(stack, offer["quoteId"])
    drawn = stack.counts("openai")["images"]
    assert drawn == (1 if is_stored else 2)


@pytest.mark.parametrize(
    ("step", "matches", "after"),
    [
        ("before a put", is_put, False),
        ("after a put", is_put, True),
        ("before a settle", is_settle, False),
        ("after a settle", is_settle, True),
    ],
)
def test_a_call_for_several_images_that_is_killed_is_completed_by_its_repetition(
    stack: Driver, step: str, matches: Any, after: bool
) -> None:
    person = stack.person()
    url = f"{stack.urls['generateUrl']}/v1/images/generations"
    body = {"prompt": "A red fox", "model": "openai-high", "n": 3, "response_format": "url"}
    key = {"Idempotency-Key": "order-72"}
    watch = Watch(matches, kill_workers, after=after)
    with (
        watching(stack.urls["awsEndpoint"], watch) as proxy,
        stack.configured("generate", AWS_ENDPOINT_URL=proxy),
    ):
        assert person.call("POST", url, body, **key).status >= 500
    # Each is charged, or still held for what the dearest fallback would cost.
    assert Decimal("0.158100") <= Decimal(held_or_charged(person)) <= Decimal("0.180000")

    with stack.configured("generate", CLOCK_OFFSET_SECONDS=PAST_THE_LEASE):
        again = person.call("POST", url, body, **key)
        third = person.call("POST", url, body, **key)
        usage = person.usage()
    print(f"\nkilled {step}: drawn {stack.counts('openai')['images']}")
    assert again.status == third.status == 200, again.text
    images = [one["imageId"] for one in again.json["imagegen"]["images"]]
    assert len(set(images)) == 3
    assert images == [one["imageId"] for one in third.json["imagegen"]["images"]]
    assert third.headers["x-imagegen-charged"] == "0.158100"
    assert (usage["images"], usage["spent"]) == (3, "0.158100")
    assert 3 <= stack.counts("openai")["images"] <= 6
