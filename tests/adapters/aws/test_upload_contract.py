"""What every store of uploads does, in memory and in AWS; and what S3 makes of its links."""

import base64
import hashlib
from dataclasses import replace
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import requests

from imagegen.aws.upload_store import PREFIX, S3UploadStore
from imagegen.domain.uploads import (
    LINK_SECONDS,
    UploadLink,
    UploadRef,
    UploadRequest,
    UploadStore,
    upload_id,
)
from tests.adapters.aws.world import Aws
from tests.fakes.pictures import picture
from tests.fakes.service import IMAGE_ID_KEY
from tests.fakes.uploads import MemoryUploadStore

CONTENT = picture()


def wanted(content: bytes = CONTENT, kind: str = "image/png") -> UploadRequest:
    return UploadRequest(kind, len(content), hashlib.sha256(content).hexdigest())


def ref(user: str, place: int = 0) -> UploadRef:
    return UploadRef(user, upload_id(user, 20_000, place, IMAGE_ID_KEY))


def send(store: UploadStore, link: UploadLink, content: bytes = CONTENT, **headers: str) -> int:
    """Send a file to a link, and return the status of the answer."""
    if isinstance(store, MemoryUploadStore):
        return store.put(link.url, content)
    sent = {**link.headers, **{name.replace("_", "-"): one for name, one in headers.items()}}
    answer = requests.put(link.url, data=content, headers=sent, timeout=10)
    return answer.status_code


def test_a_link_stores_its_file_once(uploads: UploadStore, user: str) -> None:
    link = uploads.link(ref(user), wanted())
    assert uploads.used(user) == frozenset()
    assert send(uploads, link) == 200
    assert uploads.used(user) == {ref(user).upload_id}
    assert uploads.read(ref(user), limit_bytes=len(CONTENT)) == CONTENT
    assert uploads.size(ref(user)) == len(CONTENT)
    assert send(uploads, link) == 412
    assert send(uploads, uploads.link(ref(user), wanted())) == 412


@pytest.mark.parametrize(
    "other", [CONTENT + b"x", CONTENT[:-1], b"", bytes(len(CONTENT)), CONTENT[::-1]]
)
def test_a_link_stores_no_other_file(uploads: UploadStore, user: str, other: bytes) -> None:
    link = uploads.link(ref(user), wanted())
    assert send(uploads, link, other) in {400, 403}
    assert uploads.size(ref(user)) is None
    assert send(uploads, link) == 200


def test_a_missing_upload_has_no_bytes(uploads: UploadStore, user: str) -> None:
    assert uploads.size(ref(user)) is None
    assert uploads.read(ref(user), limit_bytes=10) is None
    uploads.delete(ref(user))


def test_no_more_is_read_than_the_limit(uploads: UploadStore, user: str) -> None:
    send(uploads, uploads.link(ref(user), wanted()))
    assert uploads.read(ref(user), limit_bytes=len(CONTENT) - 1) is None


def test_a_deleted_upload_leaves_its_place(uploads: UploadStore, user: str) -> None:
    send(uploads, uploads.link(ref(user), wanted()))
    uploads.delete(ref(user))
    assert uploads.used(user) == frozenset()
    assert send(uploads, uploads.link(ref(user), wanted())) == 200


def test_uploads_of_two_users_are_apart(uploads: UploadStore, user: str) -> None:
    other = "f" * 32
    send(uploads, uploads.link(ref(user), wanted()))
    assert ref(user).upload_id not in uploads.used(other)
    assert uploads.size(UploadRef(other, ref(user).upload_id)) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"Content_Type": "image/jpeg"},
        {"Content_Type": "text/html"},
        {"If_None_Match": "x"},
        {"x_amz_checksum_sha256": base64.b64encode(bytes(32)).decode()},
        {"x_amz_acl": "public-read"},
    ],
)
def test_other_headers_than_the_signed_ones_store_nothing(
    s3_uploads: S3UploadStore, user: str, changed: dict[str, Any]
) -> None:
    link = s3_uploads.link(ref(user), wanted())
    assert send(s3_uploads, link, **changed) >= 400
    assert s3_uploads.size(ref(user)) is None


@pytest.mark.parametrize("name", ["Content-Type", "If-None-Match", "x-amz-checksum-sha256"])
def test_a_header_that_is_left_out_stores_nothing(
    s3_uploads: S3UploadStore, user: str, name: str
) -> None:
    link = s3_uploads.link(ref(user), wanted())
    fewer = {one: value for one, value in link.headers.items() if one != name}
    assert send(s3_uploads, replace(link, headers=fewer)) >= 400
    assert s3_uploads.size(ref(user)) is None


def test_a_link_stores_nothing_in_another_place(s3_uploads: S3UploadStore, user: str) -> None:
    link = s3_uploads.link(ref(user), wanted())
    path = urlsplit(link.url).path
    for other in (f"{path}0", path[:-1], path.replace("inputs/", "img/"), f"{path}/../x"):
        assert other != path
        assert send(s3_uploads, replace(link, url=link.url.replace(path, other))) >= 400
    assert s3_uploads.used(user) == frozenset()


def test_everything_that_binds_a_link_is_signed(s3_uploads: S3UploadStore, user: str) -> None:
    url = s3_uploads.link(ref(user), wanted()).url
    signed = unquote(url).partition("X-Amz-SignedHeaders=")[2].partition("&")[0]
    assert signed.split(";") == [
        "content-length",
        "content-type",
        "host",
        "if-none-match",
        "x-amz-checksum-sha256",
    ]
    assert f"X-Amz-Expires={LINK_SECONDS}" in url


def test_an_upload_is_never_among_the_images(aws: Aws, user: str) -> None:
    bucket = aws.new_bucket()
    uploads = S3UploadStore(aws.s3, bucket, lambda: IMAGE_ID_KEY)
    key = uploads.object_key(ref(user))
    assert key.startswith(PREFIX)
    assert user not in key
    send(uploads, uploads.link(ref(user), wanted()))
    listed = aws.s3.list_objects_v2(Bucket=bucket, Prefix="img/")
    assert not listed.get("Contents")
