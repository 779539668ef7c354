"""A job of fal: its ticket, the questions for it, what is sent with an order, and prices."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageAnswer
from imagegen.domain.pricing import MICRO_UNITS
from imagegen.domain.vendor_prices import Statement
from imagegen.providers.addresses import BlockedError, allowed_target
from imagegen.providers.fal import RESULT_HOSTS, FalProvider, platform_url, ticket_of
from imagegen.providers.fal_answers import (
    RUNNING,
    classify,
    ended,
    is_result,
    stated_in,
    usage_of,
)
from imagegen.providers.faults import HttpAnswer
from tests.adapters.providers.adapters import KEY, build_adapter, order_for
from tests.adapters.providers.edits import EDIT
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
from tests.fakes.catalogs import real_catalog

BASE = "https://queue.fal.run"
MODEL = "fal-ai/flux/schnell"
APP = f"{BASE}/fal-ai/flux/requests/r1"
PUBLIC = "93.184.216.34"


def adapter(server: Loopback) -> FalProvider:
    found = build_adapter("fal", server)
    assert isinstance(found, FalProvider)
    return found


def urls(server: Loopback) -> tuple[str, str]:
    return f"{server.origin}/jobs/r1/status", f"{server.origin}/jobs/r1"


def ticket(server: Loopback) -> str:
    return " ".join(urls(server))


def state(status: str) -> Reply:
    return json_reply(200 if status == "COMPLETED" else 202, {"status": status})


def result(server: Loopback, **more: Any) -> Reply:
    return json_reply(200, {"images": [{"url": f"{server.origin}/files/1.jpg"}], **more})


def vendor_of(server: Loopback, states: list[Reply], results: list[Reply]) -> None:
    """Accept the order, and answer each question with the next of its kind."""

    def script(asked: ToolUse, _wire: Wire) -> Reply:
        if asked.path.startswith("/files/"):
            return image_reply()
        if asked.method == "POST":
            state_url, result_url = urls(server)
            answer = {"request_id": "r1", "status_url": state_url, "response_url": result_url}
            return json_reply(200, answer)
        left = states if asked.path.endswith("/status") else results
        return left.pop(0) if len(left) > 1 else left[0]

    server.script = script


def test_the_ticket_is_given_as_soon_as_the_order_is_accepted(server: Loopback) -> None:
    vendor_of(server, [state("IN_QUEUE"), state("COMPLETED")], [result(server)])
    tickets: list[tuple[str, int]] = []

    def keep(one: str) -> None:
        tickets.append((one, len(server.asked)))

    answer = adapter(server).generate(replace(order_for("fal"), on_job=keep), timeout_seconds=20)
    assert answer == ImageAnswer(PNG, "r1")
    assert tickets == [(ticket(server), 1)]


def test_an_order_is_tried_once_by_this_model_alone_and_kept_no_longer_than_needed(
    server: Loopback,
) -> None:
    vendor_of(server, [state("COMPLETED")], [result(server)])
    adapter(server).generate(order_for("fal"), timeout_seconds=19.9)
    sent, *questions = server.asked
    assert sent.headers["x-fal-no-retry"] == "1"
    assert sent.headers["x-app-fal-disable-fallback"] == "true"
    assert sent.headers["x-fal-store-io"] == "0"
    lifetime = sent.headers["x-fal-object-lifecycle-preference"]
    assert lifetime == '{"expiration_duration_seconds": 3600}'
    assert sent.headers["x-fal-request-timeout"] == "19"
    assert [one.headers.get("authorization") for one in questions] == [f"Key {KEY}"] * 2 + [None]


def test_the_ticket_is_enough_to_ask_for_the_image_again(server: Loopback) -> None:
    vendor_of(server, [state("COMPLETED")], [result(server)])
    assert adapter(server).job_result(ticket(server), timeout_seconds=20) == ImageAnswer(PNG)
    assert [one.method for one in server.asked] == ["GET"] * 3


@pytest.mark.parametrize("running", sorted(RUNNING))
def test_while_a_job_runs_there_is_no_answer(running: str, server: Loopback) -> None:
    vendor_of(server, [state(running)], [result(server)])
    assert adapter(server).job_result(ticket(server), timeout_seconds=20) is None
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "reply",
    [
        Reply(500),
        Reply(429),
        Reply(404),
        json_reply(200, {}),
        json_reply(200, {"request_id": "r1"}),
        json_reply(401, {"detail": "Authentication is required"}),
        json_reply(403, {"detail": "User is locked."}),
        json_reply(503, {"detail": "Service unavailable"}),
        Reply(404, {"Content-Type": "text/html"}, b"<html>not here</html>"),
    ],
    ids=lambda reply: f"{reply.status}-{reply.body[:14].decode()}",
)
def test_a_question_for_the_state_that_fails_is_no_end_of_the_job(
    reply: Reply, server: Loopback
) -> None:
    vendor_of(server, [reply], [result(server)])
    assert adapter(server).job_result(ticket(server), timeout_seconds=20) is None


@pytest.mark.parametrize(
    "reply",
    [
        Reply(500),
        Reply(503, {"Content-Type": "text/html"}, b"<html>later</html>"),
        json_reply(429, {"detail": "Too many requests"}),
        json_reply(401, {"detail": "Authentication is required"}),
        json_reply(403, {"detail": "User is locked. Reason: Exhausted balance."}),
        json_reply(400, {"detail": "Request is still in progress"}),
        json_reply(202, {"status": "IN_PROGRESS"}),
        json_reply(500, {}),
    ],
    ids=lambda reply: f"{reply.status}-{reply.body[:14].decode()}",
)
def test_a_question_for_the_result_that_fails_is_no_end_of_the_job(
    reply: Reply, server: Loopback
) -> None:
    vendor_of(server, [state("COMPLETED")], [reply])
    assert adapter(server).job_result(ticket(server), timeout_seconds=20) is None
    vendor_of(server, [state("COMPLETED")], [reply, result(server)])
    assert adapter(server).generate(order_for("fal"), timeout_seconds=20).content == PNG


def test_an_error_of_the_model_is_the_end_of_its_job(server: Loopback) -> None:
    detail = [{"loc": ["body"], "msg": "Refused.", "type": "content_policy_violation"}]
    vendor_of(server, [state("COMPLETED")], [json_reply(422, {"detail": detail})])
    with pytest.raises(ProviderError) as caught:
        adapter(server).job_result(ticket(server), timeout_seconds=20)
    assert (caught.value.outcome, caught.value.is_unbilled) == (Outcome.REFUSED, False)


def job_error(status: int, kind: str, **headers: str) -> ProviderError:
    """Return the error of a job that was accepted and ended with one of its model."""
    body: Any = {"detail": [{"loc": ["body"], "msg": "It failed.", "type": kind}]}
    error = ended(HttpAnswer(status, headers, body))
    assert error is not None
    return error


@pytest.mark.parametrize(
    ("status", "kind", "units", "billed"),
    [
        (422, "content_policy_violation", None, "in doubt"),
        (422, "image_too_small", None, "in doubt"),
        (422, "no_media_generated", None, "in doubt"),
        (200, "content_policy_violation", None, "in doubt"),
        (422, "content_policy_violation", "1", "in doubt"),
        (422, "image_too_small", "many", "in doubt"),
        (422, "content_policy_violation", "0", "no"),
        (422, "image_too_small", "0.0", "no"),
        (500, "internal_server_error", None, "no"),
        (504, "generation_timeout", None, "no"),
        (503, "downstream_service_unavailable", None, "no"),
    ],
)
def test_what_a_runner_found_while_it_worked_may_be_billed_and_a_servers_error_is_not(
    status: int, kind: str, units: str | None, billed: str
) -> None:
    """https://fal.ai/docs/model-apis/faq: an invalid input may be charged."""
    headers = {} if units is None else {"x-fal-billable-units": units}
    error = job_error(status, kind, **headers)
    is_marked = error.is_billed or error.outcome in {Outcome.REFUSED, Outcome.UNKNOWN}
    assert ("in doubt" if is_marked and not error.is_unbilled else "no") == billed


