"""Finds a person, shows the usage, and blocks the person or lets them in again.

Operators see no pictures, no prompts and no ids that open images.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imagegen.domain.blocks import BlockStore
from imagegen.domain.budgets import BudgetStore
from imagegen.domain.days import utc_day
from imagegen.domain.erasures import Erasure, ErasureStore
from imagegen.domain.errors import ParameterError
from imagegen.domain.ids import log_name
from imagegen.domain.ledger import Ledger, Limits
from imagegen.domain.personal_limits import applied
from imagegen.domain.records import ImageRecord
from imagegen.domain.standing import held_microusd
from imagegen.domain.stores import LedgerStore, RecordStore
from imagegen.domain.trail import Action, Change
from imagegen.usecases.admin.trail import Trail
from imagegen.usecases.budgets import standings, to_allowance
from imagegen.usecases.erasure import ASKED, KEPT
from imagegen.wire.admin import FindPerson, Person, PersonRequest
from imagegen.wire.estimates import Allowance
from imagegen.wire.usage import ChatAllowance

if TYPE_CHECKING:
    from imagegen.domain.chat_usage import ChatUsageStore

RECENT = 50
USER_CHARACTERS = 32
FREE, BLOCKED = "free", "blocked"


@dataclass(frozen=True, slots=True)
class People:
    """The people of one stack."""

    ledgers: LedgerStore
    records: RecordStore
    chat_usages: "ChatUsageStore"
    blocks: BlockStore
    erasures: ErasureStore
    budgets: Callable[[], BudgetStore]
    limits: Callable[[], Limits]
    trail: Trail
    name_key: Callable[[], bytes]
    user_of: Callable[[str], str]
    """Returns the user's id of a subject of the issuer."""
    now_ms: Callable[[], int]

    def find(self, asked: FindPerson) -> Person:
        """Return a person by the issuer's subject, or by the hash that reports show.

        Raises:
            ParameterError: not exactly one of them is given, or the hash is not one.
            StoreUnavailableError: a store cannot be read.
        """
        return self.person(user_named(asked, self.user_of))

    def person(self, user: str) -> Person:
        """Return what the service has of a user: amounts of today, in micro-dollars.

        Raises:
            StoreUnavailableError: a store cannot be read.
        """
        now_ms = self.now_ms()
        day, ledger = utc_day(now_ms), self.ledgers.load(user)
        recent = self.records.recent(user, limit=RECENT)
        held, chat = held_microusd(ledger, day), self.chat_usages.load(user, day)
        limits = applied(self.limits(), ledger.personal)
        levels = standings(self.budgets(), limits.levels, day)
        erasure = self.erasures.find(user)
        left = tuple(one.left(day) for one in levels) or None
        return Person(
            user=user,
            log_name=log_name(user, self.name_key()),
            known=ledger != Ledger() or bool(recent),
            blocked=ledger.blocked,
            spent=ledger.spent.get(day, 0) - held,
            reserved=held,
            images=ledger.images.get(day, 0),
            attempts=ledger.attempts.get(day, 0),
            limits=Allowance(
                images_this_hour=limits.hourly_images or None,
                images_today=limits.daily_images,
                usd_today=limits.daily_microusd,
            ),
            remaining=to_allowance(ledger, limits, day, now_ms=now_ms, levels=left),
            chat=ChatAllowance(requests=chat.chats, tokens=chat.tokens),
            recent=tuple(map(_request, recent)),
            erasing_since=erasure.asked_ms if erasure else None,
        )

    def block(self, user: str, who: str, *, blocked: bool, reason: str) -> Person:
        """Block a user, or let the user in again; return the person after it.

        What is being made is finished. Every later click is refused.

        Raises:
            ParameterError: it is not a user's hash.
            StoreUnavailableError: it may or may not have been changed. Send it again.
        """
        was_blocked = self.ledgers.load(checked_user(user)).blocked
        if was_blocked is not blocked:
            old, new = (FREE, BLOCKED) if blocked else (BLOCKED, FREE)
            self.trail.record(who, Change(Action.USER_BLOCKED, user, old, new, reason))
            self.blocks.set_blocked(user, blocked=blocked)
        return self.person(user)

    def erase(self, user: str, who: str, *, reason: str) -> Person:
        """Ask for the erasure of everything that is kept of a user, except for the accounting.

        It begins within five minutes and goes on until nothing is left. Return the person.

        Raises:
            ParameterError: it is not a user's hash.
            StoreUnavailableError: it may or may not have been asked for. Send it again.
        """
        if self.erasures.find(checked_user(user)) is None:
            self.trail.record(who, Change(Action.USER_ERASED, user, KEPT, ASKED, reason))
            self.erasures.ask(Erasure(user, self.now_ms(), who))
        return self.person(user)


def user_named(asked: FindPerson, user_of: Callable[[str], str]) -> str:
    """Return the hash of the person that is named by subject or hash.

    Raises:
        ParameterError: not exactly one of them is given, or the hash is not one.
    """
    if (asked.subject is None) is (asked.user is None):
        raise ParameterError("subject", "Send either a subject or a user.")
    return checked_user(asked.user or "") if asked.subject is None else user_of(asked.subject)


def checked_user(user: str) -> str:
    """Return a user's hash.

    Raises:
        ParameterError: it is not one.
    """
    if len(user) != USER_CHARACTERS or set(user) - set("0123456789abcdef"):
        raise ParameterError("user", f"A user is {USER_CHARACTERS} hex digits, as reports show it.")
    return user


def _request(record: ImageRecord) -> PersonRequest:
    return PersonRequest(
        quote_id=record.quote_id,
        status=record.status.value,
        provider=record.provider,
        model=record.model,
        quality=record.tier,
        size=record.size,
        cost=record.charged_microusd,
        created_at=record.created_ms,
        code=record.code or None,
        deleted=bool(record.deleted_ms),
    )
