"""One stack in any Region: links, rules for the browser, names, and which Region is used."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.aws import clients
from local.parameters import read_bare_template, read_template
from local.paths import ROOT, TEMPLATE
from operations import accounts
from tests.fakes.templates import transformed_template

SUFFIXES = {"cn-north-1": "amazonaws.com.cn", "eusc-de-east-1": "amazonaws.eu"}
REGIONS = (
    *("us-east-1", "us-east-2", "eu-central-1", "eu-west-1", "ap-northeast-1", "sa-east-1"),
    # Opened after March 2019: the global host answers 400 for them, for ever.
    *("ap-east-1", "af-south-1", "eu-south-1", "me-south-1", "ap-southeast-3", "mx-central-1"),
    *("us-gov-west-1", "cn-north-1", "eusc-de-east-1"),
)
GLOBAL_NAMES = {
    "AWS::CloudWatch::Dashboard": "DashboardName",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::CloudFront::CachePolicy": "CachePolicyConfig",
    "AWS::CloudFront::OriginRequestPolicy": "OriginRequestPolicyConfig",
}
"""Resource types whose names are global to an account, or to the world, and their property."""


def image_hosts(region: str, bucket: str) -> list[str]:
    """Return the hosts that the template lets the page load images from, as CloudFormation does."""
    page: Any = read_template()["Resources"]["PageFunction"]["Properties"]
    text, values = page["Environment"]["Variables"]["IMAGE_HOSTS"]["Fn::Sub"]
    assert set(values) == {"Name"}
    suffix = SUFFIXES.get(region, "amazonaws.com")
    filled = {"Name": bucket, "AWS::Region": region, "AWS::URLSuffix": suffix}
    return re.sub(r"\$\{([\w:]+)\}", lambda found: filled[found[1]], text).split()


@pytest.mark.thorough
@pytest.mark.parametrize("region", REGIONS)
def test_a_link_names_the_host_of_its_region_and_the_page_may_load_it(
    region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for name, value in {
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_CONFIG_FILE": os.devnull,
    }.items():
        monkeypatch.setenv(name, value)
    s3 = clients.s3.__wrapped__()
    link = s3.generate_presigned_url("get_object", Params={"Bucket": "stack-bucket-1", "Key": "i"})
    suffix = SUFFIXES.get(region, "amazonaws.com")
    assert urlsplit(link).netloc == f"stack-bucket-1.s3.{region}.{suffix}"
    assert f"%2F{region}%2Fs3%2F" in link
    assert image_hosts(region, "stack-bucket-1") == [f"https://{urlsplit(link).netloc}"]


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:4566", "http://127.0.0.1:80"])
def test_on_this_machine_a_link_resolves_no_name(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    s3 = clients.s3.__wrapped__()
    link = s3.generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "i"})
    assert link.startswith(f"{endpoint.removesuffix(':80')}")
    assert urlsplit(link).path == "/b/i"


# Names.


def given_names(resources: dict[str, Any]) -> dict[str, Any]:
    """Return the names that are given to resources whose names are global."""
    return {
        name: one["Properties"][GLOBAL_NAMES[one["Type"]]]
        for name, one in resources.items()
        if GLOBAL_NAMES.get(one["Type"]) in one.get("Properties", {})
    }


@pytest.mark.parametrize(
    ("template", "count"), [("template.yaml", 1), ("edge.yaml", 1), ("news.yaml", 0)]
)
def test_a_name_that_is_global_carries_stack_and_region(template: str, count: int) -> None:
    found = transformed_template() if template == TEMPLATE.name else beside(template)
    names = given_names(found["Resources"])
    assert len(names) == count, "the dashboard and the cache policy have one"
    for name, text in names.items():
        assert "${AWS::StackName}" in str(text), name
        assert "${AWS::Region}" in str(text), name


def beside(template: str) -> dict[str, Any]:
    return read_bare_template(ROOT / template)


# Which Region is used.

region_names = st.sampled_from(["eu-central-1", "us-west-2", "ap-east-1"])


@given(region_names, st.none() | st.just("") | region_names)
def test_aws_region_is_used_whatever_else_is_set(wanted: str, other: str | None) -> None:
    environ = {"AWS_REGION": wanted}
    if other is not None:
        environ["AWS_DEFAULT_REGION"] = other
    assert accounts.settle_region(environ) == "AWS_REGION"
    assert environ["AWS_DEFAULT_REGION"] == wanted


@pytest.mark.parametrize(
    ("environ", "source", "left"),
    [
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, "AWS_DEFAULT_REGION", "eu-west-1"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": "eu-west-1"}, "AWS_DEFAULT_REGION", "eu-west-1"),
        ({"AWS_PROFILE": "work"}, "profile work", None),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": ""}, "profile default", None),
        ({}, "profile default", None),
    ],
)
def test_without_it_the_old_variable_and_then_the_profile_are_used(
    environ: dict[str, str], source: str, left: str | None
) -> None:
    assert accounts.settle_region(environ) == source
    assert environ.get("AWS_DEFAULT_REGION") == left


def in_make(recipe: str, **environ: str) -> str:
    """Return what a recipe of the Makefile prints."""
    done = subprocess.run(  # noqa: S603 our own Makefile
        ["make", "-s", "--eval", f"region: ; {recipe}", "region"],  # noqa: S607
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environ},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("environ", "used"),
    [
        ({}, ""),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-1"),
        ({"AWS_REGION": "eu-central-1"}, "eu-central-1"),
        ({"AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "eu-west-1"}, "eu-central-1"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-1"),
    ],
)
def test_every_target_uses_the_same_region(environ: dict[str, str], used: str) -> None:
    assert in_make("@echo $${AWS_DEFAULT_REGION-}", **environ) == used


@pytest.mark.thorough
def test_the_profiles_region_comes_last(tmp_path: Path) -> None:
    profile = tmp_path / "config"
    profile.write_text("[default]\nregion = us-west-2\n")
    code = "import boto3; print(boto3.session.Session().region_name)"
    recipe, config = f"@$(PYTHON) -c '{code}'", str(profile)
    assert in_make(recipe, AWS_CONFIG_FILE=config) == "us-west-2"
    assert in_make(recipe, AWS_CONFIG_FILE=config, AWS_REGION="eu-central-1") == "eu-central-1"


def test_no_command_calls_aws_before_the_region_is_settled() -> None:
    """A command that makes a client first would use the profile's Region."""
    for path in (ROOT / "operations").glob("*.py"):
        source = path.read_text()
        if "def main" in source and "boto3.client(" in source:
            assert re.search(r"\b(place|settle_region)\(\)|= beside\(", source), path
