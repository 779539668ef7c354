"""Alarms and dashboard: made from the names that the code emits, and nothing is watched in vain."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from generators.monitoring.__main__ import made, made_text
from generators.monitoring.numbers import Numbers, statistic
from generators.monitoring.queries import DYNAMODB, FUNCTIONS, LAMBDA, S3, Query, ours
from imagegen.logs import FIELDS
from imagegen.monitoring.metrics import NAMESPACE, SERIES, Metric
from imagegen.providers import PROVIDERS
from local.parameters import INCLUDE, read_bare_template, read_template
from local.paths import MONITORING, TEMPLATE
from tests.fakes.alarms import alarm_resources, expression_of, queries_of
from tests.fakes.catalogs import real_catalog

LAMBDA_METRICS = {
    "ConcurrentExecutions",
    "Duration",
    "AsyncEventsDropped",
    "Errors",
    "Invocations",
    "Throttles",
    # https://docs.aws.amazon.com/lambda/latest/dg/urls-monitoring.html
    "Url5xxCount",
    "UrlRequestCount",
}

AWS_METRICS: dict[str, set[tuple[str, ...]]] = {
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
    DYNAMODB: {
        ("ReadThrottleEvents", "TableName"),
        ("WriteThrottleEvents", "TableName"),
        ("SystemErrors", "TableName", "Operation"),
    },
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html
    S3: {("5xxErrors", "BucketName", "FilterId")},
}


def dashboard() -> dict[str, Any]:
    text = read_template()["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    found: dict[str, Any] = json.loads(re.sub(r": \$\{\w+\}", ": 0", text))
    return found


def widget_queries() -> Iterator[tuple[str, Query]]:
    for widget in dashboard()["widgets"]:
        for entry in widget["properties"].get("metrics", []):
            if isinstance(entry[0], str):
                namespace, name, *flat, options = entry
                dimensions = dict(zip(flat[::2], flat[1::2], strict=True))
                query = Query(namespace, name, dimensions, options["stat"], options["period"])
                yield widget["properties"]["title"], query


def watched() -> list[tuple[str, Query]]:
    alarms = (
        (name, query)
        for name, properties in alarm_resources().items()
        for query in queries_of(properties).values()
    )
    return [*alarms, *widget_queries()]


def emitted(query: Query) -> bool:
    """Return whether the code, or Lambda, sends what a query asks for."""
    if query.namespace == LAMBDA:
        return query.name in LAMBDA_METRICS and set(query.dimensions) == {"FunctionName"}
    if query.namespace in AWS_METRICS:
        dimensions = (query.name, *query.dimensions)
        return dimensions in AWS_METRICS[query.namespace]
    metric = Metric(query.name)
    return query.namespace == NAMESPACE and tuple(query.dimensions) in SERIES[metric].sets


# Drift.


def test_the_included_file_has_the_alarms_and_the_dashboard_that_are_made() -> None:
    assert MONITORING.read_text() == made_text(), "run `make dashboard`"


def test_the_expanded_template_has_its_own_resources_and_the_included_ones_and_no_more() -> None:
    own = read_bare_template()["Resources"]
    location = own.pop(INCLUDE)["Parameters"]["Location"]
    assert TEMPLATE.parent / location == MONITORING
    assert not own.keys() & made().keys()
    assert read_template()["Resources"] == {**own, **made()}


def test_the_included_file_has_all_that_watches_and_nothing_else() -> None:
    kinds = {one["Type"] for one in made().values()}
    assert kinds == {"AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard", "AWS::SNS::Topic"}
    assert not kinds & {
        one["Type"] for one in read_bare_template()["Resources"].values() if "Type" in one
    }


def test_a_condition_parameter_or_resource_that_is_included_is_in_the_template() -> None:
    template = read_template()
    known = {*template["Resources"], *template["Parameters"]}
    text = json.dumps(made())
    named = re.findall(r'"Ref": "([^"]+)"', text) + re.findall(r"\$\{([^}]+)\}", text)
    assert {name for name in named if not name.startswith("AWS::")} <= known
    conditions = re.findall(r'"(?:Condition": |Fn::If": \[)"([^"]+)"', text)
    assert set(conditions) <= template["Conditions"].keys()
    assert {"AlarmsNotify", "AlarmsByEmail", "ReserveGenerate", "MakesTable"} <= set(conditions)


def test_a_resource_in_both_files_is_refused(tmp_path: Path) -> None:
    """CloudFormation would refuse it at the deployment; a merge would hide it until then."""
    (tmp_path / "more.json").write_text('{"Table": {}}')
    twice = tmp_path / "template.yaml"
    twice.write_text(
        "Resources:\n  Table: {}\n  Fn::Transform: {Parameters: {Location: more.json}}\n"
    )
    with pytest.raises(
        ValueError, match=r"more.json repeats resources of template.yaml: \['Table'\]"
    ):
        read_template(twice)


@pytest.mark.parametrize(("where", "query"), watched())
def test_everything_that_is_watched_is_sent(where: str, query: Query) -> None:
    assert emitted(query), where


def test_every_metric_that_is_sent_is_watched() -> None:
    seen = {query.name for _, query in watched()}
    # For whoever asks why, in CloudWatch's own explorer.
    details = {Metric.CALLS, Metric.CIRCUIT_MOVES, Metric.KEY_CHANGES}
    assert {metric.value for metric in Metric} - seen == details, (
        "show it: a graph in generators/monitoring/dashboard.py, or an alarm in alarms.py beside it"
    )


@pytest.mark.parametrize(("where", "query"), watched())
def test_a_series_of_one_provider_is_of_one_that_is_there(where: str, query: Query) -> None:
    provider = query.dimensions.get("Provider")
    assert provider is None or provider in PROVIDERS, where
    assert query.dimensions.get("Stack", "${AWS::StackName}") == "${AWS::StackName}", where


def test_every_provider_is_on_the_dashboard() -> None:
    shown = {query.dimensions.get("Provider") for _, query in widget_queries()}
    assert shown - {None} == set(PROVIDERS) == set(real_catalog().providers)


def test_a_query_for_a_series_that_nobody_sends_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="Images has no series by Stack, Provider"):
        ours(Metric.IMAGES, provider="openai")


# Alarms.


def test_every_alarm_is_named_after_the_stack_and_says_what_to_do() -> None:
    names = [one["AlarmName"]["Fn::Sub"] for one in alarm_resources().values()]
    assert len(set(names)) == len(names) >= 20
    assert all(name.startswith("${AWS::StackName}-") for name in names)
    assert all(len(one["AlarmDescription"]) > 60 for one in alarm_resources().values())


def test_every_alarm_tells_the_topic_where_there_is_one() -> None:
    told = [
        {"Fn::If": ["AlarmsNotify", {"Ref": "AlarmTopicArn"}, {"Ref": "AWS::NoValue"}]},
        {"Fn::If": ["AlarmsByEmail", {"Ref": "AlarmTopic"}, {"Ref": "AWS::NoValue"}]},
    ]
    for properties in alarm_resources().values():
        assert properties["AlarmActions"] == properties["OKActions"] == told


def test_every_alarm_decides_what_absent_data_mean() -> None:
    decided = {name: one["TreatMissingData"] for name, one in alarm_resources().items()}
    assert {name for name, one in decided.items() if one == "breaching"} == {
        "ProbeMissingAlarm",
        "SweepMissingAlarm",
    }
    assert set(decided.values()) == {"breaching", "notBreaching"}


def test_an_alarm_looks_no_further_back_than_a_day() -> None:
    for name, properties in alarm_resources().items():
        for query in queries_of(properties).values():
            assert query.period_seconds * properties["EvaluationPeriods"] <= 86_400, name


def test_arithmetic_names_what_is_queried_and_nothing_else() -> None:
    for name, properties in alarm_resources().items():
        expression = re.sub(r"\$\{\w+\}", "1", expression_of(properties))
        used = set(re.findall(r"\b[a-z]\w*", expression))  # functions are in capitals
        assert used == (set(queries_of(properties)) if expression else set()), name


def test_every_function_has_the_alarms_that_a_function_needs() -> None:
    for function in FUNCTIONS:
        for kind in ("Errors", "Answers", "Throttles", "Slow"):
            assert f"{function.capitalize()}{kind}Alarm" in alarm_resources()


# The dashboard.


def test_widgets_fill_their_rows_and_lie_on_no_other() -> None:
    taken: set[tuple[int, int]] = set()
    for widget in dashboard()["widgets"]:
        place = {
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        }
        assert not place & taken, widget["properties"].get("title")
        assert max(x for x, _ in place) < 24
        taken |= place


def test_the_dashboard_shows_every_alarm_that_every_stack_has() -> None:
    resources = read_template()["Resources"]
    (widget,) = (one for one in dashboard()["widgets"] if one["type"] == "alarm")
    shown = {arn.rpartition(":alarm:")[2] for arn in widget["properties"]["alarms"]}
    always = {
        one["AlarmName"]["Fn::Sub"]
        for name, one in alarm_resources().items()
        if "Condition" not in resources[name]
    }
    assert shown == always


def test_what_is_asked_of_the_logs_is_logged() -> None:
    asked = [
        widget["properties"]["query"]
        for widget in dashboard()["widgets"]
        if widget["type"] == "log"
    ]
    groups = {
        resource["Properties"]["LogGroupName"]["Fn::Sub"]
        for resource in read_template()["Resources"].values()
        if resource["Type"] == "AWS::Logs::LogGroup"
    }
    for query in asked:
        assert set(re.findall(r"SOURCE '([^']+)'", query)) <= groups
        (fields,) = re.findall(r"fields ([^|]+) \|", query)
        assert {one for one in fields.split(", ") if not one.startswith("@")} <= FIELDS


# The little CloudWatch that the alarms are judged by.


def test_statistics_are_cloudwatchs() -> None:
    values = [float(n) for n in range(1, 101)]
    expected = {"Sum": 5_050, "Average": 50.5, "Minimum": 1, "Maximum": 100, "p95": 95, "p99": 99}
    assert {name: statistic(name, values) for name in expected} == expected


def test_a_line_that_is_no_metric_is_passed_over() -> None:
    numbers = Numbers()
    numbers.read('{"message": "image made"}', at_ms=0)
    assert not numbers.points


def test_a_number_that_is_absent_is_filled_in_and_one_that_must_be_there_is_not() -> None:
    numbers = Numbers()
    numbers.put("n", "m", {}, 3, at_ms=60_000)
    queries = {one: Query("n", one, {}, "Sum", 60) for one in ("m", "o")}
    assert numbers.calculated("FILL(m, 0) + FILL(o, 0)", queries, {}) == {60_000: 3}
    assert numbers.calculated("m + FILL(o, 2)", queries, {}) == {60_000: 5}
    assert numbers.calculated("FILL(m, 0) + o", queries, {}) == {}


def test_a_bucket_of_the_stack_sends_the_metrics_that_its_alarm_reads() -> None:
    bucket = read_template()["Resources"]["Bucket"]["Properties"]
    ids = [one["Id"] for one in bucket["MetricsConfigurations"]]
    (query,) = queries_of(alarm_resources()["BucketErrorsAlarm"]).values()
    assert [query.dimensions["FilterId"]] == ids


def test_an_alarm_of_table_or_bucket_watches_the_one_that_is_used() -> None:
    for name, one in {"TableThrottlesAlarm": "Table", "BucketErrorsAlarm": "Bucket"}.items():
        used = {"Fn::If": [f"Makes{one}", {"Ref": one}, {"Ref": f"Existing{one}Name"}]}
        assert str(used) in str(alarm_resources()[name])


@pytest.mark.parametrize("expression", ["m + n", "m ** 2", "RATE(m)", "m < 1", "'m'"])
def test_arithmetic_that_is_not_known_is_refused_and_never_guessed(expression: str) -> None:
    numbers = Numbers()
    numbers.put("n", "m", {}, 1, at_ms=0)
    with pytest.raises((ValueError, KeyError)):
        numbers.calculated(expression, {"m": Query("n", "m", {}, "Sum", 60)}, {})
