"""The jobs of requests in memory."""

import threading
from dataclasses import dataclass, field

from imagegen.domain.ids import ImageRef
from imagegen.domain.jobs import Job, job_json, parse_job


@dataclass(slots=True)
class MemoryJobStore:
    """``JobStore`` in a dictionary."""

    kept: dict[ImageRef, bytes] = field(default_factory=dict)
    writes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, ref: ImageRef, job: Job) -> None:
        with self._lock:
            self.kept[ref] = job_json(job)
            self.writes += 1

    def get(self, ref: ImageRef) -> Job | None:
        with self._lock:
            return parse_job(self.kept[ref]) if ref in self.kept else None
