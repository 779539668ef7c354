"""``make dashboard``: write the alarms and the dashboard into the template.

What is between the two marks is made here and nowhere else; a test holds it to that.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

import yaml

from generators.monitoring.alarms import alarms, resources
from generators.monitoring.dashboard import body, graphs
from generators.monitoring.queries import FUNCTIONS
from imagegen.providers import PROVIDERS
from local.parameters import read_template
from local.paths import TEMPLATE

BEGIN: Final = "  # Alarms and dashboard, made by `make dashboard` from generators/monitoring.\n"
END: Final = "  # The end of what `make dashboard` makes.\n"


def timeouts() -> dict[str, str]:
    """Return the functions' time-outs in seconds, as an expression in the template has them."""
    found = read_template()["Resources"]
    return {name: _seconds(found[function]["Properties"]) for name, function in FUNCTIONS.items()}


def _seconds(properties: Mapping[str, Any]) -> str:
    seconds = properties["Timeout"]
    return f"${{{seconds['Ref']}}}" if isinstance(seconds, dict) else str(seconds)


def made() -> str:
    """Return the part of the template that is made."""
    listed = alarms(timeouts())
    # Through JSON: YAML would write what two alarms share once, under a name.
    plain = json.loads(json.dumps(resources(listed)))
    text = yaml.safe_dump(plain, sort_keys=False, width=120, default_flow_style=None)
    shown = body(listed, graphs(tuple(PROVIDERS), timeouts()))
    dashboard = [
        "Dashboard:",
        "  Type: AWS::CloudWatch::Dashboard",
        "  Properties:",
        "    DashboardName: {'Fn::Sub': '${AWS::StackName}'}",
        "    DashboardBody:",
        "      Fn::Sub: |",
        *(f"        {line}" for line in shown.splitlines()),
    ]
    lines = [*text.splitlines(), *dashboard]
    return "".join(f"  {line}\n" if line else "\n" for line in lines)


def with_made(template: str) -> str:
    """Return the template with the part between the marks made anew.

    Raises:
        ValueError: the marks are not there.
    """
    before, begin, rest = template.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{TEMPLATE.name} has lost the marks of `make dashboard`")
    return f"{before}{begin}{made()}{end}{after}"


def main() -> None:
    """Write the template anew where it is not as it should be."""
    template = TEMPLATE.read_text()
    wanted = with_made(template)
    if template != wanted:
        TEMPLATE.write_text(wanted)
    print(f"{TEMPLATE.name} is {'as it was' if template == wanted else 'written anew'}")


if __name__ == "__main__":
    main()
