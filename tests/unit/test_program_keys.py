"""Keys for programs: their form, what each allows, how long it is valid, and how it is changed."""

import base64
import hashlib
import random
import string
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.domain import keys
from imagegen.domain.budgets import Level
from imagegen.domain.callers import ADMIN, CHAT, ESTIMATE, IMAGES, PEOPLE, USER, User
from imagegen.domain.chat_usage import DailyChatLimits
from imagegen.domain.errors import (
    ConfigurationError,
    ForbiddenError,
    ImagegenError,
    InvalidRequestError,
    NotFoundError,
    StoreUnavailableError,
    UnauthorizedError,
)
from imagegen.domain.keys import KeyLine, Program, ProgramKey
from imagegen.domain.ledger import Limits
from imagegen.domain.program_limits import chat_limits_of, limits_of
from imagegen.edge.program_keys import (
    MOST_REMEMBERED,
    REMEMBERED_MS,
    ProgramKeyVerifier,
    RecentKeys,
)
from imagegen.edge.tokens import user_id
from imagegen.usecases.program_keys import TRIES, KeyOrder, KeyRing, MadeKey
from tests.fakes.clock import Clock
from tests.fakes.keys import MemoryKeyStore

CHECK_KEY = b"the key of the check, 32 bytes ."
ISSUER = "https://issuer.test"
DAY_MS = 86_400_000
LINE = KeyLine(5_000_000, 50_000_000, 100)
ALPHABET = string.ascii_lowercase + "234567"


class House:
    """One store of keys, one clock, and as many instances as a test wants."""

    def __init__(self) -> None:
        self.clock, self.store = Clock(), MemoryKeyStore()
        self.random = random.Random(7)
        self.ring = KeyRing(self.store, lambda: CHECK_KEY, self.clock, self.random.randbytes)

    def make(self, *scopes: str, **changes: Any) -> MadeKey:
        order = KeyOrder("Open WebUI", frozenset(scopes or {IMAGES}), LINE)
        return self.ring.create(replace(order, **changes), "operator")

    def read(self, key_id: str) -> ProgramKey | None:
        return self.store.find(key_id)

    def instance(self, issuer: str = ISSUER) -> ProgramKeyVerifier:
        recent = RecentKeys(self.store.find, self.clock)
        return ProgramKeyVerifier(recent, lambda: CHECK_KEY, issuer, self.clock)


@pytest.fixture
def house() -> House:
    return House()


def enters(
    verifier: ProgramKeyVerifier, text: str, needed: str | None = IMAGES, person: str | None = None
) -> User:
    return verifier.verify(text, needed=needed, person=person)


def is_let_in(verifier: ProgramKeyVerifier, text: str) -> bool:
    try:
        enters(verifier, text)
    except UnauthorizedError:
        return False
    return True


def mutations(text: str, rng: random.Random) -> list[Callable[[], str]]:
    """Return the ways in which a key is changed: typed wrongly, cut, joined, or forged."""
    place, other = rng.randrange(3, len(text)), rng.choice(ALPHABET)
    end = rng.randrange(3, len(text) + 1)
    return [
        lambda: text[:place] + other + text[place + 1 :],
        lambda: text[:place] + text[place + 1 :],
        lambda: text[:place] + other + text[place:],
        lambda: text[: place - 1] + text[place] + text[place - 1] + text[place + 1 :],
        lambda: text[:end],
        lambda: text + other,
        text.upper,
        lambda: text[:3] + text[3:].upper(),
        lambda: text[:place] + text[place].upper() + text[place + 1 :],
        lambda: text[:3] + "".join(rng.choices(ALPHABET, k=64)),
        lambda: text[:11] + "".join(rng.choices(ALPHABET, k=56)),
        lambda: text[:-5] + "".join(rng.choices(ALPHABET, k=5)),
        lambda: text[3:],
        lambda: f"ik-{text[3:]}",
        lambda: text[:place] + rng.choice("=-_. \0\n1890é") + text[place + 1 :],
        lambda: f"{text[:3]}{text[3:][::-1]}",
    ]


def test_a_key_is_read_back_as_it_was_written() -> None:
    nonce, secret = bytes(range(5)), bytes(range(32))
    text = keys.key_text(keys.key_id(nonce), secret, CHECK_KEY)
    assert (text[:3], len(text)) == ("ik_", 67)
    assert set(text[3:]) <= set(ALPHABET)
    assert keys.parse_key(text, CHECK_KEY) == (keys.key_id(nonce), secret)
    assert text[3:11] == keys.key_id(nonce)


