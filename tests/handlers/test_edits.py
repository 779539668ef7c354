"""OpenAI's own client edits pictures over our handlers: unchanged, refused or paid at most once."""

import base64
import hashlib
import io
import json
from collections.abc import Mapping
from typing import Any

import openai
import pytest
from openai.types import ImagesResponse

from imagegen.domain.inputs import Role
from imagegen.domain.ledger import Limits
from imagegen.domain.uploads import UploadRef
from imagegen.edge.requests import MAX_PICTURES_TEXT
from imagegen.openai_api.edit_models import EDIT_PARAMETERS
from tests.fakes.faults import DiedError, Fault
from tests.fakes.pictures import picture
from tests.fakes.service import LIFETIME_MS, OTHER_USER, Service
from tests.handlers.bridge import URL, Bridge, openai_client
from tests.handlers.conftest import Functions
from tests.handlers.test_edges import request
from tests.unit.test_inputs import editors, image_of, mask, upload

PROMPT = "Make it blue"
PATH = "/v1/images/edits"
ONE, OTHER = picture(size=(24, 16)), picture("JPEG", size=(32, 32))
MASK = mask((24, 16))
COST = 70_000
"""Of an edit in landscape, which is the shape of the picture."""


@pytest.fixture
def service(functions: Functions) -> Service:
    functions.service = editors()
    return functions.service


@pytest.fixture
def bridge(functions: Functions, service: Service) -> Bridge:
    assert functions.service is service
    return Bridge(functions, "generate")


@pytest.fixture
def client(bridge: Bridge) -> openai.OpenAI:
    return openai_client(bridge)


def ours(answer: ImagesResponse) -> Any:
    return answer.to_dict()["imagegen"]


