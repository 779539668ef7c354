"""Answers of image providers that nobody planned for, word for word, over the deployed functions.

Whose fault an answer is, what of it is an image, and what it costs; each kind with a few variants.
"""

import base64
import io
import itertools
import json
import zlib
from collections.abc import Iterable
from typing import Any

import pytest
from PIL import Image, ImageDraw

from imagegen.providers import PROVIDERS
from local.simulator.scripts import FILE
from tests.adapters.providers.test_forms import body_with
from tests.fakes.catalogs import tier_of
from tests.stack.driver import Driver, Person

HTML = {"Content-Type": "text/html; charset=UTF-8"}
PLAIN = {"Content-Type": "text/plain"}
BLOCKED = "<!doctype html><title>Attention required</title><p>Sorry, you have been blocked"


def among(kinds: Iterable[str], *providers: str) -> list[tuple[str, str]]:
    """Return each kind with one of the providers in turn: the handlers' suites try every pair."""
    return list(zip(kinds, itertools.cycle(providers), strict=False))


def says(stack: Driver, provider: str, *answers: dict[str, Any], **more: Any) -> None:
    """Let a provider give these answers, each to the requests that it is for."""
    stack.provider(provider, answers=list(answers), **more)


def bought(person: Person, provider: str, **fields: Any) -> tuple[Any, Any]:
    """Return the offer of a provider's image, and the answer to the click on it."""
    tier = fields.pop("quality", tier_of(provider))
    offer = person.estimate(quality=tier, provider=provider, **fields)
    assert offer.status == 200, offer.text
    assert offer.json["provider"] == provider
    return offer.json, person.confirm(offer.json)


def nobody_else_notices(stack: Driver, provider: str) -> None:
    offer = stack.person().estimate(quality=tier_of(provider), provider=provider).json
    assert (offer["provider"], offer["fallback"]) == (provider, None)


# What stands in front of a provider stops one request.

IN_FRONT: dict[str, dict[str, Any]] = {
    "a firewall's page": {"status": 403, "headers": HTML, "text": BLOCKED},
    "a firewall's JSON": {"status": 403, "json": {"requestId": "r-1", "message": "Blocked"}},
    "an edge's reference": {
        "status": 403,
        "headers": PLAIN,
        "text": "Reference #18.2c1 AccessDeny",
    },
    "a proxy's login page": {"status": 401, "headers": HTML, "text": "<h1>Proxy login</h1>"},
    "an empty 403": {"status": 403, "headers": PLAIN, "text": ""},
    "a challenge with 200": {"headers": HTML, "text": "<title>Just a moment...</title>"},
}


@pytest.mark.parametrize(("kind", "provider"), among(IN_FRONT, *sorted(PROVIDERS)))
def test_what_stands_in_front_stops_one_click(stack: Driver, kind: str, provider: str) -> None:
    person = stack.person()
    says(stack, provider, IN_FRONT[kind], times=1)
    _, answer = bought(person, provider)
    if answer.status == 200:
        assert answer.json["provider"] != provider
    else:
        assert (answer.status, answer.json["charged"]) == (502, False)
    assert float(person.usage()["spent"]) == (
        float(answer.json["cost"]["charged"]) if answer.status == 200 else 0
    )
    nobody_else_notices(stack, provider)


# Words instead of an image are a refusal, in every language.

DECLINED = {
    "Chinese": "对不起我不能画这个画面",
    "Polish": "Przykro mi, nie mogę utworzyć tego obrazu.",
    "Arabic": "عذرًا، لا يمكنني إنشاء هذه الصورة.",
    "Hindi": "क्षमा करें, मैं यह चित्र नहीं बना सकता।",
}


