"""Writes and reads the trail of what operators changed."""

from collections.abc import Callable
from dataclasses import dataclass

from imagegen.domain.errors import ParameterError
from imagegen.domain.trail import Change, TrailEntry, TrailStore
from imagegen.wire.admin import TrailItem, TrailList

PAGE = 100


@dataclass(frozen=True, slots=True)
class Trail:
    """The trail of one stack."""

    store: TrailStore
    now_ms: Callable[[], int]
    new_id: Callable[[], str]

    def record(self, who: str, change: Change) -> None:
        """Add a change. It is recorded first and made afterwards: none is made without its entry.

        An entry whose change failed is followed by another one when the change is repeated.

        Raises:
            StoreUnavailableError: it may or may not have been recorded; make no change.
        """
        self.store.add(TrailEntry(self.now_ms(), self.new_id(), who, change))

    def page(self, before: str | None) -> TrailList:
        """Return a part of the trail, the newest entries first.

        Raises:
            ParameterError: ``before`` is not a cursor of this list.
            StoreUnavailableError: the trail cannot be read.
        """
        if before is not None and not before[:15].isdecimal():
            raise ParameterError("before", "Send the cursor of an earlier page, or none.")
        found = self.store.page(before, limit=PAGE)
        return TrailList(entries=tuple(map(_item, found.entries)), next_cursor=found.rest)


def _item(entry: TrailEntry) -> TrailItem:
    change = entry.change
    return TrailItem(
        at=entry.at_ms,
        who=entry.who,
        action=change.action,
        target=change.target,
        old=change.old,
        new=change.new,
        reason=change.reason,
    )
