"""From the click to the charge over HTTP, with vendors that answer in ways nobody planned.

The shipped handlers and adapters; the vendors are a server on loopback, the stores are in memory.
"""

import base64
import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from typing import Any

import pytest
from PIL import Image, ImageDraw

from imagegen.providers import PROVIDERS
from tests.adapters.conftest import role
from tests.adapters.providers.adapters import build_adapter
from tests.adapters.providers.loopback import (
    Loopback,
    Port,
    Reply,
    ToolUse,
    Wire,
    image_reply,
    json_reply,
    open_port,
)
from tests.adapters.providers.test_forms import body_with
from tests.fakes.catalogs import real_catalog, tier_of
from tests.fakes.pictures import picture, png
from tests.fakes.service import OTHER_USER, Service
from tests.handlers.conftest import Functions
from tests.handlers.test_edges import request

__all__ = ["role"]
PROMPT = "A red fox in fresh snow"
GOOD = png((1024, 1024))


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def drawn(kind: str = "PNG", size: tuple[int, int] = (1024, 1024), **save: Any) -> bytes:
    """Return a picture in many colours, as large as a real one."""
    image = Image.effect_noise(size, 60).convert("RGB")
    ImageDraw.Draw(image).ellipse((100, 100, 700, 700), fill=(200, 80, 20))
    out = BytesIO()
    image.save(out, kind, **save)
    return out.getvalue()


