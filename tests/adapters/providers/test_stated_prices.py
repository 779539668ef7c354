"""What vendors state of their prices, in dry runs and lists, and whether a model is there."""

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests
from PIL import Image

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.catalog import Catalog
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageOrder, ImageProvider
from imagegen.domain.vendor_prices import Statement, sample_order, source_of
from imagegen.providers import PROVIDERS, build_provider
from imagegen.providers.bounds import Deadline
from imagegen.providers.keys import Keychain, KeyedProvider
from imagegen.providers.price_statements import asked_one_by_one
from imagegen.usecases.availability import ProviderSetup
from imagegen.usecases.price_checks import PriceChecker, PriceCheckResults
from local.simulator import Simulator
from local.simulator.routes import BASES
from tests.adapters.providers.adapters import build_adapter
from tests.adapters.providers.edits import fields_of, files_of
from tests.adapters.providers.loopback import Loopback, Reply, ToolUse, Wire, json_reply
from tests.adapters.providers.test_polling import Time
from tests.fakes.catalogs import real_catalog
from tests.fakes.circuits import MemoryCircuitStore
from tests.fakes.clock import Clock
from tests.vendors import credential, vendor

STATING = ("ideogram", "together")
ORDER = ImageOrder("one", "a", {"size": "1024x1024"}, 1024, 1024, user="")
QUOTE: dict[str, Any] = {
    "object": "price_quote",
    "billing_identifier": "ideogram_v45",
    "quantity": 1,
    "usd_micros": 30_000,
    "credit_millis": 30,
    "qualifier": "exact",
}


def stated(name: str, server: Loopback, *orders: ImageOrder) -> list[Statement]:
    source = source_of(build_adapter(name, server))
    assert source is not None
    found = source.stated_prices(orders or (ORDER,), timeout_seconds=10)
    assert found is not None
    return list(found)


# Ideogram: a dry run of each order.


def test_a_dry_run_is_the_very_request_that_makes_the_image(server: Loopback) -> None:
    server.replies(json_reply(200, QUOTE))
    (row,) = (one for one in real_catalog().models if one.key == "ideogram-high")
    order = sample_order(row)
    assert stated("ideogram", server, order) == [Statement(30_000)]
    (asked,) = server.asked
    assert asked.path == "/v2/image/generate/ideogram-4-5?dry_run=true"
    asks = {**row.sent(row.sizes[0]), "prompt": order.prompt, "num_images": 1, "async": True}
    assert asked.json() == asks


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, Statement(30_000)),
        ({"usd_micros": 0}, Statement(0)),
        ({"qualifier": "estimate", "upper_bound_usd_micros": 90_000}, Statement()),
        ({"quantity": 2}, Statement()),
        ({"usd_micros": "30000"}, Statement()),
        ({"usd_micros": 30_000.5}, Statement()),
        ({"usd_micros": True}, Statement()),
        ({"usd_micros": -1}, Statement()),
        ({"usd_micros": None}, Statement()),
    ],
)
def test_only_an_exact_price_of_one_image_is_a_price(
    changes: dict[str, Any], found: Statement, server: Loopback
) -> None:
    server.replies(json_reply(200, {**QUOTE, **changes}))
    assert stated("ideogram", server) == [found]


@pytest.mark.parametrize("status", [400, 404])
def test_a_request_that_is_no_longer_taken_is_a_finding_and_the_others_are_asked(
    status: int, server: Loopback
) -> None:
    server.replies(json_reply(status, {"error": "no"}), json_reply(200, QUOTE))
    assert stated("ideogram", server, ORDER, ORDER) == [
        Statement(is_served=False),
        Statement(30_000),
    ]


@pytest.mark.parametrize("status", [401, 402, 429, 500, 503])
def test_any_other_failure_states_nothing_of_any_row(status: int, server: Loopback) -> None:
    server.replies(json_reply(200, QUOTE), json_reply(status, {"error": "no"}))
    with pytest.raises(ProviderError):
        stated("ideogram", server, ORDER, ORDER)