def test_what_the_queue_refuses_at_once_is_not_billed() -> None:
    error = classify(HttpAnswer(422, {}, {"detail": "Refused by our content policy"}))
    assert error is not None
    assert (error.outcome, error.is_unbilled, error.is_billed) == (Outcome.REFUSED, True, False)


@pytest.mark.parametrize(
    ("stated", "micro"),
    [
        ("1", 1_000_000),
        ("2.0972", 2_097_200),
        ("0.0000001", 1),
        ("0", 0),
        ("9999", 9_999_000_000),
        ("", None),
        ("-1", None),
        ("1e9", None),
        ("NaN", None),
        ("1,5", None),
        ("\u0661", None),
        ("10000", None),
        (" 1", None),
    ],
)
def test_the_units_that_a_result_bills_are_read_from_its_header(
    stated: str, micro: int | None
) -> None:
    found = usage_of(HttpAnswer(200, {"x-fal-billable-units": stated}, {}))
    assert found == (None if micro is None else {MICRO_UNITS: micro})


def test_an_image_comes_with_the_units_that_it_bills_also_later(server: Loopback) -> None:
    link = {"images": [{"url": f"{server.origin}/files/1.jpg"}]}
    billed = json_reply(200, link, {"x-fal-billable-units": "1"})
    vendor_of(server, [state("COMPLETED")], [billed])
    made = adapter(server).generate(order_for("fal"), timeout_seconds=20)
    assert made == ImageAnswer(PNG, "r1", {MICRO_UNITS: 1_000_000})
    later = adapter(server).job_result(ticket(server), timeout_seconds=20)
    assert later == ImageAnswer(PNG, usage={MICRO_UNITS: 1_000_000})


