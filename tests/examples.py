"""How many examples a property is tried with, and whether they are the same in each run.

``make check`` and ``make test`` try the same ones each time, so that a red run says something of
the change and not of luck. ``make properties`` looks for examples that nobody has tried.
"""

from typing import Final

from hypothesis import settings

ALL: Final = "imagegen"
QUICK: Final = "quick"
"""For ``pytest --hypothesis-profile=quick``. ``make test`` and CI try all examples."""
SEARCH: Final = "search"
"""For ``pytest --hypothesis-profile=search``: other examples each time, and more of them."""
QUICK_SHARE: Final = 5
SEARCH_TIMES: Final = 10
USUAL: Final = 100


def register_profiles() -> None:
    """Make the profiles known, and load the one with all examples."""
    # How long an example takes says how busy the machine is, nothing of the code.
    same = settings(deadline=None, derandomize=True, max_examples=USUAL)
    settings.register_profile(ALL, same)
    settings.register_profile(QUICK, same, max_examples=USUAL // QUICK_SHARE)
    settings.register_profile(SEARCH, deadline=None, max_examples=USUAL * SEARCH_TIMES)
    settings.load_profile(ALL)


def examples(count: int) -> settings:
    """Return the settings of a property that needs more examples than the usual 100, or fewer."""
    share = settings().max_examples / USUAL
    return settings(max_examples=max(1, int(count * share)))
