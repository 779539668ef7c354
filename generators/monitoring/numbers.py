"""A small CloudWatch for tests: it reads metrics from log lines and computes what alarms watch.

The emulator extracts no metrics and refuses alarms with expressions. With this module the tests
check every alarm: each one goes off in its own case, and none in a healthy hour.
"""

import ast
import json
import math
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Final

from generators.monitoring.queries import Query

type Key = tuple[str, str, frozenset[tuple[str, str]]]
type Series = dict[int, float]
"""Numbers by the start of their period in ms; periods without data are missing."""

STATISTICS: Final[Mapping[str, Callable[[Sequence[float]], float]]] = {
    "Sum": math.fsum,
    "Minimum": min,
    "Maximum": max,
    "Average": lambda values: math.fsum(values) / len(values),
}
FUNCTIONS: Final[Mapping[str, Callable[..., float]]] = {
    "IF": lambda test, yes, no: yes if test else no,
    "ABS": abs,
}


@dataclass(slots=True)
class Numbers:
    """All measured values."""

    points: dict[Key, list[tuple[int, float]]] = field(default_factory=lambda: defaultdict(list))

    def put(
        self, namespace: str, name: str, dimensions: Mapping[str, str], value: float, *, at_ms: int
    ) -> None:
        """Store one value."""
        self.points[namespace, name, frozenset(dimensions.items())].append((at_ms, value))

    def read(self, line: str, *, at_ms: int) -> None:
        """Store the metrics of a log line, if it contains any."""
        if '"_aws"' not in line:
            return
        document: dict[str, Any] = json.loads(line)
        for part in document["_aws"]["CloudWatchMetrics"]:
            for metric, names in product(part["Metrics"], part["Dimensions"]):
                dimensions = {name: document[name] for name in names}
                value = document[metric["Name"]]
                self.put(part["Namespace"], metric["Name"], dimensions, value, at_ms=at_ms)

    def series(self, query: Query, names: Mapping[str, str]) -> Series:
        """Return a query's numbers; ``names`` are the values for ``${...}``."""
        dimensions = frozenset((name, filled(one, names)) for name, one in query.dimensions.items())
        period_ms = query.period_seconds * 1000
        periods: dict[int, list[float]] = defaultdict(list)
        for at_ms, value in self.points.get((query.namespace, query.name, dimensions), []):
            periods[at_ms - at_ms % period_ms].append(value)
        return {start: statistic(query.statistic, periods[start]) for start in sorted(periods)}

    def calculated(
        self, expression: str, queries: Mapping[str, Query], names: Mapping[str, str]
    ) -> Series:
        """Return the numbers of an expression, for periods in which every query has a number.

        A query inside ``FILL`` needs none.
        """
        inputs = {name: self.series(query, names) for name, query in queries.items()}
        tree = ast.parse(filled(expression, names), mode="eval").body
        filling = re.findall(r"FILL\((\w+)", expression)
        needed = [set(one) for name, one in inputs.items() if name not in filling]
        known = set[int]().union(*inputs.values())
        starts = set.intersection(known, *needed)
        return {
            start: evaluated(
                tree, {name: one[start] for name, one in inputs.items() if start in one}
            )
            for start in sorted(starts)
        }


def filled(text: str, names: Mapping[str, str]) -> str:
    """Return a text with the values for ``${...}`` filled in, as ``!Sub`` does it."""
    for name, value in names.items():
        text = text.replace(f"${{{name}}}", value)
    return text


def statistic(name: str, values: Sequence[float]) -> float:
    """Return a statistic of one period's values; 95 % of them are at most ``p95``."""
    if name in STATISTICS:
        return STATISTICS[name](values)
    rank = math.ceil(float(name.removeprefix("p")) / 100 * len(values))
    return sorted(values)[max(0, rank - 1)]


def evaluated(node: ast.expr, values: Mapping[str, float]) -> float:
    """Return the value of an expression.

    Raises:
        ValueError: the expression contains a part that this module does not support.
    """
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.Name(id=name):
            return values[name]
        case ast.Call(
            func=ast.Name(id="FILL"), args=[ast.Name(id=name), ast.Constant(value=other)]
        ):
            return values.get(name, float(str(other)))
        case ast.Call(func=ast.Name(id=name), args=arguments) if name in FUNCTIONS:
            return FUNCTIONS[name](*(evaluated(one, values) for one in arguments))
        case ast.Compare(left=left, ops=[ast.Gt()], comparators=[right]):
            return float(evaluated(left, values) > evaluated(right, values))
        case ast.BinOp(left=left, op=sign, right=right):
            return _combined(sign, left, right, values)
    raise ValueError(f"{ast.unparse(node)!r} is not supported")


def _combined(
    sign: ast.operator, left: ast.expr, right: ast.expr, values: Mapping[str, float]
) -> float:
    one, other = evaluated(left, values), evaluated(right, values)
    match sign:
        case ast.Add():
            return one + other
        case ast.Sub():
            return one - other
        case ast.Mult():
            return one * other
        case ast.Div():
            # In CloudWatch a division by zero has no result.
            return one / other if other else math.nan
    raise ValueError(f"{sign!r} is not supported")
