"""Forms with files: what clients send is read byte by byte, and everything else is refused."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.domain.errors import InvalidRequestError
from imagegen.edge.forms import MOST_HEADER_BYTES, MOST_NAME_CHARACTERS, MOST_PARTS, parse_form

MARK = "----WebKitFormBoundary7MA4YWxk"
TYPE = f"multipart/form-data; boundary={MARK}"
NAMES = st.text("abcdefgh[]_-0", min_size=1, max_size=MOST_NAME_CHARACTERS)


def part(head: str, content: bytes, mark: str = MARK) -> bytes:
    return f"--{mark}\r\n{head}\r\n\r\n".encode() + content + b"\r\n"


def field(name: str, content: bytes, mark: str = MARK) -> bytes:
    return part(f'Content-Disposition: form-data; name="{name}"', content, mark)


def form(*parts: bytes, mark: str = MARK) -> bytes:
    return b"".join(parts) + f"--{mark}--\r\n".encode()


@given(st.lists(st.tuples(NAMES, st.binary(max_size=300)), min_size=1, max_size=MOST_PARTS))
def test_every_form_is_read_as_it_was_written(fields: Sequence[tuple[str, bytes]]) -> None:
    assert parse_form(form(*(field(*one) for one in fields)), TYPE) == list(fields)


@given(st.binary(max_size=400), st.text(max_size=80))
def test_no_bytes_make_anything_but_a_form_or_a_refusal(content: bytes, kind: str) -> None:
    for body in (content, f"--{MARK}\r\n".encode() + content, form(content)):
        for given_type in (TYPE, f"multipart/form-data; boundary={kind}"):
            try:
                found = parse_form(body, given_type)
            except InvalidRequestError:
                continue
            assert all(name and isinstance(one, bytes) for name, one in found)


@pytest.mark.parametrize("at", range(0, 180, 7))
def test_a_form_that_was_cut_off_is_refused(at: int) -> None:
    whole = form(field("prompt", b"blue"), field("image", bytes(range(80))))
    with pytest.raises(InvalidRequestError):
        parse_form(whole[:at], TYPE)


CONTENTS = [
    b"",
    b"\r\n",
    b"\r\n\r\n",
    b"--",
    f"--{MARK}--".encode(),
    f"x--{MARK}\r\n".encode(),
    f"\n--{MARK}\r\n".encode(),
    f"\r\n--{MARK[:-1]}\r\n".encode(),
    bytes(range(256)) * 8,
    b"\r\n" * 500,
]


@pytest.mark.parametrize("content", CONTENTS)
def test_what_looks_like_an_end_is_content(content: bytes) -> None:
    found = parse_form(form(field("image", content), field("prompt", b"x")), TYPE)
    assert found == [("image", content), ("prompt", b"x")]


@pytest.mark.parametrize(
    "head",
    [
        'Content-Disposition: form-data; name="image"; filename="a.png"\r\nContent-Type: image/png',
        'content-disposition: FORM-DATA; name="image"',
        "Content-Disposition: form-data; name=image",
        'Content-Disposition:form-data;name="image";filename="fuchs \\"1\\"; name=\\"mask\\".png"',
        "Content-Disposition: form-data; name=\"image\"; filename*=UTF-8''f%C3%BCchs.png",
        'Content-Disposition: form-data; name="image"; filename="für\tChs.png"',
        'Content-Disposition: form-data; name="image"\r\nContent-Transfer-Encoding: binary',
        'Content-Type: image/png\r\nContent-Disposition: form-data; name="image"',
        'Content-Disposition: form-data; name="image"\r\nContent-Length: 4',
    ],
)
def test_headers_as_clients_write_them(head: str) -> None:
    assert parse_form(form(part(head, b"data")), TYPE) == [("image", b"data")]


GOOD = 'Content-Disposition: form-data; name="image"'


@pytest.mark.parametrize(
    "head",
    [
        "",
        "Content-Type: image/png",
        "Content-Disposition: form-data",
        'Content-Disposition: attachment; name="image"',
        'Content-Disposition: form-data; name=""',
        'Content-Disposition: form-data; filename="a"; name="image"',
        'Content-Disposition: form-data; name="im\0age"',
        'Content-Disposition: form-data; name="im age"',
        'Content-Disposition: form-data; name="ïmage"',
        f'Content-Disposition: form-data; name="{"x" * (MOST_NAME_CHARACTERS + 1)}"',
        'Content-Disposition: form-data; name="image',
        f"{GOOD}\r\n{GOOD}",
        f"{GOOD}\r\n folded",
        f"{GOOD}\r\nno colon",
        f"{GOOD}\r\n: no name",
        f"{GOOD}\r\nX : space",
        f"{GOOD}\r\nX: a\0b",
        f"{GOOD}\r\nX: a\nY: b",
        f"{GOOD}\r\nX: {'x' * MOST_HEADER_BYTES}",
        f"{GOOD}\r\nContent-Type: multipart/mixed; boundary=y",
        f"{GOOD}\r\nContent-Transfer-Encoding: base64",
        f"{GOOD}\r\nContent-Transfer-Encoding: quoted-printable",
    ],
)
def test_headers_that_no_client_writes_are_refused(head: str) -> None:
    with pytest.raises(InvalidRequestError):
        parse_form(form(part(head, b"data")), TYPE)


@pytest.mark.parametrize(
    ("kind", "mark"),
    [
        ("multipart/form-data; boundary=x", "x"),
        ('multipart/form-data; boundary="x y"', "x y"),
        ('Multipart/Form-Data; charset="utf-8"; Boundary=x', "x"),
        ("multipart/form-data;boundary=x;charset=utf-8", "x"),
        (f"multipart/form-data; boundary={'x' * 70}", "x" * 70),
    ],
)
def test_boundaries_as_clients_write_them(kind: str, mark: str) -> None:
    assert parse_form(form(field("a", b"b", mark), mark=mark), kind) == [("a", b"b")]


@pytest.mark.parametrize(
    ("kind", "mark"),
    [
        ("multipart/form-data", ""),
        ("multipart/form-data; boundary=", ""),
        ('multipart/form-data; boundary=""', ""),
        (f"multipart/form-data; boundary={'x' * 71}", "x" * 71),
        ('multipart/form-data; boundary="x "', "x "),
        ('multipart/form-data; boundary="x\0"', "x\0"),
        ("multipart/form-data; boundary=ä", "ä"),
        ("multipart/form-data; boundary=y", "x"),
    ],
)
def test_boundaries_that_no_client_writes_are_refused(kind: str, mark: str) -> None:
    with pytest.raises(InvalidRequestError):
        parse_form(form(field("a", b"b", mark), mark=mark), kind)


@pytest.mark.parametrize(
    "body",
    [
        b"preamble\r\n" + form(field("a", b"b")),
        b"\r\n" + form(field("a", b"b")),
        form(field("a", b"b")) + b"epilogue",
        form(field("a", b"b")).replace(b"--\r\n", b"-\r\n"),
        form(field("a", b"b")).replace(b"\r\n", b"\n"),
        form(*[field("a", b"b")] * (MOST_PARTS + 1)),
        form(*[field("a", b"b")] * 1_000),
    ],
)
def test_other_frames_are_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequestError):
        parse_form(body, TYPE)


def test_a_form_without_parts_has_no_fields() -> None:
    assert parse_form(form(), TYPE) == []
