"""Orders with input images, and what an adapter sends for them."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from imagegen.domain.catalog import Offering
from imagegen.domain.criteria import ordered
from imagegen.domain.formats import requested
from imagegen.domain.inputs import InputFile, Role
from imagegen.domain.operations import Operation
from imagegen.domain.ports import ImageOrder
from imagegen.domain.sizes import SizeOption
from imagegen.domain.wishes import Wishes
from tests.adapters.providers.adapters import PROMPT
from tests.adapters.providers.loopback import Loopback, Reply, Script, ToolUse, Wire, json_reply
from tests.fakes.pictures import picture

INTEGERS = {"n", "num_images", "partial_images", "seed"}
TRUTHS = {"async", "stream"}


class Part(NamedTuple):
    """One part of a form."""

    name: str
    file_name: str | None
    media_type: str
    content: bytes


@cache
def file(
    role: Role = Role.EDIT, kind: str = "PNG", size: tuple[int, int] = (64, 48), *, seed: int = 0
) -> InputFile:
    """Return an input; ``seed`` makes another one of the same size."""
    alpha = role is Role.MASK
    content = picture(kind, size=size, alpha=alpha) + bytes([seed]) * seed
    return InputFile(role, content, f"image/{kind.lower()}", *size)


EDIT, MASK = file(), file(Role.MASK)
OTHERS = tuple(
    file(Role.REFERENCE, kind, seed=number)
    for number, kind in enumerate(("JPEG", "WEBP", "PNG") * 5, 1)
)


def most_of(row: Offering) -> tuple[InputFile, ...]:
    """Return as many pictures as a row takes, in three formats."""
    assert row.inputs
    return (EDIT, *OTHERS)[: row.inputs.most]


def inputs_for(row: Offering) -> list[tuple[InputFile, ...]]:
    """Return the combinations of inputs that a row takes: one, most, with a mask."""
    support = row.inputs
    if support is None:
        return []
    plain = [] if support.needs == "mask" else [(EDIT,), most_of(row)]
    masked = [(EDIT, MASK), (*most_of(row), MASK)] if support.mask else []
    return list(dict.fromkeys([*plain, *masked]))


def variants(row: Offering) -> list[tuple[str, SizeOption]]:
    """Return the row's sizes, and of the first size each format and each wish, by a name."""
    if row.enlarges:
        return _scales(row)
    first = row.option(f"{EDIT.width}x{EDIT.height}") if row.keeps_size else row.sizes[0]
    assert first
    found = [] if row.keeps_size else [(one.size, one) for one in row.sizes]
    formats = ((name, requested(row, first, name)) for name in row.formats)
    found += [(name, asked) for name, asked in formats if asked]
    wishes = {
        "transparent": Wishes(transparent=row.transparent is not None),
        "seed": Wishes(seed=7 if row.seed else None),
        "partials": Wishes(partials=row.previews.most if row.previews else 0),
    }
    found += [(name, ordered(row, first, one)) for name, one in wishes.items()]
    return [("plain", first), *found]


def _scales(row: Offering) -> list[tuple[str, SizeOption]]:
    assert row.enlarges
    found = []
    for scale in map(int, row.enlarges.scales):
        option = row.option(f"{EDIT.width * scale}x{EDIT.height * scale}")
        assert option
        found.append((f"{scale}x", ordered(row, option, Wishes(scale=scale))))
    return [("plain", found[0][1]), *found]


def order_with(row: Offering, option: SizeOption, inputs: tuple[InputFile, ...]) -> ImageOrder:
    """Return the order of a row as the service makes it."""
    fields = row.inputs.fields if row.inputs else None
    sent = ordered(row, option, Wishes(), has_inputs=bool(inputs))
    prompt = PROMPT if row.operation is Operation.GENERATE else ""
    return ImageOrder(
        row.model, prompt, row.sent(sent), *option.pixels, "user-1", inputs, input_fields=fields
    )


def parts_of(asked: ToolUse) -> list[Part]:
    """Return the parts of a form."""
    found = re.search("boundary=([^;]+)", asked.headers["content-type"])
    assert found
    parts = []
    for piece in asked.body.split(b"--" + found[1].encode())[1:-1]:
        head, _, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        text = head.decode()
        name = re.search(r'name="([^"]*)"', text)
        file_name = re.search(r'filename="([^"]*)"', text)
        media_type = re.search(r"Content-Type: (\S+)", text, re.IGNORECASE)
        assert name
        parts.append(
            Part(
                name[1],
                file_name[1] if file_name else None,
                media_type[1] if media_type else "",
                content.removesuffix(b"\r\n"),
            )
        )
    return parts


def fields_of(asked: ToolUse) -> dict[str, Any]:
    """Return the plain fields of a form, with the types that the API gives them."""

    def value(part: Part) -> Any:
        text = part.content.decode()
        if part.name in TRUTHS:
            return {"true": True, "false": False}[text]
        return int(text) if part.name in INTEGERS else text

    return {part.name: value(part) for part in parts_of(asked) if part.file_name is None}


def files_of(asked: ToolUse) -> list[Part]:
    """Return the files of a form."""
    return [part for part in parts_of(asked) if part.file_name is not None]


def uploading(server: Loopback, last: Reply) -> Script:
    """Return a script that takes files as Replicate does, and answers ``last`` to the rest."""
    count = 0

    def script(asked: ToolUse, _wire: Wire) -> Reply:
        nonlocal count
        if not asked.path.endswith("/files"):
            return last
        count += 1
        return json_reply(201, {"id": f"f{count}", "urls": {"get": file_url(server, count)}})

    return script


def file_url(server: Loopback, number: int) -> str:
    """Return the URL of an uploaded file."""
    return f"{server.origin}/v1/files/f{number}"


def described(files: list[Part]) -> Mapping[str, Any]:
    """Return the files of a form as the contract describes them, by field."""
    found: dict[str, Any] = {}
    for part in files:
        one = {"mediaType": part.media_type, "size": len(part.content)}
        found.setdefault(part.name, []).append(one)
    return found
