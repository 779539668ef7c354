"""The part that services share which read the budgets above people."""

from dataclasses import dataclass
from functools import cached_property

from imagegen.bootstrap.service import Service
from imagegen.domain.budget_amounts import CurrentAmounts
from imagegen.settings import MoneySettings


@dataclass(frozen=True)
class BudgetedService(Service):
    """Has the amounts of the budgets above people."""

    settings: MoneySettings

    @cached_property
    def amounts(self) -> CurrentAmounts:
        """The amounts of the budgets above people; it has this instance's memory of them."""
        world, settings = self.world, self.settings
        return CurrentAmounts(
            world.amounts, settings.organisation_amounts, settings.team_amounts, world.now_ms
        )