def test_an_order_whose_answer_a_gateway_lost_may_be_billed() -> None:
    error = classify(HttpAnswer(504, {}, None))
    assert error is not None
    assert (error.outcome, error.is_unbilled) == (Outcome.UNKNOWN, False)


@pytest.mark.parametrize("where", ["state", "result"])
def test_a_job_that_is_not_known_any_more_is_in_doubt(where: str, server: Loopback) -> None:
    gone = json_reply(404, {"detail": "Request not found"})
    vendor_of(server, [gone if where == "state" else state("COMPLETED")], [gone])
    with pytest.raises(ProviderError) as caught:
        adapter(server).job_result(ticket(server), timeout_seconds=20)
    assert (caught.value.outcome, caught.value.provider_code) == (Outcome.UNKNOWN, "job_not_found")


@pytest.mark.parametrize("flags", [[True], [False, True], [True, True]])
def test_a_black_square_is_a_refusal_that_may_be_billed(flags: Any) -> None:
    error = ended(HttpAnswer(200, {}, {"images": [{"url": "x"}], "has_nsfw_concepts": flags}))
    assert error is not None
    assert (error.outcome, error.is_unbilled) == (Outcome.REFUSED, False)


@pytest.mark.parametrize("flags", [[], [False], None, ["true"], True, [1]])
def test_without_that_flag_it_is_an_image(flags: Any) -> None:
    assert ended(HttpAnswer(200, {}, {"images": [], "has_nsfw_concepts": flags})) is None


def test_a_download_that_breaks_off_can_be_asked_for_again(server: Loopback) -> None:
    def script(asked: ToolUse, wire: Wire) -> Reply | None:
        if asked.path.startswith("/files/"):
            wire.reset()
            return None
        return state("COMPLETED") if asked.path.endswith("/status") else result(server)

    server.script = script
    assert adapter(server).job_result(ticket(server), timeout_seconds=0.5) is None


