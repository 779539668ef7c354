"""The stores of operators in memory."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from imagegen.domain.spending import UserRecord
from imagegen.domain.trail import TrailEntry, TrailPage
from tests.fakes.images import MemoryRecordStore
from tests.fakes.ledgers import MemoryLedgerStore


@dataclass(slots=True)
class MemoryTrailStore:
    """``TrailStore`` in a dictionary."""

    entries: dict[str, TrailEntry] = field(default_factory=dict)
    writes: int = 0

    def add(self, entry: TrailEntry) -> None:
        if entry.place not in self.entries:
            self.entries[entry.place] = entry
            self.writes += 1

    def page(self, before: str | None, *, limit: int) -> TrailPage:
        places = sorted((one for one in self.entries if one < (before or "~")), reverse=True)
        found = tuple(self.entries[one] for one in places[:limit])
        return TrailPage(found, found[-1].place if len(places) > limit else None)


@dataclass(slots=True)
class MemoryBlockStore:
    """``BlockStore`` over the ledgers in memory."""

    ledgers: MemoryLedgerStore

    def set_blocked(self, user: str, *, blocked: bool) -> None:
        self.ledgers.ledgers[user] = replace(self.ledgers.load(user), blocked=blocked)


@dataclass(slots=True)
class MemoryRecordScan:
    """``RecordScan`` over the records in memory."""

    records: MemoryRecordStore

    def between(self, start_ms: int, end_ms: int) -> Iterator[UserRecord]:
        for ref, record in self.records.records.items():
            if start_ms <= ref.issued_ms < end_ms:
                yield UserRecord(ref.user, record)
