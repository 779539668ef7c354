"""What answers say of a record, a hold and an offer: each number and each reason, and no more."""

from dataclasses import replace
from typing import Any

import pytest

from imagegen.domain.candidates import Candidate, LeftOut, Reason
from imagegen.domain.catalog import Tier, Variant
from imagegen.domain.choices import Choice, Label
from imagegen.domain.errors import LimitError
from imagegen.domain.ledger import Op, OpState
from imagegen.domain.operations import Operation
from imagegen.domain.records import Attempt, Fallback, ImageRecord, RecordStatus
from imagegen.domain.selection import Selection
from imagegen.usecases import conversions
from imagegen.wire.estimates import ChoiceRequest, Price, Replaced
from imagegen.wire.images import AttemptMade, Cost, ImageStatus, Provenance
from tests.fakes.catalogs import three_providers

NOW_MS = 1_790_000_000_000
RECORD = ImageRecord(
    status=RecordStatus.COMPLETE,
    quote_id="q1",
    issued_ms=NOW_MS - 9_000,
    created_ms=NOW_MS,
    duration_ms=8_000,
    tier=Tier.HIGH,
    size="landscape",
    expected_microusd=40_000,
    ceiling_microusd=60_000,
    charged_microusd=50_000,
    key="beta-high",
    provider="beta",
    model="beta-model",
    width=1536,
    height=1024,
    media_type="image/webp",
    fallback=Fallback("alpha", "alpha-model", "circuit_open"),
    attempts=(Attempt("alpha", "alpha-model", "timeout", "ALPHA_CODE", 3_000, 7_000),),
    c2pa="present",
    watermark="synthid",
    operation=Operation.GENERATE,
)
COST = Cost(charged=50_000, expected=40_000, ceiling=60_000)
ATTEMPTS = (
    AttemptMade(provider="alpha", model="alpha-model", outcome="timeout", duration_ms=3_000),
)
OP = Op(OpState.HELD, 60_000, "run", NOW_MS, NOW_MS + 1, NOW_MS + 2, "2026-11-27", 0)
ROW = three_providers().by_key["beta-standard"]


def said(status: ImageStatus) -> dict[str, Any]:
    """Return what an answer says: everything that differs from a field left out."""
    fields = ImageStatus.model_fields
    return {
        name: value
        for name, value in status
        if fields[name].is_required() or value != fields[name].get_default()
    }


def test_a_stored_image_is_charged_and_says_where_it_is_and_how_it_was_made() -> None:
    assert said(conversions.to_complete("id-1", RECORD, "https://us.test")) == {
        "id": "id-1",
        "status": "complete",
        "charged": True,
        "image_url": "https://us.test/images/id-1",
        "created_at": NOW_MS,
        "duration_ms": 8_000,
        "media_type": "image/webp",
        "width": 1536,
        "height": 1024,
        "provider": "beta",
        "model": "beta-model",
        "quality": Tier.HIGH,
        "size": "1536x1024",
        "cost": COST,
        "fallback": Replaced(provider="alpha", model="alpha-model", reason="circuit_open"),
        "attempts": ATTEMPTS,
        "operation": Operation.GENERATE,
        "provenance": conversions.to_provenance(RECORD),
    }


@pytest.mark.parametrize("charged", [False, None])
def test_a_failed_request_says_why_and_has_no_image(*, charged: bool | None) -> None:
    failed = replace(
        RECORD,
        status=RecordStatus.FAILED,
        code="generation_failed",
        retryable=True,
        charged_microusd=0,
    )
    assert said(conversions.to_failed("id-1", failed, charged=charged)) == {
        "id": "id-1",
        "status": "failed",
        "charged": charged,
        "created_at": NOW_MS,
        "duration_ms": 8_000,
        "quality": Tier.HIGH,
        "size": "landscape",
        "cost": COST.model_copy(update={"charged": 0}),
        "attempts": ATTEMPTS,
        "code": "generation_failed",
        "retryable": True,
    }


@pytest.mark.parametrize("retryable", [True, False])
def test_a_failure_without_a_record_says_what_the_ledger_knows(*, retryable: bool) -> None:
    released = replace(OP, state=OpState.RELEASED, code="content_refused", retryable=retryable)
    assert said(conversions.to_failed_by_ledger("id-1", released)) == {
        "id": "id-1",
        "status": "failed",
        "charged": False,
        "started_at": NOW_MS,
        "code": "content_refused",
        "retryable": retryable,
    }


@pytest.mark.parametrize("charged", [False, None])
def test_a_running_request_says_when_it_began(*, charged: bool | None) -> None:
    assert said(conversions.to_generating("id-1", OP, charged=charged)) == {
        "id": "id-1",
        "status": "generating",
        "charged": charged,
        "started_at": NOW_MS,
    }