@given(st.binary(min_size=5, max_size=5), st.binary(min_size=32, max_size=32))
def test_each_key_has_one_spelling(nonce: bytes, secret: bytes) -> None:
    text = keys.key_text(keys.key_id(nonce), secret, CHECK_KEY)
    assert keys.parse_key(text, CHECK_KEY) == (keys.key_id(nonce), secret)
    for other in (text.upper(), f" {text}", f"{text} ", f"{text}=", text[3:], f"ik_{text}"):
        assert keys.parse_key(other, CHECK_KEY) is None
    assert keys.parse_key(text, CHECK_KEY[::-1]) is None


@given(st.text(max_size=80))
def test_no_text_breaks_the_reading_of_a_key(text: str) -> None:
    assert keys.parse_key(text, CHECK_KEY) is None
    assert keys.parse_key(f"ik_{text}", CHECK_KEY) is None
    assert keys.parse_key("ik_" + "a" * 63 + "é", CHECK_KEY) is None


def test_keys_and_their_images_outlive_a_new_version_of_the_service(house: House) -> None:
    text = "ik_aaaqeayeaaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypzadr6"
    assert keys.parse_key(text, CHECK_KEY) == (keys.key_id(bytes(range(5))), bytes(range(32)))
    known = replace(house.make().key, id="aaaaaaaa")
    assert known.user == "4faec7e9c58819d99967bcec70e4e205"


@pytest.mark.parametrize("count", [0, 27, 33, 37])
def test_a_text_of_another_length_is_no_key_even_if_its_check_is_right(count: int) -> None:
    text = keys.key_text(keys.key_id(bytes(5)), bytes(count), CHECK_KEY)
    assert keys.parse_key(text, CHECK_KEY) is None


def test_what_is_stored_is_a_hash_of_the_random_bytes_alone(house: House) -> None:
    made = house.make()
    _, secret = keys.parse_key(made.text, CHECK_KEY) or ("", b"")
    stored = house.store.keys[made.key.id]
    assert stored.digest == hashlib.sha256(b"imagegen-key." + secret).digest()
    assert made.text[11:] not in repr(stored)
    assert made.text not in repr(made)
    assert repr(stored.digest) not in repr(stored)
    rotated = house.ring.rotate(made.key.id, overlap_ms=DAY_MS).key
    assert repr(stored.digest) not in repr(rotated), "it is still accepted"


def test_of_ten_thousand_changed_keys_none_is_accepted_and_hardly_one_is_looked_up(
    house: House,
) -> None:
    made, rng, verifier = house.make(), random.Random(20261126), house.instance()
    assert is_let_in(verifier, made.text)
    reads, accepted, tried = house.store.reads, 0, 0
    while tried < 10_000:
        for change in mutations(made.text, rng):
            if (text := change()) != made.text:
                tried += 1
                accepted += is_let_in(verifier, text)
    assert accepted == 0
    assert house.store.reads == reads


def test_a_forged_key_that_passes_the_check_is_looked_up_once_and_refused(house: House) -> None:
    verifier = house.instance()
    text = keys.key_text(keys.key_id(b"other"), bytes(32), CHECK_KEY)
    for _ in range(100):
        assert not is_let_in(verifier, text)
    assert house.store.reads == 1
    house.clock.advance(REMEMBERED_MS)
    assert not is_let_in(verifier, text)
    assert house.store.reads == 2


def test_another_secret_of_a_known_key_is_refused(house: House) -> None:
    made, verifier = house.make(), house.instance()
    for secret in 2 * (bytes(32), b"\xff" * 32, made.key.digest):
        assert not is_let_in(verifier, keys.key_text(made.key.id, secret, CHECK_KEY))
    assert house.store.reads == 3, "one for each text: the key may have been rotated"


def test_the_memory_of_keys_is_bounded_and_known_keys_come_back(house: House) -> None:
    verifier, made = house.instance(), house.make()
    assert is_let_in(verifier, made.text)
    for number in range(3 * MOST_REMEMBERED):
        forged = keys.key_text(keys.key_id(number.to_bytes(5)), bytes(32), CHECK_KEY)
        assert not is_let_in(verifier, forged)
    assert len(verifier.recent._found) == len(verifier.recent._refused) == MOST_REMEMBERED
    assert is_let_in(verifier, made.text)


