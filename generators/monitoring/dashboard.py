"""The dashboard: from what users feel, at the top, down to why, for a person at three at night.

Row by row: which alarm rings; how requests end and how long they take; how each provider does; what
it costs; how the functions and the probe are; what the logs say.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from generators.monitoring.alarms import DIFFERENCE_PERCENT, RETIREMENT_DAYS, TIMEOUT_PERCENT, Alarm
from generators.monitoring.queries import FIVE_MINUTES, FUNCTIONS, HOUR, STACK, Query, lambdas, ours
from imagegen.monitoring.metrics import Metric

GREEN, AMBER, RED, GREY = "#2ca02c", "#ff9f1c", "#d62728", "#7f7f7f"
PROVIDER_COLORS: Final = ("#1f77b4", "#17becf", "#e377c2", "#9467bd", "#bcbd22", "#8c564b")
"""In the order of ``imagegen.providers.PROVIDERS``."""
FUNCTION_COLORS: Final = (GREEN, AMBER, GREY, "#1f77b4", "#9467bd", "#8c564b")
LOG_GROUPS: Final = tuple(f"/imagegen/{STACK}/{function}" for function in FUNCTIONS)
WIDTH: Final = 24

REFUSALS_QUERY: Final = (
    'fields code | filter message = "request refused" '
    "| stats count(*) as answers by code, status | sort answers desc | limit 10"
)
NEWS_QUERY: Final = (
    "fields @timestamp, message, circuit, provider, model, old, new, why | filter message in "
    '["circuit moved", "key changed", "key set aside", "model not listed", "dead run ended"] '
    "| sort @timestamp desc | limit 20"
)

BODY: Final = f"""# {STACK}
**Is it us or a provider?** Read from the top. The description of a red alarm says what to do. \
*How requests end* is what users see; the *providers* row shows which provider fails. A failing \
provider is not called for a while (*circuits*), and users get the next one in the tier \
(*fallbacks*). To take a provider out by hand, set `ENABLE_IMAGE_GENERATION_<PROVIDER>=false` and \
run `make deploy-env`."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a graph: a query, or arithmetic over hidden ones."""

    label: str
    color: str
    query: Query | None = None
    expression: str = ""
    hidden: Mapping[str, Query] = field(default_factory=dict)
    right: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    """A widget of metrics."""

    title: str
    lines: tuple[Line, ...]
    view: str = "timeSeries"
    stacked: bool = False
    unit: str = ""
    least: int | None = 0
    top: int | None = None
    marks: Mapping[str, int | str] = field(default_factory=dict)
    """Horizontal lines by their label; a value that is text is the name of a parameter."""
    width: int = 8
    height: int = 6


def graphs(providers: Sequence[str], timeouts: Mapping[str, str]) -> list[list[Graph]]:
    """Return the graphs, row by row."""
    return [
        [_numbers()],
        [_endings(), _request_times(), _failures()],
        [_successes(providers), _call_times(providers), _circuits(providers)],
        [_spending(providers), _doubts(), _difference()],
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


def _successes(providers: Sequence[str]) -> Graph:
    shown = tuple(
        Line(
            name,
            color,
            expression=f"100 * (1 - {name})",
            hidden={name: ours(Metric.CALL_FAULTS, "Average", provider=name)},
        )
        for name, color in zip(providers, PROVIDER_COLORS, strict=False)
    )
    return Graph("Providers: calls that succeed (%)", shown, unit="%", top=100)


def _call_times(providers: Sequence[str]) -> Graph:
    shown = tuple(
        _seconds(name, color, name, ours(Metric.CALL_MS, "p95", provider=name, outcome="success"))
        for name, color in zip(providers, PROVIDER_COLORS, strict=False)
    )
    return Graph("Providers: time to an image (seconds, p95)", shown, unit="s")


def _circuits(providers: Sequence[str]) -> Graph:
    shown = tuple(
        Line(name, color, ours(Metric.CIRCUIT_OPEN, "Maximum", provider=name))
        for name, color in zip(providers, PROVIDER_COLORS, strict=False)
    )
    return Graph(
        "Circuits: who is left alone (a step each)", shown, stacked=True, top=len(providers)
    )


def _spending(providers: Sequence[str]) -> Graph:
    shown = tuple(
        Line(
            name,
            color,
            ours(Metric.SPEND_USD, period_seconds=HOUR, provider=name),
        )
        for name, color in zip(providers, PROVIDER_COLORS, strict=False)
    )
    marks = {"alarm": "AlarmHourlySpendUsd"}
    return Graph("Spent each hour (USD)", shown, stacked=True, unit="USD", marks=marks)


def _doubts() -> Graph:
    shown = (
        Line("possibly billed, USD", RED, ours(Metric.IN_DOUBT_USD)),
        Line("dead runs released", AMBER, ours(Metric.RELEASED), right=True),
        Line("dead runs charged", GREY, ours(Metric.SETTLED), right=True),
    )
    return Graph("Money in doubt (ours, never a user's)", shown)


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
            "generate at once",
            AMBER,
            lambdas("generate", "ConcurrentExecutions", "Maximum", FIVE_MINUTES),
        ),
        Line("estimate turned away", RED, lambdas("estimate", "Throttles", "Sum", FIVE_MINUTES)),
        Line("generate turned away", RED, lambdas("generate", "Throttles", "Sum", FIVE_MINUTES)),
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


