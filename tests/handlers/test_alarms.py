"""Every alarm rings in its own case and none does in a healthy hour.

The functions run over fakes, their logs are read as CloudWatch reads them, and the template's
alarms are judged by it. What Lambda itself measures is taken from the same runs.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from typing import Any

import pytest

from generators.monitoring.numbers import Numbers
from generators.monitoring.queries import DYNAMODB, FUNCTIONS, LAMBDA, S3
from imagegen.bootstrap import verifier
from imagegen.domain.outcomes import Outcome
from imagegen.domain.pricing import price_microusd
from imagegen.domain.vendor_prices import Statement
from imagegen.monitoring.observer import LogObserver
from imagegen.wire.messages import MessageComplete, TextApiCall
from local.issuer import Issuer
from tests.fakes.alarms import bells
from tests.fakes.catalogs import real_catalog
from tests.fakes.faults import DiedError, Fault
from tests.fakes.pictures import png
from tests.fakes.providers import ScriptedModerator
from tests.fakes.service import Service
from tests.handlers.conftest import ENVIRONMENT, Functions

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
VALUES = {
    "AWS::StackName": "prod",
    "AlarmHourlySpendUsd": "3.2",
    "AlarmHourlyLlmTokens": "1000",
    "GenerateConcurrency": "10",
    "GenerateTimeoutSeconds": "300",
    **{name: name for name in ("Table", "Bucket", *FUNCTIONS.values())},
}
TOKENS = {"input_tokens": 25, "output_tokens": 1756}
"""What OpenAI counts for a square of quality high."""


ANSWERED = MessageComplete(
    id="m",
    content="Hi",
    image_generations=(),
    llm_api_calls=(
        TextApiCall(
            provider="acme",
            model="talker-1",
            input_tokens=15,
            output_tokens=5,
            cost=None,
            duration_ms=1,
            success=True,
            timestamp=0,
        ),
    ),
    stop_reason="end",
)

BROKEN_OFF = ANSWERED.model_copy(update={"stop_reason": "error"})


@dataclass(slots=True)
class Watched:
    """The service under the eyes of its alarms."""

    functions: Functions
    people: Issuer
    capture: pytest.CaptureFixture[str]
    observer: LogObserver
    numbers: Numbers = field(default_factory=Numbers)
    rang: set[str] = field(default_factory=set)
    _users: Iterator[int] = field(default_factory=count)

    @property
    def service(self) -> Service:
        return self.functions.service

    def take(self) -> None:
        """Read what the functions logged."""
        for line in self.capture.readouterr().out.splitlines():
            self.numbers.read(line, at_ms=self.service.clock())

    def lambdas(self, function: str, **values: float) -> None:
        """Measure as Lambda does."""
        dimensions = {"FunctionName": FUNCTIONS[function]}
        for name, value in values.items():
            self.numbers.put(LAMBDA, name, dimensions, value, at_ms=self.service.clock())

    def run(self, function: str, event: dict[str, Any]) -> dict[str, Any]:
        """Return a function's answer, measured from outside."""
        began_ms, died = self.service.clock(), 0
        try:
            answer = self.functions.invoke(function, event)
        except BaseException:  # noqa: BLE001 a killed process is what is measured
            answer, died = {"statusCode": 502}, 1
        self.lambdas(
            function,
            Invocations=1,
            Errors=died,
            Throttles=0,
            Duration=self.service.clock() - began_ms,
            ConcurrentExecutions=1,
            UrlRequestCount=1,
            Url5xxCount=int(answer["statusCode"] >= 500),
        )
        self.take()
        return answer

    def image(self) -> None:
        """Ask for a price and click, as a user of one's own."""
        self.functions.token = self.people.token(f"user-{next(self._users)}")
        event = self.functions.event("estimate/prompt-only")
        event["body"] = json.dumps({**json.loads(event["body"]), "model": "openai-high"})
        asked = self.run("estimate", event)
        if asked["statusCode"] == 200:
            quote = json.loads(asked["body"])["quote"]
            self.run("generate", self.functions.event("generate/confirmed", QUOTE=quote))

    def probe(self) -> None:
        self.observer.keys_checked(self.service.key_checker.check())
        self.lambdas("health", Invocations=1, Errors=0, Duration=900, Throttles=0)
        self.take()

    def sweep(self) -> None:
        """Run the reconciler as its schedule does."""
        self.run_scheduled("generate", {"task": "reconcile"})

    def run_scheduled(self, function: str, event: dict[str, Any]) -> None:
        """Invoke a function as a schedule does; its error is measured by Lambda."""
        died = 0
        try:
            self.functions.invoke(function, event)
        except Exception:  # noqa: BLE001 whatever it is, Lambda counts it
            died = 1
        self.lambdas(function, Invocations=1, Errors=died, Duration=100, Throttles=0)
        self.observer.swept() if not died else None
        self.take()

    def amazon(self, namespace: str, name: str, value: float = 1, **dimensions: str) -> None:
        """Measure as DynamoDB or S3 does."""
        self.numbers.put(namespace, name, dimensions, value, at_ms=self.service.clock())

    def minutes(
        self,
        number: int,
        each: Callable[["Watched"], object],
        *,
        key_checks: bool = True,
        sweeps: bool = True,
    ) -> set[str]:
        """Return the alarms that rang while this happened each minute."""
        listed, next_probe_ms = bells(VALUES), self.service.clock()
        next_sweep_ms = next_probe_ms
        for minute in range(number):
            if sweeps and self.service.clock() >= next_sweep_ms:
                self.sweep()
                next_sweep_ms += 5 * MINUTE_MS
            if key_checks and self.service.clock() >= next_probe_ms:
                self.probe()
                next_probe_ms += 5 * MINUTE_MS
            each(self)
            self.service.clock.at_ms += MINUTE_MS - self.service.clock.at_ms % MINUTE_MS
            if minute >= 15:
                self.rang |= {
                    name
                    for name, bell in listed.items()
                    if bell.rings(self.numbers, VALUES, now_ms=self.service.clock())
                }
        return self.rang


