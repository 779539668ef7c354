"""The limits of one person: those an operator has set for them, and lower ones they set themselves.

They are stored in the person's ledger entry. So the write that holds money can require that the
limits have not changed since they were checked.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from imagegen.domain.budget_amounts import Amounts
from imagegen.domain.ledger import Limits, PersonalLimits

type Change = Callable[[PersonalLimits], PersonalLimits]


class PersonalLimitStore(Protocol):
    """Where the limits of each person stand."""

    def set_limits(self, user: str, change: Change) -> PersonalLimits:
        """Change a person's limits in one atomic write; return the new ones.

        ``change`` may be called again, when another write came first.

        Raises:
            StoreUnavailableError: they may or may not have been changed.
        """
        ...


def set_by_operator(limits: PersonalLimits, new: Amounts) -> PersonalLimits:
    """Return the limits with those that an operator sets in place of everybody's."""
    return replace(limits, daily_microusd=new.daily_microusd, monthly_microusd=new.monthly_microusd)


def set_by_person(limits: PersonalLimits, new: Amounts) -> PersonalLimits:
    """Return the limits with those that a person sets; they can only lower what others allow."""
    return replace(
        limits, own_daily_microusd=new.daily_microusd, own_monthly_microusd=new.monthly_microusd
    )


def applied(limits: Limits, personal: PersonalLimits) -> Limits:
    """Return what a person may do: an operator's amount replaces everybody's, the lower one holds.

    Counts of images stay everybody's.
    """
    if personal == PersonalLimits():
        return limits
    daily, monthly = personal.daily_microusd, personal.monthly_microusd
    daily = limits.daily_microusd if daily is None else daily
    monthly = limits.monthly_microusd if monthly is None else monthly
    own_daily, own_monthly = personal.own_daily_microusd, personal.own_monthly_microusd
    months = (amount for amount in (monthly, own_monthly) if amount is not None)
    return replace(
        limits,
        daily_microusd=daily if own_daily is None else min(daily, own_daily),
        monthly_microusd=min(months, default=None),
    )
