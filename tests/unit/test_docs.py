"""README and docs/ say what is there: their tables, links, commands, paths and answers."""

import ast
import importlib
import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from generators.docs import problems
from generators.docs.__main__ import from_source
from generators.docs.blocks import blocks, marked_files, pages, with_blocks
from generators.docs.examples import EXAMPLES
from generators.docs.exchanges import Call, exchange
from generators.docs.fields import operations, shown_path
from generators.docs.placeholders import stable
from generators.docs.streams import shown
from generators.openapi import DOCUMENT
from local.parameters import LINE
from local.paths import ROOT
from tests.unit.test_imports import MAY_IMPORT, PACKAGE

API: dict[str, Any] = json.loads(DOCUMENT.read_text())
API_PAGE = ROOT / "docs" / "api.md"
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
TARGET = re.compile(r"\bmake ([a-z][a-z-]*)")
PATH = re.compile(r"[\w.*-]+(/[\w.*-]+)*/?")
ENDINGS = {".py", ".json", ".yaml", ".md", ".txt", ".toml", ".js"}
MADE_LATER = {".env", ".env.staging", ".local", ".venv", ".tools"}
"""What is not in a fresh checkout."""
SERVED = {"config.json", "providers.js"} | {
    path.name for path in (ROOT / "functions/page/static").iterdir()
}
"""What the page function serves, named as a browser asks for it."""
READERS: dict[str, Callable[[str], Any]] = {
    "json": json.loads,
    "yaml": yaml.safe_load,
    "sh": shlex.split,
}
EXAMPLE_NAMES = {f"example {one.name}": one for one in EXAMPLES}

every_page = pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    headings = HEADING.findall(FENCE.sub("", page.read_text()))
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {one.replace(" ", "-") for one in plain}


def commands(text: str) -> Iterator[str]:
    """Yield what stands as code: in backticks, and the lines of shell blocks without comments."""
    yield from INLINE.findall(FENCE.sub("", text))
    for block in re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        yield from (line.partition("#")[0] for line in block.splitlines())


def shown_answer(block: str) -> Any:
    """Return the JSON that an example ends with, ``None`` where it has none."""
    found = re.search(r"^```json\n(.*?)^```", block, re.DOTALL | re.MULTILINE)
    return json.loads(found[1]) if found else None


def answer_schema(operation_id: str, status: int) -> dict[str, Any] | None:
    """Return what openapi.json says of an answer, ``None`` where it has no JSON."""
    operation = next(one for _, _, one in operations(API) if one["operationId"] == operation_id)
    content = operation["responses"][str(status)].get("content", {})
    schema = next((one["schema"] for kind, one in content.items() if "json" in kind), None)
    return {**schema, "components": API["components"]} if schema else None


@cache
def made() -> Mapping[str, str]:
    """Return what is marked as made, made anew from the source."""
    return from_source()


def test_every_table_is_what_the_source_says() -> None:
    for file in marked_files():
        text = file.read_text()
        assert text == with_blocks(text, made()), f"{file.name} is stale: run `make docs`"


def test_everything_that_is_made_stands_in_a_file_once() -> None:
    names = [name for file in marked_files() for name in blocks(file.read_text())]
    assert sorted(names) == sorted([*made(), *EXAMPLE_NAMES])


@every_page
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in LINK.findall(FENCE.sub("", page.read_text())):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        assert path.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in anchors(path), f"{page.name} links to {target}"


