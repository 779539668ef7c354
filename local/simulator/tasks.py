"""The jobs of providers that are asked for their images: kept until the simulator is reset."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

KEPT_TASKS = 10_000
NEVER_SECONDS = 1e12
"""After this time, as good as never."""


@dataclass(frozen=True, slots=True)
class Task:
    """One accepted order, and what its provider answers once it has ended."""

    id: str
    ready_seconds: float
    """When it ends, on the simulator's clock."""
    result: Mapping[str, Any]
    running: str
    """The name of its state until then."""


@dataclass(slots=True)
class TaskBook:
    """Stores the newest tasks. Thread-safe."""

    _tasks: OrderedDict[str, Task] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def add(self, task: Task) -> None:
        """Add a task."""
        with self._lock:
            self._tasks[task.id] = task
            if len(self._tasks) > KEPT_TASKS:
                self._tasks.popitem(last=False)

    def find(self, task_id: str) -> Task | None:
        """Return a task, ``None`` if it is unknown."""
        with self._lock:
            return self._tasks.get(task_id)