def test_all_orders_share_the_time_of_a_question() -> None:
    clock, given = Time(), list[float]()

    def ask(_order: ImageOrder, timeout_seconds: float) -> Statement:
        given.append(timeout_seconds)
        clock.sleep(4)
        return Statement()

    asked_one_by_one([ORDER] * 3, Deadline.after(10, clock.read), ask)
    assert given == [10, 6, 2]


# Together: the list of models.


def listed(**pricing: Any) -> Reply:
    one = {"id": "one", "pricing": {"hourly": 0, "input": 0, **pricing}}
    return json_reply(200, [one, {"id": "another", "pricing": {}}])


@pytest.mark.parametrize(
    ("pricing", "found"),
    [
        ({"image_pixel": {"price_per_megapixel": 0.07}}, Statement(73_401)),
        ({"image_pixel": {"price_per_megapixel": "0.07"}}, Statement(73_401)),
        ({"image_pixel": {"price_per_megapixel": 0.07, "min_steps": 50}}, Statement(73_401)),
        ({"image_pixel": {"price_per_megapixel": 0.07, "min_steps": 25}}, Statement(146_801)),
        ({"image_pixel": {"price_per_megapixel": 0.07, "min_steps": 100}}, Statement(73_401)),
        ({"image": {"example_price": 0.0154}}, Statement(15_400)),
        (
            {"image": {"example_price": 0.03, "example_description": "per image"}},
            Statement(30_000),
        ),
        (
            {"image": {"example_price": 0.03, "example_description": "1024x1024"}},
            Statement(30_000),
        ),
        ({"image": {"example_price": 0.03, "example_description": "2048 x 2048"}}, Statement()),
        ({"image": {"example_price": 0.03, "example_description": "starting price"}}, Statement()),
        ({"image": {"example_price": 0}}, Statement()),
        ({"image": {"example_price": -0.03}}, Statement()),
        ({"image": {"example_price": True}}, Statement()),
        ({"image": {"example_price": "NaN"}}, Statement()),
        ({"image": {"example_price": "1e999999999"}}, Statement()),
        ({"image": {"example_price": "free"}}, Statement()),
        ({"image": 7}, Statement()),
        ({}, Statement()),
    ],
)
def test_a_price_in_togethers_list(
    pricing: dict[str, Any], found: Statement, server: Loopback
) -> None:
    server.replies(listed(**pricing))
    order = replace(ORDER, params={"steps": 50})
    assert stated("together", server, order) == [found]


def test_a_model_that_together_does_not_list_has_no_stated_price(server: Loopback) -> None:
    """The key check warns of it: Together's list may lack what an organization may call."""
    server.replies(json_reply(200, [{"id": "another"}, {"id": "a third"}]))
    assert stated("together", server) == [Statement()]


def test_togethers_list_of_one_model_has_that_model(server: Loopback) -> None:
    priced = {"id": ORDER.model, "pricing": {"image": {"example_price": 0.03}}}
    server.replies(json_reply(200, [priced]))
    assert stated("together", server) == [Statement(30_000)]


def test_togethers_list_is_read_once_for_all_rows(server: Loopback) -> None:
    server.replies(listed(image={"example_price": 0.03}))
    assert stated("together", server, ORDER, ORDER, ORDER) == [Statement(30_000)] * 3
    assert len(server.asked) == 1


# Replicate: whether the model is there.


def test_a_model_that_is_not_on_replicate_is_a_finding(server: Loopback) -> None:
    def script(asked: ToolUse, _wire: Wire) -> Reply:
        if asked.path.endswith("/gone/model"):
            return json_reply(404, {"title": "Not found", "detail": "none", "status": 404})
        return json_reply(200, {"owner": "here", "name": "model"})

    server.script = script
    orders = (replace(ORDER, model="here/model"), replace(ORDER, model="gone/model"))
    assert stated("replicate", server, *orders) == [Statement(), Statement(is_served=False)]
    assert [(one.method, one.path) for one in server.asked] == [
        ("GET", "/v1/models/here/model"),
        ("GET", "/v1/models/gone/model"),
    ]


