"""What the commands of operators print: tables, from the same models as the routes."""

from collections.abc import Iterator, Sequence

from imagegen.domain.money import usd_text
from imagegen.wire.admin import (
    AdminCircuit,
    AdminProviders,
    BudgetUse,
    Failures,
    NamedSum,
    Person,
    PersonRequest,
    Spending,
    SumReport,
    TrailItem,
    TrailList,
)
from imagegen.wire.admin_budgets import SharedBudget
from imagegen.wire.values import iso_time
from operations.tables import table

MOST_ROWS = 15
"""Of each table: what fits a screen. The routes and ``make report`` have all."""
SUM_HEADS = ("requests", "promised", "charged", "billed", "in doubt", "unsold", "above price")
YES, NO = "yes", "no"


def spending_text(found: Spending) -> str:
    """Return what a day or a month cost."""
    tables = {
        "provider": found.by_provider,
        "model": found.by_model,
        "person": found.by_person,
        **({"team": found.by_team} if found.by_team else {}),
        "outcome": found.by_outcome,
        "time (UTC)": found.by_time,
    }
    parts = [
        f"{iso_time(found.start)} to {iso_time(found.end)}",
        table(("all", *SUM_HEADS), ("everything", *_sums(found.total))),
        *(_named(head, sums) for head, sums in tables.items()),
    ]
    if found.budgets:
        heads = ("shared budget, now", "used today", "of", "used this month", "of")
        parts.append(table(heads, *map(_budget, found.budgets)))
    if not found.complete:
        parts.append("There was no time to read all of it: `make report` has the whole month.")
    return "\n\n".join(parts)


def failures_text(found: Failures) -> str:
    """Return what failed, and whom that affected."""
    heads = ("provider and model", "outcome", "code", "requests", "made elsewhere", "people")
    rows = [
        (
            f"{one.provider} {one.model}".strip() or "-",
            one.outcome,
            one.code or "-",
            *map(str, (one.requests, one.made, one.people)),
        )
        for one in found.groups
    ]
    users = [
        f"  {one.provider or '-'} {one.outcome}: {', '.join(one.users)}" for one in found.groups
    ]
    head = f"since {iso_time(found.since)}"
    if not rows:
        return f"{head}\n\nNothing failed."
    return "\n\n".join((head, table(heads, *rows), "\n".join(["users", *users])))


def providers_text(found: AdminProviders) -> str:
    """Return the providers, and the circuits that are not simply closed."""
    rows = [
        (
            one.provider,
            YES if one.enabled else NO,
            YES if one.flag else NO,
            "-" if one.switch is None else "on" if one.switch.on else "off",
            YES if one.has_key else NO,
            one.last_key_check or "-",
            one.circuit.state,
            one.circuit.why or "-",
        )
        for one in found.providers
    ]
    heads = ("provider", "enabled", "flag", "switch", "key", "key check", "circuit", "why")
    parts = [table(heads, *rows)]
    if found.circuits:
        columns = ("circuit", "state", "why", "failures", "users", "again at")
        parts.append(table(columns, *map(_circuit, found.circuits)))
    reasons = [
        f"{one.provider} was switched {'on' if one.switch.on else 'off'} at "
        f"{iso_time(one.switch.at)}: {one.switch.reason or 'no reason given'}"
        for one in found.providers
        if one.switch is not None
    ]
    return "\n\n".join((*parts, *reasons))


def person_text(found: Person) -> str:
    """Return what the service has of a person."""
    text = table(*_facts(found).items(), texts=2)
    if not found.recent:
        return text
    rows = map(_request, found.recent[:MOST_ROWS])
    heads = ("newest requests", "state", "model", "charged", "code", "quote id")
    return f"{text}\n\n{table(heads, *rows)}"


def budget_text(found: SharedBudget) -> str:
    """Return what may be spent, and what was spent with what is held."""
    is_person = found.level == "person"
    missing = "as everybody" if is_person else "no limit"
    rows = [
        ("a UTC day", found.daily_spend, found.own_daily_spend, found.spent_today),
        ("a UTC month", found.monthly_spend, found.own_monthly_spend, found.spent_this_month),
    ]
    team = f"team {found.team} ({found.team_hash})" if found.team else ""
    title = team or found.user or found.level
    origin = "set by an operator" if found.is_set else "not set by an operator"
    heads = (f"{title}, {origin}", "limit", *(["own limit"] if is_person else []), "used")
    return table(heads, *(_budget_row(row, missing, is_person=is_person) for row in rows))


def _budget_row(
    row: tuple[str, int | None, int | None, int | None], missing: str, *, is_person: bool
) -> tuple[str, ...]:
    span, limit, own, used = row
    texts = [missing if limit is None else usd_text(limit)]
    if is_person:
        texts.append("-" if own is None else usd_text(own))
    return (span, *texts, "-" if used is None else usd_text(used))


def trail_text(found: TrailList) -> str:
    """Return what operators changed."""
    if not found.entries:
        return "No operator has changed anything."
    rows = map(_entry, found.entries)
    text = table(("when", "what", "of", "change", "who", "why"), *rows)
    return f"{text}\n\nolder: BEFORE={found.next_cursor}" if found.next_cursor else text


def _named(head: str, sums: Sequence[NamedSum]) -> str:
    rows = [(one.name, *_sums(one.sums)) for one in sums[:MOST_ROWS]]
    text = table((head, *SUM_HEADS), *rows)
    more = len(sums) - MOST_ROWS
    return f"{text}\n... and {more} more" if more > 0 else text


def _sums(one: SumReport) -> Iterator[str]:
    yield str(one.requests)
    money = (one.promised, one.charged, one.billed, one.in_doubt, one.unsold, one.above_price)
    yield from map(usd_text, money)


def _circuit(one: AdminCircuit) -> tuple[str, ...]:
    again = iso_time(one.retry_at) if one.retry_at else "-"
    return one.circuit, one.state, one.why or "-", str(one.failures), str(one.users), again


def _facts(found: Person) -> dict[str, str]:
    left = found.remaining.images_this_hour
    return {
        "hash": found.user,
        "name in logs": found.log_name,
        "seen before": YES if found.known else NO,
        "blocked": YES if found.blocked else NO,
        "being erased": f"since {iso_time(found.erasing_since)}" if found.erasing_since else NO,
        "spent today": f"{usd_text(found.spent)} of {usd_text(found.limits.usd_today)}",
        "reserved": usd_text(found.reserved),
        "images today": f"{found.images} of {found.limits.images_today}",
        "attempts today": str(found.attempts),
        "left this hour": "no limit" if left is None else str(left),
        "chat today": f"{found.chat.requests} requests, {found.chat.tokens} tokens",
    }


def _request(one: PersonRequest) -> tuple[str, ...]:
    model = f"{one.provider} {one.model}".strip() or "-"
    state = "deleted" if one.deleted else one.status
    code = one.code or "-"
    return iso_time(one.created_at), state, model, usd_text(one.cost), code, one.quote_id


def _entry(one: TrailItem) -> tuple[str, ...]:
    change = f"{one.old} -> {one.new}"
    return iso_time(one.at), one.action, one.target, change, one.who, one.reason or "-"


def _budget(one: BudgetUse) -> tuple[str, ...]:
    day, month = (
        "no limit" if most is None else usd_text(most)
        for most in (one.usd_today, one.usd_this_month)
    )
    return one.level, usd_text(one.used_today), day, usd_text(one.used_this_month), month
