"""Work in a fork of this process: what it changes is gone with it."""

import gc
import os
import pickle
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

RESULT, TIMEOUT, DIED, DONE = "result", "timeout", "died", "done"
GRACE_SECONDS = 8.0


def forked(work: Callable[[], Iterator[Any]]) -> Iterator[tuple[str, Any]]:
    """Return each result of some work in a child process, and how it ended.

    The last is ``(DONE, None)`` where the work was done, else ``TIMEOUT`` or ``DIED``.
    """
    reader, writer = os.pipe()
    sys.stdout.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        child = os.fork()
    if child == 0:
        os.close(reader)
        _work(work, writer)
    os.close(writer)
    ended = DIED
    with os.fdopen(reader, "rb") as pipe:
        while True:
            try:
                ended, value = pickle.load(pipe)  # noqa: S301 our own child
            except EOFError:
                break
            if ended == RESULT:
                yield ended, value
    _, status = os.waitpid(child, 0)
    if ended != DONE:
        ended = TIMEOUT if os.waitstatus_to_exitcode(status) == -signal.SIGALRM else DIED
    yield ended, None


def _work(work: Callable[[], Iterator[Any]], writer: int) -> None:
    """Do the work without a word, and end this process whatever happens."""
    errors = os.dup(2)
    # A collection would touch, and so copy, all memory that is shared with the parent.
    gc.disable()
    # A change may turn a generator into a function, which the assignment of code warns of.
    warnings.filterwarnings("ignore", "Assigning a code object", DeprecationWarning)
    _be_silent()
    try:
        with os.fdopen(writer, "wb") as pipe:
            for value in work():
                pickle.dump((RESULT, value), pipe)
                pipe.flush()
            limit(0)
            pickle.dump((DONE, None), pipe)
    except BaseException:  # noqa: BLE001 nothing may run on in the parent's place
        os.write(errors, traceback.format_exc().encode())
        os._exit(1)
    os._exit(0)


def _be_silent() -> None:
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)


def limit(seconds: float) -> None:
    """End this process by a signal unless it asks again within the time; 0 takes the limit away."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)


@dataclass(slots=True, eq=False)
class Failures:
    """The tests, or files of tests, that failed."""

    tests: list[str] = field(default_factory=list)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a failure, also one while setting up."""
        if report.failed:
            self.tests.append(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a file that cannot be imported."""
        if report.failed:
            self.tests.append(report.nodeid)


@dataclass(slots=True, eq=False)
class Chosen:
    """Runs the tests that were chosen, in their order."""

    tests: Sequence[str]

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out all other tests."""
        place = {test: number for number, test in enumerate(self.tests)}
        items[:] = sorted(
            (one for one in items if one.nodeid in place), key=lambda one: place[one.nodeid]
        )

    def pytest_runtest_setup(self) -> None:
        """End the process where one test does not end."""
        limit(2 * GRACE_SECONDS)


def run(items: Sequence[pytest.Item], seconds: Sequence[float]) -> str:
    """Run collected tests until one fails; return it, or nothing.

    ``seconds`` is what each took before: the process ends itself where one takes far longer.
    """
    failures = Failures()
    manager = items[0].config.pluginmanager
    manager.register(failures)
    for at, item in enumerate(items):
        limit(GRACE_SECONDS + 10 * seconds[at])
        following = items[at + 1] if at + 1 < len(items) else None
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if failures.tests:
            failures.tests += _torn_down(item)
            break
    manager.unregister(failures)
    return failures.tests[0] if failures.tests else ""


def _torn_down(item: pytest.Item) -> list[str]:
    """End all fixtures; their errors are part of the failure."""
    try:
        item.session._setupstate.teardown_exact(None)
    except Exception:  # noqa: BLE001 the test failed already
        return [item.nodeid]
    return []


def timed(item: pytest.Item, following: pytest.Item | None) -> float:
    """Run one test and return how long it took."""
    began = time.perf_counter()
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
    return time.perf_counter() - began
