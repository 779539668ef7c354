"""The primary is off, fails or recovers: over the deployed functions' URLs."""

from typing import Any

import pytest

from imagegen.providers import PROVIDERS
from tests.stack.driver import Driver, Person

TEN_MINUTES_AND_A_BIT = "601"


def high(person: Person) -> Any:
    return person.make(quality="high", provider="openai")


def test_off_by_flag_the_fallback_is_offered_and_said(stack: Driver) -> None:
    with stack.parameter("ENABLE_IMAGE_GENERATION_OPENAI", "false"):
        person = stack.person()
        offer = person.estimate(quality="high", provider="openai").json
        made = person.confirm(offer).json
    assert offer["fallback"]["provider"] == "openai"
    assert offer["fallback"]["reason"] == "disabled"
    assert (offer["provider"], made["provider"]) == ("together", "together")
    assert made["fallback"]["provider"] == "openai"
    assert made["fallback"]["reason"] == "disabled"
    assert made["cost"]["charged"] == offer["price"]["expected"]
    assert stack.counts("openai")["calls"] == 0


def test_without_a_key_the_fallback_is_offered_and_said(stack: Driver) -> None:
    with stack.parameter("TOGETHER_API_KEY", None), stack.parameter("GEMINI_API_KEY", None):
        offer = stack.person().estimate(quality="high", provider="together").json
    assert (offer["provider"], offer["fallback"]["reason"]) == ("bfl", "no_key")
    left_out = {one["provider"]: one["reason"] for one in offer["alternatives"]}
    assert left_out["gemini"] == "no_key"


def test_failing_at_the_click_the_next_one_draws_within_the_ceiling(stack: Driver) -> None:
    stack.provider("openai", fault="server_error")
    person = stack.person()
    offer = person.estimate(quality="high", provider="openai").json
    made = person.confirm(offer).json
    assert offer["provider"] == "openai"
    assert made["provider"] == "together"
    assert made["fallback"] == {
        "provider": "openai",
        "model": "gpt-image-2.5-flare",
        "reason": "unavailable",
        "price": None,
    }
    assert [one["outcome"] for one in made["attempts"]] == ["unavailable", "success"]
    assert made["cost"]["charged"] == "0.030000"
    assert float(made["cost"]["charged"]) <= float(offer["price"]["ceiling"])
    assert person.usage()["spent"] == "0.030000"


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("server_error", 502, "generation_failed"),
        ("rate_limited", 503, "no_provider_available"),
        ("bad_key", 503, "no_provider_available"),
    ],
)
def test_when_everybody_fails_nothing_is_charged(
    stack: Driver, fault: str, status: int, code: str
) -> None:
    for name in PROVIDERS:
        stack.provider(name, fault=fault)
    person = stack.person()
    answer = high(person)
    assert (answer.status, answer.json["code"]) == (status, code)
    assert answer.json["charged"] is False
    usage = person.usage()
    assert (usage["spent"], usage["images"], usage["attempts"]) == ("0.000000", 0, 1)
    assert usage["remaining"]["imagesThisHour"] == 10


def test_a_refusal_asks_nobody_else_and_is_not_charged(stack: Driver) -> None:
    person = stack.person()
    answer = person.make("A provider-refusal of a picture", quality="high", provider="openai")
    assert (answer.status, answer.json["code"]) == (422, "content_refused")
    assert answer.json["charged"] is False
    assert stack.counts("gemini")["calls"] == 0
    assert person.usage()["spent"] == "0.000000"


def test_moderation_refuses_before_any_provider(stack: Driver) -> None:
    person = stack.person()
    answer = person.make("moderation-block:violence")
    assert (answer.status, answer.json["code"]) == (422, "content_refused")
    assert "violence" in answer.json["detail"]
    assert stack.counts("openai")["images"] == 0


def test_without_a_verdict_nothing_is_drawn(stack: Driver) -> None:
    stack.provider("moderation", fault="server_error")
    person = stack.person()
    answer = person.make()
    assert (answer.status, answer.json["code"]) == (503, "moderation_unavailable")
    assert stack.counts("openai")["images"] == 0
    with stack.configured("generate", MODERATION="best-effort"):
        assert person.make().status == 200


def fail_in(instances: int, stack: Driver) -> None:
    """Let the primary fail once in each of so many fresh instances."""
    for _ in range(instances):
        stack.restart()
        made = high(stack.person()).json
        assert made["attempts"][0]["outcome"] == "unavailable"
        assert made["provider"] != "openai"


def circuit(stack: Driver, provider: str) -> str:
    found = next(p for p in stack.health()["providers"] if p["provider"] == provider)
    state: str = found["circuit"]["state"]
    return state


