"""What a cold start loads, from the layer as it ships: milliseconds differ, modules do not.

Ceilings are a few modules above what was measured on 2026-11-27. Raise one only for something that
every request of the function needs; ``python -X importtime`` says what brought a module in.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bench.cold_programs import EAGER
from local.paths import ROOT

FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/handler.py"))
VENDORS = ("openai", "httpx2", "requests", "asyncio", "aws_lambda_powertools.event_handler.appsync")
TOKENS = ("jwt", "cryptography")
UNUSED = (
    *("s3transfer", "multiprocessing", "html.parser", "zipfile", "importlib.metadata"),
    *("botocore.docs.service", "boto3.docs.service", "cryptography.x509"),
)
"""What other people's packages load for documentation, transfers, certificates and versions."""

# Lambda's own switch is set, as in a real start, and nothing can be reached.
ENVIRONMENT = {
    "PATH": os.environ.get("PATH", os.defpath),
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "TABLE_NAME": "table",
    "BUCKET_NAME": "bucket",
    "PARAMETERS_PATH": "/imagegen/test",
    "JWT_ISSUER": "https://issuer.invalid",
    "JWT_AUDIENCE": "imagegen",
}
PROGRAM = """
import gc, json, sys
path, event = sys.argv[1:]
sys.path[:0] = json.loads(path)
import handler
started = sorted(sys.modules)
old = [one["collections"] for one in gc.get_stats()[1:]]
class Context:
    function_name = aws_request_id = invoked_function_arn = "f"
    memory_limit_in_mb = 512
    def get_remaining_time_in_millis(self):
        return 30_000
answer = handler.lambda_handler(json.loads(event), Context())
sys.stderr.write(json.dumps({"started": started, "answered": sorted(sys.modules),
                             "status": answer["statusCode"], "collects": gc.isenabled(),
                             "frozen": gc.get_freeze_count(), "old": old}))
"""


@dataclass(frozen=True, slots=True)
class Budget:
    """What a function may load."""

    started: int
    """Modules once it could take its first event."""
    answered: int
    """Modules after its first answer."""
    never: tuple[str, ...]
    """Not even for that answer."""
    event: str
    """Asks for it; without a token, so that nothing needs to be reached."""


BUDGETS = {
    "estimate": Budget(630, 640, VENDORS, "estimate/no-token"),
    "health": Budget(562, 572, VENDORS + TOKENS, "health/report"),
    "generate": Budget(653, 663, VENDORS, "generate/unknown-image"),
    "chat": Budget(639, 649, VENDORS, "chat/no-token"),
    "admin": Budget(639, 649, VENDORS, "admin/spending"),
    "page": Budget(119, 129, (*VENDORS, *TOKENS, "boto3", "pydantic", "urllib3"), "page/index"),
}


@pytest.fixture(scope="session", params=FUNCTIONS)
def loaded(request: pytest.FixtureRequest, built_layer: Path) -> tuple[str, dict[str, Any]]:
    """A function's name, and what it loaded."""
    name: str = request.param
    path = [str(ROOT / "functions" / name), str(built_layer)]
    command = [sys.executable, "-I", "-S", "-B", "-c", PROGRAM, json.dumps(path), event_of(name)]
    done = subprocess.run(  # noqa: S603 our own interpreter and our own program
        command, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return name, json.loads(done.stderr)


def event_of(name: str) -> str:
    """Return the event that asks a function for its first answer."""
    return (ROOT / "events" / f"{BUDGETS[name].event}.json").read_text()


def under(packages: tuple[str, ...], modules: list[str]) -> set[str]:
    """Return which of the packages are among the modules, or hold one."""
    return {one for one in packages if any(f"{name}.".startswith(f"{one}.") for name in modules)}


def test_every_function_has_a_budget() -> None:
    assert set(FUNCTIONS) == set(BUDGETS)


def test_a_cold_start_loads_no_more_than_its_budget(loaded: tuple[str, dict[str, Any]]) -> None:
    name, found = loaded

    assert len(found["started"]) <= BUDGETS[name].started, found["started"]


def test_a_first_answer_loads_no_more_than_its_budget(loaded: tuple[str, dict[str, Any]]) -> None:
    name, found = loaded

    assert len(found["answered"]) <= BUDGETS[name].answered, (
        found["status"],
        sorted(set(found["answered"]) - set(found["started"])),
    )


def test_what_a_first_answer_does_not_need_is_not_loaded(
    loaded: tuple[str, dict[str, Any]],
) -> None:
    name, found = loaded

    assert under((*BUDGETS[name].never, *UNUSED), found["answered"]) == set()


def test_no_start_is_spent_on_collecting_garbage(loaded: tuple[str, dict[str, Any]]) -> None:
    """Afterwards it is collected as usual; the page's function loads too little to matter."""
    name, found = loaded

    assert found["collects"]
    if name != "page":
        assert found["frozen"] > 10_000
        assert sum(found["old"]) <= 2, found["old"]


def test_whoever_checks_every_token_loads_what_it_takes_at_the_start(
    loaded: tuple[str, dict[str, Any]],
) -> None:
    """There it has a whole core; a request of 512 MB has 0.29 of one."""
    name, found = loaded
    if name in ("estimate", "generate", "chat", "admin"):
        assert under((*TOKENS, "boto3"), found["started"]) == {*TOKENS, "boto3"}


def test_every_module_can_be_loaded_at_once(built_layer: Path) -> None:
    """That is what the benchmark of cold starts compares with, and no module acts when loaded."""
    path = f"import sys; sys.path[:0] = [{str(built_layer)!r}]\n"
    command = [sys.executable, "-I", "-S", "-B", "-c", path + EAGER]
    done = subprocess.run(  # noqa: S603 our own interpreter and our own program
        command, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
