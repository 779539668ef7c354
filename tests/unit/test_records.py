"""The record of a request: what a deletion, a loss and a team change in it, and nothing else."""

from dataclasses import replace

import pytest

from imagegen.domain.catalog import Tier
from imagegen.domain.outcomes import Outcome
from imagegen.domain.records import (
    SUCCESS,
    Attempt,
    ImageRecord,
    RecordStatus,
    as_deleted,
    fitting_json,
    parse_record,
    record_json,
    with_lost_image,
    with_team,
)

FAILED = Attempt("alpha", "a", "unavailable", "", 5)
MADE = Attempt("beta", "b", SUCCESS, "", 7)
RECORD = ImageRecord(
    RecordStatus.COMPLETE, "q", 1, 2, 3, Tier.STANDARD, "square", 50, 70, 60,
    width=1024, height=768, attempts=(FAILED, MADE), in_doubt_microusd=4,
    input_roles=("image", "image"), parents=("", "first"), uploads=("one",),
)  # fmt: skip


def test_a_deleted_record_has_nothing_of_its_inputs_and_the_time_of_its_first_deletion() -> None:
    deleted = as_deleted(RECORD, 10)
    assert deleted == replace(RECORD, deleted_ms=10, input_roles=(), parents=(), uploads=())
    assert as_deleted(deleted, 20) == deleted


def test_a_team_is_added_to_a_record_without_one_and_never_replaced() -> None:
    assert with_team(RECORD, "T#one").team == "T#one"
    assert with_team(with_team(RECORD, "T#one"), "T#two").team == "T#one"


@pytest.mark.parametrize(
    ("attempts", "losses"), [((FAILED, MADE), [0, 60]), ((FAILED,), [0]), ((), [])]
)
def test_a_lost_image_is_in_doubt_and_its_loss_is_that_of_the_attempt_that_made_it(
    attempts: tuple[Attempt, ...], losses: list[int]
) -> None:
    lost = with_lost_image(replace(RECORD, attempts=attempts), 60)
    assert lost.in_doubt_microusd == 64
    assert [one.lost_microusd for one in lost.attempts] == losses


def test_a_record_names_its_pixels_and_the_first_image_that_it_was_made_from() -> None:
    assert (RECORD.pixels, RECORD.derived_from) == ("1024x768", "first")
    assert replace(RECORD, parents=("",)).derived_from == ""


def test_beside_a_file_the_team_is_left_out_and_then_attempts_from_the_second_on() -> None:
    many = replace(RECORD, team="T#one", attempts=(FAILED, FAILED, FAILED, MADE))
    plain = replace(many, team="")
    whole = record_json(plain)
    assert fitting_json(many, len(whole)) == whole
    for limit, kept in (
        (len(whole) - 1, (FAILED, FAILED, MADE)),
        (len(record_json(replace(plain, attempts=(FAILED, MADE)))), (FAILED, MADE)),
        (1, ()),
    ):
        assert parse_record(fitting_json(many, limit)) == replace(plain, attempts=kept)


def test_a_record_is_ascii_and_is_read_from_text_and_from_plain_data() -> None:
    accented = replace(RECORD, model="é")
    text = record_json(accented)
    assert text.isascii()
    assert "deleted_ms" not in text, "what has its default is left out"
    assert parse_record(text) == accented
    assert parse_record({**vars_of(accented), "tier": "standard"}) == accented


def vars_of(record: ImageRecord) -> dict[str, object]:
    return {name: getattr(record, name) for name in ImageRecord.__slots__}


def test_the_text_of_an_outcome_which_records_keep_is_its_name() -> None:
    assert [one.value for one in Outcome] == [one.name.lower() for one in Outcome]
