"""The dashboard: from what users feel, at the top, down to why, for a person at three at night.

Row by row: which alarm rings; how requests end and how long they take; how each provider does; what
it costs; how the functions and the probe are; what the logs say.
"""

from collections.abc import Mapping
from typing import Final

from generators.monitoring.alarms import DIFFERENCE_PERCENT, RETIREMENT_DAYS, TIMEOUT_PERCENT
from generators.monitoring.queries import FIVE_MINUTES, FUNCTIONS, HOUR, Query, lambdas, ours
from generators.monitoring.widgets import AMBER, GREEN, GREY, RED, WIDTH, Graph, Line
from imagegen.domain.losses import LossKind
from imagegen.monitoring.metrics import Metric

FUNCTION_COLORS: Final = (GREEN, AMBER, GREY, "#1f77b4", "#9467bd", "#8c564b")


def graphs(providers: Mapping[str, str], timeouts: Mapping[str, str]) -> list[list[Graph]]:
    """Return the graphs, row by row; the providers by name, with their colours."""
    return [
        [_numbers()],
        [_endings(), _request_times(), _failures()],
        [_successes(providers), _call_times(providers), _circuits(providers)],
        [_spending(providers), _doubts(providers), _difference()],
        [_errors(), _slowness(timeouts), _load()],
        [_chats(), _llm(), _tokens()],
        [_keys(providers), _probes(), _retirement()],
    ]


def _numbers() -> Graph:
    shown = (
        Line("Images", GREEN, ours(Metric.IMAGES, period_seconds=HOUR)),
        Line("Failed", RED, ours(Metric.FAILURES, period_seconds=HOUR)),
        Line("By a fallback", AMBER, ours(Metric.FALLBACKS, period_seconds=HOUR)),
        Line("Spent, USD", GREY, ours(Metric.SPEND_USD, period_seconds=HOUR)),
        Line("In doubt, USD", RED, ours(Metric.IN_DOUBT_USD, period_seconds=HOUR)),
        Line("Circuits open", AMBER, ours(Metric.CIRCUITS_OPEN, "Maximum")),
        Line("Keys refused", RED, ours(Metric.KEYS_REFUSED, "Maximum")),
    )
    return Graph("This hour so far", shown, view="singleValue", width=WIDTH, height=3)


def _endings() -> Graph:
    shown = (
        Line("image", GREEN, ours(Metric.IMAGES)),
        Line("refused by policy", GREY, ours(Metric.REFUSALS)),
        Line("failed", RED, ours(Metric.FAILURES)),
    )
    return Graph("How requests end (each 5 min)", shown, stacked=True)


def _seconds(label: str, color: str, name: str, query: Query) -> Line:
    return Line(label, color, expression=f"{name} / 1000", hidden={name: query})


def _request_times() -> Graph:
    shown = (
        _seconds("half are faster (p50)", GREEN, "half", ours(Metric.REQUEST_MS, "p50")),
        _seconds("nearly all are faster (p95)", AMBER, "most", ours(Metric.REQUEST_MS, "p95")),
    )
    return Graph("How long a user waits (seconds)", shown, unit="s")


def _failures() -> Graph:
    shown = (
        Line("by a fallback", AMBER, ours(Metric.FALLBACKS)),
        Line("failed", RED, ours(Metric.FAILURES)),
    )
    return Graph("Fallbacks and failures (each 5 min)", shown)


def _successes(providers: Mapping[str, str]) -> Graph:
    shown = tuple(
        Line(
            name,
            color,
            expression=f"100 * (1 - {name})",
            hidden={name: ours(Metric.CALL_FAULTS, "Average", provider=name)},
        )
        for name, color in providers.items()
    )
    return Graph("Providers: calls that succeed (%)", shown, unit="%", top=100)


def _call_times(providers: Mapping[str, str]) -> Graph:
    shown = tuple(
        _seconds(name, color, name, ours(Metric.CALL_MS, "p95", provider=name, outcome="success"))
        for name, color in providers.items()
    )
    return Graph("Providers: time to an image (seconds, p95)", shown, unit="s")


def _circuits(providers: Mapping[str, str]) -> Graph:
    shown = tuple(
        _while_wrong(name, color, Metric.CIRCUIT_OPEN) for name, color in providers.items()
    )
    return Graph(
        "Circuits: providers not called (a step each)", shown, stacked=True, top=len(providers)
    )


def _while_wrong(provider: str, color: str, metric: Metric) -> Line:
    """Return a line of a metric that is sent only while it is 1."""
    query = ours(metric, "Maximum", provider=provider)
    return Line(provider, color, expression=f"FILL({provider}, 0)", hidden={provider: query})


def _spending(providers: Mapping[str, str]) -> Graph:
    shown = tuple(
        Line(
            name,
            color,
            ours(Metric.SPEND_USD, period_seconds=HOUR, provider=name),
        )
        for name, color in providers.items()
    )
    marks = {"alarm": "AlarmHourlySpendUsd"}
    return Graph("Spent each hour (USD)", shown, stacked=True, unit="USD", marks=marks)