def data_url(content: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def edit_json(client: openai.OpenAI, **asked: Any) -> ImagesResponse:
    headers = asked.pop("headers", {})
    return client.post(
        "/images/edits",
        body={"prompt": PROMPT, **asked},
        cast_to=ImagesResponse,
        options={"headers": headers},
    )


def orders(service: Service) -> list[Any]:
    return [order for one in service.providers.values() for order in one.orders]


def test_the_python_client_edits_a_file(client: openai.OpenAI, service: Service, user: str) -> None:
    got = client.images.edit(image=ONE, prompt=PROMPT)
    assert got.data is not None
    assert got.data[0].b64_json
    assert got.data[0].url == ours(got)["imageUrl"]
    assert ours(got)["cost"]["charged"] == "0.070000"
    (sent,) = orders(service)
    assert [(one.role, one.content) for one in sent.inputs] == [(Role.EDIT, ONE)]
    assert service.spent(user) == COST
    assert not service.uploads.objects
    service.check_charged_iff_stored(user)


def test_several_files_and_a_mask_arrive_in_their_order(
    client: openai.OpenAI, service: Service
) -> None:
    client.images.edit(image=[ONE, OTHER], mask=MASK, prompt=PROMPT)
    (sent,) = orders(service)
    assert [one.role for one in sent.inputs] == [Role.EDIT, Role.REFERENCE, Role.MASK]
    assert [one.content for one in sent.inputs][::2] == [ONE, MASK]
    assert [(one.width, one.height) for one in sent.inputs] == [(24, 16), (32, 32), (24, 16)]


def test_every_argument_that_the_client_has_for_a_form(client: openai.OpenAI) -> None:
    got = client.images.edit(
        image=('fox "1"; name="mask".png', io.BytesIO(ONE), "image/png"),
        mask=("mask.png", MASK),
        prompt=PROMPT,
        model="standard",
        n=2,
        size="1536x1024",
        quality="medium",
        background="opaque",
        output_compression=100,
        response_format="url",
        stream=False,
        partial_images=0,
        user="someone",
        extra_body={"moderation": "auto"},
    )
    assert got.data is not None
    assert [bool(one.url) for one in got.data] == [True, True]
    assert (got.size, got.quality) == ("1536x1024", "medium")
    assert ours(got)["cost"]["charged"] == "0.160000"


def test_the_receipt_is_in_the_headers(client: openai.OpenAI) -> None:
    raw = client.images.with_raw_response.edit(image=ONE, prompt=PROMPT)
    assert raw.headers["x-imagegen-charged"] == "0.070000"
    assert raw.headers["x-imagegen-image-id"] == ours(raw.parse())["imageId"]


@pytest.mark.parametrize(("size", "made"), [(None, "1536x1024"), ("auto", "1536x1024")])
def test_without_a_size_an_edit_has_the_nearest_to_its_picture(
    client: openai.OpenAI, size: Any, made: str
) -> None:
    got = client.images.edit(image=ONE, prompt=PROMPT, **({"size": size} if size else {}))
    assert got.size == made


def test_json_takes_data_urls_uploads_and_images_of_ones_own(
    client: openai.OpenAI, service: Service, user: str
) -> None:
    made = ours(client.images.generate(prompt=PROMPT))
    parent, sent = made["imageId"], upload(service, OTHER, user, "image/jpeg")
    got = edit_json(
        client,
        images=[
            {"file_id": parent},
            {"file_id": sent},
            {"image_url": data_url(ONE)},
            {"image_url": made["imageUrl"]},
        ],
    )
    assert ours(got)["cost"]["charged"] == "0.090000"
    sizes = [(one.width, one.height) for one in orders(service)[-1].inputs]
    assert sizes == [(1024, 1024), (32, 32), (24, 16), (1024, 1024)]
    record = next(iter(service.records.recent(user, limit=1)))
    assert record.derived_from == parent[:24]


@pytest.mark.parametrize("count", [1, 4])
def test_however_many_images_a_call_makes_its_pictures_are_read_twice(
    client: openai.OpenAI, service: Service, user: str, count: int
) -> None:
    """Once for the price, and once before the holds."""
    sent = upload(service, ONE, user)
    edit_json(client, images=[{"file_id": sent}], n=count)
    assert len(orders(service)) == count
    assert service.uploads.reads == [UploadRef(user, sent)] * 2


def test_json_takes_a_mask(client: openai.OpenAI, service: Service) -> None:
    edit_json(client, images=[{"image_url": data_url(ONE)}], mask={"image_url": data_url(MASK)})
    assert [one.role for one in orders(service)[-1].inputs] == [Role.EDIT, Role.MASK]


FOREIGN = [
    "https://example.com/cat.png",
    "http://169.254.169.254/latest/meta-data/",
    f"{URL}.evil.test/images/aaaa",
    f"{URL}/images/../usage",
    f"{URL}/images/aaaa?x=1",
    f"{URL}/images/",
    f"{URL}/images/{'a' * 300}",
    f"{URL}/images/\u00e4",
    f"{URL}@evil.test/images/aaaa",
    "file:///etc/passwd",
    "ftp://url.test/images/a",
    "//url.test/images/a",
    "",
    "data:image/png;base64,%%%",
    "data:image/png,abc",
    "data:;base64,AAAA",
    "data:image/png;base64,AAA",
    " data:image/png;base64,AAAA",
    "s3://bucket/key",
]


@pytest.mark.parametrize("url", FOREIGN)
@pytest.mark.parametrize("field", ["images", "mask"])
def test_no_other_address_is_fetched(
    client: openai.OpenAI, service: Service, url: str, field: str
) -> None:
    asked: dict[str, Any] = {"images": [{"image_url": data_url(ONE)}]}
    asked |= {"images": [{"image_url": url}]} if field == "images" else {"mask": {"image_url": url}}
    error = refused(client, asked)
    assert (error.status_code, error.code, error.param) == (400, "unsupported_parameter", field)
    assert not orders(service)


def refused(client: openai.OpenAI, asked: Mapping[str, Any]) -> openai.APIStatusError:
    with pytest.raises(openai.APIStatusError) as caught:
        edit_json(client, **asked)
    return caught.value


@pytest.mark.parametrize(
    ("changed", "param"),
    [
        ({"images": []}, "images"),
        ({"images": None}, "images"),
        ({"images": "x"}, "images"),
        ({"images": [{}]}, "images"),
        ({"images": [{"image_url": "a", "file_id": "b"}]}, "images"),
        ({"images": [{"file_id": ""}]}, "images"),
        ({"images": [{"file_id": "a" * 201}]}, "images"),
        ({"images": [{"file_id": "a" * 16}] * 5}, "images"),
        ({"mask": {}}, "mask"),
        ({"mask": "x"}, "mask"),
        ({"image": "x"}, "image"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"n": 0}, "n"),
        ({"n": 9}, "n"),
        ({"size": "1x"}, "size"),
        ({"size": "same"}, "size"),
        ({"size": "10x10"}, "size"),
        ({"prompt": "a fox " * 800}, "prompt"),
        ({"stream": True}, "stream"),
        ({"background": "clear"}, "background"),
        ({"input_fidelity": "high"}, "input_fidelity"),
        ({"markup": {"file_id": "a" * 16}}, "markup"),
        ({"strength": 0.5}, "strength"),
    ],
)
def test_what_json_cannot_ask_for_is_refused_by_its_name(
    client: openai.OpenAI, service: Service, changed: dict[str, Any], param: str
) -> None:
    error = refused(client, {"images": [{"image_url": data_url(ONE)}], **changed})
    assert (error.status_code, error.param) == (400, param)
    assert not orders(service)
    assert not service.writes


