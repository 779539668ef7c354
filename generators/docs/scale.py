"""The tables of docs/scale.md, as ``make scale`` last measured and simulated them."""

import json
from typing import Final

from local.paths import ROOT

RESULTS: Final = ROOT / "bench" / "scale.json"


def made() -> dict[str, str]:
    """Return the tables by their names."""
    found: dict[str, str] = json.loads(RESULTS.read_text())["tables"]
    return found
