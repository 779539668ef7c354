"""What a day or a month cost, by hour or day, provider, model, person and team; and what failed."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from imagegen.domain.budgets import TEAM_PREFIX, BudgetStore, Level
from imagegen.domain.days import utc_day
from imagegen.domain.errors import ParameterError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.records import SUCCESS, RecordStatus
from imagegen.domain.spending import (
    Kind,
    RecordScan,
    Sum,
    Sums,
    UserRecord,
    grouped,
    parts,
    total,
)
from imagegen.usecases.budgets import standings
from imagegen.wire.admin import (
    BudgetUse,
    FailureGroup,
    Failures,
    FailuresQuery,
    NamedSum,
    Spending,
    SpendingQuery,
    SumReport,
)

DAY_FORMAT, MONTH_FORMAT = "%Y-%m-%d", "%Y-%m"
READING_MS = 20_000
"""How long one answer may read. What it has read by then is answered as incomplete."""
MOST_NAMES = 100
HOUR_MS = 3_600_000
FAULTS = frozenset({*Outcome}) - {Outcome.NOT_CALLED}
"""The outcomes of calls that made no image."""


@dataclass(frozen=True, slots=True)
class Period:
    """A UTC day or month."""

    start_ms: int
    end_ms: int
    part_format: str
    """How the parts of it are written: its hours or its days."""


@dataclass(slots=True)
class _Sums:
    kinds: dict[Kind, Sum] = field(default_factory=lambda: defaultdict(Sum))
    times: dict[str, Sum] = field(default_factory=lambda: defaultdict(Sum))

    def add(self, one: UserRecord, part: str) -> None:
        for kind, amount in parts(one):
            self.kinds[kind] = self.kinds[kind].plus(amount)
            self.times[part] = self.times[part].plus(amount)


@dataclass(slots=True)
class _Group:
    requests: int = 0
    made: int = 0
    last_ms: int = 0
    users: set[str] = field(default_factory=set)

    def add(self, one: UserRecord) -> None:
        self.requests += 1
        self.made += one.record.status is RecordStatus.COMPLETE
        self.last_ms = max(self.last_ms, one.record.created_ms)
        self.users.add(one.user)


@dataclass(frozen=True, slots=True)
class SpendingReader:
    """Reads the records of all users."""

    scan: RecordScan
    budgets: Callable[[], BudgetStore]
    levels: Callable[[], tuple[Level, ...]]
    now_ms: Callable[[], int]

    def spending(self, query: SpendingQuery) -> Spending:
        """Return the sums of a day or a month; without one, of today.

        A request belongs to the time at which its quote was issued, in UTC.

        Raises:
            ParameterError: it is not a day or month, or both are given.
            StoreUnavailableError: the records cannot be read.
        """
        period = self._period(query)
        sums, reading = _Sums(), _Reading(self.now_ms() + READING_MS, self.now_ms)
        for one in reading.until_late(self.scan.between(period.start_ms, period.end_ms)):
            sums.add(one, _written(one.record.issued_ms, period.part_format))
        return Spending(
            start=period.start_ms,
            end=period.end_ms,
            complete=reading.is_complete,
            total=_report(total(sums.kinds)),
            by_time=_named(sorted(sums.times.items())),
            by_provider=_named(grouped(sums.kinds, lambda kind: kind.provider)),
            by_model=_named(grouped(sums.kinds, lambda kind: f"{kind.provider}/{kind.model}")),
            by_person=_named(grouped(sums.kinds, lambda kind: kind.user)),
            by_team=_named(_of_teams(sums.kinds)),
            by_outcome=_named(grouped(sums.kinds, lambda kind: kind.outcome)),
            budgets=self._budgets(),
        )

    def failures(self, query: FailuresQuery) -> Failures:
        """Return the failed calls of the last hours by provider, model and reason, with users.

        A call that failed counts although another model made the image afterwards. The users are
        listed up to a number; ``people`` counts all of them.

        Raises:
            StoreUnavailableError: the records cannot be read.
        """
        now_ms = self.now_ms()
        since_ms = now_ms - query.hours * HOUR_MS
        groups: dict[tuple[str, ...], _Group] = defaultdict(_Group)
        reading = _Reading(now_ms + READING_MS, self.now_ms)
        for one in reading.until_late(self.scan.between(since_ms, now_ms + HOUR_MS)):
            for reason in _reasons(one):
                groups[reason].add(one)
        ordered = sorted(groups.items(), key=lambda one: (-len(one[1].users), one[0]))
        return Failures(
            since=since_ms,
            complete=reading.is_complete,
            groups=tuple(_failure(reason, group) for reason, group in ordered),
        )

    def _budgets(self) -> tuple[BudgetUse, ...]:
        day = utc_day(self.now_ms())
        return tuple(
            BudgetUse(
                level=one.level.title,
                used_today=one.budget.days.get(day, 0),
                usd_today=one.level.daily_microusd,
                used_this_month=one.budget.month_microusd,
                usd_this_month=one.level.monthly_microusd,
            )
            for one in standings(self.budgets(), self.levels(), day)
        )

    def _period(self, query: SpendingQuery) -> Period:
        if query.day is not None and query.month is not None:
            raise ParameterError("day", "Send either a day or a month.")
        if query.month is not None:
            start = _parsed(query.month, MONTH_FORMAT, "month")
            return Period(_ms(start), _ms(_next_month(start)), DAY_FORMAT)
        today = datetime.fromtimestamp(self.now_ms() / 1000, UTC).strftime(DAY_FORMAT)
        start = _parsed(today if query.day is None else query.day, DAY_FORMAT, "day")
        return Period(_ms(start), _ms(start + timedelta(days=1)), "%H:00")


@dataclass(slots=True)
class _Reading:
    ends_ms: int
    now_ms: Callable[[], int]
    is_complete: bool = True

    def until_late(self, found: Iterator[UserRecord]) -> Iterator[UserRecord]:
        """Yield what is found until the time is over."""
        for one in found:
            yield one
            if self.now_ms() >= self.ends_ms:
                self.is_complete = False
                return


def _of_teams(sums: Sums) -> list[tuple[str, Sum]]:
    """Return the sums by team, none if no request counted for one."""
    teams = grouped(sums, lambda kind: kind.team.removeprefix(TEAM_PREFIX))
    return [one for one in teams if one[0]]


def _reasons(one: UserRecord) -> set[tuple[str, ...]]:
    """Return the reasons of failures: provider, model, outcome and code of each failed call.

    A request that failed without a failed call has one reason, without provider and model.
    """
    record = one.record
    called: set[tuple[str, ...]] = {
        (each.provider, each.model, each.outcome, each.code)
        for each in record.attempts
        if each.outcome != SUCCESS and each.outcome in FAULTS
    }
    if called or record.status is RecordStatus.COMPLETE:
        return called
    return {("", "", record.status.value, record.code)}


def _failure(reason: tuple[str, ...], group: _Group) -> FailureGroup:
    provider, model, outcome, code = reason
    return FailureGroup(
        provider=provider,
        model=model,
        outcome=outcome,
        code=code,
        requests=group.requests,
        made=group.made,
        last_at=group.last_ms,
        people=len(group.users),
        users=tuple(sorted(group.users)[:MOST_NAMES]),
    )


def _named(sums: Iterable[tuple[Hashable, Sum]]) -> tuple[NamedSum, ...]:
    return tuple(
        NamedSum(name=str(name), sums=_report(amount)) for name, amount in list(sums)[:MOST_NAMES]
    )


def _report(amount: Sum) -> SumReport:
    return SumReport(
        requests=amount.requests,
        images=amount.images,
        promised=amount.promised,
        charged=amount.charged,
        billed=amount.billed,
        in_doubt=amount.in_doubt,
        unsold=amount.unsold,
        above_price=amount.above_price,
    )


def _parsed(text: str, form: str, name: str) -> datetime:
    try:
        found = datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError:
        example = "2026-11" if name == "month" else "2026-11-26"
        raise ParameterError(name, f"A {name} is written as {example}.") from None
    if found.year < 2000:
        raise ParameterError(name, f"The {name} is before the year 2000.")
    return found


def _next_month(start: datetime) -> datetime:
    return (start + timedelta(days=31)).replace(day=1)


def _written(at_ms: int, form: str) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime(form)


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
