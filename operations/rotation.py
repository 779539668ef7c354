"""A new quote key in three steps, with no valid quote refused at any of them.

Instances read their parameters every five minutes, so at any moment some know the last step and
some the one before. Each step is therefore safe beside its neighbour: **add** a key that verifies
and does not sign yet; once everybody has it, **promote** it to sign; once everybody signs with it
and the last quote of the old key is over, **drop** the old one.
"""

import base64
import secrets
from dataclasses import dataclass
from enum import StrEnum

CACHE_MS = 300_000
"""How long an instance keeps its parameters; a test holds it to the package's own figure."""
LIFETIME_MS = 600_000
"""How long a quote is good; as above."""
MARGIN_MS = 60_000
"""For clocks that differ, and for a read that was under way."""
SEEN_MS = CACHE_MS + MARGIN_MS
"""After this long every instance has read a change."""


class Step(StrEnum):
    """What a rotation does next."""

    ADD = "add"
    PROMOTE = "promote"
    DROP = "drop"


WAITS_MS = {Step.ADD: 0, Step.PROMOTE: SEEN_MS, Step.DROP: SEEN_MS + LIFETIME_MS}
"""How long ago the step before must have been."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """The next step, and when it may be taken."""

    step: Step
    keys: str
    """What ``QUOTE_KEYS`` is after the step."""
    wait_ms: int
    """0 when it may be taken now."""


def next_rotation(keys: str, *, age_ms: int, new_key: bytes) -> Rotation:
    """Return the step after ``keys``, which stand there for ``age_ms``.

    Keys are named k1, k2 and so on, the newest with the highest number.

    Raises:
        ValueError: ``keys`` is not one of the states of a rotation.
    """
    parts = [one.strip() for one in keys.split(",") if one.strip()]
    numbers = [_number(one) for one in parts]
    if len(parts) == 1:
        added = f"k{numbers[0] + 1}:{base64.urlsafe_b64encode(new_key).decode()}"
        step, after = Step.ADD, [*parts, added]
    elif len(parts) == 2 and numbers[0] < numbers[1]:
        step, after = Step.PROMOTE, parts[::-1]
    elif len(parts) == 2 and numbers[0] > numbers[1]:
        step, after = Step.DROP, parts[:1]
    else:
        raise ValueError("QUOTE_KEYS has neither one key nor two: see docs/deploy.md")
    return Rotation(step, ",".join(after), max(0, WAITS_MS[step] - age_ms))


def fresh_key() -> bytes:
    """Return 32 random bytes."""
    return secrets.token_bytes(32)


def _number(part: str) -> int:
    name = part.partition(":")[0]
    if name[:1] != "k" or not name[1:].isdecimal():
        raise ValueError(
            f"{name!r} is not a name of ours (k1, k2, ...): rotate by hand (docs/deploy.md)"
        )
    return int(name[1:])
