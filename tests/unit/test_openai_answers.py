"""What an answer of OpenAI's image routes says: base64 or addresses, sums, and tokens."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from imagegen.domain.errors import StoreUnavailableError
from imagegen.domain.ids import ImageRef
from imagegen.openai_api.answer_models import ImagesAnswer, ListedModel, ModelList
from imagegen.openai_api.images import INLINE_BYTES, most_bytes
from imagegen.openai_api.model_names import Named
from imagegen.openai_api.models import ImagesRequest
from imagegen.openai_api.sets import Bought
from imagegen.usecases.generate.run import Made
from tests.fakes.service import PROMPT, Service
from tests.unit.test_image_sets import buy

URL = "https://images.test"
HALF = bytes(INLINE_BYTES // 2)


@dataclass(frozen=True, slots=True)
class Contents:
    """The files of images, in the order in which the images were made."""

    files: dict[ImageRef, bytes | None]

    def read(self, ref: ImageRef, *, limit_bytes: int) -> bytes | None:
        content = self.files[ref]
        if content is None:
            raise StoreUnavailableError("down")
        return content if len(content) <= limit_bytes else None


def answered(*files: bytes | None, asked: Any = None, **records: Any) -> ImagesAnswer:
    """Return the answer with images whose files are these; ``records`` changes what is kept."""
    service = Service()
    bought = buy(service, count=len(files))
    made = [replace(one, record=replace(one.record, **records)) for one in bought.made]
    return answer_of(service, made, files, asked or {})


def answer_of(service: Service, made: list[Made], files: Any, asked: Any) -> ImagesAnswer:
    contents = Contents({one.ref: file for one, file in zip(made, files, strict=True)})
    presenter = replace(service.openai_presenter, contents=contents)
    request = ImagesRequest(prompt=PROMPT, **asked)
    return presenter.images(Bought(tuple(made)), request, Named(None, None), URL)


def forms(answer: ImagesAnswer) -> list[tuple[bool, bool, bool]]:
    """Return of each image whether it has base64, an address, and the latter in its stead."""
    pairs = zip(answer.data, answer.imagegen.images, strict=True)
    return [(bool(one.b64_json), bool(one.url), receipt.url_instead) for one, receipt in pairs]


@pytest.mark.parametrize(
    ("wanted", "fits", "large"),
    [
        (None, (True, True, False), (False, True, True)),
        ("b64_json", (True, False, False), (False, True, True)),
        ("url", (False, True, False), (False, True, False)),
    ],
)
def test_an_address_stands_in_for_base64_only_where_that_was_wanted_and_does_not_fit(
    wanted: str | None, fits: tuple[bool, ...], large: tuple[bool, ...]
) -> None:
    asked = {"response_format": wanted}
    assert forms(answered(b"file", asked=asked)) == [fits]
    assert forms(answered(HALF * 2 + b"x", asked=asked)) == [large]
    assert forms(answered(None, asked=asked)) == [large], "the store is away"


def test_all_images_of_an_answer_share_the_bytes_that_fit() -> None:
    texts = [text for text, _, _ in forms(answered(HALF, HALF, b"x"))]
    assert texts == [True, True, False]
    answer = answered(HALF, HALF + b"x", HALF)
    assert [text for text, _, _ in forms(answer)] == [True, False, True]
    assert answer.imagegen.url_instead
    assert not answered(HALF, HALF).imagegen.url_instead


def test_a_file_that_must_be_sent_as_base64_has_its_part_of_the_answer() -> None:
    asked: Any = {"prompt": PROMPT, "response_format": "b64_json"}
    assert most_bytes(ImagesRequest(**asked)) == INLINE_BYTES
    assert most_bytes(ImagesRequest(**asked, n=3)) == INLINE_BYTES // 3
    assert most_bytes(ImagesRequest(prompt=PROMPT, n=3)) is None


@pytest.mark.parametrize(("asked", "said"), [(None, None), ("auto", None), ("opaque", "opaque")])
def test_the_background_is_said_where_the_request_decides_it(asked: Any, said: Any) -> None:
    assert answered(b"file", asked={"background": asked}).background == said


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (None, []),
        ("auto", []),
        ("square", []),
        ("1024x1024", []),
        ("512x512", [("size", "512x512", "1024x1024")]),
    ],
)
def test_pixels_that_were_not_made_are_told(asked: str | None, told: list[Any]) -> None:
    answer = answered(b"file", asked={"size": asked}, width=1024, height=1024)
    assert [(one.param, one.requested, one.used) for one in answer.imagegen.adapted] == told


def test_a_set_is_repeated_if_all_of_it_is_and_lasted_as_long_as_its_longest_image() -> None:
    service = Service()
    one, two = buy(service, count=2).made
    made = [
        replace(one, is_replay=True, record=replace(one.record, duration_ms=900)),
        replace(two, is_replay=False, record=replace(two.record, duration_ms=300)),
    ]
    receipt = answer_of(service, made, [b"file"] * 2, {}).imagegen
    assert (receipt.repeated, receipt.duration_ms) == (False, 900)
    both = [replace(each, is_replay=True) for each in made]
    assert answer_of(service, both, [b"file"] * 2, {}).imagegen.repeated


def tokens(answer: ImagesAnswer) -> tuple[int, int] | None:
    """Return the input tokens of text and of images, ``None`` if that is not told."""
    assert answer.usage
    details = answer.usage.input_tokens_details
    if details is None:
        return None
    assert details.text_tokens + details.image_tokens == answer.usage.input_tokens
    return details.text_tokens, details.image_tokens


@pytest.mark.parametrize(
    ("roles", "counted", "told"),
    [
        ((), 0, (40, 0)),
        (("edit",), 30, (10, 30)),
        (("edit",), 0, None),
        (("edit", "mask"), 50, (0, 40)),
    ],
)
def test_input_tokens_are_of_text_and_of_pictures_where_those_are_counted(
    roles: tuple[str, ...], counted: int, told: tuple[int, int] | None
) -> None:
    kept: dict[str, Any] = {"tokens": (40, 7), "input_roles": roles}
    assert tokens(answered(b"file", input_image_tokens=counted, **kept)) == told


def test_what_was_not_counted_of_one_image_is_not_told_of_all() -> None:
    service = Service()
    one, two = buy(service, count=2).made
    record = replace(one.record, tokens=(40, 7), input_roles=("edit",), input_image_tokens=30)
    unknown = replace(record, input_image_tokens=0)
    made = [replace(one, record=record), replace(two, record=unknown)]
    assert tokens(answer_of(service, made, [b"file"] * 2, {})) is None
    both = [replace(one, record=record), replace(two, record=record)]
    assert tokens(answer_of(service, both, [b"file"] * 2, {})) == (20, 60)


def test_the_headers_name_each_model_of_a_set_once() -> None:
    service = Service()
    one, two, three = buy(service, count=3).made
    made = [
        replace(one, record=replace(one.record, model="a")),
        replace(two, record=replace(two.record, model="b")),
        replace(three, record=replace(three.record, model="a")),
    ]
    headers = answer_of(service, made, [b"file"] * 3, {}).receipt_headers()
    assert headers["x_imagegen_model"] == "a,b"
    assert len(headers["x_imagegen_image_id"].split(",")) == 3


def test_a_listed_model_says_in_openais_words_and_routers_that_it_makes_images() -> None:
    listed = ModelList(data=(ListedModel(id="a", created=1, owned_by="b"),)).model_dump()
    assert listed["object"] == "list"
    (one,) = listed["data"]
    assert one["object"] == "model"
    assert (one["type"], one["mode"]) == ("image", "image_generation")
    modalities = {"input_modalities": ("text",), "output_modalities": ("image",)}
    assert one["architecture"] == modalities
    assert one["supported_endpoints"] == ("/v1/images/generations", "/v1/images/edits")
