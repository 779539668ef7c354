"""The bounds of size, read from the source: a module, a function and the template stay readable."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.source_code import FUNCTIONS, Module, length
from generators.sources import nodes
from tests.fakes.catalogs import ROOT

PARTS = ("layers/shared/imagegen", "functions", "local", "operations", "generators", "bench")
MOST_LINES = 260
MOST_LINES_OF_A_FUNCTION = 31
"""Without its decorators and its docstring."""
MOST_LINES_OF_THE_TEMPLATE = 700


def modules() -> Iterator[Module]:
    for part in PARTS:
        for path in sorted((ROOT / part).rglob("*.py")):
            yield Module(path.relative_to(ROOT), path.read_text())


def test_no_module_is_longer_than_a_reader_keeps_in_mind() -> None:
    assert {str(one.path): one.lines for one in modules() if one.lines > MOST_LINES} == {}


def test_no_function_is_longer_than_a_screen() -> None:
    found = {
        f"{module.path}:{one.lineno} {one.name}": length(one)
        for module in modules()
        for one in nodes(ROOT / module.path)
        if isinstance(one, FUNCTIONS)
    }
    too_long = {name: lines for name, lines in found.items() if lines > MOST_LINES_OF_A_FUNCTION}
    assert too_long == {}


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["def one() -> int:", "    return 1"], 2),
        (["@cache", "def one() -> int:", '    """Return one."""', "    return 1"], 2),
        (["def one(", "    it: int,", ") -> int:", "    return it"], 4),
    ],
)
def test_a_function_is_measured_without_its_docstring(lines: list[str], expected: int) -> None:
    (function,) = Module(Path("one.py"), "\n".join(lines)).functions
    assert isinstance(function, ast.FunctionDef)
    assert length(function) == expected


def test_what_is_written_by_hand_of_the_template_can_be_read_from_top_to_bottom() -> None:
    lines = (ROOT / "template.yaml").read_text().splitlines()
    assert len(lines) <= MOST_LINES_OF_THE_TEMPLATE
