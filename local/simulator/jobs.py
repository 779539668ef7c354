"""Replicate's predictions: jobs that advance with time, by at most one step for each read."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from local.simulator.wire import Body

KEPT_JOBS = 10_000
STARTING_SHARE = 0.1
FINISHED = 2


def never_billed() -> None:
    """Do nothing: the job was never billed."""


@dataclass(frozen=True, slots=True)
class Job:
    """One prediction. A read never shows more than one step beyond the last read."""

    id: str
    model: str
    version: str
    params: Mapping[str, Any]
    origin: str
    created_seconds: float
    duration_seconds: float
    end: str = "succeeded"
    """The final status; ``processing`` if the prediction never ends."""
    output: Any = None
    error: str | None = None
    logs: str = ""
    data_removed: bool = False
    deadline_seconds: float | None = None
    looks: int = 0
    canceled_seconds: float | None = None
    cancel_bill: Callable[[], None] = field(default=never_billed)

    def step(self, now_seconds: float) -> int:
        """Return 0 for starting, 1 for processing, 2 for finished."""
        elapsed = now_seconds - self.created_seconds
        by_clock = 0 if elapsed < self.duration_seconds * STARTING_SHARE else 1
        if by_clock and elapsed >= self.duration_seconds:
            by_clock = FINISHED
        return min(self.looks, by_clock)

    def status(self, now_seconds: float) -> str:
        """Return Replicate's name of the status."""
        if self.canceled_seconds is not None:
            return "canceled"
        step = self.step(now_seconds)
        if step < FINISHED or self.end == "processing":
            if self.deadline_seconds is not None and now_seconds >= self.deadline_seconds:
                return "canceled" if step else "aborted"
            # An aborted prediction never starts to run.
            return "processing" if step and self.end != "aborted" else "starting"
        return self.end

    def is_open(self, now_seconds: float) -> bool:
        """Return whether the status may still change."""
        return self.status(now_seconds) in ("starting", "processing")


class JobBook:
    """Stores the newest predictions. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._jobs: OrderedDict[str, Job] = OrderedDict()

    def add(self, job: Job) -> None:
        """Add a new prediction."""
        with self._lock:
            self._jobs[job.id] = job
            if len(self._jobs) > KEPT_JOBS:
                self._jobs.popitem(last=False)

    def look(self, job_id: str) -> Job | None:
        """Return a prediction, ``None`` if it is unknown, and count the read."""
        with self._lock:
            job = self._jobs.get(job_id)
            if job:
                job = self._jobs[job_id] = replace(job, looks=job.looks + 1)
            return job

    def cancel(self, job_id: str, now_seconds: float) -> Job | None:
        """Cancel a prediction that is still open, take its bill back, and return it."""
        with self._lock:
            job = self._jobs.get(job_id)
            if job is None or not job.is_open(now_seconds):
                return job
            job = self._jobs[job_id] = replace(job, canceled_seconds=now_seconds)
        job.cancel_bill()
        return job

    def latest(self) -> list[Job]:
        """Return the newest hundred, newest first."""
        with self._lock:
            return list(reversed(self._jobs.values()))[:100]


def time_text(seconds: float) -> str:
    """Return a time in Replicate's format."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def job_view(job: Job, now_seconds: float) -> Body:
    """Return a prediction as Replicate shows it."""
    status = job.status(now_seconds)
    base = f"{job.origin}/replicate/v1/predictions/{job.id}"
    return {
        "id": job.id,
        "model": job.model,
        "version": job.version,
        "input": dict(job.params),
        "logs": job.logs,
        "output": job.output if status == "succeeded" else None,
        "data_removed": job.data_removed and status == "succeeded",
        "error": job.error if status == "failed" else None,
        "status": status,
        "source": "api",
        "created_at": time_text(job.created_seconds),
        **times_view(job, status),
        "urls": {
            "get": base,
            "cancel": f"{base}/cancel",
            "web": f"https://replicate.com/p/{job.id}",
        },
    }


def times_view(job: Job, status: str) -> Body:
    """Return the times at which the prediction started and ended, if it did."""
    view: Body = {}
    if job.deadline_seconds is not None:
        view["deadline"] = time_text(job.deadline_seconds)
    if status not in ("starting", "aborted"):
        view["started_at"] = time_text(job.created_seconds)
    if status not in ("starting", "processing"):
        end_seconds = job.canceled_seconds or job.created_seconds + job.duration_seconds
        view["completed_at"] = time_text(end_seconds)
        took = round(job.duration_seconds, 3)
        view["metrics"] = {"predict_time": took, "total_time": took}
    return view
