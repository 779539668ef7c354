"""The states of a deployed stack's alarms."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from local.parameters import read_template


def alarm_lines(cloudwatch: Any, stack: str) -> Iterator[str]:
    """Yield the alarms of the stack that are not in the state OK."""
    pages = cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=f"{stack}-")
    ours = alarm_names(stack)
    found = [one for page in pages for one in page["MetricAlarms"] if one["AlarmName"] in ours]
    states = Counter(one["StateValue"] for one in found)
    yield f"alarms      {states['OK']} OK, {states['INSUFFICIENT_DATA']} without data yet"
    if ringing := sorted(one["AlarmName"] for one in found if one["StateValue"] == "ALARM"):
        yield f"            going off: {', '.join(ringing)}"


def alarm_names(stack: str) -> frozenset[str]:
    """Return the names of a stack's alarms; another stack's name may begin with this one's."""
    alarms = (
        one["Properties"]["AlarmName"]["Fn::Sub"]
        for one in read_template()["Resources"].values()
        if one["Type"] == "AWS::CloudWatch::Alarm"
    )
    return frozenset(name.replace("${AWS::StackName}", stack) for name in alarms)
