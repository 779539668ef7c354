"""What a user would otherwise take, in the same tests: Powertools' breaker, LiteLLM's budget.

    make exactness-peers        writes bench/peers.json; installs LiteLLM into .tools/peers

Both are used as their documentation says. Each figure stands beside ours from the same run.
"""

import importlib.metadata
import json
import multiprocessing
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import boto3
from aws_lambda_powertools.utilities.circuit_breaker import (
    CircuitBreakerConfig,
    CircuitBreakerOpenError,
    circuit_breaker,
)
from aws_lambda_powertools.utilities.circuit_breaker.persistence import (
    CircuitBreakerDynamoDBPersistence,
)

from local.emulator import CREDENTIALS, REGION
from local.paths import ROOT, UV
from local.simulator.server import Simulator
from tests.adapters.aws.world import Aws, running_aws
from tests.exactness import circuits, money
from tests.exactness.ground import Ground, all_at_once
from tests.exactness.rows import Measured

OUT = ROOT / "bench" / "peers.json"
PEERS = ROOT / ".tools" / "peers"
INSTANCES, CALLERS, ROUNDS = 20, 100, 5
REST_SECONDS = 5
CALL_SECONDS = 0.5
"""How long a probe takes: the other 99 come meanwhile."""
CONTEXT = multiprocessing.get_context("forkserver")


class DownError(Exception):
    """The provider fails."""


# --- Powertools


def environment(connection: Connection, endpoint: str, table: str, threads: int) -> None:
    """Be one execution environment: call as often as told, and say what came of each call."""
    store = CircuitBreakerDynamoDBPersistence(
        table_name=table,
        boto3_client=boto3.client(
            "dynamodb",
            endpoint_url=endpoint,
            region_name=REGION,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        ),
    )
    # Ours rests 600 s; here the clock cannot be passed in, so the rest is as short as it goes.
    config = CircuitBreakerConfig(
        failure_threshold=5, recovery_timeout=REST_SECONDS, local_cache_max_age=1
    )

    @circuit_breaker(name="alpha", persistence_store=store, config=config)
    def call(seconds: float) -> None:
        time.sleep(seconds)
        raise DownError

    def one(seconds: float) -> str:
        try:
            call(seconds)
        except DownError:
            return "called"
        except CircuitBreakerOpenError:
            return "refused"
        return "made"

    while (job := connection.recv()) is not None:
        calls, seconds = job
        crew = all_at_once(
            lambda _, seconds=seconds: one(seconds),  # type: ignore[misc]
            range(calls),
            threads=min(threads, calls),
        )
        connection.send(Counter(crew))