def test_a_key_that_was_just_read_again_is_not_the_first_to_be_forgotten(house: House) -> None:
    verifier, made, other = house.instance(), house.make(), house.make()
    assert is_let_in(verifier, made.text)
    assert is_let_in(verifier, other.text)
    house.clock.advance(REMEMBERED_MS)
    assert is_let_in(verifier, made.text)
    for number in range(MOST_REMEMBERED - 1):
        is_let_in(verifier, keys.key_text(keys.key_id(number.to_bytes(5)), bytes(32), CHECK_KEY))
    reads = house.store.reads
    assert is_let_in(verifier, made.text)
    assert house.store.reads == reads


def test_what_an_instance_remembers_of_keys_is_in_no_text_of_it(house: House) -> None:
    recent, made = RecentKeys(house.read, house.clock), house.make()
    verifier = ProgramKeyVerifier(recent, lambda: CHECK_KEY, ISSUER, house.clock)
    forged = keys.key_text(made.key.id, bytes(32), CHECK_KEY)
    assert [is_let_in(verifier, one) for one in (made.text, forged)] == [True, False]
    assert made.key.id not in repr(verifier)


@pytest.mark.parametrize("phase_ms", [0, 1, 999, 30_000])
def test_a_revoked_key_stops_within_a_minute_in_twenty_warm_instances(
    house: House, phase_ms: int
) -> None:
    made = house.make()
    instances = [house.instance() for _ in range(20)]
    for number, one in enumerate(instances):
        house.clock.advance(number * 100 + phase_ms // 20)
        assert is_let_in(one, made.text)
    house.ring.revoke(made.key.id)
    revoked_ms, last_ms = house.clock(), 0
    while house.clock() - revoked_ms <= 60_000:
        house.clock.advance(1_000)
        let_in = [is_let_in(one, made.text) for one in instances]
        if any(let_in):
            last_ms = house.clock() - revoked_ms
    assert 0 < last_ms < 60_000 - 10_000
    reads = house.store.reads
    for one in instances:
        assert not is_let_in(one, made.text)
    assert house.store.reads == reads


def test_a_warm_instance_reads_a_key_once_in_45_seconds(house: House) -> None:
    made, verifier = house.make(), house.instance()
    for _ in range(90):
        assert is_let_in(verifier, made.text)
        house.clock.advance(1_000)
    assert house.store.reads == 2


def test_a_clock_that_is_set_back_makes_a_key_be_read_again(house: House) -> None:
    made, verifier = house.make(), house.instance()
    assert is_let_in(verifier, made.text)
    house.ring.revoke(made.key.id)
    house.clock.advance(-3_600_000)
    assert not is_let_in(verifier, made.text)


def test_the_age_of_a_key_counts_from_before_its_read(house: House) -> None:
    made = house.make()

    def slow(name: str) -> ProgramKey | None:
        found = house.store.find(name)
        house.clock.advance(20_000)
        return found

    verifier = ProgramKeyVerifier(
        RecentKeys(slow, house.clock), lambda: CHECK_KEY, ISSUER, house.clock
    )
    assert is_let_in(verifier, made.text)
    house.ring.revoke(made.key.id)
    house.clock.advance(REMEMBERED_MS - 20_000)
    assert not is_let_in(verifier, made.text)


def test_an_expired_key_is_refused_at_that_moment_in_a_warm_instance(house: House) -> None:
    made, verifier = house.make(expires_ms=house.clock() + 10_000), house.instance()
    house.clock.advance(9_999)
    assert is_let_in(verifier, made.text)
    house.clock.advance(1)
    with pytest.raises(UnauthorizedError, match="The key has expired"):
        enters(verifier, made.text)


def test_only_the_holder_of_a_key_may_know_why_it_is_refused(house: House) -> None:
    made, verifier = house.make(), house.instance()
    house.ring.revoke(made.key.id)
    with pytest.raises(UnauthorizedError, match="The key was revoked"):
        enters(verifier, made.text)
    for text in (made.text[:-1], keys.key_text(made.key.id, bytes(32), CHECK_KEY)):
        with pytest.raises(UnauthorizedError, match="The key is not valid"):
            enters(verifier, text)


def test_no_error_and_no_hint_has_the_key(house: House) -> None:
    made, verifier = house.make(ESTIMATE), house.instance()
    texts = []
    for text, needed in ((made.text, CHAT), (made.text[:-1], IMAGES), (made.text + "a", IMAGES)):
        with pytest.raises((UnauthorizedError, ForbiddenError)) as error:
            enters(verifier, text, needed)
        texts.append(f"{error.value} {error.value.hint}")
    assert not [one for one in texts if made.text[11:30] in one]


def test_after_a_rotation_both_are_accepted_until_the_overlap_ends(house: House) -> None:
    old, verifier = house.make(), house.instance()
    new = house.ring.rotate(old.key.id, overlap_ms=DAY_MS)
    assert new.text != old.text
    assert new.text[:11] == old.text[:11]
    house.clock.advance(DAY_MS - 1)
    assert is_let_in(verifier, old.text)
    assert is_let_in(verifier, new.text)
    house.clock.advance(1)
    assert not is_let_in(verifier, old.text)
    assert is_let_in(verifier, new.text)
    assert enters(verifier, new.text).id == old.key.user


@pytest.mark.parametrize("after_ms", [0, 1, 44_999])
@pytest.mark.parametrize("overlap_ms", [0, 3_600_000])
def test_a_new_text_is_accepted_at_once_in_a_warm_instance(
    house: House, after_ms: int, overlap_ms: int
) -> None:
    made, verifier = house.make(), house.instance()
    assert is_let_in(verifier, made.text)
    new = house.ring.rotate(made.key.id, overlap_ms=overlap_ms)
    house.clock.advance(after_ms)
    assert is_let_in(verifier, new.text)
    assert is_let_in(verifier, made.text) is bool(overlap_ms)
    newest = house.ring.rotate(made.key.id, overlap_ms=overlap_ms)
    assert is_let_in(verifier, newest.text)
    assert is_let_in(verifier, new.text) is bool(overlap_ms)


def test_a_text_that_was_rotated_away_costs_one_read_and_no_more(house: House) -> None:
    made, verifier = house.make(), house.instance()
    new = house.ring.rotate(made.key.id, overlap_ms=0)
    assert is_let_in(verifier, new.text)
    reads = house.store.reads
    for _ in range(20):
        assert not is_let_in(verifier, made.text)
        assert is_let_in(verifier, new.text)
    assert house.store.reads == reads + 1


def test_a_warm_instance_without_its_store_says_so_of_a_text_that_does_not_fit(
    house: House,
) -> None:
    made, is_away = house.make(), False

    def find(name: str) -> ProgramKey | None:
        if is_away:
            raise StoreUnavailableError("away")
        return house.store.find(name)

    verifier = ProgramKeyVerifier(
        RecentKeys(find, house.clock), lambda: CHECK_KEY, ISSUER, house.clock
    )
    assert is_let_in(verifier, made.text)
    new, is_away = house.ring.rotate(made.key.id, overlap_ms=3_600_000), True
    with pytest.raises(StoreUnavailableError):
        enters(verifier, new.text)
    assert is_let_in(verifier, made.text)
    is_away = False
    assert is_let_in(verifier, new.text)


def test_a_rotation_without_an_overlap_ends_the_old_text_at_once(house: House) -> None:
    old = house.make()
    new = house.ring.rotate(old.key.id, overlap_ms=0)
    verifier = house.instance()
    assert [is_let_in(verifier, one.text) for one in (old, new)] == [False, True]
    house.clock.advance(-1)
    assert not is_let_in(house.instance(), old.text), "also where the clock is a little behind"


def test_a_second_rotation_ends_the_first_text(house: House) -> None:
    first = house.make()
    second = house.ring.rotate(first.key.id, overlap_ms=DAY_MS)
    third = house.ring.rotate(first.key.id, overlap_ms=DAY_MS)
    verifier = house.instance()
    let_in = [is_let_in(verifier, one.text) for one in (first, second, third)]
    assert let_in == [False, True, True]


def test_a_revocation_ends_both_texts_of_a_rotated_key_and_keeps_its_first_time(
    house: House,
) -> None:
    old = house.make()
    new = house.ring.rotate(old.key.id, overlap_ms=DAY_MS)
    done = house.ring.revoke(old.key.id)
    house.clock.advance(5_000)
    assert house.ring.revoke(old.key.id) == done
    verifier = house.instance()
    assert not any(is_let_in(verifier, one.text) for one in (old, new))
    with pytest.raises(InvalidRequestError, match="make a new one"):
        house.ring.rotate(old.key.id, overlap_ms=0)


def test_an_expired_key_is_not_rotated(house: House) -> None:
    made = house.make(expires_ms=house.clock() + 1)
    house.clock.advance(1)
    with pytest.raises(InvalidRequestError, match="make a new one"):
        house.ring.rotate(made.key.id, overlap_ms=0)


@pytest.mark.parametrize("overlap_ms", [-1, 30 * DAY_MS + 1])
def test_an_overlap_has_bounds(house: House, overlap_ms: int) -> None:
    made = house.make()
    with pytest.raises(InvalidRequestError, match="0 to 30 days"):
        house.ring.rotate(made.key.id, overlap_ms=overlap_ms)
    assert house.ring.rotate(made.key.id, overlap_ms=30 * DAY_MS).key.version == 2


def test_an_unknown_key_is_neither_rotated_nor_revoked(house: House) -> None:
    with pytest.raises(NotFoundError, match="'aaaaaaaa'"):
        house.ring.rotate("aaaaaaaa", overlap_ms=0)
    with pytest.raises(NotFoundError):
        house.ring.revoke("aaaaaaaa")


def test_a_revocation_wins_over_a_rotation_at_the_same_time(house: House) -> None:
    made, find, turn = house.make(), house.store.find, count()

    class Racing(MemoryKeyStore):
        def find(self, key_id: str) -> ProgramKey | None:
            found = find(key_id)
            if next(turn) == 0:
                house.ring.rotate(key_id, overlap_ms=DAY_MS)
            return found

        def change(self, key: ProgramKey) -> bool:
            return house.store.change(key)

    ring = replace(house.ring, store=Racing())
    assert ring.revoke(made.key.id).revoked_ms == house.clock()
    assert house.store.keys[made.key.id].earlier is None
    assert house.store.keys[made.key.id].version == 3


def test_of_two_rotations_at_the_same_time_one_is_made(house: House) -> None:
    made, find, turn = house.make(), house.store.find, count()
    others: list[MadeKey] = []

    class Racing(MemoryKeyStore):
        def find(self, key_id: str) -> ProgramKey | None:
            found = find(key_id)
            if next(turn) == 0:
                others.append(house.ring.rotate(key_id, overlap_ms=DAY_MS))
            return found

        def change(self, key: ProgramKey) -> bool:
            return house.store.change(key)

    ring = replace(house.ring, store=Racing())
    with pytest.raises(InvalidRequestError, match="rotated at the same time"):
        ring.rotate(made.key.id, overlap_ms=DAY_MS)
    verifier = house.instance()
    assert is_let_in(verifier, made.text), "its overlap was promised to both"
    assert is_let_in(verifier, others[0].text)
    turn = count()
    newest = ring.rotate(made.key.id, overlap_ms=0)
    let_in = [is_let_in(house.instance(), one.text) for one in (made, *others, newest)]
    assert let_in == [False, False, False, True], "without an overlap every other text ends"


@pytest.mark.parametrize("error", [ConfigurationError("IMAGE_ID_KEY"), StoreUnavailableError("x")])
def test_nothing_is_changed_if_the_text_could_not_be_returned(
    house: House, error: ImagegenError
) -> None:
    made = house.make()

    def away() -> bytes:
        raise error

    ring = replace(house.ring, check_key=away)
    with pytest.raises(type(error)):
        ring.rotate(made.key.id, overlap_ms=0)
    with pytest.raises(type(error)):
        ring.create(_order(), "operator")
    assert house.store.keys == {made.key.id: made.key}


def test_a_change_that_always_loses_gives_up_and_says_so(house: House) -> None:
    made = house.make()

    class Losing(MemoryKeyStore):
        def find(self, key_id: str) -> ProgramKey | None:
            self.reads += 1
            return house.store.find(key_id)

    losing = Losing()
    with pytest.raises(StoreUnavailableError, match="Try again"):
        replace(house.ring, store=losing).revoke(made.key.id)
    assert losing.reads == TRIES


def test_an_id_that_is_taken_is_not_given_twice(house: House) -> None:
    made = house.make()
    nonces = iter([b"s" * 32, *[_nonce(made)] * (TRIES - 1), b"fresh"])
    ring = replace(house.ring, random_bytes=lambda _count: next(nonces))
    assert ring.create(_order(), "operator").key.id == keys.key_id(b"fresh")
    nonces = iter([b"s" * 32, *[_nonce(made)] * TRIES])
    with pytest.raises(StoreUnavailableError, match="Try again"):
        ring.create(_order(), "operator")
    assert len(house.store.keys) == 2


def _order(**changes: Any) -> KeyOrder:
    return replace(KeyOrder("Open WebUI", frozenset({IMAGES}), LINE), **changes)


def _nonce(made: MadeKey) -> bytes:
    return base64.b32decode(made.key.id.upper())


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"name": ""}, "name must have 1 to 64"),
        ({"name": "  "}, "name must have 1 to 64"),
        ({"name": "x" * 65}, "name must have 1 to 64"),
        ({"name": "a\nb"}, "printable"),
        ({"scopes": frozenset()}, "scopes are estimate, images, chat, people, admin"),
        ({"scopes": frozenset({"image"})}, "scopes are"),
        ({"scopes": frozenset({PEOPLE})}, "at least one besides people"),
        ({"scopes": frozenset({USER})}, "scopes are"),
        ({"line": KeyLine(0)}, "more than \\$0"),
        ({"line": KeyLine(-1)}, "more than \\$0"),
        ({"line": KeyLine(2, 1)}, "not be less than the day's"),
        ({"line": KeyLine(1, None, 0)}, "images of a day must be 1 to 1000"),
        ({"line": KeyLine(1, None, 1_001)}, "images of a day must be 1 to 1000"),
        ({"line": KeyLine(1, None, 1, 0)}, "chat requests of a day must be 1 to 1000000"),
        ({"line": KeyLine(1, None, 1, 1_000_001)}, "chat requests of a day must be 1 to 1000000"),
        ({"expires_ms": 1}, "already be expired"),
    ],
)
def test_a_key_that_makes_no_sense_is_not_made(
    house: House, changes: dict[str, Any], text: str
) -> None:
    with pytest.raises(InvalidRequestError, match=text):
        house.ring.create(_order(**changes), "operator")
    assert not house.store.keys


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "x" * 64},
        {"line": KeyLine(1, 1, 1)},
        {"line": KeyLine(1, None, 1_000)},
        {"line": KeyLine(1, None, 1, 1_000_000)},
        {"line": KeyLine(1, None, 1, 1)},
        {"scopes": frozenset({PEOPLE, CHAT})},
        {"scopes": frozenset(keys.SCOPES)},
        {"name": "Büro 2"},
    ],
)
def test_a_key_that_makes_sense_is_made(house: House, changes: dict[str, Any]) -> None:
    made = house.ring.create(_order(**changes), "operator")
    assert house.store.keys[made.key.id] == made.key
    assert (made.key.made_by, made.key.version) == ("operator", 1)