def test_nothing_of_an_attempt_that_is_for_logs_is_in_an_answer() -> None:
    text = conversions.to_complete("id-1", RECORD, "https://us.test").model_dump_json()
    assert "ALPHA_CODE" not in text
    assert "7000" not in text


def test_an_image_of_the_first_choice_replaced_nothing() -> None:
    assert conversions.to_run_facts(replace(RECORD, fallback=None))["fallback"] is None


@pytest.mark.parametrize(
    ("record", "c2pa", "watermark"),
    [
        (RECORD, "present", "synthid"),
        (replace(RECORD, c2pa="absent", watermark=""), "absent", "unknown"),
        (replace(RECORD, c2pa="", watermark=""), "unknown", "unknown"),
    ],
)
def test_a_mark_that_was_not_recorded_is_unknown(
    record: ImageRecord, c2pa: Any, watermark: Any
) -> None:
    expected = Provenance.model_validate(
        {
            "generator": "beta",
            "model": "beta-model",
            "created_at": NOW_MS,
            "c2pa": c2pa,
            "watermark": watermark,
        }
    )
    assert conversions.to_provenance(record) == expected


def test_an_image_names_the_first_picture_it_was_made_from_and_all_roles() -> None:
    made = replace(RECORD, parents=("", "q0", "q9"), input_roles=("edit", "reference", "mask"))
    assert conversions.to_origin(made) == {
        "derived_from": "q0",
        "inputs": ("edit", "reference", "mask"),
    }
    assert conversions.to_origin(RECORD) == {"derived_from": None, "inputs": ()}


@pytest.mark.parametrize("count", [1, 3])
def test_the_price_of_a_set_is_that_of_its_images(count: int) -> None:
    assert conversions.to_price(40_000, 60_000, count=count) == Price(
        per_image=60_000, expected=40_000 * count, ceiling=60_000 * count, count=count
    )


def test_a_price_is_of_one_image_unless_a_count_is_given() -> None:
    choice = Choice((Label.CHEAPEST, Label.BEST), ROW, 40_000, 60_000)
    assert conversions.to_price(40_000, 60_000).count == 1
    assert conversions.to_choice(choice).price == conversions.to_price(40_000, 60_000)


def test_a_choice_names_its_model_its_price_and_how_to_request_it() -> None:
    shown = conversions.to_choice(Choice((Label.CHEAPEST,), ROW, 40_000, 60_000), count=2)
    assert dict(shown) == {
        "labels": (Label.CHEAPEST,),
        "quality": Tier.STANDARD,
        "provider": "beta",
        "model": "beta-standard-model",
        "price": conversions.to_price(40_000, 60_000, count=2),
        "typical_seconds": 10,
        "request": ChoiceRequest(quality=Tier.STANDARD, model="beta-standard"),
    }


@pytest.mark.parametrize(("wait", "opens_at"), [(90, NOW_MS + 90_000), (0, NOW_MS), (None, None)])
def test_a_limit_says_when_a_click_is_possible_again(
    wait: int | None, opens_at: int | None
) -> None:
    limit = LimitError("hourly_images", "No more this hour.", retry_after_seconds=wait)
    blocked = conversions.to_blocked(limit, now_ms=NOW_MS)
    assert blocked
    assert (blocked.reason, blocked.detail, blocked.opens_at) == (
        "hourly_images",
        "No more this hour.",
        opens_at,
    )
    assert conversions.to_blocked(None, now_ms=NOW_MS) is None


def test_what_an_offer_replaces_is_named_with_its_reason_and_its_price() -> None:
    missing = LeftOut(ROW, Reason.CIRCUIT, "paused", 60_000)
    assert conversions.to_replaced_row(missing) == Replaced(
        provider="beta", model="beta-standard-model", reason="circuit_open", price=60_000
    )
    assert conversions.to_replaced_row(None) is None


def test_the_other_models_are_the_fallbacks_in_order_and_then_those_left_out_with_the_reason() -> (
    None
):
    rows = three_providers().by_key
    first, second = (
        Candidate(Variant(rows[key], rows[key].sizes[0]), price)
        for key, price in (("alpha-standard", 50_000), ("gamma-standard", 70_000))
    )
    left = LeftOut(ROW, Reason.TOO_DEAR, "above the maxCost", 60_000)
    shown = conversions.to_alternatives(Selection((first, second), (left,), None))
    assert [dict(one) for one in shown] == [
        {
            "key": "gamma-standard",
            "provider": "gamma",
            "model": "gamma-standard-model",
            "price": 70_000,
            "available": True,
            "reason": None,
            "detail": None,
        },
        {
            "key": "beta-standard",
            "provider": "beta",
            "model": "beta-standard-model",
            "price": 60_000,
            "available": False,
            "reason": "above_max_cost",
            "detail": "above the maxCost",
        },
    ]
