"""Outsiders learn a keyed name of a person, never the id that a guessed subject leads to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.domain.ids import ImageRef, log_name, object_name, provider_name
from imagegen.edge.tokens import user_id
from imagegen.logs import SECRETS, cleaned
from operations.user_names import names, user_of
from tests.fakes.service import IMAGE_ID_KEY, OTHER_USER, USER, Service

OTHER_KEY = b"another key that masks image ids"
USERS = st.integers(0, 2**128 - 1).map(lambda number: f"{number:032x}")
QUOTES = st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=24, max_size=24)


@given(USERS, QUOTES)
def test_no_name_contains_the_id_or_is_the_same_for_two_purposes_or_keys(
    user: str, quote_id: str
) -> None:
    ref = ImageRef(quote_id, user, 0)
    found = [
        name
        for key in (IMAGE_ID_KEY, OTHER_KEY)
        for name in (
            log_name(user, key),
            provider_name(user, "openai", key)[:16],
            provider_name(user, "bfl", key)[:16],
            object_name(ref, key)[:16],
        )
    ]
    assert len(set(found)) == len(found)
    assert not any(name in user or user.startswith(name) for name in found)


@given(USERS, QUOTES, QUOTES)
def test_two_images_of_one_user_have_nothing_in_common(user: str, one: str, other: str) -> None:
    first, second = (
        object_name(ImageRef(one_id, user, 0), IMAGE_ID_KEY) for one_id in (one, other)
    )
    assert (first == second) is (one == other)


@given(USERS, USERS, QUOTES)
def test_two_users_have_two_names(one: str, other: str, quote_id: str) -> None:
    same = one == other
    assert (log_name(one, IMAGE_ID_KEY) == log_name(other, IMAGE_ID_KEY)) is same
    assert (
        object_name(ImageRef(quote_id, one, 0), IMAGE_ID_KEY)
        == object_name(ImageRef(quote_id, other, 0), IMAGE_ID_KEY)
    ) is same


def test_each_provider_has_one_name_of_its_own_for_a_user() -> None:
    service = Service()
    service.make()
    service.make("another fox")
    service.make(user=OTHER_USER)
    seen = [order.user for order in service.providers["alpha"].orders]
    assert seen[0] == seen[1] == provider_name(USER, "alpha", IMAGE_ID_KEY)
    assert seen[2] == provider_name(OTHER_USER, "alpha", IMAGE_ID_KEY) != seen[0]
    assert provider_name(USER, "beta", IMAGE_ID_KEY) != seen[0]


def test_a_name_stays_when_the_quote_keys_are_rotated() -> None:
    # It is made of the image id key alone, which has no rotation.
    assert log_name(USER, IMAGE_ID_KEY) == log_name(USER, bytes(IMAGE_ID_KEY))


def test_a_name_is_printed_in_a_log_line_as_it_is() -> None:
    name = log_name(USER, IMAGE_ID_KEY)
    assert cleaned(name) == name
    assert not SECRETS.search(name)


# What support computes.


def test_support_computes_the_names_from_issuer_and_subject_or_from_the_reports_hash() -> None:
    issuer, subject = "https://login.test", "alice"
    user = user_id(issuer, subject)
    assert user_of(subject, "", issuer) == user_of("", user, "") == user
    text = names(user, IMAGE_ID_KEY, ("openai",))
    assert [line.rpartition("  ")[2] for line in text.splitlines()] == [
        f"U#{user}",
        log_name(user, IMAGE_ID_KEY),
        provider_name(user, "openai", IMAGE_ID_KEY),
    ]


@pytest.mark.parametrize(
    ("subject", "user", "issuer", "says"),
    [
        ("", "", "https://login.test", "SUBJECT="),
        ("alice", "", "", "JWT_ISSUER"),
        ("", "alice", "", "32 hex digits"),
        ("", "A" * 32, "", "32 hex digits"),
    ],
)
def test_a_person_who_is_not_named_well_is_an_error_that_says_what_to_do(
    subject: str, user: str, issuer: str, says: str
) -> None:
    with pytest.raises(SystemExit, match=says):
        user_of(subject, user, issuer)
