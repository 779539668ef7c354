"""Finds the marked parts of a page by name, and replaces them without changing other text."""

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
    """Return the paths of all pages: README, CONTRIBUTING and docs/."""
    return [README, CONTRIBUTING, *sorted(FOLDER.glob("*.md"))]


def blocks(text: str) -> dict[str, str]:
    """Return a page's generated parts by name.

    Raises:
        ValueError: two parts have the same name.
    """
    found = [(match["name"], match["text"]) for match in BLOCK.finditer(text)]
    if len(dict(found)) != len(found):
        raise ValueError(f"two parts have the same name: {sorted(name for name, _ in found)}")
    return dict(found)


def with_blocks(text: str, made: Mapping[str, str]) -> str:
    """Return a page with the parts in ``made`` replaced; other parts stay."""

    def replacement(match: re.Match[str]) -> str:
        name, old = match["name"], match["text"]
        return f"<!-- made by `make docs`: {name} -->\n{made.get(name, old)}<!-- end -->"

    return BLOCK.sub(replacement, text)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell(one) for one in line) + " |\n" for line in lines)


def cell(text: str) -> str:
    """Return text that does not break a table's row."""
    return " ".join(text.split()).replace("|", "\\|")


def code(text: object) -> str:
    """Return text as Markdown code, an empty text unchanged."""
    return f"`{text}`" if str(text) else ""
