"""Paid bytes are not lost over form: every way in which an answer may contain or name its image."""

import base64
import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.providers import PROVIDERS
from imagegen.providers.packing import UnpackError, unpacked
from imagegen.providers.pictures import (
    MAX_IMAGE_BYTES,
    decoded_image,
    is_image,
    pictures_in,
)
from tests.adapters.providers.adapters import build_adapter, order_for
from tests.adapters.providers.loopback import (
    PNG,
    Loopback,
    Reply,
    ToolUse,
    Wire,
    image_reply,
    json_reply,
)
from tests.fakes.pictures import picture
from tests.vendors import vendor

WEBP = picture("WEBP", size=(64, 64))
TEXT = base64.b64encode(PNG).decode()
every_provider = pytest.mark.parametrize("name", PROVIDERS)
HAVE_JOBS = {name for name in PROVIDERS if vendor(name).with_picture} | {"replicate"}
in_one_answer = pytest.mark.parametrize("name", [n for n in PROVIDERS if n not in HAVE_JOBS])


def raw_deflate(content: bytes) -> bytes:
    engine = zlib.compressobj(wbits=-15)
    return engine.compress(content) + engine.flush()


def lines(text: str, width: int = 76, end: str = "\r\n") -> str:
    return end.join(text[at : at + width] for at in range(0, len(text), width))


BASE64 = {
    "strict": TEXT,
    "without padding": TEXT.rstrip("="),
    "too much padding": TEXT.rstrip("=") + "====",
    "url-safe": base64.urlsafe_b64encode(PNG).decode(),
    "url-safe without padding": base64.urlsafe_b64encode(PNG).decode().rstrip("="),
    "lines": lines(TEXT),
    "lines of 64 and one more": lines(TEXT, 64, "\n") + "\n",
    "spaces": lines(TEXT, 76, " "),
    "tabs around": f"\t {TEXT} \n",
    "escaped line ends": lines(TEXT, 76, "\\n"),
    "escaped slashes": TEXT.replace("/", "\\/"),
    "quoted": f'"{TEXT}"',
    "percent-encoded": quote(TEXT, safe=""),
    "as Python shows bytes": f"b'{TEXT}'",
    "as Python shows bytes, in a text": f"\"b'{TEXT}'\"",
    "a plus read as a space": TEXT.replace("+", " "),
    "encoded in parts": "".join(
        base64.b64encode(PNG[at : at + 100]).decode() for at in range(0, len(PNG), 100)
    ),
}
DATA_URIS = {
    "png": f"data:image/png;base64,{TEXT}",
    "any type": f"data:application/octet-stream;base64,{TEXT}",
    "no type": f"data:;base64,{TEXT}",
    "no label at all": f"data:,{TEXT}",
    "a charset": f"data:image/jpeg;charset=utf-8;base64,{TEXT}",
    "a name": f"data:image/png;name=a%20fox.png;base64,{TEXT}",
    "capitals": f"DATA:IMAGE/PNG;BASE64,{TEXT}",
    "url-safe": f"data:image/png;base64,{base64.urlsafe_b64encode(PNG).decode().rstrip('=')}",
    "percent-encoded base64": f"data:image/png;base64,{quote(TEXT, safe='')}",
    "percent-encoded bytes": f"data:image/png,{quote(PNG, safe='')}",
    "lines": f"data:image/png;base64,{lines(TEXT)}",
    "a space before": f" data:image/png;base64,{TEXT}",
}
ENCODED = BASE64 | {f"data URI: {name}": text for name, text in DATA_URIS.items()}


