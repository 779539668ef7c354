"""Input images: what is sent is what was priced, and every file arrives as it was given."""

import base64
import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import openai
import pytest
import together
from google import genai
from google.genai import errors, types
from PIL import Image
from replicate.client import Client as ReplicateClient

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.catalog import Offering
from imagegen.domain.criteria import ordered
from imagegen.domain.digests import digest
from imagegen.domain.inputs import InputFile, Role
from imagegen.domain.operations import Operation
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageOrder
from imagegen.domain.sizes import SizeOption
from imagegen.domain.wishes import Wishes
from tests.adapters.providers.adapters import KEY, PATHS, PROMPT, build_adapter
from tests.adapters.providers.edits import (
    EDIT,
    MASK,
    OTHERS,
    described,
    fields_of,
    file,
    file_url,
    files_of,
    inputs_for,
    order_with,
    parts_of,
    uploading,
    variants,
)
from tests.adapters.providers.loopback import PNG, Loopback, Reply, ToolUse, json_reply
from tests.contracts.vendors import check, check_image_request
from tests.fakes.catalogs import real_catalog
from tests.vendors import vendor

ROWS = [row for row in real_catalog().models if row.inputs]
OFFERS = [
    pytest.param(row, option, inputs, id=f"{row.key}-{name}-{len(inputs)}{'m' * (MASK in inputs)}")
    for row in ROWS
    for name, option in variants(row)
    for inputs in inputs_for(row)[: None if name == "plain" else 1]
]


FORMS = ("openai", "ideogram")
"""Who takes input images in a form."""


def row_of(key: str) -> Offering:
    return real_catalog().by_key[key]


def edit_order(key: str, *inputs: InputFile, **changes: Any) -> ImageOrder:
    row = row_of(key)
    return replace(order_with(row, variants(row)[0][1], inputs), **changes)


def calls(provider: str, order: ImageOrder, server: Loopback) -> list[ToolUse]:
    """Return the requests that an adapter makes before the server fails."""
    server.script = uploading(server, Reply(500))
    with pytest.raises(ProviderError):
        build_adapter(provider, server).generate(order, timeout_seconds=20)
    return server.asked


def names_of(row: Offering) -> set[str]:
    """Return the fields in which the pictures of a model stand."""
    assert row.inputs
    numbered = {f"{row.inputs.field}_{number}" for number in range(2, row.inputs.most + 1)}
    return {row.inputs.field, row.inputs.mask_field, *numbered}


def json_params(row: Offering, asked: ToolUse) -> dict[str, Any]:
    """Return the parameters of a request that were priced: all but its frame and pictures."""
    sent = vendor(row.provider).params_of(asked.json())
    return {name: value for name, value in sent.items() if name not in names_of(row)}


@pytest.mark.parametrize(("row", "option", "inputs"), OFFERS)
def test_exactly_the_priced_parameters_and_every_picture_are_sent(
    row: Offering, option: SizeOption, inputs: tuple[InputFile, ...], server: Loopback
) -> None:
    *uploads, asked = calls(row.provider, order_with(row, option, inputs), server)
    priced = row.digest(ordered(row, option, Wishes(), has_inputs=True))
    if row.provider in FORMS:
        sent = vendor(row.provider).params_of(fields_of(asked))
        form = {"fields": fields_of(asked), "files": described(files_of(asked))}
        check(row.provider, "editForm", form)
        check_image_request(row.provider, row.model, form["fields"])
        contents = [part.content for part in files_of(asked)]
    else:
        sent = json_params(row, asked)
        check_image_request(row.provider, row.model, asked.json())
        contents = [part.content for one in uploads for part in files_of(one)]
    assert digest(row.provider, row.model, sent) == priced
    if row.operation is Operation.GENERATE:
        assert PROMPT.encode() in asked.body
    else:
        assert b"prompt" not in asked.body
    if row.provider in {*FORMS, "replicate"}:
        # A mask in two colours is another file.
        is_same = row.inputs is None or row.inputs.mask in {None, "alpha"}
        count = len(inputs) if is_same else len(inputs) - (MASK in inputs)
        assert contents[:count] == [one.content for one in inputs][:count]


