"""CloudWatch queries for series of our own (``imagegen.monitoring.metrics``) and of Lambda."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imagegen.monitoring.metrics import NAMESPACE, SERIES, Dimension, Metric

LAMBDA, DYNAMODB, S3 = "AWS/Lambda", "AWS/DynamoDB", "AWS/S3"
CONDITIONAL = {"Table": "MakesTable", "Bucket": "MakesBucket"}
"""Resources for which an existing one can be given, and the condition under which they are made."""
REQUEST_METRICS = "images"
"""The id of the bucket's metrics of requests in the template."""
STACK = "${AWS::StackName}"
FUNCTIONS = {
    "estimate": "EstimateFunction",
    "generate": "GenerateFunction",
    "health": "HealthFunction",
    "chat": "ChatFunction",
    "page": "PageFunction",
}
"""The template's names of the functions."""
MINUTE, FIVE_MINUTES, HOUR, DAY = 60, 300, 3_600, 86_400


@dataclass(frozen=True, slots=True)
class Query:
    """One series, reduced to one number for each period."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: str
    period_seconds: int

    def to_alarm(self) -> dict[str, Any]:
        """Return the query in the form of an alarm."""
        return {
            "Namespace": self.namespace,
            "MetricName": self.name,
            "Dimensions": [
                {"Name": name, "Value": _value(value)} for name, value in self.dimensions.items()
            ],
        }

    def to_widget(self, **options: Any) -> list[Any]:
        """Return the query in the form of a dashboard widget."""
        flat = [one for pair in self.dimensions.items() for one in pair]
        shown = {"stat": self.statistic, "period": self.period_seconds, **options}
        return [self.namespace, self.name, *flat, shown]


def ours(
    metric: Metric,
    statistic: str = "Sum",
    period_seconds: int = FIVE_MINUTES,
    *,
    provider: str = "",
    outcome: str = "",
) -> Query:
    """Return a query for one of our metrics.

    Raises:
        ValueError: the code emits no such series.
    """
    given = {Dimension.STACK: STACK, Dimension.PROVIDER: provider, Dimension.OUTCOME: outcome}
    dimensions = {name.value: value for name, value in given.items() if value}
    if tuple(dimensions) not in SERIES[metric].sets:
        raise ValueError(f"{metric} has no series by {', '.join(dimensions)}")
    return Query(NAMESPACE, metric.value, dimensions, statistic, period_seconds)


def lambdas(function: str, name: str, statistic: str, period_seconds: int) -> Query:
    """Return a query for one of Lambda's own metrics of a function.

    The dimension ``FunctionName`` counts all versions and aliases together, also for URLs:
    https://docs.aws.amazon.com/lambda/latest/dg/urls-monitoring.html
    """
    dimensions = {"FunctionName": f"${{{FUNCTIONS[function]}}}"}
    return Query(LAMBDA, name, dimensions, statistic, period_seconds)


def tables(name: str, operation: str = "") -> Query:
    """Return a query for the sum of one of DynamoDB's metrics of the table, each minute."""
    of = {"Operation": operation} if operation else {}
    return Query(DYNAMODB, name, {"TableName": "${Table}", **of}, "Sum", MINUTE)


def buckets(name: str) -> Query:
    """Return a query for the sum of one of S3's metrics of requests for images, each minute."""
    dimensions = {"BucketName": "${Bucket}", "FilterId": REQUEST_METRICS}
    return Query(S3, name, dimensions, "Sum", MINUTE)


def _value(text: str) -> Any:
    if not text.startswith("${"):
        return text
    name = text[2:-1]
    if name not in CONDITIONAL:
        return {"Ref": name}
    return {"Fn::If": [CONDITIONAL[name], {"Ref": name}, {"Ref": f"Existing{name}Name"}]}
