"""Mutate each module in a copy of this tree, print what the tests noticed, keep it in bench/.

Ends with 1 where less than 95 % was noticed, or where nobody wrote down why one was not
(``survivors.json``: by module and mutant, one line each).
"""

import argparse
import json
import platform
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from local.paths import ROOT
from tests.mutation.targets import TARGETS, Target
from tests.mutation.worker import KILLED, SURVIVED, TIMEOUT
from tests.planted.tree import copied, environment

LEAST_PERCENT = 95.0
OUT = ROOT / "bench" / "mutation.json"
SURVIVORS = Path(__file__).with_name("survivors.json")

type Explained = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one module's mutants."""

    module: str
    came: Mapping[str, str]
    """By mutant: killed, timeout or survived."""
    seconds: float

    @property
    def killed(self) -> int:
        """How many were noticed; a test run that never ends notices, too."""
        return sum(one in (KILLED, TIMEOUT) for one in self.came.values())

    @property
    def timeouts(self) -> int:
        """How many of them by never ending."""
        return sum(one == TIMEOUT for one in self.came.values())

    @property
    def survivors(self) -> list[str]:
        """Those that no test noticed."""
        return [name for name, one in self.came.items() if one == SURVIVED]

    @property
    def percent(self) -> float:
        """The part that was noticed."""
        return 100 * self.killed / len(self.came)

    def problems(self, explained: Explained) -> Iterator[str]:
        """Return what is not as it must be."""
        if self.percent < LEAST_PERCENT:
            yield f"{self.module}: {self.percent:.1f} % killed, at least {LEAST_PERCENT:.0f} wanted"
        for name in self.survivors:
            if not explained.get(name):
                yield f"{self.module}: survived and nobody says why: {name}"
        for name in explained:
            if name not in self.came:
                yield f"{self.module}: explained, and there is no such mutant any more: {name}"


def main() -> int:
    """Return 0 where enough was noticed and the rest is explained."""
    arguments = _arguments()
    explained: dict[str, Explained] = json.loads(SURVIVORS.read_text())
    wanted = [one for one in TARGETS if one.module in arguments.only or not arguments.only]
    results, problems = list[Result](), list[str]()
    with copied() as tree:
        for target in wanted:
            result = _mutate(tree, target)
            problems += result.problems(explained.get(target.module, {}))
            results.append(result)
            # Each as soon as it is there: the whole takes a quarter of an hour.
            _write(results, explained)
    _print(results, explained)
    for said in problems:
        _say(said)
    return 1 if problems else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--only", nargs="*", default=[], help="modules, such as domain/money.py")
    return parser.parse_args()


def _mutate(tree: Path, target: Target) -> Result:
    began = time.monotonic()
    command = [sys.executable, "-m", "tests.mutation.worker", target.module]
    came: dict[str, str] = {}
    with subprocess.Popen(  # noqa: S603 our own interpreter and our own file
        command,
        cwd=tree,
        # The order of a set is the same in each run.
        env=environment(PYTHONPATH="layers/shared", PYTHONHASHSEED="0"),
        stdout=subprocess.PIPE,
        text=True,
    ) as worker:
        for line in worker.stdout or ():
            mutant = json.loads(line)
            came[mutant["name"]] = mutant["came"]
    if worker.returncode or not came:
        raise RuntimeError(f"{target.module}: the worker ended with {worker.returncode}")
    result = Result(target.module, came, time.monotonic() - began)
    _say(f"{result.seconds:6.0f} s  {target.module}: {result.killed} of {len(came)} killed")
    return result


def _print(results: Sequence[Result], explained: Mapping[str, Explained]) -> None:
    _say("\n| module | mutants | killed | by timeout | survived | explained | % | seconds |")
    _say("|---|---|---|---|---|---|---|---|")
    for one in results:
        known = sum(name in explained.get(one.module, {}) for name in one.survivors)
        cells = (len(one.came), one.killed, one.timeouts, len(one.survivors), known)
        row = " | ".join(map(str, cells))
        _say(f"| {one.module} | {row} | {one.percent:.1f} | {one.seconds:.0f} |")
    total, killed = sum(len(one.came) for one in results), sum(one.killed for one in results)
    _say(f"\n{killed} of {total} mutants killed: {100 * killed / total:.1f} %\n")


def _write(results: Sequence[Result], explained: Mapping[str, Explained]) -> None:
    """Keep the figures; those of modules that were not tried now stay as they were."""
    known = json.loads(OUT.read_text())["modules"] if OUT.exists() else []
    modules = {one["module"]: one for one in known}
    modules |= {one.module: _summary(one, explained.get(one.module, {})) for one in results}
    rows = [modules[one.module] for one in TARGETS if one.module in modules]
    total, killed = (sum(row[name] for row in rows) for name in ("mutants", "killed"))
    report = {
        "versions": _versions(),
        "mutants": total,
        "killed": killed,
        "percent": round(100 * killed / total, 1),
        "modules": rows,
    }
    OUT.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")


def _summary(one: Result, explained: Explained) -> dict[str, Any]:
    return {
        "module": one.module,
        "date": datetime.now(UTC).date().isoformat(),
        "mutants": len(one.came),
        "killed": one.killed,
        "timeouts": one.timeouts,
        "percent": round(one.percent, 1),
        "seconds": round(one.seconds),
        "survivors": {name: explained.get(name, "") for name in one.survivors},
    }


def _versions() -> dict[str, str]:
    lock = (ROOT / "requirements" / "ministack.txt").read_text()
    ministack = re.search(r"^ministack(?:\[\w+\])?==(\S+)", lock, re.MULTILINE)
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in ("pytest", "hypothesis", "boto3")},
        "ministack": ministack[1] if ministack else "",
    }


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
