"""A start for a snapshot (SnapStart), with Lambda's own runtime client."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import snapshot_restore_py
from awslambdaric import lambda_runtime_hooks_runner

from imagegen.bootstrap import STARTING
from imagegen.bootstrap.service import SNAPSHOT, prime
from local.paths import ROOT
from tests.fakes.runtime_api import FakeRuntimeApi, runtime_api

HANDLER = """
import sys
from handler import lambda_handler as answer
loaded = "imagegen.providers.sdk" in sys.modules
def lambda_handler(event, context):
    return {"loaded": loaded, "drawn": random.random(), "answer": answer(event, context)}
import random
random.seed(1)
"""
"""The handler of generate; ``random`` has the state that a snapshot would keep."""

HEADERS = {
    "Content_Type": "application/json",
    "Lambda_Runtime_Invoked_Function_Arn": "arn:aws:lambda:us-east-1:123456789012:function:f",
    "Lambda_Runtime_Trace_Id": "Root=1",
}
"""Without them, the runtime client ends with a segmentation fault."""


@pytest.fixture
def lambda_api() -> Iterator[FakeRuntimeApi]:
    with runtime_api() as running:
        yield running


@pytest.fixture
def hooks() -> Iterator[None]:
    """Take back what a test registered."""
    registered = snapshot_restore_py.get_after_restore()
    before = list(registered)
    yield
    registered[:] = before


def drawn_after_restore() -> float:
    random.seed(1)
    lambda_runtime_hooks_runner.run_after_restore()
    return random.random()


@pytest.mark.usefixtures("hooks")
def test_each_environment_of_a_snapshot_draws_its_own_numbers() -> None:
    prime(environ={STARTING: SNAPSHOT})

    assert drawn_after_restore() != drawn_after_restore()


@pytest.mark.usefixtures("hooks")
def test_a_start_without_a_snapshot_registers_nothing() -> None:
    before = len(snapshot_restore_py.get_after_restore())
    prime(environ={STARTING: "on-demand"})

    assert len(snapshot_restore_py.get_after_restore()) == before


@pytest.mark.parametrize(("kind", "built"), [(SNAPSHOT, ["a", "b"]), ("on-demand", ["a"])])
@pytest.mark.usefixtures("hooks")
def test_what_makes_a_start_slow_is_loaded_for_a_snapshot_alone(
    kind: str, built: list[str]
) -> None:
    found: list[str] = []
    prime(
        lambda: found.append("a"),
        for_snapshot=[lambda: found.append("b")],
        environ={STARTING: kind},
    )

    assert found == built


@pytest.mark.parametrize(("kind", "is_loaded"), [(SNAPSHOT, True), ("on-demand", False)])
def test_generate_answers_after_a_restore(
    lambda_api: FakeRuntimeApi, tmp_path: Any, kind: str, *, is_loaded: bool
) -> None:
    """The client waits to be restored, then asks for an event: without settings, a 503."""
    (tmp_path / "wrapped.py").write_text(HANDLER)
    if kind == SNAPSHOT:
        lambda_api.put({})
    event = json.loads((ROOT / "events/generate/forged-quote.json").read_text())
    lambda_api.put(event, **HEADERS)
    path = (tmp_path, ROOT / "functions/generate", ROOT / "layers/shared")
    variables = {
        "TABLE_NAME": "table",
        "BUCKET_NAME": "bucket",
        "PARAMETERS_PATH": "/imagegen/test",
        # Nothing can be reached.
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_LAMBDA_RUNTIME_API": lambda_api.address,
        STARTING: kind,
        "PYTHONPATH": ":".join(map(str, path)),
        "PATH": os.defpath,
    }
    command = [sys.executable, "-m", "awslambdaric", "wrapped.lambda_handler"]
    with subprocess.Popen(command, env=variables, cwd=tmp_path) as process:  # noqa: S603 our own
        try:
            found = lambda_api.next_sent().json()
        finally:
            process.kill()

    assert (found["loaded"], found["answer"]["statusCode"]) == (is_loaded, 503)
    assert (found["drawn"] == random.Random(1).random()) is not is_loaded