def test_every_parameter_of_edits_that_is_fixed_has_a_case() -> None:
    assert set(EDIT_PARAMETERS) == {"input_fidelity", "markup"}


@pytest.mark.parametrize(
    ("files", "param"),
    [
        ({"image": b""}, "image"),
        ({"image": b"not a picture"}, "image"),
        ({"image": ONE[:-30]}, "image"),
        ({"image": b"<svg/>"}, "image"),
        ({"image": [ONE] * 5}, "image"),
        ({"image": [ONE, b"GIF89a"]}, "image"),
        ({"image": ONE, "mask": ONE}, "mask"),
        ({"image": ONE, "mask": mask((8, 8))}, "mask"),
        ({"image": ONE, "mask": OTHER}, "mask"),
        ({"image": ONE, "mask": mask((24, 16), clear=False)}, "mask"),
    ],
)
def test_a_file_that_cannot_be_an_input_is_refused_by_its_field(
    client: openai.OpenAI, service: Service, files: dict[str, Any], param: str
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.edit(prompt=PROMPT, **files)
    assert caught.value.param == param
    assert body(caught.value)["imagegen"]["charged"] is not True
    assert not service.writes


def body(error: openai.APIStatusError) -> Any:
    return json.loads(error.response.text)["error"]


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("unknown image", (404, "not_found")),
        ("unknown upload", (404, "not_found")),
        ("other's image", (404, "not_found")),
        ("other's upload", (404, "not_found")),
        ("gone upload", (410, "input_gone")),
        ("deleted image", (410, "input_gone")),
    ],
)
@pytest.mark.parametrize("field", ["images", "mask"])
def test_an_input_that_is_not_there_is_named(
    bridge: Bridge, user: str, kind: str, answer: tuple[int, str], field: str
) -> None:
    client, service = openai_client(bridge), bridge.functions.service
    file_id = a_missing(kind, service, user)
    good, bad = {"image_url": data_url(ONE)}, {"file_id": file_id}
    before = service.spent(user)
    asked = {"images": [good, bad]} if field == "images" else {"images": [good], "mask": bad}
    error = refused(client, asked)
    assert (error.status_code, error.code, error.param) == (*answer, field)
    assert "inputs" not in error.message
    assert service.spent(user) == before


