"""``Prefer: respond-async``: the answer of the click, and the invocation that makes the image."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.domain.errors import QuoteError, StoreUnavailableError
from imagegen.domain.ids import log_name
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import Moderation
from imagegen.edge.background import BackgroundRunError, in_background
from imagegen.edge.events import MAKE_IMAGES, prefers_async, task_of
from tests.fakes.faults import Fault
from tests.fakes.service import IMAGE_ID_KEY
from tests.handlers.conftest import Functions

ENDED = {"ended": 1, "failed": 0, "ignored": 0}
FAILED = {"ended": 0, "failed": 1, "ignored": 0}
IGNORED = {"ended": 0, "failed": 0, "ignored": 1}
SECRET_PROMPT = "a fox named Quercus in the snow"
PREFERRED = {
    "alone": "respond-async",
    "in capitals": "Respond-Async",
    "with a wait": "respond-async, wait=10",
    "behind others": 'return=minimal,wait=5 , handling="lenient",respond-async',
    "with a parameter": "respond-async; foo=bar",
    "with an empty value": 'respond-async=""',
    "with an equals sign alone": "respond-async=",
    "behind a quoted comma": 'foo="a,\\"b", respond-async',
    "in spaces and tabs": "\t respond-async \t",
    "twice": "respond-async, respond-async",
    "behind nothing": ",, respond-async",
}
NOT_PREFERRED = {
    "nothing": "",
    "another preference": "return=representation",
    "only a wait": "wait=30",
    "with a value": "respond-async=no",
    "in a quoted value": 'foo="a, respond-async"',
    "as a value": "foo=respond-async",
    "as a parameter": "foo; respond-async",
    "as a part of a name": "respond-asynchronously, x-respond-async",
    "half a quotation": 'foo="a, respond-async',
    "its first value counts": "respond-async=never, respond-async",
}


@pytest.mark.parametrize("prefer", PREFERRED.values(), ids=PREFERRED)
def test_the_preference_is_read_in_every_spelling_of_the_rfc(prefer: str) -> None:
    assert prefers_async(prefer)


@pytest.mark.parametrize("prefer", NOT_PREFERRED.values(), ids=NOT_PREFERRED)
def test_what_is_not_the_preference_changes_nothing(prefer: str) -> None:
    assert not prefers_async(prefer)


@given(st.text(max_size=60))
def test_no_header_is_an_error(prefer: str) -> None:
    assert prefers_async(prefer) in (True, False)


def clicked(functions: Functions, user: str, prefer: str | None = "respond-async") -> Any:
    offer = functions.service.estimate(SECRET_PROMPT, user)
    return click(functions, offer.quote, prefer), offer


def click(functions: Functions, quote: str, prefer: str | None) -> dict[str, Any]:
    return click_with(functions, {"quote": quote, "prompt": SECRET_PROMPT}, prefer)


def click_with(functions: Functions, body: Any, prefer: str | None) -> dict[str, Any]:
    event = functions.event("generate/confirmed", QUOTE="")
    event["body"] = json.dumps(body)
    event["headers"].pop("content-length", None)
    if prefer is not None:
        event["headers"]["Prefer"] = prefer
    return functions.invoke("generate", event)


def test_the_click_is_answered_with_the_address_of_the_status(
    functions: Functions, user: str
) -> None:
    answer, offer = clicked(functions, user)
    assert answer["statusCode"] == 202
    headers = answer["headers"]
    assert headers["Preference-Applied"] == "respond-async"
    assert headers["Location"].endswith(f"/images/{offer.image_id}")
    assert headers["Location"].startswith("http")
    assert int(headers["Retry-After"]) > 0
    body = json.loads(answer["body"])
    assert (body["id"], body["status"], body["charged"]) == (offer.image_id, "generating", False)
    assert not functions.service.called


def test_the_event_makes_it_and_the_same_click_gets_it(functions: Functions, user: str) -> None:
    _, offer = clicked(functions, user)
    (event,) = functions.service.events
    assert functions.invoke("generate", json.loads(event)) == ENDED
    assert functions.invoke("generate", json.loads(event)) == IGNORED
    for prefer in ("respond-async", None):
        answer = click(functions, offer.quote, prefer)
        assert answer["statusCode"] == 200
        assert "Preference-Applied" not in answer["headers"]
    assert len(functions.service.called) == 1
    functions.service.new_process()
    functions.service.check_charged_iff_stored(user)


def test_without_the_preference_a_running_image_is_answered_without_it(
    functions: Functions, user: str
) -> None:
    _, offer = clicked(functions, user)
    answer = click(functions, offer.quote, None)
    assert answer["statusCode"] == 202
    assert "Preference-Applied" not in answer["headers"]
    assert answer["headers"]["Location"].endswith(f"/images/{offer.image_id}")


def test_a_limit_is_answered_at_once(functions: Functions, user: str) -> None:
    functions.service.ledgers.ledgers[user] = blocked()
    answer, _ = clicked(functions, user)
    assert (answer["statusCode"], json.loads(answer["body"])["charged"]) == (429, False)
    assert not functions.service.events


def blocked() -> Any:
    from imagegen.domain.ledger import Ledger  # noqa: PLC0415

    return Ledger(blocked=True)


@pytest.mark.parametrize("path", ["/v1/images/generations", "/usage"])
def test_other_routes_pass_the_preference_over(functions: Functions, path: str) -> None:
    name = "generate/openai-image" if path.startswith("/v1") else "generate/usage"
    event = functions.event(name)
    event["headers"]["prefer"] = "respond-async"
    answer = functions.invoke("generate", event)
    assert answer["statusCode"] == 200
    assert "Preference-Applied" not in answer["headers"]
    assert not functions.service.events


# The invocation of its own.


@pytest.mark.parametrize("part", ["body", "query", "headers", "top"])
def test_no_request_to_the_url_is_taken_for_an_event(
    functions: Functions, user: str, part: str
) -> None:
    clicked(functions, user)
    forged = json.loads(functions.service.events[0])
    event = functions.event("generate/confirmed", QUOTE="q1.k1.x.y")
    if part == "body":
        event["body"] = json.dumps(forged)
    elif part == "query":
        event["rawQueryString"] = f"task={forged['task']}"
        event["queryStringParameters"] = forged
    elif part == "headers":
        event["headers"] |= forged
    else:
        # Lambda never writes this: what a caller sends is below names of Lambda's own.
        event |= forged
    assert task_of(event) is None
    answer = functions.invoke("generate", event)
    assert answer["statusCode"] >= 400
    assert not functions.service.called
    assert functions.invoke("generate", forged) == ENDED


WAITING_IMAGE = {"hold": "wait-1", "quote": "q2.k1.x.y"}
BROKEN: dict[str, dict[str, Any]] = {
    "nothing else": {},
    "no image": {"images": [], "prompt": SECRET_PROMPT},
    "no quote": {"images": [{"hold": "wait-1"}], "prompt": SECRET_PROMPT},
    "a field too many": {"images": [WAITING_IMAGE], "prompt": SECRET_PROMPT, "user": "me"},
    "a run's hold": {"images": [{**WAITING_IMAGE, "hold": "abcdef"}], "prompt": SECRET_PROMPT},
    "other types": {"images": {"0": WAITING_IMAGE}, "prompt": {"text": SECRET_PROMPT}},
    "too many images": {"images": [WAITING_IMAGE] * 11, "prompt": SECRET_PROMPT},
    "an empty prompt": {"images": [WAITING_IMAGE], "prompt": " "},
}


@pytest.mark.parametrize("fields", BROKEN.values(), ids=BROKEN)
def test_a_broken_event_is_ignored_and_not_logged(
    functions: Functions, capsys: pytest.CaptureFixture[str], fields: dict[str, Any]
) -> None:
    assert functions.invoke("generate", {"task": MAKE_IMAGES, **fields}) == IGNORED
    assert "Quercus" not in capsys.readouterr().out
    assert not functions.service.called


def test_a_refused_prompt_is_no_error_of_the_function(functions: Functions, user: str) -> None:
    assert functions.service.moderator is not None
    functions.service.moderator.verdict = Moderation(flagged=True, categories=("violence",))
    _, offer = clicked(functions, user)
    event = json.loads(functions.service.events[0])
    assert functions.invoke("generate", event) == FAILED
    status, body = functions.answer("generate/image-status", IMAGE_ID=offer.image_id)
    assert (status, body["status"], body["code"]) == (200, "failed", "content_refused")


def test_a_failure_of_all_models_is_logged_without_prompt_and_quote(
    functions: Functions, user: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in functions.service.providers:
        functions.service.react(name, Outcome.UNAVAILABLE)
    _, offer = clicked(functions, user)
    event = functions.service.events[0]
    assert functions.invoke("generate", json.loads(event)) == FAILED
    lines = capsys.readouterr().out
    assert '"code":"generation_failed"' in lines
    assert f'"user":"{log_name(user, IMAGE_ID_KEY)}"' in lines
    assert "Quercus" not in lines
    assert offer.quote not in lines


def test_no_line_about_an_event_has_its_quotes_names_or_prompt(
    functions: Functions, user: str, capsys: pytest.CaptureFixture[str]
) -> None:
    made = functions.service.make(user=user)
    offer = functions.service.estimate(
        SECRET_PROMPT, user, inputs=[{"image": functions.service.image_id(made)}]
    )
    assert offer.quote.startswith("q2.")
    answer = click(functions, offer.quote, "respond-async")
    (event,) = functions.service.events
    name = json.loads(event)["images"][0]["hold"]
    assert functions.invoke("generate", json.loads(event)) == ENDED
    assert functions.invoke("generate", {**json.loads(event), "prompt": "other"}) == FAILED
    printed = capsys.readouterr()
    for text in (printed.out, printed.err, answer["body"]):
        assert "Quercus" not in text
        assert offer.quote[:40] not in text
        assert name not in text


def test_a_bug_is_counted_without_its_text(
    functions: Functions, user: str, capsys: pytest.CaptureFixture[str]
) -> None:
    clicked(functions, user)

    def fails(_ms: int) -> None:
        raise KeyError(SECRET_PROMPT)

    for one in functions.service.providers.values():
        one.sleep = fails
    with pytest.raises(BackgroundRunError, match=r"^internal_error$") as found:
        functions.invoke("generate", json.loads(functions.service.events[0]))
    assert found.value.__cause__ is None
    assert found.value.__suppress_context__, "a traceback would print the errors behind it"
    assert "Quercus" not in capsys.readouterr().out
    assert functions.service.spent(user) == 0


def test_a_bug_before_any_image_is_counted_without_its_text(
    functions: Functions, user: str, capsys: pytest.CaptureFixture[str]
) -> None:
    clicked(functions, user)

    def run() -> Sequence[object]:
        raise KeyError(SECRET_PROMPT)

    with pytest.raises(BackgroundRunError, match=r"^internal_error$"):
        in_background(run)
    assert "Quercus" not in capsys.readouterr().out


def test_an_event_that_is_refused_as_a_whole_is_one_failure_and_no_fault_of_the_function() -> None:
    def run() -> Sequence[object]:
        raise QuoteError("It is not a quote of this service.")

    assert in_background(run) == FAILED


def test_a_set_is_answered_with_each_of_its_images_and_ends_with_all(
    functions: Functions, user: str
) -> None:
    offer = functions.service.estimate(SECRET_PROMPT, user, count=3)
    body = {"quotes": offer.quotes, "prompt": SECRET_PROMPT}
    answer = click_with(functions, body, "respond-async")
    images = json.loads(answer["body"])["images"]
    assert (answer["statusCode"], answer["headers"]["Retry-After"]) == (202, "2")
    assert answer["headers"]["Preference-Applied"] == "respond-async"
    assert "Location" not in answer["headers"], "each image has an address of its own"
    assert [one["id"] for one in images] == list(offer.image_ids)
    assert {(one["status"], one["charged"]) for one in images} == {("generating", False)}
    (event,) = functions.service.events
    assert functions.invoke("generate", json.loads(event)) == {**ENDED, "ended": 3}
    again = click_with(functions, body, "respond-async")
    assert (again["statusCode"], "Preference-Applied" in again["headers"]) == (200, False)
    functions.service.new_process()
    functions.service.check_charged_iff_stored(user)


def test_an_event_that_cannot_be_sent_is_answered_with_what_an_operator_needs_in_the_log(
    functions: Functions, user: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(_event: str) -> None:
        error = StoreUnavailableError("It could not be begun.", retry_after_seconds=2)
        error.hint = "AccessDeniedException"
        raise error

    background = replace(functions.service.functions.background, send=refused)
    functions.service.functions.__dict__["background"] = background
    answer, _ = clicked(functions, user)
    problem = json.loads(answer["body"])
    assert (answer["statusCode"], problem["code"]) == (503, "store_unavailable")
    assert (problem["charged"], problem["retryable"]) == (False, True)
    assert "AccessDenied" not in answer["body"]
    assert '"hint":"AccessDeniedException"' in capsys.readouterr().out
    assert functions.service.spent(user) == 0


def test_a_ledger_that_is_away_is_counted_and_the_hold_ends_with_its_lease(
    functions: Functions, user: str
) -> None:
    _, offer = clicked(functions, user)
    functions.service.new_process()
    functions.service.wire.faults = dict.fromkeys(range(3), Fault.BEFORE)
    with pytest.raises(BackgroundRunError, match="store_unavailable"):
        functions.invoke("generate", json.loads(functions.service.events[0]))
    functions.service.new_process()
    functions.service.clock.advance(90_001)
    _, body = functions.answer("generate/image-status", IMAGE_ID=offer.image_id)
    assert (body["status"], body["retryable"], body["charged"]) == ("failed", True, False)
    assert functions.service.spent(user) == 0
