"""The alarms. Each text says what is wrong and what to look at first, for a person just woken up.

Each alarm defines what missing data means: no traffic is fine, no heartbeat is not. The two metrics
of a division are always emitted together, so that neither is missing alone.
"""

from collections.abc import Mapping
from typing import Final

from generators.monitoring.alarm import AT_MOST, Alarm, missing
from generators.monitoring.queries import (
    DAY,
    FIVE_MINUTES,
    FUNCTIONS,
    HOUR,
    MINUTE,
    lambdas,
    ours,
)
from generators.monitoring.store_alarms import STORES
from imagegen.domain.records import OVER_PRICE_PERCENT
from imagegen.domain.vendor_prices import DRIFT_PERCENT
from imagegen.monitoring.metrics import Metric

ERROR_PERCENT: Final = 5
TIMEOUT_PERCENT: Final = 80
CONCURRENCY_PERCENT: Final = 80
DIFFERENCE_PERCENT: Final = 10
CHAT_PERCENT: Final = 20
RETIREMENT_DAYS: Final = 30


def alarms(timeouts: Mapping[str, str]) -> list[Alarm]:
    """Return every alarm; ``timeouts`` are the functions' time-outs, from ``timeouts()``."""
    per_function = [
        alarm
        for function in FUNCTIONS
        for alarm in (
            _errors(function),
            _answers(function),
            _throttles(function),
            _slow(function, timeouts[function]),
        )
    ]
    return [*per_function, _concurrency(), _dropped(), _chat(), *MONEY, *PROVIDERS, *STORES]


def _errors(function: str) -> Alarm:
    return Alarm(
        f"{function}-errors",
        f"More than {ERROR_PERCENT} % of {function}'s invocations crashed or timed out. "
        f"Search its log group for 'Task timed out' or an import error.",
        {
            "errors": lambdas(function, "Errors", "Sum", MINUTE),
            "runs": lambdas(function, "Invocations", "Sum", MINUTE),
        },
        ERROR_PERCENT,
        "IF(runs > 0, 100 * errors / runs, 0)",
        periods=3,
        needed=2,
    )


def _answers(function: str) -> Alarm:
    return Alarm(
        f"{function}-answers",
        f"More than {ERROR_PERCENT} % of {function}'s answers are 5xx. "
        "Look at 'Top refusal codes' on the dashboard: no_provider_available (providers), "
        "store_unavailable (DynamoDB or S3) or not_configured (a setting).",
        {
            "faults": lambdas(function, "Url5xxCount", "Sum", MINUTE),
            "requests": lambdas(function, "UrlRequestCount", "Sum", MINUTE),
        },
        ERROR_PERCENT,
        "IF(requests > 0, 100 * faults / requests, 0)",
        periods=3,
        needed=2,
    )


def _throttles(function: str) -> Alarm:
    return Alarm(
        f"{function}-throttles",
        f"Lambda throttled calls of {function}: its reserved concurrency or the account's "
        "concurrency is used up.",
        {"throttles": lambdas(function, "Throttles", "Sum", MINUTE)},
        0,
    )


def _slow(function: str, timeout_seconds: str) -> Alarm:
    return Alarm(
        f"{function}-slow",
        f"One invocation of {function} in a hundred takes more than {TIMEOUT_PERCENT} % of the "
        "time-out. Look at the providers' times on the dashboard.",
        {"slowest": lambdas(function, "Duration", "p99", FIVE_MINUTES)},
        TIMEOUT_PERCENT,
        f"slowest / (10 * {timeout_seconds})",
        periods=2,
        needed=2,
    )


def _concurrency() -> Alarm:
    return Alarm(
        "generate-concurrency",
        f"Generate uses more than {CONCURRENCY_PERCENT} % of its reserved concurrency. "
        "At 100 %, Lambda throttles further calls.",
        {"used": lambdas("generate", "ConcurrentExecutions", "Maximum", MINUTE)},
        CONCURRENCY_PERCENT,
        "100 * used / ${GenerateConcurrency}",
        periods=3,
        needed=3,
        condition="ReserveGenerate",
    )


def _dropped() -> Alarm:
    """Return the alarm of https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html."""
    return Alarm(
        "generate-dropped",
        "Lambda gave up events of generate: an image that was to be made in the background was "
        "not begun, and is not charged, or a scheduled sweep did not run. Look at the throttles "
        "and errors of generate.",
        {"dropped": lambdas("generate", "AsyncEventsDropped", "Sum", FIVE_MINUTES)},
        0,
    )


