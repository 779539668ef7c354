"""A ledger as one DynamoDB item.

Its attributes are flat: an update cannot write into a map that does not exist yet.
v version · s0 s1 … hour slots · u_DAY n_DAY a_DAY spend, images, attempts · m_MONTH spend ·
o_ID requests · blk · lim limits of this person: d, m an operator's, od, om their own
lp, lx: the key of the index ``leases``, present while there may be a hold.
A request: st state · p price · ow owner · ex expiry · ts start · lx lease · d day · sl slot ·
c code · r retryable · w end of a wait for it · pf preview frames · lv levels above the user ·
mk mark at these.
Empty values are left out: each KB of an item that is begun is a write unit.
"""

import zlib
from typing import Any

from imagegen.domain.ledger import Ledger, Op, OpState, PersonalLimits

STORE = "The ledger"
LEASE_PARTITIONS = 32
"""Over how many partitions of the index ``leases`` the users are spread, by a hash of their ids.

A partition takes 1,000 write units a second, and an image 2, when its user enters the index and
leaves it. At 1,000 images a second no key has more than 63 of the 2,000 units, so that they fit
however DynamoDB lays them together (``make scale``; with 16 they did not always). Each costs a
sweep one query. The number may be raised; after it was lowered, a sweep must go on reading the
partitions that were dropped until they are empty.
"""
FORMER_PARTITION = "L"
"""The only partition of earlier releases. No write adds a user to it any more. A user who is still
in it is moved out by the next hold, by a sweep, or when the last hold ends."""
DEFERRED = "~"
"""In place of a quote id: it sorts behind each of the same time."""
STORED_STATES = {OpState.HELD: "S", OpState.SETTLED: "D", OpState.RELEASED: "X"}
"""One letter each: an item under 1 KB costs one write unit."""
_STATES = {letter: state for state, letter in STORED_STATES.items()}


def lease_key(lease_ms: int, quote_id: str) -> str:
    """Return the sort key of the index: ordered by the end of the lease, unique by the quote id."""
    return f"{lease_ms:015d}#{quote_id}"


def lease_partition(user: str) -> str:
    """Return the partition of the index in which a user's key is."""
    return partition_name(zlib.crc32(user.encode()) % LEASE_PARTITIONS)


def partition_name(number: int) -> str:
    """Return the name of one of the partitions."""
    return f"L{number}"


def latest_lease(ledger: Ledger) -> str | None:
    """Return the key of the lease that ends last, or ``None`` if nothing is held."""
    held = (
        lease_key(op.lease_ms, quote_id)
        for quote_id, op in ledger.ops.items()
        if op.state is OpState.HELD
    )
    return max(held, default=None)


def op_values(op: Op) -> dict[str, Any]:
    """Return the values that are stored of a request."""
    values = {
        "st": STORED_STATES[op.state],
        "p": op.price_microusd,
        "ow": op.owner or None,
        "ex": op.expires_ms,
        "ts": op.started_ms or None,
        "lx": op.lease_ms or None,
        "d": op.day or None,
        "sl": op.slot,
        "c": op.code or None,
        "r": op.retryable or None,
        "pf": op.partials or None,
        "lv": list(op.levels) or None,
        "mk": op.mark or None,
    }
    return {name: value for name, value in values.items() if value is not None}


def to_ledger(values: dict[str, Any]) -> Ledger:
    """Return the ledger in an item's values; it is empty if there are no values."""
    return Ledger(
        version=values.get("v", 0),
        slots={
            int(name[1:]): at
            for name, at in values.items()
            if name[0] == "s" and name[1:].isdigit()
        },
        spent=_by_prefix(values, "u_"),
        images=_by_prefix(values, "n_"),
        attempts=_by_prefix(values, "a_"),
        months=_by_prefix(values, "m_"),
        ops={name: _to_op(op) for name, op in _by_prefix(values, "o_").items()},
        blocked=bool(values.get("blk")),
        personal=_to_personal(values.get("lim", {})),
    )


def personal_values(limits: PersonalLimits) -> dict[str, int]:
    """Return the values that are stored of a person's limits; none if nothing is set."""
    values = {
        "d": limits.daily_microusd,
        "m": limits.monthly_microusd,
        "od": limits.own_daily_microusd,
        "om": limits.own_monthly_microusd,
    }
    return {name: value for name, value in values.items() if value is not None}


def _to_personal(values: dict[str, int]) -> PersonalLimits:
    return PersonalLimits(*(values.get(name) for name in ("d", "m", "od", "om")))


def _to_op(values: dict[str, Any]) -> Op:
    return Op(
        _STATES[values["st"]],
        values["p"],
        values.get("ow", ""),
        values.get("ts", 0),
        values.get("lx", 0),
        values["ex"],
        values.get("d", ""),
        values.get("sl"),
        values.get("c", ""),
        values.get("r", False),
        values.get("w", 0),
        values.get("pf", 0),
        tuple(values.get("lv", ())),
        values.get("mk", b""),
    )


def _by_prefix(values: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {name[2:]: value for name, value in values.items() if name.startswith(prefix)}
