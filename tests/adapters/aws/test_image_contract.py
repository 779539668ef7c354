"""What every store of images and of records does, in memory and in AWS."""

from dataclasses import replace
from typing import Any, Protocol
from urllib.error import HTTPError

import pytest
from botocore.exceptions import ClientError

from imagegen.aws.image_store import METADATA_BYTES, RECORD_BYTES, S3ImageStore
from imagegen.aws.record_store import MOST_READS, READ_AT_ONCE, DynamoRecordStore
from imagegen.aws.s3_errors import s3_errors
from imagegen.domain.catalog import Tier
from imagegen.domain.errors import StoreUnavailableError
from imagegen.domain.ids import ImageRef
from imagegen.domain.records import (
    Attempt,
    Fallback,
    ImageRecord,
    Place,
    RecordStatus,
    fitting_json,
)
from imagegen.domain.stores import ImageContent, ImageStore, RecordStore
from tests.adapters.aws.world import fetched
from tests.fakes.clock import NOON_MS as NOW
from tests.fakes.pictures import picture, png

COMPLETE = ImageRecord(
    status=RecordStatus.COMPLETE,
    quote_id="a" * 24,
    issued_ms=NOW,
    created_ms=NOW + 12_345,
    duration_ms=12_000,
    tier=Tier.HIGH,
    size="square",
    expected_microusd=50_000,
    ceiling_microusd=70_000,
    charged_microusd=60_000,
    key="beta-high",
    provider="beta",
    model="labs/a model — ü",
    width=24,
    height=16,
    media_type="image/png",
    fallback=Fallback("alpha", "alpha-model", "unavailable"),
    attempts=(
        Attempt("alpha", "alpha-model", "unavailable", "E.500", 7_000),
        Attempt("beta", "beta-model", "success", "", 5_000),
    ),
)
FAILED = ImageRecord(
    status=RecordStatus.FAILED,
    quote_id="b" * 24,
    issued_ms=NOW,
    created_ms=NOW,
    duration_ms=0,
    tier=Tier.FAST,
    size="1024x1024",
    expected_microusd=1,
    ceiling_microusd=2,
    charged_microusd=0,
    code="content_refused",
    retryable=True,
    in_doubt_microusd=3,
)


class ImageContents(ImageStore, ImageContent, Protocol):
    """What every store of images is to both who ask it."""


def ref(user: str, number: int = 0) -> ImageRef:
    return ImageRef(f"{number:a>24}", user, NOW + number)


def address(store: S3ImageStore, user: str) -> str:
    link = store.link(ref(user))
    assert link is not None
    return link


def test_a_record_of_many_attempts_is_stored_all_the_same(images: ImageStore, user: str) -> None:
    attempt = Attempt("p" * 80, "m" * 80, "unavailable", "c" * 80, 7_000)
    record = replace(COMPLETE, attempts=(attempt,) * 30)
    assert images.put(ref(user), png(), record)
    found = images.find(ref(user))
    assert found is not None
    assert replace(found, attempts=()) == replace(record, attempts=())


def test_a_record_fits_into_the_metadata_of_an_object_whatever_its_length() -> None:
    sizes = set[int]()
    for length in range(2_100):
        attempts = (Attempt("a", "m" * length, "unavailable", "", 1), COMPLETE.attempts[1])
        text = fitting_json(replace(COMPLETE, attempts=attempts), RECORD_BYTES)
        sizes.add(len(f"x-amz-meta-record{text}".encode()))
    assert max(sizes) == METADATA_BYTES


def test_a_mark_is_where_later_releases_look_for_it(s3_images: S3ImageStore, user: str) -> None:
    kind, name, last = s3_images.mark_key(ref(user)).split("/")
    assert (kind, last) == ("deleted", ref(user).quote_id)
    assert s3_images.object_key(ref(user)) == f"img/{name}/{last}"


def test_an_image_is_found_with_the_record_it_was_stored_with(
    images: ImageStore, user: str
) -> None:
    assert images.find(ref(user)) is None
    assert images.put(ref(user), png(), COMPLETE)
    assert images.find(ref(user)) == COMPLETE


def test_the_first_image_of_a_quote_stays(images: ImageStore, user: str) -> None:
    assert images.put(ref(user), png(), COMPLETE)
    assert not images.put(ref(user), b"another", replace(COMPLETE, charged_microusd=1))
    assert images.find(ref(user)) == COMPLETE


