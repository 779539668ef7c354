"""The moderator over OpenAI's free endpoint."""

import base64
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.inputs import InputFile, Role
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import Moderation, Moderator
from imagegen.providers import build_moderator
from imagegen.providers.moderation import OpenAIModerator
from tests.adapters.providers.adapters import KEY, PROMPT, texts_of
from tests.adapters.providers.loopback import Loopback, Reply, json_reply
from tests.contracts.vendors import check


@pytest.fixture
def pauses() -> list[float]:
    """The seconds that the moderator has waited."""
    return []


@pytest.fixture
def moderator(server: Loopback, pauses: list[float]) -> Moderator:
    built = build_moderator(SecretStr(KEY), f"{server.origin}/v1")
    assert isinstance(built, OpenAIModerator)
    return replace(built, sleep=pauses.append)


def verdict(*results: dict[str, Any]) -> dict[str, Any]:
    return {"id": "modr-1", "model": "omni-moderation-latest", "results": list(results)}


CLEAN = {"flagged": False, "categories": {"violence": False, "sexual": False}}
VIOLENT = {"flagged": True, "categories": {"violence/graphic": True, "violence": True, "x": False}}


def test_a_clean_prompt_is_not_flagged(moderator: Moderator, server: Loopback) -> None:
    server.replies(json_reply(200, verdict(CLEAN)))
    assert moderator.check(PROMPT, timeout_seconds=10) == Moderation(flagged=False)
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/v1/moderations")
    assert asked.json() == {"model": "omni-moderation-latest", "input": PROMPT}
    check("openai", "moderationRequest", asked.json())
    assert asked.headers["authorization"] == f"Bearer {KEY}"


def test_a_flagged_prompt_comes_with_its_categories(moderator: Moderator, server: Loopback) -> None:
    server.replies(json_reply(200, verdict(VIOLENT)))
    found = moderator.check(PROMPT, timeout_seconds=10)
    assert found == Moderation(flagged=True, categories=("violence", "violence/graphic"))


def test_one_flagged_result_among_several_is_enough(moderator: Moderator, server: Loopback) -> None:
    server.replies(json_reply(200, verdict(CLEAN, VIOLENT)))
    assert moderator.check(PROMPT, timeout_seconds=10).flagged


def given(content: bytes, kind: str = "image/png", role: Role = Role.EDIT) -> InputFile:
    return InputFile(role, content, kind, 24, 16)


def part(picture: InputFile) -> dict[str, Any]:
    data = base64.b64encode(picture.content).decode()
    url = f"data:{picture.media_type};base64,{data}"
    return {"type": "image_url", "image_url": {"url": url}}


def test_the_prompt_goes_with_the_first_picture_and_each_further_one_alone(
    moderator: Moderator, server: Loopback
) -> None:
    """The endpoint takes one picture in a call: two are refused as ``too_many_images``."""
    pictures = [given(b"one"), given(b"two", "image/jpeg", Role.REFERENCE), given(b"three")]
    server.replies(*[json_reply(200, verdict(CLEAN))] * 3)
    assert moderator.check(PROMPT, pictures, timeout_seconds=10) == Moderation(flagged=False)
    inputs = [one.json()["input"] for one in server.asked]
    text = {"type": "text", "text": PROMPT}
    assert inputs == [[text, part(pictures[0])], [part(pictures[1])], [part(pictures[2])]]
    for one in server.asked:
        check("openai", "moderationRequest", one.json())


@pytest.mark.parametrize("at", [0, 1, 2])
def test_the_first_flagged_picture_ends_the_check(
    moderator: Moderator, server: Loopback, at: int
) -> None:
    verdicts = [CLEAN] * at + [VIOLENT]
    server.replies(*[json_reply(200, verdict(one)) for one in verdicts])
    pictures = [given(bytes([number])) for number in range(3)]
    assert moderator.check(PROMPT, pictures, timeout_seconds=10).flagged
    assert len(server.asked) == at + 1


def test_a_picture_without_a_verdict_is_no_verdict(moderator: Moderator, server: Loopback) -> None:
    server.replies(json_reply(200, verdict(CLEAN)), json_reply(500, {"error": {"message": "x"}}))
    with pytest.raises(ProviderError):
        moderator.check(PROMPT, [given(b"one"), given(b"two")], timeout_seconds=10)


