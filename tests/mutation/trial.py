"""The plugin that tries the mutants once pytest has collected the tests."""

import gc
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from types import FunctionType

import pytest

from tests.mutation import change, forks
from tests.mutation.change import ReimportError, SameCodeError
from tests.mutation.coverage import Coverage, Line, Recorder, functions_of
from tests.mutation.mutants import Mutant, mutants
from tests.mutation.outcomes import ANEW, KILLED, SAME, SURVIVED, TIMEOUT
from tests.mutation.records import Records
from tests.mutation.targets import Group, own_tests

PROFILE = "mutation"
REIMPORT, DIRTY = "reimport", "dirty"
LIMIT_SECONDS = 15.0
MOST_OWN, MOST_OTHERS = 600, 100
"""Of the tests of a line, so many of the module's own file and of all others are run, and none
after those that take so long together."""
FILES = 4
"""From so many files are the tests of what needs a new import."""
BATCH = 25
"""So many mutants are tried in one fork."""
OFTEN = 8
"""So many of the tests that failed last are tried first."""
OPTIONS = (
    *("-q", "-s", "-p", "no:cacheprovider", "--tb=no", "--no-header"),
    # Hypothesis is loaded once, for all forks; no other plugin is wanted.
    *("-p", "_hypothesis_pytestplugin", f"--hypothesis-profile={PROFILE}"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
)
NO_MODULE = re.compile(r"(?!)")
EMULATOR = re.compile(r"tests\.adapters\.aws\.(?:world|selfcheck)$")


@dataclass(slots=True, eq=False)
class Trial:
    """Tries the mutants of a group's modules."""

    group: Group
    modules: Sequence[str]
    only: frozenset[str] | None
    recorder: Recorder
    cache: Path
    imported: frozenset[Line]
    """The lines that ran while the package was imported."""
    is_quick: bool = False
    """Whether to pass over what needs the package to be imported anew."""
    is_done: bool = False
    _items: dict[str, pytest.Item] = field(default_factory=dict)
    _coverage: Coverage = field(default_factory=Coverage)
    _functions: Sequence[FunctionType] = ()
    _ways: Mapping[str, frozenset[int]] = field(default_factory=dict)
    """By test: the lines that it runs of the module that is tried now."""
    _recent: list[str] = field(default_factory=list)
    """The tests that failed last."""
    _bad: set[str] = field(default_factory=set)
    """Tests that fail without any change when they run first."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Record which test runs which line, then try each mutant."""
        self._items = {one.nodeid: one for one in session.items}
        gc.collect()
        began = time.monotonic()
        self._coverage = Records(self.cache, self.recorder, session.items).load()
        seconds = round(time.monotonic() - began, 1)
        sys.stdout.write(f"{self.group.name}: {len(self._items)} tests, recorded in {seconds} s\n")
        self._functions = functions_of(self.recorder.package)
        gc.freeze()
        for module in self.modules:
            self._try_module(module)
        self.is_done = True
        return True

    def _try_module(self, module: str) -> None:
        path = str(self.recorder.package / module)
        source = Path(path).read_bytes()
        before = change.compiled(source, path)
        self._ways = self._coverage.ways(path)
        found = mutants(source, expressions=self.group.on_aws)
        waiting = [
            _Attempt(module, path, one, one.applied(source))
            for one in found
            if self.only is None or one.name in self.only
        ]
        while waiting:
            waiting = waiting[self._try_batch(waiting[:BATCH], before) :]

    def _try_batch(self, batch: Sequence["_Attempt"], before: change.Code) -> int:
        """Try mutants one after the other in one fork; return how many are done."""
        done, began = 0, time.monotonic()
        for ended, answer in forks.forked(lambda: self._in_place(batch, before)):
            if ended == forks.DONE:
                break
            one = batch[done]
            outcome, test = answer or (TIMEOUT if ended == forks.TIMEOUT else KILLED, ended)
            if outcome == DIRTY:
                # A test fails without the change, too, after what ran before in this process.
                if done == 0:
                    self._bad.add(test)
                return done
            self._finish(one, outcome, test, began)
            done, began = done + 1, time.monotonic()
        return done

    def _finish(self, one: "_Attempt", outcome: str, test: str, began: float) -> None:
        inside = {(one.path, line) for line in one.mutant.function}
        if outcome == REIMPORT or (outcome == SURVIVED and self._runs_at_import(one, inside)):
            outcome, test = (ANEW, "") if self.is_quick else self._anew(one, self._tests(one))
        if outcome == KILLED:
            self._remember(test)
        if outcome == SAME:
            return
        _print(
            module=one.module,
            name=one.mutant.name,
            line=one.mutant.line,
            outcome=outcome,
            test=test,
            seconds=round(time.monotonic() - began, 2),
        )

    def _remember(self, test: str) -> None:
        if test in self._items:
            self._recent = [test, *(one for one in self._recent if one != test)][:OFTEN]

    def _runs_at_import(self, one: "_Attempt", inside: set[Line]) -> bool:
        return not one.mutant.function or bool(inside & self.imported)

    def _in_place(
        self, batch: Sequence["_Attempt"], before: change.Code
    ) -> Iterator[tuple[str, str]]:
        for one in batch:
            yield (outcome := self._judged(one, before))
            if outcome[0] == DIRTY:
                return
            self._remember(outcome[1])

    def _judged(self, one: "_Attempt", before: change.Code) -> tuple[str, str]:
        """Return what became of a mutant: a failure counts if the test passes without it."""
        try:
            undo = self._put(one, before)
        except (SameCodeError, SyntaxError):
            return SAME, ""
        except ReimportError:
            return REIMPORT, ""
        except Exception as error:  # noqa: BLE001 whatever it is, the module cannot be loaded
            return KILLED, repr(error)
        tests = self._tests(one)
        failed = self._run(tests)
        undo()
        if not failed:
            return SURVIVED, ""
        return (DIRTY if self._run([failed]) else KILLED), failed

    def _put(self, one: "_Attempt", before: change.Code) -> change.Undo:
        try:
            changed = change.changed_functions(before, change.compiled(one.source, one.path))
            return change.replace_functions(self._functions, changed)
        except ReimportError:
            if one.mutant.function:
                raise
            module = sys.modules[one.module_name]
            return change.replace_constant(module, one.source, one.mutant.names)

    def _run(self, tests: Sequence[str]) -> str:
        if not tests:
            return ""
        seconds = [self._coverage.seconds[one] for one in tests]
        return forks.run([self._items[one] for one in tests], seconds)

    def _tests(self, one: "_Attempt") -> list[str]:
        """Return the tests that may notice a mutant, in the order in which they run."""
        if not one.mutant.function:
            return self._of_names(one)
        lines = {(one.path, line) for line in (one.mutant.line, *one.mutant.lines)}
        around = {(one.path, number) for number in one.mutant.function}
        return self._chosen(lines, one) or self._chosen(around, one)

    def _chosen(self, lines: set[Line], of: "_Attempt") -> list[str]:
        """Return the tests of lines: those that failed lately, then of each way to run there."""
        tests = [one for one in self._coverage.of(lines) if one not in self._bad]
        known = {one for one in self._recent if self._coverage.seconds[one] < 1} & {*tests}
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
            total += self._coverage.seconds[test]
            if chosen and total > LIMIT_SECONDS:
                break
            chosen.append(test)
        return chosen

    def _of_names(self, one: "_Attempt") -> list[str]:
        """Return the tests of the functions that use what the mutant changes."""
        used = self._lines_with(one.mutant.names)
        first = self._coverage.of(used)
        # Those that run anything of the module come after them.
        rest = self._coverage.of(self._coverage.lines_of(one.path))
        return self._within_limit(self._of_few_files([*dict.fromkeys([*first, *rest])]))

    def _of_few_files(self, tests: Sequence[str]) -> list[str]:
        """Return the tests of the files that have the most of them: each file takes its time."""
        files = Counter(test.partition("::")[0] for test in tests)
        few = {file for file, _ in files.most_common(FILES)}
        return [test for test in tests if test.partition("::")[0] in few]

    def _lines_with(self, names: Sequence[str]) -> set[Line]:
        if not names:
            return set()
        wanted = re.compile(rf"\b(?:{'|'.join(names)})\b")
        return {
            (str(file), number)
            for file in self.recorder.package.rglob("*.py")
            for number, line in enumerate(file.read_text().splitlines(), 1)
            if wanted.search(line)
        }

    def _anew(self, one: "_Attempt", tests: Sequence[str]) -> tuple[str, str]:
        """Import the package anew with the change, and run the tests in it.

        Raises:
            RuntimeError: pytest itself failed.
        """
        if not tests:
            return SURVIVED, ""
        answers = [*forks.forked(lambda: self._run_anew(one, tests))]
        if len(answers) == 1:
            return (TIMEOUT if answers[0][0] == forks.TIMEOUT else KILLED), "the process ended"
        failed = answers[0][1]
        return (KILLED, failed[0]) if failed else (SURVIVED, "")

    def _run_anew(self, one: "_Attempt", tests: Sequence[str]) -> Iterator[list[str]]:
        kept = EMULATOR if self.group.on_aws else NO_MODULE
        change.forget_package(one.module_name, one.path, one.source, kept=kept)
        forks.limit(60)
        failures = forks.Failures()
        files = sorted({test.partition("::")[0] for test in tests})
        options = [*OPTIONS, *self.group.options, "-x", *files]
        status = pytest.main(options, plugins=[forks.Chosen(tests), failures])
        if status == pytest.ExitCode.INTERNAL_ERROR:
            raise RuntimeError("pytest failed")
        yield failures.tests or ([f"pytest ended with {status}"] if status else [])


@dataclass(frozen=True, slots=True)
class _Attempt:
    module: str
    path: str
    mutant: Mutant
    source: bytes

    @property
    def module_name(self) -> str:
        """The module's name for an import."""
        dotted = self.module.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        return f"imagegen.{dotted}"


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


def _print(**line: object) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
