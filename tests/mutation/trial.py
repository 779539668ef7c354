"""The plugin that tries the mutants once pytest has collected the tests."""

import gc
import hashlib
import json
import pickle
import re
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType

import pytest

from tests.mutation import change, forks
from tests.mutation.change import ReimportError, SameCodeError
from tests.mutation.coverage import Coverage, Line, Recorder, functions_of
from tests.mutation.mutants import Mutant, mutants
from tests.mutation.targets import PACKAGE, Group

PROFILE = "mutation"
KILLED, SURVIVED, TIMEOUT = "killed", "survived", "timeout"
SAME, REIMPORT, DIED, LATER = "same code", "reimport", "died", "later"
LIMIT_SECONDS = 5.0
"""Tests that together take longer than this are not all run for one mutant."""
FILES = 4
"""From so many files are the tests of what needs a new import."""
OFTEN = 8
"""So many of the tests that failed last are tried first."""
OPTIONS = (
    *("-q", "-s", "-p", "no:cacheprovider", "--tb=no", "--no-header"),
    # Hypothesis is loaded once, for all forks; no other plugin is wanted.
    *("-p", "_hypothesis_pytestplugin", f"--hypothesis-profile={PROFILE}"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
)
NO_MODULE = re.compile(r"(?!)")
type Recorded = tuple[str, float, set[Line]]
"""A test, its seconds, and the lines of the package that it runs."""
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
    _recent: list[str] = field(default_factory=list)
    """The tests that failed last."""
    _trusted: set[str] = field(default_factory=set)
    """Tests that failed for a mutant, and pass without it after the same tests."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Record which test runs which line, then try each mutant."""
        self._items = {one.nodeid: one for one in session.items}
        gc.collect()
        began = time.monotonic()
        self._load_record()
        _print(tests=len(self._items), recorded_seconds=round(time.monotonic() - began, 1))
        self._functions = functions_of(self.recorder.package)
        gc.freeze()
        for module in self.modules:
            self._try_module(module)
        self.is_done = True
        return True

    def _load_record(self) -> None:
        """Take the record of each file of tests that did not change, and record the others."""
        digests = {test.partition("::")[0]: "" for test in self._items}
        same = _digest([*sorted(Path(PACKAGE).rglob("*.py")), *sorted(Path("tests/fakes").glob("*.py"))])
        kept: dict[str, list[Recorded]] = {}
        missing = []
        for file in digests:
            place = self.cache / (_digest([Path(file)], same) + ".pickle")
            if place.exists():
                kept[file] = pickle.loads(place.read_bytes())  # noqa: S301 our own file
            else:
                missing.append(file)
        if missing:
            items = [one for one in self._items.values() if one.nodeid.partition("::")[0] in missing]
            ended, answer = forks.forked(lambda: self._record(items))
            if ended != forks.DONE or answer[1]:
                raise RuntimeError(f"{self.group.name}: red without any change: {ended} {answer}")
            for file in missing:
                kept[file] = [one for one in answer[0] if one[0].partition("::")[0] == file]
                place = self.cache / (_digest([Path(file)], same) + ".pickle")
                place.write_bytes(pickle.dumps(kept[file]))
        for test, seconds, lines in (one for rows in kept.values() for one in rows):
            if test in self._items:
                here = {(str(self.recorder.package / file), line) for file, line in lines}
                self._coverage.add(test, here, seconds)

    def _record(self, items: list[pytest.Item]) -> tuple[list["Recorded"], list[str]]:
        self.recorder.watch()
        failures = forks.Failures()
        items[0].config.pluginmanager.register(failures)
        found = []
        for item, following in zip(items, [*items[1:], None], strict=True):
            seconds = forks.timed(item, following)
            lines = {
                (str(Path(file).relative_to(self.recorder.package)), line)
                for file, line in self.recorder.taken()
            }
            found.append((item.nodeid, seconds, lines))
        return found, failures.tests

    def _try_module(self, module: str) -> None:
        path = str(self.recorder.package / module)
        source = Path(path).read_bytes()
        before = change.compiled(source, path)
        for mutant in mutants(source, expressions=self.group.on_aws):
            if self.only is not None and mutant.name not in self.only:
                continue
            one = _Attempt(module, path, mutant, mutant.applied(source))
            began = time.monotonic()
            result, test = self._try(one, before)
            _print(
                module=module,
                name=mutant.name,
                line=mutant.line,
                result=result,
                test=test,
                seconds=round(time.monotonic() - began, 2),
            )

    def _try(self, one: "_Attempt", before: change.Code) -> tuple[str, str]:
        """Return what became of a mutant, and the test that failed."""
        lines = {(one.path, line) for line in (one.mutant.line, *one.mutant.lines)}
        tests = self._chosen(lines) or self._chosen({(one.path, n) for n in one.mutant.function})
        if one.mutant.function and tests:
            result, test = self._in_place(one, before, tests)
            inside = {(one.path, line) for line in one.mutant.function[1:]}
            if result != REIMPORT and not (result == SURVIVED and inside & self.imported):
                return result, test
        elif not one.mutant.function:
            tests = self._of_names(one)
            result, test = self._as_constant(one, before, tests)
            if result in {KILLED, TIMEOUT, SAME}:
                return result, test
        return (LATER, "") if self.is_quick else self._anew(one, tests)

    def _chosen(self, lines: set[Line]) -> list[str]:
        """Return the tests of lines: those that failed lately, then the fastest."""
        tests = self._coverage.of(lines)
        known = {one for one in self._recent if self._coverage.seconds[one] < 1} & {*tests}
        ordered = [one for one in self._recent if one in known]
        ordered += [one for one in tests if one not in known]
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
        rest = self._coverage.of({line for line in self._coverage.tests if line[0] == one.path})
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

    def _in_place(
        self, one: "_Attempt", before: change.Code, tests: Sequence[str]
    ) -> tuple[str, str]:
        def put() -> None:
            changed = change.changed_functions(before, change.compiled(one.source, one.path))
            change.replace_functions(self._functions, changed)

        return self._judged(tests, lambda: put())

    def _as_constant(
        self, one: "_Attempt", before: change.Code, tests: Sequence[str]
    ) -> tuple[str, str]:
        def put() -> None:
            try:
                change.changed_functions(before, change.compiled(one.source, one.path))
            except ReimportError:
                module = sys.modules[one.module_name]
                change.replace_constant(module, one.source, one.mutant.names)
            else:
                raise ReimportError

        return self._judged(tests, put)

    def _judged(self, tests: Sequence[str], put: "forks.Callable[[], None]") -> tuple[str, str]:
        """Run tests on a change; a failure counts if the same tests pass without it."""
        while tests:
            ended, answer = forks.forked(lambda chosen=tests: self._run(chosen, put))
            if ended == forks.TIMEOUT:
                return TIMEOUT, ""
            if ended == forks.DIED:
                return KILLED, "the process ended"
            result, test = answer
            if result != KILLED or test in self._trusted or self._is_trusted(tests, test):
                if result == KILLED:
                    self._recent = [test, *(x for x in self._recent if x != test)][:OFTEN]
                return result, test
            tests = [one for one in tests if one != test]
        return SURVIVED, ""

    def _run(self, tests: Sequence[str], put: "forks.Callable[[], None]") -> tuple[str, str]:
        try:
            put()
        except SameCodeError:
            return SAME, ""
        except ReimportError:
            return REIMPORT, ""
        except Exception as error:  # noqa: BLE001 whatever it is, the module cannot be loaded
            return KILLED, repr(error)
        seconds = [self._coverage.seconds[one] for one in tests]
        failed = forks.run([self._items[one] for one in tests], seconds)
        return (KILLED, failed[0]) if failed else (SURVIVED, "")

    def _is_trusted(self, tests: Sequence[str], test: str) -> bool:
        if test not in tests:
            return True
        same = tests[: tests.index(test) + 1]
        _, answer = forks.forked(lambda: self._run(same, lambda: None))
        if answer and answer[0] == SURVIVED:
            self._trusted.add(test)
            return True
        return False

    def _anew(self, one: "_Attempt", tests: Sequence[str]) -> tuple[str, str]:
        """Import the package anew with the change, and run the tests in it.

        Raises:
            RuntimeError: pytest itself failed.
        """
        if not tests:
            return SURVIVED, ""
        ended, failed = forks.forked(lambda: self._run_anew(one, tests))
        if ended == forks.DONE:
            return (KILLED, failed[0]) if failed else (SURVIVED, "")
        return (TIMEOUT if ended == forks.TIMEOUT else DIED), ""

    def _run_anew(self, one: "_Attempt", tests: Sequence[str]) -> list[str]:
        kept = EMULATOR if self.group.on_aws else NO_MODULE
        change.forget_package(one.module_name, one.path, one.source, kept=kept)
        forks.limit(60)
        failures = forks.Failures()
        files = sorted({test.partition("::")[0] for test in tests})
        options = [*OPTIONS, *self.group.options, "-x", *files]
        status = pytest.main(options, plugins=[forks.Chosen(tests), failures])
        if status == pytest.ExitCode.INTERNAL_ERROR:
            raise RuntimeError("pytest failed")
        return failures.tests or ([f"pytest ended with {status}"] if status else [])


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


def _digest(files: Sequence[Path], start: str = "") -> str:
    digest = hashlib.sha256(start.encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _print(**line: object) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


__all__ = ["OPTIONS", "PACKAGE", "PROFILE", "Trial"]
