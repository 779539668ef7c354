"""What is metered: each fact once, under names that are bounded."""

import json
from dataclasses import replace
from typing import Any

import pytest

from generators.docs import costs
from imagegen.domain.breaker import State
from imagegen.domain.catalog import Tier
from imagegen.domain.outcomes import Outcome
from imagegen.domain.records import Attempt, Fallback, ImageRecord, RecordStatus
from imagegen.guard import Transition
from imagegen.monitoring.metrics import SERIES, Dimension, Metric, Sample, line
from imagegen.monitoring.observer import LogObserver
from imagegen.monitoring.samples import (
    OTHER,
    SKIPPED,
    image_samples,
    key_check_samples,
    reconciled_samples,
    transition_samples,
)
from imagegen.usecases.generate.reconciler import EndedHold
from local.parameters import read_template
from tests.fakes.clock import NOON_MS
from tests.fakes.service import Service

PROVIDERS = ("alpha", "beta")
MADE = ImageRecord(
    status=RecordStatus.COMPLETE,
    quote_id="q" * 24,
    issued_ms=NOON_MS,
    created_ms=NOON_MS,
    duration_ms=12_000,
    tier=Tier.HIGH,
    size="square",
    expected_microusd=52_700,
    ceiling_microusd=60_000,
    charged_microusd=52_700,
    key="alpha-high",
    provider="alpha",
    model="alpha-model",
    attempts=(Attempt("alpha", "alpha-model", "success", "", 11_000),),
)
FAILED = replace(MADE, status=RecordStatus.FAILED, charged_microusd=0, provider="", attempts=())


def first(record: ImageRecord) -> Sample:
    return next(iter(image_samples(record, PROVIDERS)))


def calls(record: ImageRecord) -> list[tuple[str, str, float | None]]:
    _, *rest = image_samples(record, PROVIDERS)
    return [(one.provider, one.outcome, one.values.get(Metric.CALL_MS)) for one in rest]


def document(sample: Sample) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(line(sample, stack="prod", level="WARN", now_ms=NOON_MS))
    return found


# Images.


def test_an_image_is_counted_with_its_time_and_its_money() -> None:
    sample = first(MADE)
    assert sample.provider == "alpha"
    assert sample.values == {
        Metric.IMAGES: 1,
        Metric.FAILURES: 0,
        Metric.REFUSALS: 0,
        Metric.FALLBACKS: 0,
        Metric.REQUEST_MS: 12_000,
        Metric.SPEND_USD: 0.0527,
        Metric.IN_DOUBT_CHARGES: 0,
        Metric.IN_DOUBT_USD: 0,
    }


@pytest.mark.parametrize(
    ("record", "counted"),
    [
        (MADE, Metric.IMAGES),
        (replace(FAILED, code="generation_failed"), Metric.FAILURES),
        (replace(FAILED, code="content_refused"), Metric.REFUSALS),
    ],
)
def test_a_request_ends_in_one_of_three_ways(record: ImageRecord, counted: Metric) -> None:
    ways = (Metric.IMAGES, Metric.FAILURES, Metric.REFUSALS)
    assert {way: first(record).values[way] for way in ways} == {way: way is counted for way in ways}


def test_a_fallback_is_counted_where_it_made_an_image() -> None:
    fallback = Fallback("beta", "beta-model", "unavailable")
    assert first(replace(MADE, fallback=fallback)).values[Metric.FALLBACKS] == 1
    assert first(replace(FAILED, fallback=fallback)).values[Metric.FALLBACKS] == 0


def test_money_in_doubt_is_counted_whether_or_not_there_is_an_image() -> None:
    for record in (MADE, FAILED):
        values = first(replace(record, in_doubt_microusd=60_000)).values
        assert (values[Metric.IN_DOUBT_CHARGES], values[Metric.IN_DOUBT_USD]) == (1, 0.06)


def test_what_a_provider_bills_stands_beside_the_price_where_it_is_known() -> None:
    values = first(replace(MADE, actual_microusd=52_805)).values
    assert (values[Metric.PRICED_USD], values[Metric.BILLED_USD]) == (0.0527, 0.052805)
    assert Metric.BILLED_USD not in first(MADE).values
    assert Metric.PRICED_USD not in first(MADE).values


@pytest.mark.parametrize(
    ("actual_microusd", "is_over"),
    [(57_970, False), (57_971, True), (52_700, False), (0, False), (1_000_000, True)],
)
def test_an_image_that_costs_over_a_tenth_more_than_its_price_is_counted(
    actual_microusd: int,
    is_over: bool,  # noqa: FBT001
) -> None:
    record = replace(MADE, charged_microusd=52_700, actual_microusd=actual_microusd)
    assert first(record).values[Metric.OVER_PRICE] == int(is_over)


