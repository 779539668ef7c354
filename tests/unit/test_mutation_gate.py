"""The mutation target ends red for what is not explained, and changes only what decides."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from local.paths import ROOT
from tests.mutation import groups
from tests.mutation.__main__ import SURVIVORS, Result, is_wanted, too_few
from tests.mutation.groups import GROUPS, ONLY_BY_NAME
from tests.mutation.maker import Mutant
from tests.mutation.mutants import mutants
from tests.mutation.outcomes import ANEW, KILLED, LEFT_OUT, SURVIVED, TIMEOUT
from tests.mutation.targets import PACKAGE, own_tests
from tests.mutation.worker import import_package

OUTCOMES = {**{f"killed {n}": KILLED for n in range(38)}, "hangs": TIMEOUT, "left": SURVIVED}
MANY_LEFT = OUTCOMES | {"left too": SURVIVED, "and this": SURVIVED}


@pytest.mark.parametrize(
    ("explained", "problem"),
    [
        ({"left": "it changes nothing"}, ""),
        ({}, "is not explained: left"),
        ({"left": ""}, "is not explained: left"),
        ({"left": "x", "gone": "x"}, "no such mutant any more: gone"),
    ],
)
def test_a_survivor_is_explained_or_the_target_fails(
    explained: Mapping[str, str], problem: str
) -> None:
    problems = list(Result("module.py", OUTCOMES).problems(explained))
    assert len(problems) == bool(problem)
    assert all(problem in one for one in problems)


def test_of_all_modules_together_95_percent_are_killed() -> None:
    assert not list(too_few([Result("a.py", OUTCOMES)]))
    assert list(too_few([Result("a.py", MANY_LEFT)]))
    assert not list(too_few([Result("a.py", MANY_LEFT), Result("b.py", OUTCOMES)]))


def test_what_was_not_tried_counts_neither_as_killed_nor_as_survived() -> None:
    result = Result("module.py", OUTCOMES | {"decorated": ANEW, "of another part": LEFT_OUT})
    assert (result.tried, result.not_tried) == (len(OUTCOMES), 2)
    assert result.percent == Result("module.py", OUTCOMES).percent
    assert result.survivors == ["left"]


def names(source: str) -> list[str]:
    return [one.name.rpartition(" | ")[2] for one in mutants(source.encode())]


@pytest.mark.parametrize(
    "source",
    [
        '"""A docstring."""',
        'def run():\n    logger.info("moved", state="open")',
        'TEXT = "Send a new estimate."',
        'class One(Model):\n    price: int = Field(description="of one")',
        "from a import b",
        "x = zip(a, b, strict=False)",
        "class One(Protocol):\n    def run(self) -> int: ...",
        '__all__ = ["a"]',
        "TIMEOUT_SECONDS = 30",
    ],
)
def test_what_only_a_person_reads_is_not_changed(source: str) -> None:
    assert names(source) == []


def test_the_text_of_an_error_is_not_changed_but_whether_it_is_raised_is() -> None:
    assert names('raise LimitError("no more", retryable=True)') == [
        'raise LimitError("no more", retryable=True) => pass',
        "LimitError(\"no more\", retryable=True) => (LimitError('no more'))",
        "True => False",
    ]


@pytest.mark.parametrize(
    ("source", "changed"),
    [
        ("x = a < b", ["a < b => (a <= b)", "a < b => (a >= b)"]),
        ("run(a + 1)", ["run(a + 1) => pass", "a + 1 => (a - 1)", "1 => 2"]),
        ('x = {"a": b}', ["\"a\" => 'XX'"]),
        ("x = min(a)", ["min(a) => (max(a))"]),
        ("x = f(a=b)", ["f(a=b) => (f())"]),
        ("def f():\n    return a", ["return a => return None"]),
        (
            "if a < b and not c:\n    run()",
            [
                "a < b and not c => (True)",
                "a < b and not c => (False)",
                "a < b and not c => (not c)",
                "a < b and not c => (a < b)",
                "a < b => (a <= b)",
                "run() => pass",
            ],
        ),
    ],
)
def test_what_decides_is_changed_once_in_each_way(source: str, changed: list[str]) -> None:
    assert names(source) == changed


def test_what_is_mutated_and_what_must_notice_it_exist() -> None:
    modules = [ROOT / PACKAGE / module for group in GROUPS for module in group.modules]
    tests = [ROOT / one.partition("::")[0] for group in GROUPS for one in group.tests]
    assert [path for path in modules + tests if not path.exists()] == []


def test_every_module_can_be_imported_before_it_is_mutated() -> None:
    import_package()

    assert "imagegen.runtime.loop" in sys.modules


def test_every_module_that_decides_is_mutated_or_has_a_reason_why_not() -> None:
    package = ROOT / PACKAGE
    modules = {str(path.relative_to(package)) for path in package.rglob("*.py")}
    left_out = {one for one in modules if groups.LEFT_OUT.keys() & {one, one.partition("/")[0]}}
    mutated = [one for group in GROUPS for one in group.modules]
    others = modules - left_out - set(mutated)
    assert [one for one in others if mutants((package / one).read_bytes())] == []
    assert not left_out & set(mutated)
    assert len(mutated) == len(set(mutated))


def test_what_decides_about_money_and_access_is_mutated_without_being_named() -> None:
    groups = {group.name: group for group in GROUPS}
    assert groups.keys() > ONLY_BY_NAME.keys()
    for name in ("ledger", "offers", "generate", "openai_api", "stores", "edge", "keys", "bytes"):
        assert is_wanted(groups[name], "any", ())
    for name in ONLY_BY_NAME:
        assert not is_wanted(groups[name], "any", ())
        assert is_wanted(groups[name], "any", (name,))


def test_every_reason_to_leave_a_module_out_is_of_a_module_that_exists() -> None:
    assert [one for one in groups.LEFT_OUT if not (ROOT / PACKAGE / one).exists()] == []
    assert all(groups.LEFT_OUT.values())


def test_the_files_of_a_module_s_rules_are_among_the_tests_of_its_group() -> None:
    """A module whose own file of tests is not run by its group would be tried in vain."""
    for group in GROUPS:
        for module in group.modules:
            assert any(
                own in test or Path(test).suffix == ""
                for own in own_tests(module)
                for test in group.tests
            ), module


def test_every_survivor_that_is_explained_is_a_change_of_the_present_source() -> None:
    """The target takes hours; that a statement was moved or reworded shows here."""
    on_aws = {module for group in GROUPS if group.on_aws for module in group.modules}
    stale = [
        (module, name)
        for module, explained in json.loads(SURVIVORS.read_text()).items()
        for name in explained.keys() - {one.name for one in _mutants_of(module, on_aws)}
    ]
    assert stale == []


def _mutants_of(module: str, on_aws: set[str]) -> list[Mutant]:
    source = (ROOT / PACKAGE / module).read_bytes()
    return mutants(source, expressions=module in on_aws)