def test_a_key_without_numbers_of_its_own_has_500_images_and_1000_chats_a_day() -> None:
    assert (KeyLine(1).daily_images, KeyLine(1).daily_chats) == (500, 1_000)


BUDGETS = (Level("T#art", 7, 70), Level(daily_microusd=9))


@pytest.mark.parametrize("is_for_person", [False, True])
@pytest.mark.parametrize("scopes", [{IMAGES}, {IMAGES, PEOPLE}])
def test_a_keys_money_is_counted_once_and_the_budgets_above_it_stay(
    house: House, *, scopes: set[str], is_for_person: bool
) -> None:
    people = Limits(hourly_images=3, daily_images=20, daily_microusd=1_000_000, levels=BUDGETS)
    program = Program(house.make(*scopes).key, is_for_person)
    found = limits_of(program, people)
    is_of_people = PEOPLE in scopes
    own = (Level(f"K#{program.key.id}", LINE.daily_microusd, LINE.monthly_microusd),)
    assert found.levels == (*(own if is_of_people else ()), *BUDGETS)
    if is_for_person:
        assert replace(found, levels=BUDGETS) == people


def test_a_program_may_try_each_image_of_its_day_twice_and_has_no_limit_of_the_hour(
    house: House,
) -> None:
    found = limits_of(Program(house.make().key), Limits())
    assert (found.hourly_images, found.daily_images, found.daily_attempts) == (0, 100, 200)
    assert found.daily_microusd == LINE.daily_microusd
    assert found.monthly_microusd == LINE.monthly_microusd


