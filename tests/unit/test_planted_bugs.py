"""Each planted bug still fits the code, and the tests that must notice it are there.

``make planted`` runs them, which takes long; what moved is said here at once.
"""

import re
import shutil
from pathlib import Path

import pytest

from local.paths import ROOT
from tests.planted.budgets import BUDGET_BUGS
from tests.planted.bugs import BUGS, Bug

ALL = (*BUGS, *BUDGET_BUGS)
each_bug = pytest.mark.parametrize("bug", ALL, ids=lambda bug: bug.name)


@each_bug
def test_its_changes_can_be_made(bug: Bug, tmp_path: Path) -> None:
    for path in {change.path for change in bug.changes}:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    for change in bug.changes:
        change.apply(tmp_path)


@each_bug
def test_its_tests_are_there(bug: Bug) -> None:
    assert bug.suites
    for named in (*bug.suites, *bug.works):
        path, *names = named.removeprefix("--deselect=").split("::")
        text = (ROOT / path).read_text() if (ROOT / path).is_file() else ""
        assert text or (ROOT / path).is_dir(), path
        for name in names:
            pattern = rf"(def|class) {re.escape(name.partition('[')[0])}\b"
            assert re.search(pattern, text), named


def test_no_two_have_one_name() -> None:
    assert len({bug.name for bug in ALL}) == len(ALL)