def test_a_deleted_image_is_gone_and_deleting_it_again_is_no_error(
    images: ImageStore, user: str
) -> None:
    images.put(ref(user), png(), COMPLETE)
    images.delete(ref(user))
    images.delete(ref(user))
    assert images.find(ref(user)) is None
    assert images.put(ref(user), png(), COMPLETE)


def test_two_users_have_two_images_under_one_quote_id(images: ImageStore, user: str) -> None:
    assert images.put(ref(user), png(), COMPLETE)
    assert images.find(ref(f"{user}0")) is None


def test_the_bytes_are_read_up_to_a_limit(images: ImageContents, user: str) -> None:
    content = png()
    assert images.read(ref(user), limit_bytes=len(content)) is None
    images.put(ref(user), content, COMPLETE)
    assert images.read(ref(user), limit_bytes=len(content)) == content
    assert images.read(ref(user), limit_bytes=len(content) - 1) is None


@pytest.mark.parametrize(
    ("kind", "media_type", "ending"),
    [
        ("PNG", "image/png", "png"),
        ("WEBP", "image/webp", "webp"),
        ("JPEG", "image/jpeg", "jpg"),
        ("PNG", "image/other", "img"),
    ],
)
def test_the_address_opens_the_bytes_as_what_they_are(
    s3_images: S3ImageStore, user: str, kind: str, media_type: str, ending: str
) -> None:
    record = replace(COMPLETE, media_type=media_type)
    content = picture(kind)
    s3_images.put(ref(user), content, record)
    body, headers = fetched(address(s3_images, user))
    assert body == content
    assert headers["content-type"] == media_type
    assert headers["content-disposition"] == f'inline; filename="image-aaaaaaaa.{ending}"'


def test_an_address_names_its_end(s3_images: S3ImageStore, user: str) -> None:
    s3_images.put(ref(user), png(), COMPLETE)
    assert "X-Amz-Expires=900" in address(s3_images, user)


def test_what_is_not_there_has_no_address(images: ImageStore, user: str) -> None:
    assert images.link(ref(user)) is None


DELETED = replace(COMPLETE, deleted_ms=NOW + 60_000)


def test_a_marked_image_is_found_as_deleted_once_its_bytes_are_removed(
    images: ImageContents, user: str
) -> None:
    images.put(ref(user), png(), COMPLETE)
    images.mark_deleted(ref(user), DELETED)
    assert images.find(ref(user)) == COMPLETE
    images.delete(ref(user))
    assert images.find(ref(user)) == DELETED
    assert images.link(ref(user)) is None
    assert images.read(ref(user), limit_bytes=10**6) is None


def test_the_first_mark_stays_and_removing_bytes_again_leaves_it(
    images: ImageStore, user: str
) -> None:
    images.mark_deleted(ref(user), DELETED)
    images.mark_deleted(ref(user), replace(DELETED, deleted_ms=NOW + 70_000))
    images.delete(ref(user))
    assert images.find(ref(user)) == DELETED
    assert images.find(ref(user, 1)) is None
    assert images.find(ref(f"{user}0")) is None


def test_a_mark_of_many_attempts_is_stored_all_the_same(images: ImageStore, user: str) -> None:
    attempt = Attempt("p" * 80, "m" * 80, "unavailable", "c" * 80, 7_000)
    images.mark_deleted(ref(user), replace(DELETED, attempts=(attempt,) * 30))
    found = images.find(ref(user))
    assert found is not None
    assert (found.charged_microusd, found.deleted_ms) == (60_000, NOW + 60_000)


def test_a_link_that_was_given_out_opens_nothing_once_the_image_is_deleted(
    s3_images: S3ImageStore, user: str
) -> None:
    s3_images.put(ref(user), png(), COMPLETE)
    link = address(s3_images, user)
    s3_images.mark_deleted(ref(user), DELETED)
    s3_images.delete(ref(user))
    with pytest.raises(HTTPError) as caught:
        fetched(link)
    caught.value.close()
    assert caught.value.code == 404


