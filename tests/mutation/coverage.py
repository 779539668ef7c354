"""Which test runs which line, by ``sys.monitoring``."""

import gc
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FunctionType

TOOL = sys.monitoring.COVERAGE_ID
LINE = sys.monitoring.events.LINE

type Line = tuple[str, int]
"""A file and the number of a line in it."""


def functions_of(package: Path) -> list[FunctionType]:
    """Return every function object whose source is in the package."""
    gc.unfreeze()
    prefix = f"{package}/"
    return [
        one
        for one in gc.get_objects()
        if isinstance(one, FunctionType) and one.__code__.co_filename.startswith(prefix)
    ]


def codes_in(code: CodeType) -> Iterator[CodeType]:
    """Return a code object and those nested in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes_in(constant)


@dataclass(slots=True)
class Recorder:
    """The lines of a package that ran since the last question."""

    package: Path
    _lines: set[Line] = field(default_factory=set)

    def start(self) -> None:
        """Watch all code: what runs from here to ``watch`` runs while modules are imported."""
        sys.monitoring.use_tool_id(TOOL, "mutation")
        sys.monitoring.register_callback(TOOL, LINE, self._line)
        sys.monitoring.set_events(TOOL, LINE)

    def stop(self) -> set[Line]:
        """Return the lines that ran so far, and watch no more."""
        sys.monitoring.set_events(TOOL, 0)
        lines, self._lines = self._lines, set()
        return lines

    def watch(self) -> None:
        """Watch the package's functions."""
        for function in functions_of(self.package):
            for code in codes_in(function.__code__):
                sys.monitoring.set_local_events(TOOL, code, LINE)
        self.taken()

    def taken(self) -> set[Line]:
        """Return the lines that ran since the last call."""
        lines, self._lines = self._lines, set()
        sys.monitoring.restart_events()
        return lines

    def _line(self, code: CodeType, number: int) -> object:
        if code.co_filename.startswith(f"{self.package}/"):
            self._lines.add((code.co_filename, number))
        return sys.monitoring.DISABLE


@dataclass(slots=True)
class Coverage:
    """Which tests ran a line, and how long each test takes."""

    seconds: dict[str, float] = field(default_factory=dict)
    tests: defaultdict[Line, set[str]] = field(default_factory=lambda: defaultdict(set))

    def add(self, test: str, lines: set[Line], seconds: float) -> None:
        """Note one test."""
        self.seconds[test] = seconds
        for line in lines:
            self.tests[line].add(test)

    def of(self, lines: set[Line]) -> list[str]:
        """Return the tests that ran one of the lines, the fastest first."""
        found = set[str]().union(*(self.tests.get(line, set()) for line in lines))
        return sorted(found, key=lambda test: (self.seconds[test], test))

    def lines_of(self, path: str) -> set[Line]:
        """Return the lines of a file that any test ran."""
        return {line for line in self.tests if line[0] == path}

    def ways(self, path: str) -> dict[str, frozenset[int]]:
        """Return which lines of a file each test ran."""
        found: dict[str, set[int]] = {}
        for file, number in self.lines_of(path):
            for test in self.tests[(file, number)]:
                found.setdefault(test, set()).add(number)
        return {test: frozenset(numbers) for test, numbers in found.items()}
