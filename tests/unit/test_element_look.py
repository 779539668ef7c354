"""What pages can style of the elements: the documentation, the manifest and the code agree."""

import json
import re

import pytest

from local.paths import ROOT

STATIC = ROOT / "functions" / "page" / "static"
STYLES = (STATIC / "styles.js").read_text()
ELEMENT = (STATIC / "generated-image.js").read_text()
MANIFEST = json.loads((STATIC / "custom-elements.json").read_text())
DECLARED = MANIFEST["modules"][0]["declarations"][0]
SECTION = re.search(
    r"^## Its look.*?(?=^## )",
    (ROOT / "docs" / "embed.md").read_text(),
    re.DOTALL | re.MULTILINE,
)
DOCUMENTED = SECTION[0] if SECTION else ""
USED = re.compile(
    r"var\((--(?:color|font|border-radius)-[a-z-]+), (?:light-dark\((#\w+), (#\w+)\)|(\w+))?"
)


def rows(heading: str) -> dict[str, list[str]]:
    """Return a table of the section: the name in each row's first cell, and the other cells."""
    table = DOCUMENTED.split(f"| {heading} |")[1].split("\n\n")[0]
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]
    ]
    return {first.strip("`"): rest for first, *rest in cells}


def named(kind: str) -> list[str]:
    """Return the names of a kind in the manifest."""
    return [one["name"] for one in DECLARED[kind]]


def test_every_variable_is_documented_and_every_documented_one_is_used() -> None:
    used = {name for name, *_ in USED.findall(STYLES + ELEMENT)}
    assert len(used) == len(USED.findall(STYLES)), "each variable is read in one place"
    assert set(rows("variable")) == used
    assert sorted(named("cssProperties")) == sorted(used)


@pytest.mark.parametrize("name", sorted(rows("variable")))
def test_the_documented_values_are_those_without_a_theme(name: str) -> None:
    *_, light, dark = rows("variable")[name]
    found = next(one for one in USED.findall(STYLES) if one[0] == name)
    if name == "--font-sans":
        assert (light, dark) == ("the system's",) * 2
    else:
        expected = (found[1] or found[3], found[2] or found[3])
        assert (light.strip("`"), dark.strip("`")) == expected


def test_every_part_is_documented_and_every_documented_one_is_there() -> None:
    parts = set(re.findall(r'\bpart: "([a-z ]+)"', ELEMENT))
    assert set(rows("part")) == parts
    assert sorted(named("cssParts")) == sorted(parts)


def test_every_slot_is_documented_and_every_documented_one_is_there() -> None:
    slots = set(re.findall(r'h\("slot", \{ name: "([a-z]+)" \}\)', ELEMENT))
    assert set(rows("slot")) == slots
    assert sorted(named("slots")) == sorted(slots)


def test_the_example_uses_what_there_is() -> None:
    example = DOCUMENTED.split("```css\n")[1].split("```")[0]
    assert set(re.findall(r"--[a-z-]+", example)) <= set(rows("variable"))
    assert set(re.findall(r"::part\((\w+)\)", example)) <= set(rows("part"))
