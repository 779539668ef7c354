"""The built functions in Lambda's own runtime client, with the layer alone on their path."""

import platform
from collections.abc import Iterator
from pathlib import Path

import pytest

from generators.layer import LIMIT_BYTES, size_bytes
from local import rie
from local.events import read_event
from local.invoke import deployed_variables
from local.paths import BUILD, ROOT
from local.stack import FUNCTIONS, LocalStack

UI = ROOT / "events" / "ui"
"""What the elements show; the browser suite's."""
EVENTS = sorted(path for path in (ROOT / "events").rglob("*.json") if UI not in path.parents)

on_linux = pytest.mark.skipif(
    platform.system() != "Linux", reason="the runtime interface emulator is a Linux program"
)


@pytest.fixture(scope="session", params=FUNCTIONS)
def function(
    request: pytest.FixtureRequest, local_stack: LocalStack
) -> Iterator[tuple[str, rie.Function]]:
    """A function under RIE, in the environment that the stack gives it."""
    name: str = request.param
    with rie.start(name, deployed_variables(local_stack.describe(), name)) as started:
        yield name, started


def events_of(name: str) -> list[Path]:
    return [path for path in EVENTS if path.parent.name == name]


def test_every_event_belongs_to_a_function() -> None:
    assert EVENTS
    assert [path for path in EVENTS if path.parent.name not in FUNCTIONS] == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_handler_needs_nothing_but_its_folder_and_the_layer(
    name: str, local_stack: LocalStack
) -> None:
    done = rie.import_alone(name)

    assert done.returncode == 0, done.stderr


@on_linux
def test_every_event_is_answered_in_the_runtime_client(
    function: tuple[str, rie.Function], local_stack: LocalStack
) -> None:
    name, started = function
    description, events = local_stack.describe(), events_of(name)
    assert events

    for path in events:
        event = read_event(path, description)
        answer = started.invoke(event)

        if "requestContext" in event:
            assert 200 <= answer["statusCode"] < 500, (path.name, answer)
        else:
            assert "errorType" not in (answer or {}), (path.name, answer)


def test_the_layer_is_small_enough_to_start_fast(local_stack: LocalStack) -> None:
    assert size_bytes(BUILD / "SharedLayer") <= LIMIT_BYTES


def test_the_layer_names_no_path_of_the_machine_that_built_it(local_stack: LocalStack) -> None:
    here = str(ROOT).encode()
    files = [path for path in (BUILD / "SharedLayer").rglob("*") if path.is_file()]

    assert [path.name for path in files if here in path.read_bytes()] == []


def test_every_module_of_the_layer_has_its_bytecode(local_stack: LocalStack) -> None:
    layer = BUILD / "SharedLayer" / "python"
    sources = set(layer.rglob("*.py"))
    compiled = {path.parent.parent / path.name.split(".")[0] for path in layer.rglob("*.pyc")}

    assert {path.with_suffix("") for path in sources} == compiled
