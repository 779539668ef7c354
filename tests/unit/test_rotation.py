"""A new quote key: at every step, every instance opens every quote that is still good."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.aws import parameters
from imagegen.aws.parameters import SsmParameters
from imagegen.domain import quote as quotes
from imagegen.domain.errors import QuoteError
from imagegen.domain.quote import Quote, open_quote, parse_keyring, sign_quote
from operations import rotation
from operations.rotation import WAITS_MS, Step, next_rotation
from tests.examples import examples
from tests.fakes.clock import Clock
from tests.fakes.service import KEYRING, Service

PATH = "/imagegen/test"
START = "k1:" + "A" * 43
TICK_MS = 10_000


@dataclass
class ParameterStore:
    """SSM with the quote keys, when they were changed, and the key that is stored last."""

    clock: Clock
    value: str = START
    changed_ms: int = 0

    def get_paginator(self, _name: str) -> "ParameterStore":
        return self

    def paginate(self, **_asked: Any) -> Iterator[dict[str, Any]]:
        values = {"QUOTE_KEYS": self.value, "IMAGE_ID_KEY": "i"}
        found = [{"Name": f"{PATH}/{name}", "Value": one} for name, one in values.items()]
        yield {"Parameters": found}

    def put(self, value: str) -> None:
        self.value, self.changed_ms = value, self.clock()


@cache
def opens(token: str, keys: str) -> bool:
    """Return whether a quote opens: decided by its text and the keys alone, and so but once."""
    try:
        open_quote(token, parse_keyring(keys))
    except QuoteError:
        return False
    return True


@dataclass
class FleetState:
    """Instances that read the parameter when it suits them, and the quotes they signed."""

    seed: int
    clock: Clock = field(default_factory=Clock)
    open: dict[str, Quote] = field(default_factory=dict)
    refused: int = 0
    opened: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.store = ParameterStore(self.clock)
        client = cast("Any", self.store)
        self.instances = [SsmParameters(client, PATH, self.clock) for _ in range(6)]
        self.sample = open_quote(Service().estimate().quote, KEYRING)

    def tick(self) -> None:
        """Let one instance sign and another open everything that is good."""
        self.clock.advance(TICK_MS)
        signer, reader = self.random.choice(self.instances), self.random.choice(self.instances)
        now_ms = self.clock()
        made = replace(self.sample, issued_ms=now_ms, expires_ms=now_ms + quotes.LIFETIME_MS)
        self.open[sign_quote(made, parse_keyring(signer.values()["QUOTE_KEYS"]))] = made
        self.open = {text: one for text, one in self.open.items() if not one.is_expired(now_ms)}
        keys = reader.values()["QUOTE_KEYS"]
        good = sum(opens(token, keys) for token in self.open)
        self.opened += good
        self.refused += len(self.open) - good

    def rest(self, ms: int) -> None:
        for _ in range(-(-ms // TICK_MS)):
            self.tick()


def rotate(fleet: FleetState, *, steps: int = 3) -> list[Step]:
    """Take each step as soon as it may be taken; return those taken."""
    taken: list[Step] = []
    while len(taken) < steps:
        age_ms = fleet.clock() - fleet.store.changed_ms
        turn = next_rotation(fleet.store.value, age_ms=age_ms, new_key=b"n" * 32)
        if not turn.wait_ms:
            fleet.store.put(turn.keys)
            taken.append(turn.step)
        fleet.tick()
    return taken


@examples(5)
@given(st.integers())
def test_no_valid_quote_is_refused_while_the_key_is_rotated(seed: int) -> None:
    fleet = FleetState(seed)
    fleet.rest(600_000)
    assert rotate(fleet) == [Step.ADD, Step.PROMOTE, Step.DROP]
    fleet.rest(900_000)
    assert fleet.store.value.startswith("k2:")
    assert "," not in fleet.store.value
    assert fleet.opened > 5_000
    assert fleet.refused == 0


@pytest.mark.parametrize("missing", ["add", "rest before promote", "rest before drop"])
def test_without_any_of_its_parts_quotes_are_refused(missing: str) -> None:
    """The test above can fail: each shortcut is seen."""
    fleet = FleetState(7)
    fleet.rest(600_000)
    both = "k2:" + "B" * 43 + "," + START
    if missing == "add":
        fleet.store.put(both)
    else:
        fleet.store.put(START + ",k2:" + "B" * 43)
        fleet.rest(20_000 if missing == "rest before promote" else 360_000)
        fleet.store.put(both)
    fleet.rest(20_000 if missing == "rest before drop" else 960_000)
    fleet.store.put("k2:" + "B" * 43)
    fleet.rest(900_000)
    assert fleet.refused > 0


def test_a_step_waits_until_everybody_has_seen_the_one_before() -> None:
    added = next_rotation(START, age_ms=0, new_key=b"n" * 32)
    assert (added.step, added.wait_ms) == (Step.ADD, 0)
    assert next_rotation(added.keys, age_ms=0, new_key=b"").wait_ms == WAITS_MS[Step.PROMOTE]
    promoted = next_rotation(added.keys, age_ms=WAITS_MS[Step.PROMOTE], new_key=b"")
    assert (promoted.step, promoted.wait_ms) == (Step.PROMOTE, 0)
    dropped = next_rotation(promoted.keys, age_ms=WAITS_MS[Step.DROP] - 1, new_key=b"")
    assert (dropped.step, dropped.wait_ms) == (Step.DROP, 1)
    again = next_rotation(dropped.keys, age_ms=0, new_key=b"m" * 32)
    assert [one.partition(":")[0] for one in again.keys.split(",")] == ["k2", "k3"]


@pytest.mark.parametrize("keys", ["", "old:AAAA", "k1:A,k2:B,k3:C", "k1:A,k1:B", "kx:A"])
def test_keys_that_no_rotation_left_are_not_touched(keys: str) -> None:
    with pytest.raises(ValueError, match=r"docs/deploy\.md"):
        next_rotation(keys, age_ms=10**9, new_key=b"n" * 32)


def test_its_figures_are_the_packages_own() -> None:
    assert rotation.CACHE_MS == parameters.VALUES_CACHE_MS
    assert rotation.LIFETIME_MS == quotes.LIFETIME_MS
