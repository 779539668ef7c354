"""Events of the service, written to the logs and, as samples, to the metrics.

A log line has counts and outcomes, never the text of a prompt or an answer. A count of zero is a
sample, too: an alarm that divides or adds needs a value of each of its metrics, and a metric that
was never sent has no value.
"""

import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imagegen.domain.breaker import State
from imagegen.domain.errors import ContentRefusedError
from imagegen.domain.money import MICRO, usd_text
from imagegen.domain.outcomes import Outcome
from imagegen.domain.records import SUCCESS, Attempt, ImageRecord, RecordStatus
from imagegen.guard import Transition
from imagegen.logs import logger, place_of
from imagegen.monitoring.metrics import Metric, Sample, line

if TYPE_CHECKING:
    # For types only: a function that only prices does not load these modules.
    from imagegen.usecases.generate.reconciler import EndedHold
    from imagegen.usecases.key_checks import KeyCheckResults
    from imagegen.wire.messages import MessageComplete

OTHER = "other"
"""Stands for a provider that is not in the catalog: a quote may name one that was removed."""
SKIPPED = "skipped"
"""Stands for every reason why a candidate was not called."""
CALLED = frozenset({SUCCESS, *Outcome}) - {Outcome.NOT_CALLED}
ANSWERED = frozenset({SUCCESS, Outcome.REFUSED})
"""The outcomes that show that a provider works."""


def image_samples(record: ImageRecord, providers: Collection[str]) -> Iterator[Sample]:
    """Yield the samples of a confirmed request that ended."""
    made = record.status is RecordStatus.COMPLETE
    refused = record.code == ContentRefusedError.code
    values: dict[Metric, float] = {
        Metric.IMAGES: int(made),
        Metric.FAILURES: int(not made and not refused),
        Metric.REFUSALS: int(refused),
        Metric.FALLBACKS: int(made and record.fallback is not None),
        Metric.REQUEST_MS: record.duration_ms,
        **_money(record.charged_microusd, record.in_doubt_microusd),
    }
    if record.actual_microusd is not None:
        values[Metric.PRICED_USD] = _usd(record.charged_microusd)
        values[Metric.BILLED_USD] = _usd(record.actual_microusd)
    yield Sample(values, provider=_provider_or_other(record.provider, providers) if made else "")
    for attempt in record.attempts:
        yield _attempt_sample(attempt, providers)


def transition_samples(move: Transition) -> Iterator[Sample]:
    """Yield the samples of a circuit that changed its state; a model's counts as its provider's."""
    provider = move.name.partition("/")[0]
    yield Sample({Metric.CIRCUIT_MOVES: 1}, provider, move.new)
    if move.new is not State.CLOSED:
        # The next key check sends the whole number; until then, at least one is open.
        yield Sample({Metric.CIRCUITS_OPEN: 1, Metric.CIRCUIT_OPEN: 1}, provider)


def reconciled_samples(ended: "EndedHold") -> Iterator[Sample]:
    """Yield the sample of a request whose run died.

    A stored image is charged. An image that is not stored may still have been billed to us.
    """
    charged, in_doubt = (ended.microusd, 0) if ended.is_settled else (0, ended.microusd)
    values: dict[Metric, float] = {
        Metric.SETTLED: int(ended.is_settled),
        Metric.RELEASED: int(not ended.is_settled),
        **_money(charged, in_doubt),
    }
    yield Sample(values)


def sweep_samples() -> Iterator[Sample]:
    """Yield the heartbeat of the reconciler, which is sent only if the whole sweep succeeded."""
    yield Sample({Metric.SWEEPS: 1})


def key_check_samples(results: "KeyCheckResults") -> Iterator[Sample]:
    """Yield the samples of one key check; an alarm notices when they stop."""
    values: dict[Metric, float] = {
        Metric.PROBES: 1,
        Metric.CIRCUITS_OPEN: sum(results.open_circuits.values()),
        Metric.KEYS_REFUSED: len(results.refused),
        Metric.MODELS_UNLISTED: len(results.unlisted),
    }
    if results.days_left is not None:
        values[Metric.RETIREMENT_DAYS] = results.days_left
    yield Sample(values)
    for provider, resting in results.open_circuits.items():
        yield Sample({Metric.CIRCUIT_OPEN: min(1, resting)}, provider)
    for provider in results.key_checks:
        yield Sample({Metric.KEY_REFUSED: int(provider in results.refused)}, provider)
    for change in results.changes:
        yield Sample({Metric.KEY_CHANGES: 1}, change.provider, change.new)


