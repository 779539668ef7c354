"""The matrix of other people's clients, as ``make clients`` last measured it."""

import json
from collections.abc import Mapping
from typing import Any, Final

from generators.docs.blocks import table
from local.paths import ROOT

RESULTS: Final = ROOT / "tests/clients/results.json"
HEAD: Final = ("client", "version", "speaks", "how it was tried", "works unchanged")


def made() -> dict[str, str]:
    """Return the table of clients."""
    results: list[Mapping[str, Any]] = json.loads(RESULTS.read_text())
    return {"clients": table(HEAD, map(_row, results))}


def _row(one: Mapping[str, Any]) -> tuple[str, ...]:
    unchanged = "yes" if one["unchanged"] else "no"
    how = "run" if one["how"] == "run" else "its request, replayed"
    return one["client"], one["version"], one["route"], how, unchanged
