"""What is measured, logged and woken for is in each of its places."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path

import pytest

from generators.monitoring.queries import FUNCTIONS
from generators.sources import nodes
from imagegen.bootstrap.world import Observer
from imagegen.logs import FIELDS
from imagegen.monitoring.metrics import Metric
from imagegen.usecases.generate.reconciler import Reconciled
from local.paths import ROOT
from tests.fakes.alarms import alarm_resources

PACKAGE = ROOT / "layers" / "shared" / "imagegen"
SAMPLES = PACKAGE / "monitoring" / "samples.py"
OBSERVER = PACKAGE / "monitoring" / "observer.py"
LEVELS = frozenset({"debug", "info", "warning", "error", "critical", "exception"})

UNPACKED: Mapping[str, frozenset[str]] = {
    "done": frozenset(one.name for one in fields(Reconciled)),
}
"""What is logged as ``**name``, and the fields that it has."""

BY_POWERTOOLS = frozenset(
    {
        *("level", "location", "message", "timestamp", "service", "sampling_rate"),
        *("cold_start", "function_name", "function_memory_size", "function_arn"),
        *("function_request_id", "correlation_id", "xray_trace_id"),
    }
)
"""Fields that no call of ours names."""
ON_EACH_LINE = frozenset({"user", "key_id"})
"""Fields that ``edge/api.py`` appends to each line of a request."""


def sources() -> list[Path]:
    return sorted([*PACKAGE.rglob("*.py"), *(ROOT / "functions").rglob("*.py")])


def attributes(path: Path, of: str = "") -> set[str]:
    """Return the attributes that a file names, of one name or of any."""
    return {
        node.attr
        for node in nodes(path)
        if isinstance(node, ast.Attribute)
        and (not of or (isinstance(node.value, ast.Name) and node.value.id == of))
    }


# Metrics.


def test_every_metric_is_in_a_sample() -> None:
    named = attributes(SAMPLES, "Metric")
    unsent = {one.name for one in Metric if one.name not in named}
    assert not unsent, (
        f"no function of monitoring/samples.py sends Metric.{', Metric.'.join(sorted(unsent))}: a "
        "graph or an alarm of it would be empty for ever"
    )


def test_every_function_of_samples_is_sent() -> None:
    made = {
        node.name
        for node in ast.parse(SAMPLES.read_text()).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    }
    assert not made - attributes(OBSERVER, "samples"), "call it in monitoring/observer.py"


def test_every_event_of_the_observer_is_reported() -> None:
    events = {name for name in vars(Observer) if not name.startswith("_")}
    others = [path for path in sources() if path not in (OBSERVER, PACKAGE / "bootstrap/world.py")]
    named = set[str]().union(*map(attributes, others))
    assert not events - named, "no code passes these to the observer"


# Log fields.


def log_calls() -> Iterator[tuple[str, ast.Call]]:
    """Yield each call of the logger, with its place."""
    for path in sources():
        for node in nodes(path):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="logger"), attr=level)):
                    if level in LEVELS:
                        yield f"{path.relative_to(ROOT)}:{node.lineno}", node


every_call = pytest.mark.parametrize(
    ("place", "call"), [pytest.param(place, call, id=place) for place, call in log_calls()]
)


def logged(call: ast.Call) -> set[str]:
    """Return the fields that a call adds to its line."""
    found = set[str]()
    for keyword in call.keywords:
        if keyword.arg is None:
            found |= UNPACKED[ast.unparse(keyword.value)]
        else:
            found.add(keyword.arg)
    return found


@every_call
def test_every_field_of_a_line_is_on_the_list(place: str, call: ast.Call) -> None:
    dropped = logged(call) - FIELDS
    assert not dropped, (
        f"{place} logs {sorted(dropped)}, which the formatter drops: add it to FIELDS of "
        "layers/shared/imagegen/logs.py, if no user's words can be in it"
    )


@every_call
def test_a_line_has_a_fixed_text(place: str, call: ast.Call) -> None:
    assert [type(one) for one in call.args] == [ast.Constant], (
        f"{place}: what varies is a field, so that it is cleaned"
    )


def test_every_field_of_the_list_is_logged() -> None:
    used = set[str]().union(*(logged(call) for _, call in log_calls()))
    used |= BY_POWERTOOLS | ON_EACH_LINE
    assert used == FIELDS, "take it out of FIELDS in layers/shared/imagegen/logs.py"


# Alarms.


def alarms() -> set[str]:
    """Return the alarms' names; those of a function with FUNCTION in its place."""
    names = {
        one["AlarmName"]["Fn::Sub"].removeprefix("${AWS::StackName}-")
        for one in alarm_resources().values()
    }
    each = {name.partition("-")[2] for name in names if name.startswith("estimate-")}
    of_each = {f"{function}-{kind}" for function in FUNCTIONS for kind in each}
    return names - of_each | {f"FUNCTION-{kind}" for kind in each}


def rows() -> set[str]:
    page = (ROOT / "docs" / "troubleshooting.md").read_text()
    table = re.findall(r"^\| (`.*?) \|", page.partition("\n## Alarms\n")[2], re.MULTILINE)
    return {name for first in table for name in re.findall(r"`([^`]+)`", first)}


def test_every_alarm_is_answered_with_a_command_that_there_is() -> None:
    page = (ROOT / "docs" / "troubleshooting.md").read_text().partition("\n## Alarms\n")[2]
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    answers = re.findall(r"^\| `.*?` \| (.*?) \|", page, re.MULTILINE)
    assert answers
    for answer in answers:
        named = re.findall(r"[`(]make ([a-z-]+)", answer)
        assert named, answer
        assert set(named) <= targets


def test_every_alarm_has_a_row_for_whoever_was_woken() -> None:
    assert alarms() == rows(), (
        "docs/troubleshooting.md, Alarms: one row says for each alarm what to look at and what the "
        "usual reason is"
    )


def test_every_alarm_rings_in_a_case_of_its_own() -> None:
    cases = (ROOT / "tests" / "handlers" / "test_alarms.py").read_text()
    named = set(re.findall(r'"(?:\{function\})?([a-z-]+)"', cases))
    untried = {one for one in alarms() if one.removeprefix("FUNCTION") not in named}
    assert not untried, "tests/handlers/test_alarms.py: what must happen so that it rings"
