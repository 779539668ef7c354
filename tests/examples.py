"""How many examples a property is tried with: all of them, or a fifth in ``make check``."""

from typing import Final

from hypothesis import settings

ALL: Final = "imagegen"
QUICK: Final = "quick"
"""For ``pytest --hypothesis-profile=quick``. ``make test`` and CI try all examples."""
QUICK_SHARE: Final = 5
USUAL: Final = 100


def register_profiles() -> None:
    """Make both profiles known, and load the one with all examples."""
    # How long an example takes says how busy the machine is, nothing of the code.
    settings.register_profile(ALL, deadline=None, max_examples=USUAL)
    settings.register_profile(QUICK, deadline=None, max_examples=USUAL // QUICK_SHARE)
    settings.load_profile(ALL)


def examples(count: int) -> settings:
    """Return the settings of a property that needs more examples than the usual 100, or fewer."""
    share = settings().max_examples / USUAL
    return settings(max_examples=max(1, int(count * share)))
