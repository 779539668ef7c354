"""Arrows point inward, read from the source; and a cold start loads no vendor client."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from generators.sources import nodes
from tests.fakes.catalogs import ROOT

PACKAGE = ROOT / "layers" / "shared" / "imagegen"
FUNCTIONS = ROOT / "functions"
MAY_IMPORT = {
    "domain": {"domain"},
    "wire": {"wire", "domain"},
    "guard": {"domain"},
    "chat": {"chat", "wire", "domain"},
    "usecases": {"usecases", "guard", "wire", "domain"},
    "openai_api": {"openai_api", "usecases", "wire", "domain"},
    "mcp": {"mcp", "edge", "chat", "wire", "domain"},
    "edge": {"edge", "logs", "wire", "domain"},
    "monitoring": {"monitoring", "logs", "usecases", "guard", "wire", "domain"},
    "llm": {"llm", "providers", "domain", "places"},
    "providers": {"providers", "domain"},
    "aws": {"aws", "domain", "places"},
    "logs": set[str](),
    # Who the providers are, for the names of their settings.
    "settings": {"domain", "places", "providers"},
    # Both without pydantic: the page is there as soon as Python is. It shows who the providers are.
    "places": set[str](),
    # Lambda's runtime client of the function that streams: it knows no function.
    "runtime": {"runtime"},
    "site": {"edge", "places", "providers", "site"},
}
"""docs/design.md draws it. What is not named here may be imported by nobody but these two:"""
MAY_IMPORT["bootstrap"] = {*MAY_IMPORT, "bootstrap"} - {"site"}
MAY_IMPORT["functions"] = {
    *("edge", "bootstrap", "wire", "usecases", "openai_api", "chat", "mcp", "logs", "site"),
}
ROOT_MODULES = {"guard", "logs", "places", "settings"}
PURE = ("chat", "domain", "guard", "openai_api", "usecases", "wire")
FOREIGN_TO_PURE = {
    "aws_lambda_powertools",
    "boto3",
    "botocore",
    "http",
    "jwt",
    "openai",
    "os",
    "random",
    "requests",
    "secrets",
    "socket",
    "subprocess",
    "sys",
    "threading",
    "time",
    "urllib",
    "urllib3",
    "uuid",
}
CLOCKS = {"now", "utcnow", "today", "time", "time_ns", "monotonic"}


def sources() -> list[Path]:
    return sorted([*PACKAGE.rglob("*.py"), *FUNCTIONS.rglob("*.py")])


def part_of(path: Path) -> str:
    if path.is_relative_to(FUNCTIONS):
        return "functions"
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def ids(path: Path) -> str:
    return str(path.relative_to(ROOT))


every_source = pytest.mark.parametrize("path", sources(), ids=ids)
every_pure_source = pytest.mark.parametrize(
    "path", [path for path in sources() if part_of(path) in PURE], ids=ids
)


def test_every_room_is_known() -> None:
    parts = {part_of(path) for path in sources()} - {"__init__"}
    assert parts == set(MAY_IMPORT)


def test_the_root_of_the_package_holds_four_modules() -> None:
    assert {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"} == ROOT_MODULES


@every_source
def test_imports_point_inward(path: Path) -> None:
    part = part_of(path)
    ours = {name.split(".")[1] for name in imported(path) if name.startswith("imagegen.")}
    assert ours <= MAY_IMPORT.get(part, set())


@every_pure_source
def test_the_rules_know_no_vendor_no_system_and_no_chance(path: Path) -> None:
    assert not {name.split(".")[0] for name in imported(path)} & FOREIGN_TO_PURE


def test_chance_comes_from_the_system() -> None:
    """Instances that start from one snapshot share the state of ``random``, until it is seeded."""
    found = [path.name for path in sources() if "random" in set(imported(path))]

    assert found == ["service.py"]


@every_pure_source
def test_the_rules_look_at_no_clock(path: Path) -> None:
    calls = [node for node in nodes(path) if isinstance(node, ast.Call)]
    for call in calls:
        target = call.func
        if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
            assert (target.value.id, target.attr) not in {
                (owner, clock) for owner in ("datetime", "date", "time") for clock in CLOCKS
            }


@every_pure_source
def test_the_rules_use_what_computes_and_reaches_nothing(path: Path) -> None:
    tops = {name.split(".")[0] for name in imported(path)} - {"imagegen"}
    # ``isal`` is zlib, only faster.
    assert tops <= sys.stdlib_module_names | {"pydantic", "pydantic_core", "isal"}


@cache
def loaded(function: str) -> set[str]:
    """Return the modules that a cold start of a function loads."""
    program = (
        "import importlib.util, sys;"
        "spec = importlib.util.spec_from_file_location('handler', sys.argv[1]);"
        "module = importlib.util.module_from_spec(spec);"
        "spec.loader.exec_module(module);"
        "print(*sys.modules)"
    )
    handler = FUNCTIONS / function / "handler.py"
    done = subprocess.run(  # noqa: S603 our own interpreter and our own file
        [sys.executable, "-c", program, str(handler)],
        env={"PYTHONPATH": str(PACKAGE.parent), "POWERTOOLS_SERVICE_NAME": "test"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.thorough
@pytest.mark.parametrize("function", ["estimate", "health", "chat", "admin"])
@pytest.mark.parametrize("vendor", ["openai", "requests", "httpx"])
def test_a_cold_start_that_draws_nothing_loads_no_vendor_client(function: str, vendor: str) -> None:
    modules = loaded(function)
    assert "pydantic" in modules
    assert vendor not in modules