def test_nothing_of_a_deleted_image_is_left_among_the_images(
    s3_images: S3ImageStore, user: str
) -> None:
    s3_images.put(ref(user), png(), COMPLETE)
    s3_images.mark_deleted(ref(user), DELETED)
    s3_images.delete(ref(user))
    client, bucket = s3_images.client, s3_images.bucket
    left = client.list_objects_v2(Bucket=bucket, Prefix=s3_images.object_key(ref(user)))
    assert left["KeyCount"] == 0
    mark = client.head_object(Bucket=bucket, Key=s3_images.mark_key(ref(user)))
    assert mark["ContentLength"] == 0
    assert user not in s3_images.mark_key(ref(user))


def test_a_record_that_cannot_be_read_is_a_store_that_cannot_tell(
    s3_images: S3ImageStore, user: str
) -> None:
    s3_images.client.put_object(
        Bucket=s3_images.bucket, Key=s3_images.object_key(ref(user)), Body=png()
    )
    with pytest.raises(StoreUnavailableError):
        s3_images.find(ref(user))


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("404", FileNotFoundError),
        ("NoSuchKey", FileNotFoundError),
        ("NotFound", FileNotFoundError),
        ("412", FileExistsError),
        ("PreconditionFailed", FileExistsError),
        ("SlowDown", StoreUnavailableError),
        ("AccessDenied", StoreUnavailableError),
    ],
)
def test_an_error_of_s3_says_whether_there_is_an_object(code: str, error: type[Exception]) -> None:
    """Its code is a word or, where an answer has no body, the status."""
    with pytest.raises(error), s3_errors():
        raise ClientError({"Error": {"Code": code, "Message": ""}}, "PutObject")


def test_a_failure_never_takes_the_place_of_an_image(records: RecordStore, user: str) -> None:
    assert records.put(ref(user), COMPLETE)
    assert not records.put(ref(user), FAILED)
    assert records.get(ref(user)) == COMPLETE


@pytest.mark.parametrize("late", [COMPLETE, FAILED], ids=["image", "failure"])
def test_only_a_deletions_record_takes_the_place_of_a_deleted_images(
    records: RecordStore, user: str, late: ImageRecord
) -> None:
    assert records.put(ref(user), COMPLETE)
    assert records.put(ref(user), DELETED)
    assert not records.put(ref(user), late)
    records.withdraw(ref(user), FAILED)
    assert records.get(ref(user)) == DELETED
    again = replace(DELETED, deleted_ms=NOW + 1)
    assert records.put(ref(user), again)
    assert records.get(ref(user)) == again


def test_the_record_of_an_image_that_could_not_be_charged_is_withdrawn(
    records: RecordStore, user: str
) -> None:
    records.put(ref(user), COMPLETE)
    records.withdraw(ref(user), FAILED)
    assert records.get(ref(user)) == FAILED
    assert records.put(ref(user), COMPLETE)


def numbered(number: int) -> ImageRecord:
    one = ref("", number)
    return replace(COMPLETE, quote_id=one.quote_id, issued_ms=one.issued_ms)


def test_pages_have_the_images_and_neither_failures_nor_deleted_ones(
    records: RecordStore, user: str
) -> None:
    for number in range(20):
        kind = (COMPLETE, FAILED, DELETED)[number % 3]
        record = replace(numbered(number), status=kind.status, deleted_ms=kind.deleted_ms)
        records.put(ref(user, number), record)
    records.put(ref(f"{user}0", 18), COMPLETE)
    wanted = [numbered(number) for number in (18, 15, 12, 9, 6, 3, 0)]
    for limit in (1, 2, 3, 7, 50):
        found, after = list[ImageRecord](), None
        while True:
            page = records.page(user, after, since_ms=0, limit=limit)
            assert len(page.records) <= limit
            found += page.records
            if (after := page.rest) is None:
                break
        assert found == wanted
    newest = records.page(user, None, since_ms=ref(user, 10).issued_ms, limit=50)
    assert (list(newest.records), newest.rest) == (wanted[:3], None)


def test_a_page_after_a_place_that_is_not_there_begins_behind_it(
    records: RecordStore, user: str
) -> None:
    for number in (1, 3):
        records.put(ref(user, number), numbered(number))
    between = Place(NOW + 2, "a" * 24)
    assert records.page(user, between, since_ms=0, limit=5).records == (numbered(1),)