@every_page
def test_every_command_is_in_the_makefile(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {one for text in commands(page.read_text()) for one in TARGET.findall(text)}
    assert named <= targets


@every_page
def test_every_path_is_there(page: Path) -> None:
    tops = {path.name for folder in (ROOT, PACKAGE) for path in folder.iterdir()}
    for named in INLINE.findall(FENCE.sub("", page.read_text())):
        top = named.partition("/")[0]
        is_path = PATH.fullmatch(named) and (top in tops or Path(named).suffix in ENDINGS)
        if is_path and top not in MADE_LATER and named not in SERVED:
            assert [*ROOT.glob(named), *PACKAGE.glob(named)], f"{page.name} names {named}"


def test_the_rooms_that_are_drawn_may_import_what_the_rooms_may() -> None:
    text = (ROOT / "docs" / "design.md").read_text()
    found = re.findall(r"^ *([a-z_]+)(?:/|\.py)? .*-> (.+)$", text, re.MULTILINE)
    drawn = {room: set(named.split()) for room, named in found if room != "bootstrap"}
    assert " ".join(dict(found)["bootstrap"].split()) == "all rooms but functions and site"
    wanted = {room: may - {room} or {"nothing"} for room, may in MAY_IMPORT.items()}
    assert wanted.pop("bootstrap") == {*MAY_IMPORT} - {"bootstrap", "functions", "site"}
    assert drawn == wanted


def test_every_page_is_linked_from_the_readme() -> None:
    linked = set(LINK.findall((ROOT / "README.md").read_text()))
    assert {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")} <= {
        link.partition("#")[0] for link in linked
    }


def test_every_problem_has_a_row_and_every_row_says_what_a_client_does() -> None:
    assert {one.name for one in problems.codes()} == set(problems.ADVICE), (
        "say in ADVICE of generators/docs/problems.py what a client does, then `make docs`"
    )


def test_every_problem_leads_to_the_readme() -> None:
    from imagegen.edge.problems import PROBLEM_TYPE  # noqa: PLC0415

    assert PROBLEM_TYPE.partition("#")[2] in anchors(ROOT / "README.md")


def test_every_route_has_a_section_and_every_section_a_route() -> None:
    routes = {f"{method} {shown_path(path)}" for method, path, _ in operations(API)}
    headings = HEADING.findall(FENCE.sub("", API_PAGE.read_text()))
    assert {one for one in headings if re.match(r"(GET|POST|PUT|DELETE) /", one)} == routes


def test_every_route_shows_an_answer_that_is_good() -> None:
    shown = {one.operation for one in EXAMPLES if one.status < 400}
    assert {one["operationId"] for _, _, one in operations(API)} == shown


@pytest.mark.parametrize("name", sorted(EXAMPLE_NAMES))
def test_every_answer_is_one_that_openapi_describes(name: str) -> None:
    example, block = EXAMPLE_NAMES[name], blocks(API_PAGE.read_text())[name]
    schema = answer_schema(example.operation, example.status)
    assert f"HTTP {example.status}" in block
    if schema:
        Draft202012Validator(schema).validate(shown_answer(block))
    else:
        assert shown_answer(block) is None


@pytest.mark.parametrize("name", sorted(EXAMPLE_NAMES))
def test_every_request_sends_fields_that_openapi_has(name: str) -> None:
    example, block = EXAMPLE_NAMES[name], blocks(API_PAGE.read_text())[name]
    request = block.partition("```\n")[0].partition("\n\n")[2]
    operation = next(o for _, _, o in operations(API) if o["operationId"] == example.operation)
    if not request or example.status in (400, 422):
        return
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    Draft202012Validator({**schema, "components": API["components"]}).validate(json.loads(request))


def test_a_stream_begins_and_ends_as_the_page_says() -> None:
    text = API_PAGE.read_text()
    events = re.findall(r"^event: (\w+)$", blocks(text)["example chat"], re.MULTILINE)
    assert (events[0], events[-1]) == ("message_start", "message_complete")
    assert set(events) <= set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))


def test_a_stream_is_shown_without_what_the_offer_shows_and_with_one_piece_of_text() -> None:
    pieces = "".join(f'event: text_delta\ndata: {{"text":"{one}"}}\n\n' for one in "abc")
    offer = 'event: tool_call\ndata: {"imageGeneration":{"estimate":{"quote":"q"}}}\n\n'
    text = shown(pieces + offer)
    assert text.count("text_delta") == 1
    assert "quote" not in text


