"""``make scale``: measure, simulate, print the tables, and keep them for ``make docs``."""

import json
import tempfile
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bench.scale import profile, sweep, tables
from bench.scale.day import simulate
from local.paths import ROOT
from tests.adapters.aws.world import running_aws
from tests.exactness.ground import Ground

OUT: Final = ROOT / "bench" / "scale.json"
SEED: Final = 20_261_122


def main() -> None:
    """Do all of it."""
    with tempfile.TemporaryDirectory(prefix="scale-") as name, running_aws(Path(name)) as aws:
        ground = Ground(aws, Path(name), SEED)
        measured, swept = profile.measure(ground), sweep.measure(ground)
    began = time.process_time()
    days = [simulate(measured, plan) for plan in tables.PLANS]
    cpu_seconds = time.process_time() - began
    found = tables.made(measured, days, swept)
    for title, text in found.items():
        print(f"\n{title}\n\n{text}", flush=True)
    print(f"The simulation took {cpu_seconds:.0f} s of CPU time.")
    whole = {
        "command": "make scale",
        "measuredAt": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpuSeconds": round(cpu_seconds, 1),
        "profile": asdict(measured),
        "sweep": asdict(swept),
        "tables": found,
    }
    OUT.write_text(json.dumps(whole, indent=1) + "\n")


if __name__ == "__main__":
    main()
