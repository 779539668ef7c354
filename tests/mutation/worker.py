"""Tries each mutant of a group's modules; prints what became of it, one JSON line each.

Run in a copy of the tree. The tests are collected once, and run once to record which test runs
which line. Each mutant is then put into a fork of this process (``change``), and the tests of its
lines run there, the fastest first, until one fails.
"""

import argparse
import importlib
import json
import os
import pkgutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import _hypothesis_pytestplugin  # type: ignore[import-untyped] # noqa: F401 loaded once for all
import hypothesis
import pytest

from tests.mutation.coverage import Recorder
from tests.mutation.groups import GROUPS
from tests.mutation.targets import PACKAGE, Group
from tests.mutation.trial import OPTIONS, PROFILE, Trial


def main() -> int:
    """Return 0 when every mutant was tried."""
    arguments = _arguments()
    group = next(one for one in GROUPS if one.name == arguments.group)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    # Always the same examples, and a failure is enough: it need not be made small.
    hypothesis.settings.register_profile(
        PROFILE,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
        report_multiple_bugs=False,
    )
    only = frozenset(json.loads(arguments.mutants.read_text())) if arguments.mutants else None
    with tempfile.TemporaryDirectory(prefix="mutation-") as name, _world(group, Path(name)):
        recorder = Recorder(Path.cwd() / PACKAGE)
        recorder.start()
        import_package()
        imported = frozenset(recorder.stop())
        modules = arguments.modules or group.modules
        trial = Trial(group, modules, only, recorder, arguments.cache, imported)
        trial.is_quick, trial.one_in = arguments.quick, arguments.one_in
        status = pytest.main([*OPTIONS, *group.options, *group.tests], plugins=[trial])
    return 0 if trial.is_done else int(status) or 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("group")
    parser.add_argument("modules", nargs="*")
    parser.add_argument("--mutants", type=Path, help="a JSON list of the mutants to try")
    parser.add_argument("--cache", type=Path, required=True, help="where records are kept")
    parser.add_argument("--quick", action="store_true", help="without what needs a new import")
    parser.add_argument("--one-in", type=int, default=1, help="try one of so many mutants")
    arguments = parser.parse_args()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    return arguments


def import_package() -> None:
    """Import every module, so that each function exists before the tests run.

    A program is left out: it would run.
    """
    package = importlib.import_module("imagegen")
    for one in pkgutil.walk_packages(package.__path__, "imagegen."):
        if not one.name.endswith(".__main__"):
            importlib.import_module(one.name)


@contextmanager
def _world(group: Group, directory: Path) -> Iterator[None]:
    """Run one emulator for all mutants of a store; each gets tables of its own."""
    if not group.on_aws:
        yield
        return
    from tests.adapters.aws import selfcheck, world  # noqa: PLC0415 most groups need none

    with world.running_aws(directory) as aws:
        wrong = selfcheck.what_is_wrong(aws)
        if wrong:
            raise RuntimeError(wrong)

        numbers: dict[int, Iterator[int]] = {}

        @contextmanager
        def shared(directory: Path) -> Iterator[world.Aws]:
            dynamodb: Any = world.build_client("dynamodb", aws.endpoint)
            s3: Any = world.build_client("s3", aws.endpoint)
            # A process tries many mutants and begins anew for each: no name is given twice.
            process = os.getpid()
            names = numbers.setdefault(process, count(1_000_000 + process * 100_000))
            yield world.Aws(aws.endpoint, dynamodb, s3, names)

        world.running_aws = shared
        selfcheck.what_is_wrong = lambda aws: ""
        yield


if __name__ == "__main__":
    sys.exit(main())
