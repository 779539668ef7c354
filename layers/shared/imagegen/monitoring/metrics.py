"""Every metric that the service emits: its name, its unit and its dimensions, in this one place.

The emitter, the alarms and the dashboard all read ``SERIES``. Dimensions are bounded: the stack, a
provider of the catalog, an outcome of ours; never a user, a prompt or an id.

A line is in CloudWatch's embedded metric format and written by this module: one line has every
dimension set of an image, while Powertools' writer needs one line for each (docs/decisions.md).
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from imagegen.wire.values import iso_time

NAMESPACE = "imagegen"


class Dimension(StrEnum):
    """The dimensions that metrics may have."""

    STACK = "Stack"
    PROVIDER = "Provider"
    OUTCOME = "Outcome"


class Metric(StrEnum):
    """The metrics, by name."""

    # Requests that were confirmed, when they end.
    IMAGES = "Images"
    FAILURES = "Failures"
    REFUSALS = "Refusals"
    FALLBACKS = "Fallbacks"
    REQUEST_MS = "RequestMs"
    # Money: charged for images, possibly billed for lost ones, and what providers state they bill.
    SPEND_USD = "SpendUsd"
    IN_DOUBT_CHARGES = "InDoubtCharges"
    IN_DOUBT_USD = "InDoubtUsd"
    LOSS_USD = "LossUsd"
    PRICED_USD = "PricedUsd"
    BILLED_USD = "BilledUsd"
    OVER_PRICE = "OverPrice"
    # Calls to providers.
    CALLS = "Calls"
    CALL_MS = "CallMs"
    CALL_FAULTS = "CallFaults"
    # Circuits.
    CIRCUIT_MOVES = "CircuitMoves"
    CIRCUITS_OPEN = "CircuitsOpen"
    CIRCUIT_OPEN = "CircuitOpen"
    # The reconciler's heartbeat, and what it ended.
    SWEEPS = "Sweeps"
    SETTLED = "Settled"
    RELEASED = "Released"
    # The scheduled key check.
    PROBES = "Probes"
    KEYS_REFUSED = "KeysRefused"
    KEY_REFUSED = "KeyRefused"
    KEY_CHANGES = "KeyChanges"
    MODELS_UNLISTED = "ModelsUnlisted"
    PRICES_DRIFTED = "PricesDrifted"
    RETIREMENT_DAYS = "RetirementDays"
    # The chat's answers, and the calls and tokens of its LLM.
    CHATS = "Chats"
    CHAT_FAILURES = "ChatFailures"
    CHAT_OFFERS = "ChatOffers"
    LLM_CALLS = "LlmCalls"
    LLM_MS = "LlmMs"
    LLM_INPUT_TOKENS = "LlmInputTokens"
    LLM_OUTPUT_TOKENS = "LlmOutputTokens"


class Unit(StrEnum):
    """The units, named as in CloudWatch."""

    COUNT = "Count"
    MILLISECONDS = "Milliseconds"
    NONE = "None"


type Dimensions = tuple[Dimension, ...]

_STACK: Dimensions = (Dimension.STACK,)
_PROVIDER: Dimensions = (Dimension.STACK, Dimension.PROVIDER)
_OUTCOME: Dimensions = (Dimension.STACK, Dimension.PROVIDER, Dimension.OUTCOME)


@dataclass(frozen=True, slots=True)
class Series:
    """The unit and dimension sets of a metric: CloudWatch bills each set of values separately."""

    unit: Unit
    sets: tuple[Dimensions, ...]


SERIES: Mapping[Metric, Series] = {
    Metric.IMAGES: Series(Unit.COUNT, (_STACK,)),
    Metric.FAILURES: Series(Unit.COUNT, (_STACK,)),
    Metric.REFUSALS: Series(Unit.COUNT, (_STACK,)),
    Metric.FALLBACKS: Series(Unit.COUNT, (_STACK,)),
    Metric.REQUEST_MS: Series(Unit.MILLISECONDS, (_STACK,)),
    Metric.SPEND_USD: Series(Unit.NONE, (_STACK, _PROVIDER)),
    Metric.IN_DOUBT_CHARGES: Series(Unit.COUNT, (_STACK,)),
    Metric.IN_DOUBT_USD: Series(Unit.NONE, (_STACK,)),
    # What no user pays, under the provider that caused it; the outcome is the kind of loss.
    Metric.LOSS_USD: Series(Unit.NONE, (_OUTCOME,)),
    Metric.PRICED_USD: Series(Unit.NONE, (_STACK,)),
    Metric.BILLED_USD: Series(Unit.NONE, (_STACK,)),
    Metric.OVER_PRICE: Series(Unit.COUNT, (_STACK,)),
    Metric.CALLS: Series(Unit.COUNT, (_OUTCOME,)),
    Metric.CALL_MS: Series(Unit.MILLISECONDS, (_OUTCOME,)),
    # 0 or 1 for each call: the average is the rate, and it exists from the first call on.
    Metric.CALL_FAULTS: Series(Unit.COUNT, (_PROVIDER,)),
    Metric.CIRCUIT_MOVES: Series(Unit.COUNT, (_OUTCOME,)),
    Metric.CIRCUITS_OPEN: Series(Unit.COUNT, (_STACK,)),
    Metric.CIRCUIT_OPEN: Series(Unit.COUNT, (_PROVIDER,)),
    Metric.SWEEPS: Series(Unit.COUNT, (_STACK,)),
    Metric.SETTLED: Series(Unit.COUNT, (_STACK,)),
    Metric.RELEASED: Series(Unit.COUNT, (_STACK,)),
    Metric.PROBES: Series(Unit.COUNT, (_STACK,)),
    Metric.KEYS_REFUSED: Series(Unit.COUNT, (_STACK,)),
    Metric.KEY_REFUSED: Series(Unit.COUNT, (_PROVIDER,)),
    Metric.KEY_CHANGES: Series(Unit.COUNT, (_OUTCOME,)),
    Metric.MODELS_UNLISTED: Series(Unit.COUNT, (_STACK,)),
    Metric.PRICES_DRIFTED: Series(Unit.COUNT, (_STACK,)),
    Metric.RETIREMENT_DAYS: Series(Unit.NONE, (_STACK,)),
    Metric.CHATS: Series(Unit.COUNT, (_STACK,)),
    Metric.CHAT_FAILURES: Series(Unit.COUNT, (_STACK,)),
    Metric.CHAT_OFFERS: Series(Unit.COUNT, (_STACK,)),
    Metric.LLM_CALLS: Series(Unit.COUNT, (_STACK,)),
    Metric.LLM_MS: Series(Unit.MILLISECONDS, (_STACK,)),
    Metric.LLM_INPUT_TOKENS: Series(Unit.COUNT, (_STACK,)),
    Metric.LLM_OUTPUT_TOKENS: Series(Unit.COUNT, (_STACK,)),
}


@dataclass(frozen=True, slots=True)
class Sample:
    """The values measured at one event, with the provider and the outcome if it has them."""

    values: Mapping[Metric, float]
    provider: str = ""
    outcome: str = ""

    @property
    def dimensions(self) -> dict[Dimension, str]:
        """The values of the dimensions besides the stack."""
        given = {Dimension.PROVIDER: self.provider, Dimension.OUTCOME: self.outcome}
        return {name: value for name, value in given.items() if value}


def line(sample: Sample, *, stack: str, level: str, now_ms: int) -> str:
    """Return the sample as one line of the log.

    ``level`` is the function's own log level: Lambda treats a line without a level as INFO, and
    would drop it if the function logs less than that.
    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
    """
    dimensions = {Dimension.STACK: stack, **sample.dimensions}
    directives = _directives(*sample.values, given=frozenset(dimensions))
    values: dict[Any, Any] = {
        "level": level,
        "timestamp": iso_time(now_ms),
        **dimensions,
        **sample.values,
    }
    measured = json.dumps(values, separators=(",", ":"))
    return f'{{"_aws":{{"Timestamp":{now_ms},"CloudWatchMetrics":{directives}}},{measured[1:]}'


@cache
def _directives(*measured: Metric, given: frozenset[Dimension]) -> str:
    """Return the metric directives as JSON: one for each combination of dimension sets.

    They are cached: a service writes the same few dozens of kinds of samples again and again.
    """
    metrics: dict[tuple[Dimensions, ...], list[dict[str, str]]] = defaultdict(list)
    for metric in measured:
        sets = tuple(one for one in SERIES[metric].sets if given.issuperset(one))
        metrics[sets].append({"Name": metric, "Unit": SERIES[metric].unit})
    directives = [
        {"Namespace": NAMESPACE, "Dimensions": sets, "Metrics": listed}
        for sets, listed in metrics.items()
        if sets
    ]
    return json.dumps(directives, separators=(",", ":"))
