"""``make dashboard``: writes ``monitoring.json``, which contains the alarms and the dashboard.

The template includes the file (``AWS::Include``). A test fails when the file is out of date.
"""

import json
from collections.abc import Mapping
from typing import Any

from generators.monitoring.alarms import alarms
from generators.monitoring.dashboard import graphs
from generators.monitoring.queries import FUNCTIONS
from generators.monitoring.resources import email_topic, resources
from generators.monitoring.widgets import body
from imagegen.providers import registry
from local.parameters import read_bare_template
from local.paths import MONITORING


def timeouts() -> dict[str, str]:
    """Return the functions' time-outs in seconds, as text for an expression in the template."""
    found = read_bare_template()["Resources"]
    return {name: _seconds(found[function]["Properties"]) for name, function in FUNCTIONS.items()}


def _seconds(properties: Mapping[str, Any]) -> str:
    seconds = properties["Timeout"]
    return f"${{{seconds['Ref']}}}" if isinstance(seconds, dict) else str(seconds)


def made() -> dict[str, Any]:
    """Return the resources of the included file, with CloudFormation functions in long form.

    ``AWS::Include`` refuses the short forms:
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-aws-include.html
    """
    listed = alarms(timeouts())
    shown = graphs({name: one.colour for name, one in registry().items()}, timeouts())
    dashboard = {
        "Type": "AWS::CloudWatch::Dashboard",
        "Properties": {
            # All dashboards of an account share one list, whatever their Region.
            "DashboardName": {"Fn::Sub": "${AWS::StackName}-${AWS::Region}"},
            "DashboardBody": {"Fn::Sub": body(listed, shown) + "\n"},
        },
    }
    return {**resources(listed), "AlarmTopic": email_topic(), "Dashboard": dashboard}


def made_text() -> str:
    """Return the text of the included file."""
    return json.dumps(made(), indent=2) + "\n"


def main() -> None:
    """Write the file unless it is up to date."""
    wanted = made_text()
    is_current = MONITORING.is_file() and MONITORING.read_text() == wanted
    if not is_current:
        MONITORING.write_text(wanted)
    print(f"{MONITORING.name} {'is up to date' if is_current else 'was written'}")


if __name__ == "__main__":
    main()
