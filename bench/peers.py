"""What a user would otherwise take, in the same tests: Powertools' utilities, LiteLLM's budgets.

    make exactness-peers        writes bench/peers.json and bench/peers.md; installs LiteLLM into
                                .tools/peers

Each figure stands beside ours from the same run.
"""

import json
import platform
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import peers_litellm, peers_powertools
from local.paths import ROOT
from tests.adapters.aws.world import running_aws
from tests.exactness.ground import Ground
from tests.exactness.table import ROWS

OUT = ROOT / "bench" / "peers.json"
TABLE = OUT.with_suffix(".md")
COMMAND = "make exactness-peers"
SEED = 1
OURS = ("R1", "R3", "R5", "R9", "R10", "R11")
NOTHING = "has no such thing"


def main() -> None:
    """Run all three and keep the figures."""
    with (
        tempfile.TemporaryDirectory(prefix="peers-") as name,
        running_aws(Path(name)) as aws,
    ):
        powertools = peers_powertools.measure(aws)
        print("powertools", json.dumps(powertools), flush=True)
        litellm = peers_litellm.measure()
        print("litellm", json.dumps(litellm), flush=True)
        ground = Ground(aws, Path(name), SEED)
        ours = {row.name: _ours(row.run(ground)) for row in ROWS if row.name in OURS}
    found = {
        "command": COMMAND,
        "date": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "seed": SEED,
        "imagegen": ours,
        "powertools": powertools,
        "litellm": litellm,
    }
    OUT.write_text(json.dumps(found, indent=1) + "\n")
    TABLE.write_text("\n".join(table(found)) + "\n")
    print(TABLE.read_text())


def _ours(row: Any) -> dict[str, Any]:
    return {"measured": row.figure, "wrong": list(row.wrong), **row.figures}


def table(found: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of the table in ``bench/peers.md``."""
    powertools, litellm = found["powertools"], found["litellm"]
    theirs, budgets = _powertools(powertools), _litellm(litellm)
    version = next((one["version"] for one in litellm.values() if "version" in one), "")
    must = {row.name: row.must_show for row in ROWS}
    yield "# The same tests, with what a user would otherwise take"
    yield ""
    yield (
        f"`{found['command']}`, {found['date']}, Python {found['python']}; the figures are in "
        "`peers.json`. Powertools runs on the same store in "
        f"{powertools['environments']} processes, LiteLLM's SDK against the same simulated "
        "provider."
    )
    yield ""
    yield (
        f"| row | must show | imagegen | Powertools {powertools['version']} | "
        f"LiteLLM SDK {version} |"
    )
    yield "|---|---|---|---|---|"
    for name in OURS:
        measured = found["imagegen"][name]["measured"]
        yield (
            f"| {name} | {must[name]} | {measured} | {theirs.get(name, NOTHING)} | "
            f"{budgets.get(name, NOTHING)} |"
        )


def _powertools(found: dict[str, Any]) -> dict[str, str]:
    clicks, later, key_checks = found["r5"]["atOnce"], found["r5"]["later"], found["r11"]
    return {
        "R5": (
            f"idempotency: {clicks['calls']} call, {clicks['answers']} answered, "
            f"{clicks['errors']} errors; a hundred later {later['answers']} answered, "
            f"{later['calls']} calls"
        ),
        "R9": f"open after {found['r9']['failuresBeforeItWasOpen']} failures",
        "R10": f"{found['r10']['callsPerRound']} calls per round",
        "R11": (
            f"rest {key_checks['restSeconds']} s; killed: next call "
            f"{key_checks['afterAKilledProbeSeconds']} s later; refused: "
            f"{key_checks['afterARefusedProbeSeconds']} s later"
        ),
    }


def _litellm(found: dict[str, Any]) -> dict[str, str]:
    if "skipped" in found:
        return {"R1": f"not measured: {found['skipped']}"}
    parts = [
        f"{name}: {one['made']} made, ${one['spentUsd']:.2f} spent, "
        f"${one['countedUsd']:.2f} counted"
        for name, one in found.items()
    ]
    return {
        "R1": "; ".join(parts),
        "R9": "not measured: its router cools down in each process's memory, unless given Redis",
        "R10": "as above",
        "R11": "as above",
    }


if __name__ == "__main__":
    main()