def links(origin: str) -> dict[str, Any]:
    link = f"{origin}/files/a.png"
    return {
        "a link": link,
        "a link with spaces around": f" {link}\n",
        "an object": {"url": link},
        "an object with a null": {"b64_json": None, "url": link},
        "an object with an empty text": {"b64_json": "", "url": link},
        "another name": {"uri": link},
        "an unknown name": {"result": link, "seed": 7},
        "an object in an object": {"image_url": {"url": link, "detail": "high"}},
        "a list": [link],
        "nulls before it": [None, "", link],
        "a list of objects": [{"url": link}],
        "a list in a list": [[None], [link]],
        "an object of lists": {"images": [{"url": link, "width": 1024}]},
        "a file that is gone, then one that is not": [f"{origin}/gone/a.png", link],
        "a data URI": DATA_URIS["any type"],
        "an object with a data URI": {"url": DATA_URIS["png"]},
        "base64 in an object": {"base64": TEXT},
        "both": [{"url": f"{origin}/gone/a.png", "b64_json": TEXT}],
        "a list as text": json.dumps([link]),
        "an object as text": json.dumps({"url": link, "seed": 7}, indent=1),
        "a link as text": json.dumps(link),
        "a data URI in a list as text": json.dumps([DATA_URIS["png"]]),
        "text in a list in a text": json.dumps([json.dumps({"images": [{"url": link}]})]),
        "nulls in a text": json.dumps([None, "", [link]]),
        "Markdown": f"![a red fox]({link})",
        "Markdown with words around": f"Here it is:\n\n![]( <{link}> )\nEnjoy!",
        "Markdown with a title": f'![fox]({link} "A red fox")',
        "a link in angle brackets": f"<{link}>",
        "HTML": f'<img alt="a red fox" src="{link}" width="1024">',
        "HTML without quotes": f"<p><IMG SRC={link}></p>",
        "HTML with a data URI": f"<img src='{DATA_URIS['png']}'/>",
        "numbers": list(PNG),
        "a buffer of Node.js": {"data": {"type": "Buffer", "data": list(PNG)}},
        "Markdown with a data URI": f"![image]({DATA_URIS['png']})",
    }


FORMS = list(links(""))


