"""The mutation target ends red for what nobody looked at, and only for that."""

from collections.abc import Mapping

import pytest

from tests.mutation.__main__ import Result
from tests.mutation.worker import KILLED, SURVIVED, TIMEOUT

CAME = {**{f"killed {n}": KILLED for n in range(38)}, "hangs": TIMEOUT, "left": SURVIVED}
MANY_LEFT = CAME | {"left too": SURVIVED, "and this": SURVIVED}


@pytest.mark.parametrize(
    ("came", "explained", "said"),
    [
        (CAME, {"left": "it changes nothing"}, []),
        (CAME, {}, ["nobody says why: left"]),
        (CAME, {"left": ""}, ["nobody says why: left"]),
        (CAME, {"left": "x", "gone": "x"}, ["no such mutant any more: gone"]),
        (MANY_LEFT, dict.fromkeys(MANY_LEFT, "x"), ["at least 95 wanted"]),
    ],
)
def test_a_survivor_is_explained_or_the_target_fails(
    came: Mapping[str, str], explained: Mapping[str, str], said: list[str]
) -> None:
    problems = list(Result("module.py", came, 0.0).problems(explained))
    assert [text for text in problems if any(one in text for one in said)] == problems
    assert len(problems) == len(said)
