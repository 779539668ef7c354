"""How the dashboard is drawn: graphs, alarms and tables of log lines as CloudWatch's widgets."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from generators.monitoring.alarm import Alarm
from generators.monitoring.queries import FUNCTIONS, STACK, Query

GREEN, AMBER, RED, GREY = "#2ca02c", "#ff9f1c", "#d62728", "#7f7f7f"
LOG_GROUPS: Final = tuple(f"/imagegen/{STACK}/{function}" for function in FUNCTIONS)
WIDTH: Final = 24

REFUSALS_QUERY: Final = (
    'fields code | filter message = "request refused" '
    "| stats count(*) as answers by code, status | sort answers desc | limit 10"
)
NEWS_QUERY: Final = (
    "fields @timestamp, message, circuit, provider, model, old, new, why | filter message in "
    '["circuit moved", "key changed", "key set aside", "model not listed", "price differs", '
    '"dead run ended"] '
    "| sort @timestamp desc | limit 20"
)

BILLS_QUERY: Final = (
    'fields row, charged_usd, billed_usd | filter message = "generation finished" and '
    "ispresent(billed_usd) | stats count(*) as images, sum(charged_usd) as priced, "
    "sum(billed_usd) as billed by row | sort billed desc | limit 20"
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
        _log(
            "What providers count, by row (USD; those whose answers have it)",
            BILLS_QUERY,
            x=0,
            y=y + 6,
            width=WIDTH,
        ),
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