@pytest.mark.parametrize(
    "other",
    [
        "",
        "r1",
        f"{APP}/status",
        f"{APP}/status {APP}",
        f"{APP} {APP} {APP}",
        "{mine} https://x.org",
    ],
)
def test_a_ticket_of_another_address_is_not_asked_with_this_key(
    other: str, server: Loopback
) -> None:
    mine = other.replace("{mine}", urls(server)[0])
    assert adapter(server).job_result(mine, timeout_seconds=20) is None
    assert server.asked == []


def test_a_job_may_begin_within_a_second_at_least(server: Loopback) -> None:
    vendor_of(server, [state("COMPLETED")], [result(server)])
    with suppress(ProviderError):
        adapter(server).generate(order_for("fal"), timeout_seconds=0.9)
    assert server.asked[0].headers["x-fal-request-timeout"] == "1"


@pytest.mark.parametrize("status", [*sorted(RUNNING), "COMPLETED"])
def test_a_job_that_is_not_done_at_the_deadline_is_in_doubt(status: str, server: Loopback) -> None:
    vendor_of(server, [state(status)], [Reply(500)])
    time = Time()
    patient = replace(adapter(server), clock=time.read, sleep=time.sleep)
    with pytest.raises(ProviderError) as caught:
        patient.generate(order_for("fal"), timeout_seconds=40)
    assert caught.value.outcome is Outcome.UNKNOWN
    assert sum(time.pauses) == pytest.approx(40)


GIVEN = {"status_url": f"{APP}/status", "response_url": APP}
BUILT = f"{APP}/status {APP}"


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({**GIVEN, "request_id": "r1"}, BUILT),
        (GIVEN, BUILT),
        ({"status_url": "https://fal.run/s", "response_url": "https://a.fal.run/r"}, None),
        ({"request_id": "r1"}, BUILT),
        ({**GIVEN, "request_id": "r1", "status_url": None}, BUILT),
        ({**GIVEN, "request_id": "r1", "response_url": "http://queue.fal.run/x"}, BUILT),
        ({**GIVEN, "request_id": "r1", "status_url": "https://fal.run.evil.org/x"}, BUILT),
        ({**GIVEN, "request_id": "r1", "status_url": "https://169.254.169.254/x"}, BUILT),
        ({**GIVEN, "request_id": "r1", "status_url": f"{APP} {APP}"}, BUILT),
    ],
)
def test_the_ticket_has_urls_that_may_have_the_key(body: Any, wanted: str | None) -> None:
    found = ticket_of(HttpAnswer(200, {}, body), MODEL, BASE)
    assert found == (wanted or "https://fal.run/s https://a.fal.run/r")


@pytest.mark.parametrize(
    "body",
    [
        {"status": "IN_QUEUE"},
        {"request_id": "r1/../../account"},
        {"request_id": 7},
        {"request_id": "x" * 81, "queue_position": 0},
        {"response_url": APP},
        {"status_url": "https://fal.run.evil.org/x", "response_url": APP},
    ],
)
def test_an_order_that_was_accepted_without_a_usable_job_is_in_doubt(body: Any) -> None:
    with pytest.raises(ProviderError) as caught:
        ticket_of(HttpAnswer(200, {}, body), MODEL, BASE)
    assert caught.value.outcome is Outcome.UNKNOWN


def test_an_input_image_is_not_dropped(server: Loopback) -> None:
    order = replace(order_for("fal"), inputs=(EDIT,))
    with pytest.raises(ProviderError) as caught:
        adapter(server).generate(order, timeout_seconds=20)
    assert caught.value.outcome is Outcome.NOT_CALLED
    assert server.asked == []


@pytest.mark.parametrize(
    ("url", "is_allowed"),
    [
        ("https://v3.fal.media/files/a.jpg", True),
        ("https://v3b.fal.media/files/a.jpg", True),
        ("https://fal.media.evil.org/a.jpg", False),
        ("https://queue.fal.run/a.jpg", False),
        ("http://v3.fal.media/a.jpg", False),
    ],
)
def test_images_come_from_its_own_files_alone(url: str, is_allowed: bool) -> None:  # noqa: FBT001
    def resolve(_host: str, _port: int) -> list[str]:
        return [PUBLIC]

    if is_allowed:
        assert allowed_target(url, resolve, own=None, hosts=RESULT_HOSTS).address == PUBLIC
        return
    with pytest.raises(BlockedError):
        allowed_target(url, resolve, own=None, hosts=RESULT_HOSTS)


