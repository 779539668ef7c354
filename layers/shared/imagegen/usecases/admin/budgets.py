"""Shows and sets budgets: of all users, of a team, of each team, and of one person.

What is set holds within a minute in every instance; of a person, with the next click.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from imagegen.domain.budget_amounts import EACH_TEAM, Amounts, AmountStore
from imagegen.domain.budgets import ORGANISATION, TEAM_PREFIX, BudgetStore, team_level
from imagegen.domain.days import utc_day
from imagegen.domain.errors import ParameterError, StoreUnavailableError
from imagegen.domain.ledger import PersonalLimits
from imagegen.domain.money import label_text
from imagegen.domain.personal_limits import PersonalLimitStore, set_by_operator
from imagegen.domain.stores import LedgerStore
from imagegen.domain.trail import Action, Change
from imagegen.usecases.admin.people import user_named
from imagegen.usecases.admin.trail import Trail
from imagegen.wire.admin_budgets import BudgetPlace, SetBudget, SharedBudget

NO_LIMIT, EVERYBODYS = "no limit", "everybody's limit"
TRIES = 5
"""How often another operator may come first."""


@dataclass(frozen=True, slots=True)
class BudgetControl:
    """The budgets of one stack."""

    amounts: AmountStore
    counted: Callable[[], BudgetStore]
    ledgers: LedgerStore
    personal: PersonalLimitStore
    organisation: Amounts
    """The stack's setting, which an operator may replace; the same holds for ``team``."""
    team: Amounts
    """Of each team."""
    trail: Trail
    user_of: Callable[[str], str]
    """Returns the user's id of a subject of the issuer."""
    now_ms: Callable[[], int]

    def show(self, place: BudgetPlace) -> SharedBudget:
        """Return a budget as it is now.

        Raises:
            ParameterError: it is not clear which one is meant.
            StoreUnavailableError: a store cannot be read.
        """
        if place.level == "person":
            return self._of_person(user_named(place, self.user_of))
        level = _level(place)
        found = self.amounts.amounts(level)
        amounts = found or self._default(place)
        day = utc_day(self.now_ms())
        used = None if level == EACH_TEAM else self.counted().load(level, day[:6])
        return SharedBudget(
            level=place.level,
            team=place.team,
            team_hash=team_level(place.team).removeprefix(TEAM_PREFIX) if place.team else "",
            user="",
            daily_spend=amounts.daily_microusd,
            monthly_spend=amounts.monthly_microusd,
            is_set=found is not None,
            own_daily_spend=None,
            own_monthly_spend=None,
            spent_today=None if used is None else used.days.get(day, 0),
            spent_this_month=None if used is None else used.month_microusd,
        )

    def set(self, new: SetBudget, who: str) -> SharedBudget:
        """Set a budget, and return it as it is now. It takes nothing back that is spent.

        Raises:
            ParameterError: it is not clear which one is meant, or what to do.
            StoreUnavailableError: it may or may not be set. Send it again.
        """
        if new.reset is bool(new.model_fields_set & {"daily_spend", "monthly_spend"}):
            raise ParameterError("reset", "Send dailySpend or monthlySpend, or else reset.")
        if new.level == "person":
            self._set_person(user_named(new, self.user_of), new, who)
        else:
            self._set_level(new, who)
        return self.show(new)

    def _set_level(self, new: SetBudget, who: str) -> None:
        level, default = _level(new), self._default(new)
        target = f"team {new.team}" if new.level == "team" else new.level
        for _ in range(TRIES):
            found = self.amounts.amounts(level)
            before = found or default
            after = None if new.reset else _changed(before, new)
            if after == found:
                return
            texts = _text(before, NO_LIMIT), _text(after or default, NO_LIMIT)
            self._record(who, target, *texts, new)
            # Another operator may have set the other amount meanwhile.
            if self.amounts.replace(level, found, after):
                return
        raise StoreUnavailableError("The budget is changed all the time. Try again.")

    def _set_person(self, user: str, new: SetBudget, who: str) -> None:
        before = _amounts(self.ledgers.load(user).personal)
        after = Amounts() if new.reset else _changed(before, new)
        if after == before:
            return
        self._record(who, user, _text(before, EVERYBODYS), _text(after, EVERYBODYS), new)
        # Only what was given: another operator may have set the other amount meanwhile.
        self.personal.set_limits(
            user,
            lambda now: set_by_operator(
                now, Amounts() if new.reset else _changed(_amounts(now), new)
            ),
        )

    def _of_person(self, user: str) -> SharedBudget:
        ledger, day = self.ledgers.load(user), utc_day(self.now_ms())
        limits = ledger.personal
        amounts = _amounts(limits)
        return SharedBudget(
            level="person",
            team="",
            team_hash="",
            user=user,
            daily_spend=amounts.daily_microusd,
            monthly_spend=amounts.monthly_microusd,
            is_set=amounts != Amounts(),
            own_daily_spend=limits.own_daily_microusd,
            own_monthly_spend=limits.own_monthly_microusd,
            spent_today=ledger.spent.get(day, 0),
            spent_this_month=ledger.months.get(day[:6], 0),
        )

    def _default(self, place: BudgetPlace) -> Amounts:
        if place.level == "organisation":
            return self.organisation
        of_each = self.amounts.amounts(EACH_TEAM) if place.level == "team" else None
        return of_each or self.team

    def _record(self, who: str, target: str, old: str, new: str, asked: SetBudget) -> None:
        self.trail.record(who, Change(Action.BUDGET_SET, target, old, new, asked.reason))


def _level(place: BudgetPlace) -> str:
    if place.subject is not None or place.user is not None:
        raise ParameterError("level", "Send a person with the level person, and only with it.")
    if (place.level == "team") is not bool(place.team):
        raise ParameterError("team", "Send the team's name with the level team, and only with it.")
    levels = {"organisation": ORGANISATION, "teams": EACH_TEAM}
    return levels.get(place.level) or team_level(place.team)


def _changed(amounts: Amounts, new: SetBudget) -> Amounts:
    given = new.model_fields_set
    if "daily_spend" in given:
        amounts = replace(amounts, daily_microusd=new.daily_spend)
    if "monthly_spend" in given:
        amounts = replace(amounts, monthly_microusd=new.monthly_spend)
    return amounts


def _amounts(limits: PersonalLimits) -> Amounts:
    return Amounts(limits.daily_microusd, limits.monthly_microusd)


def _text(amounts: Amounts, missing: str) -> str:
    day, month = amounts.daily_microusd, amounts.monthly_microusd
    of_day = missing if day is None else label_text(day)
    of_month = missing if month is None else label_text(month)
    return f"{of_day} a day, {of_month} a month"
