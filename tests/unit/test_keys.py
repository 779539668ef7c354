"""Several keys for one provider: the next one is used where, and only where, a key is refused."""

from contextlib import nullcontext
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.domain.breaker import Policy, State
from imagegen.domain.call_errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageAnswer, ImageOrder, ImageProvider, Moderation, Moderator
from imagegen.guard import Guard
from imagegen.providers.keys import (
    SET_ASIDE_MS,
    Keychain,
    KeyedModerator,
    KeyedProvider,
    parse_keys,
    usable_keys,
)
from tests.fakes.circuits import MemoryCircuitStore
from tests.fakes.clock import Clock
from tests.fakes.providers import Reaction, ScriptedModerator, ScriptedProvider

ORDER = ImageOrder("model", "a fox", {}, 1024, 1024, "user")
PICTURE = b"picture"
REFUSED = Outcome.ACCOUNT
OTHERS = [one for one in Outcome if one is not REFUSED]


@dataclass
class World:
    """One scripted provider for each key, behind the wrapper that is shipped."""

    reactions: list[Reaction]
    takes_ms: int = 0
    clock: Clock = field(default_factory=Clock)
    refused: list[int] = field(default_factory=list)
    keys: list[ScriptedProvider] = field(init=False)
    provider: KeyedProvider = field(init=False)

    def __post_init__(self) -> None:
        self.keys = [
            ScriptedProvider("openai", [one], takes_ms=self.takes_ms, sleep=self.clock.advance)
            for one in self.reactions
        ]
        chain = Keychain[ImageProvider](
            "openai", self.keys, self.clock, lambda _, n: self.refused.append(n)
        )
        self.provider = KeyedProvider(chain)

    def generate(self, *, timeout_seconds: float = 60.0) -> bytes:
        return self.ask(timeout_seconds=timeout_seconds).content

    def ask(self, *, timeout_seconds: float = 60.0) -> ImageAnswer:
        return self.provider.generate(ORDER, timeout_seconds=timeout_seconds)

    def outcome(self, *, timeout_seconds: float = 60.0) -> Outcome:
        with pytest.raises(ProviderError) as caught:
            self.generate(timeout_seconds=timeout_seconds)
        return caught.value.outcome

    @property
    def calls(self) -> list[int]:
        return [len(one.orders) for one in self.keys]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("", ()),
        (" , ,", ()),
        ("one", ("one",)),
        (" one , two,", ("one", "two")),
        ("one,two,one", ("one", "two")),
    ],
)
def test_keys_are_separated_by_commas(text: str, keys: tuple[str, ...]) -> None:
    assert parse_keys(text) == keys


def test_a_good_first_key_is_the_only_one_used() -> None:
    world = World([PICTURE, PICTURE])
    assert [world.generate(), world.generate()] == [PICTURE, PICTURE]
    assert world.calls == [2, 0]


def test_a_refused_key_is_set_aside_and_the_next_one_draws() -> None:
    world = World([REFUSED, PICTURE])
    assert [world.generate(), world.generate()] == [PICTURE, PICTURE]
    assert world.calls == [1, 2]
    assert world.refused == [1]


def test_a_key_that_was_set_aside_is_tried_again_after_its_rest() -> None:
    world = World([REFUSED, PICTURE])
    world.generate()
    world.clock.advance(SET_ASIDE_MS - 1)
    world.generate()
    assert world.calls == [1, 2]
    world.keys[0].reactions = [PICTURE]
    world.clock.advance(1)
    world.generate()
    assert world.calls == [2, 2]


@pytest.mark.parametrize("outcome", OTHERS)
def test_any_other_outcome_is_final_and_no_second_key_is_used(outcome: Outcome) -> None:
    world = World([outcome, PICTURE])
    assert world.outcome() is outcome
    assert world.calls == [1, 0]
    assert world.refused == []


def test_a_lost_answer_of_the_second_key_is_final_as_well() -> None:
    world = World([REFUSED, Outcome.UNKNOWN, PICTURE])
    assert world.outcome() is Outcome.UNKNOWN
    assert world.calls == [1, 1, 0]


def test_only_when_every_key_is_refused_is_the_account() -> None:
    world = World([REFUSED, REFUSED, REFUSED])
    assert world.outcome() is REFUSED
    assert world.calls == [1, 1, 1]
    assert world.refused == [1, 2, 3]


def test_when_all_are_set_aside_a_call_that_is_let_through_tries_them_all() -> None:
    world = World([REFUSED, REFUSED])
    world.outcome()
    world.keys[1].reactions = [PICTURE]
    assert world.generate() == PICTURE
    assert world.calls == [2, 2]
    assert world.generate() == PICTURE
    assert world.calls == [2, 3]


