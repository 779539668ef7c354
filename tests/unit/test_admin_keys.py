"""Operators handle keys for programs: what they see, and what the trail has."""

import secrets
from dataclasses import replace
from itertools import count

import pytest
from pydantic import ValidationError

from imagegen.domain.errors import InvalidRequestError, ParameterError, StoreUnavailableError
from imagegen.domain.keys import KeyLine, parse_key
from imagegen.domain.trail import TrailEntry
from imagegen.usecases.admin.keys import KeyControl, RecordedKeys
from imagegen.usecases.admin.trail import Trail
from imagegen.usecases.program_keys import KeyOrder, KeyRing
from imagegen.wire.admin_keys import NewKey, RevokeKey, RotateKey
from tests.fakes.admin import MemoryTrailStore
from tests.fakes.clock import NOON_MS, Clock
from tests.fakes.keys import MemoryKeyStore

CHECK_KEY = b"the key of the check, 32 bytes ."
WHO = "user:0123"
DAY_MS = 86_400_000


class Desk:
    """The keys and the trail of one stack."""

    def __init__(self) -> None:
        self.clock, self.store, self.entries = Clock(NOON_MS), MemoryKeyStore(), MemoryTrailStore()
        ring = KeyRing(self.store, lambda: CHECK_KEY, self.clock, secrets.token_bytes)
        numbers = count()
        trail = Trail(self.entries, self.clock, lambda: f"{next(numbers):03d}")
        self.control = KeyControl(RecordedKeys(ring, trail))

    def make(self, **changes: object) -> str:
        asked = {"name": "a tool", "scopes": ["images"], "dailySpend": "5", **changes}
        return self.control.create(NewKey.model_validate(asked), WHO).key_text

    def changes(self) -> list[tuple[str, str, str, str, str]]:
        found: list[TrailEntry] = list(self.entries.entries.values())
        said = [(one.who, one.change) for one in found]
        return [(who, one.action, one.target, one.old, one.new) for who, one in said]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_an_answer_with_a_key_hides_its_text_from_logs(desk: Desk) -> None:
    asked = NewKey.model_validate({"name": "a tool", "scopes": ["images"], "dailySpend": "5"})
    made = desk.control.create(asked, WHO)
    assert made.key_text in made.model_dump_json(by_alias=True)
    assert made.key_text not in f"{made!r} {made}"


def test_a_key_is_made_with_its_text_this_once(desk: Desk) -> None:
    text = desk.make(scopes=["people", "images"], monthlySpend="50", reason="for the team")
    assert parse_key(text, CHECK_KEY)
    (key,) = desk.store.keys.values()
    assert key.line == KeyLine(5_000_000, 50_000_000, 500, 1_000)
    assert (key.made_by, key.expires_ms) == (WHO, NOON_MS + 365 * DAY_MS)
    listed = desk.control.all().model_dump_json(by_alias=True)
    assert key.id in listed
    assert text[11:] not in listed
    assert key.digest.hex() not in listed
    assert desk.changes() == [(WHO, "key_made", "a tool", "", "images people, $5.00 a day")]
    assert text[3:] not in str(desk.entries.entries)


def test_a_key_may_end_never_and_has_the_numbers_that_are_given(desk: Desk) -> None:
    desk.make(days=None, dailyImages=7, dailyChats=9)
    (item,) = desk.control.all().keys
    assert (item.expires_at, item.daily_images, item.daily_chats) == (None, 7, 9)
    assert item.user == desk.store.keys[item.key_id].user


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"scopes": []},
        {"scopes": ["people"]},
        {"dailySpend": "0"},
        {"monthlySpend": "1"},
        {"dailyImages": 0},
        {"dailyImages": 1_001},
    ],
)
def test_a_key_that_makes_no_sense_is_neither_made_nor_recorded(
    desk: Desk, changes: dict[str, object]
) -> None:
    with pytest.raises(InvalidRequestError):
        desk.make(**changes)
    assert (desk.store.keys, desk.changes()) == ({}, [])


