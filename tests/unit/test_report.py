"""A month's report: what is added up, and how it is written."""

import io
from dataclasses import replace
from operator import attrgetter
from typing import Any

import pytest
from botocore.exceptions import ClientError

from imagegen.domain.losses import NO_PROVIDER
from imagegen.domain.outcomes import Outcome
from imagegen.domain.records import Attempt
from imagegen.domain.spending import Kind, Sum, UserRecord, added_up, grouped
from operations.accounts import AccountError
from operations.report import COLUMNS, FIGURES, TEAM, month_ms, report, table_of, write_csv
from tests.unit.test_metrics import FAILED, MADE


def record(user: str = "ann", *, failed: bool = False, **changes: Any) -> UserRecord:
    made = replace(MADE, provider="openai", model="flare", attempts=())
    found = replace(FAILED, code="content_refused") if failed else made
    return UserRecord(user, replace(found, **changes))


class CloudFormation:
    """CloudFormation with one stack."""

    def describe_stacks(self, *, StackName: str) -> Any:  # noqa: N803 boto3's name
        if StackName != "prod":
            message = f"Stack with id {StackName} does not exist"
            error: Any = {"Error": {"Code": "ValidationError", "Message": message}}
            raise ClientError(error, "DescribeStacks")
        outputs = [{"OutputKey": "TableName", "OutputValue": "prod-table"}]
        return {"Stacks": [{"StackStatus": "UPDATE_COMPLETE", "Outputs": outputs}]}


def test_a_stack_that_does_not_exist_is_named_in_the_error() -> None:
    client: Any = CloudFormation()
    assert table_of(client, "prod") == "prod-table"
    with pytest.raises(AccountError, match=r"no stack 'prodd' in .*STACK=\.\.\. and AWS_REGION="):
        table_of(client, "prodd")


def test_requests_of_a_kind_are_added_up() -> None:
    sums = added_up([record(), record(actual_microusd=52_805), record("bob")])
    assert sums == {
        Kind("openai", "flare", "ann", "complete"): Sum(
            2, 2, 120_000, 105_400, 105_505, above_price=105
        ),
        Kind("openai", "flare", "bob", "complete"): Sum(1, 1, 60_000, 52_700, 52_700),
    }


def test_what_came_to_nothing_is_of_no_provider_and_named_by_its_code() -> None:
    (kind,) = added_up([record(failed=True)])
    assert (kind.provider, kind.outcome) == (NO_PROVIDER, "content_refused")


def test_a_failure_without_a_code_is_named_by_its_state_and_an_image_is_complete() -> None:
    (failed,) = added_up([record(failed=True, code="")])
    (made,) = added_up([record(code="timeout")])
    assert (failed.outcome, made.outcome) == ("failed", "complete")


def test_money_in_doubt_is_added_whatever_became_of_the_request() -> None:
    sums = added_up([record(failed=True, in_doubt_microusd=1), record(in_doubt_microusd=2)])
    assert sum(amount.in_doubt for amount in sums.values()) == 3


def test_money_in_doubt_is_not_booked_under_who_made_the_image_afterwards() -> None:
    lost = Attempt("gemini", "banana", Outcome.UNKNOWN, "", 9_000, 33_600)
    text = report(added_up([record(attempts=(lost,), in_doubt_microusd=33_600)]), "2026-11")
    (gemini,) = (row for row in text.splitlines() if row.startswith("gemini banana"))
    assert gemini.split()[2:] == ["0", "0.000000", "0.000000", "0.033600", "0.000000", "0.000000"]


@pytest.mark.parametrize(
    ("month", "days"), [("2026-11", 30), ("2026-12", 31), ("2028-02", 29), ("2027-02", 28)]
)
def test_a_month_ends_where_the_next_begins(month: str, days: int) -> None:
    start_ms, end_ms = month_ms(month)
    assert end_ms - start_ms == days * 86_400_000


@pytest.mark.parametrize("text", ["", "2026", "2026-13", "November"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"does not match format|unconverted"):
        month_ms(text)


def test_every_table_adds_up_to_the_same() -> None:
    sums = added_up([record(), record("bob", model="sunburst"), record(failed=True)])
    for name in ("provider", "model", "user", "outcome"):
        groups = grouped(sums, attrgetter(name))
        assert sum(amount.charged for _, amount in groups) == 105_400
        assert sum(amount.requests for _, amount in groups) == 3


def test_the_dearest_come_first() -> None:
    sums = added_up([record("bob"), record(), record()])
    assert [name for name, _ in grouped(sums, lambda kind: kind.user)] == ["ann", "bob"]


def test_who_cost_the_same_is_listed_by_name() -> None:
    sums = added_up([record("bob"), record("ann"), record("carl")])
    assert [name for name, _ in grouped(sums, lambda kind: kind.user)] == ["ann", "bob", "carl"]


def test_the_tables_line_up() -> None:
    text = report(added_up([record(), record(failed=True)]), "2026-11")
    for table in text.split("\n\n"):
        assert len({len(row) for row in table.splitlines()}) == 1
    assert "openai flare" in text
    assert "0.052700" in text


def test_a_long_list_of_users_says_that_there_are_more() -> None:
    text = report(added_up(record(str(n)) for n in range(25)), "2026-11")
    assert text.endswith("... and 5 users more (CSV=1 has all)")


def test_the_csv_has_every_sum() -> None:
    out = io.StringIO()
    write_csv(added_up([record(), record("bob")]), out)
    assert out.getvalue().splitlines() == [
        ",".join((*COLUMNS, *FIGURES, TEAM)),
        "openai,flare,ann,complete,1,0.052700,0.052700,0.000000,0.000000,0.000000,",
        "openai,flare,bob,complete,1,0.052700,0.052700,0.000000,0.000000,0.000000,",
    ]
