"""An erased user in table and bucket: every version is gone, and what is left is the money."""

from dataclasses import replace
from typing import Any

import pytest

from imagegen.aws.erasure_store import DynamoErasureStore
from imagegen.aws.image_store import S3ImageStore
from imagegen.aws.kept_store import AwsKeptStore
from imagegen.aws.preview_store import S3PreviewStore
from imagegen.aws.prompt_store import DynamoPromptStore
from imagegen.aws.record_store import DynamoRecordStore
from imagegen.aws.upload_store import S3UploadStore
from imagegen.domain.erasures import Erasure, ErasureStore, Remains
from imagegen.domain.gallery import KeptPrompt
from imagegen.domain.ids import ImageRef
from imagegen.domain.inputs import PreviewFrame
from imagegen.domain.records import Place
from imagegen.domain.uploads import UploadRef, owner_name
from tests.adapters.aws.world import Aws
from tests.fakes.admin import MemoryErasureStore
from tests.fakes.clock import NOON_MS as NOW
from tests.fakes.service import IMAGE_ID_KEY, OTHER_USER, USER
from tests.unit.test_metrics import MADE

FAR = 10**14


@pytest.fixture(params=["memory", "aws"])
def erasures(request: pytest.FixtureRequest) -> ErasureStore:
    if request.param == "memory":
        return MemoryErasureStore()
    aws: Aws = request.getfixturevalue("aws")
    return DynamoErasureStore(aws.dynamodb, aws.new_table())


def test_an_erasure_is_asked_once_and_goes_on_from_its_place(erasures: ErasureStore) -> None:
    first = Erasure(USER, NOW, "self")
    assert erasures.find(USER) is None
    assert erasures.ask(first) == first
    assert erasures.ask(Erasure(USER, NOW + 5, "somebody")) == first
    erasures.advance(first, Place(NOW - 5, "q" * 24))
    moved = replace(first, done=Place(NOW - 5, "q" * 24))
    assert erasures.find(USER) == moved
    erasures.ask(Erasure(OTHER_USER, NOW, "user:x"))
    assert erasures.pending(limit=10) == sorted(
        [moved, Erasure(OTHER_USER, NOW, "user:x")], key=lambda one: one.user
    )
    assert len(erasures.pending(limit=1)) == 1
    erasures.finish(moved)
    assert erasures.find(USER) is None


def test_an_end_of_an_earlier_erasure_does_not_touch_a_new_one(erasures: ErasureStore) -> None:
    old, new = Erasure(USER, NOW, "self"), Erasure(USER, NOW + 1, "self")
    erasures.ask(new)
    erasures.advance(old, Place(1, "q" * 24))
    erasures.finish(old)
    assert erasures.find(USER) == new


def test_an_erasure_is_where_the_roles_may_write_it(aws: Aws) -> None:
    store = DynamoErasureStore(aws.dynamodb, aws.new_table())
    store.ask(Erasure(USER, NOW, "self"))
    (item,) = aws.dynamodb.scan(TableName=store.table)["Items"]
    assert (item["pk"], item["sk"]) == ({"S": "ERASE"}, {"S": USER})


def kept_store(aws: Aws) -> AwsKeptStore:
    bucket = aws.new_bucket()
    aws.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    table = aws.new_table()
    return AwsKeptStore(aws.dynamodb, table, aws.s3, bucket, lambda: IMAGE_ID_KEY)


