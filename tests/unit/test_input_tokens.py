"""OpenAI's input image tokens: 16 measured points, and bounds that hold for every size."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imagegen.domain.input_tokens import MOST_TOKENS, input_image_tokens

MEASURED = [
    ((256, 256), 256),
    ((512, 512), 1024),
    ((512, 1024), 512),
    ((550, 368), 704),
    ((341, 512), 704),
    ((768, 768), 1024),
    ((1024, 1024), 1024),
    ((1280, 720), 920),
    ((1536, 1024), 1536),
    ((1024, 1536), 1536),
    ((1536, 1536), 1521),
    ((2048, 1152), 1508),
    ((2048, 2048), 1521),
    ((3840, 2160), 1508),
    ((1179, 2556), 1482),
]
SIDES = st.integers(1, 20_000)


@pytest.mark.parametrize(("size", "tokens"), MEASURED)
def test_a_measured_point_comes_out(size: tuple[int, int], tokens: int) -> None:
    assert input_image_tokens(*size) == tokens


@given(SIDES, SIDES)
@example(1, 1)
@example(20_000, 1)
@example(1, 20_000)
@example(20_000, 20_000)
@example(20_000, 65)
@example(16_385, 65)
def test_the_tokens_are_never_above_the_most_and_never_below_one(width: int, height: int) -> None:
    assert 1 <= input_image_tokens(width, height) <= MOST_TOKENS


@given(SIDES, SIDES)
def test_a_turn_changes_nothing(width: int, height: int) -> None:
    assert input_image_tokens(width, height) == input_image_tokens(height, width)


@given(st.integers(1024, 1536), st.integers(1, 1024))
def test_what_needs_no_change_is_covered_by_patches(width: int, height: int) -> None:
    assert input_image_tokens(width, height) == -(-width // 32) * -(-height // 32)


@pytest.mark.parametrize(("small", "large"), [((512, 512), (1024, 1024)), ((300, 200), (600, 400))])
def test_a_small_image_counts_like_one_of_twice_its_size(
    small: tuple[int, int], large: tuple[int, int]
) -> None:
    assert input_image_tokens(*small) == -(-large[0] // 32) * -(-large[1] // 32)


@pytest.mark.parametrize(
    ("size", "tokens"),
    [
        ((1, 1), 1),
        ((16, 16), 1),
        ((17, 16), 2),
        ((1023, 1023), 1024),
        ((1023, 512), 32 * 17),
        ((1024, 512), 32 * 16),
    ],
)
def test_the_edges_of_enlarging(size: tuple[int, int], tokens: int) -> None:
    assert input_image_tokens(*size) == tokens


def test_exactly_the_most_patches_are_not_shrunk() -> None:
    assert MOST_TOKENS == 1536
    assert input_image_tokens(1505, 1000) == MOST_TOKENS
    assert input_image_tokens(1537, 1000) < MOST_TOKENS


def test_even_a_line_is_one_token() -> None:
    assert input_image_tokens(1_000_000, 1) == 1