# All of them.


def test_several_keys_are_one_source(server: Loopback) -> None:
    bad, good = build_adapter("ideogram", server), build_adapter("ideogram", server)
    clients: list[ImageProvider] = [bad, good]
    server.replies(json_reply(401, {"error": "Invalid API key"}), json_reply(200, QUOTE))
    keys = Keychain("ideogram", clients, lambda: 0, lambda *_: None)
    found = KeyedProvider(keys).stated_prices([ORDER], timeout_seconds=10)
    assert found == [Statement(30_000)]


def test_a_keyed_provider_without_prices_states_none(server: Loopback) -> None:
    keys = Keychain("gemini", [build_adapter("gemini", server)], lambda: 0, lambda *_: None)
    assert KeyedProvider(keys).stated_prices([ORDER], timeout_seconds=10) is None
    assert server.asked == []


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator.start() as running:
        yield running


def check(simulator: Simulator, catalog: Catalog) -> PriceCheckResults:
    def provider(name: str) -> ImageProvider:
        base = simulator.url + BASES[name]
        return build_provider(name, credential=credential(name, "local-key"), base_url=base)

    requests.post(f"{simulator.url}/control/reset", timeout=10).raise_for_status()
    setups = dict.fromkeys(PROVIDERS, ProviderSetup(has_key=True, enabled=True))
    store = MemoryCircuitStore()
    return PriceChecker(catalog, lambda: setups, provider, store, Clock()).check()


def test_the_shipped_catalog_differs_from_no_statement_and_the_check_bills_nothing(
    simulator: Simulator,
) -> None:
    results = check(simulator, real_catalog())
    assert set(results.outcomes.values()) == {"checked"}
    assert set(results.outcomes) >= set(STATING)
    assert results.drifts == ()
    totals = requests.get(f"{simulator.url}/control/providers", timeout=10).json()
    billed = {name: (one["billedMicrousd"], one["calls"]) for name, one in totals.items()}
    assert set(billed.values()) == {(0, 0)}


@pytest.mark.parametrize("name", STATING)
def test_a_wrong_price_of_the_catalog_is_found_in_each_row_of_the_provider(
    simulator: Simulator, name: str
) -> None:
    known = real_catalog()
    rows = [one for one in known.models if one.provider == name]
    wrong = [one.model_copy(update={"price": dearer(one.price)}) for one in rows]
    others = [one for one in known.models if one.provider != name]
    results = check(simulator, known.model_copy(update={"models": (*wrong, *others)}))
    assert {one.row.key for one in results.drifts} == {one.key for one in rows}
    assert vendor(name).usual


def dearer(price: Any) -> Any:
    """Return the price rule with every amount raised by 3 per cent."""
    usd = price.usd
    raised = {k: one * 103 // 100 for k, one in usd.items()} if isinstance(usd, dict) else None
    dear: dict[str, Any] = {"usd": raised or usd * 103 // 100}
    if per_run := getattr(price, "usd_per_run", None):
        dear["usd_per_run"] = per_run * 103 // 100
    return price.model_copy(update=dear)


def test_a_bad_key_is_no_finding(server: Loopback) -> None:
    server.replies(json_reply(401, {"error": "Invalid API key"}))
    with pytest.raises(ProviderError) as caught:
        stated("ideogram", server)
    assert caught.value.outcome is Outcome.ACCOUNT


def test_the_price_of_an_edit_is_asked_with_a_picture(server: Loopback) -> None:
    server.replies(json_reply(200, QUOTE))
    row = real_catalog().by_key["ideogram-high-edit"]
    assert stated("ideogram", server, sample_order(row)) == [Statement(30_000)]
    (asked,) = server.asked
    assert asked.path == "/v2/image/precise-edit/ideogram-4-5?dry_run=true"
    assert fields_of(asked) == {
        **row.sent(row.sizes[0]),
        "prompt": "a",
        "num_images": 1,
        "async": True,
    }
    (picture,) = files_of(asked)
    assert (picture.name, Image.open(io.BytesIO(picture.content)).size) == ("image", (256, 256))
