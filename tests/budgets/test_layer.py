"""What the layer weighs and holds, in bytes and files, for both architectures."""

import gzip
import importlib.util
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from generators import later, layer
from generators.lazy import lazy_source
from local.paths import ROOT

MAX_DEPENDENCIES = 10


def test_unzipped_with_bytecode_it_is_within_its_limit(shipped_layer: Path) -> None:
    assert layer.size_bytes(shipped_layer) <= layer.LIMIT_BYTES == 60_000_000


def test_every_module_comes_with_its_bytecode(shipped_layer: Path) -> None:
    sources = set(shipped_layer.rglob("*.py"))
    missing = {one for one in sources if not bytecode(one).is_file()}

    assert sources
    assert missing == set()


def test_bytecode_is_of_the_runtime_and_never_checked_against_its_source(
    shipped_layer: Path,
) -> None:
    """Lambda's zip gives every file a new time: checked bytecode would be thrown away."""
    found = {path.read_bytes()[:8] for path in shipped_layer.rglob("*.pyc")}

    assert found == {importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little")}


def test_bytecode_names_the_place_where_lambda_mounts_it(shipped_layer: Path) -> None:
    ours = bytecode(shipped_layer / "imagegen" / "edge" / "api.py").read_bytes()

    assert b"/opt/python/imagegen/edge/api.py" in ours
    assert str(ROOT).encode() not in ours


def test_only_services_that_are_called_are_described(shipped_layer: Path) -> None:
    data = shipped_layer / "botocore" / "data"
    addresses = json.loads((data / "endpoints.json").read_text())

    assert {path.name for path in data.iterdir() if path.is_dir()} == layer.AWS_SERVICES
    for partition in addresses["partitions"]:
        assert partition["regions"]
        assert set(partition["services"]) <= layer.AWS_SERVICES


def test_no_documentation_is_parsed_at_a_cold_start(shipped_layer: Path) -> None:
    descriptions = list((shipped_layer / "botocore" / "data").glob("*/*/service-2.json.gz"))
    texts = [json.loads(gzip.decompress(path.read_bytes())) for path in descriptions]

    assert texts
    assert [path for path, said in zip(descriptions, texts, strict=True) if told(said)] == []


@pytest.mark.parametrize(
    "pattern", ["**/tests", "**/*.pyi", "boto3/examples", "**/examples-1.json"]
)
def test_tests_stubs_and_examples_stay_behind(shipped_layer: Path, pattern: str) -> None:
    assert list(shipped_layer.glob(pattern)) == []


def test_there_are_few_dependencies() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert len(project["dependencies"]) <= MAX_DEPENDENCIES


@pytest.mark.parametrize(
    "package",
    [
        "aws_lambda_powertools.event_handler",
        "aws_lambda_powertools.utilities.data_classes",
        "openai.types",
        "openai.types.shared",
    ],
)
def test_a_package_made_lazy_hands_on_the_same_names(package: str, built_layer: Path) -> None:
    """What the whole package has in our own environment, the layer's has when it is asked for."""
    whole = names_of(package, [])

    assert whole
    assert names_of(package, [str(built_layer)], ask=whole) == whole


def test_each_import_that_was_moved_finds_its_name(built_layer: Path) -> None:
    program = (
        "import ast, importlib, sys; top, module, names = sys.argv[1], sys.argv[2], sys.argv[3:];"
        "sys.path[:0] = [top]; package = module.removesuffix('.__init__');"
        "package = package if package != module else module.rpartition('.')[0];"
        "source = open(f\"{top}/{module.replace('.', '/')}.py\").read();"
        "moved = [n for f in ast.walk(ast.parse(source)) if isinstance(f, ast.FunctionDef)"
        " for n in f.body if isinstance(n, ast.ImportFrom) and n.names[0].name in names];"
        "found = {n.names[0].name for n in moved if hasattr(importlib.import_module("
        "'.' * n.level + (n.module or ''), package), n.names[0].name)"
        " or importlib.import_module(f'{n.module}.{n.names[0].name}')};"
        "print(*sorted(found))"
    )
    for file, names in later.MOVED.items():
        module = file.removesuffix(".py").replace("/", ".")
        done = subprocess.run(  # noqa: S603 our own interpreter and our own program
            [sys.executable, "-I", "-S", "-B", "-c", program, str(built_layer), module, *names],
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.split() == sorted(names), file


def test_what_was_replaced_is_true_of_the_locked_packages() -> None:
    from importlib.metadata import entry_points  # noqa: PLC0415 only this test asks for them

    from s3transfer.manager import TransferConfig  # noqa: PLC0415 as above

    locked = layer.REQUIREMENTS.read_text()
    plugins = [one.dist.name for one in entry_points(group="pydantic") if one.dist]

    assert hasattr(TransferConfig, "UNSET_DEFAULT")
    assert [name for name in plugins if f"\n{name}==" in locked] == []


def test_names_are_looked_up_when_they_are_asked_for() -> None:
    made = lazy_source("from __future__ import annotations\nfrom .a import B as C\n__all__ = ['C']")

    assert "import B" not in made
    assert "'C': ('.a', 'B')" in made
    assert made.startswith("from __future__")


@pytest.mark.parametrize("source", ["from a import b\nc = b()", "from a import *"])
def test_a_package_that_needs_its_names_at_once_stops_the_build(source: str) -> None:
    with pytest.raises(ValueError, match="needed at import"):
        lazy_source(source)


def test_no_installed_package_of_ours_was_cut() -> None:
    """The installer links files; what is cut for the layer must be a copy."""
    import botocore  # noqa: PLC0415 our own environment's

    addresses = Path(botocore.__file__).parent / "data" / "endpoints.json"
    assert "ec2" in json.loads(addresses.read_text())["partitions"][0]["services"]


def bytecode(source: Path) -> Path:
    return source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"


def told(said: object) -> bool:
    if isinstance(said, dict):
        text = said.get("documentation")
        return bool(isinstance(text, str) and text) or any(map(told, said.values()))
    return isinstance(said, list) and any(map(told, said))


def names_of(package: str, path: list[str], ask: dict[str, str] | None = None) -> dict[str, str]:
    """Return a package's classes by name, and the module that defines each."""
    program = (
        "import importlib, json, sys; path, package, ask = map(json.loads, sys.argv[1:]);"
        "sys.path[:0] = path; it = importlib.import_module(package);"
        "names = ask or [one for one in vars(it) if not one.startswith('_')];"
        "found = {one: getattr(it, one) for one in names};"
        "print(json.dumps({one: value.__module__ for one, value in found.items()"
        " if isinstance(value, type)}))"
    )
    isolated = ["-I", "-S"] if path else ["-I"]
    arguments = [json.dumps(one) for one in (path, package, sorted(ask or {}))]
    done = subprocess.run(  # noqa: S603 our own interpreter and our own program
        [sys.executable, *isolated, "-B", "-c", program, *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found
