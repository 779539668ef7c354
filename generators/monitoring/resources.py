"""The alarms as resources of the template, and the own topic for an e-mail address."""

from typing import Any, Final

from generators.monitoring.alarm import Alarm


def resources(listed: list[Alarm]) -> dict[str, Any]:
    """Return the alarms as the template's resources."""
    return {alarm.resource: _resource(alarm) for alarm in listed}


NOTIFIED: Final = [
    {"Fn::If": ["AlarmsNotify", {"Ref": "AlarmTopicArn"}, {"Ref": "AWS::NoValue"}]},
    {"Fn::If": ["AlarmsByEmail", {"Ref": "AlarmTopic"}, {"Ref": "AWS::NoValue"}]},
]
"""The operator's topic, and the stack's own one for an e-mail address."""


def email_topic() -> dict[str, Any]:
    """Return the topic that sends alarms to an e-mail address.

    It is not encrypted: CloudWatch cannot use AWS's own key of SNS; an own key costs $1 a month.
    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    """
    subscription = {"Protocol": "email", "Endpoint": {"Ref": "AlarmEmail"}}
    properties = {"Subscription": [subscription]}
    return {"Type": "AWS::SNS::Topic", "Condition": "AlarmsByEmail", "Properties": properties}


def _resource(alarm: Alarm) -> dict[str, Any]:
    threshold: Any = alarm.threshold
    if isinstance(threshold, str):
        threshold = {"Ref": threshold}
    head: dict[str, Any] = {"Type": "AWS::CloudWatch::Alarm"}
    if alarm.condition:
        head["Condition"] = alarm.condition
    return {
        **head,
        "Properties": {
            "AlarmName": {"Fn::Sub": f"${{AWS::StackName}}-{alarm.name}"},
            "AlarmDescription": alarm.why,
            **_watched(alarm),
            "ComparisonOperator": alarm.comparison,
            "Threshold": threshold,
            "EvaluationPeriods": alarm.periods,
            "DatapointsToAlarm": alarm.needed,
            "TreatMissingData": alarm.absent,
            "AlarmActions": NOTIFIED,
            "OKActions": NOTIFIED,
        },
    }


def _watched(alarm: Alarm) -> dict[str, Any]:
    if not alarm.expression:
        (query,) = alarm.queries.values()
        statistic = {"Statistic": query.statistic, "Period": query.period_seconds}
        return {**query.to_alarm(), **statistic}
    expression: Any = alarm.expression
    if "${" in expression:
        expression = {"Fn::Sub": expression}
    parts = [
        {
            "Id": name,
            "ReturnData": False,
            "MetricStat": {
                "Metric": query.to_alarm(),
                "Stat": query.statistic,
                "Period": query.period_seconds,
            },
        }
        for name, query in alarm.queries.items()
    ]
    return {"Metrics": [{"Id": "watched", "Expression": expression}, *parts]}
