"""The control API: what is armed happens, and what is counted is exact."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from imagegen.providers import PROVIDERS
from local.simulator import Simulator
from tests.vendors import vendor

type Order = Callable[..., requests.Response]
type Arm = Callable[..., None]
type Totals = Callable[[str], dict[str, Any]]


def test_fifty_threads_are_counted_exactly(sim: Simulator, order: Order, totals: Totals) -> None:
    asked = [name for name in PROVIDERS for _ in range(50)]
    random.Random(1).shuffle(asked)
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(order, asked))
    assert all(answer.ok for answer in answers)
    assert {totals(name)["images"] for name in PROVIDERS} == {50}
    for name in PROVIDERS:
        assert totals(name)["billedMicrousd"] == 50 * vendor(name).usual_microusd
    assert len(requests.get(f"{sim.url}/control/calls", timeout=10).json()) == len(asked)


def test_a_fault_for_n_calls_hits_exactly_n_under_threads(order: Order, arm: Arm) -> None:
    arm("openai", "server_error", times=30)
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(order, ["openai"] * 100))
    assert sum(answer.status_code == 500 for answer in answers) == 30


def test_a_fault_of_one_model_leaves_the_others_alone(order: Order, arm: Arm) -> None:
    arm("gemini", "model_gone", model="gemini-3-pro-image")
    assert order("gemini", model="gemini-3-pro-image").status_code == 404
    assert order("gemini", model="gemini-nano-banana-2.1").ok


def test_a_fault_lasts_until_it_is_taken_away(order: Order, arm: Arm) -> None:
    arm("together", "overloaded")
    sick = [order("together").status_code for _ in range(3)]
    arm("together", None)
    assert sick == [503, 503, 503]
    assert order("together").ok


def test_status_code_and_waiting_time_can_be_changed(order: Order, arm: Arm) -> None:
    arm("openai", "rate_limited", status=420, code="calm_down", retryAfterSeconds=77)
    answer = order("openai")
    assert answer.status_code == 420
    assert answer.headers["retry-after"] == "77"
    assert answer.json()["error"]["code"] == "calm_down"


def test_a_delay_alone_is_a_slow_success(order: Order, arm: Arm, totals: Totals) -> None:
    arm("gemini", None, delaySeconds=0.01)
    assert order("gemini").ok
    assert totals("gemini")["byOutcome"] == {"drawn": 1}


def test_moderation_breaks_apart_from_the_images(order: Order, arm: Arm, totals: Totals) -> None:
    arm("moderation", "server_error")
    assert order("moderation").status_code == 500
    assert order("openai").ok
    assert (totals("moderation")["calls"], totals("openai")["calls"]) == (1, 1)


def test_calls_are_listed_without_prompt_and_key(sim: Simulator, order: Order) -> None:
    order("together", prompt="a secret fox", key="key-of-somebody-9876")
    text = requests.get(f"{sim.url}/control/calls", timeout=10).text
    totals = requests.get(f"{sim.url}/control/providers", timeout=10).json()["together"]
    assert "secret" not in text
    assert "somebody" not in text
    assert '"promptLength":12' in text
    assert totals["keysSeen"] == ["9876"]


def test_a_reset_forgets_everything(sim: Simulator, order: Order, arm: Arm, totals: Totals) -> None:
    order("openai")
    arm("openai", "timeout")
    requests.post(f"{sim.url}/control/reset", timeout=10).raise_for_status()
    assert order("openai").ok
    assert totals("openai")["calls"] == 1


def test_a_prediction_cancelled_in_time_is_not_billed(
    order: Order, arm: Arm, totals: Totals
) -> None:
    arm("replicate", "slow", delaySeconds=600)
    job = order("replicate", headers={}).json()
    before = totals("replicate")["billedMicrousd"]
    headers = {"authorization": "Bearer sk-simulated-1234"}
    ends = [requests.post(job["urls"]["cancel"], headers=headers, timeout=10) for _ in range(2)]
    after = totals("replicate")
    assert [end.json()["status"] for end in ends] == ["canceled", "canceled"]
    assert (before, after["billedMicrousd"], after["images"]) == (3_000, 0, 0)


def test_a_prediction_that_misses_its_deadline_is_not_billed(
    order: Order, arm: Arm, totals: Totals
) -> None:
    arm("replicate", "slow", delaySeconds=600)
    order("replicate", headers={"cancel-after": "5m"})
    assert totals("replicate")["billedMicrousd"] == 0


def test_the_oracle_names_an_outcome_for_every_fault(sim: Simulator) -> None:
    oracle = requests.get(f"{sim.url}/control/faults", timeout=10).json()
    assert set(oracle) == {*PROVIDERS, "moderation", "bedrock-checks", "llm"}
    assert oracle["openai"]["insufficient_quota"]["outcome"] == "account"
    assert oracle["gemini"]["slow"]["outcome"] is None


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("providers/openai", {"fault": "no_such_fault"}, 400),
        ("providers/openai", {"fault": "slow", "count": 3}, 400),
        ("providers/openai", {"fault": "slow", "times": 0}, 400),
        ("providers/openai", [], 400),
        ("providers/nobody", {"fault": "slow"}, 404),
    ],
)
def test_a_mistaken_control_request_is_refused(
    sim: Simulator, path: str, body: Any, status: int
) -> None:
    assert requests.post(f"{sim.url}/control/{path}", json=body, timeout=10).status_code == status
