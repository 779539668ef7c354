"""The official clients change pictures against the simulator unchanged, or are refused."""

import base64
import io
import re
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest
import requests
import together
from google import genai
from google.genai import types
from openai.types import ImagesResponse
from PIL import Image
from pydantic import SecretStr
from replicate.client import Client as ReplicateClient

from imagegen.domain.input_tokens import input_tokens as our_tokens
from imagegen.domain.inputs import InputFields, InputFile, Role
from imagegen.domain.ports import ImageOrder
from imagegen.providers.ideogram import build
from local.simulator import Simulator
from local.simulator.openai_prices import input_tokens, output_tokens
from tests.contracts.vendors import check
from tests.fakes.pictures import picture, png

KEY = "sk-simulated-1234"
SIDE = 1024
type Arm = Callable[..., None]
type Totals = Callable[[str], dict[str, Any]]


def file_of(image: Image.Image, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


RED = file_of(Image.new("RGB", (SIDE, SIDE), (220, 0, 0)))
LEFT_MAY_CHANGE = Image.new("RGBA", (SIDE, SIDE), (0, 0, 0, 255))
LEFT_MAY_CHANGE.paste((0, 0, 0, 0), (0, 0, SIDE // 2, SIDE))
MASK = file_of(LEFT_MAY_CHANGE)


@pytest.fixture
def client(sim: Simulator) -> Iterator[openai.OpenAI]:
    url = f"{sim.url}/openai/v1"
    with openai.OpenAI(base_url=url, api_key=KEY, max_retries=0) as made:
        yield made


def edited(client: openai.OpenAI, **more: Any) -> ImagesResponse:
    asked: dict[str, Any] = {
        "model": "gpt-image-2.5-flare",
        "prompt": "a fox",
        "quality": "low",
        "size": "1024x1024",
        "image": ("a.png", RED, "image/png"),
    }
    answer: ImagesResponse = client.images.edit(**(asked | more))
    return answer


def opened(answer: ImagesResponse) -> Image.Image:
    assert answer.data
    return Image.open(io.BytesIO(base64.b64decode(answer.data[0].b64_json or "")))


def is_red(image: Image.Image, at: tuple[int, int]) -> bool:
    return image.convert("RGB").getpixel(at) == (220, 0, 0)


def test_openai_changes_one_picture_and_counts_its_tokens(
    client: openai.OpenAI, totals: Totals
) -> None:
    answer = edited(client)
    plain = client.images.generate(
        model="gpt-image-2.5-flare", prompt="a fox", quality="low", size="1024x1024"
    )
    assert answer.usage
    assert answer.usage.input_tokens_details.image_tokens == 1024
    assert opened(answer).size == (SIDE, SIDE)
    assert opened(answer).tobytes() != opened(plain).tobytes()
    assert totals("openai")["billedMicrousd"] == 2 * 5_900 + 1024 * 8


def test_openai_takes_sixteen_pictures_of_three_kinds(client: openai.OpenAI) -> None:
    kinds = ("PNG", "JPEG", "WEBP")
    images = [
        (f"{number}.bin", picture(kinds[number % 3], size=(256, 256)), f"image/{kind}")
        for number, kind in enumerate(("png", "jpeg", "webp") * 5 + ("png",))
    ]
    answer = edited(client, image=images)
    assert answer.usage
    assert answer.usage.input_tokens_details.image_tokens == 16 * 256


def test_openai_repaints_where_the_mask_is_transparent(client: openai.OpenAI) -> None:
    image = opened(edited(client, mask=("m.png", MASK, "image/png")))
    assert is_red(image, (SIDE - 9, 9))
    assert not is_red(image, (9, 9))


@pytest.mark.parametrize("output_format", ["png", "webp"])
def test_a_transparent_background_has_real_alpha(client: openai.OpenAI, output_format: Any) -> None:
    answer = edited(client, background="transparent", output_format=output_format)
    alpha = opened(answer).convert("RGBA").getchannel("A")
    assert alpha.getextrema() == (0, 255)
    assert answer.background == "transparent"
    drawn = client.images.generate(
        model="gpt-image-2.5-flare", prompt="a fox", quality="low", size="1024x1024",
        background="transparent", output_format=output_format,
    )  # fmt: skip
    assert opened(drawn).convert("RGBA").getchannel("A").getextrema() == (0, 255)


def with_alpha(size: tuple[int, int], kind: str = "PNG") -> bytes:
    return file_of(Image.new("RGBA", size, (0, 0, 0, 0)), kind)


WEBP_MASK = with_alpha((SIDE, SIDE), "WEBP")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"image": []}, "missing_required"),
        ({"image": [("a.png", RED, "image/png")] * 17}, "array_above_max_length"),
        ({"image": ("a.gif", picture("GIF"), "image/gif")}, "unsupported_file_mimetype"),
        ({"image": ("a.png", b"no image", "image/png")}, "invalid_image_file"),
        ({"image": ("a.png", RED[:5000], "image/png")}, "invalid_image_file"),
        ({"image": ("a.png", picture("GIF"), "image/png")}, "invalid_image_file"),
        ({"image": ("a.bin", RED, "application/octet-stream")}, "unsupported_file_mimetype"),
        ({"mask": ("m.png", RED, "image/png")}, "invalid_image_file"),
        ({"mask": ("m.png", with_alpha((512, 512)), "image/png")}, "invalid_image_file"),
        ({"mask": ("m.webp", WEBP_MASK, "image/webp")}, "invalid_image_file"),
        ({"mask": ("m.png", MASK.ljust(4_000_000, b"\0"), "image/png")}, "invalid_image_file"),
        ({"mask": ("m.png", MASK, "image/png"), "markup": ("k.png", MASK, "image/png")},
         "invalid_value"),
        ({"input_fidelity": "high"}, "invalid_input_fidelity_model"),
        ({"extra_body": {"seed": 7}}, "unknown_parameter"),
        ({"extra_body": {"strength": 0.5}}, "unknown_parameter"),
        ({"background": "transparent", "output_format": "jpeg"}, "invalid_value"),
        ({"partial_images": 2}, "invalid_value"),
        ({"partial_images": 4, "stream": True}, "invalid_value"),
        ({"n": 11}, "invalid_value"),
        ({"size": "512x512"}, "invalid_value"),
        ({"prompt": ""}, "missing_required"),
    ],
)  # fmt: skip
def test_openai_refuses_a_wrong_edit(
    client: openai.OpenAI, totals: Totals, wrong: dict[str, Any], code: str
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        edited(client, **wrong)
    assert caught.value.code == code
    assert totals("openai")["billedMicrousd"] == 0
    assert totals("openai")["byOutcome"] == {"bad_parameter": 1}


def test_openai_refuses_what_is_no_file_and_the_same_name_twice(sim: Simulator) -> None:
    url, auth = f"{sim.url}/openai/v1/images/edits", {"authorization": f"Bearer {KEY}"}
    fields = {"model": "gpt-image-2.5-flare", "prompt": "a fox"}
    text = requests.post(
        url, files={"image": (None, "https://example.com/a.png")}, data=fields, headers=auth,
        timeout=10,
    )  # fmt: skip
    twice = requests.post(
        url, files=[("image", ("a.png", RED, "image/png"))] * 2, data=fields, headers=auth,
        timeout=10,
    )  # fmt: skip
    cut = requests.post(
        url,
        data=b"--x\r\nContent-Disposition",
        headers={**auth, "content-type": "multipart/form-data; boundary=x"},
        timeout=10,
    )
    assert text.json()["error"]["code"] == "invalid_type"
    assert twice.json()["error"]["code"] == "duplicate_parameter"
    assert cut.status_code == 400


def test_openai_takes_an_edit_as_json(sim: Simulator) -> None:
    url = f"{sim.url}/openai/v1/images/edits"
    data_url = f"data:image/png;base64,{base64.b64encode(RED).decode()}"
    body = {
        "model": "gpt-image-2.5-flare",
        "prompt": "a fox",
        "quality": "low",
        "size": "1024x1024",
        "images": [{"image_url": data_url}],
    }
    headers = {"authorization": f"Bearer {KEY}"}
    good = requests.post(url, json=body, headers=headers, timeout=30)
    linked = body | {"images": [{"image_url": "https://example.com/a.png"}]}
    assert good.json()["usage"]["input_tokens_details"]["image_tokens"] == 1024
    assert requests.post(url, json=linked, headers=headers, timeout=10).status_code == 400


def test_a_lost_picture_draws_a_new_one_and_reads_no_image(client: openai.OpenAI, arm: Arm) -> None:
    arm("openai", "input_lost")
    lost = edited(client)
    arm("openai", None)
    assert lost.usage
    assert lost.usage.input_tokens_details.image_tokens == 0
    plain = client.images.generate(
        model="gpt-image-2.5-flare", prompt="a fox", quality="low", size="1024x1024"
    )
    assert opened(lost).tobytes() == opened(plain).tobytes()


@pytest.mark.parametrize("partials", [0, 1, 2, 3])
def test_openai_streams_its_frames_and_then_the_picture(
    client: openai.OpenAI, totals: Totals, partials: int
) -> None:
    stream = client.images.generate(
        model="gpt-image-2.5-flare", prompt="a fox", quality="low", size="1024x1024",
        stream=True, partial_images=partials,
    )  # fmt: skip
    events = list(stream)
    kinds = [event.type for event in events]
    frames = ["image_generation.partial_image"] * partials
    assert kinds == [*frames, "image_generation.completed"]
    for event in events[:-1]:
        check("openai", "partialEvent", event.to_dict())
    check("openai", "completedEvent", events[-1].to_dict())
    last: Any = events[-1]
    shown: list[str] = [event.b64_json for event in events]
    assert len(set(shown)) == partials + 1
    images = [Image.open(io.BytesIO(base64.b64decode(one))) for one in shown]
    assert {image.size for image in images} == {(1024, 1024)}
    colours = [len(image.getcolors(1024 * 1024) or ()) for image in images]
    assert colours == sorted(colours)  # Each frame shows more than the one before.
    assert last.usage.output_tokens == 196 + 100 * partials
    assert totals("openai")["billedMicrousd"] == 5_900 + 3_000 * partials


def test_openai_streams_an_edit(client: openai.OpenAI) -> None:
    stream = client.images.edit(
        model="gpt-image-2.5-flare", prompt="a fox", quality="low", size="1024x1024",
        image=("a.png", RED, "image/png"), stream=True, partial_images=1,
    )  # fmt: skip
    kinds = [event.type for event in stream]
    assert kinds == ["image_edit.partial_image", "image_edit.completed"]


@pytest.mark.parametrize("fault", ["cut_during", "stream_refuses"])
def test_a_broken_stream_raises_the_clients_own_error(
    client: openai.OpenAI, arm: Arm, fault: str
) -> None:
    arm("openai", fault)
    stream = client.images.generate(
        model="gpt-image-2.5-flare", prompt="a fox", quality="low", size="1024x1024",
        stream=True, partial_images=2,
    )  # fmt: skip
    with pytest.raises(openai.APIError):
        list(stream)


MEASURED = {
    (256, 256): 256, (512, 512): 1024, (512, 1024): 512, (550, 368): 704, (341, 512): 704,
    (768, 768): 1024, (1024, 1024): 1024, (1280, 720): 920, (1536, 1024): 1536,
    (1024, 1536): 1536, (1536, 1536): 1521, (2048, 1152): 1508, (2048, 2048): 1521,
    (3840, 2160): 1508, (1179, 2556): 1482,
}  # fmt: skip


@pytest.mark.parametrize("size", MEASURED)
def test_input_tokens_are_those_that_were_measured(size: tuple[int, int]) -> None:
    assert input_tokens(*size) == our_tokens(*size, cap=1536) == MEASURED[size]


def test_an_exact_half_is_rounded_to_the_even_number() -> None:
    assert output_tokens("low", 2048, 1088) == 136


# The others.


def test_gemini_changes_pictures(sim: Simulator, totals: Totals) -> None:
    options = types.HttpOptions(base_url=f"{sim.url}/gemini", api_version="v1beta")
    parts: Any = [
        types.Part.from_bytes(data=RED, mime_type="image/png"),
        types.Part.from_bytes(data=picture("JPEG"), mime_type="image/jpeg"),
        "a fox",
    ]
    with genai.Client(api_key=KEY, http_options=options) as client:
        answer = client.models.generate_content(model="gemini-nano-banana-2.1", contents=parts)
    usage = answer.usage_metadata
    assert usage
    assert usage.prompt_tokens_details
    counts = {str(one.modality): one.token_count for one in usage.prompt_tokens_details}
    assert counts["MediaModality.IMAGE"] == 2240
    assert totals("gemini")["billedMicrousd"] == 33_600 + 2 * 1_680


@pytest.mark.parametrize(
    "part",
    [
        {"inlineData": {"mimeType": "image/bmp", "data": base64.b64encode(RED).decode()}},
        {"inlineData": {"mimeType": "image/png", "data": "bm8gaW1hZ2U="}},
        {"inlineData": {"mimeType": "image/png", "data": RED[:40].hex()}},
        {"image": "x"},
    ],
)
def test_gemini_refuses_a_wrong_picture(sim: Simulator, part: Any) -> None:
    url = f"{sim.url}/gemini/v1beta/models/gemini-nano-banana-2.1:generateContent"
    body = {"contents": [{"role": "user", "parts": [part, {"text": "a fox"}]}]}
    answer = requests.post(url, json=body, headers={"x-goog-api-key": KEY}, timeout=10)
    assert answer.status_code == 400
    many = [{"inlineData": {"mimeType": "image/png", "data": base64.b64encode(png()).decode()}}]
    body = {"contents": [{"role": "user", "parts": [*many * 15, {"text": "a fox"}]}]}
    assert (
        requests.post(url, json=body, headers={"x-goog-api-key": KEY}, timeout=10).status_code
        == 400
    )


def test_together_changes_a_picture_by_its_url(sim: Simulator) -> None:
    url = f"data:image/png;base64,{base64.b64encode(RED).decode()}"
    asked: Any = {"prompt": "a fox", "response_format": "base64", "image_url": url}
    with together.Together(base_url=f"{sim.url}/together", api_key=KEY, max_retries=0) as client:
        answer = client.images.generate(
            model="black-forest-labs/FLUX.1-kontext-pro",
            extra_body={"aspect_ratio": "3:2"},
            **asked,
        )
        one: Any = answer.data[0]
        assert Image.open(io.BytesIO(base64.b64decode(one.b64_json))).size == (1248, 832)
        for model in ("black-forest-labs/FLUX.2-max", "black-forest-labs/FLUX.2-dev"):
            with pytest.raises(together.BadRequestError):
                client.images.generate(model=model, **asked)
        with pytest.raises(together.BadRequestError):
            client.images.generate(
                model="black-forest-labs/FLUX.1-kontext-pro", **asked | {"image_url": "https://x"}
            )


@pytest.fixture
def replicate_client(sim: Simulator) -> Iterator[ReplicateClient]:
    client = ReplicateClient(api_token=KEY, base_url=f"{sim.url}/replicate")
    client.poll_interval = 0
    yield client
    client._client.close()


def named(content: bytes) -> io.BytesIO:
    file = io.BytesIO(content)
    file.name = "a.png"
    return file


def test_replicate_takes_files_from_its_client(
    replicate_client: ReplicateClient, totals: Totals
) -> None:
    output: Any = replicate_client.run(
        "black-forest-labs/flux-2-max",
        input={"prompt": "a fox", "input_images": [named(RED), named(RED)], "resolution": "1 MP"},
    )
    assert Image.open(io.BytesIO(requests.get(str(output), timeout=10).content)).size == (
        SIDE,
        SIDE,
    )
    assert totals("replicate")["billedMicrousd"] == 70_000 + 2 * 30_000


def test_replicate_s_file_fits_the_contract(sim: Simulator, replicate_client: Any) -> None:
    made = replicate_client.files.create(named(RED))
    auth = {"authorization": f"Bearer {KEY}"}
    view = requests.get(f"{sim.url}/replicate/v1/files/{made.id}", headers=auth, timeout=10).json()
    check("replicate", "fileAnswer", view)
    assert re.fullmatch(r"[0-9a-f]{64}", view["checksums"]["sha256"])
    assert replicate_client.files.delete(made.id)
    with pytest.raises(Exception, match="could not be found"):
        replicate_client.files.get(made.id)


def test_fill_repaints_where_the_mask_is_white(replicate_client: ReplicateClient) -> None:
    white = Image.new("L", (SIDE, SIDE), 0)
    white.paste(255, (0, 0, SIDE // 2, SIDE))
    given = {"prompt": "a fox", "image": named(RED), "mask": named(file_of(white))}
    output: Any = replicate_client.run("black-forest-labs/flux-fill-pro", input=given)
    image = Image.open(io.BytesIO(requests.get(str(output), timeout=10).content))
    assert is_red(image, (SIDE - 9, 9))
    assert not is_red(image, (9, 9))


@pytest.mark.parametrize(
    ("model", "wrong"),
    [
        ("flux-fill-pro", {}),
        ("flux-fill-pro", {"image": "URL"}),
        ("flux-fill-pro", {"image": "URL", "mask": "SMALL"}),
        ("flux-fill-pro", {"image": "URL", "mask": "URL", "aspect_ratio": "1:1"}),
        ("flux-2-pro", {"input_images": ["URL"] * 9}),
        ("flux-2-pro", {"input_images": "URL"}),
        ("flux-2-pro", {"input_image": "URL"}),
        ("flux-2-pro", {"input_images": ["LARGE", "LARGE", "LARGE"]}),
        ("flux-kontext-pro", {"input_image": "https://example.com/a.png"}),
        ("flux-kontext-pro", {"input_image": "data:image/png;base64,bm8="}),
        ("flux-kontext-pro", {"input_images": ["URL"]}),
        ("flux-kontext-pro", {"input_image": "URL", "output_format": "webp"}),
        ("flux-1.1-pro", {"input_image": "URL"}),
    ],
)
def test_replicate_refuses_wrong_pictures(
    sim: Simulator, totals: Totals, model: str, wrong: dict[str, Any]
) -> None:
    files = {"URL": RED, "SMALL": png((64, 64)), "LARGE": png((2000, 1600))}

    def linked(value: Any) -> Any:
        if isinstance(value, list):
            return [linked(one) for one in value]
        if value not in files:
            return value
        return "data:image/png;base64," + base64.b64encode(files[value]).decode()

    url = f"{sim.url}/replicate/v1/models/black-forest-labs/{model}/predictions"
    given = {name: linked(value) for name, value in wrong.items()}
    body = {"input": {"prompt": "a fox", **given}}
    answer = requests.post(url, json=body, headers={"authorization": f"Bearer {KEY}"}, timeout=20)
    assert answer.status_code == 422
    assert totals("replicate")["billedMicrousd"] == 0


@pytest.mark.parametrize(("count", "credits_used"), [(1, 4.5), (2, 6.0), (8, 15.0)])
def test_black_forest_labs_bills_each_megapixel_that_an_input_begins(
    sim: Simulator, totals: Totals, count: int, credits_used: float
) -> None:
    names = ["input_image", *(f"input_image_{number}" for number in range(2, count + 1))]
    small = base64.b64encode(png((64, 64))).decode()
    body = {"prompt": "make it blue", "width": SIDE, "height": SIDE, **dict.fromkeys(names, small)}
    url, headers = f"{sim.url}/bfl/v1/flux-2-pro", {"x-key": KEY}
    answer = requests.post(url, json=body, headers=headers, timeout=20)
    assert answer.json()["cost"] == credits_used
    assert totals("bfl")["billedMicrousd"] == credits_used * 10_000
    check("bfl", "imageAnswer", answer.json())


def test_black_forest_labs_refuses_more_than_nine_megapixels_of_inputs(
    sim: Simulator, totals: Totals
) -> None:
    large = base64.b64encode(png((2000, 1600))).decode()
    body = {"prompt": "a fox", "input_image": large, "input_image_2": large, "input_image_3": large}
    url, headers = f"{sim.url}/bfl/v1/flux-2-pro", {"x-key": KEY}
    assert requests.post(url, json=body, headers=headers, timeout=20).status_code == 422
    assert totals("bfl")["billedMicrousd"] == 0


FAL_PICTURES = {"image_urls": [f"data:image/png;base64,{base64.b64encode(png((64, 64))).decode()}"]}


@pytest.mark.parametrize(("size", "count", "microusd"), [
    ((64, 64), 1, 100_000),
    ((64, 64), 8, 310_000),
    ((1024, 1024), 1, 100_000),
    ((1920, 1080), 1, 130_000),
])  # fmt: skip
def test_fal_bills_each_megapixel_that_an_input_begins(
    sim: Simulator, totals: Totals, size: tuple[int, int], count: int, microusd: int
) -> None:
    picture = f"data:image/png;base64,{base64.b64encode(png(size)).decode()}"
    body = {
        "prompt": "make it blue",
        "image_size": {"width": 992, "height": 992},
        "image_urls": [picture] * count,
    }
    url, headers = f"{sim.url}/fal/fal-ai/flux-2-max/edit", {"Authorization": f"Key {KEY}"}
    answer = requests.post(url, json=body, headers=headers, timeout=20)
    assert answer.status_code == 200, answer.text
    assert totals("fal")["billedMicrousd"] == microusd
    check("fal", "imageAnswer", answer.json())


@pytest.mark.parametrize(("model", "pictures"), [
    ("fal-ai/flux-2-max/edit", {}),
    ("fal-ai/flux-2-max/edit", {"image_urls": []}),
    ("fal-ai/flux-2-max/edit", {"image_urls": ["data:image/png;base64,AAAA"]}),
    ("fal-ai/flux-2-max/edit", {"image_urls": FAL_PICTURES["image_urls"] * 11}),
    ("fal-ai/flux-2-max/edit", {"image_url": FAL_PICTURES["image_urls"][0]}),
    ("fal-ai/flux-2-max/edit", {"image_urls": FAL_PICTURES["image_urls"][0]}),
    ("fal-ai/flux-2-max", FAL_PICTURES),
    ("fal-ai/flux/dev", FAL_PICTURES),
])  # fmt: skip
def test_fal_refuses_pictures_that_a_model_does_not_take(
    sim: Simulator, totals: Totals, model: str, pictures: dict[str, Any]
) -> None:
    body = {"prompt": "a fox", "image_size": {"width": 992, "height": 992}, **pictures}
    url, headers = f"{sim.url}/fal/{model}", {"Authorization": f"Key {KEY}"}
    assert requests.post(url, json=body, headers=headers, timeout=20).status_code == 422
    assert totals("fal")["billedMicrousd"] == 0


EDITED = "ideogram-4-5-precise-edit"
TWO = Image.new("L", (64, 64), 255)
TWO.paste(0, (0, 0, 32, 64))
GREY = Image.new("L", (64, 64), 255)


def edited_by_ideogram(sim: Simulator, *, query: str = "", **more: Any) -> requests.Response:
    files = {"image": ("image-1.png", png((64, 64)), "image/png"), **more.pop("files", {})}
    fields = {"prompt": "make it blue", "quality": "medium", "num_images": "1", **more}
    url = f"{sim.url}/ideogram/v2/image/precise-edit/ideogram-4-5{query}"
    return requests.post(url, data=fields, files=files, headers={"api-key": KEY}, timeout=20)


def test_ideogram_bills_one_price_for_an_edit_of_the_picture_s_size(
    sim: Simulator, totals: Totals
) -> None:
    mask = {"mask": ("mask.png", file_of(TWO), "image/png")}
    quote = edited_by_ideogram(sim, query="?dry_run=true", files=mask)
    check("ideogram", "priceQuote", quote.json())
    assert (quote.json()["usd_micros"], totals("ideogram")["billedMicrousd"]) == (60_000, 0)
    answer = edited_by_ideogram(sim, files=mask).json()
    check("ideogram", "imageAnswer", answer)
    assert answer["data"][0]["resolution"] == "64x64"
    assert totals("ideogram")["billedMicrousd"] == 60_000


@pytest.mark.parametrize(
    "wrong",
    [
        {"prompt": ""},
        {"quality": "best"},
        {"size": "1024x1024"},
        {"magic_prompt": "off"},
        {"num_images": "9"},
        {"seed": "-1"},
        {"async": "yes"},
        {"files": {"image": ("a.png", b"no image", "image/png")}},
        {"files": {"image": ("a.gif", png((64, 64)), "image/gif")}},
        {"files": {"mask": ("m.png", png((32, 64)), "image/png")}},
        {"files": {"mask": ("m.png", file_of(GREY), "image/png")}},
    ],
)
def test_ideogram_refuses_an_edit_that_does_not_fit(
    sim: Simulator, totals: Totals, wrong: dict[str, Any]
) -> None:
    assert edited_by_ideogram(sim, **wrong).status_code == 400
    assert totals("ideogram")["billedMicrousd"] == 0


def test_ideogram_takes_an_edit_as_a_form_alone(sim: Simulator) -> None:
    url = f"{sim.url}/ideogram/v2/image/precise-edit/ideogram-4-5"
    answer = requests.post(url, json={"prompt": "x"}, headers={"api-key": KEY}, timeout=20)
    assert answer.status_code == 415


def test_ideogram_changes_what_our_mask_lets_change_and_keeps_the_rest(
    sim: Simulator, totals: Totals
) -> None:
    """The adapter's order and the simulator's reading of it: a mask turned round shows here."""
    mask = Image.new("RGBA", (256, 256), (0, 0, 0, 255))
    mask.paste((0, 0, 0, 0), (0, 0, 128, 256))
    size = (256, 256)
    before = Image.open(io.BytesIO(png(size))).convert("RGB")
    inputs = (
        InputFile(Role.EDIT, png(size), "image/png", *size),
        InputFile(Role.MASK, file_of(mask), "image/png", *size),
    )
    params = {"quality": "low"}
    fields = InputFields("image", mask="mask")
    order = ImageOrder(EDITED, "make it blue", params, *size, "user-1", inputs, input_fields=fields)
    made = build(SecretStr(KEY), f"{sim.url}/ideogram").generate(order, timeout_seconds=20)
    after = Image.open(io.BytesIO(made.content)).convert("RGB")
    assert after.size == size
    assert [after.getpixel((x, 128)) for x in (200, 250)] == [
        before.getpixel((x, 128)) for x in (200, 250)
    ]
    assert after.crop((0, 0, 120, 256)).tobytes() != before.crop((0, 0, 120, 256)).tobytes()
    assert totals("ideogram")["billedMicrousd"] == 30_000
