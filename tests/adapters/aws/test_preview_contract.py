"""What every store of preview frames does, in memory and in AWS; and that none is an image."""

from dataclasses import replace

import pytest

from imagegen.aws.image_store import S3ImageStore
from imagegen.aws.preview_store import PREFIX, URL_SECONDS, S3PreviewStore
from imagegen.domain.errors import StoreUnavailableError
from imagegen.domain.inputs import PreviewFrame
from imagegen.domain.previews import PreviewStore
from imagegen.domain.wishes import MOST_PARTIALS
from tests.adapters.aws.test_image_contract import ref
from tests.adapters.aws.world import Aws, fetched
from tests.fakes.pictures import picture, png
from tests.fakes.service import IMAGE_ID_KEY

FRAMES = [PreviewFrame(index, png((64 + index, 64))) for index in range(12)]


@pytest.fixture
def owner(user: str) -> str:
    return f"{user:0>32}"


def test_the_newest_frame_is_the_one_of_the_highest_index(
    previews: PreviewStore, owner: str
) -> None:
    assert previews.newest(ref(owner), most=MOST_PARTIALS) is None
    for frame in (FRAMES[1], FRAMES[0]):
        previews.put(ref(owner), frame, "image/png")
    for index in reversed(range(MOST_PARTIALS)):
        newest = previews.newest(ref(owner), most=MOST_PARTIALS)
        assert newest is not None
        assert newest.index == index
        previews.delete(ref(owner), index)
    assert previews.newest(ref(owner), most=MOST_PARTIALS) is None


@pytest.mark.parametrize("most", range(MOST_PARTIALS + 1))
def test_no_frame_beyond_those_that_were_ordered_is_looked_for(
    previews: PreviewStore, owner: str, most: int
) -> None:
    for frame in FRAMES[: MOST_PARTIALS + 1]:
        previews.put(ref(owner), frame, "image/png")
    newest = previews.newest(ref(owner), most=most)
    assert (newest and newest.index) == (most - 1 if most else None)


def test_a_deleted_frame_is_gone_and_may_be_deleted_again(
    previews: PreviewStore, owner: str
) -> None:
    previews.put(ref(owner), FRAMES[0], "image/png")
    for _ in range(2):
        previews.delete(ref(owner), 0)
    assert previews.newest(ref(owner), most=MOST_PARTIALS) is None


def test_a_frame_replaces_the_one_of_its_index(previews: PreviewStore, owner: str) -> None:
    for frame in (FRAMES[0], replace(FRAMES[1], index=0)):
        previews.put(ref(owner), frame, "image/png")
    previews.delete(ref(owner), 0)
    assert previews.newest(ref(owner), most=MOST_PARTIALS) is None


def test_frames_of_two_images_and_of_two_users_are_apart(
    previews: PreviewStore, owner: str
) -> None:
    previews.put(ref(owner, 0), FRAMES[0], "image/png")
    assert previews.newest(ref(owner, 1), most=MOST_PARTIALS) is None
    assert previews.newest(ref("f" * 32, 0), most=MOST_PARTIALS) is None
    previews.delete(ref(owner, 1), 0)
    assert previews.newest(ref(owner, 0), most=MOST_PARTIALS) is not None


def test_a_link_opens_the_frame_with_its_type_for_a_minute_and_not_once_it_is_removed(
    s3_previews: S3PreviewStore, owner: str
) -> None:
    content = picture("WEBP", size=(64, 64))
    s3_previews.put(ref(owner), PreviewFrame(1, content), "image/webp")
    newest = s3_previews.newest(ref(owner), most=MOST_PARTIALS)
    assert newest is not None
    assert f"X-Amz-Expires={URL_SECONDS}" in newest.url
    assert URL_SECONDS <= 60
    got, headers = fetched(newest.url)[:2]
    assert got == content
    assert "image/webp" in str(dict(headers))
    s3_previews.delete(ref(owner), 1)
    with pytest.raises(Exception, match="404"):
        fetched(newest.url)


def test_an_address_names_no_owner_and_no_frame_is_among_the_images(aws: Aws, owner: str) -> None:
    bucket = aws.new_bucket()
    previews = S3PreviewStore(aws.s3, bucket, lambda: IMAGE_ID_KEY)
    images = S3ImageStore(aws.s3, bucket, lambda: IMAGE_ID_KEY)
    previews.put(ref(owner), FRAMES[0], "image/png")
    key = previews.object_key(ref(owner), 0)
    assert key.startswith(PREFIX)
    assert owner not in key
    assert images.find(ref(owner)) is None
    assert images.link(ref(owner)) is None
    assert images.read(ref(owner), limit_bytes=10**9) is None
    listed = aws.s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    assert [one["Key"] for one in listed] == [key]


def test_a_foreign_object_beside_the_frames_is_ignored(
    s3_previews: S3PreviewStore, owner: str
) -> None:
    folder = s3_previews.object_key(ref(owner), 0).removesuffix("0")
    for name in ("x", "", "1/2", "²"):
        s3_previews.client.put_object(Bucket=s3_previews.bucket, Key=folder + name, Body=b"")
    assert s3_previews.newest(ref(owner), most=MOST_PARTIALS) is None


def test_a_store_that_does_not_answer_is_unavailable(aws: Aws, owner: str) -> None:
    absent = S3PreviewStore(aws.s3, "bucket-that-is-not-there", lambda: IMAGE_ID_KEY)
    with pytest.raises(StoreUnavailableError):
        absent.put(ref(owner), FRAMES[0], "image/png")
