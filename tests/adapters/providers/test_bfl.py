"""A job of Black Forest Labs: its ticket, the questions for it, and what it cost."""

from dataclasses import replace
from typing import Any

import pytest

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageAnswer, ImageOrder
from imagegen.providers.bfl import RUNNING, STATES, BflProvider, classify, cost_of, ticket_of
from imagegen.providers.faults import HttpAnswer
from tests.adapters.providers.adapters import KEY, build_adapter, order_for
from tests.adapters.providers.loopback import (
    PNG,
    Loopback,
    Reply,
    ToolUse,
    Wire,
    image_reply,
    json_reply,
)
from tests.adapters.providers.test_polling import Time

BASE = "https://api.bfl.ai/v1"
JOB = "https://api.us1.bfl.ai/v1/get_result?id=t1"


def adapter(server: Loopback) -> BflProvider:
    found = build_adapter("bfl", server)
    assert isinstance(found, BflProvider)
    return found


def job(server: Loopback, status: str = "Ready", code: int = 200, **more: Any) -> Reply:
    result = {"sample": f"{server.origin}/files/1.jpeg"} if status == "Ready" else None
    return json_reply(code, {"id": "t1", "status": status, "result": result, **more})


def vendor_of(server: Loopback, *answers: Reply) -> None:
    """Accept the order, and answer each question with the next."""
    left = list(answers)

    def script(asked: ToolUse, _wire: Wire) -> Reply:
        if asked.path.startswith("/files/"):
            return image_reply()
        if asked.method == "POST":
            return json_reply(200, {"id": "t1", "polling_url": f"{server.origin}/v1/jobs/t1"})
        return left.pop(0) if len(left) > 1 else left[0]

    server.script = script


def test_the_ticket_is_given_as_soon_as_the_order_is_accepted(server: Loopback) -> None:
    vendor_of(server, job(server))
    tickets: list[tuple[str, int]] = []

    def keep(ticket: str) -> None:
        tickets.append((ticket, len(server.asked)))

    order: ImageOrder = replace(order_for("bfl"), on_job=keep)
    answer = adapter(server).generate(order, timeout_seconds=20)
    assert answer.content == PNG
    assert tickets == [(f"{server.origin}/v1/jobs/t1", 1)]


def test_the_ticket_is_enough_to_ask_for_the_image_again(server: Loopback) -> None:
    vendor_of(server, job(server))
    answer = adapter(server).job_result(f"{server.origin}/v1/jobs/t1", timeout_seconds=20)
    assert answer == ImageAnswer(PNG)
    question, download = server.asked
    assert (question.method, question.path) == ("GET", "/v1/jobs/t1")
    assert question.headers["x-key"] == KEY
    assert KEY not in str(download.headers)


@pytest.mark.parametrize("state", sorted(RUNNING))
def test_while_a_job_runs_there_is_no_answer(state: str, server: Loopback) -> None:
    vendor_of(server, job(server, state))
    assert adapter(server).job_result(f"{server.origin}/v1/jobs/t1", timeout_seconds=20) is None
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "reply",
    [
        Reply(500),
        Reply(429),
        Reply(404),
        json_reply(403, {"detail": "Not authenticated"}),
        json_reply(401, {}),
        Reply(404, {"Content-Type": "text/html"}, b"<html>not here</html>"),
        Reply(200, {"Content-Type": "text/html"}, b"<html>please wait</html>"),
        json_reply(200, {}),
        json_reply(200, {"id": "t1"}),
        json_reply(200, {"id": "t1", "status": None}),
        json_reply(200, {"id": "t1", "status": 200, "result": {"sample": "https://bfl.ai/1"}}),
        json_reply(200, ["Ready"]),
    ],
    ids=lambda reply: f"{reply.status}-{reply.body[:24].decode()}",
)
def test_a_question_that_fails_is_no_end_of_the_job(reply: Reply, server: Loopback) -> None:
    vendor_of(server, reply)
    assert adapter(server).job_result(f"{server.origin}/v1/jobs/t1", timeout_seconds=20) is None


@pytest.mark.parametrize(("state", "outcome"), STATES.items())
def test_a_job_that_ended_without_an_image_has_its_outcome(
    state: str, outcome: Outcome, server: Loopback
) -> None:
    vendor_of(server, job(server, state, 404 if state == "Task not found" else 200))
    with pytest.raises(ProviderError) as caught:
        adapter(server).job_result(f"{server.origin}/v1/jobs/t1", timeout_seconds=20)
    assert caught.value.outcome is outcome