@pytest.mark.parametrize(("actual_microusd", "logged"), [(57_970, []), (57_971, ["0.057971"])])
def test_the_log_names_the_row_of_an_image_that_costs_more_than_its_price(
    caplog: pytest.LogCaptureFixture, actual_microusd: int, logged: list[str]
) -> None:
    caplog.set_level("INFO")
    record = replace(
        MADE, key="alpha-high", charged_microusd=52_700, actual_microusd=actual_microusd
    )
    LogObserver("prod", "INFO", ("alpha",), lambda: NOON_MS).request_finished(record)
    lines = {one.getMessage(): vars(one) for one in caplog.records}
    assert lines["generation finished"]["row"] == "alpha-high"
    assert lines["generation finished"]["charged_usd"] == "0.052700"
    over = [one["billed_usd"] for name, one in lines.items() if name == "billed above price"]
    assert over == logged


def test_a_figure_that_is_not_known_is_not_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    LogObserver("prod", "INFO", ("alpha",), lambda: NOON_MS).request_finished(MADE)
    (finished,) = [vars(one) for one in caplog.records]
    assert finished["billed_usd"] is None


def test_without_the_providers_own_figure_nothing_is_compared() -> None:
    assert not MADE.is_over_price
    assert Metric.OVER_PRICE not in first(MADE).values


def test_every_call_is_counted_and_timed_by_provider_and_outcome() -> None:
    attempts = (
        Attempt("beta", "m", Outcome.UNAVAILABLE, "503", 900),
        Attempt("alpha", "m", "success", "", 11_000),
    )
    record = replace(MADE, attempts=attempts)
    assert calls(record) == [("beta", "unavailable", 900), ("alpha", "success", 11_000)]


@pytest.mark.parametrize("outcome", ["success", *Outcome])
def test_a_call_is_a_fault_unless_it_drew_or_refused_and_no_call_is_none(outcome: str) -> None:
    record = replace(MADE, attempts=(Attempt("alpha", "m", outcome, "", 1),))
    _, call = image_samples(record, PROVIDERS)
    expected = {"success": 0, "refused": 0, "not_called": None}.get(outcome, 1)
    assert call.values.get(Metric.CALL_FAULTS) == expected


@pytest.mark.parametrize("why", [Outcome.NOT_CALLED, "circuit_open", "no_time_left", "brand_new"])
def test_a_candidate_that_was_not_called_has_no_time(why: str) -> None:
    record = replace(MADE, attempts=(Attempt("alpha", "m", why, "", 0),))
    assert calls(record) == [("alpha", SKIPPED, None)]


def test_a_provider_that_the_catalog_does_not_have_makes_no_new_series() -> None:
    gone = replace(
        MADE, provider="old", attempts=(Attempt("old", "old", "catalog_changed", "", 0),)
    )
    assert first(gone).provider == OTHER
    assert calls(gone) == [(OTHER, SKIPPED, None)]


# Circuits, dead runs, probes.


def test_a_circuit_that_opens_is_known_open_before_the_next_probe() -> None:
    moved, resting = transition_samples(
        Transition("alpha/m", State.CLOSED, State.OPEN, "unavailable")
    )
    assert (moved.values, moved.outcome) == ({Metric.CIRCUIT_MOVES: 1}, "open")
    assert resting.values == {Metric.CIRCUITS_OPEN: 1, Metric.CIRCUIT_OPEN: 1}
    assert {moved.provider, resting.provider} == {"alpha"}


def test_a_circuit_that_closes_is_a_move_and_no_more() -> None:
    (moved,) = transition_samples(Transition("alpha", State.HALF_OPEN, State.CLOSED, ""))
    assert (moved.values, moved.outcome) == ({Metric.CIRCUIT_MOVES: 1}, "closed")


def test_an_image_charged_after_its_run_died_is_spending() -> None:
    (sample,) = reconciled_samples(EndedHold(is_settled=True, microusd=50_000))
    assert sample.values[Metric.SETTLED] == 1
    assert (sample.values[Metric.SPEND_USD], sample.values[Metric.IN_DOUBT_USD]) == (0.05, 0)


def test_a_hold_given_back_after_its_run_died_is_money_in_doubt() -> None:
    (sample,) = reconciled_samples(EndedHold(is_settled=False, microusd=50_000))
    assert sample.values[Metric.RELEASED] == 1
    assert (sample.values[Metric.SPEND_USD], sample.values[Metric.IN_DOUBT_CHARGES]) == (0, 1)
    assert sample.values[Metric.IN_DOUBT_USD] == 0.05