@pytest.mark.parametrize(
    ("chats", "tokens"), [(1, 1_000), (10, 1_000), (11, 1_100), (25, 2_500), (1_000, 100_000)]
)
def test_a_program_has_as_many_tokens_for_a_chat_as_a_person_and_at_least_those_of_one_person(
    house: House, chats: int, tokens: int
) -> None:
    key = house.make(CHAT, line=replace(LINE, daily_chats=chats)).key
    assert chat_limits_of(key, DailyChatLimits(10, 1_000)) == DailyChatLimits(chats, tokens)


def test_keys_are_listed_from_the_oldest(house: House) -> None:
    made = []
    for number in range(5):
        made.append(house.make(name=f"key {number}").key)
        house.clock.advance(1)
    assert house.ring.all() == made


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        (ESTIMATE, {ESTIMATE}),
        (IMAGES, {ESTIMATE, IMAGES}),
        (CHAT, {CHAT}),
        (ADMIN, {ADMIN}),
    ],
)
def test_a_scope_allows_its_routes_and_no_others(
    house: House, scope: str, allowed: set[str]
) -> None:
    made, verifier = house.make(scope), house.instance()
    for one in allowed:
        assert enters(verifier, made.text, one).scopes == {scope}
    for needed in {ESTIMATE, IMAGES, CHAT, ADMIN, None, PEOPLE, USER} - allowed:
        what = f"the scope '{needed}'" if needed else "a person's token"
        with pytest.raises(ForbiddenError, match=f"may not be used here: {what} is needed"):
            enters(verifier, made.text, needed)


