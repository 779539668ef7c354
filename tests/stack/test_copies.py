"""The emulator's instances are copies of a prepared process, and behave like processes."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local import emulator_forks
from local.emulator_forks import LAYERS, WORKER
from tests.stack.test_crash import variables

pytestmark = pytest.mark.skipif(not emulator_forks.is_possible(), reason="needs Linux")
SECONDS = 20

type Start = Callable[..., Any]


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    made = tmp_path_factory.mktemp("layer")
    rules = made / "python" / "imagegen" / "domain"
    rules.mkdir(parents=True)
    (rules / "__init__.py").write_text("import os\nLOADED_BY = os.getpid()\n")
    yield made
    emulator_forks.PREPARED.pop(made).end()


@pytest.fixture
def start(layer: Path, tmp_path: Path) -> Iterator[Start]:
    """Start a script as MiniStack starts its worker."""
    begun: list[Any] = []

    def started(script: str, **variables: str) -> Any:
        folder = tmp_path / str(len(begun))
        (folder / "code").mkdir(parents=True)
        (folder / WORKER).write_text(script)
        process = emulator_forks.start(
            [sys.executable, str(folder / WORKER)],
            cwd=str(folder / "code"),
            env={LAYERS: str(layer), **variables},
        )
        begun.append(process)
        return process

    yield started
    for process in begun:
        process.kill()
        process.wait(SECONDS)
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()


def test_a_copy_has_its_own_folder_variables_and_pipes(start: Start) -> None:
    script = (
        "import os, sys\n"
        "print(os.getcwd(), os.environ['NAME'], 'HOME' in os.environ, sys.stdin.readline())\n"
        "print('problem', file=sys.stderr)\n"
    )
    first, second = start(script, NAME="one"), start(script, NAME="two")
    for number, (process, name) in enumerate(((first, "one"), (second, "two"))):
        process.stdin.write(f"hello {name}\n")
        process.stdin.flush()
        folder, *rest = process.stdout.read().split(" ", 1)
        assert Path(folder).parts[-2:] == (str(number), "code")
        assert rest[0].rstrip() == f"{name} False hello {name}"
        assert process.stderr.read() == "problem\n"
        assert process.wait(SECONDS) == 0
        assert process.poll() == 0


def test_the_rules_are_loaded_before_the_copy_and_the_rest_in_it(start: Start) -> None:
    process = start(
        "import imagegen.domain as rules, os, sys\nprint(rules.LOADED_BY == os.getpid())\n"
    )

    assert process.stdout.read() == "False\n"


def test_what_one_copy_changes_no_other_one_has(start: Start) -> None:
    script = (
        "import imagegen.domain as rules, sys\n"
        "print(hasattr(rules, 'mark'), rules.__name__ in sys.modules)\n"
        "rules.mark = True\n"
    )

    assert [start(script).stdout.read() for _ in range(2)] == ["False True\n"] * 2


def test_it_ends_when_it_is_told_to_or_its_script_does(start: Start) -> None:
    waiting = start("import sys\nprint('up', flush=True)\nsys.stdin.readline()\n")
    assert waiting.stdout.readline() == "up\n"
    assert waiting.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(0.01)
    waiting.terminate()
    assert waiting.wait(SECONDS) == 0
    waiting.terminate()

    failing = start("raise ValueError('broken')\n")
    assert "broken" in failing.stderr.read()
    assert failing.wait(SECONDS) == 0


def test_the_variables_of_a_copy_are_found_by_its_process(start: Start) -> None:
    process = start("import sys\nsys.stdin.readline()\n", AWS_ENDPOINT_URL="http://here")

    found = variables(Path("/proc") / str(process.pid))

    assert b"AWS_ENDPOINT_URL=http://here" in found
    assert b"AWS_ENDPOINT_URL=http://here" not in variables(Path("/proc") / str(os.getpid()))


def test_another_command_is_started_as_usual(tmp_path: Path) -> None:
    with emulator_forks.start(
        [sys.executable, "-c", "print('up')"], cwd=tmp_path, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.read() == b"up\n"
    assert process.returncode == 0
