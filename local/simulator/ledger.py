"""Records the calls and what they would have cost; counts and money change under one lock."""

import re
from collections import Counter, defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any

KEPT_CALLS = 1000
MODERATION = re.compile(r"moderation|.*-checks")
"""The names of moderations, which the list of calls leaves out."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call that could have cost money."""

    provider: str
    model: str
    params: Mapping[str, Any]
    """The request's body without the prompt."""
    prompt_length: int
    at: str
    outcome: str
    """``drawn``, or the outcome that an adapter must report."""
    fault: str | None = None
    images: int = 0
    billed_microusd: int = 0
    key_tail: str = ""


@dataclass(slots=True)
class Totals:
    """One provider's sums."""

    calls: int = 0
    free_calls: int = 0
    images: int = 0
    billed_microusd: int = 0
    by_model: Counter[str] = field(default_factory=Counter)
    by_outcome: Counter[str] = field(default_factory=Counter)
    keys: set[str] = field(default_factory=set)

    def add(self, call: Call) -> None:
        """Count one call."""
        self.calls += 1
        self.images += call.images
        self.billed_microusd += call.billed_microusd
        self.by_model[call.model] += 1
        self.by_outcome[call.outcome] += 1
        if call.key_tail:
            self.keys.add(call.key_tail)

    def view(self) -> dict[str, Any]:
        """Return the sums as the control API shows them."""
        return {
            "calls": self.calls,
            "freeCalls": self.free_calls,
            "images": self.images,
            "billedMicrousd": self.billed_microusd,
            "byModel": dict(self.by_model),
            "byOutcome": dict(self.by_outcome),
            "keysSeen": sorted(self.keys),
        }


class Ledger:
    """All calls since the start or the last reset."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.clear()

    def clear(self) -> None:
        """Remove all records."""
        with self._lock:
            self._totals: dict[str, Totals] = defaultdict(Totals)
            self._calls: deque[Call] = deque(maxlen=KEPT_CALLS)

    def record(self, call: Call) -> None:
        """Count a call; calls of a moderation are not listed."""
        with self._lock:
            self._totals[call.provider].add(call)
            if not MODERATION.fullmatch(call.provider):
                self._calls.append(call)

    def record_free(self, provider: str) -> None:
        """Count a call that never costs anything."""
        with self._lock:
            self._totals[provider].free_calls += 1

    def refund(self, call: Call) -> None:
        """Take back the bill of a call that was cancelled before its image was finished."""
        if not call.images:
            return
        with self._lock:
            totals = self._totals[call.provider]
            totals.images -= call.images
            totals.billed_microusd -= call.billed_microusd
            totals.by_outcome[call.outcome] -= 1
            totals.by_outcome["canceled"] += 1
            if call in self._calls:
                place = self._calls.index(call)
                self._calls[place] = replace(call, images=0, billed_microusd=0, outcome="canceled")

    def totals(self, provider: str) -> dict[str, Any]:
        """Return one provider's sums."""
        with self._lock:
            return self._totals[provider].view()

    def calls(self) -> list[dict[str, Any]]:
        """Return the latest image calls, oldest first."""
        with self._lock:
            return [call_view(call) for call in self._calls]


def call_view(call: Call) -> dict[str, Any]:
    """Return a call as the control API shows it: without prompt and key."""
    return {
        "provider": call.provider,
        "model": call.model,
        "params": dict(call.params),
        "promptLength": call.prompt_length,
        "at": call.at,
        "outcome": call.outcome,
        "fault": call.fault,
        "images": call.images,
        "billedMicrousd": call.billed_microusd,
    }
