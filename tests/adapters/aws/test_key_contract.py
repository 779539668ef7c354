"""What every store of keys for programs does: one suite for memory and DynamoDB."""

import secrets
from dataclasses import replace
from typing import Any

import pytest

from imagegen.aws.items import from_item, to_item
from imagegen.aws.key_store import DynamoKeyStore, to_values
from imagegen.domain.keys import (
    DAILY_CHATS,
    EarlierSecret,
    KeyLine,
    KeyStore,
    ProgramKey,
    digest_of,
    revoked,
    rotated,
)
from imagegen.usecases.program_keys import KeyOrder, KeyRing
from tests.adapters.aws.world import Aws, Meter, at_once
from tests.fakes.clock import NOON_MS as NOW

CHECK_KEY = b"the key of the check, 32 bytes ."
FIRST = ProgramKey(
    id="abcdefgh",
    name="Open WebUI",
    scopes=frozenset({"images", "people"}),
    line=KeyLine(5_000_000, 50_000_000, 100, 40),
    digest=digest_of(b"a" * 32),
    created_ms=NOW,
    made_by="arn:aws:iam::1:user/eve",
    expires_ms=NOW + 1_000,
)
BARE = ProgramKey(
    id="22222222",
    name="Büro",
    scopes=frozenset({"chat"}),
    line=KeyLine(1),
    digest=digest_of(b"b" * 32),
    created_ms=NOW,
    made_by="eve",
)


def test_an_id_that_no_key_has_finds_nothing(program_keys: KeyStore) -> None:
    assert program_keys.find("abcdefgh") is None
    assert program_keys.all() == []


@pytest.mark.parametrize(
    "key",
    [
        FIRST,
        BARE,
        replace(FIRST, earlier=EarlierSecret(digest_of(b"c"), NOW + 5), version=2),
        revoked(FIRST, now_ms=NOW + 7),
    ],
)
def test_a_key_is_found_as_it_was_stored(program_keys: KeyStore, key: ProgramKey) -> None:
    assert program_keys.add(key)
    assert program_keys.find(key.id) == key
    assert program_keys.all() == [key]


def test_a_second_key_of_an_id_is_not_stored(program_keys: KeyStore) -> None:
    assert program_keys.add(FIRST)
    assert not program_keys.add(replace(BARE, id=FIRST.id))
    assert program_keys.find(FIRST.id) == FIRST


def test_a_key_that_is_stored_twice_by_one_call_counts_as_stored(program_keys: KeyStore) -> None:
    assert program_keys.add(FIRST)
    assert program_keys.add(FIRST)


def test_a_change_replaces_the_version_before_it_and_no_other(program_keys: KeyStore) -> None:
    program_keys.add(FIRST)
    second = rotated(FIRST, digest_of(b"d" * 32), overlap_ms=10, now_ms=NOW)
    assert program_keys.change(second)
    assert program_keys.change(second)
    assert not program_keys.change(revoked(FIRST, now_ms=NOW))
    assert not program_keys.change(replace(second, version=4))
    assert program_keys.find(FIRST.id) == second
    assert program_keys.change(revoked(second, now_ms=NOW))
    gone = program_keys.find(FIRST.id)
    assert gone
    assert (gone.earlier, gone.revoked_ms, gone.version) == (None, NOW, 3)


def test_a_key_that_was_never_stored_is_not_changed(program_keys: KeyStore) -> None:
    assert not program_keys.change(revoked(FIRST, now_ms=NOW))
    assert program_keys.find(FIRST.id) is None


def test_keys_are_listed_in_the_order_of_their_ids(program_keys: KeyStore) -> None:
    made = [replace(BARE, id=f"{number:a>8}") for number in (3, 1, 2)]
    for key in made:
        program_keys.add(key)
    assert program_keys.all() == sorted(made, key=lambda key: key.id)


def test_of_many_rotations_at_once_each_counts_and_a_revocation_among_them_stays(
    program_keys: KeyStore,
) -> None:
    program_keys.add(replace(FIRST, expires_ms=None))
    ring = KeyRing(program_keys, lambda: CHECK_KEY, lambda: NOW, secrets.token_bytes)

    def act(number: int) -> str:
        try:
            if number == 7:
                ring.revoke(FIRST.id)
            else:
                ring.rotate(FIRST.id, overlap_ms=5)
        except Exception as error:  # noqa: BLE001 counted by its kind
            return type(error).__name__
        return "done"

    results = at_once(act, range(12))
    last = program_keys.find(FIRST.id)
    assert last
    assert results[7] == "done"
    assert last.revoked_ms == NOW
    assert last.version == 1 + results.count("done")
    assert set(results) <= {"done", "InvalidRequestError", "StoreUnavailableError"}


def test_what_is_stored_has_nothing_of_the_key_but_hashes(aws: Aws) -> None:
    table = aws.new_table()
    store = DynamoKeyStore(aws.dynamodb, table)
    ring = KeyRing(store, lambda: CHECK_KEY, lambda: NOW, lambda count: bytes(range(count)))
    made = ring.create(KeyOrder("Open WebUI", FIRST.scopes, FIRST.line), "eve")
    (item,) = aws.dynamodb.scan(TableName=table)["Items"]
    values: dict[str, Any] = from_item(item)
    assert (values["pk"], values["sk"]) == ("KEYS", f"K#{made.key.id}")
    text = made.text.removeprefix("ik_")
    for part in (text, text[8:], text[8:40], bytes(range(32)).hex()):
        assert part not in str(values)


def test_a_key_of_before_the_line_of_chat_requests_has_the_default(aws: Aws) -> None:
    table = aws.new_table()
    store = DynamoKeyStore(aws.dynamodb, table)
    values = to_values(FIRST)
    del values["t"]
    aws.dynamodb.put_item(TableName=table, Item=to_item(values))
    found = store.find(FIRST.id)
    assert found == replace(FIRST, line=replace(FIRST.line, daily_chats=DAILY_CHATS))


def test_a_look_at_a_key_costs_one_read(aws: Aws) -> None:
    store, meter = DynamoKeyStore(aws.dynamodb, aws.new_table()), Meter()
    store.add(FIRST)
    with meter.running(aws.dynamodb):
        store.find(FIRST.id)
    assert meter.calls == ["GetItem"]
