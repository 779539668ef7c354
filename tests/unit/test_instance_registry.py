"""An instance has its own name wherever a provider has one: keys, switch, page, simulator."""

import json
import os
from argparse import Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from imagegen import providers
from imagegen.bootstrap.catalog_file import load_catalog
from imagegen.bootstrap.providers import Providers
from imagegen.domain.errors import ConfigurationError
from imagegen.providers import (
    NO_VERSION,
    PROVIDERS,
    build_provider,
    flag_name,
    instance_file,
    registry,
)
from imagegen.providers.openai_images import OpenAIProvider
from imagegen.settings import Settings
from imagegen.site.files import providers_script
from local import guide
from local.simulator.routes import World
from operations.accounts import Place
from operations.deploy import summary
from tests.fakes.instances import every_preset, text_of

FIXED = {"TABLE_NAME": "t", "PARAMETERS_PATH": "/p"}


def clear() -> None:
    for cached in (instance_file.instances_text, providers.registry, providers.own_instances):
        cached.cache_clear()


@pytest.fixture
def listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The names of instances in a file that is now the operator's."""
    path = tmp_path / "instances.json"
    path.write_text(text_of(*every_preset()))
    monkeypatch.setenv(instance_file.INSTANCES_VARIABLE, str(path))
    clear()
    yield [one["name"] for one in every_preset()]
    clear()


def setups(values: Mapping[str, str], names: list[str]) -> dict[str, tuple[bool, bool]]:
    settings = Settings.from_env(FIXED)
    found = Providers(settings, tuple(names), lambda: values, lambda: 0, lambda *_: None).setups()
    return {name: (one.has_key, one.enabled) for name, one in found.items()}


def test_the_registry_has_the_built_in_providers_first(listed: list[str]) -> None:
    assert list(registry()) == [*PROVIDERS, *listed]


def test_the_catalog_has_the_rows_of_instances(listed: list[str]) -> None:
    assert set(load_catalog().providers) == {*PROVIDERS, *listed}


def test_without_a_file_there_are_the_built_in_providers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(instance_file.INSTANCES_VARIABLE, str(tmp_path / "absent.json"))
    clear()
    assert registry() == PROVIDERS
    assert set(load_catalog().providers) == set(PROVIDERS)
    clear()


WRONG_FILES = {
    '{"schemaVersion": 1, "instances": [{"name": "gpu"}]}': "instance 'gpu': title",
    '{"schemaVersion": 1, "instances": [{"name": "gpu", "preset": "comfy"}]}': "instance 'gpu'",
    '{"schemaVersion": 1, "instances": [{}]}': r"instances\[0\]",
    '{"schemaVersion": 1, "instances": ["gpu"]}': "instances",
    '{"schemaVersion": 1, "instances": "gpu"}': "instances",
    '{"schemaVersion": 1, "instances": null}': "instances",
    '{"schemaVersion": 1, "instancez": [{"name": "gpu"}]}': "instances: Field required",
    '{"schemaVersion": 1, "instances": [': "Invalid JSON",
    "[]": "object",
    "": "Invalid JSON",
}


@pytest.fixture
def wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[str]:
    """The words about the operator's file, which is now a wrong one."""
    path = tmp_path / "instances.json"
    path.write_text(request.param)
    monkeypatch.setenv(instance_file.INSTANCES_VARIABLE, str(path))
    clear()
    yield f"provider_instances.json: .*{WRONG_FILES[request.param]}"
    clear()


@pytest.mark.parametrize("wrong", WRONG_FILES, indirect=True)
def test_a_wrong_file_stops_the_catalog(wrong: str) -> None:
    with pytest.raises(ConfigurationError, match=wrong):
        load_catalog()


@pytest.mark.parametrize("wrong", WRONG_FILES, indirect=True)
def test_tools_that_need_only_names_and_keys_say_what_is_wrong_with_the_file(wrong: str) -> None:
    with pytest.raises(ConfigurationError, match=wrong):
        registry()


def test_a_file_of_another_version_is_not_taken_for_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "instances.json"
    path.write_text('{"schemaVersion": 2, "instances": []}')
    monkeypatch.setenv(instance_file.INSTANCES_VARIABLE, str(path))
    clear()
    with pytest.raises(ConfigurationError, match="schemaVersion"):
        load_catalog()
    clear()


