"""A changed setting goes live: each publishes new versions, and every caller uses the alias."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.overrides import overrides
from local.parameters import RELEASE, read_template
from local.paths import ROOT
from local.paths import TEMPLATE as TEMPLATE_FILE
from local.release import release
from operations.transform import transformed
from tests.fakes.templates import transformed_template

FUNCTIONS = ("Estimate", "Generate", "Health", "Chat", "Admin", "Page")
TEMPLATE = read_template()
DEFAULTS = {name: str(one.get("Default", "")) for name, one in TEMPLATE["Parameters"].items()}


def as_deployed(value: str = "a" * 64) -> dict[str, Any]:
    return transformed_once(value)


@cache
def transformed_once(value: str) -> dict[str, Any]:
    found: dict[str, Any] = transformed(parameters={RELEASE: value})["Resources"]
    return found


def of_type(kind: str, found: dict[str, Any] | None = None) -> dict[str, Any]:
    resources = as_deployed() if found is None else found
    return {name: one["Properties"] for name, one in resources.items() if one["Type"] == kind}


def alias(function: str) -> dict[str, str]:
    return {"Ref": f"{function}FunctionAliaslive"}


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """A small build: one function, a layer and the template."""
    for name, text in {
        "template.yaml": "Resources: {}",
        "EstimateFunction/handler.py": "pass",
        "SharedLayer/python/imagegen/a.py": "1",
        "SharedLayer/python/imagegen/b.py": "2",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


# The release.


@pytest.mark.parametrize("parameter", sorted(DEFAULTS.keys() - {RELEASE}))
def test_every_parameter_is_in_the_release(parameter: str, build: Path) -> None:
    changed = {**DEFAULTS, parameter: f"{DEFAULTS[parameter]}1"}
    assert release(build, changed) != release(build, DEFAULTS)


@pytest.mark.parametrize(
    "name", ["template.yaml", "EstimateFunction/handler.py", "SharedLayer/python/imagegen/b.py"]
)
def test_template_code_and_layer_are_in_the_release(name: str, build: Path) -> None:
    before = release(build, DEFAULTS)
    (build / name).write_text("other")
    assert release(build, DEFAULTS) != before


def test_a_moved_or_an_added_file_is_in_the_release(build: Path) -> None:
    seen = {release(build, DEFAULTS)}
    (build / "SharedLayer/python/imagegen/b.py").rename(build / "SharedLayer/python/c.py")
    seen.add(release(build, DEFAULTS))
    (build / "SharedLayer/python/empty.py").write_text("")
    seen.add(release(build, DEFAULTS))
    assert len(seen) == 3


def test_the_same_build_and_settings_publish_nothing(build: Path) -> None:
    before = release(build, {**DEFAULTS, RELEASE: "f" * 64})
    for path in build.rglob("*.py"):
        path.touch()
    assert release(build, dict(reversed(DEFAULTS.items()))) == before
    assert len(before) == 64


def test_without_a_build_there_is_no_release(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="make build"):
        release(tmp_path / "build", DEFAULTS)


@given(st.dictionaries(st.text(), st.text()), st.dictionaries(st.text(), st.text()))
def test_other_settings_are_another_release(one: dict[str, str], other: dict[str, str]) -> None:
    folder = ROOT / ".ci"  # any folder
    one.pop(RELEASE, None), other.pop(RELEASE, None)
    assert (release(folder, one) == release(folder, other)) == (one == other)


def test_nobody_sets_the_release_by_hand() -> None:
    assert RELEASE not in overrides({"RELEASE": "a" * 64}, {"RELEASE": "b" * 64})


# What it does, by SAM's own transform.


def test_only_functions_that_a_person_waits_for_may_start_from_a_snapshot() -> None:
    """Not chat: while it streams, its runtime client is one that cannot be restored."""
    wanted = {"Fn::If": ["FromSnapshot", {"ApplyOn": "PublishedVersions"}, {"Ref": "AWS::NoValue"}]}
    functions = of_type("AWS::Lambda::Function")
    found = {name: functions[f"{name}Function"].get("SnapStart") for name in FUNCTIONS}

    assert found == {**dict.fromkeys(FUNCTIONS), "Estimate": wanted, "Generate": wanted}
    assert TEMPLATE["Conditions"]["FromSnapshot"] == {"Fn::Equals": [{"Ref": "SnapStart"}, "true"]}
    assert DEFAULTS["SnapStart"] == "false"


@pytest.mark.thorough
def test_a_new_release_is_a_new_version_of_every_function() -> None:
    first, second = (of_type("AWS::Lambda::Version", as_deployed(one * 64)) for one in "ab")
    assert len(first) == len(second) == len(FUNCTIONS)
    assert not first.keys() & second.keys()
    for function in FUNCTIONS:
        live = as_deployed()[f"{function}FunctionAliaslive"]["Properties"]
        assert live["FunctionVersion"]["Fn::GetAtt"][0] in first


@pytest.mark.thorough
def test_without_a_release_a_changed_property_is_a_new_version(tmp_path: Path) -> None:
    """As for whoever deploys with sam alone, which knows no release."""
    text, runtime = TEMPLATE_FILE.read_text(), "Runtime: python3.13"
    assert text.count(runtime) == 1
    changed = tmp_path / TEMPLATE_FILE.name
    changed.write_text(text.replace(runtime, "Runtime: python3.12"))
    (tmp_path / "monitoring.json").write_text((ROOT / "monitoring.json").read_text())
    before, after = transformed_template()["Resources"], transformed(changed)["Resources"]
    kind = "AWS::Lambda::Version"
    assert len(of_type(kind, before)) == len(of_type(kind, after)) == len(FUNCTIONS)
    assert not of_type(kind, before).keys() & of_type(kind, after).keys()


def test_an_old_version_is_deleted_when_the_alias_has_moved() -> None:
    versions = [one for one in as_deployed().values() if one["Type"] == "AWS::Lambda::Version"]
    assert {one["DeletionPolicy"] for one in versions} == {"Delete"}


def test_lambda_sees_that_the_function_changed() -> None:
    """Lambda publishes no version of a function whose code and configuration are the same."""
    for function in of_type("AWS::Lambda::Function").values():
        assert function["Description"].endswith(" " + "a" * 64)
        assert len(function["Description"]) <= 256


def test_everybody_calls_the_alias() -> None:
    urls = [one["TargetFunctionArn"] for one in of_type("AWS::Lambda::Url").values()]
    assert sorted(map(str, urls)) == sorted(str(alias(one)) for one in FUNCTIONS)
    permissions = [one["FunctionName"] for one in of_type("AWS::Lambda::Permission").values()]
    assert sorted(map(str, permissions)) == sorted(str(alias(one)) for one in FUNCTIONS * 2)
    schedules = [one["Target"]["Arn"] for one in of_type("AWS::Scheduler::Schedule").values()]
    scheduled = ("Generate", "Health", "Health")
    assert sorted(map(str, schedules)) == sorted(str(alias(one)) for one in scheduled)
    assert {one["Qualifier"] for one in of_type("AWS::Lambda::EventInvokeConfig").values()} == {
        "live"
    }
    (allowed,) = as_deployed()["ScheduleRole"]["Properties"]["Policies"]
    (statement,) = allowed["PolicyDocument"]["Statement"]
    assert statement["Resource"] == [alias("Generate"), alias("Health")]


def test_metrics_count_all_versions_together() -> None:
    """By FunctionName alone, also for URLs: no dimension names a version or the alias."""
    names = {
        dimension["Name"]
        for alarm in of_type("AWS::CloudWatch::Alarm").values()
        for metric in [
            alarm,
            *(
                one["MetricStat"]["Metric"]
                for one in alarm.get("Metrics", [])
                if "MetricStat" in one
            ),
        ]
        if metric.get("Namespace") == "AWS/Lambda"
        for dimension in metric["Dimensions"]
    }
    assert names == {"FunctionName"}
