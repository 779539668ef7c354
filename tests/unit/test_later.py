"""Imports that are moved into functions, for the layer: what moves, and what stops the build."""

import pytest

from generators.later import moved_source, replaced


def run(source: str) -> dict[str, object]:
    """Return a module's names after it was executed."""
    names: dict[str, object] = {}
    exec(source, names)  # noqa: S102 the source is this test's own
    return names


def test_a_name_is_imported_by_each_function_that_uses_it() -> None:
    made = moved_source("from math import pi, tau\ndef f():\n    'Doc.'\n    return pi\n", ["pi"])

    assert made.startswith("from math import tau\n")
    assert "pi" not in run(made)
    assert run(made + "found = f(), f.__doc__")["found"] == (3.141592653589793, "Doc.")


def test_it_is_found_in_a_method_a_condition_and_under_another_name() -> None:
    source = (
        "try:\n    from math import pi as p\nexcept ImportError:\n    p = 0\n"
        "class C:\n    def f(self):\n        return [p for _ in 'a']\n"
    )
    made = moved_source(source.replace("    p = 0", "    pass"), ["p"])

    assert run(made + "found = C().f()")["found"] == [3.141592653589793]


def test_annotations_that_are_never_evaluated_may_keep_the_name() -> None:
    source = "from __future__ import annotations\nfrom math import pi\ndef f(x: pi): return pi\n"

    assert run(moved_source(source, ["pi"]) + "found = f(1)")["found"] == 3.141592653589793


@pytest.mark.parametrize(
    "use",
    [
        "x = pi",
        "class C:\n    x = pi",
        "class C(pi): ...",
        "def f(x=pi): ...",
        "def f(*, x=pi): ...",
        "def f(x: pi): ...",
        "def f() -> pi: ...",
        "@pi\ndef f(): ...",
        "x = lambda: pi",
    ],
)
def test_a_name_that_is_used_outside_functions_stops_the_build(use: str) -> None:
    with pytest.raises(ValueError, match=r"outside functions: \['pi'\]"):
        moved_source(f"from math import pi\n{use}\n", ["pi"])


def test_a_name_that_is_no_longer_imported_stops_the_build() -> None:
    with pytest.raises(ValueError, match=r"not imported: \['pi'\]"):
        moved_source("from math import tau\n", ["pi"])


def test_a_text_is_replaced_where_it_is_the_only_one() -> None:
    assert replaced("a b c", "b", "x") == "a x c"


@pytest.mark.parametrize("source", ["a c", "b b"])
def test_a_text_that_is_not_there_once_stops_the_build(source: str) -> None:
    with pytest.raises(ValueError, match="once"):
        replaced(source, "b", "x")