LEFT_TO_THE_VENDOR = {"auto", "match_input_image", "default"}
"""Words with which a vendor chooses a size or a quality, and with it the price."""


def leaves(values: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each value of nested JSON with the name that it stands under."""
    if isinstance(values, dict):
        for inner, value in values.items():
            yield from leaves(value, inner)
    else:
        yield name, values


@pytest.mark.parametrize("row", real_catalog().models, ids=lambda one: one.key)
def test_nothing_that_has_a_price_is_left_to_the_vendor(row: Offering) -> None:
    for _, option in variants(row):
        for has_inputs in (False, True):
            sent = dict(leaves(row.sent(ordered(row, option, Wishes(), has_inputs=has_inputs))))
            # How strictly a prompt is moderated costs nothing.
            priced = {name: one for name, one in sent.items() if name != "moderation"}
            assert not LEFT_TO_THE_VENDOR & set(map(str, priced.values()))
            assert not any("webhook" in name for name in sent)


REWRITING = {
    # Their vendors rewrite the prompt unless they are told not to.
    "together-high": ("prompt_upsampling", False),
    "bfl-high": ("disable_pup", True),
    "ideogram-ultra": ("magic_prompt", "off"),
    "ideogram-high": ("magic_prompt", "off"),
    "ideogram-standard": ("magic_prompt", "off"),
}


@pytest.mark.parametrize(("key", "said"), REWRITING.items())
def test_no_vendor_rewrites_the_prompt(key: str, said: tuple[str, Any], server: Loopback) -> None:
    row, (name, value) = row_of(key), said
    for _, option in variants(row):
        (asked,) = calls(row.provider, order_with(row, option, ()), server)
        assert vendor(row.provider).params_of(asked.json())[name] == value
        server.asked.clear()


def test_every_row_with_inputs_has_a_way_to_send_them() -> None:
    for row in ROWS:
        assert row.inputs
        assert (row.inputs.fields is None) == (row.provider in {"openai", "gemini"})
        assert bool(row.inputs.mask_field) == (row.inputs.mask in {"white", "black"})


# OpenAI: a form.


@pytest.mark.parametrize(
    ("inputs", "names"),
    [
        ((EDIT,), ["image"]),
        ((EDIT, OTHERS[0]), ["image[]", "image[]"]),
        ((EDIT, MASK), ["image", "mask"]),
        ((EDIT, *OTHERS[:3], MASK), [*["image[]"] * 4, "mask"]),
        ((EDIT, *OTHERS), ["image[]"] * 16),
    ],
)
def test_one_image_is_no_list_and_several_are(
    inputs: tuple[InputFile, ...], names: list[str], server: Loopback
) -> None:
    (asked,) = calls("openai", edit_order("openai-fast", *inputs), server)
    files = files_of(asked)
    assert asked.path == PATHS["openai"] + "/images/edits"
    assert [part.name for part in files] == names
    assert [part.content for part in files] == [one.content for one in inputs]
    assert [part.media_type for part in files] == [one.media_type for one in inputs]


def test_a_file_is_named_by_its_bytes(server: Loopback) -> None:
    inputs = (EDIT, *OTHERS[:2], MASK)
    (asked,) = calls("openai", edit_order("openai-fast", *inputs), server)
    names = [part.file_name for part in files_of(asked)]
    assert names == ["image-1.png", "image-2.jpg", "image-3.webp", "mask.png"]


@pytest.mark.parametrize("inputs", [(EDIT,), (EDIT, OTHERS[1]), (EDIT, OTHERS[0], MASK)])
def test_the_form_is_the_one_of_the_official_client(
    inputs: tuple[InputFile, ...], server: Loopback
) -> None:
    order = edit_order("openai-high", *inputs)
    calls("openai", order, server)
    images = [
        (f"image-{number}.{ {'image/png': 'png', 'image/jpeg': 'jpg'}.get(one.media_type, 'webp')}",
         one.content, one.media_type)
        for number, one in enumerate(inputs, 1) if one.role is not Role.MASK
    ]  # fmt: skip
    more: Any = {"mask": ("mask.png", MASK.content, "image/png")} if MASK in inputs else {}
    params: Any = {name: value for name, value in order.params.items() if name != "moderation"}
    client = openai.OpenAI(
        base_url=server.origin + PATHS["openai"], api_key=KEY, max_retries=0, timeout=20
    )
    with pytest.raises(openai.APIError), client:
        client.images.edit(
            model=order.model,
            prompt=PROMPT,
            image=images if len(images) > 1 else images[0],
            n=1,
            safety_identifier="user-1",
            extra_body={"moderation": order.params["moderation"]},
            **params,
            **more,
        )
    ours, theirs = server.asked
    assert sorted(parts_of(ours)) == sorted(parts_of(theirs), key=tuple)
    assert ours.path == theirs.path


def test_without_inputs_nothing_changes(server: Loopback) -> None:
    (asked,) = calls("openai", edit_order("openai-fast"), server)
    assert asked.path.endswith("/images/generations")
    assert asked.headers["content-type"] == "application/json"


@pytest.mark.parametrize("image_tokens", [0, 1024])
def test_an_edit_that_did_not_get_its_picture_is_no_image(
    server: Loopback, image_tokens: int
) -> None:
    details = {"text_tokens": 9, "image_tokens": image_tokens}
    usage = {"input_tokens": 9, "output_tokens": 196, "input_tokens_details": details}
    data = [{"b64_json": base64.b64encode(PNG).decode()}]
    server.replies(json_reply(200, {"created": 1, "data": data, "usage": usage}))
    adapter = build_adapter("openai", server)
    plain = adapter.generate(edit_order("openai-fast"), timeout_seconds=20)
    assert plain.content == PNG
    if image_tokens:
        answer = adapter.generate(edit_order("openai-fast", EDIT), timeout_seconds=20)
        assert answer.usage == {
            "input_tokens": 9,
            "output_tokens": 196,
            "input_image_tokens": 1024,
        }
        return
    with pytest.raises(ProviderError) as caught:
        adapter.generate(edit_order("openai-fast", EDIT), timeout_seconds=20)
    assert caught.value.outcome is Outcome.NO_IMAGE
    assert caught.value.provider_code == "input_not_read"


@pytest.mark.parametrize("usage", [None, {"output_tokens": 196}, {"input_tokens_details": {}}])
def test_an_edit_without_a_count_is_an_image(server: Loopback, usage: Any) -> None:
    """An address that is compatible may count nothing."""
    data = [{"b64_json": base64.b64encode(PNG).decode()}]
    server.replies(json_reply(200, {"created": 1, "data": data, "usage": usage}))
    order = edit_order("openai-fast", EDIT)
    answer = build_adapter("openai", server).generate(order, timeout_seconds=20)
    assert answer.content == PNG


@pytest.mark.parametrize(
    ("status", "code", "kind", "outcome"),
    [
        (400, "invalid_image_file", "image_generation_user_error", Outcome.BAD_PARAMETER),
        (400, "invalid_input_fidelity_model", "invalid_request_error", Outcome.BAD_PARAMETER),
        (400, "array_above_max_length", "invalid_request_error", Outcome.BAD_PARAMETER),
        (413, None, "invalid_request_error", Outcome.BAD_PARAMETER),
        (400, "moderation_blocked", "image_generation_user_error", Outcome.REFUSED),
        (404, "model_not_found", "invalid_request_error", Outcome.MODEL_GONE),
        (429, "rate_limit_exceeded", "requests", Outcome.RATE_LIMITED),
        (429, "insufficient_quota", "insufficient_quota", Outcome.ACCOUNT),
        (500, "server_error", "server_error", Outcome.UNAVAILABLE),
        (504, None, "server_error", Outcome.UNKNOWN),
    ],
)
def test_a_refused_edit_comes_to_its_outcome(
    server: Loopback, status: int, code: str | None, kind: str, outcome: Outcome
) -> None:
    error = {"message": "x", "type": kind, "param": None, "code": code}
    server.replies(json_reply(status, {"error": error}))
    order = edit_order("openai-fast", EDIT, MASK)
    with pytest.raises(ProviderError) as caught:
        build_adapter("openai", server).generate(order, timeout_seconds=20)
    assert caught.value.outcome is outcome


# What cannot be sent is not called.

LARGE_MASK = InputFile(Role.MASK, MASK.content.ljust(4_000_000, b"\0"), "image/png", 64, 48)
HUGE = InputFile(Role.EDIT, EDIT.content.ljust(15_000_000, b"\0"), "image/png", 64, 48)


@pytest.mark.parametrize(
    ("key", "inputs"),
    [
        pytest.param("openai-fast", (EDIT, *OTHERS, file(Role.REFERENCE, seed=99)), id="17 images"),
        pytest.param("openai-fast", (MASK,), id="a mask alone"),
        pytest.param("openai-fast", (EDIT, LARGE_MASK), id="a large mask"),
        pytest.param("openai-fast", (EDIT, file(Role.MASK, size=(48, 64))), id="another size"),
        pytest.param("openai-fast", (EDIT, replace(MASK, media_type="image/webp")), id="no PNG"),
        pytest.param("openai-fast", (replace(EDIT, media_type="image/gif"),), id="a GIF"),
        pytest.param("gemini-high", (EDIT, MASK), id="no mask at Gemini"),
        pytest.param("gemini-high", (HUGE,), id="more than 20 MB inline"),
        pytest.param("gemini-high", (EDIT, *OTHERS[:14]), id="15 images"),
        pytest.param("together-high", (EDIT,), id="no price, no field"),
        pytest.param("together-high-kontext", (EDIT, OTHERS[0]), id="two at Kontext"),
        pytest.param("together-high-kontext", (EDIT, MASK), id="no mask at Kontext"),
        pytest.param("replicate-high", (EDIT,), id="no field at Replicate"),
        pytest.param("bfl-ultra", (EDIT,), id="no price at Black Forest Labs"),
        pytest.param("fal-ultra-edit", (EDIT, MASK), id="no mask at fal"),
        pytest.param("bfl-high", (EDIT, MASK), id="no mask at Black Forest Labs"),
        pytest.param("fal-high", (EDIT,), id="no field at fal"),
        pytest.param("replicate-high-kontext", (EDIT, OTHERS[0]), id="two at Kontext, Replicate"),
        pytest.param("replicate-ultra", (EDIT, MASK), id="no mask at FLUX.2"),
        pytest.param("replicate-high-fill", (EDIT, OTHERS[0], MASK), id="two at Fill"),
        pytest.param(
            "replicate-high-fill",
            (EDIT, replace(MASK, content=EDIT.content)),
            id="a mask without alpha",
        ),
    ],
)
def test_inputs_that_cannot_be_sent_are_not_called(
    key: str, inputs: tuple[InputFile, ...], server: Loopback
) -> None:
    server.script = uploading(server, Reply(500))
    provider = row_of(key).provider
    with pytest.raises(ProviderError) as caught:
        build_adapter(provider, server).generate(edit_order(key, *inputs), timeout_seconds=20)
    assert caught.value.outcome is Outcome.NOT_CALLED
    assert server.asked == []


# The others.


def test_gemini_gets_the_pictures_in_order_and_then_the_text(server: Loopback) -> None:
    inputs = (EDIT, *OTHERS[:2])
    order = edit_order("gemini-high", *inputs)
    (asked,) = calls("gemini", order, server)
    parts = asked.json()["contents"][0]["parts"]
    assert [part.get("inlineData", {}).get("mimeType") for part in parts] == [
        "image/png",
        "image/jpeg",
        "image/webp",
        None,
    ]
    decoded = [base64.b64decode(part["inlineData"]["data"], validate=True) for part in parts[:-1]]
    assert decoded == [one.content for one in inputs]
    assert parts[-1] == {"text": PROMPT}


def test_gemini_s_body_is_the_one_of_the_official_client(server: Loopback) -> None:
    inputs = (EDIT, OTHERS[0])
    calls("gemini", edit_order("gemini-high", *inputs), server)
    given: Any = [
        types.Part.from_bytes(data=one.content, mime_type=one.media_type) for one in inputs
    ]
    options = types.HttpOptions(base_url=server.origin, api_version="v1beta")
    with (
        genai.Client(api_key=KEY, http_options=options) as client,
        pytest.raises(errors.APIError),
    ):
        client.models.generate_content(model="gemini-nano-banana-2.1", contents=[*given, PROMPT])
    ours, theirs = server.asked[0].json(), server.asked[-1].json()

    def plain(body: Any) -> Any:
        """Google reads both alphabets of base64 alike, and both spellings of a name."""
        for part in body["contents"][0]["parts"]:
            if inline := part.get("inlineData"):
                inline["data"] = inline["data"].replace("-", "+").replace("_", "/").rstrip("=")
                inline["mimeType"] = inline.pop("mime_type", inline.get("mimeType"))
        return body["contents"]

    assert plain(ours) == plain(theirs)


def test_together_s_body_is_the_one_of_the_official_client(server: Loopback) -> None:
    order = edit_order("together-high-kontext", EDIT)
    calls("together", order, server)
    url = f"data:image/png;base64,{base64.b64encode(EDIT.content).decode()}"
    params: Any = {name: one for name, one in order.params.items() if name != "aspect_ratio"}
    with (
        together.Together(base_url=server.origin + "/v1", api_key=KEY, max_retries=0) as client,
        pytest.raises(together.APIError),
    ):
        client.images.generate(
            model=order.model,
            prompt=PROMPT,
            n=1,
            image_url=url,
            extra_body={"aspect_ratio": order.params["aspect_ratio"]},
            **params,
        )
    ours, theirs = server.asked[0], server.asked[-1]
    assert ours.json() == theirs.json()


def test_replicate_s_upload_is_the_one_of_the_official_client(server: Loopback) -> None:
    order = edit_order("replicate-high-kontext", EDIT)
    upload, prediction = calls("replicate", order, server)
    client = ReplicateClient(api_token=KEY, base_url=server.origin)
    content = io.BytesIO(EDIT.content)
    with pytest.raises(ValueError, match="field required"):  # the stand-in's answer is short
        client.files.create(content, filename="image-1.png", content_type="image/png")
    client._client.close()
    theirs = server.asked[-1]
    assert upload.path == theirs.path == "/v1/files"
    assert sorted(parts_of(upload), key=str) == sorted(parts_of(theirs), key=str)
    assert prediction.json()["input"]["input_image"] == file_url(server, 1)


def test_flux_2_gets_a_list_of_urls_in_order(server: Loopback) -> None:
    inputs = (EDIT, *OTHERS[:2])
    *uploads, asked = calls("replicate", edit_order("replicate-ultra", *inputs), server)
    urls = [file_url(server, number) for number in (1, 2, 3)]
    assert asked.json()["input"]["input_images"] == urls
    assert [files_of(one)[0].content for one in uploads] == [one.content for one in inputs]


def test_black_forest_labs_gets_numbered_pictures_in_order(server: Loopback) -> None:
    inputs = (EDIT, *OTHERS[:7])
    (asked,) = calls("bfl", edit_order("bfl-high", *inputs), server)
    names = ["input_image", *(f"input_image_{number}" for number in range(2, 9))]
    sent = asked.json()
    assert [name for name in sent if name.startswith("input_image")] == names
    assert [base64.b64decode(sent[name]) for name in names] == [one.content for one in inputs]


def test_fal_gets_a_list_of_data_urls_in_order(server: Loopback) -> None:
    inputs = (EDIT, *OTHERS[:7])
    (asked,) = calls("fal", edit_order("fal-ultra-edit", *inputs), server)
    assert asked.path == "/fal-ai/flux-2-max/edit"
    urls = [
        f"data:{one.media_type};base64,{base64.b64encode(one.content).decode()}" for one in inputs
    ]
    assert asked.json()["image_urls"] == urls


def test_a_mask_for_fill_is_white_where_ours_is_transparent(server: Loopback) -> None:
    mask = half_clear()
    *uploads, asked = calls("replicate", edit_order("replicate-high-fill", EDIT, mask), server)
    sent = asked.json()["input"]
    assert (sent["image"], sent["mask"]) == (file_url(server, 1), file_url(server, 2))
    grey = Image.open(io.BytesIO(files_of(uploads[1])[0].content)).convert("L")
    assert (grey.getpixel((5, 5)), grey.getpixel((60, 5))) == (255, 0)
    assert files_of(uploads[0])[0].content == EDIT.content


def half_clear() -> InputFile:
    """Return a mask whose left half may change."""
    image = Image.new("RGBA", (64, 48), (9, 9, 9, 255))
    image.paste((0, 0, 0, 0), (0, 0, 32, 48))
    out = io.BytesIO()
    image.save(out, "PNG")
    return InputFile(Role.MASK, out.getvalue(), "image/png", 64, 48)


def test_a_mask_for_ideogram_is_black_where_ours_is_transparent(server: Loopback) -> None:
    (asked,) = calls("ideogram", edit_order("ideogram-high-edit", EDIT, half_clear()), server)
    assert asked.path == "/v2/image/precise-edit/ideogram-4-5"
    picture, mask = files_of(asked)
    assert (picture.name, picture.file_name, picture.content) == (
        *("image", "image-1.png"),
        EDIT.content,
    )
    assert (mask.name, mask.file_name, mask.media_type) == ("mask", "mask.png", "image/png")
    grey = Image.open(io.BytesIO(mask.content))
    assert (grey.mode, grey.getpixel((5, 5)), grey.getpixel((60, 5))) == ("L", 0, 255)


def test_a_mask_for_ideogram_that_keeps_nothing_is_left_out(server: Loopback) -> None:
    """It asks for both colours in a mask; without one, everything may change."""
    out = io.BytesIO()
    Image.new("RGBA", (64, 48), (0, 0, 0, 0)).save(out, "PNG")
    clear = InputFile(Role.MASK, out.getvalue(), "image/png", 64, 48)
    (asked,) = calls("ideogram", edit_order("ideogram-high-edit", EDIT, clear), server)
    assert [part.name for part in files_of(asked)] == ["image"]


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (500, {"title": "x", "detail": "y"}, Outcome.UNAVAILABLE),
        (504, None, Outcome.UNAVAILABLE),
        (404, {"title": "Not found", "detail": "y"}, Outcome.UNAVAILABLE),
        (401, {"title": "Unauthenticated", "detail": "token"}, Outcome.ACCOUNT),
        (429, {"title": "x", "detail": "y"}, Outcome.RATE_LIMITED),
        (201, {"id": "f1", "urls": {}}, Outcome.NO_IMAGE),
    ],
)
def test_a_failed_upload_leaves_nothing_in_doubt(
    server: Loopback, status: int, body: Any, outcome: Outcome
) -> None:
    server.replies(json_reply(status, body))
    order = edit_order("replicate-high-kontext", EDIT)
    with pytest.raises(ProviderError) as caught:
        build_adapter("replicate", server).generate(order, timeout_seconds=20)
    assert caught.value.outcome is outcome
    assert len(server.asked) == 1


def test_an_upload_whose_answer_is_lost_leaves_nothing_in_doubt(server: Loopback) -> None:
    server.script = lambda _asked, wire: wire.reset()
    order = edit_order("replicate-high-kontext", EDIT)
    with pytest.raises(ProviderError) as caught:
        build_adapter("replicate", server).generate(order, timeout_seconds=20)
    assert caught.value.outcome is Outcome.UNAVAILABLE
