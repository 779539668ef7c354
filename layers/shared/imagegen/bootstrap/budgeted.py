"""The part that services share which read the budgets above people."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from imagegen.bootstrap.service import Service
from imagegen.domain.budget_amounts import CurrentAmounts
from imagegen.settings import MoneySettings

if TYPE_CHECKING:
    from imagegen.usecases.generate.budget_warnings import BudgetWarner


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

    @cached_property
    def budget_warner(self) -> "BudgetWarner":
        """Warns of budgets that are nearly used; it has this instance's memory of warnings."""
        # Imported here: while budgets are far from used, no request needs it.
        from imagegen.usecases.generate.budget_warnings import BudgetWarner  # noqa: PLC0415

        return BudgetWarner(self.world.warnings, self.world.now_ms)