def test_a_program_is_a_user_of_its_own_and_never_a_person(house: House) -> None:
    made = house.make(IMAGES)
    user = enters(house.instance(), made.text)
    assert user == User(made.key.user, frozenset({IMAGES}), program=Program(made.key))
    assert user.team == "", "no team's budget pays for it"
    assert len(user.id) == 32
    assert user.id != house.make(IMAGES).key.user
    assert not user.is_admin
    assert enters(house.instance(), house.make(ADMIN).text, ADMIN).is_admin


def test_a_key_of_people_acts_for_the_person_that_it_names(house: House) -> None:
    made = house.make(IMAGES, PEOPLE)
    user = enters(house.instance(), made.text, IMAGES, " alice ")
    assert user.id == user_id(ISSUER, "alice")
    assert user.scopes == {IMAGES}
    assert user.program == Program(made.key, is_for_person=True)


def test_a_key_without_that_scope_names_nobody(house: House) -> None:
    made = house.make(IMAGES, CHAT, ESTIMATE)
    with pytest.raises(ForbiddenError, match="lacks the scope 'people'"):
        enters(house.instance(), made.text, IMAGES, "alice")


@pytest.mark.parametrize("person", ["", " ", "x" * 256])
def test_a_name_of_a_person_has_bounds(house: House, person: str) -> None:
    made = house.make(IMAGES, PEOPLE)
    with pytest.raises(ForbiddenError, match="1 to 255 characters"):
        enters(house.instance(), made.text, IMAGES, person)
    assert enters(house.instance(), made.text, IMAGES, "x" * 255).program


