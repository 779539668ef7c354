"""The commands of operators, such as ``make today``, ``make user`` and ``make trail``.

They work on the table itself, with the credentials of the terminal, so that they need no token and
no function that answers. What they change is in the same trail as what the routes change.
"""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from pydantic import ValidationError

from imagegen.bootstrap.admin import AdminService
from imagegen.bootstrap.admin_world import AwsAdminWorld
from imagegen.domain.errors import ImagegenError
from imagegen.settings import AdminSettings
from imagegen.wire.admin import FailuresQuery, FindPerson, SpendingQuery
from imagegen.wire.admin_budgets import SetBudget
from local.parameters import environment_name
from operations import accounts, admin_tables
from operations.accounts import stack_of
from operations.push_env import parameters_path

if TYPE_CHECKING:
    from imagegen.monitoring.observer import LogObserver

ENDPOINT = "AWS_ENDPOINT_URL"
NO_LIMIT = "none"


class QuietObserver:
    """Ignores every event: commands in a terminal write no logs and no metrics."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Return a function that does nothing; the trail has what is changed."""
        return lambda *_given, **_named: None


@dataclass(frozen=True)
class TerminalWorld(AwsAdminWorld):
    """The stack as a terminal reaches it."""

    @cached_property
    def observer(self) -> "LogObserver":
        """Logs and counts nothing."""
        quiet: Any = QuietObserver()
        observer: LogObserver = quiet
        return observer


def settings_of(found: Mapping[str, Any], environ: Mapping[str, str]) -> AdminSettings:
    """Return the settings of a described stack, as its function ``admin`` has them.

    Raises:
        pydantic.ValidationError: the stack has a setting that this release does not allow.
    """
    given = accounts.parameter_values(found).items()
    settings = {environment_name(name): value for name, value in given}
    return AdminSettings.from_env(
        {
            **settings,
            "TABLE_NAME": accounts.outputs(found)["TableName"],
            "PARAMETERS_PATH": parameters_path(found["StackName"]),
            "STACK_NAME": found["StackName"],
            ENDPOINT: environ.get(ENDPOINT, ""),
        }
    )


def today(service: AdminService, given: argparse.Namespace) -> str:
    """Return what a day or a month cost."""
    query = SpendingQuery(day=given.day or None, month=given.month or None)
    return admin_tables.spending_text(service.spending.spending(query))


def failures(service: AdminService, given: argparse.Namespace) -> str:
    """Return what failed in the last hours."""
    query = FailuresQuery(hours=given.hours)
    return admin_tables.failures_text(service.spending.failures(query))


def providers(service: AdminService, given: argparse.Namespace) -> str:
    """Return the providers; with a name and a state, after that one is switched."""
    control = service.provider_control
    if not given.name:
        return admin_tables.providers_text(control.overview())
    if given.set not in ("on", "off"):
        raise SystemExit("Say what to do with it: SET=off or SET=on")
    found = control.switch(given.name, given.who, is_on=given.set == "on", reason=given.why)
    return admin_tables.providers_text(found)


def circuit(service: AdminService, given: argparse.Namespace) -> str:
    """Return the providers after a circuit is closed."""
    if not given.name:
        raise SystemExit("Name a circuit: NAME=<provider>, or NAME=<provider>/<model>")
    found = service.provider_control.reset(given.name, given.who, reason=given.why)
    return admin_tables.providers_text(found)


def user(service: AdminService, given: argparse.Namespace) -> str:
    """Return a person; with a state, after they are blocked or let in again."""
    if not given.subject and not given.user:
        raise SystemExit('Name a person: SUBJECT= (the "sub" of their tokens) or HASH=')
    asked = FindPerson(subject=given.subject or None, user=given.user or None)
    person = service.people.find(asked)
    if not given.set:
        return admin_tables.person_text(person)
    if given.set == "erased":
        erasing = service.people.erase(person.user, given.who, reason=given.why)
        return admin_tables.person_text(erasing)
    if given.set not in ("blocked", "free"):
        raise SystemExit("Say what to do with them: SET=blocked, SET=free or SET=erased")
    blocked = given.set == "blocked"
    changed = service.people.block(person.user, given.who, blocked=blocked, reason=given.why)
    return admin_tables.person_text(changed)


def trail(service: AdminService, given: argparse.Namespace) -> str:
    """Return what operators changed."""
    return admin_tables.trail_text(service.trail.page(given.before or None))


def budget(service: AdminService, given: argparse.Namespace) -> str:
    """Return a budget; with an amount or a reset, after it is set."""
    level, _, name = given.level.partition(":")
    asked: dict[str, object] = {"level": level, "reason": given.why}
    if level == "team":
        asked["team"] = name
    elif name:
        asked["subject"] = name
    elif given.user:
        asked["user"] = given.user
    for field, text in (("dailySpend", given.day), ("monthlySpend", given.month)):
        if text:
            asked[field] = None if text == NO_LIMIT else text
    if given.reset:
        asked["reset"] = True
    try:
        new = SetBudget.model_validate(asked)
    except ValidationError as error:
        wrong = ", ".join(str(one["loc"][0]) for one in error.errors())
        raise SystemExit(
            f"Cannot read {wrong}. LEVEL is organisation, teams, team:NAME or person:SUBJECT; DAY "
            "and MONTH are dollars such as 25 or 2.50, or none."
        ) from None
    control = service.budget_control
    is_change = given.day or given.month or given.reset
    return admin_tables.budget_text(control.set(new, given.who) if is_change else control.show(new))


COMMANDS = {
    "budget": budget,
    "today": today,
    "failures": failures,
    "providers": providers,
    "circuit": circuit,
    "user": user,
    "trail": trail,
}


def arguments() -> argparse.Namespace:
    """Return what the Makefile gives."""
    parser = argparse.ArgumentParser(prog="make", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--stack", required=True)
    for name in ("day", "month", "name", "set", "subject", "user", "before"):
        parser.add_argument(f"--{name}", default="")
    parser.add_argument("--level", default="organisation")
    parser.add_argument("--reset", action="store_true")
    parser.add_argument("--why", default="", help="is kept in the trail")
    parser.add_argument("--hours", type=int, default=24)
    return parser.parse_args()


def service_of(stack: str) -> AdminService:
    """Return the service over a deployed stack.

    Raises:
        AccountError: there is no such stack here.
    """
    settings = settings_of(stack_of(boto3.client("cloudformation"), stack), os.environ)
    return AdminService(TerminalWorld(settings), settings)


def main() -> None:
    """Run one command."""
    # `make today | head` ends it without a word, as it ends other programs.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    given = arguments()
    try:
        print(accounts.run(f"make {given.command}", lambda: carried_out(given)))
    except ImagegenError as error:
        sys.exit(str(error))


def carried_out(given: argparse.Namespace) -> str:
    """Return what a command prints."""
    # Read before anything is changed: the trail names these credentials.
    given.who = accounts.place().caller
    return COMMANDS[given.command](service_of(given.stack), given)


if __name__ == "__main__":
    main()
