"""What the use cases tell, as samples of metrics. Counts that are nought are samples, too.

An alarm that divides or adds needs a value from each of its metrics, and a metric that was never
sent has none.
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
    # Their modules are not for a function that only prices.
    from imagegen.usecases.generate.reconciler import EndedHold
    from imagegen.usecases.key_checks import KeyCheckResults
    from imagegen.wire.messages import MessageComplete

OTHER = "other"
"""Stands for a provider that the catalog does not have: a quote may name one that left it."""
SKIPPED = "skipped"
"""Stands for every reason why a candidate was not called."""
CALLED = frozenset({SUCCESS, *Outcome}) - {Outcome.NOT_CALLED}
ANSWERED = frozenset({SUCCESS, Outcome.REFUSED})
"""What a provider may come to and be well."""


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
    yield Sample(values, provider=_known(record.provider, providers) if made else "")
    for attempt in record.attempts:
        yield _of_attempt(attempt, providers)


def _of_attempt(attempt: Attempt, providers: Collection[str]) -> Sample:
    provider = _known(attempt.provider, providers)
    if attempt.outcome not in CALLED:
        return Sample({Metric.CALLS: 1}, provider, SKIPPED)
    values = {
        Metric.CALLS: 1,
        Metric.CALL_MS: attempt.duration_ms,
        Metric.CALL_FAULTS: int(attempt.outcome not in ANSWERED),
    }
    return Sample(values, provider, attempt.outcome)


def transition_samples(move: Transition) -> Iterator[Sample]:
    """Yield the samples of a circuit that moved; a model's counts as its provider's."""
    provider = move.name.partition("/")[0]
    yield Sample({Metric.CIRCUIT_MOVES: 1}, provider, move.new)
    if move.new is not State.CLOSED:
        # The next probe says the whole number; until then it is known that there is one.
        yield Sample({Metric.CIRCUITS_OPEN: 1, Metric.CIRCUIT_OPEN: 1}, provider)


def reconciled_samples(ended: "EndedHold") -> Iterator[Sample]:
    """Yield the sample of a request whose run died.

    A stored image was charged. One that is not stored may have been billed to us all the same.
    """
    charged, in_doubt = (ended.microusd, 0) if ended.is_settled else (0, ended.microusd)
    values: dict[Metric, float] = {
        Metric.SETTLED: int(ended.is_settled),
        Metric.RELEASED: int(not ended.is_settled),
        **_money(charged, in_doubt),
    }
    yield Sample(values)


def key_check_samples(probed: "KeyCheckResults") -> Iterator[Sample]:
    """Yield the samples of one probe; that there are any is its heartbeat."""
    values: dict[Metric, float] = {
        Metric.PROBES: 1,
        Metric.CIRCUITS_OPEN: sum(probed.open_circuits.values()),
        Metric.KEYS_REFUSED: len(probed.refused),
        Metric.MODELS_UNLISTED: len(probed.unlisted),
    }
    if probed.days_left is not None:
        values[Metric.RETIREMENT_DAYS] = probed.days_left
    yield Sample(values)
    for provider, resting in probed.open_circuits.items():
        yield Sample({Metric.CIRCUIT_OPEN: min(1, resting)}, provider)
    for provider in probed.key_checks:
        yield Sample({Metric.KEY_REFUSED: int(provider in probed.refused)}, provider)
    for change in probed.changes:
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
    """Return dollars: a graph's number, from which no money is ever made again."""
    return microusd / MICRO


def _known(provider: str, providers: Collection[str]) -> str:
    return provider if provider in providers else OTHER
