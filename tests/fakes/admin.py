"""The stores of operators in memory."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from imagegen.domain.erasures import Erasure, Remains
from imagegen.domain.ids import ImageRef
from imagegen.domain.records import ImageRecord, Place
from imagegen.domain.spending import UserRecord
from imagegen.domain.trail import TrailEntry, TrailPage
from tests.fakes.images import MemoryImageStore, MemoryPromptStore, MemoryRecordStore
from tests.fakes.ledgers import MemoryLedgerStore
from tests.fakes.previews import MemoryPreviewStore
from tests.fakes.uploads import MemoryUploadStore


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


@dataclass(slots=True)
class MemoryErasureStore:
    """``ErasureStore`` in a dictionary."""

    erasures: dict[str, Erasure] = field(default_factory=dict)

    def ask(self, erasure: Erasure) -> Erasure:
        return self.erasures.setdefault(erasure.user, erasure)

    def find(self, user: str) -> Erasure | None:
        return self.erasures.get(user)

    def pending(self, *, limit: int) -> list[Erasure]:
        return [self.erasures[user] for user in sorted(self.erasures)][:limit]

    def advance(self, erasure: Erasure, done: Place) -> None:
        if self._is_same(erasure):
            self.erasures[erasure.user] = replace(self.erasures[erasure.user], done=done)

    def finish(self, erasure: Erasure) -> None:
        if self._is_same(erasure):
            del self.erasures[erasure.user]

    def _is_same(self, erasure: Erasure) -> bool:
        found = self.erasures.get(erasure.user)
        return found is not None and found.asked_ms == erasure.asked_ms


@dataclass(slots=True)
class MemoryKeptStore:
    """``KeptStore`` over the other stores in memory, which keep no versions."""

    records_of: MemoryRecordStore
    prompts_of: MemoryPromptStore
    images: MemoryImageStore
    uploads: MemoryUploadStore
    previews: MemoryPreviewStore

    def records(self, user: str, after: Place | None, *, until_ms: int) -> Iterator[ImageRecord]:
        start = (after.issued_ms, after.quote_id) if after else (0, "")
        mine = sorted(
            (ref.issued_ms, ref.quote_id)
            for ref in self.records_of.records
            if ref.user == user and ref.issued_ms <= until_ms
        )
        for issued_ms, quote_id in mine:
            if (issued_ms, quote_id) > start:
                yield self.records_of.records[ImageRef(quote_id, user, issued_ms)]

    def prompts(self, user: str, *, until_ms: int) -> list[ImageRef]:
        found = self.prompts_of.kept
        return [ref for ref in found if ref.user == user and ref.issued_ms <= until_ms]

    def remove_image(self, ref: ImageRef) -> None:
        self.images.delete(ref)
        for place in [one for one in self.previews.objects if one[0] == ref]:
            del self.previews.objects[place]

    def remove_others(self, user: str, *, until_ms: int) -> None:
        for ref in [one for one in self.uploads.objects if one.user == user]:
            del self.uploads.objects[ref]

    def remains(self, user: str, *, until_ms: int) -> Remains:
        uploads = sum(ref.user == user for ref in self.uploads.objects)
        return Remains(len(self.prompts(user, until_ms=until_ms)), uploads)