def test_a_page_goes_on_behind_more_failures_than_are_read_at_once(
    dynamo_records: DynamoRecordStore, user: str
) -> None:
    """One request reads a bounded number of records: such a page is short, and says so."""
    for number in range(1, READ_AT_ONCE * MOST_READS + 5):
        dynamo_records.put(ref(user, number), FAILED)
    dynamo_records.put(ref(user), numbered(0))
    first = dynamo_records.page(user, None, since_ms=0, limit=5)
    assert first.records == ()
    second = dynamo_records.page(user, first.rest, since_ms=0, limit=5)
    assert (second.records, second.rest) == ((numbered(0),), None)


def test_a_big_image_is_stored_whole(s3_images: S3ImageStore, user: str) -> None:
    content = png() + bytes(10_000_000)
    s3_images.put(ref(user), content, COMPLETE)
    assert fetched(address(s3_images, user))[0] == content


@pytest.mark.parametrize("record", [COMPLETE, FAILED], ids=["complete", "failed"])
def test_a_record_reads_back_as_it_was_written(
    records: RecordStore, user: str, record: ImageRecord
) -> None:
    assert records.get(ref(user)) is None
    records.put(ref(user), record)
    assert records.get(ref(user)) == record


def test_a_later_record_of_a_request_takes_the_place_of_the_first(
    records: RecordStore, user: str
) -> None:
    records.put(ref(user), FAILED)
    records.put(ref(user), COMPLETE)
    assert records.get(ref(user)) == COMPLETE
    assert records.recent(user, limit=5) == [COMPLETE]


def test_the_newest_records_of_a_user_come_first_and_no_others(
    records: RecordStore, user: str
) -> None:
    for number in (2, 0, 3, 1):
        records.put(ref(user, number), replace(FAILED, created_ms=number))
    records.put(ref(f"{user}0", 9), FAILED)
    assert [one.created_ms for one in records.recent(user, limit=3)] == [3, 2, 1]
    assert records.recent("f" * 32, limit=3) == []
    since_ms = ref(user, 2).issued_ms
    assert [one.created_ms for one in records.recent(user, limit=9, since_ms=since_ms)] == [3, 2]


@pytest.mark.parametrize("kind", [COMPLETE, FAILED], ids=["image", "failure"])
def test_a_later_record_of_the_same_kind_takes_the_place_of_the_first(
    records: RecordStore, user: str, kind: ImageRecord
) -> None:
    later = replace(kind, created_ms=NOW + 1)
    assert records.put(ref(user), kind)
    assert records.put(ref(user), later)
    assert records.get(ref(user)) == later


def test_a_page_with_every_image_has_no_rest(records: RecordStore, user: str) -> None:
    for number in range(3):
        records.put(ref(user, number), numbered(number))
    assert records.page(user, None, since_ms=0, limit=3).rest is None
    assert records.page(user, None, since_ms=0, limit=2).rest is not None


class ShortAnswers:
    """A client whose queries answer with few items at a time, as those of large items do."""

    def __init__(self, client: Any, most: int = 1) -> None:
        self.client, self.most, self.queries = client, most, 0

    def query(self, **given: Any) -> Any:
        self.queries += 1
        return self.client.query(**(given | {"Limit": min(self.most, given["Limit"])}))


def test_no_more_is_read_for_a_page_than_shows_whether_it_is_the_last(
    dynamo_records: DynamoRecordStore, user: str
) -> None:
    for number in range(6):
        dynamo_records.put(ref(user, number), numbered(number))
    short: Any = ShortAnswers(dynamo_records.client)
    store = replace(dynamo_records, client=short)
    assert store.page(user, None, since_ms=0, limit=1).records == (numbered(5),)
    assert short.queries == 2
    last = store.page(user, Place(NOW + 1, ref(user, 1).quote_id), since_ms=0, limit=1)
    assert (last.records, last.rest) == ((numbered(0),), None)


def test_the_newest_records_are_found_over_several_answers(
    dynamo_records: DynamoRecordStore, user: str
) -> None:
    for number in range(4):
        dynamo_records.put(ref(user, number), replace(FAILED, created_ms=number))
    short: Any = ShortAnswers(dynamo_records.client)
    store = replace(dynamo_records, client=short)
    assert [one.created_ms for one in store.recent(user, limit=3)] == [3, 2, 1]
    assert len(store.recent(user, limit=9)) == 4
    pairs: Any = ShortAnswers(dynamo_records.client, most=2)
    assert len(replace(dynamo_records, client=pairs).recent(user, limit=3)) == 3