def _chat() -> Alarm:
    return Alarm(
        "chat-failures",
        f"More than {CHAT_PERCENT} % of the chat's answers broke off because the LLM failed. "
        "The entries 'chat answered' in its log group contain the code; the key is CHAT_API_KEY.",
        {"failures": ours(Metric.CHAT_FAILURES), "answers": ours(Metric.CHATS)},
        CHAT_PERCENT,
        "IF(answers > 0, 100 * failures / answers, 0)",
        periods=2,
        needed=2,
    )


MONEY: Final = [
    Alarm(
        "spend",
        "More than AlarmHourlySpendUsd was spent within an hour. To slow spending down, set "
        "ENABLE_IMAGE_GENERATION_<PROVIDER>=false or lower GenerateConcurrency.",
        {
            "charged": ours(Metric.SPEND_USD, period_seconds=HOUR),
            "in_doubt": ours(Metric.IN_DOUBT_USD, period_seconds=HOUR),
        },
        "AlarmHourlySpendUsd",
        "charged + in_doubt",
    ),
    Alarm(
        "llm-tokens",
        "The chat's LLM used more than AlarmHourlyLlmTokens tokens within an hour. The entries "
        "'chat answered' in its log group contain the tokens of each answer. To slow it down, "
        "lower DailyChats, DailyChatTokens or ChatConcurrency.",
        {
            "sent": ours(Metric.LLM_INPUT_TOKENS, period_seconds=HOUR),
            "received": ours(Metric.LLM_OUTPUT_TOKENS, period_seconds=HOUR),
        },
        "AlarmHourlyLlmTokens",
        "sent + received",
    ),
    Alarm(
        "in-doubt",
        "A provider may have billed for an image that was never received. No user was charged. "
        "Compare the provider's bill with the money in doubt on the dashboard.",
        {"charges": ours(Metric.IN_DOUBT_CHARGES)},
        0,
    ),
    Alarm(
        "cost-difference",
        f"Over a day, the providers' own figures differed by more than {DIFFERENCE_PERCENT} % from "
        "the catalog's prices. Check their price pages and correct provider_catalog.json.",
        {
            "billed": ours(Metric.BILLED_USD, period_seconds=DAY),
            "priced": ours(Metric.PRICED_USD, period_seconds=DAY),
        },
        DIFFERENCE_PERCENT,
        "IF(priced > 0, 100 * ABS(billed - priced) / priced, 0)",
    ),
    Alarm(
        "over-price",
        f"For an image, its provider bills over {OVER_PRICE_PERCENT} % more than was charged. "
        "'billed above price' in generate's log group contains the row of the catalog: check its "
        "price. No user paid more.",
        {"images": ours(Metric.OVER_PRICE, period_seconds=DAY)},
        0,
    ),
]

PROVIDERS: Final = [
    Alarm(
        "circuit-open",
        "A circuit is open: a provider or a model is not called for now, and users get the next "
        "one in the tier. The dashboard shows which; 'circuit moved' in the logs contains the "
        "reason.",
        {"resting": ours(Metric.CIRCUITS_OPEN, "Maximum")},
        0,
    ),
    Alarm(
        "key-refused",
        "A provider does not accept its key, or the account lacks credit. "
        "Renew it and run make deploy-env.",
        {"keys": ours(Metric.KEYS_REFUSED, "Maximum")},
        0,
    ),
    missing(
        "probe-missing",
        "The health probe has not run for fifteen minutes, so the state of the providers is "
        "unknown. Look at the health function's log group and its schedule.",
        {"probes": ours(Metric.PROBES)},
    ),
    Alarm(
        "retirement",
        f"A model in the catalog shuts down within {RETIREMENT_DAYS} days. The health report shows "
        "which; put its replacement into provider_catalog.json and deploy.",
        {"days": ours(Metric.RETIREMENT_DAYS, "Minimum", HOUR)},
        RETIREMENT_DAYS,
        comparison=AT_MOST,
    ),
    Alarm(
        "models-unlisted",
        "A provider has not listed a model of the catalog for half an hour. The health report "
        "shows which. The model is still called; its circuit opens if calls fail.",
        {"models": ours(Metric.MODELS_UNLISTED, "Minimum", HOUR // 2)},
        0,
    ),
    Alarm(
        "price-drift",
        f"A vendor states a price that differs from the catalog's by more than {DRIFT_PERCENT} %, "
        "or no longer takes a request of the catalog. The health report for operators shows which; "
        "check the vendor's page, correct provider_catalog.json and deploy.",
        {"rows": ours(Metric.PRICES_DRIFTED, "Minimum", HOUR)},
        0,
    ),
]