def test_every_name_of_the_example_env_is_explained() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text()
    lines = (ROOT / ".env.example").read_text().splitlines()
    names = {match[1] for line in lines if (match := LINE.fullmatch(line.removeprefix("# ")))}
    assert names
    for name in names:
        assert f"`{name}`" in text, f"explain {name} in docs/configuration.md"


def test_what_differs_from_run_to_run_is_replaced_and_the_rest_is_not() -> None:
    said = {"quoteId": "abc", "createdAt": "2027-01-01T00:00:00.000Z", "retryAfterSeconds": 3412}
    assert stable({**said, "price": "0.05"}) == stable({**said, "quoteId": "x", "price": "0.05"})
    assert stable({"retryAfterSeconds": 2, "charged": False}) == {
        "retryAfterSeconds": 2,
        "charged": False,
    }


def test_no_quote_is_shown_and_no_id_of_an_image() -> None:
    shown_offer = stable({"quote": "q1.k1.e30.x", "quotes": ["q1.k1.e30.x"], "imageIds": ["ab3c"]})
    assert shown_offer == {"quote": "<quote>", "quotes": ["<quote>"], "imageIds": ["<image id>"]}
    assert not re.search(r"\bq[12]\.\w+\.", API_PAGE.read_text())


@pytest.mark.parametrize(
    ("status", "address", "said"),
    [
        (302, "https://bucket/images/file?X-Amz-Signature=1", "<signed address of the file>"),
        (202, f"http://local/images/{'a' * 64}", "<generateUrl>/images/<image id>"),
    ],
)
def test_an_answer_leads_to_the_file_only_by_a_redirect(
    status: int, address: str, said: str
) -> None:
    answer = requests.Response()
    answer.status_code, answer._content = status, b""
    answer.headers["Location"] = address
    assert f"Location: {said}\n" in exchange(Call("GET", "/images/x"), "generateUrl", answer)


def test_a_part_that_nobody_makes_stays() -> None:
    for text in (
        "a\n<!-- made by `make docs`: old -->\nkept\n<!-- end -->\nb\n",
        "a\n# made by `make docs`: old\nkept\n# end\n# end of it\nb\n",
    ):
        assert blocks(text) == {"old": "kept\n"}
        assert with_blocks(text, {"new": "x\n"}) == text
        assert with_blocks(text, {"old": "x\n"}) == text.replace("kept", "x")


@every_page
def test_every_import_of_a_snippet_is_there(page: Path) -> None:
    for block in re.findall(r"^```python\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and node.module:
                module = importlib.import_module(node.module)
                assert all(hasattr(module, one.name) for one in node.names), node.module


@every_page
def test_every_import_of_a_page_is_served(page: Path) -> None:
    static = ROOT / "functions" / "page" / "static"
    found = re.findall(r'import \{([^}]*)\} from "https://PAGE/([\w.]+)"', page.read_text())
    for names, file in found:
        exported = (static / file).read_text()
        for name in (one.partition(" as ")[0].strip() for one in names.split(",")):
            assert re.search(rf"export [^;]*\b{name}\b", exported), f"{file} exports no {name}"


def test_the_configurations_of_mcp_clients_can_be_copied() -> None:
    page = (ROOT / "docs" / "embed.md").read_text()
    section = page.split("## In an MCP client\n")[1].split("\n### ")[0]
    shown_blocks = re.findall(r"^```(\w+)\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    assert [kind for kind, _ in shown_blocks] == ["sh", "json", "yaml"]
    for kind, text in shown_blocks:
        assert "<estimateUrl>/mcp" in text
        assert "Authorization" in text
        read = READERS[kind](text)
        assert read
        if kind != "sh":
            (server,) = next(
                read[name] for name in ("servers", "mcpServers") if name in read
            ).values()
            assert server["url"] == "<estimateUrl>/mcp"
            assert server["headers"]["Authorization"].startswith("Bearer ")
            assert server["type"] in {"http", "streamable-http"}
