"""OpenAI's input image tokens: the measured points, and bounds that hold for every size."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imagegen.domain.input_tokens import input_tokens

MOST_TOKENS = 1536

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


def tokens_of(width: int, height: int) -> int:
    return input_tokens(width, height, cap=MOST_TOKENS)


@pytest.mark.parametrize(("size", "tokens"), MEASURED)
def test_a_measured_point_comes_out(size: tuple[int, int], tokens: int) -> None:
    assert tokens_of(*size) == tokens


@given(SIDES, SIDES)
@example(1, 1)
@example(20_000, 1)
@example(1, 20_000)
@example(20_000, 20_000)
@example(20_000, 65)
@example(16_385, 65)
def test_the_tokens_are_never_above_the_most_and_never_below_one(width: int, height: int) -> None:
    assert 1 <= tokens_of(width, height) <= MOST_TOKENS


@given(SIDES, SIDES)
def test_a_turn_changes_nothing(width: int, height: int) -> None:
    assert tokens_of(width, height) == tokens_of(height, width)


@given(st.integers(1024, 1536), st.integers(512, 1024))
def test_what_needs_no_change_is_covered_by_patches(width: int, height: int) -> None:
    assert tokens_of(width, height) == -(-width // 32) * -(-height // 32)


@pytest.mark.parametrize(("small", "large"), [((512, 512), (1024, 1024)), ((300, 200), (600, 400))])
def test_a_small_image_counts_like_one_of_twice_its_size(
    small: tuple[int, int], large: tuple[int, int]
) -> None:
    assert tokens_of(*small) == -(-large[0] // 32) * -(-large[1] // 32)


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
    assert tokens_of(*size) == tokens


def test_exactly_the_most_patches_are_not_shrunk() -> None:
    assert tokens_of(1505, 1000) == MOST_TOKENS
    assert tokens_of(1537, 1000) < MOST_TOKENS


@pytest.mark.parametrize("size", [(301, 100), (100, 301), (1_000_000, 1), (1, 4), (16, 5)])
def test_beyond_three_to_one_the_most_is_counted(size: tuple[int, int]) -> None:
    assert tokens_of(*size) == MOST_TOKENS
    assert input_tokens(*size, cap=7) == 7


@pytest.mark.parametrize("size", [(300, 100), (100, 300), (3, 1), (3072, 1024)])
def test_three_to_one_is_still_counted_in_patches(size: tuple[int, int]) -> None:
    assert tokens_of(*size) < MOST_TOKENS


@given(SIDES, SIDES, st.integers(1, 4_000))
def test_any_cap_is_kept(width: int, height: int, cap: int) -> None:
    assert 1 <= input_tokens(width, height, cap=cap) <= cap


@pytest.mark.parametrize(("cap", "tokens"), [(1, 1), (2, 1), (3, 1), (4, 2), (6, 4), (9, 6)])
def test_what_is_shrunk_is_shrunk_until_one_side_is_of_whole_patches(cap: int, tokens: int) -> None:
    assert input_tokens(1_200, 1_000, cap=cap) == tokens
