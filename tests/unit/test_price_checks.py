"""The price check: where a vendor's own statement differs from the catalog, and what follows."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.domain.catalog import Catalog
from imagegen.domain.errors import NoProviderError
from imagegen.domain.fleet import Switch
from imagegen.domain.outcomes import Outcome
from imagegen.domain.vendor_prices import (
    DRIFT_PERCENT,
    PriceCheck,
    Statement,
    drifts,
    findings,
    sample_order,
    source_of,
)
from imagegen.guard import CACHE_MS
from imagegen.monitoring.metrics import Metric
from imagegen.monitoring.samples import key_check_samples
from imagegen.providers import PROVIDERS
from imagegen.usecases.availability import ProviderSetup
from imagegen.usecases.health import public_summary
from imagegen.usecases.key_checks import ROUND_SECONDS
from local.parameters import read_template
from tests.fakes.catalogs import ROOT, catalog, real_catalog, row
from tests.fakes.service import Service

FIRST = "alpha-standard"
"""The first row of the usual catalog, which costs $0.05."""
DEARER, SAME, SILENT, GONE = (
    Statement(60_000),
    Statement(50_000),
    Statement(),
    Statement(is_served=False),
)


def checked(*stated: Statement, **changes: Any) -> Service:
    """Return a service whose first provider states this, after one check of the prices."""
    service = Service(**changes)
    service.providers["alpha"].stated = stated
    service.price_checker.check()
    service.clock.advance(CACHE_MS)  # The check is another function's: an estimate sees it then.
    return service


def drifted(service: Service) -> dict[str, int | None]:
    found = drifts(service.catalog, service.circuits.price_checks)
    return {key: one.stated_microusd for key, one in found.items()}


def with_price(usd: str, **changes: Any) -> Catalog:
    rest = (row("beta-standard", priority=2, usd="0.06"), row("gamma-standard", priority=3))
    return catalog(row(FIRST, priority=1, usd=usd, **changes), *rest)


# What differs.


@given(st.integers(1, 10**9), st.integers(0, 10**9))
def test_a_price_differs_if_and_only_if_it_is_more_than_two_per_cent_off(
    price: int, stated: int
) -> None:
    known = catalog(row(FIRST, priority=1, usd=f"{price // 10**6}.{price % 10**6:06d}"))
    service = checked(Statement(stated), catalog=known)
    is_off = abs(stated - price) / price > DRIFT_PERCENT / 100 + 1e-12
    assert (drifted(service) == {FIRST: stated}) is is_off


@pytest.mark.parametrize(
    ("stated", "found"),
    [
        (Statement(51_000), {}),
        (Statement(51_001), {FIRST: 51_001}),
        (Statement(49_000), {}),
        (Statement(48_999), {FIRST: 48_999}),
        (Statement(0), {FIRST: 0}),
        (SAME, {}),
        (SILENT, {}),
        (GONE, {FIRST: None}),
        (Statement(50_000, is_served=False), {FIRST: None}),
    ],
)
def test_a_statement_is_compared_with_the_catalog(
    stated: Statement, found: dict[str, int | None]
) -> None:
    assert drifted(checked(stated)) == found


def test_a_vendor_is_asked_for_exactly_what_would_be_sent() -> None:
    service = checked(SAME)
    (asked,) = service.providers["alpha"].priced
    known = service.catalog.by_key[FIRST]
    assert asked == sample_order(known)
    assert asked.params == known.sent(known.sizes[0])
    assert (asked.model, asked.user, asked.inputs) == (known.model, "", ())


def test_only_a_statement_that_differs_is_kept() -> None:
    known = with_price("0.05").models
    kept = dict(findings(known, [SAME, Statement(70_000), SILENT]))
    assert {key: one.microusd for key, one in kept.items()} == {"beta-standard": 70_000}


def test_a_vendor_that_states_too_few_prices_is_not_compared() -> None:
    with pytest.raises(ValueError, match="shorter"):
        list(findings(with_price("0.05").models, [SAME]))


def test_a_check_that_found_nothing_names_no_row() -> None:
    assert drifts(with_price("0.05"), {"alpha": PriceCheck(1)}) == {}


def test_a_row_without_a_price_has_none_that_could_differ() -> None:
    known = with_price("0").models[:1]
    assert dict(findings(known, [Statement(40_000)])) == {}


def test_a_row_without_a_prompt_is_asked_about_without_one() -> None:
    prompts = {bool(sample_order(one).prompt) for one in real_catalog().models}
    assert prompts == {True, False}


def test_a_check_makes_and_charges_nothing() -> None:
    service = checked(DEARER)
    assert service.called == []
    assert service.finished == []


@pytest.mark.parametrize("missing", ["has_key", "enabled"])
def test_a_provider_without_a_key_or_switched_off_is_not_asked(missing: str) -> None:
    setup = ProviderSetup(has_key=missing != "has_key", enabled=missing != "enabled")
    service = Service(setups={"alpha": setup})
    service.providers["alpha"].stated = [DEARER]
    assert "alpha" not in service.price_checker.check().outcomes
    assert service.providers["alpha"].priced == []


def test_a_row_past_its_last_day_is_not_asked_about() -> None:
    service = checked(catalog=with_price("0.05", shutdownOn="2026-11-22"))
    assert service.providers["alpha"].priced == []


def test_the_vendors_share_the_time_of_a_round() -> None:
    service = Service()
    service.price_checker.check()
    given = [seconds for one in service.providers.values() for seconds in one.priced_seconds]
    assert given == [ROUND_SECONDS / 3] * 3


def test_a_provider_that_an_operator_has_switched_off_is_not_asked() -> None:
    service = Service()
    service.providers["alpha"].stated = [DEARER]
    service.circuits.switches["alpha"] = Switch(is_on=False, at_ms=service.clock())
    assert "alpha" not in service.price_checker.check().outcomes
    assert service.providers["alpha"].priced == []


def test_a_provider_that_states_nothing_leaves_no_check_behind() -> None:
    service = Service()
    assert service.price_checker.check().outcomes == {
        "alpha": "states_none",
        "beta": "states_none",
        "gamma": "states_none",
    }
    assert service.circuits.price_checks == {}


def test_a_provider_without_prices_is_no_source() -> None:
    assert source_of(object()) is None


# What ends a difference.


def test_the_next_check_ends_it() -> None:
    service = checked(DEARER)
    service.providers["alpha"].stated = [SAME]
    service.price_checker.check()
    assert drifted(service) == {}


def test_a_corrected_catalog_ends_it_at_once() -> None:
    service = checked(DEARER)
    service.redeploy(catalog=with_price("0.06"))
    assert drifted(service) == {}
    service.redeploy(catalog=with_price("0.07"))
    assert drifted(service) == {FIRST: 60_000}


def test_a_row_that_sends_something_else_now_was_not_asked_about() -> None:
    service = checked(DEARER)
    service.redeploy(catalog=with_price("0.05", params={"steps": 8}))
    assert drifted(service) == {}


def test_a_row_that_is_gone_from_the_catalog_does_not_differ() -> None:
    service = checked(DEARER)
    service.redeploy(catalog=catalog(row("beta-standard", priority=1)))
    assert drifted(service) == {}


@pytest.mark.parametrize("outcome", [Outcome.UNAVAILABLE, Outcome.UNKNOWN, Outcome.ACCOUNT])
def test_a_vendor_that_cannot_be_asked_leaves_what_was_found(outcome: Outcome) -> None:
    service = checked(DEARER)
    service.providers["alpha"].stated = outcome
    service.providers["beta"].stated = [Statement(90_000)]
    results = service.price_checker.check()
    assert results.outcomes["alpha"] == outcome
    assert [one.row.key for one in results.drifts] == ["beta-standard"]
    assert drifted(service) == {FIRST: 60_000, "beta-standard": 90_000}


def test_a_store_that_is_away_fails_no_check() -> None:
    service = Service()
    service.providers["alpha"].stated = [DEARER]
    service.wire.refused = ("circuits.save_prices",)
    assert [one.row.key for one in service.price_checker.check().drifts] == [FIRST]
    assert service.circuits.price_checks == {}


# PriceDriftCloses.


def test_by_default_a_row_that_differs_is_offered() -> None:
    assert checked(DEARER).estimate().model == "alpha-standard-model"


@pytest.mark.parametrize("stated", [DEARER, Statement(30_000), GONE])
def test_with_the_switch_it_is_left_out_and_the_reason_is_shown(stated: Statement) -> None:
    service = checked(stated, price_drift_closes=True)
    offer = service.estimate()
    assert offer.provider == "beta"
    reasons = {one.key: one.reason for one in offer.alternatives}
    assert reasons[FIRST] == "price_unconfirmed"
    assert offer.fallback is not None
    assert (offer.fallback.provider, offer.fallback.reason) == ("alpha", "price_unconfirmed")
    (listed,) = [one for one in service.lister.models().models if one.key == FIRST]
    assert (listed.available, listed.reason) == (False, "price_unconfirmed")


@pytest.mark.parametrize("stated", [SAME, SILENT])
def test_with_the_switch_a_price_that_does_not_differ_is_offered(stated: Statement) -> None:
    assert checked(stated, price_drift_closes=True).estimate().provider == "alpha"


def test_a_price_in_a_quote_is_kept_although_its_row_differs_since() -> None:
    service = Service(price_drift_closes=True)
    offer = service.estimate()
    service.providers["alpha"].stated = [DEARER]
    service.price_checker.check()
    service.confirm(offer)
    (made,) = service.finished
    assert (made.provider, made.charged_microusd) == ("alpha", 50_000)


def test_without_any_other_row_nothing_is_offered() -> None:
    service = checked(DEARER, catalog=catalog(row(FIRST, priority=1)), price_drift_closes=True)
    with pytest.raises(NoProviderError):
        service.estimate()


def test_if_the_findings_cannot_be_read_the_row_is_offered() -> None:
    """As the circuits: a store that is away stops no service that works."""
    service = checked(DEARER, price_drift_closes=True)
    assert service.estimate().provider == "beta"
    service.new_process()
    service.wire.refused = ("circuits.load",)
    assert service.estimate().provider == "alpha"


# Who is told.


def test_operators_read_both_prices_and_the_public_neither() -> None:
    service = checked(DEARER)
    report = service.reporter.report()
    provider = report.providers[0]
    (model,) = provider.models
    assert model.price_drift is not None
    assert (model.price_drift.price, model.price_drift.stated) == (50_000, 60_000)
    assert provider.prices_checked_at == service.clock() - CACHE_MS
    shown = model.model_dump(mode="json", by_alias=True)["priceDrift"]
    assert shown == {"size": "1024x1024", "price": "0.050000", "stated": "0.060000"}
    public = public_summary(report).model_dump_json(by_alias=True)
    assert "priceDrift" not in public
    assert "pricesCheckedAt" not in public


def test_a_model_that_is_no_longer_taken_has_no_stated_price() -> None:
    (model,) = checked(GONE).reporter.report().providers[0].models
    assert model.price_drift is not None
    shown = model.model_dump(mode="json", by_alias=True)["priceDrift"]
    assert shown == {"size": "1024x1024", "price": "0.050000", "stated": None}


def test_a_report_without_a_check_is_as_it_was() -> None:
    text = Service().reporter.report().model_dump_json(by_alias=True)
    assert "priceDrift" not in text
    assert "pricesCheckedAt" not in text


@pytest.mark.parametrize(("stated", "count"), [(DEARER, 1), (GONE, 1), (SAME, 0), (SILENT, 0)])
def test_each_key_check_counts_the_rows_that_differ(stated: Statement, count: int) -> None:
    results = checked(stated).key_checker.check()
    assert results.drifted == ((FIRST,) if count else ())
    assert next(iter(key_check_samples(results))).values[Metric.PRICES_DRIFTED] == count


@pytest.mark.parametrize("missing", ["has_key", "enabled"])
def test_what_is_not_asked_any_more_counts_no_longer(missing: str) -> None:
    """Otherwise the alarm would go off for as long as the provider is out of service."""
    service = checked(DEARER)
    setup = ProviderSetup(has_key=missing != "has_key", enabled=missing != "enabled")
    service.redeploy(setups={**service.setups, "alpha": setup})
    assert service.key_checker.check().drifted == ()


def test_the_limit_is_the_same_wherever_it_is_written() -> None:
    limit = f"more than {DRIFT_PERCENT} %"
    assert limit in read_template()["Parameters"]["PriceDriftCloses"]["Description"]
    for page in ("prices", "operate", "glossary"):
        assert limit in (ROOT / "docs" / f"{page}.md").read_text().replace("\n", " ")


def test_the_docs_name_the_time_of_a_round() -> None:
    assert f"{ROUND_SECONDS:.0f} seconds" in (ROOT / "docs" / "providers.md").read_text()


@pytest.mark.parametrize("name", PROVIDERS)
def test_the_docs_say_what_each_vendor_states(name: str) -> None:
    page = (ROOT / "docs" / "prices.md").read_text()
    section = page.partition("By the health function")[2].partition("\n## ")[0]
    assert PROVIDERS[name].title in section