def test_a_long_prompt_is_judged_whole(moderator: Moderator, server: Loopback) -> None:
    server.replies(json_reply(200, verdict(CLEAN)))
    prompt = "ß" * 32_000
    moderator.check(prompt, timeout_seconds=10)
    assert server.asked[0].json()["input"] == prompt


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, verdict(), Outcome.UNAVAILABLE),
        (200, verdict({"categories": {}}), Outcome.UNAVAILABLE),
        (200, verdict({"flagged": "no"}), Outcome.UNAVAILABLE),
        (200, verdict(CLEAN, {"flagged": None}), Outcome.UNAVAILABLE),
        (200, {"results": PROMPT}, Outcome.UNAVAILABLE),
        (200, [PROMPT], Outcome.UNAVAILABLE),
        (200, f"<html>{PROMPT}", Outcome.BLOCKED),
        (403, f"<html>{PROMPT}", Outcome.BLOCKED),
        (403, {"error": {"message": PROMPT, "code": "brand_new"}}, Outcome.BLOCKED),
        (401, {"error": {"message": PROMPT, "code": "brand_new"}}, Outcome.UNAVAILABLE),
        (401, f"<!DOCTYPE html>{PROMPT}", Outcome.BLOCKED),
        (503, f"<!DOCTYPE html>{PROMPT}", Outcome.BLOCKED),
        (400, {"error": {"message": "x", "code": "content_policy_violation"}}, Outcome.REFUSED),
        (400, {"error": {"message": PROMPT, "code": "too_long"}}, Outcome.BAD_PARAMETER),
        (401, {"error": {"message": KEY, "code": "invalid_api_key"}}, Outcome.ACCOUNT),
        (429, {"error": {"message": PROMPT, "code": "insufficient_quota"}}, Outcome.ACCOUNT),
        (429, {"error": {"message": PROMPT, "code": "x"}}, Outcome.RATE_LIMITED),
        (500, None, Outcome.UNAVAILABLE),
    ],
)
def test_without_a_verdict_there_is_an_error(
    status: int, body: object, outcome: Outcome, moderator: Moderator, server: Loopback
) -> None:
    server.replies(json_reply(status, body))
    with pytest.raises(ProviderError) as caught:
        moderator.check(PROMPT, timeout_seconds=10)
    assert caught.value.outcome is outcome
    assert PROMPT not in texts_of(caught.value)
    assert KEY not in texts_of(caught.value)


def too_many(retry_after: str = "", code: str = "rate_limit_exceeded") -> Reply:
    headers = {"Retry-After": retry_after} if retry_after else {}
    return json_reply(429, {"error": {"message": "slow down", "code": code}}, headers)


@pytest.mark.parametrize(("asked", "waited"), [("", 1), ("1", 1), ("3", 3), ("0.2", 1)])
def test_a_call_above_the_rate_is_repeated_once_after_a_short_wait(
    moderator: Moderator, server: Loopback, pauses: list[float], asked: str, waited: float
) -> None:
    server.replies(too_many(asked), json_reply(200, verdict(VIOLENT)))
    assert moderator.check(PROMPT, timeout_seconds=10).flagged
    assert pauses == [waited]
    assert [one.json()["input"] for one in server.asked] == [PROMPT, PROMPT]


def test_a_rate_that_is_still_exceeded_is_told_and_not_tried_for_ever(
    moderator: Moderator, server: Loopback, pauses: list[float]
) -> None:
    server.replies(too_many("2"))
    with pytest.raises(ProviderError) as caught:
        moderator.check(PROMPT, timeout_seconds=10)
    assert (caught.value.outcome, caught.value.retry_after_seconds) == (Outcome.RATE_LIMITED, 2)
    assert (pauses, len(server.asked)) == ([2], 2)


@pytest.mark.parametrize(
    ("reply", "seconds"),
    [
        pytest.param(too_many("4"), 10, id="a wait that is too long"),
        pytest.param(too_many("3"), 5, id="a wait of most of the time"),
        pytest.param(too_many("1", "insufficient_quota"), 10, id="no credit"),
        pytest.param(json_reply(500, None), 10, id="an outage"),
        pytest.param(json_reply(401, {"error": {"code": "invalid_api_key"}}), 10, id="the key"),
    ],
)
def test_nothing_else_is_waited_for(
    moderator: Moderator, server: Loopback, pauses: list[float], reply: Reply, seconds: float
) -> None:
    server.replies(reply, json_reply(200, verdict(CLEAN)))
    with pytest.raises(ProviderError):
        moderator.check(PROMPT, timeout_seconds=seconds)
    assert (pauses, len(server.asked)) == ([], 1)


def test_each_picture_may_be_waited_for(
    moderator: Moderator, server: Loopback, pauses: list[float]
) -> None:
    clean = json_reply(200, verdict(CLEAN))
    server.replies(too_many(), clean, too_many(), clean)
    pictures = [given(b"one"), given(b"two")]
    assert not moderator.check(PROMPT, pictures, timeout_seconds=20).flagged
    assert pauses == [1, 1]


def test_an_answer_that_never_comes_is_an_error(moderator: Moderator, server: Loopback) -> None:
    server.script = lambda _asked, wire: wire.hold()
    with pytest.raises(ProviderError) as caught:
        moderator.check(PROMPT, timeout_seconds=0.2)
    assert caught.value.outcome is Outcome.UNKNOWN