def test_a_first_deployment_asks_for_the_keys_of_instances_too(listed: list[str]) -> None:
    keys = {about.key_name for about in registry().values() if about.key_name}
    assert "MUSE_API_KEY" in keys
    assert keys <= {one.name for one in guide.questions({})}
    assert not keys & {one.name for one in guide.questions({"MUSE_API_KEY": "one"})}


def test_a_server_without_a_key_can_offer_images(listed: list[str]) -> None:
    given = Namespace(stack="imagegen", env_file=Path(".env"), fast=False)
    place = Place("123456789012", "arn", "eu-central-1", "AWS_REGION")
    said = summary(given, {"BEDROCK_REGION": "off"}, place, is_new=True)
    assert "gpu (no key)" in said
    assert "muse" not in said


def test_the_page_has_the_title_and_colour_of_each_instance(listed: list[str]) -> None:
    script = providers_script().decode()
    shown = json.loads(script.removeprefix("export const PROVIDERS = ").removesuffix(";\n"))
    assert set(shown) == {*PROVIDERS, *listed}
    assert shown["gpu"] == {"title": "Gpu", "colour": "#3f3f46"}


def test_a_server_without_a_key_is_set_up_and_one_with_a_key_is_not(listed: list[str]) -> None:
    found = setups({}, listed)
    assert found["gpu"] == (True, True)
    assert found["muse"] == (False, True)
    assert setups({"MUSE_API_KEY": "one,two"}, listed)["muse"] == (True, True)


def test_each_instance_has_a_switch_of_its_own(listed: list[str]) -> None:
    found = setups({flag_name("gpu"): "false"}, listed)
    assert found["gpu"] == (True, False)
    assert found["sgl"] == (True, True)


def test_a_vendor_that_bills_refusals_is_off_until_it_is_switched_on(listed: list[str]) -> None:
    key = {"XAI_API_KEY": "one"}
    assert setups(key, listed)["grok"] == (True, False)
    assert setups({**key, flag_name("grok"): "yes"}, listed)["grok"] == (True, False)
    assert setups({**key, flag_name("grok"): "true"}, listed)["grok"] == (True, True)


@pytest.mark.parametrize(
    ("base_url", "advice"),
    [
        ("https://images.example.com", NO_VERSION),
        ("https://images.example.com/api/", NO_VERSION),
        ("https://v1.example.com", NO_VERSION),
        ("https://images.example.com/v1", ""),
        ("https://images.example.com/api/v3/", ""),
    ],
)
def test_an_address_without_a_version_has_advice(
    listed: list[str], base_url: str, advice: str
) -> None:
    (given,) = [one for one in every_preset() if one["name"] == "other"]
    path = Path(os.environ[instance_file.INSTANCES_VARIABLE])
    path.write_text(text_of({**given, "baseUrl": base_url}))
    clear()
    names = ("other", "openai")
    settings = Settings.from_env(FIXED)
    found = Providers(settings, names, dict, lambda: 0, lambda *_: None).setups()
    assert {name: one.route_advice for name, one in found.items()} == {
        "other": advice,
        "openai": "",
    }


def test_each_instance_is_built_with_its_own_address_and_key(listed: list[str]) -> None:
    for name in listed:
        found = build_provider(name, credential=SecretStr("key"))
        assert isinstance(found, OpenAIProvider)
        assert found.base_url == registry()[name].base_url
        assert found.downloader.hosts is not None
        assert found.http.provider == found.downloader.provider == found.endpoint.name == name


def test_a_local_stack_calls_the_simulator_in_place_of_each_instance(listed: list[str]) -> None:
    local = {**FIXED, "AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}
    settings = Settings.from_env({**local, "INSTANCES_URL": "http://127.0.0.1:9"})
    bases = World().bases
    for name in listed:
        assert settings.base_url(name) == f"http://127.0.0.1:9{bases[name]}"
    assert Settings.from_env(local).base_url("gpu") is None


def test_on_aws_only_the_file_says_where_an_instance_is(listed: list[str]) -> None:
    assert listed
    with pytest.raises(ValidationError, match="INSTANCES_URL is for a local stack"):
        Settings.from_env({**FIXED, "INSTANCES_URL": "http://169.254.169.254"})
