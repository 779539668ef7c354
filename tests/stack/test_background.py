"""``Prefer: respond-async`` on the deployed stack: answered at once, made once, charged once."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from tests.stack.driver import Answer, Driver, Person
from tests.stack.proxy import Watch, watching
from tests.stack.test_crash import PAST_THE_LEASE, is_put, kill_workers, stored

PREFER = {"Prefer": "respond-async, wait=1"}
PATIENCE, PAUSE_SECONDS = 240, 0.5
PRICE = "0.052700"
IGNORED = {"ended": 0, "failed": 0, "ignored": 1}


class Events(list[dict[str, Any]]):
    """The events that a function sends to itself, as they come by."""

    def see(self, method: str, path: str, body: bytes) -> bool:
        is_event = method == "POST" and "/invocations" in path
        if is_event:
            self.append(json.loads(body))
        return is_event

    def only_see(self, method: str, path: str, body: bytes) -> bool:
        self.see(method, path, body)
        return False


def click(person: Person, offer: Mapping[str, Any]) -> Answer:
    which = {"quote": offer["quote"]} if offer["quote"] else {"quotes": offer["quotes"]}
    url = f"{person.stack.urls['generateUrl']}/generate-image"
    return person.call("POST", url, {**which, "prompt": offer["prompt"]}, **PREFER)


def ended(person: Person, image_id: str) -> dict[str, Any]:
    for _ in range(PATIENCE):
        status = person.status(image_id)
        if status.status == 200 and status.json["status"] != "generating":
            return status.json
        time.sleep(PAUSE_SECONDS)
    raise TimeoutError("the image does not end")


def test_it_is_answered_at_once_and_made_and_charged_once(stack: Driver) -> None:
    person, events = stack.person(), Events()
    offer = person.estimate(quality="high", provider="openai").json
    with (
        watching(stack.urls["awsEndpoint"], Watch(events.only_see, print, after=True)) as proxy,
        stack.configured("generate", AWS_ENDPOINT_URL=proxy),
    ):
        first = click(person, offer)
        assert first.status == 202, first.text
        assert first.headers["preference-applied"] == "respond-async"
        assert first.headers["location"].endswith(f"/images/{offer['imageId']}")
        assert first.headers["retry-after"]
        assert first.json["status"] == "generating"
        assert first.json["charged"] is False
        status = ended(person, offer["imageId"])
    assert (status["status"], status["charged"]) == ("complete", True)
    assert len(events) == 1
    # The same event again, the same quote again with and without the preference.
    assert stack.invoke("generate", events[0]) == IGNORED
    for again in (click(person, offer), person.confirm(offer)):
        assert (again.status, again.json["id"]) == (200, offer["imageId"])
    usage = person.usage()
    assert (usage["images"], usage["spent"]) == (1, PRICE)
    assert stack.counts("openai")["images"] == 1


def test_an_event_after_its_lease_makes_and_charges_nothing(stack: Driver) -> None:
    person, events = stack.person(), Events()
    offer = person.estimate(quality="high", provider="openai").json
    with (
        watching(stack.urls["awsEndpoint"], Watch(events.see, kill_workers, after=False)) as proxy,
        stack.configured("generate", AWS_ENDPOINT_URL=proxy),
    ):
        assert click(person, offer).status >= 500
    assert person.usage()["reserved"] == offer["price"]["ceiling"]
    with stack.configured("generate", CLOCK_OFFSET_SECONDS=PAST_THE_LEASE):
        assert stack.invoke("generate", events[0]) == IGNORED
        status = person.status(offer["imageId"]).json
        usage = person.usage()
    assert (status["status"], status["code"]) == ("failed", "generation_abandoned")
    assert (status["charged"], usage["spent"], usage["images"]) == (False, "0.000000", 0)
    assert stack.counts("openai")["images"] == 0


def test_an_event_that_cannot_be_sent_is_not_charged_and_the_quote_stays_good(
    stack: Driver,
) -> None:
    person, events = stack.person(), Events()
    offer = person.estimate(quality="high", provider="openai").json
    with (
        watching(stack.urls["awsEndpoint"], Watch(events.see, print, after=False)) as proxy,
        stack.configured("generate", AWS_ENDPOINT_URL=proxy),
    ):
        failed = click(person, offer)
    assert (failed.status, failed.json["code"]) == (503, "store_unavailable")
    assert (failed.json["charged"], failed.json["retryable"]) == (False, True)
    assert stack.invoke("generate", events[0]) == IGNORED
    assert person.usage()["spent"] == "0.000000"
    assert click(person, offer).status == 202
    assert ended(person, offer["imageId"])["status"] == "complete"
    assert person.usage()["spent"] == PRICE


def test_a_lost_answer_to_the_event_ends_with_one_image_or_none_and_that_charge(
    stack: Driver,
) -> None:
    person, events = stack.person(), Events()
    offer = person.estimate(quality="high", provider="openai").json
    with (
        watching(stack.urls["awsEndpoint"], Watch(events.see, print, after=True)) as proxy,
        stack.configured("generate", AWS_ENDPOINT_URL=proxy),
    ):
        answer = click(person, offer)
        status = ended(person, offer["imageId"])
    assert len(events) == 2, "the SDK sends it once more"
    assert answer.status in (200, 202, 503)
    made = status["status"] == "complete"
    assert made is (answer.status != 503)
    assert stored(stack, offer["quoteId"]) is made
    assert person.usage()["spent"] == (PRICE if made else "0.000000")
    assert stack.counts("openai")["images"] == int(made)


def test_a_set_with_an_input_is_held_at_once_and_made_by_one_event(stack: Driver) -> None:
    person, events = stack.person(), Events()
    made = person.make(quality="high", provider="openai").json
    spent = person.usage()["spent"]
    offer = person.estimate(
        "Make the fox blue",
        quality="high",
        provider="openai",
        count=3,
        inputs=[{"image": made["id"], "role": "edit"}],
    ).json
    with (
        watching(stack.urls["awsEndpoint"], Watch(events.only_see, print, after=True)) as proxy,
        stack.configured("generate", AWS_ENDPOINT_URL=proxy),
    ):
        first = click(person, offer)
        assert first.status == 202, first.text
        assert first.headers["preference-applied"] == "respond-async"
        images = first.json["images"]
        assert {(one["status"], one["charged"]) for one in images} == {("generating", False)}
        assert [one["id"] for one in images] == offer["imageIds"]
        ends = [ended(person, one["id"]) for one in images]
    assert {(one["status"], one["charged"]) for one in ends} == {("complete", True)}
    assert len(events) == 1
    assert stack.invoke("generate", events[0]) == {"ended": 0, "failed": 0, "ignored": 3}
    again = click(person, offer)
    assert (again.status, "preference-applied" in again.headers) == (200, False)
    charged = [one["image"]["cost"]["charged"] for one in again.json["images"]]
    assert Decimal(person.usage()["spent"]) == Decimal(spent) + sum(map(Decimal, charged))
    assert person.usage()["images"] == 4
    assert stack.counts("openai")["images"] == 4


def test_a_run_that_is_killed_in_the_background_is_charged_if_and_only_if_stored(
    stack: Driver,
) -> None:
    person = stack.person()
    for matches, after, is_stored in ((is_put, False, False), (is_put, True, True)):
        offer = person.estimate(quality="high", provider="openai").json
        before = Decimal(person.usage()["spent"])
        watch = Watch(matches, kill_workers, after=after)
        with (
            watching(stack.urls["awsEndpoint"], watch) as proxy,
            stack.configured("generate", AWS_ENDPOINT_URL=proxy),
        ):
            assert click(person, offer).status == 202
            wait_for_hit(watch)
        with stack.configured("generate", CLOCK_OFFSET_SECONDS=PAST_THE_LEASE):
            status = person.status(offer["imageId"]).json
            spent = Decimal(person.usage()["spent"]) - before
        assert status["status"] == ("complete" if is_stored else "failed")
        assert status["charged"] is is_stored is stored(stack, offer["quoteId"])
        assert spent == (Decimal(PRICE) if is_stored else 0)


@contextmanager
def not_allowed_to_invoke(stack: Driver) -> Iterator[None]:
    """Take the policy by which the function may invoke itself away for the length of the block."""
    iam, physical = stack.client("iam"), stack.urls["functions"]["generate"]
    arn = stack.client("lambda").get_function_configuration(FunctionName=physical)["Role"]
    at = {"RoleName": arn.rpartition("/")[2], "PolicyName": "generate-self"}
    document = iam.get_role_policy(**at)["PolicyDocument"]
    iam.delete_role_policy(**at)
    try:
        yield
    finally:
        iam.put_role_policy(**at, PolicyDocument=json.dumps(document))


def test_without_the_right_to_invoke_itself_nothing_is_held_or_charged(stack: Driver) -> None:
    person = stack.person()
    offer = person.estimate(quality="high", provider="openai").json
    with not_allowed_to_invoke(stack):
        failed = click(person, offer)
    assert (failed.status, failed.json["code"]) == (503, "store_unavailable")
    assert (failed.json["charged"], failed.json["retryable"]) == (False, True)
    usage = person.usage()
    assert (usage["spent"], usage["reserved"]) == ("0.000000", "0.000000")
    assert click(person, offer).status == 202
    assert ended(person, offer["imageId"])["status"] == "complete"
    assert person.usage()["spent"] == PRICE


def wait_for_hit(watch: Watch) -> None:
    for _ in range(PATIENCE):
        if watch.hits:
            return
        time.sleep(PAUSE_SECONDS)
    raise TimeoutError("no request was held up")