def _fleet(aws: Aws) -> list[Connection]:
    table = f"powertools-{time.monotonic_ns()}"
    aws.dynamodb.create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    pipes = []
    for _ in range(INSTANCES):
        ours, theirs = CONTEXT.Pipe()
        arguments = (theirs, aws.endpoint, table, CALLERS // INSTANCES)
        CONTEXT.Process(target=environment, args=arguments, daemon=True).start()
        pipes.append(ours)
    return pipes


def _ask(pipes: Sequence[Connection], calls: int, seconds: float) -> Counter[str]:
    for pipe in pipes:
        pipe.send((calls, seconds))
    return sum((pipe.recv() for pipe in pipes), Counter[str]())


def powertools(aws: Aws) -> dict[str, Any]:
    """Return Powertools' figures for R9 and R10."""
    pipes = _fleet(aws)
    failed = 0
    while _ask(pipes, 1, 0.0)["called"] == INSTANCES and failed < 10 * INSTANCES:
        failed += INSTANCES
    # It counts in each environment by itself: whoever has had five in a row opens it for all.
    calls = []
    for _ in range(ROUNDS):
        time.sleep(REST_SECONDS + 2)
        calls.append(_ask(pipes, CALLERS // INSTANCES, CALL_SECONDS)["called"])
    for pipe in pipes:
        pipe.send(None)
    return {
        "version": importlib.metadata.version("aws-lambda-powertools"),
        "r9": {"failuresBeforeItWasOpen": failed, "allowed": 5},
        "r10": {"callsPerRound": calls, "allowed": 1},
    }


# --- LiteLLM

LITELLM = """
import concurrent.futures, importlib.metadata, json, sys, threading, time
import litellm

base, cap, price, requests, threads, how = json.loads(sys.argv[1])
MODEL = "openai/gpt-image-2.5-sunburst"
litellm.register_model({MODEL: {
    "litellm_provider": "openai", "mode": "image_generation", "input_cost_per_image": price,
    "input_cost_per_pixel": price / 1024 ** 2, "output_cost_per_pixel": 0.0,
}})
if how == "max_budget":
    litellm.max_budget = cap
manager = litellm.BudgetManager(project_name="bench")
manager.create_budget(total_budget=cap, user="user")
litellm.suppress_debug_info = True
gate = threading.Barrier(threads)

def one(number):
    gate.wait() if number < threads else None
    if how == "BudgetManager" and manager.get_current_cost("user") > cap - price:
        return "refused"
    try:
        litellm.image_generation(
            model=MODEL, prompt="a red fox", size="1024x1024", api_base=base,
            api_key="local-key", num_retries=0,
        )
        # update_cost() prices text by tokens; an image's price is added as it would add it.
        manager.user_dict["user"]["current_cost"] = manager.get_current_cost("user") + price
    except litellm.BudgetExceededError:
        return "refused"
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:160]}"
    return "made"

with concurrent.futures.ThreadPoolExecutor(threads) as pool:
    came = list(pool.map(one, range(requests)))
# It counts in threads of its own.
time.sleep(5)
tally = {kind: came.count(kind) for kind in sorted(set(came))}
print("RESULT" + json.dumps({
    "version": importlib.metadata.version("litellm"), "tally": tally,
    "countedUsd": manager.get_current_cost("user") if how == "BudgetManager" else
        litellm._current_cost,
}))
"""


def litellm(how: str) -> dict[str, Any]:
    """Return the figures of one of LiteLLM's budgets for R1, or why there are none."""
    python = PEERS / "bin" / "python"
    if not _installed(python):
        return {"skipped": "litellm cannot be installed here"}
    with Simulator.start() as simulator, tempfile.TemporaryDirectory() as scratch:
        arguments = json.dumps([f"{simulator.url}/openai/v1", 10.0, 0.17, 200, 200, how])
        done = subprocess.run(  # noqa: S603 our own script
            [python, "-c", LITELLM, arguments],
            cwd=scratch,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            env={"PATH": "", "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        )
    line = next((one for one in done.stdout.splitlines() if one.startswith("RESULT")), "")
    if not line:
        return {"skipped": f"litellm did not run: {done.stderr[-400:]}"}
    found: dict[str, Any] = json.loads(line.removeprefix("RESULT"))
    made = found["tally"].get("made", 0)
    return found | {"made": made, "spentUsd": round(made * 0.17, 2), "allowed": 58}


def _installed(python: Path) -> bool:
    if python.exists():
        return True
    if not UV.exists():
        return False
    steps: tuple[list[str | Path], ...] = (
        [UV, "venv", "-q", "--allow-existing", "--python", "3.13", PEERS],
        [UV, "pip", "install", "-q", "--python", python, "litellm"],
    )
    for step in steps:
        if subprocess.run(step, check=False).returncode:  # noqa: S603 our own tools
            shutil.rmtree(PEERS, ignore_errors=True)
            return False
    return True


# --- side by side


def _ours(row: Measured) -> dict[str, Any]:
    return {"measured": row.figure, "wrong": list(row.wrong), **row.figures}


def main() -> None:
    """Run both sides and keep the figures."""
    with (
        tempfile.TemporaryDirectory(prefix="peers-") as name,
        running_aws(Path(name)) as aws,
    ):
        ground = Ground(aws, Path(name), 1)
        figures = {
            "powertools": powertools(aws),
            "litellm": {how: litellm(how) for how in ("max_budget", "BudgetManager")},
            "imagegen": {
                "r1": _ours(money.r1(ground)),
                "r9": _ours(circuits.r9(ground)),
                "r10": _ours(circuits.r10(ground)),
            },
        }
    OUT.write_text(json.dumps(figures, indent=1) + "\n")
    for name in ("powertools", "litellm", "imagegen"):
        print(name, json.dumps(figures[name])[:600])


if __name__ == "__main__":
    main()
