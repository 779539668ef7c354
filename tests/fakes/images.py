"""The finished images and the usage records in memory."""

import threading
from dataclasses import dataclass, field

from imagegen.domain.ids import ImageRef
from imagegen.domain.records import ImageRecord, RecordStatus, fitting_json, parse_record

type Place = tuple[str, str]

METADATA_BYTES = 2_048 - len("x-amz-meta-record")


@dataclass(slots=True)
class MemoryImageStore:
    """``ImageStore`` in a dictionary; the first put of a quote wins."""

    objects: dict[Place, tuple[bytes, ImageRecord]] = field(default_factory=dict)
    writes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, ref: ImageRef, content: bytes, record: ImageRecord) -> bool:
        with self._lock:
            if _place(ref) in self.objects:
                return False
            # As S3's metadata, which holds two kilobytes.
            stored = parse_record(fitting_json(record, METADATA_BYTES))
            self.objects[_place(ref)] = (content, stored)
            self.writes += 1
            return True

    def find(self, ref: ImageRef) -> ImageRecord | None:
        with self._lock:
            stored = self.objects.get(_place(ref))
            return stored[1] if stored else None

    def read(self, ref: ImageRef, *, limit_bytes: int) -> bytes | None:
        with self._lock:
            content, _ = self.objects.get(_place(ref), (b"", None))
            return content if 0 < len(content) <= limit_bytes else None

    def delete(self, ref: ImageRef) -> None:
        with self._lock:
            self.objects.pop(_place(ref), None)
            self.writes += 1

    def link(self, ref: ImageRef) -> str | None:
        record = self.find(ref)
        if record is None:
            return None
        return f"https://images.test/{ref.user}/{ref.quote_id}?type={record.media_type}"


@dataclass(slots=True)
class MemoryRecordStore:
    """``RecordStore`` in a dictionary."""

    records: dict[ImageRef, ImageRecord] = field(default_factory=dict)
    writes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, ref: ImageRef, record: ImageRecord) -> None:
        with self._lock:
            known = self.records.get(ref)
            made = known is not None and known.status is RecordStatus.COMPLETE
            if made and record.status is RecordStatus.FAILED:
                return
            self.records[ref] = record
            self.writes += 1

    def get(self, ref: ImageRef) -> ImageRecord | None:
        with self._lock:
            return self.records.get(ref)

    def recent(self, user: str, *, limit: int) -> list[ImageRecord]:
        with self._lock:
            mine = (ref for ref in self.records if ref.user == user)
            newest = sorted(mine, key=lambda ref: (ref.issued_ms, ref.quote_id), reverse=True)
            return [self.records[ref] for ref in newest[:limit]]


def _place(ref: ImageRef) -> Place:
    return ref.user, ref.quote_id
