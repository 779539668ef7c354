"""What providers with jobs have in common: whom the key is sent to, and when a job is asked for."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from pydantic import SecretStr

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageAnswer, ImageOrder, ServedModels
from imagegen.providers.bounds import Deadline
from imagegen.providers.faults import HttpAnswer, fault
from imagegen.providers.http import JsonHttp
from imagegen.providers.keys import Keychain, KeyedProvider
from imagegen.providers.polling import (
    Questions,
    is_missing,
    is_trusted,
    later_image,
    pause_after,
)
from tests.adapters.providers.loopback import Loopback, Reply, ToolUse, Wire, json_reply
from tests.fakes.pictures import png

BASE = "https://api.example.com/v1"
HOSTS = ("example.com", "example.run")
KEY = SecretStr("sk-CANARY")


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com/v1/jobs/1",
        "https://example.com/",
        "https://eu1.api.example.com/v1/get?id=1",
        "https://queue.example.run/jobs/1",
        "https://API.example.com/v1/jobs/1",
        "https://api.example.com:443/v1/jobs/1",
    ],
)
def test_the_key_may_be_sent_to_the_vendors_hosts(url: str) -> None:
    assert is_trusted(url, BASE, HOSTS)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "http://api.example.com/v1/jobs/1",
        "https://api.example.com:8443/v1/jobs/1",
        "https://api.example.com.evil.org/v1/jobs/1",
        "https://example.com.evil.org/",
        "https://notexample.com/",
        "https://evil.org/example.com",
        "https://user@api.example.com/",
        "https://api.example.com@evil.org/",
        "https://api.example.com\\@evil.org/",
        "https://api.example.com#@evil.org/",
        "https://169.254.169.254/latest/meta-data",
        "https://127.0.0.1/",
        "https://[::1]/",
        "//api.example.com/v1",
        "https://api.example.com./v1",
        "https://api.exаmple.com/v1",  # noqa: RUF001 - a Cyrillic letter
        "ftp://api.example.com/v1",
    ],
)
def test_the_key_is_sent_to_nobody_else(url: str) -> None:
    assert not is_trusted(url, BASE, HOSTS)


@pytest.mark.parametrize(
    ("url", "trusted"),
    [
        ("http://127.0.0.1:8001/v1/jobs/1", True),
        ("http://127.0.0.1:8002/v1/jobs/1", False),
        ("https://127.0.0.1:8001/v1/jobs/1", False),
        ("https://api.example.com/v1/jobs/1", False),
    ],
)
def test_the_key_of_a_stand_in_goes_to_the_stand_in_alone(url: str, *, trusted: bool) -> None:
    assert is_trusted(url, "http://127.0.0.1:8001/v1", HOSTS) is trusted


@pytest.mark.parametrize(
    ("waited", "pause"), [(0, 1), (29.9, 1), (30, 2), (59, 2), (60, 4), (90, 5), (3_000, 5)]
)
def test_the_pause_is_doubled_each_half_minute_up_to_five_seconds(
    waited: float, pause: float
) -> None:
    assert pause_after(waited) == pause


@dataclass
class Time:
    now_seconds: float = 1000.0
    pauses: list[float] = field(default_factory=list)

    def read(self) -> float:
        return self.now_seconds

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now_seconds += seconds


def is_done(answer: HttpAnswer) -> bool:
    return answer.body == {"done": True}


def waited(server: Loopback, seconds: float) -> tuple[HttpAnswer | None, Time]:
    time = Time()
    questions = Questions(JsonHttp("p"), {}, is_done)
    deadline = Deadline.after(seconds, time.read)
    return questions.wait(f"{server.origin}/job", deadline, time.sleep), time


def test_a_job_is_asked_for_until_it_has_ended(server: Loopback) -> None:
    server.replies(json_reply(200, {}), Reply(500), json_reply(200, {"done": True}))
    answer, time = waited(server, 60)
    assert answer is not None
    assert answer.body == {"done": True}
    assert time.pauses == [1, 1]
    assert len(server.asked) == 3


def test_a_job_that_does_not_end_is_asked_for_until_the_deadline(server: Loopback) -> None:
    server.replies(json_reply(200, {}))
    answer, time = waited(server, 2.5)
    assert answer is None
    assert time.pauses == [1, 1, 0.5]


def test_a_question_that_fails_is_not_the_end(server: Loopback) -> None:
    def script(_asked: ToolUse, wire: Wire) -> Reply | None:
        if len(server.asked) == 1:
            wire.reset()
            return None
        return json_reply(200, {"done": True})

    server.script = script
    answer, _ = waited(server, 60)
    assert answer is not None


@pytest.mark.parametrize(
    ("status", "body", "missing"),
    [
        (404, {"detail": "no such job"}, True),
        (410, {}, True),
        (404, None, False),
        (404, [], False),
        (400, {}, False),
        (200, {}, False),
    ],
)
def test_only_the_api_itself_says_that_there_is_no_such_job(
    status: int, body: object, *, missing: bool
) -> None:
    assert is_missing(HttpAnswer(status, {}, body)) is missing  # type: ignore[arg-type]


# With several keys.

type Result = ImageAnswer | Outcome | None
ANSWER = ImageAnswer(png())


@dataclass
class OneKey:
    result: Result
    seconds: list[float] = field(default_factory=list)

    def generate(self, order: ImageOrder, *, timeout_seconds: float) -> ImageAnswer:
        raise AssertionError("nothing is ordered")

    def check_key(self, *, timeout_seconds: float) -> None:
        raise AssertionError("no key is checked")

    def models(self, *, timeout_seconds: float) -> ServedModels | None:
        raise AssertionError("no list is read")

    def job_result(self, ticket: str, *, timeout_seconds: float) -> ImageAnswer | None:
        assert ticket == "a ticket"
        self.seconds.append(timeout_seconds)
        if isinstance(self.result, Outcome):
            raise fault("p", self.result)
        return self.result


def asked(*results: Result) -> tuple[Callable[[], ImageAnswer | None], list[OneKey]]:
    keys = [OneKey(one) for one in results]
    provider = KeyedProvider(Keychain("p", keys, lambda: 0))
    return lambda: provider.job_result("a ticket", timeout_seconds=12), keys


@pytest.mark.parametrize(
    ("results", "found"),
    [
        ((ANSWER,), ANSWER),
        ((None,), None),
        ((Outcome.UNKNOWN, ANSWER), ANSWER),
        ((None, ANSWER), ANSWER),
        ((Outcome.UNKNOWN, None), None),
        ((None, Outcome.UNKNOWN), None),
        ((), None),
    ],
)
def test_each_key_is_asked_for_the_job(
    results: tuple[Result, ...], found: ImageAnswer | None
) -> None:
    ask, keys = asked(*results)
    assert ask() is found
    assert all(one.seconds in ([], [12 / len(keys)]) for one in keys)


@pytest.mark.parametrize(
    ("results", "outcome"),
    [
        ((Outcome.UNKNOWN,), Outcome.UNKNOWN),
        ((Outcome.UNKNOWN, Outcome.UNKNOWN), Outcome.UNKNOWN),
        ((Outcome.UNKNOWN, Outcome.REFUSED), Outcome.REFUSED),
        ((Outcome.REFUSED, ANSWER), Outcome.REFUSED),
    ],
)
def test_a_job_that_no_key_has_is_lost(results: tuple[Result, ...], outcome: Outcome) -> None:
    ask, _ = asked(*results)
    with pytest.raises(ProviderError) as caught:
        ask()
    assert caught.value.outcome is outcome


@pytest.mark.parametrize("outcome", [Outcome.UNAVAILABLE, Outcome.NO_IMAGE, Outcome.REFUSED])
def test_a_job_whose_image_is_none_is_not_asked_again(outcome: Outcome) -> None:
    def made(_answer: HttpAnswer) -> ImageAnswer:
        raise fault("openai", outcome)

    with pytest.raises(ProviderError) as caught:
        later_image(HttpAnswer(200, {}, {}), lambda _answer: None, made)
    assert caught.value.outcome is outcome
