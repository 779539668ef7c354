"""The record of which test runs which line, kept in files: one for each file of tests."""

import hashlib
import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.mutation import forks
from tests.mutation.coverage import Coverage, Line, Recorder
from tests.mutation.targets import PACKAGE

type Recorded = tuple[str, float, set[Line]]
"""A test, its seconds, and the lines of the package that it runs."""


@dataclass(slots=True)
class Records:
    """Reads the records of files of tests that did not change, and makes the others."""

    cache: Path
    recorder: Recorder
    items: Sequence[pytest.Item]
    _digest: str = ""
    _rows: list[Recorded] = field(default_factory=list)

    def load(self) -> Coverage:
        """Return the coverage of the collected tests.

        Raises:
            RuntimeError: a test fails without any change.
        """
        self._digest = _digest([*_sources(PACKAGE), *_sources("tests/fakes")])
        files = dict.fromkeys(map(_file, self.items))
        missing = {file for file in files if not self._place(file).exists()}
        if missing:
            self._make([one for one in self.items if _file(one) in missing])
        coverage, wanted = Coverage(), {one.nodeid for one in self.items}
        for file in files:
            rows: list[Recorded] = pickle.loads(self._place(file).read_bytes())  # noqa: S301 ours
            for test, seconds, lines in rows:
                if test in wanted:
                    coverage.add(test, self._here(lines), seconds)
        return coverage

    def _make(self, items: Sequence[pytest.Item]) -> None:
        answers = [*forks.forked(lambda: self._run(items))]
        found, failed = answers[0][1] or ([], ["the process ended"])
        red = {one.partition("::")[0] for one in failed}
        for file in {_file(one) for one in items} - red if found else ():
            rows = [row for row in found if row[0].partition("::")[0] == file]
            self._place(file).write_bytes(pickle.dumps(rows))
        if failed:
            raise RuntimeError(f"red without any change: {failed[:3]}")

    def _run(self, items: Sequence[pytest.Item]) -> Iterator[tuple[list[Recorded], list[str]]]:
        self.recorder.watch()
        failures = forks.Failures()
        items[0].config.pluginmanager.register(failures)
        found = list[Recorded]()
        for item, following in zip(items, [*items[1:], None], strict=True):
            seconds = forks.timed(item, following)
            lines = self.recorder.taken()
            places = {(str(Path(file).relative_to(self.recorder.package)), n) for file, n in lines}
            found.append((item.nodeid, seconds, places))
        yield found, failures.tests

    def _place(self, file: str) -> Path:
        return self.cache / f"{_digest([Path(file)], self._digest)}.pickle"

    def _here(self, lines: set[Line]) -> set[Line]:
        return {(str(self.recorder.package / file), number) for file, number in lines}


def _file(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


def _sources(folder: str) -> list[Path]:
    return sorted(Path(folder).rglob("*.py"))


def _digest(files: Sequence[Path], start: str = "") -> str:
    digest = hashlib.sha256(start.encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()
