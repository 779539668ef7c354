"""Figures as a table for people and as ``bench/results.json`` for programs."""

import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from bench import machine
from local.paths import ROOT

OUT: Final = ROOT / "bench" / "results.json"
TABLES: Final = ROOT / "bench" / "results.md"


@dataclass(slots=True)
class Part:
    """What one measurement found."""

    name: str
    title: str
    columns: Sequence[str]
    rows: list[Sequence[object]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    budgets: dict[str, bool] = field(default_factory=dict)
    """What was promised, and whether it was kept."""

    def table(self) -> str:
        """Return it as Markdown."""
        head = f"| {' | '.join(self.columns)} |\n|{'---|' * len(self.columns)}"
        body = "\n".join(f"| {' | '.join(map(_text, row))} |" for row in self.rows)
        kept = [f"- {'kept' if ok else '**missed**'}: {what}" for what, ok in self.budgets.items()]
        after = "\n".join([*kept, *(f"- {note}" for note in self.notes)])
        return f"### {self.title}\n\n{head}\n{body}\n\n{after}\n"

    def as_json(self) -> dict[str, Any]:
        """Return it for the file."""
        return {
            "command": f"python -m bench.{self.name}",
            "measuredAt": datetime.now(UTC).isoformat(timespec="seconds"),
            "figures": self.figures,
            "budgets": self.budgets,
            "notes": self.notes,
        }


def median(values: Sequence[float]) -> float:
    """Return the middle one."""
    return statistics.median(values)


def p90(values: Sequence[float]) -> float:
    """Return what nine in ten stay below."""
    return statistics.quantiles(values, n=10, method="inclusive")[8] if values[1:] else values[0]


def keep(*parts: Part) -> None:
    """Print the parts and put them into the file, beside those that are there."""
    whole: dict[str, Any] = json.loads(OUT.read_text()) if OUT.is_file() else {}
    whole |= {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": machine.commit(),
        "machine": machine.describe(),
        "versions": {**whole.get("versions", {}), **machine.versions()},
    }
    for part in parts:
        print(part.table(), flush=True)
        whole["versions"] |= part.figures.get("versions", {})
        whole.setdefault("parts", {})[part.name] = part.as_json() | {"table": part.table()}
    OUT.write_text(json.dumps(whole, indent=1) + "\n")
    TABLES.write_text(_page(whole))


def alone(measure: Callable[[], Part]) -> None:
    """Run one measurement by itself: ``python -m bench.<name>``."""
    keep(measure())


def _page(whole: Mapping[str, Any]) -> str:
    at = whole["machine"]
    where = f"{at['cores']} cores of {at['processor']}, Python {at['python']}"
    named = ", ".join(f"{name} {number}" for name, number in sorted(whole["versions"].items()))
    tables = "\n".join(
        f"{part['table']}- Measured on {part['measuredAt'][:10]}.\n"
        for part in whole["parts"].values()
    )
    return f"# Measured\n\n{where}. {named}. Made by `make bench`.\n\n{tables}"


def _text(value: object) -> str:
    return f"{value:,.2f}" if isinstance(value, float) else str(value)