def test_an_operator_acts_for_nobody_else(house: House) -> None:
    made = house.make(ADMIN, IMAGES, PEOPLE)
    with pytest.raises(ForbiddenError, match="leave out x-imagegen-on-behalf-of"):
        enters(house.instance(), made.text, ADMIN, "alice")


def test_without_an_issuer_a_key_is_good_and_no_person_can_be_named(house: House) -> None:
    made, verifier = house.make(IMAGES, PEOPLE), house.instance(issuer="")
    assert enters(verifier, made.text).id == made.key.user
    with pytest.raises(ConfigurationError, match="JwtIssuer"):
        enters(verifier, made.text, IMAGES, "alice")


def test_while_the_store_is_away_known_keys_work_until_they_are_old(house: House) -> None:
    made, away = house.make(), False

    def find(name: str) -> ProgramKey | None:
        if away:
            raise StoreUnavailableError("away")
        return house.store.find(name)

    verifier = ProgramKeyVerifier(
        RecentKeys(find, house.clock), lambda: CHECK_KEY, ISSUER, house.clock
    )
    assert is_let_in(verifier, made.text)
    away = True
    house.clock.advance(REMEMBERED_MS - 1)
    assert is_let_in(verifier, made.text)
    house.clock.advance(1)
    with pytest.raises(StoreUnavailableError):
        enters(verifier, made.text)
