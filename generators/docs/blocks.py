"""Finds the marked parts of a file by name, and replaces them without changing other text.

A mark is a comment: of Markdown on a page, of a shell in ``.env.example``.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from local.paths import ROOT

FOLDER: Final = ROOT / "docs"
README: Final = ROOT / "README.md"
CONTRIBUTING: Final = ROOT / "CONTRIBUTING.md"
ENV_EXAMPLE: Final = ROOT / ".env.example"
BLOCK: Final = re.compile(
    r"(?P<mark>(?:<!--|#) made by `make docs`: (?P<name>[\w: /-]+?)(?: -->)?\n)"
    r"(?P<text>.*?)(?P<end><!-- end -->|^# end$)",
    re.DOTALL | re.MULTILINE,
)


def pages() -> list[Path]:
    """Return the paths of all pages: README, CONTRIBUTING and docs/."""
    return [README, CONTRIBUTING, *sorted(FOLDER.glob("*.md"))]


def marked_files() -> list[Path]:
    """Return the paths of all files with generated parts."""
    return [*pages(), ENV_EXAMPLE]


def blocks(text: str) -> dict[str, str]:
    """Return a file's generated parts by name.

    Raises:
        ValueError: two parts have the same name.
    """
    found = [(match["name"], match["text"]) for match in BLOCK.finditer(text)]
    if len(dict(found)) != len(found):
        raise ValueError(f"two parts have the same name: {sorted(name for name, _ in found)}")
    return dict(found)


def with_blocks(text: str, made: Mapping[str, str]) -> str:
    """Return a file with the parts in ``made`` replaced; other parts stay."""

    def replacement(match: re.Match[str]) -> str:
        return match["mark"] + made.get(match["name"], match["text"]) + match["end"]

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
