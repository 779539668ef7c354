"""The finished images, the usage records and the prompts in memory."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from imagegen.domain.gallery import KeptPrompt
from imagegen.domain.ids import ImageRef
from imagegen.domain.records import (
    ImageRecord,
    RecordPage,
    RecordStatus,
    fitting_json,
    parse_record,
)
from imagegen.domain.records import Place as ListPlace

type Place = tuple[str, str]

METADATA_BYTES = 2_048 - len("x-amz-meta-record")


@dataclass(slots=True)
class MemoryImageStore:
    """``ImageStore`` in a dictionary; the first put of a quote wins."""

    objects: dict[Place, tuple[bytes, ImageRecord]] = field(default_factory=dict)
    marks: dict[Place, ImageRecord] = field(default_factory=dict)
    """The records of deleted images."""
    writes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, ref: ImageRef, content: bytes, record: ImageRecord) -> bool:
        with self._lock:
            if _place(ref) in self.objects:
                return False
            self.objects[_place(ref)] = (content, _as_metadata(record))
            self.writes += 1
            return True

    def find(self, ref: ImageRef) -> ImageRecord | None:
        with self._lock:
            stored = self.objects.get(_place(ref))
            return stored[1] if stored else self.marks.get(_place(ref))

    def mark_deleted(self, ref: ImageRef, record: ImageRecord) -> None:
        with self._lock:
            self.marks.setdefault(_place(ref), _as_metadata(record))
            self.writes += 1

    def read(self, ref: ImageRef, *, limit_bytes: int) -> bytes | None:
        with self._lock:
            content, _ = self.objects.get(_place(ref), (b"", None))
            return content if 0 < len(content) <= limit_bytes else None

    def delete(self, ref: ImageRef) -> None:
        with self._lock:
            self.objects.pop(_place(ref), None)
            self.writes += 1

    def link(self, ref: ImageRef, *, for_head: bool = False) -> str | None:
        if _place(ref) not in self.objects:
            return None
        _, record = self.objects[_place(ref)]
        method = "&method=HEAD" if for_head else ""
        return f"https://images.test/{ref.user}/{ref.quote_id}?type={record.media_type}{method}"


@dataclass(slots=True)
class MemoryRecordStore:
    """``RecordStore`` in a dictionary."""

    records: dict[ImageRef, ImageRecord] = field(default_factory=dict)
    writes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, ref: ImageRef, record: ImageRecord) -> bool:
        with self._lock:
            known = self.records.get(ref)
            made = known is not None and known.status is RecordStatus.COMPLETE
            if made and record.status is RecordStatus.FAILED:
                return False
            if known is not None and known.deleted_ms and not record.deleted_ms:
                return False
            self._write(ref, record)
            return True

    def withdraw(self, ref: ImageRef, record: ImageRecord) -> None:
        with self._lock:
            known = self.records.get(ref)
            if known is None or not known.deleted_ms:
                self._write(ref, record)

    def page(self, user: str, after: ListPlace | None, *, since_ms: int, limit: int) -> RecordPage:
        with self._lock:
            mine = [
                (ref.issued_ms, ref.quote_id, record)
                for ref, record in self.records.items()
                if ref.user == user and record.status is RecordStatus.COMPLETE
                if not record.deleted_ms and ref.issued_ms >= since_ms
                if after is None
                or (ref.issued_ms, ref.quote_id) < (after.issued_ms, after.quote_id)
            ]
        mine.sort(key=lambda one: one[:2], reverse=True)
        rest = ListPlace(*mine[limit - 1][:2]) if len(mine) > limit else None
        return RecordPage(tuple(record for _, _, record in mine[:limit]), rest)

    def get(self, ref: ImageRef) -> ImageRecord | None:
        with self._lock:
            return self.records.get(ref)

    def recent(self, user: str, *, limit: int, since_ms: int = 0) -> list[ImageRecord]:
        with self._lock:
            mine = (ref for ref in self.records if ref.user == user and ref.issued_ms >= since_ms)
            newest = sorted(mine, key=lambda ref: (ref.issued_ms, ref.quote_id), reverse=True)
            return [self.records[ref] for ref in newest[:limit]]

    def _write(self, ref: ImageRef, record: ImageRecord) -> None:
        self.records[ref] = record
        self.writes += 1


@dataclass(slots=True)
class MemoryPromptStore:
    """``PromptStore`` in a dictionary."""

    kept: dict[ImageRef, tuple[KeptPrompt, int]] = field(default_factory=dict)
    writes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, ref: ImageRef, words: KeptPrompt, *, until_ms: int) -> None:
        with self._lock:
            self.kept[ref] = (words, until_ms)
            self.writes += 1

    def get(self, ref: ImageRef) -> KeptPrompt | None:
        with self._lock:
            return self.kept[ref][0] if ref in self.kept else None

    def between(self, user: str, newest: ListPlace, oldest: ListPlace) -> Mapping[str, KeptPrompt]:
        with self._lock:
            first, last = (oldest.issued_ms, oldest.quote_id), (newest.issued_ms, newest.quote_id)
            return {
                ref.quote_id: words
                for ref, (words, _) in self.kept.items()
                if ref.user == user and first <= (ref.issued_ms, ref.quote_id) <= last
            }

    def forget(self, ref: ImageRef) -> None:
        with self._lock:
            self.writes += int(self.kept.pop(ref, None) is not None)


def _as_metadata(record: ImageRecord) -> ImageRecord:
    """Return the record as it is in S3's metadata, which holds two kilobytes."""
    return parse_record(fitting_json(record, METADATA_BYTES))


def _place(ref: ImageRef) -> Place:
    return ref.user, ref.quote_id
