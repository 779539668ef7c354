"""Run the bar: print its table, write it for programs, and end with 1 where a row falls short."""

import argparse
import json
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from local.paths import ROOT
from tests.adapters.aws.world import running_aws
from tests.exactness.ground import Ground
from tests.exactness.rows import Measured, Row
from tests.exactness.table import ROWS

SEED = 20_261_122
OUT = ROOT / "bench" / "exactness.json"
VOID = "The emulator is not atomic: every green below would be void, so nothing below was run."


def main() -> int:
    """Return 0 where every row holds."""
    arguments = _arguments()
    wanted = [row for row in ROWS if row.name in arguments.only] if arguments.only else list(ROWS)
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="exactness-") as name,
        running_aws(Path(name)) as aws,
    ):
        ground = Ground(aws, Path(name), arguments.seed, arguments.soak_seconds)
        results = _run(wanted, ground)
    _print(results, time.monotonic() - began)
    if arguments.out:
        _write(arguments.out, results, ground.seed)
    return 1 if any(one["wrong"] for one in results) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.exactness", description=__doc__)
    parser.add_argument("--only", nargs="*", help="rows by name, such as R1 R10; R0 is always run")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--soak-seconds", type=float, default=20.0)
    parser.add_argument("--out", type=Path, help="where to write the figures as JSON")
    return parser.parse_args()


def _run(wanted: Sequence[Row], ground: Ground) -> list[dict[str, Any]]:
    first = ROWS[0]
    rest = [row for row in wanted if row is not first]
    results = [_measure(first, ground)]
    if results[0]["wrong"]:
        _say(VOID)
        return results
    return results + [_measure(row, ground) for row in rest]


def _measure(row: Row, ground: Ground) -> dict[str, Any]:
    began = time.monotonic()
    try:
        came = row.run(ground)
    except Exception as error:  # noqa: BLE001 a row that breaks falls short; the others go on
        traceback.print_exc()
        came = Measured(f"broke: {error!r}", (repr(error),))
    seconds = time.monotonic() - began
    result = {
        "row": row.name,
        "mustShow": row.must_show,
        "measured": came.figure,
        "figures": came.figures,
        "wrong": list(came.wrong),
        "seed": ground.seed,
        "seconds": round(seconds, 1),
    }
    _say(f"{row.name:>4}  {_word(result)}  {seconds:5.1f} s  {came.figure}")
    for said in came.wrong:
        _say(f"      {said}")
    return result


def _word(result: dict[str, Any]) -> str:
    return "FALLS SHORT" if result["wrong"] else "pass"


def _print(results: Sequence[dict[str, Any]], seconds: float) -> None:
    _say("\n| row | must show | measured | seed | seconds | |\n|---|---|---|---|---|---|")
    for one in results:
        cells = (one["row"], one["mustShow"], one["measured"], one["seed"], one["seconds"])
        _say("| " + " | ".join(map(str, (*cells, _word(one)))) + " |")
    short = [one["row"] for one in results if one["wrong"]]
    _say(f"\n{len(results)} rows in {seconds:.0f} s; fall short: {', '.join(short) or 'none'}")


def _write(path: Path, results: Sequence[dict[str, Any]], seed: int) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"seed": seed, "rows": results}, indent=1) + "\n")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
