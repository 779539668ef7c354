"""Rules about the project's own files, read from the files."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from imagegen.aws.chat_usage_store import CHAT_PARTITION
from local.parameters import environment_name, read_template
from local.paths import ROOT

PACKAGE = ROOT / "layers" / "shared" / "imagegen"
TEMPLATE = read_template()
FUNCTIONS = {
    name: resource["Properties"]
    for name, resource in TEMPLATE["Resources"].items()
    if resource["Type"] == "AWS::Serverless::Function"
}


GENERATED = re.compile(r"\.(git|venv|tools|local|aws-sam|env|.*_cache|hypothesis)|__pycache__")


def project_files(folder: Path = ROOT) -> Iterator[Path]:
    """Every file but those that .gitignore names."""
    for path in folder.iterdir():
        if GENERATED.fullmatch(path.name):
            continue
        if path.is_dir():
            yield from project_files(path)
        else:
            yield path


def statements(properties: dict[str, Any]) -> list[dict[str, Any]]:
    role = TEMPLATE["Resources"][properties["Role"]["Fn::GetAtt"][0]]["Properties"]
    return [one for policy in role["Policies"] for one in policy["PolicyDocument"]["Statement"]]


def actions_of(statement: dict[str, Any]) -> list[str]:
    action: str | list[str] = statement["Action"]
    return [action] if isinstance(action, str) else action


def actions(properties: dict[str, Any]) -> set[str]:
    return {one for statement in statements(properties) for one in actions_of(statement)}


def test_a_lock_names_no_registry() -> None:
    for lock in (ROOT / "requirements").glob("*.txt"):
        assert not re.search(r"https?:|file:|--index|--find-links", lock.read_text()), lock.name


def test_everything_locked_has_a_hash() -> None:
    for lock in (ROOT / "requirements").glob("*.txt"):
        text = lock.read_text()
        names = re.findall(r"^[a-z0-9][\w.\-\[\]]*==", text, re.MULTILINE | re.IGNORECASE)
        hashed = re.findall(
            r"^[a-z0-9][^\n]*\\\n    --hash=sha256:", text, re.MULTILINE | re.IGNORECASE
        )
        assert len(names) == len(hashed), lock.name


def test_no_file_names_a_path_of_the_machine_it_was_written_on() -> None:
    home = re.compile(rb"(?<![\w.])/(?:root|home|Users)/\w")
    for path in project_files():
        assert str(ROOT).encode() not in path.read_bytes(), path
        assert not home.search(path.read_bytes()), path


def test_every_function_of_the_template_has_its_folder() -> None:
    for name, properties in FUNCTIONS.items():
        handler = ROOT / properties["CodeUri"] / "handler.py"
        assert handler.is_file(), name


def test_no_permission_is_a_wildcard() -> None:
    for name, properties in FUNCTIONS.items():
        assert [action for action in actions(properties) if "*" in action] == [], name
        assert [one["Sid"] for one in statements(properties) if one["Resource"] == "*"] == [], name


def test_only_generate_can_write_the_ledger_and_the_images() -> None:
    writing = {"dynamodb:PutItem", "dynamodb:UpdateItem", "s3:PutObject", "s3:DeleteObject"}

    assert actions(FUNCTIONS["EstimateFunction"]) & writing == {"s3:PutObject"}
    stored = [
        one for one in statements(FUNCTIONS["EstimateFunction"]) if "s3" in str(one["Action"])
    ]
    # With it, links for uploads are signed. Files are read there, too; and nowhere else.
    assert [one["Resource"]["Fn::Sub"][0].partition("}/")[2] for one in stored[:-1]] == ["inputs/*"]
    assert stored[-1]["Action"] == "s3:ListBucket"
    assert not [one for one in actions(FUNCTIONS["ChatFunction"]) if one.startswith("s3:")]
    assert actions(FUNCTIONS["ChatFunction"]) & writing == {"dynamodb:UpdateItem"}
    chat = statements(FUNCTIONS["ChatFunction"])
    (counting,) = (one for one in chat if "dynamodb:UpdateItem" in one["Action"])
    # The chat's own counts: a ledger's partition begins with U#.
    condition = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["C#*"]}}
    assert (counting["Action"], counting["Condition"]) == ("dynamodb:UpdateItem", condition)
    assert CHAT_PARTITION == "C#"
    assert actions(FUNCTIONS["GenerateFunction"]) >= writing


def test_only_generate_has_the_preview_frames_and_they_are_removed_after_a_day() -> None:
    frames = {
        (name, action)
        for name, properties in FUNCTIONS.items()
        for one in statements(properties)
        for action in actions_of(one)
        if "previews/" in str(one["Resource"]) and action != "s3:ListBucket"
    }
    allowed = ("DeleteObject", "DeleteObjectVersion", "GetObject", "PutObject")
    assert frames == {("GenerateFunction", f"s3:{action}") for action in allowed}
    bucket = TEMPLATE["Resources"]["Bucket"]["Properties"]
    rules = {one.get("Prefix"): one for one in bucket["LifecycleConfiguration"]["Rules"]}
    assert (rules["previews/"]["Status"], rules["previews/"]["ExpirationInDays"]) == ("Enabled", 1)


def test_no_secret_is_a_variable_of_a_function() -> None:
    everywhere = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    for properties in FUNCTIONS.values():
        for variable, value in {**everywhere, **properties["Environment"]["Variables"]}.items():
            name = value.get("Ref") if isinstance(value, dict) else None
            if TEMPLATE["Parameters"].get(name, {}).get("Type") == "Number":
                continue  # a number of tokens is no secret
            assert not re.search(r"KEY|TOKEN|SECRET|PASSWORD", variable), variable


def test_a_parameter_reaches_a_function_under_its_own_name() -> None:
    scopes = [TEMPLATE["Globals"]["Function"], *FUNCTIONS.values()]
    for scope in scopes:
        for variable, value in scope["Environment"]["Variables"].items():
            parameter = value.get("Ref") if isinstance(value, dict) else None
            if parameter and parameter in TEMPLATE["Parameters"] and parameter != "LogLevel":
                assert environment_name(parameter) == variable


def test_the_table_and_the_bucket_outlive_the_stack() -> None:
    for name in ("Table", "Bucket"):
        # A creation that is rolled back leaves nothing behind that blocks or outlives the next one.
        assert TEMPLATE["Resources"][name]["DeletionPolicy"] == "RetainExceptOnCreate"
        assert TEMPLATE["Resources"][name]["UpdateReplacePolicy"] == "Retain"


# The targets.


@pytest.mark.parametrize("path", ["", "layers/shared"])
def test_a_target_finds_what_its_program_imports(path: str) -> None:
    """Only targets that name the layer's folder find the package in it."""
    lines = re.sub(r"\\\n\s*", "", (ROOT / "Makefile").read_text()).splitlines()
    found = [
        re.search(r"(PYTHONPATH=(\S+) )?(?:exec )?\$\(PYTHON\) -m ([\w.]+)", one) for one in lines
    ]
    programs = {one[3] for one in found if one and (one[2] or "") == path} - {"pytest"}
    assert programs
    names = ", ".join(map(repr, sorted(programs)))
    code = f"""
from importlib import import_module
for name in ({names},):
    if hasattr(import_module(name), "__path__"):
        import_module(name + ".__main__")
"""
    done = subprocess.run(  # noqa: S603 our own interpreter and our own program
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("kind", ["Table", "Bucket"])
def test_an_earlier_table_or_bucket_is_used_wherever_the_stacks_own_one_would_be(kind: str) -> None:
    either = {"Fn::If": [f"Makes{kind}", {"Ref": kind}, {"Ref": f"Existing{kind}Name"}]}
    others = {
        name: one
        for name, one in TEMPLATE["Resources"].items()
        if one.get("Condition") != f"Makes{kind}"
    }
    text = json.dumps([others, TEMPLATE["Outputs"]])
    assert text.count(json.dumps(either)) >= 3
    left = text.replace(json.dumps(either), "")
    assert f'"Ref": "{kind}"' not in left
    assert f'"{kind}"' not in re.sub(r'"(Ref|MetricName|Name)": "[^"]*"', "", left)
    assert f"${{{kind}" not in left


# What is said of the tests.


def ci_targets() -> list[str]:
    """Return the targets that CI makes."""
    lines = re.findall(r"^make (.+)$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    return [word for line in lines for word in line.split() if not word.startswith("-")]


def test_make_test_says_which_suites_of_ci_it_leaves_out() -> None:
    makefile = (ROOT / "Makefile").read_text()
    said = re.search(r"^test: .*## (.*)$", makefile, re.MULTILINE)
    assert said is not None
    first, *others = ci_targets()
    assert first == "test"
    assert all(re.search(rf"\b{name}\b", said[1]) for name in others), said[1]


def test_readme_and_contributing_name_everything_that_ci_runs() -> None:
    (said,) = re.findall(r"^\.ci/run +# (.*)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    (row,) = re.findall(
        r"^\| what CI runs \| (.*)$", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE
    )
    names = r"\b(test|stack|exactness|planted|security|clients|browser)\b"
    for text in (said, row):
        assert re.findall(names, text) == ci_targets()
