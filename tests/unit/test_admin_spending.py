"""What operators read of all users: sums of a day or a month, failures with users, the trail."""

from dataclasses import replace

import pytest

from imagegen.domain.budgets import ORGANISATION, Level
from imagegen.domain.errors import ParameterError
from imagegen.domain.ids import ImageRef
from imagegen.domain.ledger import Limits
from imagegen.domain.outcomes import Outcome
from imagegen.domain.records import Attempt
from imagegen.domain.trail import Action, Change
from imagegen.usecases.admin.spending import MOST_NAMES, READING_MS, SpendingReader
from imagegen.usecases.admin.trail import PAGE
from imagegen.wire.admin import FailuresQuery, NamedSum, SpendingQuery
from tests.fakes.clock import NOON_MS
from tests.fakes.service import OTHER_USER, USER, Service
from tests.unit.test_metrics import FAILED, MADE

DAY_MS, HOUR_MS = 86_400_000, 3_600_000
LOST = Attempt("gemini", "banana", Outcome.UNKNOWN, "", 9_000, 33_600)


def reader(service: Service) -> SpendingReader:
    return service.functions.spending


def keep(service: Service, user: str = USER, *, at_ms: int = NOON_MS, **changes: object) -> None:
    number = len(service.records.records)
    record = FAILED if changes.pop("failed", False) else MADE
    kept = replace(
        record,
        quote_id=f"q{number}",
        issued_ms=at_ms,
        created_ms=at_ms,
        **changes,  # type: ignore[arg-type]
    )
    service.records.records[ImageRef(kept.quote_id, user, at_ms)] = kept


def names(sums: tuple[NamedSum, ...]) -> list[str]:
    return [one.name for one in sums]


def test_today_is_added_up_by_everything_that_a_record_has() -> None:
    service = Service()
    keep(service)
    keep(service, OTHER_USER, at_ms=NOON_MS + HOUR_MS, attempts=(LOST,), in_doubt_microusd=33_600)
    keep(service, failed=True, code="content_refused")
    keep(service, at_ms=NOON_MS - DAY_MS)
    found = reader(service).spending(SpendingQuery())
    assert found.complete
    assert (found.total.requests, found.total.images) == (3, 2)
    assert (found.total.promised, found.total.charged) == (120_000, 105_400)
    assert (found.total.billed, found.total.in_doubt) == (105_400, 33_600)
    assert names(found.by_time) == ["12:00", "13:00"]
    assert names(found.by_provider) == ["alpha", "-", "gemini"]
    assert names(found.by_model) == ["alpha/alpha-model", "-/-", "gemini/banana"]
    assert set(names(found.by_person)) == {USER, OTHER_USER}
    assert names(found.by_outcome) == ["complete", "content_refused"]
    gemini = found.by_provider[2].sums
    assert (gemini.requests, gemini.charged, gemini.in_doubt) == (0, 0, 33_600)


def test_every_table_has_the_same_total() -> None:
    service = Service()
    for number in range(9):
        keep(service, f"{number:032x}", at_ms=NOON_MS + number * HOUR_MS, attempts=(LOST,))
    found = reader(service).spending(SpendingQuery())
    for table in (found.by_time, found.by_provider, found.by_model, found.by_person):
        assert sum(one.sums.charged for one in table) == found.total.charged == 9 * 52_700


@pytest.mark.parametrize(
    ("query", "start", "hours"),
    [
        ({"day": "2026-11-22"}, "2026-11-22", 24),
        ({"month": "2026-11"}, "2026-11-01", 30 * 24),
        ({"month": "2026-12"}, "2026-12-01", 31 * 24),
        ({"month": "2028-02"}, "2028-02-01", 29 * 24),
        ({}, "2026-11-22", 24),
    ],
)
def test_a_time_begins_and_ends_where_it_does(
    query: dict[str, str], start: str, hours: int
) -> None:
    found = reader(Service()).spending(SpendingQuery(**query))
    text = found.model_dump(mode="json")
    assert text["start"] == f"{start}T00:00:00.000Z"
    assert found.end - found.start == hours * HOUR_MS


@pytest.mark.parametrize(
    "query",
    [
        {"day": "2026-11-22", "month": "2026-11"},
        {"day": ""},
        {"day": "22.11.2026"},
        {"day": "2026-02-30"},
        {"day": "2026-11"},
        {"day": "0001-01-01"},
        {"month": "2026-13"},
        {"month": "2026"},
        {"month": "today"},
    ],
)
def test_what_is_no_day_and_no_month_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(ParameterError) as raised:
        reader(Service()).spending(SpendingQuery(**query))
    assert raised.value.param in query


def test_a_record_at_the_last_moment_belongs_to_its_month() -> None:
    service = Service()
    found = reader(service).spending(SpendingQuery(month="2026-11"))
    for at_ms in (found.start - 1, found.start, found.end - 1, found.end):
        keep(service, at_ms=at_ms)
    again = reader(service).spending(SpendingQuery(month="2026-11"))
    assert again.total.images == 2
    assert names(again.by_time) == ["2026-11-01", "2026-11-30"]


