"""Ideogram: its jobs, where its links may lead, and what a dry run asks for."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageAnswer
from imagegen.domain.vendor_prices import source_of
from imagegen.providers.addresses import BlockedError, allowed_target
from imagegen.providers.faults import HttpAnswer
from imagegen.providers.ideogram import RESULT_HOSTS, IdeogramProvider, build, ticket_of
from imagegen.providers.ideogram_answers import ended
from imagegen.providers.keys import Keychain, KeyedProvider
from imagegen.providers.pictures import pictures_in
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
from tests.fakes.clock import Clock

NAME = "ideogram"
BASE = "https://api.ideogram.ai"
JOB = "/v2/generations/g1"
PUBLIC = "93.184.216.34"
PICTURE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwAD"
    "hgGAWjR9awAAAABJRU5ErkJggg=="
)


def adapter(server: Loopback) -> IdeogramProvider:
    found = build_adapter(NAME, server)
    assert isinstance(found, IdeogramProvider)
    return found


def job(server: Loopback, status: str = "completed", **more: Any) -> Reply:
    state: dict[str, Any] = {"generation_id": "g1", "status": status, **more}
    if status == "completed":
        made = {"is_image_safe": True, "url": f"{server.origin}/files/1.png"}
        state = {"data": [made], **state}
    return json_reply(200, state)


def vendor_of(server: Loopback, *answers: Reply) -> None:
    """Accept the order, and answer each question with the next."""
    left = list(answers)

    def script(asked: ToolUse, _wire: Wire) -> Reply:
        if asked.path.startswith("/files/"):
            return image_reply()
        if asked.method == "POST":
            return json_reply(200, {"generation_id": "g1", "generation_kind": "sampling"})
        return left.pop(0) if len(left) > 1 else left[0]

    server.script = script


def test_the_ticket_is_given_as_soon_as_the_order_is_accepted(server: Loopback) -> None:
    vendor_of(server, job(server, "pending"), job(server))
    tickets: list[tuple[str, int]] = []

    def keep(ticket: str) -> None:
        tickets.append((ticket, len(server.asked)))

    answer = adapter(server).generate(replace(order_for(NAME), on_job=keep), timeout_seconds=20)
    assert (answer.content, answer.job_id) == (PNG, "g1")
    assert tickets == [(f"{server.origin}{JOB}", 1)]
    assert [one.method for one in server.asked] == ["POST", "GET", "GET", "GET"]


def test_an_order_that_is_answered_with_its_image_is_no_job(server: Loopback) -> None:
    def script(asked: ToolUse, _wire: Wire) -> Reply:
        return image_reply() if asked.path.startswith("/files/") else job(server)

    server.script = script
    tickets: list[str] = []
    order = replace(order_for(NAME), on_job=tickets.append)
    assert adapter(server).generate(order, timeout_seconds=20).content == PNG
    assert tickets == []


def test_the_ticket_is_enough_to_ask_for_the_image_again(server: Loopback) -> None:
    vendor_of(server, job(server, usage_cost_usd_micros=100_000))
    answer = adapter(server).job_result(f"{server.origin}{JOB}", timeout_seconds=20)
    assert answer == ImageAnswer(PNG, "g1", {"cost_microusd": 100_000})
    question, download = server.asked
    assert (question.method, question.path) == ("GET", JOB)
    assert question.headers["api-key"] == KEY
    assert KEY not in str(download.headers)


@pytest.mark.parametrize(
    "reply",
    [
        json_reply(200, {"generation_id": "g1", "status": "pending"}),
        Reply(500),
        Reply(429),
        Reply(404),
        json_reply(401, {"error": "Invalid API key"}),
        Reply(404, {"Content-Type": "text/html"}, b"<html>not here</html>"),
        Reply(200, {"Content-Type": "text/html"}, b"<html>please wait</html>"),
        json_reply(200, {}),
        json_reply(200, {"generation_id": "g1", "status": None}),
        json_reply(200, ["completed"]),
    ],
    ids=lambda reply: f"{reply.status}-{reply.body[:24].decode()}",
)
def test_a_job_that_runs_and_a_question_that_fails_are_no_end(
    reply: Reply, server: Loopback
) -> None:
    vendor_of(server, reply)
    assert adapter(server).job_result(f"{server.origin}{JOB}", timeout_seconds=20) is None
    assert len(server.asked) == 1


def test_a_download_that_breaks_off_can_be_asked_for_again(server: Loopback) -> None:
    def script(asked: ToolUse, wire: Wire) -> Reply | None:
        if asked.path.startswith("/files/"):
            wire.reset()
            return None
        return job(server)

    server.script = script
    assert adapter(server).job_result(f"{server.origin}{JOB}", timeout_seconds=0.5) is None


def test_a_ticket_of_another_address_is_not_asked_with_this_key(server: Loopback) -> None:
    assert adapter(server).job_result(f"{BASE}{JOB}", timeout_seconds=20) is None
    assert server.asked == []


def test_a_job_that_still_runs_at_the_deadline_is_in_doubt(server: Loopback) -> None:
    vendor_of(server, job(server, "pending"))
    time = Time()
    patient = replace(adapter(server), clock=time.read, sleep=time.sleep)
    with pytest.raises(ProviderError) as caught:
        patient.generate(order_for(NAME), timeout_seconds=40)
    assert caught.value.outcome is Outcome.UNKNOWN
    assert sum(time.pauses) == pytest.approx(40)


@pytest.mark.parametrize(
    ("answer", "outcome", "is_unbilled"),
    [
        (HttpAnswer(200, {}, {"status": "failed"}), Outcome.UNAVAILABLE, True),
        (
            HttpAnswer(200, {}, {"status": "failed", "failure_reason": "Server overloaded"}),
            Outcome.UNAVAILABLE,
            True,
        ),
        (
            HttpAnswer(200, {}, {"status": "failed", "failure_reason": "content_policy_violation"}),
            Outcome.REFUSED,
            True,
        ),
        (
            HttpAnswer(
                200,
                {},
                {"status": "failed", "failure_reason": "The image was flagged by safety filters."},
            ),
            Outcome.REFUSED,
            True,
        ),
        # It was made, and is billed.
        (
            HttpAnswer(200, {}, {"status": "completed", "data": [{"is_image_safe": False}]}),
            Outcome.REFUSED,
            False,
        ),
        (HttpAnswer(404, {}, {"error": "not found"}), Outcome.UNKNOWN, False),
    ],
)
def test_a_job_that_failed_is_not_billed_and_one_that_is_withheld_or_lost_may_be(
    answer: HttpAnswer,
    outcome: Outcome,
    is_unbilled: bool,  # noqa: FBT001
) -> None:
    error = ended(answer)
    assert error is not None
    assert (error.outcome, error.is_unbilled) == (outcome, is_unbilled)


def test_the_ticket_is_built_from_the_id_at_the_base_url() -> None:
    found = ticket_of(HttpAnswer(200, {}, {"generation_id": "a_b-1"}), BASE)
    assert found == f"{BASE}/v2/generations/a_b-1"


@pytest.mark.parametrize(
    "body",
    [
        {"generation_id": 7},
        {"generation_id": ""},
        {"generation_id": "x" * 81},
        {"generation_kind": "sampling"},
    ],
)
def test_an_order_that_was_accepted_without_a_usable_id_is_in_doubt(body: Any) -> None:
    with pytest.raises(ProviderError) as caught:
        ticket_of(HttpAnswer(200, {}, body), BASE)
    assert caught.value.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("body", [{}, None, [], {"generation_id": None}])
def test_a_success_that_accepts_no_order_counts_for_nothing(body: Any) -> None:
    with pytest.raises(ProviderError) as caught:
        ticket_of(HttpAnswer(200, {}, body), BASE)
    assert caught.value.outcome is Outcome.NO_IMAGE


@pytest.mark.parametrize(
    "url",
    [
        "https://ideogram.ai/api/images/ephemeral/a.png?exp=1&sig=2",
        "https://cdn.ideogram.ai/a.png",
        "https://IDEOGRAM.AI/a.png",
    ],
)
def test_a_link_to_ideogram_or_below_it_is_followed(url: str) -> None:
    target = allowed_target(url, lambda _host, _port: [PUBLIC], own=None, hosts=RESULT_HOSTS)
    assert target.address == PUBLIC


@pytest.mark.parametrize(
    "url",
    [
        "https://images.example/a.png",
        "https://ideogram.ai.images.example/a.png",
        "https://notideogram.ai/a.png",
        "https://ideogram.ai@images.example/a.png",
        "https://images.example/ideogram.ai/a.png",
        "https://ideogram.aix/a.png",
        "http://ideogram.ai/a.png",
    ],
)
def test_a_link_to_any_other_host_is_not(url: str) -> None:
    with pytest.raises(BlockedError):
        allowed_target(url, lambda _host, _port: [PUBLIC], own=None, hosts=RESULT_HOSTS)


def test_the_shipped_adapter_has_the_list_of_hosts() -> None:
    assert build(SecretStr("k"), "https://api.ideogram.ai").downloader.hosts == RESULT_HOSTS


def test_the_image_is_ordered_without_a_dry_run(server: Loopback) -> None:
    server.replies(json_reply(422, {"error": "no"}))
    with pytest.raises(ProviderError):
        build_adapter(NAME, server).generate(order_for(NAME), timeout_seconds=10)
    (asked,) = server.asked
    assert asked.path == "/v2/image/generate/ideogram-4-5"
    assert asked.json() == {
        "prompt": order_for(NAME).prompt,
        "num_images": 1,
        "async": True,
        "magic_prompt": "off",
        "quality": "high",
        "size": "1024x1024",
    }


def test_a_model_of_the_catalog_cannot_change_the_path(server: Loopback) -> None:
    server.replies(json_reply(404, {"error": "no"}))
    odd = replace(order_for(NAME), model="../v1?dry_run=true")
    with pytest.raises(ProviderError):
        build_adapter(NAME, server).generate(odd, timeout_seconds=10)
    assert server.asked[0].path == "/v2/image/generate/..%2Fv1%3Fdry_run%3Dtrue"


@pytest.mark.parametrize(("status", "body"), [(422, "null"), (422, None), (422, '"no"')])
def test_a_422_refuses_if_it_has_a_body_of_the_api(
    status: int, body: str | None, server: Loopback
) -> None:
    server.replies(json_reply(status, body))
    with pytest.raises(ProviderError) as caught:
        build_adapter(NAME, server).generate(order_for(NAME), timeout_seconds=10)
    is_of_api = body not in (None, "null")
    assert caught.value.outcome is (Outcome.REFUSED if is_of_api else Outcome.BLOCKED)


@pytest.mark.parametrize("name", ["prompt", "revised_prompt"])
@pytest.mark.parametrize("text", [PICTURE, "https://images.example/a.png", f"![x]({PICTURE})"])
def test_what_an_answer_repeats_of_the_prompt_is_not_its_image(name: str, text: str) -> None:
    assert list(pictures_in([{name: text}])) == []
    assert list(pictures_in({"images": [{"url": "", name: text}]})) == []
    assert len(list(pictures_in([{"url": text, name: "a fox"}]))) == 1


def test_a_dry_run_that_made_an_image_ends_the_checks_and_wakes_somebody(server: Loopback) -> None:
    """Otherwise a parameter that is ignored one day would buy an image every five minutes."""
    made = {"generation_id": "g1", "seed": 1, "data": [{"is_image_safe": True, "url": "x"}]}
    server.replies(json_reply(200, made), json_reply(200, made))
    adapter = build_adapter(NAME, server)
    source = source_of(adapter)
    assert source is not None
    with pytest.raises(ProviderError) as checked:
        adapter.check_key(timeout_seconds=10)
    with pytest.raises(ProviderError) as stated:
        source.stated_prices([order_for(NAME)] * 3, timeout_seconds=10)
    for error in (checked.value, stated.value):
        assert (error.outcome, error.provider_code) == (Outcome.ACCOUNT, "dry_run_billed")
    assert len(server.asked) == 2


def test_a_dry_run_that_made_an_image_is_not_repeated_with_any_key(server: Loopback) -> None:
    made = {"generation_id": "g1", "seed": 1, "data": []}
    server.replies(json_reply(200, made))
    keyed = KeyedProvider(
        Keychain(NAME, [build_adapter(NAME, server, key=key) for key in ("one", "two")], Clock())
    )
    asked: list[Callable[[], object]] = [
        lambda: keyed.check_key(timeout_seconds=10),
        lambda: keyed.stated_prices([order_for(NAME)], timeout_seconds=10),
        lambda: keyed.check_key(timeout_seconds=10),
    ]
    for ask in asked:
        with pytest.raises(ProviderError) as caught:
            ask()
        assert caught.value.provider_code == "dry_run_billed"
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [400, 403, 422])
def test_an_error_is_not_billed_and_an_image_that_is_withheld_is(
    status: int, server: Loopback
) -> None:
    withheld = {"generation_id": "g1", "seed": 1, "data": [{"is_image_safe": False, "url": ""}]}
    server.replies(
        json_reply(status, {"error": "flagged by our content policy"}), json_reply(200, withheld)
    )
    errors = []
    for _ in range(2):
        with pytest.raises(ProviderError) as caught:
            build_adapter(NAME, server).generate(order_for(NAME), timeout_seconds=10)
        errors.append(caught.value)
    assert [one.is_unbilled for one in errors] == [True, False]
    assert errors[1].outcome is Outcome.REFUSED