def a_missing(kind: str, service: Service, user: str) -> str:
    if kind == "unknown image":
        return "a" * 64
    if kind == "unknown upload":
        return "a" * 16
    owner = OTHER_USER if kind.startswith("other") else user
    if "image" in kind:
        found = image_of(service, owner)
        if kind == "deleted image":
            service.gallery.delete(found, user)
        return found
    found = upload(service, ONE, owner)
    if kind == "gone upload":
        service.uploads.delete(UploadRef(user, found))
    return found


def test_a_call_is_refused_before_anything_is_paid(
    client: openai.OpenAI, service: Service, functions: Functions
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.edit(image=ONE, prompt=PROMPT, extra_headers={"x-max-cost": "0.05"})
    assert (caught.value.code, caught.value.param) == ("above_max_cost", "x-max-cost")
    service.redeploy(limits=Limits(daily_microusd=1))
    with pytest.raises(openai.RateLimitError):
        client.images.edit(image=ONE, prompt=PROMPT)
    assert not orders(service)


def test_a_named_model_that_takes_no_pictures_is_refused(
    client: openai.OpenAI, service: Service
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.edit(image=ONE, prompt=PROMPT, model="gamma-standard")
    assert (caught.value.code, caught.value.param) == ("unsupported_parameter", "image")
    assert not orders(service)


def test_a_key_with_the_same_bytes_is_one_image_and_with_others_refused(
    client: openai.OpenAI, service: Service, user: str
) -> None:
    key = {"Idempotency-Key": "edit-1"}
    first = client.images.edit(image=ONE, prompt=PROMPT, extra_headers=key)
    again = client.images.edit(image=ONE, prompt=PROMPT, extra_headers=key)
    as_json = edit_json(client, images=[{"image_url": data_url(ONE)}], headers=key)
    assert ours(first)["imageId"] == ours(again)["imageId"] == ours(as_json)["imageId"]
    assert ours(again)["repeated"] is True
    for changed in ({"image": OTHER}, {"image": ONE, "mask": MASK}, {"image": [ONE, ONE]}):
        with pytest.raises(openai.UnprocessableEntityError) as caught:
            client.images.edit(prompt=PROMPT, extra_headers=key, **changed)
        assert caught.value.code == "idempotency_key_reused"
    with pytest.raises(openai.UnprocessableEntityError):
        client.images.generate(prompt=PROMPT, extra_headers=key)
    assert service.spent(user) == COST


def test_equal_calls_without_a_key_are_different_calls(
    client: openai.OpenAI, service: Service, user: str
) -> None:
    one, two = (client.images.edit(image=ONE, prompt=PROMPT) for _ in range(2))
    assert ours(one)["imageId"] != ours(two)["imageId"]
    assert service.spent(user) == 2 * COST


def test_a_lost_reply_is_not_paid_twice(
    client: openai.OpenAI, bridge: Bridge, service: Service, user: str
) -> None:
    bridge.lost = 1
    got = client.images.edit(image=[ONE, OTHER], prompt=PROMPT)
    assert ours(got)["repeated"] is True
    assert len(orders(service)) == 1
    service.check_charged_iff_stored(user)


def test_a_retry_with_another_picture_is_another_call(
    client: openai.OpenAI, service: Service
) -> None:
    client.images.edit(image=ONE, prompt=PROMPT)
    counted = {"x-stainless-retry-count": "1"}
    got = client.images.edit(image=picture(size=(16, 24)), prompt=PROMPT, extra_headers=counted)
    assert ours(got)["repeated"] is False
    assert len(orders(service)) == 2


FORM_HEAD = {"content-type": "multipart/form-data; boundary=b"}


def part(name: str, content: bytes, more: str = "") -> bytes:
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
    return head.encode() + content + b"\r\n"


FORM = part("prompt", PROMPT.encode()) + part("image", ONE, '; filename="a.png"')


def posted(
    functions: Functions, content: bytes, headers: Mapping[str, str] = FORM_HEAD, **changes: Any
) -> tuple[int, Any]:
    event = request(functions, "POST", PATH, None)
    event["headers"] |= headers
    event |= {"body": base64.b64encode(content).decode(), "isBase64Encoded": True, **changes}
    answer = functions.invoke("generate", event)
    return answer["statusCode"], json.loads(answer["body"])


def test_a_form_by_hand_is_an_edit(functions: Functions, service: Service) -> None:
    status, found = posted(functions, FORM + b"--b--\r\n")
    assert status == 200, found
    assert len(orders(service)) == 1


HOSTILE: dict[str, tuple[bytes, dict[str, Any]]] = {
    "no boundary": (FORM + b"--b--", {"headers": {"content-type": "multipart/form-data"}}),
    "another boundary": (
        FORM + b"--b--",
        {"headers": {"content-type": "multipart/form-data; boundary=c"}},
    ),
    "a thousand parts": (part("user", b"x") * 1_000 + b"--b--", {}),
    "nested": (
        part("image", ONE) + b'--b\r\nContent-Disposition: form-data; name="image"\r\n'
        b"Content-Type: multipart/mixed; boundary=c\r\n\r\n--c--\r\n--b--",
        {},
    ),
    "a huge header": (part("image", ONE, f'; filename="{"x" * 100_000}"') + b"--b--", {}),
    "NUL in a name": (part("pro\0mpt", b"x") + FORM + b"--b--", {}),
    "cut off": (FORM, {}),
    "empty": (b"", {}),
    "wrong base64": (b"", {"body": "*" * 40}),
    "base64 without its end": (b"", {"body": "AAAAA"}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_form_is_refused(functions: Functions, service: Service, name: str) -> None:
    content, changes = HOSTILE[name]
    status, found = posted(functions, content, **changes)
    assert (status, found["error"]["code"]) == (400, "invalid_request"), found
    assert found["error"]["type"] == "invalid_request_error"
    assert not service.writes


@pytest.mark.parametrize(
    ("more", "param"),
    [
        (part("prompt", b"again"), "prompt"),
        (part("mask", MASK) * 2, "mask"),
        (part("user", b"\xff\xfe"), "user"),
        (part("n", b"two"), "n"),
        (part("n", b"9"), "n"),
        (part("n", b""), "n"),
        (part("stream", b"true"), "stream"),
        (part("partial_images", b"2"), "partial_images"),
        (part("input_fidelity", b"high"), "input_fidelity"),
        (part("markup", ONE), "markup"),
        (part("strength", b"1"), "strength"),
        (part("images", ONE), "images"),
        (part("style", b"x" * 300_000), "style"),
    ],
)
def test_a_field_of_a_form_is_refused_by_its_name(
    functions: Functions, service: Service, more: bytes, param: str
) -> None:
    status, found = posted(functions, FORM + more + b"--b--")
    assert (status, found["error"]["param"]) == (400, param), found
    assert not service.writes


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("image[0]", "send pictures as image or image[], a mask as mask"),
        ("mask[]", "send pictures as image or image[], a mask as mask"),
        ("file", "send pictures as image or image[], a mask as mask"),
        ("markup", "a drawing of what to change cannot be sent"),
        ("user", "not text in UTF-8"),
    ],
)
def test_a_file_under_another_name_is_told_where_files_go(
    functions: Functions, service: Service, name: str, words: str
) -> None:
    status, found = posted(functions, FORM + part(name, ONE) + b"--b--")
    assert (status, found["error"]["param"]) == (400, name)
    assert words in found["error"]["message"]
    assert not service.writes


def test_a_form_without_a_picture_or_a_prompt_names_what_is_missing(functions: Functions) -> None:
    for content, param in ((part("prompt", b"x"), "image"), (part("image", ONE), "prompt")):
        status, found = posted(functions, content + b"--b--")
        assert (status, found["error"]["param"]) == (400, param)


def test_more_than_fits_a_call_says_where_larger_pictures_go(
    functions: Functions, service: Service
) -> None:
    fits = MAX_PICTURES_TEXT // 4 * 3
    status, _ = posted(functions, bytes(fits))
    assert status == 400
    for headers in (FORM_HEAD, {"content-type": "application/json"}):
        status, found = posted(functions, bytes(fits + 3), headers)
        assert (status, found["error"]["code"]) == (413, "body_too_large")
        assert "use POST /inputs and `file_id`" in found["error"]["message"]
    assert not service.writes


def test_a_large_picture_that_fits_is_taken(client: openai.OpenAI, service: Service) -> None:
    large = picture(size=(1248, 1200), compress_level=0)
    assert 4_490_000 < len(large) < 4_499_000
    client.images.edit(image=large, prompt=PROMPT)
    assert orders(service)[0].inputs[0].content == large


@pytest.mark.parametrize("kind", ["multipart/mixed; boundary=b", "text/plain", "image/png"])
def test_other_types_of_a_body_are_refused(functions: Functions, kind: str) -> None:
    status, found = posted(functions, FORM + b"--b--", {"content-type": kind})
    assert (status, found["error"]["code"]) == (415, "unsupported_media_type")


def test_a_packed_form_is_refused(functions: Functions) -> None:
    status, _ = posted(functions, FORM + b"--b--", FORM_HEAD | {"content-encoding": "gzip"})
    assert status == 415


@pytest.mark.parametrize("path", ["/v1/images/generations", "/generate-image"])
def test_forms_are_for_edits_alone(functions: Functions, path: str) -> None:
    status, _ = posted(
        functions,
        FORM + b"--b--",
        rawPath=path,
    )
    assert status == 415


def test_a_form_without_a_token_is_not_read(functions: Functions) -> None:
    status, found = posted(functions, b"x", FORM_HEAD | {"authorization": "Bearer x"})
    assert (status, found["error"]["code"]) == (401, "invalid_api_key")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/v1/images/edit", "/v1/images/edits"),
        ("/v1/images/variations", "/v1/images/edits"),
        ("/v1/images/generation", "/v1/images/generations"),
    ],
)
def test_a_route_that_is_not_there_names_the_one_that_is(
    functions: Functions, path: str, words: str
) -> None:
    status, found = posted(functions, FORM + b"--b--", rawPath=path)
    assert (status, found["error"]["code"]) == (404, "not_found")
    assert words in found["error"]["message"]


