"""The chat kit as a backend installs it: a wheel without AWS, in an environment of its own."""

import ast
import json
import subprocess
import tomllib
import zipfile
from pathlib import Path

import pytest

from local.paths import ROOT, UV

KIT = ROOT / "layers" / "shared"
PROJECT = tomllib.loads((KIT / "pyproject.toml").read_text())["project"]
USED = """
import importlib.util, json
import imagegen.chat as kit

fine = all(hasattr(kit, name) for name in kit.__all__)
offer = {"quote": "q", "imageId": "i", "prompt": "a fox", "price": {}, "buttonLabel": "b"}
shown = kit.extract_image_generations([offer])
part = kit.to_aisdk(shown[0] | {"status": "declined"})
print(json.dumps({
    "fine": fine,
    "tool": kit.tool_definition("openai", ["openai"])["function"]["name"],
    "shown": [one["id"] for one in shown],
    "back": kit.from_aisdk(part)["status"],
    "foreign": [one for one in ("boto3", "requests", "openai", "aws_lambda_powertools")
                if importlib.util.find_spec(one)],
}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("wheel")
    run(UV, "build", "--quiet", "--wheel", "--out-dir", made, KIT)
    (found,) = made.glob("*.whl")
    return found


def run(*command: str | Path) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 uv
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_kit_works_in_an_environment_that_has_nothing_else(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "venv"
    run(UV, "venv", "--quiet", "--python", "3.13", home)
    python = home / "bin" / "python"
    run(UV, "pip", "install", "--quiet", "--python", python, wheel)
    assert json.loads(run(python, "-I", "-c", USED)) == {
        "fine": True,
        "tool": "generate_image",
        "shown": ["i"],
        "back": "declined",
        "foreign": [],
    }


def test_the_kit_holds_no_part_of_the_service(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    rooms = {name.split("/")[1] for name in names if name.startswith("imagegen/")}
    assert rooms == {"__init__.py", "chat", "domain", "wire"}


def test_the_kit_names_no_registry_and_is_never_uploaded_by_mistake() -> None:
    assert "http" not in (KIT / "pyproject.toml").read_text()
    assert PROJECT["classifiers"] == ["Private :: Do Not Upload"]
    # Another project owns this name on PyPI.
    assert PROJECT["name"] != "imagegen"


def test_the_kit_is_written_for_the_python_that_it_names() -> None:
    major, minor = (int(one) for one in PROJECT["requires-python"].removeprefix(">=").split("."))
    for room in ("chat", "domain", "wire"):
        for path in (KIT / "imagegen" / room).glob("*.py"):
            ast.parse(path.read_text(), path.name, feature_version=(major, minor))
