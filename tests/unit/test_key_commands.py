"""The commands that make, list, rotate and revoke keys for programs."""

import random
from dataclasses import replace

import pytest

from imagegen.domain.errors import InvalidRequestError
from imagegen.domain.keys import KeyLine, parse_key
from imagegen.usecases.program_keys import KeyRing
from operations.program_keys import done, duration_ms, end_ms, parser
from tests.fakes.clock import NOON_MS, Clock
from tests.fakes.keys import MemoryKeyStore

CHECK_KEY = b"the key of the check, 32 bytes ."
DAY_MS = 86_400_000


@pytest.fixture
def ring() -> KeyRing:
    clock = Clock(NOON_MS)
    return KeyRing(MemoryKeyStore(), lambda: CHECK_KEY, clock, random.Random(3).randbytes)


def run(ring: KeyRing, *words: str) -> str:
    return done(
        parser().parse_args([*words, "--stack", "imagegen"]), ring, "arn:aws:iam::1:user/eve"
    )


def test_a_key_is_printed_once_and_is_in_no_list(ring: KeyRing) -> None:
    text = run(ring, "create", "--name", "Open WebUI").split()[0]
    assert parse_key(text, CHECK_KEY)
    (key,) = ring.all()
    assert key.made_by == "arn:aws:iam::1:user/eve"
    listed = run(ring, "list")
    assert key.id in listed
    assert "Open WebUI" in listed
    assert text not in listed
    assert text[11:] not in listed
    assert key.digest.hex() not in listed


def test_a_key_has_careful_defaults(ring: KeyRing) -> None:
    run(ring, "create", "--name", "n8n")
    (key,) = ring.all()
    assert key.scopes == {"images"}
    assert key.line == KeyLine(10_000_000, None, 500)
    assert key.expires_ms == NOON_MS + 365 * DAY_MS


def test_what_is_given_is_what_the_key_has(ring: KeyRing) -> None:
    given = "--scopes images,people --day 2.5 --month 40 --images 20 --expires 2026-12-31"
    run(ring, "create", "--name", "a", *given.split())
    (key,) = ring.all()
    assert key.scopes == {"images", "people"}
    assert key.line == KeyLine(2_500_000, 40_000_000, 20)
    assert key.expires_ms == 1_798_761_600_000  # 2027-01-01T00:00:00Z
    assert "2027-01-01 00:00" in run(ring, "list")
    assert "$2.50  $40.00  20" in run(ring, "list")


@pytest.mark.parametrize("scopes", ["images chat", "images, chat", " images,,chat "])
def test_scopes_are_separated_by_commas_or_blanks(ring: KeyRing, scopes: str) -> None:
    run(ring, "create", "--name", "a", "--scopes", scopes)
    assert ring.all()[0].scopes == {"images", "chat"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("--day", text) for text in ("ten", "-1", "1e3", "0.0000001")),
        *(("--month", text) for text in ("x", "1,5")),
        ("--images", "many"),
        *(("--expires", text) for text in ("soon", "2026-13-01", "90", "1y", "90 d", "")),
    ],
)
def test_what_cannot_be_read_is_said_before_anything_is_made(
    ring: KeyRing, name: str, value: str
) -> None:
    with pytest.raises(SystemExit):
        run(ring, "create", "--name", "a", f"{name}={value}")
    assert ring.all() == []


def test_what_makes_no_sense_is_refused_by_the_rules(ring: KeyRing) -> None:
    with pytest.raises(InvalidRequestError, match="name must have"):
        run(ring, "create")
    with pytest.raises(InvalidRequestError, match="The scopes are"):
        run(ring, "create", "--name", "a", "--scopes", "pictures")


@pytest.mark.parametrize(
    ("text", "ms"), [("0", 0), ("24h", DAY_MS), ("90d", 90 * DAY_MS), ("2w", 14 * DAY_MS)]
)
def test_a_duration_has_hours_days_or_weeks(text: str, ms: int) -> None:
    assert duration_ms(text) == ms


def test_a_key_may_end_never_or_after_the_day_that_is_named() -> None:
    assert end_ms("never", now_ms=5) is None
    assert end_ms("1d", now_ms=5) == 5 + DAY_MS
    assert end_ms("1970-01-01", now_ms=5) == DAY_MS


def test_a_rotation_prints_another_text_and_the_list_shows_the_overlap(ring: KeyRing) -> None:
    first = run(ring, "create", "--name", "a").split()[0]
    (key,) = ring.all()
    second = run(ring, "rotate", "--key", key.id).split()[0]
    assert (first[:11], first != second) == (second[:11], True)
    (rotated,) = ring.all()
    assert rotated.earlier
    assert rotated.earlier.until_ms == NOON_MS + DAY_MS
    assert "old text until 2026-" in run(ring, "list")
    run(ring, "rotate", "--key", key.id, "--overlap", "0")
    assert ring.all()[0].earlier is None


def test_a_revoked_and_an_expired_key_stay_in_the_list(ring: KeyRing) -> None:
    run(ring, "create", "--name", "a")
    (key,) = ring.all()
    assert run(ring, "revoke", "--key", key.id).startswith(f"{key.id} is refused")
    run(ring, "create", "--name", "b", "--expires", "1d")
    later = replace(ring, now_ms=lambda: NOON_MS + 2 * DAY_MS)
    listed = run(later, "list")
    assert "revoked 2026-" in listed
    assert "expired" in listed
    assert len(listed.splitlines()) == 3


def test_without_keys_the_list_has_only_its_head(ring: KeyRing) -> None:
    assert run(ring, "list").split() == [
        *("id", "name", "scopes", "day", "month", "images", "state", "until", "made", "by")
    ]