def test_the_digest_of_a_picture_is_bound(service: Service, client: openai.OpenAI) -> None:
    client.images.edit(image=ONE, prompt=PROMPT)
    ((_, record),) = service.images.objects.values()
    assert record.input_roles == ("edit",)
    assert hashlib.sha256(ONE).hexdigest() not in str(record)


@pytest.mark.parametrize("fault", [Fault.DIES_BEFORE, Fault.DIES_AFTER])
def test_a_process_that_dies_at_any_call_leaves_one_image_to_the_repetition(
    functions: Functions, user: str, fault: Fault
) -> None:
    key = {"Idempotency-Key": "dies"}
    client = openai_client(Bridge(functions, "generate"), max_retries=0)
    for at in range(60):
        service = functions.service = editors()
        service.wire.faults[at] = fault
        try:
            client.images.edit(image=ONE, prompt=PROMPT, extra_headers=key)
        except DiedError:
            service.new_process()
            service.clock.advance(LIFETIME_MS + 60_000)
        else:
            assert at > 5
            return
        client.images.edit(image=ONE, prompt=PROMPT, extra_headers=key)
        service.check_charged_iff_stored(user)
        assert service.spent(user) == COST
        assert not service.uploads.objects
    pytest.fail("the request has more calls than the test")


def test_the_list_says_which_models_take_pictures(functions: Functions) -> None:
    listed = {
        one.id: one.to_dict() for one in openai_client(Bridge(functions, "generate")).models.list()
    }
    both = ["/v1/images/generations", PATH]
    assert listed["openai-standard"]["supported_endpoints"] == both
    assert listed["standard"]["supported_endpoints"] == both
    assert listed["together-high-kontext"]["supported_endpoints"] == [PATH]
    assert listed["together-fast"]["supported_endpoints"] == both[:1]