@dataclass(slots=True)
class Vendors:
    """A server for every vendor; one of them answers oddly, the others send good images."""

    servers: dict[str, Loopback]
    odd: dict[str, Callable[[ToolUse], Reply]] = field(default_factory=dict)
    files: dict[str, list[Reply]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def answer(self, name: str, asked: ToolUse) -> Reply:
        if asked.path in self.files:
            replies = self.files[asked.path]
            return replies.pop(0) if len(replies) > 1 else replies[0]
        self.asked.append(name)
        if name in self.odd:
            return self.odd[name](asked)
        return json_reply(200, body_with(name, {"url": f"data:image/png;base64,{encoded(GOOD)}"}))

    def answers(self, name: str, reply: Reply) -> None:
        """Let a vendor give this answer to everything."""
        self.odd[name] = lambda _asked: reply


@pytest.fixture(scope="module")
def ports() -> Iterator[dict[str, Port]]:
    with ExitStack() as opened:
        yield {name: opened.enter_context(open_port()) for name in PROVIDERS}


@pytest.fixture
def vendors(functions: Functions, ports: dict[str, Port]) -> Iterator[Vendors]:
    """Let the functions sell what these vendors make."""
    with ExitStack() as running:
        found = Vendors({name: running.enter_context(one.serving()) for name, one in ports.items()})
        for name, server in found.servers.items():
            server.script = partial(_answer_as, found, name)
        adapters: Any = {name: build_adapter(name, one) for name, one in found.servers.items()}
        functions.service = Service(catalog=real_catalog(), providers=adapters)
        yield found


def _answer_as(vendors: Vendors, name: str, asked: ToolUse, _wire: Wire) -> Reply:
    return vendors.answer(name, asked)


def ask(
    functions: Functions, path: str, body: Any, name: str = "generate"
) -> tuple[int, dict[str, Any]]:
    answer = functions.invoke(name, request(functions, "POST", path, body))
    return answer["statusCode"], json.loads(answer["body"])


def bought(functions: Functions, provider: str, **wishes: Any) -> tuple[dict[str, Any], int, Any]:
    """Return the offer of a provider's image, and what the click on it is answered."""
    body = {"prompt": PROMPT, "quality": tier_of(provider), "provider": provider, **wishes}
    status, offer = ask(functions, "/estimate", body, "estimate")
    assert status == 200, offer
    assert offer["provider"] == provider
    confirm = {"quote": offer["quote"], "prompt": PROMPT}
    return offer, *ask(functions, "/generate-image", confirm)


every = pytest.mark.parametrize("provider", sorted(PROVIDERS))
PAGE = b"<html><head><title>Access denied</title></head><body>Error 15</body></html>"


# A vendor's error that is about one request.

IN_FRONT = {
    "a firewall's page with 406": Reply(406, {"Content-Type": "text/html"}, PAGE),
    "a firewall's page with 403 and no type": Reply(403, {}, PAGE),
    "words of a proxy": Reply(403, {"Content-Type": "text/plain"}, b"Request blocked by policy 7"),
    "JSON of a gateway": json_reply(403, {"message": "Forbidden"}),
    "a challenge with 429's cousin": Reply(418, {"Content-Type": "text/html"}, PAGE),
    "a redirect to a login": Reply(302, {"Location": "https://login.example/"}, b""),
}


@every
@pytest.mark.parametrize("kind", IN_FRONT)
def test_what_stands_in_front_stops_one_click_and_no_other_person(
    functions: Functions, vendors: Vendors, provider: str, kind: str
) -> None:
    vendors.answers(provider, IN_FRONT[kind])
    offer, status, made = bought(functions, provider)
    if status == 200:
        assert made["provider"] != provider
    else:
        assert (status, made["charged"]) == (502, False)
    del vendors.odd[provider]
    tier = tier_of(provider)
    again = functions.service.estimate(PROMPT, OTHER_USER, quality=tier, provider=provider)
    assert (again.provider, again.fallback) == (provider, None)
    assert offer["fallback"] is None


DECLINED = {
    "Thai, without spaces": "ขออภัยฉันไม่สามารถสร้างภาพนี้ได้",
    "Vietnamese": "Rất tiếc, tôi không thể tạo hình ảnh này.",
    "Finnish": "En voi piirtää tätä kuvaa.",
    "an offer of something else": "How about a friendly dragon over a castle?",
    "with a link": "Not possible, see https://example.com/usage-policies for why.",
    "with Markdown": "**I won't create this image.**\n\n- It shows a real person\n- It is unkind",
}


@every
@pytest.mark.parametrize("kind", DECLINED)
def test_words_without_an_image_are_final_and_cost_nothing(
    functions: Functions, vendors: Vendors, user: str, provider: str, kind: str
) -> None:
    words = DECLINED[kind]
    body = body_with(provider, words if provider == "replicate" else {"text": words})
    if provider == "gemini":
        parts = [{"text": words}]
        body = {
            "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}]
        }
    vendors.answers(provider, json_reply(200, body))
    _, status, problem = bought(functions, provider)
    assert (status, problem["code"], problem["charged"]) == (422, "content_refused", False)
    assert set(vendors.asked) == {provider}
    assert functions.service.spent(user) == 0
    assert not functions.service.moves


# Forms of an image.


FORMS: dict[str, Callable[[str], Any]] = {
    "JSON as text": lambda link: json.dumps([link]),
    "an object as text": lambda link: json.dumps({"images": [{"url": link}]}),
    "Markdown": lambda link: f"![fox]({link})",
    "a list of nulls and one link": lambda link: [None, None, link],
    "a data URI of no type": lambda _link: f"data:;base64,{encoded(GOOD)}",
    "base64 in lines": lambda _link: "\n".join(
        encoded(GOOD)[at : at + 60] for at in range(0, len(encoded(GOOD)), 60)
    ),
}


@every
@pytest.mark.parametrize("form", FORMS)
def test_an_image_in_any_form_is_sold_at_its_price(
    functions: Functions, vendors: Vendors, user: str, provider: str, form: str
) -> None:
    vendors.files["/files/a"] = [image_reply(GOOD, "application/octet-stream")]
    vendors.answers(
        provider,
        json_reply(
            200, body_with(provider, FORMS[form](f"{vendors.servers[provider].origin}/files/a"))
        ),
    )
    offer, status, made = bought(functions, provider)
    assert (status, made["provider"]) == (200, provider)
    assert made["cost"]["charged"] == offer["price"]["expected"]
    functions.service.check_charged_iff_stored(user)


FILES = {
    "no type": [Reply(200, {}, GOOD)],
    "the type of a page": [image_reply(GOOD, "text/html")],
    "a type that is another one's": [image_reply(drawn("WEBP"), "image/png")],
    "late, twice": [Reply(404), Reply(425), image_reply(GOOD)],
    "cut off at first": [image_reply(GOOD[:-40]), image_reply(GOOD)],
    "packed": [Reply(200, {"Content-Encoding": "gzip"}, gzip.compress(GOOD))],
    "with a newline behind it": [image_reply(GOOD + b"\r\n")],
}


@every
@pytest.mark.parametrize("kind", FILES)
def test_a_file_is_what_its_bytes_are_however_it_is_labelled_and_late(
    functions: Functions, vendors: Vendors, provider: str, kind: str
) -> None:
    vendors.files["/files/a"] = list(FILES[kind])
    found = {"url": f"{vendors.servers[provider].origin}/files/a"}
    vendors.answers(provider, json_reply(200, body_with(provider, found)))
    offer, status, made = bought(functions, provider)
    assert (status, made["provider"]) == (200, provider)
    assert made["cost"]["charged"] == offer["price"]["expected"]


@every
@pytest.mark.parametrize("status", [200, 400, 401])
@pytest.mark.parametrize("label", ["x-gzip", "GZIP", "deflate", "gzip, identity"])
def test_a_packed_answer_says_what_it_says_unpacked(
    functions: Functions, vendors: Vendors, provider: str, status: int, label: str
) -> None:
    body: Any = body_with(provider, {"url": f"data:,{encoded(GOOD)}"})
    if status != 200:
        body = {"error": {"message": "nope", "code": "moderation_blocked"}, "detail": "nope"}
    text = json.dumps(body).encode()
    packed = zlib.compress(text) if label == "deflate" else gzip.compress(text)
    labelled = {"Content-Type": "application/json", "Content-Encoding": label}

    def result(reply: Reply) -> tuple[int, str | None, str | None]:
        vendors.answers(provider, reply)
        _, found, made = bought(functions, provider)
        return found, made.get("code"), made.get("provider")

    plain = result(json_reply(status, body))
    assert result(Reply(status, labelled, packed)) == plain
    if status == 200:
        assert plain == (200, None, provider)
    elif plain[0] == 200:
        assert plain[2] != provider
    else:
        assert plain[:2] == (422, "content_refused")
        assert set(vendors.asked) == {provider}
    assert not functions.service.moves


# What was sold is what is delivered.


def flat(kind: str, colour: tuple[int, ...], size: tuple[int, int] = (1024, 1024)) -> bytes:
    out = BytesIO()
    Image.new("RGB" if len(colour) == 3 else "RGBA", size, colour).save(out, kind)
    return out.getvalue()


def cut_png(content: bytes) -> bytes:
    """Return a PNG whose data end early, with lengths and checksums that agree."""
    at, data = 33, b""
    while content[at + 4 : at + 8] != b"IEND":
        size = int.from_bytes(content[at : at + 4])
        data += content[at + 8 : at + 8 + size] if content[at + 4 : at + 8] == b"IDAT" else b""
        at += size + 12
    chunk = b"IDAT" + data[: len(data) // 2]
    whole = (len(chunk) - 4).to_bytes(4) + chunk + zlib.crc32(chunk).to_bytes(4)
    return content[:33] + whole + content[at:]


def cut_jpeg(content: bytes, *, rest: bool) -> bytes:
    """Return a JPEG without the last third of its data, or without a third in the middle."""
    third = len(content) // 3
    return content[: 2 * third] + b"\xff\xd9" if rest else content[:third] + content[2 * third :]


NOT_SOLD = {
    "a JPEG cut in its data with a new end": cut_jpeg(drawn("JPEG"), rest=True),
    "a JPEG without its middle": cut_jpeg(drawn("JPEG"), rest=False),
    "a PNG cut in its data with new lengths": cut_png(drawn()),
    "white as JPEG": flat("JPEG", (255, 255, 255)),
    "grey as WebP": flat("WEBP", (128, 128, 128)),
    "nothing but transparency": flat("PNG", (0, 0, 0, 0)),
    "one pixel": png((1, 1)),
    "a thumbnail": drawn(size=(128, 128)),
    "a GIF": drawn("GIF"),
    "an SVG": b"<svg xmlns='http://www.w3.org/2000/svg' width='1024' height='1024'/>",
    "a PNG without an end": drawn()[:-30],
}


@every
@pytest.mark.parametrize("kind", NOT_SOLD)
def test_what_is_no_whole_picture_is_not_charged(
    functions: Functions, vendors: Vendors, user: str, provider: str, kind: str
) -> None:
    found = {"url": f"data:image/png;base64,{encoded(NOT_SOLD[kind])}"}
    vendors.answers(provider, json_reply(200, body_with(provider, found)))
    _, status, made = bought(functions, provider)
    assert status != 200 or made["provider"] != provider
    functions.service.check_charged_iff_stored(user)
    assert (functions.service.spent(user) > 0) is (status == 200)


@every
@pytest.mark.parametrize("size", [(1000, 1000), (1040, 1024), (2048, 2048)])
def test_a_picture_of_nearly_the_size_or_larger_never_costs_more(
    functions: Functions, vendors: Vendors, provider: str, size: tuple[int, int]
) -> None:
    found = {"url": f"data:image/png;base64,{encoded(png(size))}"}
    vendors.answers(provider, json_reply(200, body_with(provider, found)))
    offer, status, made = bought(functions, provider)
    assert status == 200
    assert float(made["cost"]["charged"]) <= float(offer["price"]["ceiling"])
    assert made["provider"] == provider
    assert made["cost"]["charged"] == offer["price"]["expected"]
    assert (made["width"], made["height"]) == size


def test_the_pictures_of_this_page_are_what_they_should_be() -> None:
    for kind in ("JPEG", "WEBP"):
        assert Image.open(BytesIO(drawn(kind))).size == (1024, 1024)
    assert picture()
