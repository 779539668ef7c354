"""What every store of jobs does, in memory and in AWS; and what a run with a job writes."""

from dataclasses import replace
from typing import Any

import pytest

from imagegen.aws.items import from_item, to_item
from imagegen.aws.job_store import DynamoJobStore
from imagegen.domain.ids import ImageRef
from imagegen.domain.jobs import ASKED_MS, Job, JobStore
from imagegen.domain.outcomes import Outcome
from imagegen.domain.records import Attempt
from imagegen.usecases.generate.run import Made
from tests.adapters.aws.world import Aws, Meter
from tests.exactness.instance import instance, providers
from tests.fakes.clock import NOON_MS as NOW
from tests.fakes.clock import Clock
from tests.fakes.service import Service

LONG = "https://queue.example.com/" + "a0-" * 150


def ref(user: str, number: int = 0) -> ImageRef:
    return ImageRef(f"{number:a>24}", user, NOW + number)


def job(ticket: str = "job-1") -> Job:
    record = replace(Service().make().record, file_bytes=0, created_ms=NOW)
    return Job(ticket, NOW - 1_000, 50_000, "1024x1024", record)


def test_the_last_job_of_a_request_is_kept(jobs: JobStore, user: str) -> None:
    assert jobs.get(ref(user)) is None
    jobs.put(ref(user), job())
    assert jobs.get(ref(user)) == job()
    jobs.put(ref(user), job("job-2"))
    assert jobs.get(ref(user)) == job("job-2")
    assert jobs.get(ref(user, 1)) is None
    assert jobs.get(ref(f"{user}0")) is None


def test_a_job_is_beside_the_records_and_is_no_record(
    aws: Aws, table: str, dynamo_records: Any, user: str
) -> None:
    DynamoJobStore(aws.dynamodb, table).put(ref(user), job())
    assert dynamo_records.get(ref(user)) is None
    assert dynamo_records.recent(user, limit=5) == []
    assert dynamo_records.page(user, None, since_ms=0, limit=5).records == ()


def test_the_table_deletes_a_job_once_it_is_not_asked_for_any_more(
    aws: Aws, table: str, user: str
) -> None:
    DynamoJobStore(aws.dynamodb, table).put(ref(user), job())
    key = to_item({"pk": f"U#{user}", "sk": f"J#{NOW:015d}#{ref(user).quote_id}"})
    item = from_item(aws.dynamodb.get_item(TableName=table, Key=key)["Item"])
    assert item["ttl"] == (NOW + ASKED_MS) // 1000 + 86_400
    # A run of an earlier release wrote it there, and no role that scans the table may read it.
    assert item.keys() == {"pk", "sk", "j", "ttl"}


@pytest.mark.parametrize("tried", [0, 1, 12])
def test_a_job_costs_one_write_unit_whatever_was_tried_before(
    aws: Aws, table: str, user: str, tried: int
) -> None:
    failed = Attempt("together", "black-forest-labs/FLUX.2-pro", Outcome.UNAVAILABLE, "E1", 12_345)
    long = replace(job(LONG), record=replace(job().record, attempts=(failed,) * tried))
    meter = Meter()
    with meter.running(aws.dynamodb):
        DynamoJobStore(aws.dynamodb, table).put(ref(user), long)
    assert (meter.calls, meter.units) == (["PutItem"], 1)


def test_an_image_of_a_job_takes_one_write_more_and_any_other_none(aws: Aws) -> None:
    units: list[float] = []
    for has_jobs in (False, True):
        drawn_by = providers()
        drawn_by["alpha"].has_jobs = has_jobs
        clock, bucket = Clock(NOW), aws.new_bucket()
        here = instance(aws.dynamodb, aws.s3, aws.new_table(), bucket, clock, drawn_by=drawn_by)
        quote, meter = here.estimate("a1" * 16).quote, Meter()
        with meter.running(aws.dynamodb):
            assert isinstance(here.confirm(quote, "a1" * 16), Made)
        units.append(meter.units)
        assert meter.calls.count("PutItem") == 2 + has_jobs
    assert units[1] == units[0] + 1