# Prices.


def stated(server: Loopback, *prices: dict[str, Any]) -> list[Statement]:
    server.replies(*(json_reply(200, {"prices": [one]}) for one in prices))
    orders = [replace(order_for("fal"), model=MODEL, width=992, height=992)] * len(prices)
    return list(adapter(server).stated_prices(orders, timeout_seconds=10))


def price(unit_price: Any, unit: str = "megapixels", **more: Any) -> dict[str, Any]:
    found = {"endpoint_id": MODEL, "unit_price": unit_price, "unit": unit, "currency": "USD"}
    return {**found, **more}


def test_prices_are_asked_for_each_model_with_the_key(server: Loopback) -> None:
    found = stated(server, price(0.003), price(0.04, "images"))
    assert found == [Statement(3_000), Statement(40_000)]
    assert {one.path for one in server.asked} == {
        "/v1/models/pricing?endpoint_id=fal-ai%2Fflux%2Fschnell"
    }
    assert {one.headers["authorization"] for one in server.asked} == {f"Key {KEY}"}


@pytest.mark.parametrize(
    ("width", "height", "microusd"),
    [(992, 992, 3_000), (1000, 1000, 3_000), (1024, 1024, 6_000), (2048, 2048, 15_000)],
)
def test_each_megapixel_that_is_begun_costs(width: int, height: int, microusd: int) -> None:
    order = replace(order_for("fal"), model=MODEL, width=width, height=height)
    answer = HttpAnswer(200, {}, {"prices": [price(0.003)]})
    assert stated_in(answer, order) == Statement(microusd)


@pytest.mark.parametrize(
    "one",
    [
        price(0.001, "compute seconds"),
        price(0.001, "seconds"),
        price(0.001, ""),
        price(0.003, currency="EUR"),
        price(0.003, endpoint_id="fal-ai/flux/dev"),
        price("free"),
        price(-1),
        price([]),
        price(None),
        {},
    ],
)
def test_what_states_no_price_of_an_image_is_none(one: dict[str, Any], server: Loopback) -> None:
    assert stated(server, one) == [Statement()]


def test_a_model_that_is_not_priced_any_more_is_not_served(server: Loopback) -> None:
    server.replies(json_reply(404, {"error": {"type": "not_found", "message": "Not found"}}))
    order = order_for("fal")
    found = adapter(server).stated_prices([order], timeout_seconds=10)
    assert list(found) == [Statement(is_served=False)]


@pytest.mark.parametrize(
    ("base_url", "platform"),
    [
        (BASE, "https://api.fal.ai/v1"),
        ("https://fal.run", "https://api.fal.ai/v1"),
        ("http://127.0.0.1:1/fal", "http://127.0.0.1:1/fal/v1"),
        ("https://fal.run.example.com", "https://fal.run.example.com/v1"),
    ],
)
def test_prices_are_asked_of_the_vendor_or_of_the_stand_in(base_url: str, platform: str) -> None:
    assert platform_url(base_url) == platform


def test_no_size_of_the_catalog_begins_a_second_megapixel() -> None:
    """How fal counts the 1,048,576 pixels of a square of 1024 was not verified."""
    rows = [row for row in real_catalog().models if row.provider == "fal"]
    assert rows
    for row in rows:
        for option in row.sizes:
            width, height = option.pixels
            assert 900_000 <= width * height <= 1_000_000
            assert dict(option.params)["image_size"] == {"width": width, "height": height}


@pytest.mark.parametrize("body", [None, [], "IN_PROGRESS"])
def test_what_is_no_object_is_no_result(body: Any) -> None:
    assert not is_result(HttpAnswer(200, {}, body))