def chat_samples(message: "MessageComplete") -> Iterator[Sample]:
    """Yield the sample of a chat's answer."""
    calls = [one for one in message.llm_api_calls if one.type == "text"]
    values: dict[Metric, float] = {
        Metric.CHATS: 1,
        Metric.CHAT_FAILURES: int(message.stop_reason == "error"),
        Metric.CHAT_OFFERS: len(message.image_generations),
        Metric.LLM_CALLS: len(calls),
        Metric.LLM_MS: sum(one.duration_ms for one in calls),
        Metric.LLM_INPUT_TOKENS: sum(one.input_tokens or 0 for one in calls),
        Metric.LLM_OUTPUT_TOKENS: sum(one.output_tokens or 0 for one in calls),
    }
    yield Sample(values)


@dataclass(frozen=True, slots=True)
class LogObserver:
    """Writes every event to the function's log, from which CloudWatch reads the metrics."""

    stack_name: str
    level: str
    providers: Collection[str]
    now_ms: Callable[[], int]

    def circuit_moved(self, transition: Transition) -> None:
        """Report a circuit that changed its state."""
        old, new = transition.old, transition.new
        logger.warning(
            "circuit moved", circuit=transition.name, old=old, new=new, why=transition.why
        )
        self._emit(transition_samples(transition))

    def request_finished(self, record: ImageRecord) -> None:
        """Report a confirmed request that ended."""
        self._emit(image_samples(record, self.providers))
        logger.info(
            "generation finished",
            status_word=record.status,
            quote_id=record.quote_id,
            tier=record.tier,
            provider=record.provider,
            model=record.model,
            charged_usd=usd_text(record.charged_microusd),
            in_doubt_usd=usd_text(record.in_doubt_microusd),
            duration_ms=record.duration_ms,
            code=record.code,
            attempts=[
                {"provider": a.provider, "model": a.model, "outcome": a.outcome, "code": a.code}
                for a in record.attempts
            ],
        )

    def dead_run_ended(self, ended: "EndedHold") -> None:
        """Report a request whose run died and was ended by the reconciler."""
        outcome = "settled" if ended.is_settled else "released"
        logger.warning("dead run ended", outcome=outcome, held_usd=usd_text(ended.microusd))
        self._emit(reconciled_samples(ended))

    def swept(self) -> None:
        """Report a scheduled sweep that ended; an alarm notices when these stop."""
        self._emit(sweep_samples())

    def keys_checked(self, results: "KeyCheckResults") -> None:
        """Report a check of the keys; of all instances, only one reports a changed key."""
        logger.info("keys checked", outcomes=results.outcomes)
        for change in results.changes:
            logger.warning("key changed", provider=change.provider, old=change.old, new=change.new)
        for model in results.unlisted:
            logger.warning("model not listed", model=model)
        self._emit(key_check_samples(results))

    def key_set_aside(self, provider: str, number: int) -> None:
        """Report a refused key by its number among its provider's keys; no part of it is logged."""
        logger.warning("key set aside", provider=provider, key_number=number)

    def chat_answered(self, message: "MessageComplete") -> None:
        """Report a chat's answer: its counts and how it ended, not its text."""
        calls = [one for one in message.llm_api_calls if one.type == "text"]
        logger.info(
            "chat answered",
            outcome=message.stop_reason,
            code=message.problem.code if message.problem else None,
            llm_calls=len(calls),
            offers=len(message.image_generations),
            input_tokens=sum(one.input_tokens or 0 for one in calls),
            output_tokens=sum(one.output_tokens or 0 for one in calls),
            duration_ms=sum(one.duration_ms for one in calls),
        )
        self._emit(chat_samples(message))

    def unexpected_error(self, error: Exception) -> None:
        """Report an error that no code handles, without its text, which may contain a prompt."""
        logger.error("unexpected error", kind=type(error).__name__, place=place_of(error))

    def _emit(self, found: Iterable[Sample]) -> None:
        """Write samples in CloudWatch's embedded metric format."""
        at_ms = self.now_ms()
        for sample in found:
            text = line(sample, stack=self.stack_name, level=self.level, now_ms=at_ms)
            sys.stdout.write(f"{text}\n")


def _attempt_sample(attempt: Attempt, providers: Collection[str]) -> Sample:
    provider = _provider_or_other(attempt.provider, providers)
    if attempt.outcome not in CALLED:
        return Sample({Metric.CALLS: 1}, provider, SKIPPED)
    values = {
        Metric.CALLS: 1,
        Metric.CALL_MS: attempt.duration_ms,
        Metric.CALL_FAULTS: int(attempt.outcome not in ANSWERED),
    }
    return Sample(values, provider, attempt.outcome)


def _money(charged_microusd: int, in_doubt_microusd: int) -> dict[Metric, float]:
    return {
        Metric.SPEND_USD: _usd(charged_microusd),
        Metric.IN_DOUBT_CHARGES: int(in_doubt_microusd > 0),
        Metric.IN_DOUBT_USD: _usd(in_doubt_microusd),
    }


def _usd(microusd: int) -> float:
    """Return dollars for a graph, as a float; no amount of money is ever computed from it."""
    return microusd / MICRO


def _provider_or_other(provider: str, providers: Collection[str]) -> str:
    return provider if provider in providers else OTHER