@pytest.mark.parametrize(
    "changes",
    [
        {"scopes": ["user"]},
        {"days": 0},
        {"days": 3_651},
        {"dailyChats": 0},
        {"dailySpend": "-1"},
        {"dailySpend": None},
        {"id": "abcdefgh"},
        {"reason": "x" * 501},
    ],
)
def test_a_field_that_is_wrong_is_refused(desk: Desk, changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        desk.make(**changes)


def test_a_key_is_rotated_with_an_overlap_and_revoked_and_the_trail_has_both(desk: Desk) -> None:
    text = desk.make()
    key_id = text[3:11]
    rotated = desk.control.rotate(RotateKey(key_id=key_id, overlap_hours=2), WHO)
    assert rotated.key_text[:11] == text[:11] != rotated.key_text
    assert rotated.key.old_text_until == NOON_MS + 2 * 3_600_000
    gone = desk.control.revoke(RevokeKey(key_id=key_id, reason="leaked"), WHO)
    assert (gone.state, gone.revoked_at) == ("revoked", NOON_MS)
    assert desk.control.revoke(RevokeKey(key_id=key_id), WHO) == gone
    assert desk.changes()[1:] == [
        (WHO, "key_rotated", key_id, "valid", "rotated, the old text for 2 h"),
        (WHO, "key_revoked", key_id, "valid", "revoked"),
    ]
    assert list(desk.entries.entries.values())[-1].change.reason == "leaked"


def test_a_key_that_is_over_is_not_rotated(desk: Desk) -> None:
    key_id = desk.make(days=1)[3:11]
    desk.clock.advance(DAY_MS)
    assert [one.state for one in desk.control.all().keys] == ["expired"]
    with pytest.raises(ParameterError, match="is expired: make a new one"):
        desk.control.rotate(RotateKey(key_id=key_id), WHO)
    desk.control.revoke(RevokeKey(key_id=key_id), WHO)
    with pytest.raises(ParameterError, match="is revoked: make a new one"):
        desk.control.rotate(RotateKey(key_id=key_id), WHO)
    assert [one[1] for one in desk.changes()] == ["key_made", "key_revoked"]


def test_a_refusal_names_the_field_of_the_key_and_a_rotation_keeps_its_reason(desk: Desk) -> None:
    key_id = desk.make()[3:11]
    desk.control.rotate(RotateKey(key_id=key_id, reason="a new laptop"), WHO)
    assert list(desk.entries.entries.values())[-1].change.reason == "a new laptop"
    desk.control.revoke(RevokeKey(key_id=key_id), WHO)
    with pytest.raises(ParameterError) as error:
        desk.control.rotate(RotateKey(key_id=key_id), WHO)
    assert error.value.param == "keyId"


def test_who_gives_no_reason_leaves_none_in_the_trail(desk: Desk) -> None:
    keys = desk.control.keys
    order = KeyOrder("a tool", frozenset({"images"}), KeyLine(5_000_000))
    made = keys.create(order, WHO)
    keys.rotate(made.key.id, WHO, overlap_ms=0)
    keys.revoke(made.key.id, WHO)
    assert [one.change.reason for one in desk.entries.entries.values()] == ["", "", ""]


def test_the_trail_lists_scopes_in_the_order_of_their_names(desk: Desk) -> None:
    desk.make(scopes=["people", "images", "estimate", "chat", "admin"])
    assert desk.changes()[0][4] == "admin chat estimate images people, $5.00 a day"


def test_a_key_that_does_not_exist_is_neither_rotated_nor_revoked(desk: Desk) -> None:
    with pytest.raises(ParameterError, match="There is no key 'aaaaaaaa'"):
        desk.control.rotate(RotateKey(key_id="aaaaaaaa"), WHO)
    with pytest.raises(ParameterError, match="There is no key 'aaaaaaaa'") as error:
        desk.control.revoke(RevokeKey(key_id="aaaaaaaa"), WHO)
    assert error.value.param == "keyId"
    assert desk.changes() == []


def test_without_its_entry_in_the_trail_no_change_is_made(desk: Desk) -> None:
    key_id = desk.make()[3:11]
    before = dict(desk.store.keys)

    class Away(MemoryTrailStore):
        def add(self, entry: TrailEntry) -> None:
            raise StoreUnavailableError("away")

    keys = desk.control.keys
    desk.control = KeyControl(replace(keys, trail=replace(keys.trail, store=Away())))
    for change in (
        desk.make,
        lambda: desk.control.rotate(RotateKey(key_id=key_id), WHO),
        lambda: desk.control.revoke(RevokeKey(key_id=key_id), WHO),
    ):
        with pytest.raises(StoreUnavailableError):
            change()
    assert desk.store.keys == before