def _keys(providers: Sequence[str]) -> Graph:
    shown = tuple(
        Line(name, color, ours(Metric.KEY_REFUSED, "Maximum", provider=name))
        for name, color in zip(providers, PROVIDER_COLORS, strict=False)
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


def body(listed: Sequence[Alarm], rows: Sequence[Sequence[Graph]]) -> str:
    """Return the dashboard as JSON for ``!Sub``."""
    widgets = [
        _text(BODY, height=3),
        _bells([alarm for alarm in listed if not alarm.condition], y=3),
    ]
    y = 7
    for row in rows:
        x = 0
        for graph in row:
            widgets.append(_widget(graph, x, y))
            x += graph.width
        y += max(graph.height for graph in row)
    widgets += [
        _log("Top refusal codes", REFUSALS_QUERY, x=0, y=y, width=8),
        _log("Circuits, keys and dead runs, newest first", NEWS_QUERY, x=8, y=y, width=16),
    ]
    head = json.dumps({"start": "-PT3H", "periodOverride": "inherit"})[1:-1]
    lines = ",\n".join(json.dumps(widget) for widget in widgets)
    text = f'{{{head}, "widgets": [\n{lines}\n]}}'.replace("], [", "],\n  [")
    # A parameter is a number once it is put in.
    return re.sub(r'"value": "(\$\{\w+\})"', r'"value": \1', text)


def _text(markdown: str, *, height: int) -> dict[str, Any]:
    place = {"x": 0, "y": 0, "width": WIDTH, "height": height}
    return {"type": "text", **place, "properties": {"markdown": markdown}}


def _bells(listed: Sequence[Alarm], *, y: int) -> dict[str, Any]:
    where = "arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:"
    arns = [f"{where}{STACK}-{alarm.name}" for alarm in listed]
    place = {"x": 0, "y": y, "width": WIDTH, "height": 4}
    return {"type": "alarm", **place, "properties": {"title": "Alarms", "alarms": arns}}


def _log(title: str, query: str, *, x: int, y: int, width: int) -> dict[str, Any]:
    sources = " | ".join(f"SOURCE '{group}'" for group in LOG_GROUPS)
    shown = {
        "title": title,
        "query": f"{sources} | {query}",
        "region": "${AWS::Region}",
        "view": "table",
    }
    place = {"x": x, "y": y, "width": width, "height": 6}
    return {"type": "log", **place, "properties": shown}


def _widget(graph: Graph, x: int, y: int) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "title": graph.title,
        "region": "${AWS::Region}",
        "view": graph.view,
        "stacked": graph.stacked,
        "metrics": [entry for line in graph.lines for entry in _entries(line)],
    }
    if graph.view != "singleValue":
        left: dict[str, Any] = {} if graph.least is None else {"min": graph.least}
        if graph.top is not None:
            left["max"] = graph.top
        if graph.unit:
            left |= {"label": graph.unit, "showUnits": False}
        shown["yAxis"] = {"left": left}
    if graph.marks:
        values = [
            {"label": label, "value": value if isinstance(value, int) else f"${{{value}}}"}
            for label, value in graph.marks.items()
        ]
        shown["annotations"] = {"horizontal": [{**one, "color": RED} for one in values]}
    place = {"x": x, "y": y, "width": graph.width, "height": graph.height}
    return {"type": "metric", **place, "properties": shown}


def _entries(line: Line) -> list[list[Any]]:
    options: dict[str, Any] = {"label": line.label, "color": line.color}
    if line.right:
        options["yAxis"] = "right"
    if line.query is not None:
        return [line.query.to_widget(**options)]
    hidden = [query.to_widget(id=name, visible=False) for name, query in line.hidden.items()]
    return [[{"expression": line.expression, **options}], *hidden]