@pytest.fixture
def watched(
    functions: Functions,
    people: Issuer,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Watched:
    for name, value in {**ENVIRONMENT, "JWT_ISSUER": people.url, "STACK_NAME": "prod"}.items():
        monkeypatch.setenv(name, value)
    verifier.get_settings.cache_clear()
    service = functions.service
    observer = LogObserver("prod", "INFO", service.catalog.providers, service.clock)
    service.on_finished = observer.request_finished
    service.on_transition = observer.circuit_moved
    service.on_ended = observer.dead_run_ended
    service.providers["openai"].usage = TOKENS
    service.providers["openai"].takes_ms = 12_000
    return Watched(functions, people, capsys, observer)


def once(happens: Callable[[Watched], object], *, at: int = 16) -> Callable[[Watched], object]:
    """Return a minute's work that is done once, in that minute."""
    turns = count()

    def each(watched: Watched) -> None:
        if next(turns) == at:
            happens(watched)

    return each


def nothing(_: Watched) -> None:
    """A quiet minute."""


def an_image(watched: Watched) -> None:
    watched.image()


# Nothing rings without a reason.


def test_no_alarm_rings_in_a_healthy_hour(watched: Watched) -> None:
    assert watched.minutes(60, an_image) == set()
    assert len(watched.service.finished) == 60


def test_no_alarm_rings_where_nobody_asks_for_anything(watched: Watched) -> None:
    assert watched.minutes(60, nothing) == set()


def test_a_refused_prompt_wakes_nobody(watched: Watched) -> None:
    watched.service.react("openai", Outcome.REFUSED)
    assert watched.minutes(30, an_image) == set()


def test_a_single_fault_with_a_fallback_wakes_nobody(watched: Watched) -> None:
    watched.service.providers["openai"].reactions = [Outcome.UNAVAILABLE, *[png()] * 100]
    assert watched.minutes(30, an_image) == set()
    assert watched.service.finished[0].fallback is not None


# Each rings for its own.


def test_runs_that_die_ring(watched: Watched) -> None:
    watched.service.react("openai", DiedError())
    assert "generate-errors" in watched.minutes(20, an_image)


@pytest.mark.parametrize("function", ["estimate", "health"])
def test_runs_of_any_function_that_die_ring(watched: Watched, function: str) -> None:
    def dies(one: Watched) -> None:
        one.lambdas(function, Invocations=10, Errors=1)

    assert watched.minutes(20, dies) == {f"{function}-errors"}


def test_without_a_verdict_on_prompts_the_answers_ring(watched: Watched) -> None:
    watched.service.moderator = ScriptedModerator(Outcome.UNAVAILABLE)
    assert watched.minutes(20, an_image) == {"generate-answers"}


def test_when_every_provider_is_down_there_is_no_offer_and_that_rings(watched: Watched) -> None:
    for name in watched.service.providers:
        watched.service.react(name, Outcome.UNAVAILABLE)
    # The probes fail as well: their answers are those of generate.
    expected = {"estimate-answers", "circuit-open", "generate-answers"}
    assert watched.minutes(20, an_image) == expected


@pytest.mark.parametrize("function", ["estimate", "health"])
def test_a_store_that_is_down_rings_where_it_is_needed(watched: Watched, function: str) -> None:
    def fails(one: Watched) -> None:
        one.lambdas(function, UrlRequestCount=10, Url5xxCount=1)

    assert watched.minutes(20, fails) == {f"{function}-answers"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_caller_turned_away_rings(watched: Watched, function: str) -> None:
    turned_away = once(lambda one: one.lambdas(function, Throttles=1))
    assert watched.minutes(20, turned_away) == {f"{function}-throttles"}


def test_images_that_take_nearly_all_the_time_there_is_ring(watched: Watched) -> None:
    # One that hangs until it is given up, and one that takes as long as it may.
    for name in ("openai", "together"):
        watched.service.providers[name].takes_ms = 122_000
    watched.service.react("openai", Outcome.BAD_PARAMETER)
    assert watched.minutes(40, an_image) == {"generate-slow"}


@pytest.mark.parametrize(("function", "timeout_ms"), [("estimate", 10_000), ("health", 180_000)])
def test_a_slow_function_rings_against_its_own_time_out(
    watched: Watched, function: str, timeout_ms: int
) -> None:
    def slow(one: Watched) -> None:
        one.lambdas(function, Duration=0.81 * timeout_ms)

    assert watched.minutes(40, slow) == {f"{function}-slow"}


def test_concurrency_that_is_nearly_used_up_rings(watched: Watched) -> None:
    def busy(one: Watched) -> None:
        one.lambdas("generate", ConcurrentExecutions=9)

    assert watched.minutes(20, busy) == {"generate-concurrency"}


def test_a_dear_hour_rings(watched: Watched) -> None:
    def many(one: Watched) -> None:
        for _ in range(2):
            one.image()

    watched.service.providers["openai"].takes_ms = 1_000
    assert watched.minutes(75, many) == {"spend"}
    # One each minute is the healthy hour, which rings nothing.
    assert 2 * 60 * 0.0527 > 3.2 > 60 * 0.0527


def test_an_hour_of_many_tokens_rings(watched: Watched) -> None:
    def chats(one: Watched) -> None:
        one.observer.chat_answered(ANSWERED)
        one.take()

    assert watched.minutes(75, chats) == {"llm-tokens"}
    assert 60 * 20 > 1_000


def test_answers_of_the_chat_that_break_off_ring_and_a_single_one_does_not(
    watched: Watched,
) -> None:
    def breaks_off(one: Watched) -> None:
        one.observer.chat_answered(BROKEN_OFF)
        one.take()

    assert watched.minutes(30, once(breaks_off)) == set()
    assert watched.minutes(30, breaks_off) == {"chat-failures"}


def test_an_event_that_lambda_gives_up_rings(watched: Watched) -> None:
    given_up = once(lambda one: one.lambdas("generate", AsyncEventsDropped=1))
    assert watched.minutes(20, given_up) == {"generate-dropped"}


def test_money_in_doubt_is_spending_too(watched: Watched) -> None:
    for name in watched.service.providers:
        watched.service.react(name, Outcome.UNKNOWN)

    def many(one: Watched) -> None:
        one.service.circuits.circuits.clear()
        for _ in range(2):
            one.image()

    assert {"spend", "in-doubt"} <= watched.minutes(75, many)


def test_one_lost_answer_rings_although_a_fallback_made_the_image(watched: Watched) -> None:
    watched.service.providers["openai"].reactions = [Outcome.UNKNOWN, png()]
    assert watched.minutes(25, once(an_image)) == {"in-doubt"}
    assert watched.service.finished[0].charged_microusd > 0


def test_a_run_that_died_after_its_call_rings_when_it_is_given_back(watched: Watched) -> None:
    def dies(one: Watched) -> None:
        one.service.react("openai", DiedError())
        one.image()
        one.service.clock.advance(400_000)
        one.service.reconciler.sweep(limit=10)
        one.take()

    assert "in-doubt" in watched.minutes(25, once(dies))


def test_five_failures_ring_until_the_circuit_closes(watched: Watched) -> None:
    watched.service.react("openai", Outcome.UNAVAILABLE)
    assert watched.minutes(25, an_image) == {"circuit-open"}
    watched.service.providers["openai"].reactions = []
    watched.minutes(20, an_image)
    watched.rang.clear()
    assert watched.minutes(20, an_image) == set()


def test_a_refused_key_rings_before_a_user_meets_it(watched: Watched) -> None:
    watched.service.providers["openai"].key_checks = [Outcome.ACCOUNT] * 20
    assert watched.minutes(25, an_image) == {"key-refused", "circuit-open"}
    assert not watched.service.providers["openai"].orders


def test_a_probe_that_does_not_run_rings(watched: Watched) -> None:
    assert watched.minutes(25, an_image, key_checks=False) == {"probe-missing"}


def test_a_sweep_that_does_not_run_rings(watched: Watched) -> None:
    assert watched.minutes(25, an_image, sweeps=False) == {"sweep-missing"}


def test_a_sweep_that_fails_each_time_rings_although_it_runs(watched: Watched) -> None:
    """Errors of one invocation in five minutes are far below five per cent of generate's."""

    def fails(one: Watched) -> None:
        """The table answers nothing to a sweep, which is the first call of each minute in five."""
        one.image()
        one.service.wire.mend()
        one.service.wire.faults[0] = Fault.BEFORE

    assert "sweep-missing" in watched.minutes(25, fails)


@pytest.mark.parametrize("metric", ["ReadThrottleEvents", "WriteThrottleEvents"])
def test_a_throttled_table_rings(watched: Watched, metric: str) -> None:
    def throttled(one: Watched) -> None:
        one.amazon(DYNAMODB, metric, TableName="Table")

    assert watched.minutes(20, throttled) == {"table-throttles"}


@pytest.mark.parametrize("operation", ["GetItem", "PutItem", "Query", "UpdateItem"])
def test_errors_of_dynamodb_itself_ring(watched: Watched, operation: str) -> None:
    def fails(one: Watched) -> None:
        one.amazon(DYNAMODB, "SystemErrors", TableName="Table", Operation=operation)

    assert watched.minutes(20, fails) == {"table-errors"}


def test_errors_of_s3_itself_ring(watched: Watched) -> None:
    def fails(one: Watched) -> None:
        one.amazon(S3, "5xxErrors", BucketName="Bucket", FilterId="images")

    assert watched.minutes(20, fails) == {"bucket-errors"}


def test_one_error_of_a_store_wakes_nobody(watched: Watched) -> None:
    def fails(one: Watched) -> None:
        one.amazon(S3, "5xxErrors", BucketName="Bucket", FilterId="images")
        one.amazon(DYNAMODB, "WriteThrottleEvents", TableName="Table")

    assert watched.minutes(25, once(fails)) == set()


def test_a_model_that_ends_within_thirty_days_rings(watched: Watched) -> None:
    models = {row.model: None for row in real_catalog().models}
    for days, expected in ((date(2026, 12, 23), set()), (date(2026, 12, 22), {"retirement"})):
        watched.service.providers["openai"].served = {**models, "gpt-image-2.5-flare": days}
        assert watched.minutes(130, nothing) == expected


def test_a_model_that_stays_unlisted_rings_and_a_moment_does_not(watched: Watched) -> None:
    served = {row.model: None for row in real_catalog().models}
    watched.service.providers["openai"].served = {}
    watched.minutes(20, nothing)
    watched.service.providers["openai"].served = served
    assert watched.minutes(60, nothing) == set()
    watched.service.providers["openai"].served = {}
    assert watched.minutes(75, nothing) == {"models-unlisted"}


def test_a_vendor_that_states_another_price_rings(watched: Watched) -> None:
    rows = [row for row in real_catalog().models if row.provider == "openai"]
    openai = watched.service.providers["openai"]
    for shift, expected in ((0, set()), (5_000, {"price-drift"})):
        prices = [price_microusd(row, row.sizes[0]) or 0 for row in rows]
        openai.stated = [Statement(price + shift) for price in prices]
        outcomes = watched.functions.invoke("health", {"task": "prices"})
        assert outcomes["openai"] == "checked"
        assert watched.minutes(130, nothing) == expected


@pytest.mark.parametrize(
    ("output_tokens", "expected"),
    [(1900, set()), (1950, {"cost-difference", "over-price"}), (1570, {"cost-difference"})],
)
def test_a_provider_that_counts_a_tenth_more_or_less_rings(
    watched: Watched, output_tokens: int, expected: set[str]
) -> None:
    watched.service.providers["openai"].usage = {"output_tokens": output_tokens}
    watched.minutes(17, once(an_image, at=1))
    watched.service.clock.advance(24 * HOUR_MS)
    watched.rang.clear()
    assert watched.minutes(17, nothing) - {"probe-missing", "sweep-missing"} == expected