def test_a_question_that_was_billed_is_asked_with_no_other_key_and_not_again() -> None:
    billed = ProviderError("openai", REFUSED, "A free question was billed.")
    billed.ends_checks = True
    world = World([billed, PICTURE])
    for key in world.keys:
        key.key_checks = [REFUSED]
    for _ in range(2):
        assert world.outcome() is REFUSED
        with pytest.raises(ProviderError):
            world.provider.check_key(timeout_seconds=6)
    assert [len(key.orders) for key in world.keys] == [1, 0]
    assert [key.key_checks for key in world.keys] == [[REFUSED], [REFUSED]]
    assert world.refused == []


def test_the_time_is_for_all_keys_together() -> None:
    world = World([REFUSED, PICTURE], takes_ms=20_000)
    assert world.generate(timeout_seconds=60) == PICTURE
    assert [one.timeouts for one in world.keys] == [[60.0], [40.0]]


def test_no_key_is_tried_without_time_and_the_account_is_not_blamed() -> None:
    world = World([REFUSED, PICTURE], takes_ms=60_000)
    assert world.outcome(timeout_seconds=60) is Outcome.UNAVAILABLE
    assert world.calls == [1, 0]


@pytest.mark.parametrize(("reactions", "opens"), [([REFUSED, PICTURE], 0), ([REFUSED] * 2, 1)])
def test_the_circuit_opens_only_when_every_key_is_refused(
    reactions: list[Reaction], opens: int
) -> None:
    world, store = World(reactions), MemoryCircuitStore()
    guard = Guard(store, Policy(), world.clock, lambda: "call")
    with nullcontext() if not opens else pytest.raises(ProviderError):
        guard.call("openai", "model", world.ask)
    states = [one.state for one in store.circuits.values()]
    assert states == [State.OPEN] * opens


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        ([None, None], None),
        ([REFUSED, None], None),
        ([None, REFUSED], None),
        ([REFUSED, REFUSED], REFUSED),
        ([REFUSED, Outcome.UNAVAILABLE], Outcome.UNAVAILABLE),
        ([Outcome.UNAVAILABLE, REFUSED], Outcome.UNAVAILABLE),
    ],
)
def test_a_probe_asks_every_key_and_is_refused_only_when_none_works(
    found: list[Outcome | None], outcome: Outcome | None
) -> None:
    world = World([PICTURE, PICTURE])
    for one, said in zip(world.keys, found, strict=True):
        one.key_checks = [said]
    came = None
    try:
        world.provider.check_key(timeout_seconds=10)
    except ProviderError as error:
        came = error.outcome
    assert came == outcome
    assert world.refused == [n + 1 for n, said in enumerate(found) if said is REFUSED]
    assert [one.key_checks for one in world.keys] == [[], []]


def test_a_probe_that_finds_a_key_good_brings_it_back() -> None:
    world = World([REFUSED, PICTURE])
    world.generate()
    world.provider.check_key(timeout_seconds=10)
    world.keys[0].reactions = [PICTURE]
    world.generate()
    assert world.calls == [2, 1]


def test_the_moderator_uses_its_next_key_too_and_no_other_failure_does() -> None:
    refused, good = ScriptedModerator(REFUSED), ScriptedModerator(Moderation(flagged=True))
    moderator = KeyedModerator(Keychain[Moderator]("moderation", [refused, good], Clock()))
    assert moderator.check("a fox", timeout_seconds=10).flagged
    assert moderator.check("a fox", timeout_seconds=10).flagged
    assert (len(refused.asked), len(good.asked)) == (1, 2)
    good.verdict = Outcome.UNAVAILABLE
    with pytest.raises(ProviderError):
        moderator.check("a fox", timeout_seconds=10)
    assert len(refused.asked) == 1


@given(st.lists(st.integers(0, 100), max_size=6), st.integers(0, 100))
def test_set_aside_keys_are_used_only_when_there_is_no_other(until: list[int], now: int) -> None:
    order = usable_keys(until, now_ms=now)
    rested = [n for n, until_ms in enumerate(until) if until_ms <= now]
    assert order == (rested or list(range(len(until))))


@given(st.lists(st.sampled_from(list(Outcome)), min_size=1, max_size=6))
def test_every_key_is_called_at_most_once_and_none_after_a_lost_answer(
    outcomes: list[Outcome],
) -> None:
    world = World(list(outcomes))
    world.outcome()
    first = next((n for n, one in enumerate(outcomes) if one is not REFUSED), len(outcomes) - 1)
    assert world.calls == [1] * (first + 1) + [0] * (len(outcomes) - first - 1)
