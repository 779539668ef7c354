"""Rotates the quote key in three steps, so that no valid quote is refused at any time.

Instances read their parameters every five minutes, so at any moment some use the latest step and
some the one before. Neighbouring steps are therefore compatible: **add** a key that verifies but
does not sign yet; when every instance has it, **promote** it to sign; when every instance signs
with it and the last quote of the old key has expired, **drop** the old key.
"""

import base64
import secrets
from dataclasses import dataclass
from enum import StrEnum

CACHE_MS = 300_000
"""How long an instance keeps its parameters; a test compares it with the package's own figure."""
LIFETIME_MS = 600_000
"""How long a quote is valid; a test compares this figure, too."""
MARGIN_MS = 60_000
"""Margin for clocks that differ, and for a read that was in progress."""
SEEN_MS = CACHE_MS + MARGIN_MS
"""After this long every instance has read a change."""


class Step(StrEnum):
    """The steps of a rotation, in order."""

    ADD = "add"
    PROMOTE = "promote"
    DROP = "drop"


WAITS_MS = {Step.ADD: 0, Step.PROMOTE: SEEN_MS, Step.DROP: SEEN_MS + LIFETIME_MS}
"""The least time since the previous step."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """The next step, and when it may be taken."""

    step: Step
    keys: str
    """The value of ``QUOTE_KEYS`` after the step."""
    wait_ms: int
    """Time until the step may be taken; 0 if it may be taken now."""


def next_rotation(keys: str, *, age_ms: int, new_key: bytes) -> Rotation:
    """Return the step after the state ``keys``, which was stored ``age_ms`` ago.

    Keys are named k1, k2 and so on; the newest has the highest number.

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
            f"{name!r} is not a name of the form k1, k2, ...: rotate by hand (docs/deploy.md)"
        )
    return int(name[1:])
