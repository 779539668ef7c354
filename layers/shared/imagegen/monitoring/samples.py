"""The events of the use cases as samples of metrics. A count of zero is a sample, too.

An alarm that divides or adds needs a value of each of its metrics, and a metric that was never
sent has no value.
"""

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from imagegen.domain.breaker import State
from imagegen.domain.errors import ContentRefusedError
from imagegen.domain.money import MICRO
from imagegen.domain.outcomes import Outcome
from imagegen.domain.records import SUCCESS, Attempt, ImageRecord, RecordStatus
from imagegen.guard import Transition
from imagegen.monitoring.metrics import Metric, Sample

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
        values[Metric.OVER_PRICE] = int(record.is_over_price)
    yield Sample(values, provider=_provider_or_other(record.provider, providers) if made else "")
    for attempt in record.attempts:
        yield _attempt_sample(attempt, providers)


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
    """Yield the samples of one key check; an alarm notices when they stop.

    A provider has a sample of its own only while something is wrong with it: CloudWatch bills each
    series of a provider that has values, and the heartbeat says that the others are well.
    """
    values: dict[Metric, float] = {
        Metric.PROBES: 1,
        Metric.CIRCUITS_OPEN: sum(results.open_circuits.values()),
        Metric.KEYS_REFUSED: len(results.refused),
        Metric.MODELS_UNLISTED: len(results.unlisted),
        Metric.PRICES_DRIFTED: len(results.drifted),
    }
    if results.days_left is not None:
        values[Metric.RETIREMENT_DAYS] = results.days_left
    yield Sample(values)
    for provider, resting in results.open_circuits.items():
        if resting:
            yield Sample({Metric.CIRCUIT_OPEN: 1}, provider)
    for provider in results.refused:
        yield Sample({Metric.KEY_REFUSED: 1}, provider)
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
