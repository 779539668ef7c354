"""Ideogram: where its links may lead, and what a dry run asks for."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from pydantic import SecretStr

from imagegen.domain.errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.vendor_prices import source_of
from imagegen.providers.addresses import BlockedError, allowed_target
from imagegen.providers.ideogram import RESULT_HOSTS, build
from imagegen.providers.keys import Keychain, KeyedProvider
from imagegen.providers.pictures import pictures_in
from tests.adapters.providers.adapters import build_adapter, order_for
from tests.adapters.providers.loopback import Loopback, json_reply
from tests.fakes.clock import Clock

NAME = "ideogram"
PUBLIC = "93.184.216.34"
PICTURE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwAD"
    "hgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.mark.parametrize(
    "url",
    [
        "https://ideogram.ai/api/images/ephemeral/a.png?exp=1&sig=2",
        "https://cdn.ideogram.ai/a.png",
        "https://IDEOGRAM.AI/a.png",
    ],
)
def test_a_link_to_ideogram_or_below_it_is_followed(url: str) -> None:
    target = allowed_target(url, lambda _host, _port: [PUBLIC], own=None, hosts=RESULT_HOSTS)
    assert target.address == PUBLIC


@pytest.mark.parametrize(
    "url",
    [
        "https://images.example/a.png",
        "https://ideogram.ai.images.example/a.png",
        "https://notideogram.ai/a.png",
        "https://ideogram.ai@images.example/a.png",
        "https://images.example/ideogram.ai/a.png",
        "https://ideogram.aix/a.png",
        "http://ideogram.ai/a.png",
    ],
)
def test_a_link_to_any_other_host_is_not(url: str) -> None:
    with pytest.raises(BlockedError):
        allowed_target(url, lambda _host, _port: [PUBLIC], own=None, hosts=RESULT_HOSTS)


def test_the_shipped_adapter_has_the_list_of_hosts() -> None:
    assert build(SecretStr("k"), "https://api.ideogram.ai").downloader.hosts == RESULT_HOSTS


def test_the_image_is_ordered_without_a_dry_run(server: Loopback) -> None:
    server.replies(json_reply(422, {"error": "no"}))
    with pytest.raises(ProviderError):
        build_adapter(NAME, server).generate(order_for(NAME), timeout_seconds=10)
    (asked,) = server.asked
    assert asked.path == "/v2/image/generate/ideogram-4-5"
    assert asked.json() == {
        "prompt": order_for(NAME).prompt,
        "num_images": 1,
        "magic_prompt": "off",
        "quality": "high",
        "size": "1024x1024",
    }


def test_a_model_of_the_catalog_cannot_change_the_path(server: Loopback) -> None:
    server.replies(json_reply(404, {"error": "no"}))
    odd = replace(order_for(NAME), model="../v1?dry_run=true")
    with pytest.raises(ProviderError):
        build_adapter(NAME, server).generate(odd, timeout_seconds=10)
    assert server.asked[0].path == "/v2/image/generate/..%2Fv1%3Fdry_run%3Dtrue"


@pytest.mark.parametrize(("status", "body"), [(422, "null"), (422, None), (422, '"no"')])
def test_a_422_refuses_if_it_has_a_body_of_the_api(
    status: int, body: str | None, server: Loopback
) -> None:
    server.replies(json_reply(status, body))
    with pytest.raises(ProviderError) as caught:
        build_adapter(NAME, server).generate(order_for(NAME), timeout_seconds=10)
    is_of_api = body not in (None, "null")
    assert caught.value.outcome is (Outcome.REFUSED if is_of_api else Outcome.BLOCKED)


@pytest.mark.parametrize("name", ["prompt", "revised_prompt"])
@pytest.mark.parametrize("text", [PICTURE, "https://images.example/a.png", f"![x]({PICTURE})"])
def test_what_an_answer_repeats_of_the_prompt_is_not_its_image(name: str, text: str) -> None:
    assert list(pictures_in([{name: text}])) == []
    assert list(pictures_in({"images": [{"url": "", name: text}]})) == []
    assert len(list(pictures_in([{"url": text, name: "a fox"}]))) == 1


def test_a_dry_run_that_made_an_image_ends_the_checks_and_wakes_somebody(server: Loopback) -> None:
    """Otherwise a parameter that is ignored one day would buy an image every five minutes."""
    made = {"generation_id": "g1", "seed": 1, "data": [{"is_image_safe": True, "url": "x"}]}
    server.replies(json_reply(200, made), json_reply(200, made))
    adapter = build_adapter(NAME, server)
    source = source_of(adapter)
    assert source is not None
    with pytest.raises(ProviderError) as checked:
        adapter.check_key(timeout_seconds=10)
    with pytest.raises(ProviderError) as stated:
        source.stated_prices([order_for(NAME)] * 3, timeout_seconds=10)
    for error in (checked.value, stated.value):
        assert (error.outcome, error.provider_code) == (Outcome.ACCOUNT, "dry_run_billed")
    assert len(server.asked) == 2


def test_a_dry_run_that_made_an_image_is_not_repeated_with_any_key(server: Loopback) -> None:
    made = {"generation_id": "g1", "seed": 1, "data": []}
    server.replies(json_reply(200, made))
    keyed = KeyedProvider(
        Keychain(NAME, [build_adapter(NAME, server, key=key) for key in ("one", "two")], Clock())
    )
    asked: list[Callable[[], object]] = [
        lambda: keyed.check_key(timeout_seconds=10),
        lambda: keyed.stated_prices([order_for(NAME)], timeout_seconds=10),
        lambda: keyed.check_key(timeout_seconds=10),
    ]
    for ask in asked:
        with pytest.raises(ProviderError) as caught:
            ask()
        assert caught.value.provider_code == "dry_run_billed"
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [400, 403, 422])
def test_an_error_is_not_billed_and_an_image_that_is_withheld_is(
    status: int, server: Loopback
) -> None:
    withheld = {"generation_id": "g1", "seed": 1, "data": [{"is_image_safe": False, "url": ""}]}
    server.replies(
        json_reply(status, {"error": "flagged by our content policy"}), json_reply(200, withheld)
    )
    errors = []
    for _ in range(2):
        with pytest.raises(ProviderError) as caught:
            build_adapter(NAME, server).generate(order_for(NAME), timeout_seconds=10)
        errors.append(caught.value)
    assert [one.is_unbilled for one in errors] == [True, False]
    assert errors[1].outcome is Outcome.REFUSED
