"""An image's address does not name its owner, and images of earlier releases are still read."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest

from imagegen.aws.image_store import S3ImageStore, old_object_key
from imagegen.domain.records import record_json
from tests.adapters.aws.test_image_contract import COMPLETE, address, ref
from tests.adapters.aws.world import fetched
from tests.fakes.pictures import png


@pytest.fixture
def owner(user: str) -> str:
    return f"{user:0>32}"


def put_by_an_earlier_release(store: S3ImageStore, user: str) -> None:
    store.client.put_object(
        Bucket=store.bucket,
        Key=old_object_key(ref(user)),
        Body=png(),
        ContentType=COMPLETE.media_type,
        Metadata={"record": record_json(COMPLETE)},
    )


def test_an_address_does_not_name_its_owner_and_two_addresses_share_nothing(
    s3_images: S3ImageStore, owner: str
) -> None:
    keys = []
    for number in (0, 1):
        s3_images.put(ref(owner, number), png(), COMPLETE)
        link = s3_images.link(ref(owner, number))
        assert link is not None
        assert owner not in link
        keys.append(s3_images.object_key(ref(owner, number)))
    first, second = (key.split("/")[1:] for key in keys)
    assert not set(first) & set(second)


def test_an_image_of_an_earlier_release_is_found_read_linked_and_deleted(
    s3_images: S3ImageStore, owner: str
) -> None:
    put_by_an_earlier_release(s3_images, owner)
    assert s3_images.find(ref(owner)) == COMPLETE
    assert s3_images.read(ref(owner), limit_bytes=10**6) == png()
    assert fetched(address(s3_images, owner))[0] == png()
    s3_images.delete(ref(owner))
    assert s3_images.find(ref(owner)) is None
    assert s3_images.link(ref(owner)) is None


def test_an_image_of_this_release_is_read_before_one_of_an_earlier_release(
    s3_images: S3ImageStore, owner: str
) -> None:
    put_by_an_earlier_release(s3_images, owner)
    content = png() + b"new"
    assert s3_images.put(ref(owner), content, COMPLETE)
    assert s3_images.read(ref(owner), limit_bytes=10**6) == content
    s3_images.delete(ref(owner))
    assert s3_images.find(ref(owner)) is None


def test_an_address_is_signed_for_the_method_that_it_is_asked_with(
    s3_images: S3ImageStore, owner: str
) -> None:
    s3_images.put(ref(owner), png(), COMPLETE)
    for method, for_head in (("GET", False), ("HEAD", True)):
        link = s3_images.link(ref(owner), for_head=for_head)
        assert link is not None
        assert signature_in(link) == signature_of(s3_images, method, link)


def signature_in(link: str) -> str:
    (found,) = parse_qs(urlsplit(link).query)["X-Amz-Signature"]
    return found


def signature_of(store: S3ImageStore, method: str, link: str) -> str:
    """What a method's signature for the address would be (AWS's Signature Version 4)."""
    client: Any = store.client
    signer = client._request_signer
    auth = S3SigV4QueryAuth(signer._credentials, "s3", signer.region_name)
    request = AWSRequest(method, link.partition("&X-Amz-Signature=")[0])
    (request.context["timestamp"],) = parse_qs(urlsplit(link).query)["X-Amz-Date"]
    return auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
