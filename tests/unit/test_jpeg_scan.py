"""One scan of a JPEG: how many units it has, what they take at least, and what repeats."""

from hypothesis import given
from hypothesis import strategies as st

from imagegen.domain.holes import LEAST_RUN
from imagegen.domain.jpeg_scan import (
    LEAST_REFINED,
    MOST_FIRST_BITS,
    PROGRESSIVE,
    Code,
    Component,
    Frame,
    Scan,
)
from tests.examples import examples

BASELINE, ARITHMETIC = 0xC0, 0xC9
FIRST, REFINED = 0x00, 0x10
"""The byte of a progressive scan that says whether it refines an earlier one."""
CODES = st.integers(1, 16).flatmap(
    lambda length: st.builds(Code, st.integers(0, 2**length - 1), st.just(length))
)
GREY = {1: Component(1, 1)}
HALVED = {1: Component(2, 2), 2: Component(1, 1), 3: Component(1, 1)}


def frame(
    marker: int = PROGRESSIVE, components: dict[int, Component] = GREY, *, edge: int = 64
) -> Frame:
    return Frame(marker, width=edge, height=edge, components=dict(components))


def scan(
    of: Frame, *tables: tuple[int, int], values: tuple[int, int] = (0, 0), bits: int = FIRST
) -> Scan:
    pairs = [number for one in tables or ((1, 0),) for number in one]
    return Scan(of, bytes([len(pairs) // 2, *pairs, *values, bits]))


@given(CODES, st.integers(0, 40))
@examples(200)
def test_a_repeated_code_is_written_one_behind_the_other(code: Code, count: int) -> None:
    written = f"{code.bits:0{code.length}b}" * count
    assert code.times(count) == int(written or "0", 2)


def test_a_scan_of_one_component_has_a_unit_for_each_of_its_own_blocks() -> None:
    halved = frame(components=HALVED)
    assert scan(halved, (1, 0)).units == 64
    assert scan(halved, (2, 0)).units == 16
    assert scan(halved, (1, 0), (2, 0), (3, 0)).units == 16


def test_a_component_that_the_frame_lacks_has_one_block_in_a_unit() -> None:
    assert len(scan(frame(components=HALVED), (1, 0), (9, 0)).tables_of_unit()) == 5


def test_each_block_takes_at_least_the_shortest_codes_of_the_tables_that_its_scan_names() -> None:
    coded = frame(BASELINE)
    coded.least_bits = {0: 2, 1: 3, 0x10: 4, 0x11: 7}
    assert scan(coded, (1, 0x11), values=(0, 63)).least_bits() == 64 * (3 + 7)


def test_in_a_refinement_only_many_zeros_are_a_hole() -> None:
    refined = scan(frame(), values=(1, 63), bits=REFINED)
    first = scan(frame(), values=(1, 63))
    few, many = (b"\x55" * 99 + bytes(size) + b"\x55" * 99 for size in (LEAST_RUN, LEAST_REFINED))
    assert [one.has_hole(few) for one in (first, refined)] == [True, False]
    assert refined.has_hole(many)


def test_a_byte_ff_counts_once_although_a_zero_is_put_behind_it() -> None:
    refined = scan(frame(), bits=REFINED)
    assert refined.is_blank([b"\xff\x00" * 8])


def test_runs_of_empty_blocks_take_few_bytes_and_more_than_these_are_a_picture() -> None:
    runs_of_blocks = scan(frame(), values=(1, 63))
    assert runs_of_blocks.is_blank([bytes(8 + 4)])
    assert not runs_of_blocks.is_blank([bytes(8 + 4 + 1)])


def test_behind_the_first_block_nothing_is_left_in_a_blank_scan() -> None:
    refined = scan(frame(), bits=REFINED)
    most = (refined.units + 8 + MOST_FIRST_BITS) // 8
    assert refined.is_blank([bytes(most - 1)])
    assert not refined.is_blank([bytes(most)])


def test_of_other_processes_than_huffmans_nothing_is_said() -> None:
    coded = frame(ARITHMETIC)
    coded.least_bits = {0: 2, 0x10: 4}
    coded.zero_codes = {0: Code(1, 2), 0x10: Code(1, 2)}
    assert scan(coded, values=(0, 63)).least_bits() == 0
    assert not scan(coded, values=(0, 63)).has_hole(bytes(LEAST_RUN))
    assert not scan(coded, bits=REFINED).is_blank([bytes(8)])


def test_a_scan_with_a_byte_for_four_blocks_is_not_too_small_for_a_hole() -> None:
    large = scan(frame(edge=1_024), values=(1, 63))
    most = large.units // 4
    for size, is_hole in ((most, True), (most - 1, False)):
        assert large.has_hole(bytes(LEAST_RUN) + b"\x55" * (size - LEAST_RUN)) is is_hole


def test_a_run_of_the_least_length_is_a_hole_unless_one_colour_repeats_it() -> None:
    coded = frame(BASELINE)
    coded.zero_codes = {0: Code(0, 2), 0x10: Code(0, 2)}
    whole = scan(coded, values=(0, 63))
    assert whole.has_hole(b"\x55\xaa" * 9 + b"\x33" * LEAST_RUN)
    assert not whole.has_hole(b"\x55\xaa" * 9 + bytes(LEAST_RUN))


def test_each_part_between_restart_markers_must_be_blank() -> None:
    parts = frame()
    parts.restart_units = 16
    assert scan(parts, bits=REFINED).is_blank([bytes(2)] * 4)
    for place in range(4):
        some = [bytes(2)] * 4
        some[place] = b"\x12\x34"
        assert not scan(parts, bits=REFINED).is_blank(list(some))


def test_less_than_a_byte_may_follow_the_last_block() -> None:
    assert not scan(frame(), bits=REFINED).is_blank([b"\xff\x00" * 8 + b"\x00"])


def test_without_a_code_for_no_difference_nothing_is_blank() -> None:
    for known in ({0: Code(0, 2)}, {0x10: Code(0, 2)}, {}):
        coded = frame(BASELINE)
        coded.zero_codes = dict(known)
        assert not scan(coded, values=(0, 63)).is_blank([bytes(32)])