def body_with(name: str, found: Any) -> Any:
    """Return a provider's answer whose image is ``found``."""
    if with_picture := vendor(name).with_picture:
        return with_picture(found)
    if name == "replicate":
        return {"id": "job", "status": "succeeded", "output": found}
    if name == "gemini":
        parts = [{"text": "Here it is:"}, found if isinstance(found, dict) else {"data": found}]
        return {"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}]}
    return {"created": 1, "data": found if isinstance(found, list) else [found]}


def scripted(server: Loopback, reply: Reply) -> None:
    def script(asked: ToolUse, _wire: Wire) -> Reply:
        if asked.path.startswith("/files/"):
            return image_reply()
        return Reply(410) if asked.path.startswith("/gone/") else reply

    server.script = script


def made(name: str, server: Loopback, reply: Reply) -> bytes:
    scripted(server, reply)
    return build_adapter(name, server).generate(order_for(name), timeout_seconds=20).content


def outcome(name: str, server: Loopback, reply: Reply) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        made(name, server, reply)
    return caught.value


# Text that encodes an image.


@pytest.mark.parametrize("kind", ENCODED)
def test_every_spelling_of_base64_and_of_data_uris_is_read(kind: str) -> None:
    assert decoded_image(ENCODED[kind]) == PNG


@given(st.binary(max_size=200), st.sampled_from(sorted(BASE64)), st.data())
def test_no_spelling_changes_a_byte(tail: bytes, kind: str, data: st.DataObject) -> None:
    content = PNG + tail
    text = base64.b64encode(content).decode()
    width = data.draw(st.integers(4, 90))
    spellings = (
        text.rstrip("="),
        lines(text, width, "\n"),
        base64.urlsafe_b64encode(content).decode(),
        f"data:x/{kind.replace(' ', '-').replace(',', '')};base64,{quote(text, safe='')}",
    )
    assert {decoded_image(one) for one in spellings} == {content}


@given(st.integers(1, 2), st.integers(1, 15), st.sampled_from(["+/", "-_"]), st.integers(0, 1))
def test_bits_behind_the_last_byte_do_not_lose_the_image(
    more: int, bits: int, signs: str, padded: int
) -> None:
    content = PNG + bytes(-len(PNG) % 3 + more)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" + signs
    text = base64.b64encode(content, signs.encode()).decode().rstrip("=")
    unused = letters[letters.index(text[-1]) | bits % (4 if more == 2 else 16)]
    padding = "=" * (-len(text) % 4) if padded else ""
    assert decoded_image(text[:-1] + unused + padding) == content


@given(st.text(max_size=80))
def test_no_text_breaks_the_decoder(text: str) -> None:
    found = decoded_image(text)
    assert found is None or is_image(found)


@pytest.mark.parametrize(
    "text",
    ["", "!", "Here is your picture", "data:", "data:,", "data:image/png;base64,", "data:image/png",
     base64.b64encode(b"GIF89a").decode(), TEXT[:8] + "!" + TEXT[8:], "A" * 10_000,
     "A" * (MAX_IMAGE_BYTES * 3 + 1)],
    ids=lambda text: text[:24],
)  # fmt: skip
def test_what_encodes_no_image_is_none(text: str) -> None:
    assert decoded_image(text) is None


def test_images_are_known_by_their_first_bytes() -> None:
    assert is_image(PNG)
    assert is_image(b"\xff\xd8\xff\xe0")
    assert is_image(b"RIFF\x10\0\0\0WEBPVP8 ")
    assert not is_image(b"RIFF\x10\0\0\0WAVEfmt ")
    assert not is_image(b"GIF89a")
    assert not is_image(b"")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(JSON)
def test_no_shape_of_json_breaks_the_search(value: Any) -> None:
    assert not list(pictures_in(value))


def test_an_answer_nested_without_end_is_left() -> None:
    value: Any = TEXT
    for _ in range(10_000):
        value = [value]
    assert not list(pictures_in(value))


def test_links_are_few_and_behind_what_is_there() -> None:
    many = [f"https://example.com/{n}.png" for n in range(50)]
    found = list(pictures_in([*many, TEXT]))
    assert found[0] == PNG
    assert len(found) == 5


# The providers' answers.


@every_provider
@pytest.mark.parametrize("form", FORMS)
def test_an_image_in_any_form_is_the_answer(name: str, form: str, server: Loopback) -> None:
    found = links(server.origin)[form]
    assert made(name, server, json_reply(200, body_with(name, found))) == PNG


@every_provider
@pytest.mark.parametrize("kind", ["lines", "url-safe without padding", "data URI: any type"])
def test_an_image_in_any_spelling_is_the_answer(name: str, kind: str, server: Loopback) -> None:
    assert made(name, server, json_reply(200, body_with(name, [ENCODED[kind]]))) == PNG


@every_provider
@pytest.mark.parametrize("found", [None, [], [None], {}, "", "no image", {"url": None}, [[[]]], 7])
def test_an_answer_without_an_image_is_none(name: str, found: Any, server: Loopback) -> None:
    assert outcome(name, server, json_reply(200, body_with(name, found))).outcome in {
        Outcome.UNAVAILABLE,
        Outcome.NO_IMAGE,
        Outcome.REFUSED,
    }


@every_provider
def test_a_link_to_another_local_port_is_not_followed(name: str, server: Loopback) -> None:
    link = f"http://127.0.0.1:{server.port ^ 1}/a.png"
    assert outcome(name, server, json_reply(200, body_with(name, {"url": link}))).outcome in {
        Outcome.UNAVAILABLE,
        Outcome.NO_IMAGE,
        Outcome.REFUSED,
    }
    assert not [one for one in server.asked if one.path.startswith("/files/")]
    assert len(server.asked) == 1 + vendor(name).questions


@in_one_answer
def test_an_answer_that_is_the_image_itself_is_taken(name: str, server: Loopback) -> None:
    assert made(name, server, Reply(200, {"Content-Type": "image/png"}, PNG)) == PNG
    assert made(name, server, Reply(201, {}, gzip.compress(WEBP))) == WEBP


@every_provider
def test_an_answer_inside_a_list_is_read(name: str, server: Loopback) -> None:
    assert made(name, server, json_reply(200, [body_with(name, {"b64_json": TEXT})])) == PNG


@every_provider
def test_an_answer_that_is_encoded_twice_is_read(name: str, server: Loopback) -> None:
    body = body_with(name, {"b64_json": TEXT})
    assert made(name, server, json_reply(200, json.dumps(json.dumps(body)))) == PNG


@every_provider
def test_an_error_that_is_encoded_twice_is_read(name: str, server: Loopback) -> None:
    one = vendor(name)
    status, code, message = one.accounts[0]
    body = json.dumps(json.dumps(one.error(status, code, message)))
    assert outcome(name, server, json_reply(status, body)).outcome is Outcome.ACCOUNT


@every_provider
@pytest.mark.parametrize("text", ["{", "[1, 2", '{"a": ' * 5_000, "[" * 100_000])
def test_a_text_that_only_begins_like_an_answer_is_none(
    name: str, text: str, server: Loopback
) -> None:
    found = outcome(name, server, json_reply(200, json.dumps(text)))
    assert found.outcome is Outcome.NO_IMAGE
    assert text not in str(found)


@in_one_answer
def test_an_answer_of_a_function_that_nothing_has_unpacked_is_read(
    name: str, server: Loopback
) -> None:
    body = {"statusCode": 200, "body": json.dumps(body_with(name, {"b64_json": TEXT}))}
    assert made(name, server, json_reply(200, body)) == PNG


@pytest.mark.parametrize("found", [[], [1, 2, 3], [137, 80, 256], [*PNG, "x"], [*PNG, True]])
def test_other_lists_of_numbers_are_no_image(found: list[Any]) -> None:
    assert not list(pictures_in(found))


@pytest.mark.parametrize("name", ["openai", "together"])
@pytest.mark.parametrize("status", [200, 201, 202, 203])
def test_every_success_is_one(name: str, status: int, server: Loopback) -> None:
    assert made(name, server, json_reply(status, body_with(name, {"b64_json": TEXT}))) == PNG


@pytest.mark.parametrize("place", ["images", "image", "output", "url", "b64_json"])
def test_a_base_that_answers_under_another_name_is_read(place: str, server: Loopback) -> None:
    assert made("openai", server, json_reply(200, {"created": 1, place: [TEXT]})) == PNG
    link = f"{server.origin}/files/a.png"
    assert made("openai", server, json_reply(200, {"created": 1, place: link})) == PNG


def chat_shapes(origin: str) -> dict[str, Any]:
    """Return answers with one image, as gateways to models that chat write them."""
    uri, link = DATA_URIS["png"], f"{origin}/files/a.png"
    part = {"type": "image_url", "image_url": {"url": uri}}
    words = {"type": "text", "text": "Here is your red fox."}
    messages = {
        "images beside the words": {"content": "Here it is.", "images": [part]},
        "images beside no words": {"content": None, "images": [part]},
        "links beside the words": {"images": [{"type": "image_url", "image_url": {"url": link}}]},
        "parts": {"content": [words, part]},
        "a part with a text for its link": {"content": [{"type": "image_url", "image_url": uri}]},
        "a part of another vendor": {"content": [{"inline_data": {"data": TEXT}}]},
        "Markdown in the words": {"content": f"Here it is: ![image]({uri})"},
        "nothing but the data URI": {"content": uri},
        "JSON in the words": {"content": json.dumps({"image": {"b64_json": TEXT}})},
    }
    chats = {
        name: {"object": "chat.completion", "choices": [{"index": 0, "message": message}]}
        for name, message in messages.items()
    }
    found = {"type": "image_generation_call", "status": "completed", "result": TEXT}
    return chats | {
        "a response": {"object": "response", "output": [{"type": "reasoning"}, found]},
        "generateContent": {
            "candidates": [{"content": {"parts": [{"inlineData": {"data": TEXT}}]}}]
        },
        "a prediction": {"predictions": [{"mimeType": "image/png", "bytesBase64Encoded": TEXT}]},
        "artifacts": {"artifacts": [{"base64": TEXT, "finishReason": "SUCCESS"}]},
    }


@in_one_answer
@pytest.mark.parametrize("shape", chat_shapes(""))
def test_an_image_in_the_form_of_a_chat_is_the_answer(
    name: str, shape: str, server: Loopback
) -> None:
    assert made(name, server, json_reply(200, chat_shapes(server.origin)[shape])) == PNG


@in_one_answer
@pytest.mark.parametrize(
    "message",
    [
        {"content": "I cannot draw a real person."},
        {"content": [{"type": "text", "text": "Das kann ich leider nicht zeichnen."}]},
        {"content": "", "refusal": "I'm sorry, I can't help with that."},
        {"content": "See [our rules](https://example.com/rules): this is not allowed."},
    ],
    ids=["words", "parts", "refusal", "a link that is no image"],
)
def test_words_in_the_form_of_a_chat_are_a_refusal(
    name: str, message: Any, server: Loopback
) -> None:
    body = {"choices": [{"index": 0, "message": {"role": "assistant", **message}}]}
    assert outcome(name, server, json_reply(200, body)).outcome is Outcome.REFUSED
    assert len(server.asked) == 1


@in_one_answer
def test_an_image_in_markdown_that_cannot_be_fetched_is_no_refusal(
    name: str, server: Loopback
) -> None:
    content = f"![a red fox in the snow]({server.origin}/gone/a.png)"
    body = {"choices": [{"message": {"role": "assistant", "content": content}}]}
    assert outcome(name, server, json_reply(200, body)).outcome is not Outcome.REFUSED


def test_what_an_answer_repeats_of_its_request_is_not_its_image(server: Loopback) -> None:
    other = base64.b64encode(WEBP).decode()
    body = {"input": {"image": other}, "metadata": {"url": other}, "data": [{"b64_json": TEXT}]}
    assert made("openai", server, json_reply(200, body)) == PNG


@pytest.mark.parametrize(
    "text",
    ["[", "{}", "[]", '""', "[1, 2", '{"a": ' * 5_000, "[" * 100_000, '"' * 100_000,
     "![" * 50_000, "![a](" * 20_000, "![](x)", "<img " * 20_000, "<img src=" * 20_000,
     "<img " + "src " * 20_000, "<img src" + " " * 60_000, "<" * 60_000, "<img src=x>"],
    ids=lambda text: text[:8] + str(len(text)),
)  # fmt: skip
def test_a_text_that_only_looks_like_one_has_no_image(text: str) -> None:
    assert not list(pictures_in([text]))


def test_json_in_json_without_end_is_left() -> None:
    value: Any = TEXT
    for _ in range(9):
        value = json.dumps([value])
    assert not list(pictures_in(value))


def test_words_of_gemini_are_not_searched_for_links(server: Loopback) -> None:
    body = {
        "candidates": [
            {
                "content": {"parts": [{"text": f"{server.origin}/files/a.png"}]},
                "finishReason": "STOP",
            }
        ]
    }
    outcome("gemini", server, json_reply(200, body))
    assert len(server.asked) == 1


# Packing.

type Pack = Callable[[bytes], bytes]
PACKED: dict[str, tuple[str, Pack]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("x-gzip", gzip.compress),
    "zlib": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
    "gzip twice": ("gzip, gzip", lambda content: gzip.compress(gzip.compress(content))),
    "deflate in gzip": ("deflate, gzip", lambda content: gzip.compress(zlib.compress(content))),
    "gzip without a label": ("", gzip.compress),
    "zlib without a label": ("", zlib.compress),
    "gzip labelled as deflate": ("deflate", gzip.compress),
    "gzip labelled as br": ("br", gzip.compress),
    "not packed, labelled as gzip": ("gzip", bytes),
    "not packed, labelled as deflate": ("deflate", bytes),
    "not packed, labelled as br": ("br", bytes),
    "two members": (
        "gzip",
        lambda content: gzip.compress(content[:9]) + gzip.compress(content[9:]),
    ),
    "bytes behind the end": ("gzip", lambda content: gzip.compress(content) + b"\0\0\0"),
    "without its checksum": ("gzip", lambda content: gzip.compress(content)[:-8]),
    "an empty label": (" ", bytes),
}


def packed(kind: str, status: int, body: Any) -> Reply:
    label, pack = PACKED[kind]
    headers = {"Content-Type": "application/json"} | ({"Content-Encoding": label} if label else {})
    return Reply(status, headers, pack(json.dumps(body).encode()))


@every_provider
@pytest.mark.parametrize("kind", PACKED)
def test_a_packed_answer_is_unpacked(name: str, kind: str, server: Loopback) -> None:
    assert made(name, server, packed(kind, 200, body_with(name, {"b64_json": TEXT}))) == PNG


@pytest.mark.parametrize("kind", PACKED)
def test_a_packed_error_is_read(kind: str, server: Loopback) -> None:
    refused = {"error": {"code": "moderation_blocked", "type": "image_generation_user_error"}}
    assert outcome("openai", server, packed(kind, 400, refused)).outcome is Outcome.REFUSED
    key = {"error": {"code": "invalid_api_key"}}
    assert outcome("openai", server, packed(kind, 401, key)).outcome is Outcome.ACCOUNT


@every_provider
def test_an_error_in_an_unknown_packing_still_has_its_status(name: str, server: Loopback) -> None:
    for content in (b"\x0b\x02\x80", gzip.compress(bytes(50_000_000))):
        label = "br" if len(content) < 10 else "gzip"
        error = outcome(name, server, Reply(401, {"Content-Encoding": label}, content))
        assert (error.outcome, error.http_status) == (Outcome.BLOCKED, 401)


@every_provider
@pytest.mark.parametrize(
    ("label", "content"),
    [("br", b"\x0b\x02\x80{}"), ("zstd", b"\x28\xb5\x2f\xfd"), ("deflate", b"no deflate"),
     ("gzip", gzip.compress(b"{}")[:12] + b"\xff" * 9), ("gzip,gzip,gzip,gzip", b"{}")],
)  # fmt: skip
def test_what_cannot_be_unpacked_is_no_answer(
    name: str, label: str, content: bytes, server: Loopback
) -> None:
    error = outcome(name, server, Reply(200, {"Content-Encoding": label}, content))
    assert error.outcome in {Outcome.UNAVAILABLE, Outcome.NO_IMAGE}


@every_provider
def test_a_bomb_is_no_answer(name: str, server: Loopback) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    error = outcome(name, server, Reply(200, {"Content-Encoding": "gzip"}, bomb))
    assert error.outcome in {Outcome.UNAVAILABLE, Outcome.NO_IMAGE}


@given(st.binary(max_size=3_000), st.integers(1, 400), st.sampled_from(sorted(PACKED)))
def test_no_cut_between_chunks_changes_what_is_unpacked(
    content: bytes, width: int, kind: str
) -> None:
    label, pack = PACKED[kind]
    plain = b'{"data": "' + content.hex().encode() + b'"}'
    body = pack(plain)
    chunks = [body[at : at + width] for at in range(0, len(body), width)]
    assert b"".join(unpacked(chunks, label)) == plain


@pytest.mark.parametrize("width", range(1, 60))
def test_a_member_may_begin_in_the_middle_of_a_chunk(width: int) -> None:
    body = gzip.compress(b'{"data":') + gzip.compress(b"1}") + b"\x1f"
    chunks = [body[at : at + width] for at in range(0, len(body), width)]
    assert b"".join(unpacked(chunks, "gzip")) == b'{"data":1}'


@given(st.lists(st.binary(max_size=60), max_size=5), st.sampled_from(["", "gzip", "deflate", "br"]))
def test_no_bytes_break_the_unpacking(chunks: list[bytes], label: str) -> None:
    try:
        b"".join(unpacked(chunks, label))
    except UnpackError:
        return