def listing(aws: Aws, store: AwsKeptStore) -> list[str]:
    """Return the keys of every version and deletion marker in the bucket."""
    pages = aws.s3.get_paginator("list_object_versions").paginate(Bucket=store.bucket)
    return sorted(
        one["Key"]
        for page in pages
        for one in [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
    )


def test_no_version_of_an_image_a_frame_or_an_upload_is_left(aws: Aws) -> None:
    store = kept_store(aws)
    images = S3ImageStore(aws.s3, store.bucket, lambda: IMAGE_ID_KEY)
    mine, other = ImageRef("a" * 24, USER, NOW), ImageRef("b" * 24, OTHER_USER, NOW)
    for ref in (mine, other):
        images.put(ref, b"bytes", replace(MADE, quote_id=ref.quote_id))
        name = images.object_key(ref).split("/")[1]
        for key in (
            f"previews/{name}/{ref.quote_id}/0",
            f"inputs/{owner_name(ref.user, IMAGE_ID_KEY)}/upload",
            f"img/{ref.user}/old",
        ):
            for content in (b"first", b"second"):
                aws.s3.put_object(Bucket=store.bucket, Key=key, Body=content)
            aws.s3.delete_object(Bucket=store.bucket, Key=key)
    images.delete(mine)
    before = listing(aws, store)
    assert len(before) == 22
    assert store.remains(USER, until_ms=FAR) == Remains(0, 7)
    assert store.remains(USER, until_ms=NOW - 10**9) == Remains()
    for _ in range(2):
        store.remove_image(mine)
        store.remove_others(USER, until_ms=FAR)
    after = listing(aws, store)
    assert len(after) == 10
    assert store.remains(USER, until_ms=FAR).is_nothing
    assert images.find(mine) is None
    assert images.find(other) is not None
    assert not [key for key in after if USER in key or mine.quote_id in key]


def test_an_erasure_finds_what_the_stores_wrote(aws: Aws) -> None:
    store, ref = kept_store(aws), ImageRef("a" * 24, USER, NOW)
    given = (aws.s3, store.bucket, lambda: IMAGE_ID_KEY)
    S3ImageStore(*given).put(ref, b"bytes", replace(MADE, quote_id=ref.quote_id))
    S3PreviewStore(*given).put(ref, PreviewFrame(0, b"frame"), "image/png")
    upload = S3UploadStore(*given).object_key(UploadRef(USER, "upload"))
    aws.s3.put_object(Bucket=store.bucket, Key=upload, Body=b"input")
    assert len(listing(aws, store)) == 3
    store.remove_image(ref)
    store.remove_others(USER, until_ms=FAR)
    assert listing(aws, store) == []


def test_records_are_read_from_a_place_on_the_oldest_first_up_to_a_time(aws: Aws) -> None:
    store = kept_store(aws)
    records = DynamoRecordStore(aws.dynamodb, store.table, 30)
    for number in range(5):
        ref = ImageRef(f"{number:024d}", USER, NOW + number // 2)
        records.put(ref, replace(MADE, quote_id=ref.quote_id, issued_ms=ref.issued_ms))
    records.put(ImageRef("o" * 24, OTHER_USER, NOW), MADE)

    def found(after: Place | None, until_ms: int) -> list[int]:
        return [int(one.quote_id) for one in store.records(USER, after, until_ms=until_ms)]

    assert found(None, NOW + 9) == [0, 1, 2, 3, 4]
    assert found(None, NOW + 1) == [0, 1, 2, 3]
    assert found(None, NOW - 1) == []
    assert found(Place(NOW, f"{1:024d}"), NOW + 9) == [2, 3, 4]
    assert found(Place(NOW + 2, f"{4:024d}"), NOW + 9) == []


class OneAtATime:
    """A client whose queries answer with one item, as those of a megabyte answer with some."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def query(self, **given: Any) -> Any:
        assert given["ConsistentRead"] is True
        return self.client.query(**given, Limit=1)


def test_an_erasure_reads_on_behind_the_first_answer(aws: Aws) -> None:
    store = kept_store(aws)
    short: Any = OneAtATime(aws.dynamodb)
    for number in range(3):
        ref = ImageRef(f"{number:024d}", USER, NOW + number)
        record = replace(MADE, quote_id=ref.quote_id, issued_ms=ref.issued_ms)
        DynamoRecordStore(aws.dynamodb, store.table).put(ref, record)
        DynamoPromptStore(aws.dynamodb, store.table).put(ref, KeptPrompt("x"), until_ms=FAR)
    store = replace(store, dynamodb=short)
    assert len(list(store.records(USER, None, until_ms=NOW + 9))) == 3
    assert len(store.prompts(USER, until_ms=NOW + 9)) == 3


def test_what_was_uploaded_after_an_erasure_was_asked_for_stays(aws: Aws) -> None:
    store = kept_store(aws)
    key = f"inputs/{owner_name(USER, IMAGE_ID_KEY)}/upload"
    aws.s3.put_object(Bucket=store.bucket, Key=key, Body=b"later")
    store.remove_others(USER, until_ms=NOW - 10**9)
    assert listing(aws, store) == [key]


def test_kept_prompts_are_listed_as_what_they_belong_to(aws: Aws) -> None:
    store = kept_store(aws)
    prompts = DynamoPromptStore(aws.dynamodb, store.table)
    refs = [ImageRef(f"{number:024d}", USER, NOW + number) for number in range(3)]
    for ref in refs:
        prompts.put(ref, KeptPrompt("words"), until_ms=FAR)
    prompts.put(ImageRef("o" * 24, OTHER_USER, NOW), KeptPrompt("words"), until_ms=FAR)
    assert store.prompts(USER, until_ms=NOW + 9) == refs
    assert store.prompts(USER, until_ms=NOW + 1) == refs[:2]
    assert store.remains(USER, until_ms=NOW + 9) == Remains(3, 0)
    for ref in refs:
        prompts.forget(ref)
    assert store.remains(USER, until_ms=NOW + 9).is_nothing
