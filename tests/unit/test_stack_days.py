"""A test of the stack begins and ends on one UTC day, because money is counted by the day."""

import pytest

from tests.stack.driver import DAY_SECONDS, LAST_SECONDS, until_next_day

MIDNIGHT = 20_000 * DAY_SECONDS


@pytest.mark.parametrize(
    ("now", "wait"),
    [
        (MIDNIGHT, 0),
        (MIDNIGHT - LAST_SECONDS, 0),
        (MIDNIGHT - LAST_SECONDS + 1, LAST_SECONDS - 1),
        (MIDNIGHT - 0.5, 0.5),
    ],
)
def test_it_waits_only_for_a_day_that_is_about_to_begin(now: float, wait: float) -> None:
    assert until_next_day(now) == wait
