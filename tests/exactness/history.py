"""The history of a ledger, replayed by the pure rules: each version must follow from the last.

Every change of a ledger raises its version, and here every answer carries the whole item, so the
order of all moves is known without any clock. What two neighbours differ in says which move it was;
the rules say whether it was allowed there, and what it had to leave behind.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from imagegen.aws.items import from_item
from imagegen.aws.ledger_items import to_ledger
from imagegen.domain import ledger as rules
from imagegen.domain import pruning
from imagegen.domain.budgets import CODES
from imagegen.domain.days import utc_day
from imagegen.domain.ledger import Hold, Ledger, Limits, Op, OpState
from imagegen.domain.standing import limit_reached
from imagegen.domain.takeovers import Takeover, may_take, taken

type Item = Mapping[str, Any]
DAY_MS = 86_400_000


@dataclass(slots=True)
class Historian:
    """Keeps each version of each user's item, once; two of one version must be the same."""

    items: dict[str, dict[int, Item]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    _parsed: dict[tuple[str, int], Ledger] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def watch(self, client: Any) -> None:
        """Listen to a boto3 client; what it writes is returned, also where the product skips it."""
        client.meta.events.register("provide-client-params.dynamodb.UpdateItem", _ask_for_item)
        client.meta.events.register("after-call.dynamodb.UpdateItem", self._after_call)

    def _after_call(self, parsed: dict[str, Any], **_: object) -> None:
        for key in ("Attributes", "Item"):
            if "v" in parsed.get(key, {}):
                self.tell(parsed[key])

    def tell(self, item: Item) -> None:
        """Note an item as an answer showed it; one without a version is no user's."""
        if "v" not in item:
            return
        user, version = item["pk"]["S"], int(item["v"]["N"])
        with self._lock:
            known = self.items.setdefault(user, {}).setdefault(version, item)
            if known is not item and known != item:
                self.wrong.append(f"version {version} of {user} was seen in two states")

    def merge(self, items: Mapping[str, Mapping[int, Item]]) -> None:
        """Take what another process saw."""
        for versions in items.values():
            for item in versions.values():
                self.tell(item)

    def ledgers(self, user: str) -> list[Ledger]:
        """Return a user's ledger at each version, the empty one first."""
        versions = self.items.get(f"U#{user}", {})
        return [Ledger(), *(self._ledger(user, v, versions[v]) for v in sorted(versions))]

    def _ledger(self, user: str, version: int, item: Item) -> Ledger:
        known = self._parsed.get((user, version))
        if known is None:
            known = self._parsed[user, version] = to_ledger(from_item(item))
        return known

    def problems(self, user: str, limits: Limits, *, latest_ms: int) -> list[str]:
        """Return what in a user's history the rules do not allow."""
        states = self.ledgers(user)
        found = list(self.wrong)
        for old, new in pairwise(states):
            if said := wrong_step(old, new, limits, latest_ms=latest_ms):
                found.append(f"{user} v{old.version}→v{new.version}: {said}")
        return found


def _ask_for_item(params: dict[str, Any], **_: object) -> None:
    params["ReturnValues"] = "ALL_NEW"


def wrong_step(old: Ledger, new: Ledger, limits: Limits, *, latest_ms: int) -> str:
    """Return why ``new`` cannot follow ``old``, nothing where it can."""
    if new.version != old.version + 1:
        return f"version {old.version} is followed by {new.version}"
    changed = [name for name, op in new.ops.items() if op != old.ops.get(name)]
    if len(changed) > 1:
        return f"{len(changed)} requests moved at once"
    if not changed:
        return _compare(replace(old, version=new.version), new, latest_ms)
    quote_id = changed[0]
    op, before = new.ops[quote_id], old.ops.get(quote_id)
    if before is not None and op.state is before.state is OpState.HELD:
        return _wrong_takeover(old, new, quote_id, latest_ms)
    if op.state is OpState.HELD:
        return _wrong_hold(old, new, quote_id, limits, latest_ms)
    if before is None or before.state is not OpState.HELD:
        return f"{quote_id} became {op.state.name} from {before and before.state.name}"
    return _wrong_end(old, new, quote_id, latest_ms)


def _wrong_hold(old: Ledger, new: Ledger, quote_id: str, limits: Limits, latest_ms: int) -> str:
    op = new.ops[quote_id]
    if not rules.may_reserve_op(old, quote_id):
        return f"{quote_id} was reserved a second time"
    hold = hold_of(quote_id, op)
    if limit := limit_reached(old, hold, limits, now_ms=op.started_ms):
        return f"{quote_id} was reserved above the limit {limit.code}"
    free = rules.free_slots(old, limits, now_ms=op.started_ms)
    if limits.hourly_images and op.slot not in free:
        return f"{quote_id} took slot {op.slot}, which was not free"
    return _compare(rules.reserved(old, hold, limits, now_ms=op.started_ms), new, latest_ms)


def _wrong_takeover(old: Ledger, new: Ledger, quote_id: str, latest_ms: int) -> str:
    op, before = new.ops[quote_id], old.ops[quote_id]
    takeover = Takeover(quote_id, before.owner, op.owner, op.lease_ms)
    if not may_take(before, takeover, now_ms=before.started_ms):
        return f"{quote_id} was reserved a second time"
    return _compare(taken(old, takeover), new, latest_ms)


def _wrong_end(old: Ledger, new: Ledger, quote_id: str, latest_ms: int) -> str:
    op, before = new.ops[quote_id], old.ops[quote_id]
    if op.state is OpState.SETTLED:
        if op.price_microusd > before.price_microusd:
            return f"{quote_id} was charged above what was held"
        return _compare(rules.settled(old, quote_id, op.price_microusd), new, latest_ms)
    is_attempt = op.code not in CODES.values()
    expected = rules.released(
        old, quote_id, code=op.code, retryable=op.retryable, is_attempt=is_attempt
    )
    return _compare(expected, new, latest_ms)


def _compare(expected: Ledger, new: Ledger, latest_ms: int) -> str:
    """Return where they differ, beyond what may be forgotten."""
    ops, days = pruning.prunable(expected, now_ms=latest_ms, oldest_day=utc_day(latest_ms - DAY_MS))
    gone = expected.ops.keys() - new.ops.keys()
    if gone - set(ops):
        return f"{sorted(gone - set(ops))} were forgotten too soon"
    kept = {day for day in days if day not in new.spent}
    months = pruning.prunable_months(expected, oldest_day=utc_day(latest_ms - DAY_MS))
    trimmed = replace(
        expected,
        ops={name: op for name, op in expected.ops.items() if name not in gone},
        spent=_without(expected.spent, kept),
        images=_without(expected.images, kept),
        attempts=_without(expected.attempts, kept),
        months=_without(expected.months, {one for one in months if one not in new.months}),
    )
    if trimmed == new:
        return ""
    names = ("slots", "spent", "images", "attempts", "ops", "blocked", "months")
    parts = [name for name in names if getattr(trimmed, name) != getattr(new, name)]
    return f"{', '.join(parts)} are not what the rules leave behind"


def _without(counts: Mapping[str, int], days: set[str]) -> dict[str, int]:
    return {day: number for day, number in counts.items() if day not in days}


def hold_of(quote_id: str, op: Op) -> Hold:
    """Return the hold that made a request."""
    return Hold(
        quote_id,
        op.owner,
        op.day,
        op.price_microusd,
        op.expires_ms,
        op.lease_ms,
        op.slot or 0,
        op.partials,
    )
