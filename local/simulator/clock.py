"""The simulator's only clock."""

import time


def now_seconds() -> float:
    """Return seconds since 1970."""
    return time.time()
