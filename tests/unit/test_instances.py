"""The operator's file of instances: what it may say, and what each mistake is answered with."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.domain.catalog import Offering
from imagegen.domain.price_rules import PerImage
from imagegen.providers import PROVIDERS
from imagegen.providers.base_urls import BaseUrlError, check_base_url
from imagegen.providers.instance_file import NO_INSTANCES
from imagegen.providers.instances import InstancesError, parse_instances, with_instances
from imagegen.providers.presets import PRESETS
from local.paths import ROOT
from tests.fakes.catalogs import real_catalog
from tests.fakes.instances import (
    every_preset,
    instance,
    instances_of_every_preset,
    own,
    row,
    text_of,
)


def problem(*listed: dict[str, Any]) -> str:
    """Return what is said of a file with these instances."""
    with pytest.raises(InstancesError) as caught:
        with_instances(real_catalog(), parse_instances(text_of(*listed)))
    return str(caught.value)


def rows_of(one: dict[str, Any]) -> tuple[Offering, ...]:
    (found,) = parse_instances(text_of(one))
    return found.rows


# The file that is shipped, and a whole one.


def test_the_file_that_is_shipped_is_valid_and_has_no_instance() -> None:
    assert parse_instances((ROOT / "provider_instances.json").read_text()) == ()
    assert parse_instances(NO_INSTANCES) == ()


def test_an_instance_of_every_preset_fits_beside_the_catalog() -> None:
    found = instances_of_every_preset()
    assert set(found) == set(PRESETS)
    catalog = with_instances(real_catalog(), tuple(found.values()))
    assert set(catalog.providers) == {*PROVIDERS, *(one.name for one in found.values())}
    assert len(catalog.by_key) == len(catalog.models)


def test_the_rows_of_the_catalog_stay_as_they_are() -> None:
    catalog = with_instances(real_catalog(), tuple(instances_of_every_preset().values()))
    assert catalog.models[: len(real_catalog().models)] == real_catalog().models


# Mistakes: the message names the instance, the field and what to do.

PUBLIC = {"baseUrl": "https://gpu.example.com/v1", "privateHost": ""}
MISTAKES: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "an unknown field": (own(hostname="x"), ("'gpu'", "hostname", "not permitted")),
    "a name in capitals": (own("GPU"), ("'GPU'", "name")),
    "a name with a hyphen": (own("my-gpu"), ("'my-gpu'", "name")),
    "the name of a built-in provider": (own("together"), ("name", "built-in", "choose another")),
    "an unknown preset": (own(preset="comfy"), ("'gpu'", "preset", "'comfy'", "vllm, sglang")),
    "no key where one is needed": (
        instance("muse", "meta", row("muse", priority=90, usd="0.01")),
        ("'muse'", "keyName", "Meta needs a key"),
    ),
    "another provider's key": (own(keyName="OPENAI_API_KEY"), ("keyName", "another service")),
    "the chat's key": (own(keyName="CHAT_API_KEY"), ("keyName", "another service")),
    "the key that signs quotes": (own(keyName="QUOTE_KEYS"), ("'gpu'", "keyName")),
    "a light colour": (own(colour="#ffeeaa"), ("colour", "too light")),
    "no address": (own(baseUrl=""), ("baseUrl", "missing", "/v1")),
    "a private address by accident": (
        own(privateHost=""),
        ("baseUrl", "127.0.0.1", "private network", '"privateHost": "127.0.0.1"'),
    ),
    "another private host than the address": (own(privateHost="10.0.0.1"), ("privateHost",)),
    "http to a public host": (
        own(baseUrl="http://gpu.example.com/v1", privateHost=""),
        ("baseUrl", "'gpu.example.com'", "https"),
    ),
    "a public host named as private": (
        own(baseUrl="https://gpu.example.com/v1", privateHost="gpu.example.com"),
        ("privateHost", "not on a private network"),
    ),
    "cloud metadata": (
        own(baseUrl="http://169.254.169.254/v1", privateHost="169.254.169.254"),
        ("baseUrl", "169.254.169.254"),
    ),
    "user and password in the address": (
        own(baseUrl="https://me:secret@gpu.example.com/v1", privateHost=""),
        ("baseUrl", "not a plain http or https URL"),
    ),
    "a vendor's key at another host": (
        instance(
            "muse",
            "meta",
            row("muse", priority=90, usd="0.01"),
            keyName="MUSE_API_KEY",
            baseUrl="https://api.meta.ai.example.com/v1",
        ),
        ("baseUrl", "is not at api.meta.ai"),
    ),
    "a host whose name only ends like the vendor's": (
        instance(
            "seedream",
            "byteplus",
            row("seedream-5-0-260128", priority=90, usd="0.01", sizes=["2048x2048"]),
            keyName="ARK_API_KEY",
            baseUrl="https://arkbytepluses.com/api/v3",
        ),
        ("baseUrl", "'arkbytepluses.com' is not at bytepluses.com or volces.com"),
    ),
    "no price": (own(models=[row("m", priority=90, free=False)]), ("models[0]", "price")),
    "free and priced": (
        own(models=[row("m", priority=90, usd="0.01", free=True)]),
        ("models[0]", 'one of "price", "usd" and "free"'),
    ),
    "a price of 0 that is not said to be free": (
        own(models=[row("m", priority=90, usd="0")]),
        ("models[0]", "costs 0", '"free": true'),
    ),
    "a price as a number": (own(models=[row("m", priority=90, usd=0.01)]), ("usd", '"0.01"')),
    "a price finer than a micro-dollar": (
        own(models=[row("m", priority=90, usd="0.0000001")]),
        ("models[0]", "price", "micro-dollar"),
    ),
    "a negative price": (own(models=[row("m", priority=90, usd="-1")]), ("models[0]", "price")),
    "no sizes": (own(models=[row("m", priority=90, sizes=[])]), ("models[0]", "sizes")),
    "a size in words": (own(models=[row("m", priority=90, sizes=["big"])]), ("sizes", "'big'")),
    "a size twice": (
        own(models=[row("m", priority=90, sizes=["512x512", "512x512"])]),
        ("models[0]", "sizes listed twice"),
    ),
    "an unknown tier": (own(models=[row("m", priority=90, tier="best")]), ("models[0]", "tier")),
    "a model of another provider": (
        own(models=[row("m", priority=90, provider="openai")]),
        ("models[0]", "provider"),
    ),
    "another form of answer": (
        own(models=[row("m", priority=90, params={"response_format": "url"})]),
        ("models[0]", "params.response_format", "b64_json"),
    ),
    "several images": (
        own(models=[row("m", priority=90, params={"n": 4})]),
        ("models[0]", "params.n", "leave it out"),
    ),
    "input images": (own(models=[row("m", priority=90, inputs={})]), ("inputs", "none yet")),
    "no quality where the price depends on it": (
        instance(
            "grok",
            "xai",
            row("grok-imagine-image-2.0", priority=90, usd="0.04"),
            keyName="X_API_KEY",
        ),
        ("models[0]", "params.quality", "price depends on it"),
    ),
    "a shape that the server does not have": (
        instance(
            "grok",
            "xai",
            row("grok-imagine-image", priority=90, usd="0.02", sizes=["4000x1000"]),
            keyName="X_API_KEY",
        ),
        ("models[0]", "sizes", "'4000x1000'", "ratios"),
    ),
    "a place that another row has": (
        own(models=[row("m", priority=1)]),
        ("'gpu'", "models[0]", "fallbackPriority", "is the place of", "is free"),
    ),
    "a key that another row has": (
        own(models=[row("m", priority=90, key="openai-ultra")]),
        ("models[0]", "key", "'openai-ultra'"),
    ),
    "a field of a row in the wrong spelling": (
        own(models=[row("m", priority=90, slow_secs=3)]),
        ("models[0]", "slow_secs"),
    ),
    "no models": (own(models=[]), ("'gpu'", "models")),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_answered_with_its_place_and_what_to_do(name: str) -> None:
    wrong, words = MISTAKES[name]
    said = problem(wrong)
    assert said.startswith("provider_instances.json: ")
    assert [word for word in words if word not in said] == [], said
    assert "secret" not in said


def test_two_instances_of_one_name_are_refused() -> None:
    assert "there twice" in problem(own(), own(models=[row("m", priority=95)]))


def test_one_key_is_never_sent_to_two_addresses() -> None:
    shared = {"keyName": "GPU_API_KEY"}
    other = own("second", models=[row("m", priority=95)], **shared) | {
        "baseUrl": "http://127.0.0.1:9000/v1"
    }
    assert "GPU_API_KEY" in problem(own(**shared), other)
    parse_instances(text_of(own(**shared), own("second", models=other["models"], **shared)))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schemaVersion": 2, "instances": []}', "{"])
def test_a_file_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(InstancesError, match=r"provider_instances\.json"):
        parse_instances(text)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_no_value_of_a_field_leads_to_another_error(value: Any) -> None:
    for field in ("name", "preset", "baseUrl", "keyName", "models", "resultHosts", "colour"):
        text = json.dumps({"schemaVersion": 1, "instances": [own() | {field: value}]})
        try:
            parse_instances(text)
        except InstancesError:
            continue


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_no_value_of_a_rows_field_leads_to_another_error(value: Any) -> None:
    for field in ("key", "model", "tier", "sizes", "params", "usd", "price", "free", "checkedOn"):
        text = text_of(own(models=[row("m", priority=90) | {field: value}]))
        try:
            parse_instances(text)
        except InstancesError:
            continue


# Addresses.


@pytest.mark.parametrize(
    ("url", "private_host"),
    [
        ("https://gpu.example.com/v1", ""),
        ("https://gpu.example.com:8443/v1", ""),
        ("http://localhost:8000/v1", "localhost"),
        ("http://[::1]:8000/v1", "::1"),
        ("http://10.0.3.7:8000/v1", "10.0.3.7"),
        ("https://10.0.3.7/v1", "10.0.3.7"),
        ("http://192.168.1.20:30000/v1", "192.168.1.20"),
        ("http://100.101.102.103:8080/v1", "100.101.102.103"),
        ("http://gpu.internal:8000/v1", "gpu.internal"),
        ("http://vllm.images.svc.cluster.local/v1", "vllm.images.svc.cluster.local"),
        ("http://gpu:8000/v1", "gpu"),
    ],
)
def test_an_address_that_the_operator_means_is_taken(url: str, private_host: str) -> None:
    check_base_url(url, private_host=private_host, hosts=())


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/v1",
        "http://[fe80::1]/v1",
        "http://0.0.0.0/v1",
        "http://224.0.0.1/v1",
        "http://2130706433/v1",
        "http://0x7f.1/v1",
        "http://[::ffff:127.0.0.1]/v1",
        "https://192.0.2.1/v1",
        "ftp://gpu.internal/v1",
        "file:///etc/passwd",
        "https://gpu.example.com/v1?key=1",
        "https://gpu.example.com/v1#a",
        "https://gpu.example.com\\@10.0.0.1/v1",
        "https://8.8.8.8.example.com@10.0.0.1/v1",
    ],
)
def test_no_name_makes_these_addresses_right(url: str) -> None:
    host = url.partition("://")[2].partition("/")[0].strip("[]")
    for private_host in ("", host):
        with pytest.raises(BaseUrlError):
            check_base_url(url, private_host=private_host, hosts=())


# Rows: what the operator left out.


def test_a_size_alone_gets_the_words_of_its_server_and_its_shape() -> None:
    (gpu,) = rows_of(own())
    assert [(one.size, one.shape, dict(one.params)) for one in gpu.sizes] == [
        ("1024x1024", "square", {"size": "1024x1024"}),
        ("1536x1024", "landscape", {"size": "1536x1024"}),
        ("1024x1536", "portrait", {"size": "1024x1536"}),
    ]
    (grok,) = instances_of_every_preset()["xai"].rows
    assert [dict(one.params) for one in grok.sizes] == [
        {"aspect_ratio": "1:1", "resolution": "1k"},
        {"aspect_ratio": "3:2", "resolution": "1k"},
        {"aspect_ratio": "2:3", "resolution": "1k"},
    ]


def test_a_size_may_have_words_of_its_own() -> None:
    size = {"size": "2048x2048", "shape": "square", "params": {"size": "2K"}}
    (found,) = rows_of(own(models=[row("m", priority=90, sizes=[size])]))
    assert dict(found.sizes[0].params) == {"size": "2K"}


def test_what_is_always_sent_is_a_part_of_the_priced_parameters() -> None:
    for one in instances_of_every_preset().values():
        for found in one.rows:
            for option in found.sizes:
                sent = found.sent(option)
                assert {name: sent[name] for name in one.kind.fixed} == dict(one.kind.fixed)
                assert found.digest(option) != found.digest(
                    option.model_copy(update={"params": {"size": "other"}})
                )


def test_a_free_row_costs_nothing_at_every_size() -> None:
    (found,) = rows_of(own())
    assert isinstance(found.price, PerImage)
    assert found.free
    assert set(found.price.usd.values()) == {0}


def test_a_vendor_that_bills_refusals_is_marked_in_its_rows() -> None:
    marked = {
        preset
        for preset, one in instances_of_every_preset().items()
        if any(found.bills_refusals for found in one.rows)
    }
    assert marked == {"xai"} == {name for name, one in PRESETS.items() if one.bills_refusals}


def test_no_row_of_the_shipped_catalog_is_free() -> None:
    assert not any(one.free for one in real_catalog().models)


def test_a_built_in_provider_that_bills_refusals_is_off_until_its_switch_is_true() -> None:
    marked = {one.provider for one in real_catalog().models if one.bills_refusals}
    off = {name for name, one in PROVIDERS.items() if one.off_by_default}
    assert marked == off
    assert len(off) == 3


def test_images_come_from_the_presets_hosts_and_the_operators() -> None:
    (found,) = parse_instances(text_of(every_preset()[4] | {"resultHosts": ["cdn.example.com"]}))
    assert found.allowed_result_hosts == ("imgen.x.ai", "cdn.example.com")
    assert "resultHosts" in problem(own(resultHosts=["https://cdn.example.com"]))
