"""Each fault looks on the wire as its row says, and the oracle speaks the domain's words."""

import base64
import io
from collections.abc import Callable
from typing import Any

import pytest
import requests
from PIL import Image

from imagegen.domain.outcomes import Outcome as DomainOutcome
from imagegen.providers import MODERATOR, PROVIDERS
from local.simulator import Simulator
from local.simulator.faults import Fault, Outcome, Shows
from local.simulator.routes import World
from local.simulator.wire import Ending
from tests.vendors import vendor

SIMULATED = World().providers
ALL = [(name, row) for name, provider in SIMULATED.items() for row in provider.faults.values()]


def rows(wanted: Callable[[str, Fault], bool]) -> list[Any]:
    return [
        pytest.param(name, fault, id=f"{name}-{fault.name}")
        for name, fault in ALL
        if wanted(name, fault)
    ]


LABELLED = "plain-labelled-gzip"
"""A plain body that calls itself packed: ``requests`` cannot read it."""
SENT_ROWS = rows(lambda _, fault: fault.ending is Ending.SENT and fault.packing != LABELLED)
DRAWN_ROWS = rows(lambda name, fault: fault.draws and name in PROVIDERS)
type Order = Callable[..., requests.Response]
type Arm = Callable[..., None]


def picture_or_none(provider: str, body: Any) -> bytes | None:
    found = vendor(provider).picture(body)
    if found is None:
        return None
    if found.startswith("http"):
        return requests.get(found, timeout=10).content
    return base64.b64decode(found, validate=True)


def test_every_outcome_is_one_of_the_domain() -> None:
    assert {outcome.value for outcome in Outcome} <= {outcome.value for outcome in DomainOutcome}


def test_every_outcome_that_a_provider_can_cause_is_in_each_table() -> None:
    for provider in PROVIDERS:
        assert {fault.outcome for fault in SIMULATED[provider].faults.values()} == {None, *Outcome}


@pytest.mark.parametrize(("provider", "fault"), SENT_ROWS)
def test_a_fault_answers_with_its_status_and_code(
    order: Order, arm: Arm, provider: str, fault: Fault
) -> None:
    words = vendor(MODERATOR if provider == "moderation" else provider.partition("-")[0])
    arm(provider, fault.name)
    answer = order(provider)
    if fault.shows is Shows.ERROR or fault.status != 200:
        assert answer.status_code == fault.status
        named = answer.headers.get("x-amzn-errortype", "")
        assert fault.code is None or fault.code in answer.text + named
    else:
        assert answer.status_code in words.success
    if fault.retry_after_seconds is not None and words.says_retry_after:
        assert answer.headers["retry-after"] == str(fault.retry_after_seconds)


@pytest.mark.parametrize(("provider", "fault"), DRAWN_ROWS)
def test_what_is_drawn_is_billed_whatever_becomes_of_it(
    order: Order, arm: Arm, totals: Callable[[str], Any], provider: str, fault: Fault
) -> None:
    arm(provider, fault.name)
    try:
        order(provider, timeout=0.3 if fault.ending is Ending.HANG else 30)
    except requests.RequestException:
        assert fault.ending is not Ending.SENT or fault.packing == LABELLED
    seen = totals(provider)
    assert seen["images"] == fault.details.get("images", 1)
    assert seen["billedMicrousd"] > 0
    assert seen["byOutcome"] == {fault.outcome or "drawn": 1}


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("timeout", requests.ReadTimeout),
        ("lost_answer", requests.ReadTimeout),
        ("cut_before", requests.ConnectionError),
        ("cut_during", requests.exceptions.ChunkedEncodingError),
    ],
)
def test_a_broken_connection_is_broken(
    order: Order, arm: Arm, provider: str, fault: str, error: type[Exception]
) -> None:
    arm(provider, fault)
    with pytest.raises(error):
        order(provider, timeout=0.3 if error is requests.ReadTimeout else 30)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_damaged_bytes_arrive_damaged(order: Order, arm: Arm, provider: str) -> None:
    arm(provider, "wrong_bytes")
    text = picture_or_none(provider, order(provider).json())
    arm(provider, "truncated_image")
    half = picture_or_none(provider, order(provider).json())
    assert text
    assert text.startswith(b"<!DOCTYPE html>")
    assert half
    with pytest.raises(OSError, match=r"truncated|broken|decod|cannot identify"):
        Image.open(io.BytesIO(half)).load()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_huge_answer_is_over_thirty_megabytes(order: Order, arm: Arm, provider: str) -> None:
    arm(provider, "huge")
    content = picture_or_none(provider, order(provider).json())
    assert content
    assert len(content) > 30_000_000


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_empty_success_has_no_picture(order: Order, arm: Arm, provider: str) -> None:
    arm(provider, "empty_200")
    answer = order(provider)
    assert answer.ok
    assert picture_or_none(provider, answer.json()) is None


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_success_that_is_no_json_is_a_page(order: Order, arm: Arm, provider: str) -> None:
    arm(provider, "not_json")
    answer = order(provider)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")