@pytest.mark.parametrize(("language", "provider"), among(DECLINED, "gemini", "openai"))
def test_a_model_that_declines_in_words_is_asked_alone_and_stays_open(
    stack: Driver, language: str, provider: str
) -> None:
    words = DECLINED[language]
    body: Any = body_with(provider, words if provider == "replicate" else {"text": words})
    if provider == "gemini":
        content = {"role": "model", "parts": [{"text": words}]}
        body = {"candidates": [{"content": content, "finishReason": "STOP", "index": 0}]}
    says(stack, provider, {"json": body})
    for _ in range(2):
        person = stack.person()
        _, answer = bought(person, provider)
        assert (answer.status, answer.json["code"]) == (422, "content_refused"), answer.text
        assert answer.json["charged"] is False
        assert person.usage()["spent"] == "0.000000"
    others = PROVIDERS.keys() - {provider}
    assert not any(stack.counts(name)["calls"] for name in others)
    nobody_else_notices(stack, provider)


SAFETY = {"message": "rejected by the safety system", "code": "moderation_blocked"}
KEY = {"message": "Incorrect API key provided", "type": "invalid_request_error"}
PACKINGS = ["gzip", "deflate", "raw-deflate", "gzip-twice", "gzip-unlabelled"]


@pytest.mark.parametrize("packing", PACKINGS)
def test_a_packed_answer_says_what_it_says_unpacked(stack: Driver, packing: str) -> None:
    says(stack, "openai", {"status": 400, "json": {"error": SAFETY}}, packing=packing)
    _, refused = bought(stack.person(), "openai")
    assert (refused.status, refused.json["code"]) == (422, "content_refused")
    assert stack.counts("together")["calls"] == 0
    body = body_with("openai", {"b64_json": "$IMAGE"})
    says(stack, "openai", {"json": body}, packing=packing)
    offer, made = bought(stack.person(), "openai")
    assert (made.status, made.json["provider"]) == (200, "openai")
    assert made.json["cost"]["charged"] == offer["price"]["expected"]
    error = {**KEY, "code": "invalid_api_key"}
    says(stack, "openai", {"status": 401, "json": {"error": error}}, packing=packing, times=1)
    bought(stack.person(), "openai")
    (report,) = [one for one in stack.health()["providers"] if one["provider"] == "openai"]
    assert report["circuit"]["state"] == "open", "the key is at fault"


# Paid bytes are not lost over their form.

FORMS: dict[str, Any] = {
    "an address": FILE,
    "an object": {"url": FILE},
    "a list of objects": [{"url": FILE}],
    "nulls before it": [None, FILE],
    "base64 without a value beside the address": {"b64_json": None, "url": FILE},
    "a data URI of any type": "data:application/octet-stream;base64,$IMAGE",
    "an object with a data URI": {"url": "data:;base64,$IMAGE"},
    "JSON as text": json.dumps({"images": [{"url": FILE}]}),
    "an address in Markdown": f"Here it is: ![A fox]({FILE})",
}


@pytest.mark.parametrize(("form", "provider"), among(FORMS, "openai", "replicate"))
def test_an_image_in_any_form_is_sold_at_its_price(stack: Driver, form: str, provider: str) -> None:
    says(stack, provider, {"json": body_with(provider, FORMS[form])})
    person = stack.person()
    offer, made = bought(person, provider)
    assert (made.status, made.json["provider"]) == (200, provider), made.text
    assert made.json["cost"]["charged"] == offer["price"]["expected"] == person.usage()["spent"]


FILES = ["file_octets", "file_untyped", "file_packed", "file_late", "file_forbidden_first"]


@pytest.mark.parametrize(("spoil", "provider"), among(FILES, "together", "replicate"))
def test_a_file_is_what_its_bytes_are(stack: Driver, spoil: str, provider: str) -> None:
    says(stack, provider, {"json": body_with(provider, {"url": FILE})}, spoil=spoil)
    _, made = bought(stack.person(), provider)
    assert (made.status, made.json["provider"]) == (200, provider), made.text


# What is no whole picture is not sold.


def chunks(content: bytes) -> Iterable[tuple[bytes, bytes]]:
    at = 8
    while at < len(content):
        size = int.from_bytes(content[at : at + 4])
        yield content[at + 4 : at + 8], content[at + 8 : at + 8 + size]
        at += size + 12


def png_with(content: bytes, data: bytes) -> bytes:
    """Return a PNG with other data, whose lengths and checksums agree."""
    kept = [(kind, part) for kind, part in chunks(content) if kind != b"IDAT"]
    kept.insert(-1, (b"IDAT", data))
    written = [
        len(part).to_bytes(4) + kind + part + zlib.crc32(kind + part).to_bytes(4)
        for kind, part in kept
    ]
    return content[:8] + b"".join(written)


