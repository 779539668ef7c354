"""The template's alarms as CloudWatch would judge them, read from the template itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from generators.monitoring.numbers import Numbers, Series
from generators.monitoring.queries import Query
from local.parameters import read_template

TESTS = {
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}


@dataclass(frozen=True, slots=True)
class Bell:
    """One alarm, with its parameters put in."""

    name: str
    queries: Mapping[str, Query]
    expression: str
    threshold: float
    comparison: str
    periods: int
    needed: int
    absent_is_wrong: bool

    @property
    def period_ms(self) -> int:
        return 1000 * next(iter(self.queries.values())).period_seconds

    def rings(self, numbers: Numbers, names: Mapping[str, str], *, now_ms: int) -> bool:
        """Return whether the alarm is on, by the last periods that are over."""
        series = self._series(numbers, names)
        last = now_ms - now_ms % self.period_ms - self.period_ms
        starts = range(last, last - self.periods * self.period_ms, -self.period_ms)
        return sum(self._is_wrong(series, start) for start in starts) >= self.needed

    def _series(self, numbers: Numbers, names: Mapping[str, str]) -> Series:
        if self.expression:
            return numbers.calculated(self.expression, self.queries, names)
        (query,) = self.queries.values()
        return numbers.series(query, names)

    def _is_wrong(self, series: Series, start: int) -> bool:
        if start not in series:
            return self.absent_is_wrong
        wrong: bool = TESTS[self.comparison](series[start], self.threshold)
        return wrong


@cache
def alarm_resources() -> dict[str, dict[str, Any]]:
    """Return the properties of the template's alarms, by resource."""
    resources = read_template()["Resources"]
    return {
        name: resource["Properties"]
        for name, resource in resources.items()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    }


def bells(values: Mapping[str, str]) -> dict[str, Bell]:
    """Return the alarms by name, with ``values`` for parameters and resources."""
    found = (_bell(properties, values) for properties in alarm_resources().values())
    return {bell.name: bell for bell in found}


def _bell(properties: Mapping[str, Any], values: Mapping[str, str]) -> Bell:
    threshold = properties["Threshold"]
    if isinstance(threshold, dict):
        threshold = values[threshold["Ref"]]
    return Bell(
        name=_text(properties["AlarmName"]).removeprefix("${AWS::StackName}-"),
        queries=queries_of(properties),
        expression=expression_of(properties),
        threshold=float(threshold),
        comparison=properties["ComparisonOperator"],
        periods=properties["EvaluationPeriods"],
        needed=properties["DatapointsToAlarm"],
        absent_is_wrong=properties["TreatMissingData"] == "breaching",
    )


def expression_of(properties: Mapping[str, Any]) -> str:
    """Return an alarm's arithmetic, nothing where it watches one metric."""
    found = [part["Expression"] for part in properties.get("Metrics", []) if "Expression" in part]
    return _text(found[0]) if found else ""


def queries_of(properties: Mapping[str, Any]) -> dict[str, Query]:
    """Return what an alarm watches, by id."""
    if "MetricName" in properties:
        return {"": _query(properties, properties["Statistic"], properties["Period"])}
    return {
        part["Id"]: _query(
            part["MetricStat"]["Metric"], part["MetricStat"]["Stat"], part["MetricStat"]["Period"]
        )
        for part in properties["Metrics"]
        if "MetricStat" in part
    }


def _query(metric: Mapping[str, Any], statistic: str, period_seconds: int) -> Query:
    dimensions = {one["Name"]: _text(one["Value"]) for one in metric["Dimensions"]}
    return Query(metric["Namespace"], metric["MetricName"], dimensions, statistic, period_seconds)


def _text(value: Any) -> str:
    match value:
        case {"Fn::Sub": str() as text}:
            return text
        case {"Ref": str() as name} | {"Fn::If": [_, {"Ref": str() as name}, _]}:
            return f"${{{name}}}"
    return str(value)
