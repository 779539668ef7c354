"""Plant each bug, show which test went red first, and end with 1 where a bug stays green."""

import argparse
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.planted.budgets import BUDGET_BUGS
from tests.planted.bugs import BUGS, Bug, MovedError
from tests.planted.tree import copied, environment

SUITE_SECONDS = 300
ROW_SECONDS = 600
"""A row takes a minute at most; on a busy machine several."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one bug."""

    bug: str
    went_red: str
    """The first test that failed and what it said; nothing where none did."""
    seconds: float
    wrong: str = ""
    """Why this line does not count as good."""


def main() -> int:
    """Return 0 where the tree as it is stays green and every bug turns it red."""
    arguments = _arguments()
    wanted = [bug for bug in (*BUGS, *BUDGET_BUGS) if bug.name.startswith(tuple(arguments.only))]
    if arguments.rows:
        wanted = [bug for bug in wanted if bug.rows]
    # One state of the tree for all of them, whoever is writing in it meanwhile.
    with copied() as base:
        results = [_tell(_control(base, wanted, rows=arguments.rows))]
        if not results[0].wrong:
            results += [_tell(_plant(base, bug, rows=arguments.rows)) for bug in wanted]
    _print(results)
    return 1 if any(one.wrong for one in results) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.planted", description=__doc__)
    parser.add_argument("--only", nargs="*", default=[""], help="bugs by number, such as 1a 3")
    parser.add_argument(
        "--rows", action="store_true", help="the rows of the bar instead of the test suites"
    )
    return parser.parse_args()


def _control(base: Path, bugs: Sequence[Bug], *, rows: bool) -> Result:
    """Run everything that the bugs are shown with, without a bug."""
    began = time.monotonic()
    tests = sorted({test for bug in bugs for test in (*bug.suites, *bug.works)})
    wanted = sorted({row for bug in bugs for row in bug.rows})
    with copied(base) as tree:
        came = _run_rows(tree, wanted) if rows else _run(tree, tests)
    seconds = time.monotonic() - began
    return Result("0 none: the tree as it is", came, seconds, came and "red without any bug")


def _plant(base: Path, bug: Bug, *, rows: bool) -> Result:
    began = time.monotonic()
    with copied(base) as tree:
        try:
            for change in bug.changes:
                change.apply(tree)
        except MovedError as error:
            return Result(bug.name, "", 0.0, str(error))
        broken = _run(tree, bug.works)
        if broken:
            return Result(bug.name, "", 0.0, f"breaks more than it should: {broken}")
        came = _run_rows(tree, bug.rows) if rows else _run(tree, bug.suites)
    seconds = time.monotonic() - began
    return Result(bug.name, came, seconds, "" if came else "STAYS GREEN")


def _run(tree: Path, tests: Iterable[str]) -> str:
    """Return the first test that fails and why, nothing where all pass.

    Raises:
        RuntimeError: pytest itself failed, or did not end; that says nothing about a bug.
    """
    report = tree.parent / "report.xml"
    command = ["pytest", "-q", "-x", "-p", "no:cacheprovider", f"--junitxml={report}", *tests]
    status, said = _python(command, tree, SUITE_SECONDS)
    if status not in (0, 1):
        raise RuntimeError(said)
    return _first_failure(report) if status else ""


def _python(command: Sequence[str], tree: Path, seconds: int) -> tuple[int | None, str]:
    """Return how a module ended in a tree and what it said; no status where it did not end."""
    env = environment(PYTHONPATH="layers/shared", TMPDIR=str(tree.parent))
    with subprocess.Popen(  # noqa: S603 our own interpreter and our own tests
        [sys.executable, "-B", "-m", *command],
        cwd=tree,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            said = process.communicate(timeout=seconds)[0]
        except subprocess.TimeoutExpired:
            # Not killed: it must end the emulator that it started.
            process.send_signal(signal.SIGINT)
            return None, process.communicate()[0]
        return process.returncode, said


def _first_failure(report: Path) -> str:
    for case in ET.parse(report).getroot().iter("testcase"):  # noqa: S314 pytest wrote it
        failure = case.find("failure")
        if failure is not None:
            said = (failure.get("message") or "").splitlines()
            return f"{case.get('name')}: {said[0] if said else ''}"
        if case.find("error") is not None:
            raise RuntimeError(f"{case.get('name')} could not be set up")
    raise RuntimeError("pytest failed and names no test")


def _run_rows(tree: Path, rows: Sequence[str]) -> str:
    """Return the first row of the bar that falls short and why, nothing where none does."""
    return next(filter(None, (_run_row(tree, row) for row in rows)), "")


def _run_row(tree: Path, row: str) -> str:
    """Return why a row of the bar falls short, nothing where it does not.

    Raises:
        RuntimeError: the bar said nothing or did not end, or the emulator is not atomic; that says
            nothing about a bug.
    """
    report = tree.parent / "rows.json"
    report.unlink(missing_ok=True)
    command = ["tests.exactness", "--out", str(report), "--only", row]
    status, said = _python(command, tree, ROW_SECONDS)
    if status is None or not report.exists():
        raise RuntimeError(f"{row} came to no end: {said}")
    came = json.loads(report.read_text())["rows"]
    if came[0]["wrong"] or len(came) == 1:
        raise RuntimeError(f"nothing but R0 was measured, and it said: {came[0]['wrong']}")
    return next((f"{one['row']}: {one['wrong'][0]}" for one in came if one["wrong"]), "")


def _tell(one: Result) -> Result:
    word = one.wrong.splitlines()[0] if one.wrong else "red" if one.went_red else "green"
    _say(f"{one.seconds:6.1f} s  {one.bug}: {word}")
    return one


def _print(results: Sequence[Result]) -> None:
    _say("\n| bug | the first test that went red | seconds | |\n|---|---|---|---|")
    for one in results:
        red = one.went_red.replace("|", "\\|")[:200]
        verdict = one.wrong.splitlines()[0] if one.wrong else "red" if red else "green"
        _say(f"| {one.bug} | {red} | {one.seconds:.1f} | {verdict} |")
    for one in results:
        if "\n" in one.wrong:
            _say(f"\n{one.bug}: {one.wrong}")
    bad = [one.bug for one in results if one.wrong]
    _say(f"\n{len(results) - 1} bugs planted; wrong: {'; '.join(bad) or 'none'}")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
