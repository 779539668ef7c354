"""Which tests may notice a mutant, and in which order they run."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

from tests.mutation.change import ChangedModule
from tests.mutation.coverage import Coverage, Line
from tests.mutation.targets import own_tests

LIMIT_SECONDS = 15.0
MOST_OWN, MOST_OTHERS = 600, 100
"""Of the tests of a line, so many of the module's own file and of all others are run, and none
after those that take so long together."""
FILES = 4
"""From so many files are the tests of what needs a new import."""
OFTEN = 8
"""So many of the tests that failed last are tried first."""


@dataclass(slots=True, eq=False)
class Selection:
    """Chooses tests by what each of them ran before, and by which failed lately."""

    package: Path
    coverage: Coverage
    _ways: Mapping[str, frozenset[int]] = field(default_factory=dict)
    """By test: the lines that it runs of the module that is tried now."""
    _recent: list[str] = field(default_factory=list)
    """The tests that failed last."""
    _unfit: set[str] = field(default_factory=set)
    """Tests that fail without any change when they run first."""

    def begin(self, path: str) -> None:
        """Choose for the mutants of this module from now on."""
        self._ways = self.coverage.ways(path)

    def remember(self, test: str) -> None:
        """Try a test that failed before most others."""
        if test in self.coverage.seconds:
            self._recent = [test, *(one for one in self._recent if one != test)][:OFTEN]

    def leave_out(self, test: str) -> None:
        """Choose a test no more: it fails without any change."""
        self._unfit.add(test)

    def tests(self, one: ChangedModule) -> list[str]:
        """Return the tests that may notice a mutant, in the order in which they run."""
        if not one.mutant.function:
            return self._of_names(one)
        lines = {(one.path, line) for line in (one.mutant.line, *one.mutant.lines)}
        around = {(one.path, number) for number in one.mutant.function}
        return self._chosen(lines, one) or self._chosen(around, one)

    def _chosen(self, lines: set[Line], of: ChangedModule) -> list[str]:
        """Return the tests of lines: those that failed lately, then of each way to run there."""
        tests = [one for one in self.coverage.of(lines) if one not in self._unfit]
        known = {one for one in self._recent if self.coverage.seconds[one] < 1} & {*tests}
        ordered = [one for one in self._recent if one in known]
        own = own_tests(of.module)
        body = frozenset(of.mutant.function)
        for is_own, most in ((True, MOST_OWN), (False, MOST_OTHERS)):
            some = [one for one in tests if one not in known and _is_in(one, own) is is_own]
            ordered += _mixed(_mixed(some, self._ways), self._ways, body)[:most]
        return self._within_limit(ordered)

    def _within_limit(self, tests: Sequence[str]) -> list[str]:
        chosen, total = list[str](), 0.0
        for test in tests:
            total += self.coverage.seconds[test]
            if chosen and total > LIMIT_SECONDS:
                break
            chosen.append(test)
        return chosen

    def _of_names(self, one: ChangedModule) -> list[str]:
        """Return the tests of the functions that use what the mutant changes."""
        used = self._lines_with(one.mutant.names)
        first = self.coverage.of(used)
        # Those that run anything of the module come after them.
        rest = self.coverage.of(self.coverage.lines_of(one.path))
        own = own_tests(one.module)
        # What a class declares runs while it is imported: its own tests may run no line of it.
        known = {*first, *rest}
        declared = [one for one in self.coverage.seconds if _is_in(one, own) and one not in known]
        tests = [*dict.fromkeys([*declared, *first, *rest])]
        tests.sort(key=lambda test: not _is_in(test, own))
        return self._within_limit(self._of_few_files(tests, own))

    def _of_few_files(self, tests: Sequence[str], own: Sequence[str]) -> list[str]:
        """Return the module's own tests and those of the files that have the most of them.

        Each file takes its time.
        """
        files = Counter(test.partition("::")[0] for test in tests)
        few = {file for file, _ in files.most_common(FILES)}
        return [test for test in tests if _is_in(test, own) or test.partition("::")[0] in few]

    def _lines_with(self, names: Sequence[str]) -> set[Line]:
        if not names:
            return set()
        wanted = re.compile(rf"\b(?:{'|'.join(names)})\b")
        return {
            (str(file), number)
            for file in self.package.rglob("*.py")
            for number, line in enumerate(file.read_text().splitlines(), 1)
            if wanted.search(line)
        }


def _is_in(test: str, files: Sequence[str]) -> bool:
    return any(file in test for file in files)


def _mixed(
    tests: Sequence[str], ways: Mapping[str, frozenset[int]], body: frozenset[int] | None = None
) -> list[str]:
    """Return the tests so that those that run different lines take turns, the rarest first."""
    groups: dict[frozenset[int], list[str]] = {}
    for test in tests:
        way = ways[test] if body is None else ways[test] & body
        groups.setdefault(way, []).append(test)
    turns = zip_longest(*sorted(groups.values(), key=len))
    return [test for turn in turns for test in turn if test is not None]
