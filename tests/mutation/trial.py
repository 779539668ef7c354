"""The plugin that tries the mutants once pytest has collected the tests."""

import gc
import json
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType

import pytest

from tests.mutation import change, forks
from tests.mutation.change import ChangedModule, ReimportError, SameCodeError, forget_results
from tests.mutation.coverage import Line, Recorder, functions_of
from tests.mutation.mutants import mutants
from tests.mutation.outcomes import ANEW, KILLED, LEFT_OUT, SAME, SURVIVED, TIMEOUT
from tests.mutation.records import Records
from tests.mutation.selection import Selection
from tests.mutation.targets import Group

PROFILE = "mutation"
REIMPORT, DIRTY = "reimport", "dirty"
BATCH = 25
"""So many mutants are tried in one fork."""
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
    one_in: int = 1
    """Of so many mutants one is tried."""
    is_done: bool = False
    _items: dict[str, pytest.Item] = field(default_factory=dict)
    _selection: Selection = field(init=False)
    _functions: Sequence[FunctionType] = ()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Record which test runs which line, then try each mutant."""
        self._items = {one.nodeid: one for one in session.items}
        gc.collect()
        began = time.monotonic()
        coverage = Records(self.cache, self.recorder, session.items).load()
        self._selection = Selection(self.recorder.package, coverage)
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
        self._selection.begin(path)
        found = mutants(source, expressions=self.group.on_aws)
        waiting = [
            ChangedModule(module, path, one, one.applied(source))
            for one in found
            if self.only is None or one.name in self.only
        ]
        for one in set(waiting) - set(waiting[:: self.one_in]):
            _print(module=module, name=one.mutant.name, outcome=LEFT_OUT, seconds=0)
        waiting = waiting[:: self.one_in]
        while waiting:
            waiting = waiting[self._try_batch(waiting[:BATCH], before) :]

    def _try_batch(self, batch: Sequence[ChangedModule], before: change.Code) -> int:
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
                    self._selection.leave_out(test)
                return done
            self._finish(one, outcome, test, began)
            done, began = done + 1, time.monotonic()
        return done

    def _finish(self, one: ChangedModule, outcome: str, test: str, began: float) -> None:
        inside = {(one.path, line) for line in one.mutant.function}
        if outcome == REIMPORT or (outcome == SURVIVED and self._runs_at_import(one, inside)):
            outcome, test = (
                (ANEW, "") if self.is_quick else self._anew(one, self._selection.tests(one))
            )
        if outcome == KILLED:
            self._selection.remember(test)
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

    def _runs_at_import(self, one: ChangedModule, inside: set[Line]) -> bool:
        return not one.mutant.function or bool(inside & self.imported)

    def _in_place(
        self, batch: Sequence[ChangedModule], before: change.Code
    ) -> Iterator[tuple[str, str]]:
        for one in batch:
            yield (outcome := self._judged(one, before))
            if outcome[0] == DIRTY:
                return
            self._selection.remember(outcome[1])

    def _judged(self, one: ChangedModule, before: change.Code) -> tuple[str, str]:
        """Return what became of a mutant: a failure counts if the test passes without it."""
        try:
            undo = self._put(one, before)
        except (SameCodeError, SyntaxError):
            return SAME, ""
        except ReimportError:
            return REIMPORT, ""
        except Exception as error:  # noqa: BLE001 whatever it is, the module cannot be loaded
            return KILLED, repr(error)
        tests = self._selection.tests(one)
        forget_results(one.module_name)
        failed = self._run(tests)
        undo()
        forget_results(one.module_name)
        if not failed:
            return SURVIVED, ""
        return (DIRTY if self._run([failed]) else KILLED), failed

    def _put(self, one: ChangedModule, before: change.Code) -> change.Undo:
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
        seconds = [self._selection.coverage.seconds[one] for one in tests]
        return forks.run([self._items[one] for one in tests], seconds)

    def _anew(self, one: ChangedModule, tests: Sequence[str]) -> tuple[str, str]:
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

    def _run_anew(self, one: ChangedModule, tests: Sequence[str]) -> Iterator[list[str]]:
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


def _print(**line: object) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
