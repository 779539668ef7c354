"""``make budget``: shows or sets what all users, a team, each team or one person may spend.

``LEVEL=`` is ``organisation``, ``team:NAME`` (the name in the tokens' claim), ``teams`` (each team
without amounts of its own) or ``person:SUBJECT``. Without ``DAY=`` and ``MONTH=`` it only shows.
What is set holds in every instance within a minute, without a deployment, and instead of the
stack's own settings; ``RESET=1`` goes back to these.
"""

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

import boto3

from imagegen.aws.amount_store import DynamoAmountStore
from imagegen.aws.budget_store import DynamoBudgetStore
from imagegen.aws.ledger_store import DynamoLedgerStore
from imagegen.domain.budget_amounts import EACH_TEAM, Amounts, AmountStore
from imagegen.domain.budgets import ORGANISATION, BudgetStore, team_level
from imagegen.domain.days import utc_day
from imagegen.domain.errors import ImagegenError
from imagegen.domain.ledger import PersonalLimits
from imagegen.domain.money import label_text, parse_usd
from imagegen.domain.personal_limits import PersonalLimitStore, set_by_operator
from imagegen.domain.stores import LedgerStore
from local.parameters import read_dotenv
from local.paths import DOTENV
from operations import accounts
from operations.report import table_of
from operations.user_names import user_of

NO_LIMIT: Final = "none"
PARAMETERS: Final = {
    ORGANISATION: ("TotalDailySpendUsd", "TotalMonthlySpendUsd"),
    EACH_TEAM: ("TeamDailySpendUsd", "TeamMonthlySpendUsd"),
}


class Ledgers(LedgerStore, PersonalLimitStore, Protocol):
    """The people's entries, with the limits of each."""


@dataclass(frozen=True, slots=True)
class Budgets:
    """What the command reads and writes."""

    amounts: AmountStore
    counted: BudgetStore
    ledgers: Ledgers
    stack: Mapping[str, str]
    """The stack's parameters, by name."""
    issuer: str
    now_ms: int

    def done(self, given: argparse.Namespace) -> str:
        """Carry out the command, and return what it prints.

        Raises:
            SystemExit: what was given cannot be read.
            ImagegenError: a store cannot be reached.
        """
        kind, _, name = given.level.partition(":")
        if kind == "person":
            return self._person(given, user_of(name, given.user, self.issuer))
        if kind == "team" and name:
            return self._level(given, team_level(name), EACH_TEAM)
        levels = {"organisation": ORGANISATION, "teams": EACH_TEAM}
        if given.level not in levels:
            raise SystemExit(
                f"LEVEL is organisation, teams, team:NAME or person:SUBJECT, not {given.level!r}."
            )
        return self._level(given, levels[given.level], levels[given.level])

    def _level(self, given: argparse.Namespace, level: str, default: str) -> str:
        stacks = self._default(default)
        if default != level:
            stacks = self.amounts.amounts(default) or stacks
        before = self.amounts.amounts(level)
        after = None if given.reset else _changed(before or stacks, given)
        lines = []
        if given.reset or given.day or given.month:
            self.amounts.set_amounts(level, after)
            lines.append(f"before  {_text(before or stacks)}{_origin(before)}")
            before = after
        lines.append(f"now     {_text(before or stacks)}{_origin(before)}")
        if level != EACH_TEAM:
            day = utc_day(self.now_ms)
            used = self.counted.load(level, day[:6])
            spent = Amounts(used.days.get(day, 0), used.month_microusd)
            lines.append(f"used    {_text(spent)}, with what is held")
        return "\n".join(lines)

    def _person(self, given: argparse.Namespace, user: str) -> str:
        ledgers, lines = self.ledgers, []
        if given.reset or given.day or given.month:

            def change(limits: PersonalLimits) -> PersonalLimits:
                amounts = Amounts(limits.daily_microusd, limits.monthly_microusd)
                new = Amounts() if given.reset else _changed(amounts, given)
                return set_by_operator(limits, new)

            before, _ = ledgers.set_limits(user, change)
            lines.append(f"before  {_personal(before)}")
        ledger, day = ledgers.load(user), utc_day(self.now_ms)
        spent = Amounts(ledger.spent.get(day, 0), ledger.months.get(day[:6], 0))
        lines += [
            f"now     {_personal(ledger.personal)}",
            f"used    {_text(spent)}, with what is held",
        ]
        return "\n".join(lines)

    def _default(self, level: str) -> Amounts:
        day, month = (self.stack.get(name, "") for name in PARAMETERS[level])
        return Amounts(parse_usd(day) if day else None, parse_usd(month) if month else None)


def _changed(amounts: Amounts, given: argparse.Namespace) -> Amounts:
    if given.day:
        amounts = replace(amounts, daily_microusd=_amount(given.day))
    if given.month:
        amounts = replace(amounts, monthly_microusd=_amount(given.month))
    return amounts


def _amount(text: str) -> int | None:
    if text == NO_LIMIT:
        return None
    try:
        return parse_usd(text)
    except ValueError:
        raise SystemExit(f"Not dollars such as 25 or 2.50, and not none: {text!r}") from None


def _text(amounts: Amounts) -> str:
    day, month = amounts.daily_microusd, amounts.monthly_microusd
    return f"{_dollars(day)} a day, {_dollars(month)} a month"


def _dollars(amount: int | None) -> str:
    return "no limit" if amount is None else label_text(amount)


def _origin(amounts: Amounts | None) -> str:
    return " (the stack's settings)" if amounts is None else " (set by an operator)"


def _personal(limits: PersonalLimits) -> str:
    """Return the limits of a person; what is not set is everybody's."""
    amounts = (
        ("a day", limits.daily_microusd, limits.own_daily_microusd),
        ("a month", limits.monthly_microusd, limits.own_monthly_microusd),
    )
    parts = []
    for span, of_operator, own in amounts:
        text = "everybody's limit" if of_operator is None else _dollars(of_operator)
        parts.append(f"{text} {span}" + (f", own {_dollars(own)}" if own is not None else ""))
    return "; ".join(parts)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command."""
    parser = argparse.ArgumentParser(prog="make budget", description=__doc__)
    parser.add_argument("--stack", required=True)
    parser.add_argument("--env-file", type=Path, default=DOTENV)
    parser.add_argument("--level", default="organisation")
    for name in ("day", "month", "user"):
        parser.add_argument(f"--{name}", default="")
    parser.add_argument("--reset", action="store_true")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Carry out the command on a deployed stack."""
    given = parser().parse_args(arguments)
    try:
        accounts.settle_region()
        cloudformation, dynamodb = boto3.client("cloudformation"), boto3.client("dynamodb")
        (found,) = cloudformation.describe_stacks(StackName=given.stack)["Stacks"]
        table = table_of(cloudformation, given.stack)
        budgets = Budgets(
            DynamoAmountStore(dynamodb, table),
            DynamoBudgetStore(dynamodb, table),
            DynamoLedgerStore(dynamodb, table),
            {one["ParameterKey"]: one["ParameterValue"] for one in found.get("Parameters", [])},
            read_dotenv(given.env_file).get("JWT_ISSUER", ""),
            time.time_ns() // 1_000_000,
        )
        print(budgets.done(given))
    except (accounts.AccountError, ImagegenError) as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
