"""One alarm of CloudWatch, before it becomes a resource of the template."""

from collections.abc import Mapping
from dataclasses import dataclass

from generators.monitoring.queries import Query

ABOVE, BELOW, AT_MOST = (
    "GreaterThanThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
)


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm; with several queries, ``expression`` combines them into one number."""

    name: str
    """The name without the stack's name in front."""
    why: str
    queries: Mapping[str, Query]
    threshold: int | str
    """A number, or the name of a parameter."""
    expression: str = ""
    comparison: str = ABOVE
    periods: int = 1
    needed: int = 1
    """How many of the last ``periods`` must be beyond the threshold."""
    absent: str = "notBreaching"
    condition: str = ""

    @property
    def resource(self) -> str:
        """The alarm's name in the template."""
        return "".join(part.capitalize() for part in self.name.split("-")) + "Alarm"


def missing(name: str, why: str, heartbeat: Mapping[str, Query]) -> Alarm:
    """Return the alarm of a schedule whose heartbeat has not come for fifteen minutes."""
    return Alarm(name, why, heartbeat, 1, comparison=BELOW, periods=3, needed=3, absent="breaching")
