"""Mutate modules in a copy of this tree, print what the tests noticed, keep it in bench/.

Without names, these are the modules that decide about money, access and what is stored.

Ends with 1 where less than 95 % was noticed, or where it is not written down why one was not
(``survivors.json``: by module and mutant, one line each).
"""

import argparse
import json
import platform
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from local.paths import ROOT
from tests.mutation.groups import GROUPS, ONLY_BY_NAME
from tests.mutation.outcomes import ANEW, KILLED, LEFT_OUT, SURVIVED, TIMEOUT
from tests.mutation.targets import Group
from tests.planted.tree import copied, environment

LEAST_PERCENT = 95.0
OUT = ROOT / "bench" / "mutation.json"
SURVIVORS = Path(__file__).with_name("survivors.json")
RECORDS = ROOT / ".local" / "mutation"

type Explained = Mapping[str, str]


@dataclass(slots=True)
class Result:
    """What became of one module's mutants."""

    module: str
    outcomes: dict[str, str] = field(default_factory=dict)
    """By mutant: killed, timeout, survived, or why it was not tried."""
    seconds: float = 0.0

    @property
    def tried(self) -> int:
        """How many were tried: a quick run, and one of a part, leave some out."""
        return len(self.outcomes) - self.not_tried

    @property
    def not_tried(self) -> int:
        """How many were left out."""
        return sum(one in (ANEW, LEFT_OUT) for one in self.outcomes.values())

    @property
    def killed(self) -> int:
        """How many were noticed; a test run that never ends notices, too."""
        return sum(one in (KILLED, TIMEOUT) for one in self.outcomes.values())

    @property
    def timeouts(self) -> int:
        """How many of them by never ending."""
        return sum(one == TIMEOUT for one in self.outcomes.values())

    @property
    def survivors(self) -> list[str]:
        """Those that no test noticed."""
        return [name for name, one in self.outcomes.items() if one == SURVIVED]

    @property
    def percent(self) -> float:
        """The part that was noticed."""
        return 100 * self.killed / max(self.tried, 1)

    def problems(self, explained: Explained) -> Iterator[str]:
        """Return what is not as it must be."""
        for name in self.survivors:
            if not explained.get(name):
                yield f"{self.module}: survived and is not explained: {name}"
        for name in explained:
            if name not in self.outcomes:
                yield f"{self.module}: explained, and there is no such mutant any more: {name}"


def main() -> int:
    """Return 0 where enough was noticed and the rest is explained."""
    arguments = _arguments()
    explained: dict[str, Explained] = json.loads(SURVIVORS.read_text())
    results, problems = list[Result](), list[str]()
    with copied() as tree:
        for group in GROUPS:
            wanted = [one for one in group.modules if is_wanted(group, one, arguments.only)]
            options = [f"--one-in={arguments.one_in}", *(["--quick"] if arguments.quick else [])]
            for result in _mutate(tree, group, [*wanted, *options]) if wanted else ():
                problems += result.problems(explained.get(result.module, {}))
                results.append(result)
                # Each as soon as it is there: the whole takes more than an hour.
                _write(results, explained)
    problems += too_few(results)
    _print(results, explained)
    for problem in problems:
        _say(problem)
    return 1 if problems else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument(
        "--only", nargs="*", default=[], help="modules or groups, such as domain/money.py or edge"
    )
    parser.add_argument(
        "--quick", action="store_true", help="without what needs the package to be imported anew"
    )
    parser.add_argument(
        "--one-in", type=int, default=1, help="try one of so many mutants of each module"
    )
    return parser.parse_args()


def is_wanted(group: Group, module: str, only: Sequence[str]) -> bool:
    """Return whether a module is to be mutated; ``only`` are the names that were given."""
    if not only:
        return group.name not in ONLY_BY_NAME
    return group.name in only or module in only


def _mutate(tree: Path, group: Group, wanted: Sequence[str]) -> Iterator[Result]:
    """Return the result of each module as soon as it is there; ``wanted`` are modules and options.

    Raises:
        RuntimeError: the worker failed, or the tests fail without any change.
    """
    command = ["tests.mutation.worker", group.name, *wanted, "--cache", str(RECORDS)]
    with subprocess.Popen(  # noqa: S603 our own interpreter and our own file
        [sys.executable, "-m", *command],
        cwd=tree,
        # The order of a set is the same in each run.
        env=environment(PYTHONPATH="layers/shared", PYTHONHASHSEED="0"),
        stdout=subprocess.PIPE,
        text=True,
    ) as worker:
        result = Result("")
        for line in worker.stdout or ():
            if not line.startswith("{"):
                continue
            mutant = json.loads(line)
            if mutant["module"] != result.module:
                if result.outcomes:
                    yield _said(result)
                result = Result(mutant["module"])
            result.outcomes[mutant["name"]] = mutant["outcome"]
            result.seconds += mutant["seconds"]
    if worker.returncode:
        raise RuntimeError(f"{group.name}: the worker ended with {worker.returncode}")
    if result.outcomes:
        yield _said(result)


def _said(result: Result) -> Result:
    count = f"{result.killed} of {result.tried} killed"
    _say(f"{result.seconds:6.0f} s  {result.module}: {count}")
    return result


def too_few(results: Sequence[Result]) -> Iterator[str]:
    """Return that too little was noticed, of all modules together."""
    total, killed = _sums(results)
    if total and 100 * killed / total < LEAST_PERCENT:
        yield f"{100 * killed / total:.1f} % killed, at least {LEAST_PERCENT:.0f} wanted"


def _sums(results: Sequence[Result]) -> tuple[int, int]:
    return sum(one.tried for one in results), sum(one.killed for one in results)


def _print(results: Sequence[Result], explained: Mapping[str, Explained]) -> None:
    _say("\n| module | mutants | killed | by timeout | survived | explained | % | seconds |")
    _say("|---|---|---|---|---|---|---|---|")
    for one in results:
        known = sum(name in explained.get(one.module, {}) for name in one.survivors)
        cells = (one.tried, one.killed, one.timeouts, len(one.survivors), known)
        row = " | ".join(map(str, cells))
        _say(f"| {one.module} | {row} | {one.percent:.1f} | {one.seconds:.0f} |")
    total, killed = _sums(results)
    _say(f"\n{killed} of {total} mutants killed: {100 * killed / max(total, 1):.1f} %\n")


def _write(results: Sequence[Result], explained: Mapping[str, Explained]) -> None:
    """Keep the figures; those of modules that were not tried now stay as they were."""
    known = json.loads(OUT.read_text())["modules"] if OUT.exists() else []
    modules = {one["module"]: one for one in known}
    modules |= {one.module: _summary(one, explained.get(one.module, {})) for one in results}
    names = [name for group in GROUPS for name in group.modules]
    rows = [modules[name] for name in names if name in modules]
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
        "mutants": one.tried,
        "killed": one.killed,
        "timeouts": one.timeouts,
        "percent": round(one.percent, 1),
        "seconds": round(one.seconds),
        "survivors": {name: explained.get(name, "") for name in one.survivors},
        **({"notTried": one.not_tried} if one.not_tried else {}),
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
