"""The JSON of the routes with which operators see and set budgets."""

from typing import Annotated, Literal

from pydantic import Field

from imagegen.wire.admin import FindPerson, Reason
from imagegen.wire.values import DollarsIn, EdgeModel, MicroUsd


class BudgetPlace(FindPerson):
    """Names a budget; a person by `subject` or `user`."""

    level: Literal["organisation", "team", "teams", "person"] = Field(
        "organisation", description="`teams`: each team without amounts of its own."
    )
    team: Annotated[str, Field(max_length=255)] = Field(
        "", description="Of a team: its name, as the tokens have it."
    )


class SetBudget(BudgetPlace):
    """Sets a budget. An amount that is left out stays as it is."""

    daily_spend: DollarsIn | None = Field(
        None, description="`null`: no limit; of a person, everybody's limit."
    )
    monthly_spend: DollarsIn | None = Field(None, description="As `dailySpend`, for a UTC month.")
    reset: bool = Field(
        default=False, description="Go back to the stack's settings, or to everybody's limit."
    )
    reason: Reason = ""


class SharedBudget(EdgeModel):
    """What may be spent, and what was spent with what is held."""

    level: Literal["organisation", "team", "teams", "person"]
    team: str
    team_hash: str = Field(
        description="Of a team: the hash that stands for its name in sums; otherwise empty."
    )
    user: str = Field(description="Of a person: the hash; otherwise empty.")
    daily_spend: MicroUsd | None = Field(
        description="`null`: no limit; of a person, everybody's limit."
    )
    monthly_spend: MicroUsd | None
    is_set: bool = Field(description="Whether an operator has set it; otherwise it is the stack's.")
    own_daily_spend: MicroUsd | None = Field(
        description="A lower limit that the person has set; `null`: none, or not a person's budget."
    )
    own_monthly_spend: MicroUsd | None
    spent_today: MicroUsd | None = Field(
        description="`null` for `teams`, like the next field: each team has its own sum."
    )
    spent_this_month: MicroUsd | None
