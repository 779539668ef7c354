"""An image id opens one image, and nobody makes one up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.domain.errors import NotFoundError
from imagegen.domain.ids import ImageRef, image_id, parse_image_id, quote_id

KEY = b"the key that masks image ids ..."
REFS = st.builds(
    ImageRef,
    st.binary(min_size=15, max_size=15).map(quote_id),
    st.binary(min_size=16, max_size=16).map(bytes.hex),
    st.integers(0, 2**48 - 1),
)
REF = ImageRef(quote_id(b"fifteen bytes .")[:24], "a1" * 16, 1_795_348_800_000)
ID = image_id(REF, KEY)


def refuses(text: str, key: bytes = KEY) -> None:
    with pytest.raises(NotFoundError):
        parse_image_id(text, key)


@given(REFS)
def test_an_image_id_reads_back_as_what_it_stands_for(ref: ImageRef) -> None:
    text = image_id(ref, KEY)
    assert parse_image_id(text, KEY) == ref
    assert text.isascii()
    assert text == text.lower()
    assert text.startswith(ref.quote_id)


@given(REFS, REFS)
def test_two_images_have_two_ids(one: ImageRef, two: ImageRef) -> None:
    assert (image_id(one, KEY) == image_id(two, KEY)) == (one == two)


@given(st.text(max_size=80))
def test_a_made_up_id_is_no_image(text: str) -> None:
    refuses(text)


@given(st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=40, max_size=40))
def test_a_tail_made_up_for_a_known_quote_id_is_no_image(tail: str) -> None:
    if REF.quote_id + tail != ID:
        # 24 bits say so at once; the user and the time behind them would have to fit as well.
        refuses(REF.quote_id + tail)


@pytest.mark.parametrize("position", range(29))
def test_an_id_changed_where_it_is_checked_is_no_image(position: int) -> None:
    other = "a" if ID[position] != "a" else "b"
    refuses(ID[:position] + other + ID[position + 1 :][:64])


def test_an_id_has_one_spelling() -> None:
    for other in (ID.upper(), ID + "=", ID + "\n", " " + ID[1:], ID[:-1], ID.replace("a", "A")):
        refuses(other)


def test_an_id_under_another_key_is_no_image() -> None:
    refuses(ID, b"another key that masks image ids")


def test_an_id_hides_the_user_and_the_time() -> None:
    later = image_id(
        ImageRef(REF.quote_id, REF.user, REF.issued_ms), b"another key ................."
    )
    assert later[24:] != ID[24:]
    assert REF.user not in ID