@pytest.mark.parametrize(
    ("fault", "status", "place"),
    [("file_missing", 404, None), ("file_redirects", 302, "http://169.254.169.254")],
)
def test_a_file_can_be_gone_or_point_elsewhere(
    order: Order, arm: Arm, fault: str, status: int, place: str | None
) -> None:
    arm("replicate", fault)
    url = order("replicate").json()["output"][0]
    file = requests.get(url, timeout=10, allow_redirects=False)
    assert file.status_code == status
    assert place is None or file.headers["location"].startswith(place)


def test_a_file_can_be_cut_or_lie_on_a_private_address(order: Order, arm: Arm) -> None:
    arm("replicate", "file_elsewhere")
    elsewhere = order("replicate").json()["output"][0]
    arm("replicate", "file_cut")
    cut = order("replicate").json()["output"][0]
    assert elsewhere.startswith("http://169.254.169.254/")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        requests.get(cut, timeout=10)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_prompt_can_ask_for_a_refusal(
    order: Order, totals: Callable[[str], Any], provider: str
) -> None:
    status = vendor(provider).refusals.prompt
    assert order("moderation", prompt="provider-refusal").json()["results"][0]["flagged"] is False
    assert order(provider, prompt="please: provider-refusal").status_code == status
    assert totals(provider)["byOutcome"] == {"refused": 1}
    assert totals(provider)["billedMicrousd"] == 0


@pytest.mark.parametrize("fault", ["bad_key", "server_error"])
def test_a_key_check_sees_a_dead_provider_and_does_not_use_the_fault_up(
    sim: Simulator, order: Order, arm: Arm, fault: str
) -> None:
    arm("openai", fault, times=1)
    headers = {"authorization": "Bearer sk-simulated-1234"}
    checks = [
        requests.get(f"{sim.url}/openai/v1/models", headers=headers, timeout=10) for _ in range(2)
    ]
    assert {check.ok for check in checks} == {False}
    assert [order("openai").ok, order("openai").ok] == [False, True]


def test_thoughts_come_before_the_picture(order: Order, arm: Arm) -> None:
    arm("gemini", "thought_parts")
    parts = order("gemini").json()["candidates"][0]["content"]["parts"]
    assert [part.get("thought", False) for part in parts] == [True, True, False]


def test_a_prediction_that_never_finishes_can_be_cancelled(
    sim: Simulator, order: Order, arm: Arm
) -> None:
    arm("replicate", "replicate_never_finishes")
    job = order("replicate")
    headers = {"authorization": "Bearer sk-simulated-1234"}
    urls = job.json()["urls"]
    seen = [requests.get(urls["get"], headers=headers, timeout=10).json() for _ in range(4)]
    ended = requests.post(urls["cancel"], headers=headers, timeout=10).json()
    assert (job.status_code, job.json()["status"]) == (202, "starting")
    assert {view["status"] for view in seen} == {"processing"}
    assert ended["status"] == "canceled"


def test_an_aborted_prediction_never_started(sim: Simulator, order: Order, arm: Arm) -> None:
    arm("replicate", "replicate_aborted")
    job = order("replicate").json()
    assert job["status"] == "aborted"
    assert "started_at" not in job