def test_a_probe_beats_and_says_how_things_stand() -> None:
    service = Service()
    service.providers["alpha"].key_checks = [Outcome.ACCOUNT]
    samples = list(key_check_samples(service.key_checker.check()))
    assert samples[0].values == {
        Metric.PROBES: 1,
        Metric.CIRCUITS_OPEN: 1,
        Metric.KEYS_REFUSED: 1,
        Metric.MODELS_UNLISTED: 0,
        Metric.PRICES_DRIFTED: 0,
    }
    of_providers = [one for one in samples if one.provider and not one.outcome]
    assert of_providers == [
        Sample({Metric.CIRCUIT_OPEN: 1}, "alpha"),
        Sample({Metric.KEY_REFUSED: 1}, "alpha"),
    ]
    assert Sample({Metric.KEY_CHANGES: 1}, "alpha", "account") in samples


def test_a_stack_that_is_well_sends_no_series_of_its_providers() -> None:
    """Each is billed: an idle stack is to cost as little with many providers as with few."""
    (beat,) = key_check_samples(Service().key_checker.check())
    assert beat.values[Metric.PROBES] == 1
    assert (beat.provider, beat.outcome) == ("", "")
    assert len(beat.values) + 1 <= costs.probed() <= costs.FREE


def test_a_stack_at_rest_costs_less_than_five_dollars_a_month() -> None:
    assert costs.at_rest() < 500, "each metric that an alarm reads is ten cents"


def test_a_second_stack_also_pays_for_what_the_first_one_has_free() -> None:
    free = costs.FREE * costs.ALARM_CENTS + costs.probed() * costs.METRIC_CENTS
    decrypts = round(costs.FREE_DECRYPTS / costs.DECRYPTS_PER_CENT)
    assert costs.without_free() == costs.at_rest() + free + decrypts
    assert f"${costs.without_free() / 100:.2f} without one request" in costs.made()["fixed costs"]


def test_what_alarms_read_is_counted_as_the_template_has_it() -> None:
    resources = read_template()["Resources"].values()
    always = [
        one["Properties"]
        for one in resources
        if one["Type"] == "AWS::CloudWatch::Alarm" and "Condition" not in one
    ]
    read = sum("MetricStat" in part for one in always for part in one.get("Metrics", []))
    single = sum("MetricName" in one for one in always)
    assert read + single == costs.watched()


# The line.


def test_a_line_is_what_cloudwatch_reads() -> None:
    found = document(first(MADE))
    assert found["_aws"]["Timestamp"] == NOON_MS
    assert found["_aws"]["CloudWatchMetrics"][1] == {
        "Namespace": "imagegen",
        "Dimensions": [["Stack"], ["Stack", "Provider"]],
        "Metrics": [{"Name": "SpendUsd", "Unit": "None"}],
    }
    assert (found["Stack"], found["Provider"], found["SpendUsd"]) == ("prod", "alpha", 0.0527)


def test_every_value_of_a_line_is_named_once_and_every_name_has_its_value() -> None:
    for sample in image_samples(replace(MADE, actual_microusd=1), PROVIDERS):
        found = document(sample)
        parts = found["_aws"]["CloudWatchMetrics"]
        named = [metric["Name"] for part in parts for metric in part["Metrics"]]
        assert sorted(named) == sorted(sample.values)
        assert all(isinstance(found[name], int | float) for name in named)
        wanted = {name for part in parts for one in part["Dimensions"] for name in one}
        assert all(isinstance(found[name], str) for name in wanted)


def test_a_line_passes_the_function_s_own_log_level() -> None:
    found = document(Sample({Metric.PROBES: 1}))
    assert (found["level"], found["timestamp"]) == ("WARN", "2026-11-22T12:00:00.000Z")


def test_every_metric_has_its_series_and_no_dimension_is_unbounded() -> None:
    assert set(SERIES) == set(Metric)
    for series in SERIES.values():
        assert series.sets
        for one in series.sets:
            assert one[0] is Dimension.STACK
            assert set(one) <= {Dimension.STACK, Dimension.PROVIDER, Dimension.OUTCOME}


def test_no_line_tells_of_a_user_a_prompt_or_an_image() -> None:
    for sample in image_samples(MADE, PROVIDERS):
        said = line(sample, stack="prod", level="INFO", now_ms=NOON_MS)
        assert MADE.quote_id not in said
        assert MADE.model not in said