def test_a_download_that_breaks_off_can_be_asked_for_again(server: Loopback) -> None:
    def script(asked: ToolUse, wire: Wire) -> Reply | None:
        if asked.path.startswith("/files/"):
            wire.reset()
            return None
        return job(server)

    server.script = script
    assert adapter(server).job_result(f"{server.origin}/v1/jobs/t1", timeout_seconds=0.5) is None


def test_a_ticket_of_another_address_is_not_asked_with_this_key(server: Loopback) -> None:
    assert adapter(server).job_result(JOB, timeout_seconds=20) is None
    assert server.asked == []


def test_a_job_that_still_runs_at_the_deadline_is_in_doubt(server: Loopback) -> None:
    vendor_of(server, job(server, "Pending"))
    time = Time()
    patient = replace(adapter(server), clock=time.read, sleep=time.sleep)
    with pytest.raises(ProviderError) as caught:
        patient.generate(order_for("bfl"), timeout_seconds=40)
    assert caught.value.outcome is Outcome.UNKNOWN
    assert sum(time.pauses) == pytest.approx(40)


@pytest.mark.parametrize(
    ("body", "ticket"),
    [
        ({"id": "t1", "polling_url": JOB}, JOB),
        ({"polling_url": JOB}, JOB),
        ({"id": "t1"}, f"{BASE}/get_result?id=t1"),
        ({"id": "t1", "polling_url": None}, f"{BASE}/get_result?id=t1"),
        ({"id": "t1", "polling_url": "http://api.bfl.ai/v1/x"}, f"{BASE}/get_result?id=t1"),
        ({"id": "t1", "polling_url": "https://bfl.ai.evil.org/x"}, f"{BASE}/get_result?id=t1"),
        ({"id": "t1", "polling_url": "https://169.254.169.254/x"}, f"{BASE}/get_result?id=t1"),
    ],
)
def test_the_ticket_is_a_url_that_may_have_the_key(body: Any, ticket: str) -> None:
    assert ticket_of(HttpAnswer(200, {}, body), BASE) == ticket


@pytest.mark.parametrize(
    "body",
    [
        {"id": 7},
        {"id": ""},
        {"cost": 1.5},
        {"status": "ok"},
        {"id": "x" * 81},
        {"id": "no id of a job"},
        {"polling_url": "https://bfl.ai.evil.org/x"},
    ],
)
def test_an_order_that_was_accepted_without_a_usable_job_is_in_doubt(body: Any) -> None:
    with pytest.raises(ProviderError) as caught:
        ticket_of(HttpAnswer(200, {}, body), BASE)
    assert caught.value.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("body", [{}, None, [], {"id": None}, {"error": {}}])
def test_a_success_that_accepts_no_order_counts_for_nothing(body: Any) -> None:
    with pytest.raises(ProviderError) as caught:
        ticket_of(HttpAnswer(200, {}, body), BASE)
    assert caught.value.outcome is Outcome.NO_IMAGE


def test_an_order_that_is_refused_in_words_is_a_refusal() -> None:
    answer = HttpAnswer(200, {}, {"detail": "Your prompt was flagged by our content policy."})
    with pytest.raises(ProviderError) as caught:
        ticket_of(answer, BASE)
    assert caught.value.outcome is Outcome.REFUSED


@pytest.mark.parametrize(
    ("answer", "outcome", "is_unbilled"),
    [
        (HttpAnswer(422, {}, {"detail": "Flagged by our content policy."}), Outcome.REFUSED, True),
        (HttpAnswer(429, {}, {"detail": "Too many active tasks"}), Outcome.RATE_LIMITED, True),
        (HttpAnswer(504, {}, None), Outcome.UNKNOWN, False),
    ],
)
def test_an_order_that_is_refused_at_once_is_no_job_and_not_billed(
    answer: HttpAnswer,
    outcome: Outcome,
    is_unbilled: bool,  # noqa: FBT001
) -> None:
    error = classify(answer)
    assert error is not None
    assert (error.outcome, error.is_unbilled) == (outcome, is_unbilled)


@pytest.mark.parametrize(
    ("credits_used", "microusd"),
    [(1.5, 15_000), (3, 30_000), (3.1, 31_000), (7.0000001, 70_000)],
)
def test_a_credit_is_a_cent(credits_used: float, microusd: int) -> None:
    answer = HttpAnswer(200, {}, {"cost": credits_used})
    assert cost_of(answer) == {"cost_microusd": microusd}


@pytest.mark.parametrize(
    "credits_used", [None, 0, -1, "3", True, 1e12, 1e999, -1e999, float("nan"), []]
)
def test_what_is_no_plausible_cost_is_none(credits_used: Any) -> None:
    assert cost_of(HttpAnswer(200, {}, {"cost": credits_used})) is None