def cut_riff(content: bytes, share: float) -> bytes:
    """Return a WebP whose one chunk ends early, with lengths that agree."""
    data = content[20 : 20 + int((len(content) - 20) * share) // 2 * 2]
    body = content[8:16] + len(data).to_bytes(4, "little") + data
    return content[:4] + len(body).to_bytes(4, "little") + body


def drawn(kind: str, **save: Any) -> bytes:
    """Return a picture of the size that is sold, with soft and sharp parts."""
    tone = Image.linear_gradient("L").resize((1024, 1024))
    image = Image.merge("RGB", (tone, tone.rotate(90), tone.rotate(180)))
    for at in range(0, 900, 60):
        ImageDraw.Draw(image).ellipse((at, at // 2, at + 90, at + 70), fill=(at % 256, 80, 20))
    out = io.BytesIO()
    image.save(out, kind, **save)
    return out.getvalue()


def flat(kind: str, colour: Any, mode: str = "RGB", **save: Any) -> bytes:
    out = io.BytesIO()
    Image.new(mode, (1024, 1024), colour).save(out, kind, **save)
    return out.getvalue()


PNG, JPEG = drawn("PNG"), drawn("JPEG")
DATA = b"".join(part for kind, part in chunks(PNG) if kind == b"IDAT")
NOT_SOLD = {
    "a hole in a PNG": PNG[: len(PNG) // 2] + PNG[-12:],
    "a PNG of half the data": png_with(PNG, DATA[: len(DATA) // 2]),
    "a PNG of no data": png_with(PNG, b""),
    "a JPEG of two thirds": JPEG[: len(JPEG) * 2 // 3] + b"\xff\xd9",
    "a lossy WebP of two thirds": cut_riff(drawn("WEBP"), 2 / 3),
    "a lossy WebP without a little": cut_riff(drawn("WEBP"), 0.97),
    "a lossless WebP of a half": cut_riff(drawn("WEBP", lossless=True), 1 / 2),
    "black": flat("PNG", (0, 0, 0)),
    "white as a palette": flat("PNG", 1, "1"),
    "grey as JPEG": flat("JPEG", (127, 127, 127), progressive=True),
    "one colour as lossless WebP": flat("WEBP", (9, 90, 200), lossless=True),
    "nothing but transparency": flat("PNG", (255, 0, 0, 0), "RGBA"),
}


@pytest.mark.parametrize("kind", NOT_SOLD)
def test_what_is_no_picture_is_not_charged(stack: Driver, kind: str) -> None:
    text = base64.b64encode(NOT_SOLD[kind]).decode()
    says(stack, "openai", {"json": body_with("openai", {"b64_json": text})})
    person = stack.person()
    _, made = bought(person, "openai")
    assert (made.status, made.json["provider"]) == (200, "together"), made.text
    assert made.json["fallback"]["provider"] == "openai"
    assert made.json["cost"]["charged"] == person.usage()["spent"]


@pytest.mark.parametrize(
    ("provider", "wishes"),
    [
        ("openai", {"quality": "ultra", "size": "3840x2160"}),
        ("gemini", {"quality": "high", "size": "landscape"}),
    ],
)
@pytest.mark.parametrize("spoil", ["square", "tiny"])
def test_another_size_than_the_one_that_was_sold_never_costs_more_than_it_is_worth(
    stack: Driver, provider: str, wishes: dict[str, str], spoil: str
) -> None:
    stack.provider(provider, fault=f"{spoil}_image")
    person = stack.person()
    offer, made = bought(person, provider, **wishes)
    if spoil == "tiny":
        assert made.status != 200 or made.json["provider"] != provider
        assert stack.counts(provider)["images"] == 1
        return
    assert (made.status, made.json["provider"]) == (200, provider)
    assert (made.json["width"], made.json["height"]) == (1024, 1024)
    charged = float(made.json["cost"]["charged"])
    assert charged <= float(offer["price"]["expected"])
    assert float(person.usage()["spent"]) == charged
