"""What README, docs and `make run` show to be pasted, run as it stands; only "..." is filled in."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from imagegen.domain.pixels import measure
from local.paths import ROOT
from local.tour import tour
from tests.fakes.pictures import picture
from tests.stack.driver import Driver, Person
from tests.unit.test_inputs import mask

PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
SHELL = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
PYTHON = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
SIZE = (96, 64)
type Ways = dict[str, Callable[["Terminal", str], None]]


class Terminal:
    """A person's shell in an empty folder, with the variables that `make run` prints."""

    def __init__(self, person: Person, folder: Path) -> None:
        urls = person.stack.urls
        self.person, self.folder = person, folder
        self.variables = {
            "PATH": "/usr/bin:/bin",
            "TOKEN": person.token,
            "ESTIMATE_URL": urls["estimateUrl"],
            "GENERATE_URL": urls["generateUrl"],
            "HEALTH_URL": urls["healthUrl"],
        }
        (folder / "fox.png").write_bytes(picture(size=SIZE))
        (folder / "mask.png").write_bytes(mask(SIZE))

    def run(self, command: str) -> str:
        """Return what a command prints; it may not fail, nor any part of it."""
        done = subprocess.run(  # noqa: S603 what our own pages show
            ["/bin/bash", "-e", "-o", "pipefail", "-c", command],
            cwd=self.folder, env=self.variables, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def json(self, command: str) -> Any:
        """Return the JSON that a command prints."""
        return json.loads(self.run(command))


@pytest.fixture
def terminal(stack: Driver, tmp_path: Path) -> Terminal:
    return Terminal(stack.person(), tmp_path)


def shown(pattern: re.Pattern[str], word: str) -> Iterator[str]:
    """Yield each block with a word, of all pages."""
    for page in PAGES:
        yield from (block for block in pattern.findall(page.read_text()) if word in block)


def steps(block: str) -> list[str]:
    """Return the commands between the comments of a block."""
    return [one for one in re.split(r"^#.*\n", block, flags=re.MULTILINE) if one.strip()]


def priced_made_and_fetched(terminal: Terminal, block: str) -> None:
    """The quote and the address take the place of the dots, as the comments say."""
    variables, price, make, fetch = steps(block)
    assert variables.startswith("export TOKEN=...")
    offer = terminal.json(price)
    image = terminal.json(make.replace('"quote": "..."', f'"quote": "{offer["quote"]}"'))
    assert image["cost"]["charged"] == terminal.person.usage()["spent"]
    terminal.run(fetch.replace("...", image["imageUrl"]))
    measured = measure((terminal.folder / "fox.png").read_bytes())
    assert (measured.width, measured.height) == (image["width"], image["height"])


def healthy_and_priced(terminal: Terminal, block: str) -> None:
    for name, variable in (("HealthUrl", "HEALTH_URL"), ("EstimateUrl", "ESTIMATE_URL")):
        block = block.replace(f"$(make url NAME={name})", f"${variable}")
    _token, health, price = re.split(r"\n(?=curl)", block)
    assert terminal.json(health)["status"] == "healthy"
    assert terminal.json(price)["buttonLabel"].startswith("Generate Image for $")
    assert terminal.person.usage()["spent"] == "0.000000"


def uploaded_and_changed(terminal: Terminal, block: str) -> None:
    button, *addresses = terminal.run(block).splitlines()
    assert button.startswith("Generate 4 Images for $"), button
    assert len(set(addresses)) == 4
    assert all(one.startswith("http") for one in addresses)
    images = [
        one["image"] for one in json.loads((terminal.folder / "made.json").read_text())["images"]
    ]
    charged = sum(float(one["cost"]["charged"]) for one in images)
    assert f"{charged:.6f}" == terminal.person.usage()["spent"]


def changed_with_a_mask(terminal: Terminal, block: str) -> None:
    answer = terminal.json(block)
    assert answer["imagegen"]["cost"]["charged"] == terminal.person.usage()["spent"]


def listed(terminal: Terminal, block: str) -> None:
    made = {terminal.person.make(f"fox {number}").json["id"] for number in range(3)}
    terminal.run(block.replace("limit=100", "limit=2"))
    lines = (terminal.folder / "images.ndjson").read_text().splitlines()
    assert {json.loads(line)["id"] for line in lines} == made
    assert len(lines) == 3


WAYS: Ways = {
    "export TOKEN=...": priced_made_and_fetched,
    "TOKEN=eyJ...": healthy_and_priced,
    "post() {": uploaded_and_changed,
    'curl "$GENERATE_URL/v1/images/edits"': changed_with_a_mask,
    "CURSOR=\n": listed,
}
"""What each block must show, by its first words."""


def test_every_block_with_curl_is_run() -> None:
    blocks = list(shown(SHELL, "curl"))
    starts = [[start for start in WAYS if block.startswith(start)] for block in blocks]
    assert sorted(start for found in starts for start in found) == sorted(WAYS)


@pytest.mark.parametrize("start", WAYS)
def test_a_block_does_what_its_page_says(terminal: Terminal, start: str) -> None:
    (block,) = (one for one in shown(SHELL, "curl") if one.startswith(start))
    WAYS[start](terminal, block)


def test_what_make_run_prints_makes_an_image(terminal: Terminal) -> None:
    urls = {**terminal.person.stack.urls, "statesUrl": "http://127.0.0.1:1/"}
    described = {**urls, "token": terminal.person.token}
    lines = [line.strip() for line in tour(described, 1.0).splitlines() if line.startswith("  ")]
    commands = [one for one in lines if "curl" in one]
    assert len(commands) == 3
    terminal.run("\n".join(commands).replace("/tmp/fox.png", "made.png"))  # noqa: S108 theirs
    assert terminal.person.usage()["images"] == 1
    assert measure((terminal.folder / "made.png").read_bytes()).width


def sdk_examples() -> Mapping[str, str]:
    """Return each example with OpenAI's SDK that makes images."""
    blocks = shown(PYTHON, "client.images.")
    return {block.partition("OpenAI(")[2].partition(",")[0]: block for block in blocks}


@pytest.mark.parametrize("example", sdk_examples())
def test_an_example_with_openais_client_makes_its_images(terminal: Terminal, example: str) -> None:
    person, block = terminal.person, sdk_examples()[example]
    generate_url = person.stack.urls["generateUrl"]
    for theirs, ours in (("https://images.example.com", generate_url), ("ik_...", person.token)):
        block = block.replace(theirs, ours)
    known: dict[str, Any] = {"generate_url": generate_url, "user_token": person.token}
    exec(compile(block, "docs", "exec"), known)  # noqa: S102 what our own pages show
    count = re.search(r"\bn=(\d)", block)
    assert person.usage()["images"] == (int(count[1]) if count else 1)
