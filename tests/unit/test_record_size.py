"""A bought image can always be stored: its record fits into two kilobytes of metadata."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.aws.image_store import METADATA_BYTES, RECORD_BYTES
from imagegen.domain.catalog import Tier
from imagegen.domain.outcomes import Outcome
from imagegen.domain.records import (
    SUCCESS,
    Attempt,
    Fallback,
    ImageRecord,
    RecordStatus,
    fitting_json,
    parse_record,
    record_json,
)
from imagegen.domain.replacements import MAX_NAME
from imagegen.usecases.generate.run import Made
from tests.fakes.catalogs import catalog, row
from tests.fakes.service import Service

LONG = "m" * MAX_NAME
"""As long as the catalog lets a name be; a vendor's code is cut at the same length."""
BIGGEST = ImageRecord(
    status=RecordStatus.COMPLETE,
    quote_id="q" * 24,
    issued_ms=10**13,
    created_ms=10**13,
    duration_ms=10**6,
    tier=Tier.STANDARD,
    size="99999x99999",
    expected_microusd=10**9,
    ceiling_microusd=10**9,
    charged_microusd=10**9,
    key=LONG,
    provider=LONG,
    model=LONG,
    width=16_384,
    height=16_384,
    media_type="image/jpeg",
    fallback=Fallback(LONG, LONG, "earlier_call_unanswered"),
    in_doubt_microusd=10**9,
    actual_microusd=10**12,
    tokens=(10**9, 10**9),
    run="r" * 120,
)
ATTEMPT = Attempt(LONG, LONG, Outcome.UNAVAILABLE, LONG, 10**6)


def test_s3_takes_two_kilobytes_with_the_name() -> None:
    assert METADATA_BYTES == 2_048
    assert RECORD_BYTES + len("x-amz-meta-record") == METADATA_BYTES


@pytest.mark.parametrize("count", [0, 1, 2, 3, 10, 16, 40])
def test_the_largest_record_fits_with_any_number_of_attempts(count: int) -> None:
    record = replace(BIGGEST, attempts=(ATTEMPT,) * count)
    text = fitting_json(record, RECORD_BYTES)
    assert len(text.encode()) <= RECORD_BYTES
    kept = parse_record(text)
    assert replace(kept, attempts=()) == replace(record, attempts=())


def test_a_record_that_fits_is_kept_whole() -> None:
    record = replace(BIGGEST, attempts=(Attempt("alpha", "a-model", SUCCESS, "", 1),))
    assert fitting_json(record, RECORD_BYTES) == record_json(record)


@given(st.integers(0, 30), st.integers(0, 60))
def test_the_last_attempt_stays_as_long_as_any(count: int, name: int) -> None:
    attempts = [Attempt("p" * name, "m" * name, "unavailable", "", n) for n in range(count)]
    record = replace(BIGGEST, attempts=(*attempts, Attempt("alpha", "made-it", SUCCESS, "", 1)))
    text = fitting_json(record, RECORD_BYTES)
    kept = parse_record(text).attempts
    assert len(text) <= RECORD_BYTES
    assert not kept or kept[-1].outcome == SUCCESS


def test_an_image_after_many_fallbacks_is_stored_and_answered() -> None:
    names = [f"p{n}-{'x' * 60}" for n in range(14)]
    rows = [row(name, priority=n + 1, model=f"{name}-model") for n, name in enumerate(names)]
    service = Service(catalog=catalog(*rows))
    for name in names[:-1]:
        service.react(name.partition("-")[0], Outcome.UNAVAILABLE)
    made = service.make()
    assert isinstance(made, Made)
    assert len(made.record.attempts) == 14
    stored = service.images.find(made.ref)
    assert stored is not None
    assert len(record_json(stored)) <= RECORD_BYTES
    assert json.loads(record_json(stored))["charged_microusd"] == service.spent()
    service.check_charged_iff_stored()
