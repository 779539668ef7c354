"""The JSON of the routes for operators."""

from typing import Annotated, Literal

from pydantic import Field

from imagegen.domain.catalog import Tier
from imagegen.domain.trail import MOST_REASON_CHARACTERS, Action
from imagegen.wire.estimates import Allowance
from imagegen.wire.usage import ChatAllowance
from imagegen.wire.values import EdgeModel, Instant, MicroUsd

Reason = Annotated[
    str,
    Field(
        max_length=MOST_REASON_CHARACTERS,
        description="Why, in your own words: it is kept in the trail. Name no person in it.",
    ),
]


class SumReport(EdgeModel):
    """The sums of some requests."""

    requests: int
    images: int
    promised: MicroUsd = Field(description="The sum of the prices on the buttons of these images.")
    charged: MicroUsd = Field(description="What the users paid.")
    billed: MicroUsd = Field(
        description="By what the providers' answers state; where one states nothing, what was paid."
    )
    in_doubt: MicroUsd = Field(
        description="What providers may have billed for lost answers, errors and refusals."
    )
    unsold: MicroUsd = Field(description="For images that arrived and were not sold.")
    above_price: MicroUsd = Field(
        description="How much more some images cost, by the providers' answers, than users paid."
    )


class NamedSum(EdgeModel):
    """The sums of one provider, model, person, team, outcome or time."""

    name: str
    sums: SumReport


class BudgetUse(EdgeModel):
    """What is used of a budget that all users share, now; `null` if there is no limit."""

    level: Literal["organisation", "team"]
    used_today: MicroUsd = Field(description="Charged, and held for images that are being made.")
    usd_today: MicroUsd | None
    used_this_month: MicroUsd
    usd_this_month: MicroUsd | None


class SpendingQuery(EdgeModel):
    """Which time is meant; without one, today."""

    day: str | None = Field(None, max_length=10, description="Such as 2026-11-26, in UTC.")
    month: str | None = Field(None, max_length=7, description="Such as 2026-11, in UTC.")


class Spending(EdgeModel):
    """What a day or a month cost."""

    start: Instant
    end: Instant
    complete: bool = Field(description="`false`: there was no time to read all of it.")
    total: SumReport
    by_time: tuple[NamedSum, ...] = Field(description="By hour of the day, or day of the month.")
    by_provider: tuple[NamedSum, ...]
    by_model: tuple[NamedSum, ...]
    by_person: tuple[NamedSum, ...] = Field(description="The hundred who spent most.")
    by_team: tuple[NamedSum, ...] = Field(
        description="The teams of requests that counted for a team's budget, as hashes: "
        "`teamHash` of a budget is the hash of a team's name."
    )
    by_outcome: tuple[NamedSum, ...]
    budgets: tuple[BudgetUse, ...] = Field(
        description="The use at this moment, not in the requested time."
    )


class FailuresQuery(EdgeModel):
    """Which failures are meant."""

    hours: int = Field(24, ge=1, le=744, description="How many hours back, from now.")


class FailureGroup(EdgeModel):
    """Calls that failed for one reason, and whom that affected."""

    provider: str = Field(description="Empty if no provider was called.")
    model: str
    outcome: str
    code: str = Field(description="The provider's own code, or the error's.")
    requests: int
    made: int = Field(description="How many of these requests got their image by another call.")
    last_at: Instant
    people: int
    users: tuple[str, ...] = Field(description="Up to a hundred of them, as hashes.")


class Failures(EdgeModel):
    """What failed lately."""

    since: Instant
    complete: bool = Field(description="`false`: there was no time to read all of it.")
    groups: tuple[FailureGroup, ...]


class SwitchState(EdgeModel):
    """How an operator last switched a provider."""

    on: bool
    at: Instant
    reason: str


class AdminCircuit(EdgeModel):
    """A circuit as operators see it."""

    circuit: str = Field(description="A provider, or a provider, a slash and a model.")
    state: Literal["closed", "open", "half_open"]
    why: str | None = Field(description="What opened it: the outcome of a call, or `failures`.")
    failures: int = Field(description="In the last ten minutes.")
    users: int = Field(description="How many users have these failures.")
    retry_at: Instant | None


class AdminProvider(EdgeModel):
    """A provider as operators see it."""

    provider: str
    has_key: bool
    enabled: bool = Field(description="Whether both the flag and the switch allow it.")
    flag: bool = Field(description="What `ENABLE_IMAGE_GENERATION_...` says.")
    switch: SwitchState | None = Field(description="`null`: no operator has switched it yet.")
    circuit: AdminCircuit
    last_key_check: str | None


class AdminProviders(EdgeModel):
    """The providers, and the circuits that are not simply closed."""

    providers: tuple[AdminProvider, ...]
    circuits: tuple[AdminCircuit, ...]


class SwitchProvider(EdgeModel):
    """Switches a provider off or on."""

    provider: Annotated[str, Field(max_length=100)]
    on: bool
    reason: Reason = ""


class ResetCircuit(EdgeModel):
    """Closes a circuit."""

    circuit: Annotated[str, Field(max_length=300)]
    reason: Reason = ""


class FindPerson(EdgeModel):
    """Names a person: one of the two."""

    subject: Annotated[
        str | None,
        Field(min_length=1, max_length=255, description="The `sub` of the person's tokens."),
    ] = None
    user: Annotated[
        str | None, Field(max_length=64, description="The hash that reports and the trail show.")
    ] = None


class PersonRequest(EdgeModel):
    """One confirmed request of a person, without what opens its image."""

    quote_id: str
    status: Literal["complete", "failed"]
    provider: str
    model: str
    quality: Tier
    size: str
    cost: MicroUsd
    created_at: Instant
    code: str | None
    deleted: bool


class Person(EdgeModel):
    """What the service has of a person."""

    user: str = Field(description="The person's hash in the table, in reports and in the trail.")
    log_name: str = Field(description="The person's name in log lines.")
    known: bool = Field(description="`false`: this person has never confirmed an image.")
    blocked: bool
    spent: MicroUsd = Field(description="On this UTC day, like the four after it.")
    reserved: MicroUsd
    images: int
    attempts: int
    limits: Allowance
    remaining: Allowance
    chat: ChatAllowance = Field(description="What was used of the chat today.")
    recent: tuple[PersonRequest, ...]
    erasing_since: Instant | None = Field(
        description="Since when this person is being erased; `null`: nothing is asked for."
    )


class BlockPerson(EdgeModel):
    """Blocks a person, or lets them in again."""

    user: Annotated[str, Field(max_length=64)]
    blocked: bool
    reason: Reason = ""


class ErasePerson(EdgeModel):
    """Asks for the erasure of a person."""

    user: Annotated[str, Field(max_length=64)]
    reason: Reason = ""


class TrailQuery(EdgeModel):
    """Which part of the trail is meant; without a cursor, the newest."""

    before: str | None = Field(
        None, max_length=64, description="The `nextCursor` of an earlier page."
    )


class TrailItem(EdgeModel):
    """One change of an operator."""

    at: Instant
    who: str
    action: Action
    target: str
    old: str
    new: str
    reason: str


class TrailList(EdgeModel):
    """A part of the trail, the newest entries first."""

    entries: tuple[TrailItem, ...]
    next_cursor: str | None
