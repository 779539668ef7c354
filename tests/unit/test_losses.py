"""What no user pays is booked under the provider that caused it, also in records of before."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.domain.errors import GenerationFailedError
from imagegen.domain.losses import NO_PROVIDER, Loss, LossKind, losses
from imagegen.domain.outcomes import Outcome
from imagegen.domain.records import Attempt, ImageRecord, RecordStatus, with_lost_image
from imagegen.domain.spending import Kind, Sum, UserRecord, added_up, grouped, total
from imagegen.monitoring.metrics import Metric
from imagegen.monitoring.samples import image_samples
from tests.fakes.catalogs import catalog, row
from tests.fakes.pictures import picture
from tests.fakes.service import USER, Service
from tests.unit.test_metrics import FAILED, MADE

LOST = Attempt("gemini", "banana", Outcome.UNKNOWN, "", 9_000, 33_600)
BLANK = Attempt("beta", "beta-model", Outcome.NO_IMAGE, "blank_image", 9_000, 40_000)
OLD_LOST = replace(LOST, lost_microusd=0)
SUCCESS = MADE.attempts[0]


def found(record: ImageRecord) -> list[Loss]:
    return list(losses(record))


def test_an_image_without_faults_costs_nothing_beside_its_charge() -> None:
    assert found(MADE) == found(replace(MADE, actual_microusd=MADE.charged_microusd)) == []


def test_a_lost_answer_is_in_doubt_under_its_own_provider_not_under_the_maker() -> None:
    record = replace(MADE, attempts=(LOST, SUCCESS), in_doubt_microusd=33_600)
    assert found(record) == [Loss("gemini", "banana", LossKind.IN_DOUBT, 33_600)]


def test_a_record_of_before_names_the_provider_whose_answer_was_lost() -> None:
    record = replace(MADE, attempts=(OLD_LOST, SUCCESS), in_doubt_microusd=33_600)
    assert found(record) == [Loss("gemini", "banana", LossKind.IN_DOUBT, 33_600)]


@pytest.mark.parametrize(
    ("record", "name"), [(MADE, "alpha"), (replace(FAILED, model=""), NO_PROVIDER)]
)
def test_a_record_of_before_without_a_lost_answer_keeps_its_sum(
    record: ImageRecord, name: str
) -> None:
    (loss,) = found(replace(record, in_doubt_microusd=7))
    assert (loss.provider, loss.microusd, loss.kind) == (name, 7, LossKind.IN_DOUBT)


def test_an_image_that_arrived_and_is_not_sold_is_not_in_doubt() -> None:
    record = replace(MADE, attempts=(BLANK, SUCCESS))
    assert found(record) == [Loss("beta", "beta-model", LossKind.UNSOLD, 40_000)]


def test_more_tokens_than_were_priced_are_the_loss_of_the_provider_that_counted_them() -> None:
    record = replace(MADE, actual_microusd=MADE.charged_microusd + 105)
    assert found(record) == [Loss("alpha", "alpha-model", LossKind.ABOVE_PRICE, 105)]
    assert found(replace(MADE, actual_microusd=MADE.charged_microusd - 105)) == []


def test_an_image_that_could_not_be_stored_is_in_doubt_once() -> None:
    record = replace(with_lost_image(MADE, 52_700), status=RecordStatus.FAILED, charged_microusd=0)
    assert found(record) == [Loss("alpha", "alpha-model", LossKind.IN_DOUBT, 52_700)]
    assert with_lost_image(replace(MADE, attempts=()), 5).in_doubt_microusd == 5


ATTEMPTS = st.builds(
    Attempt,
    st.sampled_from(["alpha", "beta", "gemini"]),
    st.just("m"),
    st.sampled_from(["success", *Outcome]),
    st.just(""),
    st.just(1),
    st.integers(0, 10**6),
)


@given(st.lists(ATTEMPTS, max_size=4), st.integers(0, 10**7), st.integers(0, 10**6))
def test_no_money_in_doubt_is_left_out_or_counted_twice(
    attempts: list[Attempt], more: int, actual: int
) -> None:
    own = sum(one.lost_microusd for one in attempts if one.outcome not in UNSOLD_OUTCOMES)
    record = replace(
        MADE,
        attempts=tuple(attempts),
        in_doubt_microusd=own + more,
        actual_microusd=actual,
    )
    sums = added_up([UserRecord("ann", record)])
    assert total(sums).in_doubt == own + more
    assert total(sums).requests == total(sums).images == 1
    unsold = sum(one.lost_microusd for one in attempts if one.outcome in UNSOLD_OUTCOMES)
    assert total(sums).unsold == unsold
    assert total(sums).above_price == max(0, actual - MADE.charged_microusd)


UNSOLD_OUTCOMES = (Outcome.UNAVAILABLE, Outcome.NO_IMAGE)


def test_a_request_counts_once_and_each_loss_stands_in_its_providers_line() -> None:
    record = replace(MADE, attempts=(LOST, BLANK, SUCCESS), in_doubt_microusd=33_600)
    sums = added_up([UserRecord("ann", record), UserRecord("bob", MADE)])
    by_provider = dict(grouped(sums, lambda kind: kind.provider))
    assert by_provider == {
        "alpha": Sum(2, 2, 120_000, 105_400, 105_400),
        "gemini": Sum(in_doubt=33_600),
        "beta": Sum(unsold=40_000),
    }
    assert Kind("gemini", "banana", "ann", "complete") in sums


# The service writes what the rule reads.


def test_a_run_whose_answer_is_lost_names_the_provider_in_its_record() -> None:
    service = Service()
    service.react("alpha", Outcome.UNKNOWN)
    record = service.make().record
    (loss,) = found(record)
    assert (loss.provider, loss.kind, loss.microusd) == ("alpha", LossKind.IN_DOUBT, 50_000)
    assert record.provider != "alpha"
    assert record.in_doubt_microusd == 50_000


@pytest.mark.parametrize("answer", [picture("PNG")[:40], picture("PNG", size=(8, 8))])
def test_an_image_that_is_not_sold_is_its_providers_loss_and_not_in_doubt(
    answer: bytes,
) -> None:
    service = Service()
    service.react("alpha", answer)
    record = service.make(user=USER).record
    (loss,) = found(record)
    assert (loss.provider, loss.kind, loss.microusd) == ("alpha", LossKind.UNSOLD, 50_000)
    assert record.in_doubt_microusd == 0


@pytest.mark.parametrize("outcome", [Outcome.UNAVAILABLE, Outcome.NO_IMAGE, Outcome.BLOCKED])
def test_an_answer_without_an_image_costs_nothing(outcome: Outcome) -> None:
    service = Service()
    service.react("alpha", outcome)
    assert found(service.make().record) == []


def test_a_metric_has_each_loss_under_its_provider_and_kind() -> None:
    record = replace(
        MADE,
        attempts=(LOST, BLANK, SUCCESS),
        in_doubt_microusd=33_600,
        actual_microusd=MADE.charged_microusd + 105,
    )
    sent = [
        (one.provider, one.outcome, one.values[Metric.LOSS_USD])
        for one in image_samples(record, ("alpha", "beta"))
        if Metric.LOSS_USD in one.values
    ]
    assert sent == [
        ("other", "in_doubt", 0.0336),
        ("beta", "unsold", 0.04),
        ("alpha", "above_price", 0.000105),
    ]


@pytest.mark.parametrize(
    ("outcome", "kind", "in_doubt"),
    [
        (Outcome.UNAVAILABLE, LossKind.UNSOLD, 0),
        (Outcome.NO_IMAGE, LossKind.UNSOLD, 0),
        (Outcome.BAD_PARAMETER, LossKind.IN_DOUBT, 50_000),
        (Outcome.UNKNOWN, LossKind.IN_DOUBT, 50_000),
    ],
)
def test_an_error_that_its_vendor_may_bill_is_one_loss(
    outcome: Outcome, kind: LossKind, in_doubt: int
) -> None:
    service = Service(catalog=catalog(row("alpha-standard", priority=1, usd="0.05")))
    service.react("alpha", outcome)
    service.providers["alpha"].is_billed = True
    with pytest.raises(GenerationFailedError):
        service.make()
    (record,) = service.finished
    assert list(losses(record)) == [Loss("alpha", "alpha-standard-model", kind, 50_000)]
    assert (record.in_doubt_microusd, service.spent()) == (in_doubt, 0)