def test_five_failures_over_five_instances_open_and_one_probe_closes(stack: Driver) -> None:
    stack.provider("openai", fault="server_error")
    fail_in(5, stack)
    before = stack.counts("openai")["calls"]
    assert circuit(stack, "openai") == "open"

    stack.restart()  # instances remember circuits for two seconds
    offer = stack.person().estimate(quality="high", provider="openai").json
    assert (offer["fallback"]["provider"], offer["fallback"]["reason"]) == (
        "openai",
        "circuit_open",
    )
    sixth = high(stack.person()).json
    assert sixth["provider"] == "together"
    assert stack.counts("openai")["calls"] == before, "the sixth request does not call it"

    stack.provider("openai")
    with stack.configured(CLOCK_OFFSET_SECONDS=TEN_MINUTES_AND_A_BIT):
        probe = high(stack.person()).json
        assert probe["provider"] == "openai"
        assert circuit(stack, "openai") == "closed"
        assert high(stack.person()).json["provider"] == "openai"


def test_a_probe_that_fails_opens_again(stack: Driver) -> None:
    stack.provider("openai", fault="server_error")
    fail_in(5, stack)
    before = stack.counts("openai")["calls"]
    with stack.configured(CLOCK_OFFSET_SECONDS=TEN_MINUTES_AND_A_BIT):
        assert high(stack.person()).json["provider"] == "together"
        assert stack.counts("openai")["calls"] == before + 1
        assert high(stack.person()).json["provider"] == "together"
        assert stack.counts("openai")["calls"] == before + 1
        assert circuit(stack, "openai") == "open"


def test_one_users_failures_open_nothing_for_others(stack: Driver) -> None:
    stack.provider("openai", fault="server_error")
    person = stack.person()
    for _ in range(6):
        stack.restart()
        assert high(person).json["provider"] != "openai"
    assert circuit(stack, "openai") == "closed"
    assert stack.counts("openai")["calls"] == 5, "the sixth request of this user does not call it"
    stack.provider("openai")
    assert high(stack.person()).json["provider"] == "openai"


@pytest.mark.parametrize("fault", ["firewall_403", "firewall_503", "unverified_org", "empty_200"])
def test_what_stops_one_request_is_noticed_by_nobody_else(stack: Driver, fault: str) -> None:
    stack.provider("openai", fault=fault)
    for _ in range(6):
        assert high(stack.person()).json["provider"] == "together"
    stack.restart()
    offer = stack.person().estimate(quality="high", provider="openai").json
    assert (offer["provider"], offer["fallback"]) == ("openai", None)
    assert circuit(stack, "openai") == "closed"


def test_a_model_that_declines_in_words_ends_the_request(stack: Driver) -> None:
    stack.provider("gemini", fault="declined_in_words")
    for _ in range(6):
        person = stack.person()
        answer = person.make(quality="high", provider="gemini")
        assert (answer.status, answer.json["code"]) == (422, "content_refused")
    assert stack.counts("openai")["calls"] == 0
    assert circuit(stack, "gemini") == "closed"


def test_a_burst_of_429_closes_a_provider_for_no_longer_than_it_asks(stack: Driver) -> None:
    stack.provider("openai", fault="rate_limited")
    person = stack.person()
    for _ in range(5):
        assert high(person).json["provider"] == "together"
    assert circuit(stack, "openai") == "closed"
    stack.provider("openai")
    with stack.configured(CLOCK_OFFSET_SECONDS="3"):
        assert high(stack.person()).json["provider"] == "openai"


def test_a_refused_key_opens_at_once(stack: Driver) -> None:
    stack.provider("openai", fault="bad_key")
    assert high(stack.person()).json["provider"] == "together"
    assert circuit(stack, "openai") == "open"


def test_the_probe_opens_a_provider_whose_key_is_refused_before_a_user_meets_it(
    stack: Driver,
) -> None:
    stack.provider("gemini", fault="bad_key")
    assert stack.invoke("health", {"task": "probe"})["gemini"] == "account"
    assert circuit(stack, "gemini") == "open"
    assert all(stack.counts(p)["billedMicrousd"] == 0 for p in ("openai", "gemini"))


def test_a_model_that_is_gone_opens_that_model_only(stack: Driver) -> None:
    stack.provider("openai", fault="model_gone", model="gpt-image-2.5-sunburst")
    assert stack.person().make(quality="ultra", provider="openai").json["provider"] != "openai"
    assert high(stack.person()).json["provider"] == "openai"
    stack.restart()
    offer = stack.person().estimate(quality="ultra", provider="openai").json
    assert offer["fallback"]["reason"] == "circuit_open"


def test_scheduled_runs_happen_only_when_a_test_starts_them(stack: Driver) -> None:
    """A key check fills the health function's memory of circuits, which is two seconds old."""
    listed = stack.client("scheduler").list_schedules()["Schedules"]
    assert len(listed) >= 3
    assert {one["State"] for one in listed} == {"DISABLED"}
