"""Marked parts of a page: found by name, and replaced without touching what stands around them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from local.paths import ROOT

FOLDER: Final = ROOT / "docs"
README: Final = ROOT / "README.md"
CONTRIBUTING: Final = ROOT / "CONTRIBUTING.md"
BLOCK: Final = re.compile(
    r"<!-- made by `make docs`: (?P<name>[\w: /-]+) -->\n(?P<text>.*?)<!-- end -->", re.DOTALL
)


def pages() -> list[Path]:
    """Return every page that is read by people: README, CONTRIBUTING and docs/."""
    return [README, CONTRIBUTING, *sorted(FOLDER.glob("*.md"))]


def blocks(text: str) -> dict[str, str]:
    """Return a page's made parts by name.

    Raises:
        ValueError: a name stands twice.
    """
    found = [(match["name"], match["text"]) for match in BLOCK.finditer(text)]
    if len(dict(found)) != len(found):
        raise ValueError(f"a part stands twice: {sorted(name for name, _ in found)}")
    return dict(found)


def with_blocks(text: str, made: Mapping[str, str]) -> str:
    """Return a page with its made parts anew; a part that ``made`` does not have stays."""

    def anew(match: re.Match[str]) -> str:
        name, old = match["name"], match["text"]
        return f"<!-- made by `make docs`: {name} -->\n{made.get(name, old)}<!-- end -->"

    return BLOCK.sub(anew, text)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell(one) for one in line) + " |\n" for line in lines)


def cell(text: str) -> str:
    """Return text that cannot break its row."""
    return " ".join(text.split()).replace("|", "\\|")


def code(text: object) -> str:
    """Return text as code; nothing where there is none."""
    return f"`{text}`" if str(text) else ""
