"""What a user has spent and may still spend, and the user's newest requests."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imagegen.domain.budget_amounts import Amounts
from imagegen.domain.budgets import Budget, BudgetStore
from imagegen.domain.days import utc_day
from imagegen.domain.ids import ImageRef, image_id
from imagegen.domain.ledger import Ledger, Limits, PersonalLimits
from imagegen.domain.personal_limits import PersonalLimitStore, applied, set_by_person
from imagegen.domain.records import ImageRecord, RecordStatus
from imagegen.domain.standing import held_microusd
from imagegen.domain.stores import Stores
from imagegen.usecases.budgets import LevelStanding, standings, to_allowance
from imagegen.usecases.generate.reconciler import Reconciler
from imagegen.wire.estimates import Allowance
from imagegen.wire.usage import ChatAllowance, NewOwnLimits, OwnLimits, Usage, UsedChat, UsedImage

if TYPE_CHECKING:
    from imagegen.domain.chat_usage import ChatUsageStore, DailyChatLimits

RECENT = 20


@dataclass(frozen=True, slots=True)
class UsageReader:
    """Reads one user's usage."""

    stores: Stores
    reconciler: Reconciler
    chat_usages: "ChatUsageStore"
    budgets: Callable[[], BudgetStore]
    personal: PersonalLimitStore
    limits: Callable[[], Limits]
    chat_limits: "DailyChatLimits"
    image_id_key: Callable[[], bytes]
    now_ms: Callable[[], int]

    def usage(self, user: str) -> Usage:
        """Return today's counts, what is left of the limits, and the newest requests.

        The day is the UTC day; amounts are in micro-dollars.

        Raises:
            StoreUnavailableError: the ledger, a budget, the chat's counts or the records cannot be
                read.
        """
        now_ms = self.now_ms()
        day, ledger = utc_day(now_ms), self.stores.ledgers.load(user)
        recent = self.stores.records.recent(user, limit=RECENT)
        ledger = self._settled(user, ledger, recent)
        held, limits = held_microusd(ledger, day), self.limits()
        return Usage(
            day=f"{day[:4]}-{day[4:6]}-{day[6:]}",
            spent=ledger.spent.get(day, 0) - held,
            reserved=held,
            images=ledger.images.get(day, 0),
            attempts=ledger.attempts.get(day, 0),
            limits=_shown(applied(limits, ledger.personal)),
            remaining=self._remaining(ledger, limits, day, now_ms=now_ms),
            own_limits=_own(ledger.personal),
            chat=self._chat(user, day),
            recent=tuple(self._recent_image(user, record) for record in recent),
        )

    def set_own_limits(self, user: str, wanted: NewOwnLimits) -> OwnLimits:
        """Set the limits of a user's own, in place of those before; return them.

        Raises:
            StoreUnavailableError: they may or may not have been set. Send them again.
        """
        amounts = Amounts(wanted.usd_today, wanted.usd_this_month)
        return _own(self.personal.set_limits(user, lambda now: set_by_person(now, amounts)))

    def _remaining(self, ledger: Ledger, limits: Limits, day: str, *, now_ms: int) -> Allowance:
        found = standings(self.budgets(), limits.levels, day)
        levels = tuple(one.left(day) for one in found) or None
        return to_allowance(ledger, limits, day, now_ms=now_ms, levels=levels)

    def _settled(self, user: str, ledger: Ledger, recent: Iterable[ImageRecord]) -> Ledger:
        """Return the ledger with the charges of stored images whose settling write was lost."""
        for record in recent:
            if record.status is RecordStatus.COMPLETE:
                ref = ImageRef(record.quote_id, user, record.issued_ms)
                ledger = self.reconciler.settle_stored(ref, ledger, record)
        return ledger

    def _chat(self, user: str, day: str) -> UsedChat:
        used, limits = self.chat_usages.load(user, day), self.chat_limits
        return UsedChat(
            used=ChatAllowance(requests=used.chats, tokens=used.tokens),
            limits=ChatAllowance(requests=limits.chats, tokens=limits.tokens),
            remaining=ChatAllowance(
                requests=max(0, limits.chats - used.chats),
                tokens=max(0, limits.tokens - used.tokens),
            ),
        )

    def _recent_image(self, user: str, record: ImageRecord) -> UsedImage:
        ref = ImageRef(record.quote_id, user, record.issued_ms)
        return UsedImage(
            id=image_id(ref, self.image_id_key()),
            status=record.status.value,
            provider=record.provider,
            model=record.model,
            quality=record.tier,
            size=record.size,
            cost=record.charged_microusd,
            duration_ms=record.duration_ms,
            created_at=record.created_ms,
            code=record.code or None,
        )


def _own(limits: PersonalLimits) -> OwnLimits:
    return OwnLimits(
        usd_today=limits.own_daily_microusd, usd_this_month=limits.own_monthly_microusd
    )


def _shown(limits: Limits) -> Allowance:
    levels = tuple(LevelStanding(level, Budget()).left(day="") for level in limits.levels)
    return Allowance(
        images_this_hour=limits.hourly_images or None,
        images_today=limits.daily_images,
        usd_today=limits.daily_microusd,
        levels=levels or None,
    )