def _lost(name: str, color: str) -> Line:
    hidden = {
        f"{name}_{kind}": ours(Metric.LOSS_USD, period_seconds=HOUR, provider=name, outcome=kind)
        for kind in LossKind
    }
    expression = " + ".join(f"FILL({one}, 0)" for one in hidden)
    return Line(name, color, expression=expression, hidden=hidden)


def _doubts(providers: Mapping[str, str]) -> Graph:
    shown = (
        *(_lost(name, color) for name, color in providers.items()),
        Line("dead runs released", AMBER, ours(Metric.RELEASED), right=True),
        Line("dead runs charged", GREY, ours(Metric.SETTLED), right=True),
    )
    return Graph("Lost each hour: in doubt, unsold, above price (USD)", shown)


def _difference() -> Graph:
    shown = (
        Line(
            "billed above price",
            AMBER,
            expression="IF(priced > 0, 100 * (billed - priced) / priced, 0)",
            hidden={
                "billed": ours(Metric.BILLED_USD, period_seconds=HOUR),
                "priced": ours(Metric.PRICED_USD, period_seconds=HOUR),
            },
        ),
    )
    marks = {"alarm, over a day": DIFFERENCE_PERCENT, "alarm": -DIFFERENCE_PERCENT}
    title = "What providers count, against the catalog (%)"
    return Graph(title, shown, unit="%", least=None, marks=marks)


def _errors() -> Graph:
    died = tuple(
        Line(f"{function} died", color, lambdas(function, "Errors", "Sum", FIVE_MINUTES))
        for function, color in zip(FUNCTIONS, FUNCTION_COLORS, strict=False)
    )
    answered = Line("generate 5xx", RED, lambdas("generate", "Url5xxCount", "Sum", FIVE_MINUTES))
    return Graph("Functions: errors (each 5 min)", (*died, answered))


def _slowness(timeouts: Mapping[str, str]) -> Graph:
    shown = tuple(
        Line(
            function,
            color,
            expression=f"{function} / (10 * {timeouts[function]})",
            hidden={function: lambdas(function, "Duration", "p99", FIVE_MINUTES)},
        )
        for function, color in zip(FUNCTIONS, FUNCTION_COLORS, strict=False)
    )
    title = "Functions: slowest runs (% of their time-out, p99)"
    return Graph(title, shown, unit="%", top=100, marks={"alarm": TIMEOUT_PERCENT})


def _load() -> Graph:
    shown = (
        Line(
            "generate: runs at once",
            AMBER,
            lambdas("generate", "ConcurrentExecutions", "Maximum", FIVE_MINUTES),
        ),
        Line("estimate throttled", RED, lambdas("estimate", "Throttles", "Sum", FIVE_MINUTES)),
        Line("generate throttled", RED, lambdas("generate", "Throttles", "Sum", FIVE_MINUTES)),
    )
    return Graph("Functions: load", shown)


def _chats() -> Graph:
    shown = (
        Line("answers", GREEN, ours(Metric.CHATS)),
        Line("images offered", AMBER, ours(Metric.CHAT_OFFERS)),
        Line("broken off", RED, ours(Metric.CHAT_FAILURES)),
    )
    return Graph("Chat: answers (each 5 min)", shown)


def _llm() -> Graph:
    shown = (
        _seconds("half are faster (p50)", GREEN, "half", ours(Metric.LLM_MS, "p50")),
        _seconds("nearly all are faster (p95)", AMBER, "most", ours(Metric.LLM_MS, "p95")),
        Line("calls of the LLM", GREY, ours(Metric.LLM_CALLS), right=True),
    )
    return Graph("Chat: the LLM's time for an answer (seconds)", shown)


def _tokens() -> Graph:
    shown = (
        Line("read", GREY, ours(Metric.LLM_INPUT_TOKENS, period_seconds=HOUR)),
        Line("written", AMBER, ours(Metric.LLM_OUTPUT_TOKENS, period_seconds=HOUR)),
    )
    return Graph("Chat: the LLM's tokens (each hour)", shown)


def _keys(providers: Mapping[str, str]) -> Graph:
    shown = tuple(
        _while_wrong(name, color, Metric.KEY_REFUSED) for name, color in providers.items()
    )
    return Graph("Keys that are refused", shown, stacked=True, top=len(providers), height=4)


def _probes() -> Graph:
    shown = (
        Line("probes", GREEN, ours(Metric.PROBES)),
        Line("sweeps of the reconciler", GREY, ours(Metric.SWEEPS)),
        Line("models not listed", AMBER, ours(Metric.MODELS_UNLISTED, "Maximum")),
    )
    return Graph("Heartbeats of probe and reconciler (1 each 5 min)", shown, height=4)


def _retirement() -> Graph:
    shown = (Line("days", AMBER, ours(Metric.RETIREMENT_DAYS, "Minimum", HOUR)),)
    marks = {"alarm": RETIREMENT_DAYS}
    return Graph("Days until the next model ends (empty: none known)", shown, marks=marks, height=4)