def test_what_takes_too_long_is_answered_as_incomplete() -> None:
    service = Service()
    for _ in range(3):
        keep(service)

    def slow_clock() -> int:
        service.clock.advance(READING_MS // 2)
        return service.clock()

    slow = replace(reader(service), now_ms=slow_clock)
    found = slow.spending(SpendingQuery(day="2026-11-22"))
    assert not found.complete
    assert 0 < found.total.images < 3


def test_a_long_table_has_the_first_hundred_who_spent_most() -> None:
    service = Service()
    for number in range(MOST_NAMES + 5):
        keep(service, f"{number:032x}", charged_microusd=number)
    found = reader(service).spending(SpendingQuery())
    assert len(found.by_person) == MOST_NAMES
    assert found.by_person[0].sums.charged == MOST_NAMES + 4


def test_a_failed_call_names_everybody_whom_it_affected_also_those_who_got_an_image() -> None:
    service = Service()
    keep(service, attempts=(LOST, *MADE.attempts))
    keep(service, OTHER_USER, failed=True, attempts=(LOST,), code="generation_failed")
    keep(service, OTHER_USER, failed=True, attempts=(LOST,), at_ms=NOON_MS + 5)
    (found,) = reader(service).failures(FailuresQuery()).groups
    assert (found.provider, found.model, found.outcome) == ("gemini", "banana", "unknown")
    assert (found.requests, found.made, found.people) == (3, 1, 2)
    assert found.users == tuple(sorted((USER, OTHER_USER)))
    assert found.last_at == NOON_MS + 5


def test_a_request_that_called_nobody_is_a_failure_of_its_own() -> None:
    service = Service()
    skipped = Attempt("alpha", "alpha-model", "circuit_open", "", 0)
    keep(service, failed=True, code="no_provider_available", attempts=(skipped,))
    (found,) = reader(service).failures(FailuresQuery()).groups
    assert (found.provider, found.outcome, found.code) == ("", "failed", "no_provider_available")


def test_failures_are_those_of_the_last_hours_and_a_success_is_none() -> None:
    service = Service()
    keep(service)
    keep(service, failed=True, at_ms=NOON_MS - 2 * HOUR_MS, attempts=(LOST,))
    assert reader(service).failures(FailuresQuery(hours=1)).groups == ()
    assert len(reader(service).failures(FailuresQuery(hours=3)).groups) == 1


def test_the_reason_that_affects_most_people_comes_first() -> None:
    service = Service()
    refused = Attempt("beta", "beta-model", Outcome.REFUSED, "policy", 5)
    keep(service, attempts=(refused,), failed=True)
    keep(service, attempts=(LOST,), failed=True)
    keep(service, OTHER_USER, attempts=(LOST,), failed=True)
    found = reader(service).failures(FailuresQuery())
    assert [(one.provider, one.code) for one in found.groups] == [
        ("gemini", ""),
        ("beta", "policy"),
    ]


def test_the_shared_budget_is_shown_with_what_is_used_of_it() -> None:
    service = Service(limits=Limits(levels=(Level(ORGANISATION, 100_000_000),)))
    made = service.make()
    (found,) = reader(service).spending(SpendingQuery(month="2026-10")).budgets
    assert (found.level, found.used_today) == ("organisation", made.record.charged_microusd)
    assert (found.usd_today, found.usd_this_month) == (100_000_000, None)
    assert found.used_this_month == found.used_today


# The trail.


def test_the_trail_is_read_backwards_page_by_page_and_nothing_is_lost() -> None:
    service = Service()
    trail = service.functions.trail
    for number in range(PAGE + 3):
        if number % 7 == 0:
            service.clock.advance(1)
        change = Change(Action.PROVIDER_SWITCHED, f"p{number}", "on", "off", "why")
        trail.record("user:me", change)
    first = trail.page(None)
    assert len(first.entries) == PAGE
    second = trail.page(first.next_cursor)
    assert second.next_cursor is None
    targets = [one.target for one in (*first.entries, *second.entries)]
    assert sorted(targets) == sorted(f"p{n}" for n in range(PAGE + 3))
    times = [one.at for one in (*first.entries, *second.entries)]
    assert times == sorted(times, reverse=True)
    newest = first.entries[0]
    assert (newest.who, newest.action, newest.old, newest.new, newest.reason) == (
        "user:me",
        Action.PROVIDER_SWITCHED,
        "on",
        "off",
        "why",
    )


@pytest.mark.parametrize("cursor", ["", "x", "TRAIL", "~", "12.a"])
def test_a_cursor_that_no_page_had_is_refused(cursor: str) -> None:
    with pytest.raises(ParameterError) as raised:
        Service().functions.trail.page(cursor)
    assert raised.value.param == "before"
