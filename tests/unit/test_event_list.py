"""``events/README.md`` lists the events that are there, and no others."""

import re

from tests.fakes.catalogs import ROOT

EVENTS = ROOT / "events"


def test_every_event_of_a_function_is_listed_and_the_reverse() -> None:
    listed = set(re.findall(r"^\| `([^`]+)` \|", (EVENTS / "README.md").read_text(), re.MULTILINE))
    there = {str(path.relative_to(EVENTS)) for path in EVENTS.rglob("*.json")}

    assert listed == {name for name in there if not name.startswith("ui/")}
