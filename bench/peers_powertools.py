"""What Powertools for Lambda offers for R5, R9, R10 and R11, on the same store as ours.

https://docs.aws.amazon.com/powertools/python/latest/utilities/idempotency/
https://docs.aws.amazon.com/powertools/python/latest/utilities/circuit_breaker/

Each execution environment is a process of its own; used as its documentation says. Only the rest is
shorter than ours, for its clock cannot be passed in.
"""

import importlib.metadata
import multiprocessing
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from bench.powertools_environment import (
    CACHE_SECONDS,
    REST_SECONDS,
    Job,
    RefusedError,
    breaking,
    drawing,
)
from tests.adapters.aws.world import Aws

INSTANCES, CALLERS, ROUNDS, DEATHS = 20, 100, 5, 3
CALL_SECONDS = 0.5
"""How long a probe takes: the other 99 come meanwhile."""
DRAWING_SECONDS = 12.0
"""How long an image takes: the other 99 come meanwhile."""
LOOK_SECONDS = 0.25
CONTEXT = multiprocessing.get_context("forkserver")


@dataclass(frozen=True, slots=True)
class Environment:
    """One execution environment."""

    process: BaseProcess
    pipe: Connection

    def ask(self, job: Job) -> Counter[str]:
        """Return what the job's calls came to."""
        self.pipe.send(job)
        came: Counter[str] = self.pipe.recv()
        return came


def measure(aws: Aws) -> dict[str, Any]:
    """Return the figures."""
    crew = _crew(aws, breaking, INSTANCES)
    opened_after = _failures_until_open(crew)
    per_round = _calls_per_round(crew)
    _end(crew)
    return {
        "version": importlib.metadata.version("aws-lambda-powertools"),
        "environments": INSTANCES,
        "r5": _clicks(aws),
        "r9": {"failuresBeforeItWasOpen": opened_after},
        "r10": {"callsPerRound": per_round},
        "r11": {
            "restSeconds": REST_SECONDS,
            "afterAKilledProbeSeconds": [_after_a_probe(aws, None) for _ in range(DEATHS)],
            "afterARefusedProbeSeconds": [_after_a_probe(aws, RefusedError) for _ in range(DEATHS)],
        },
    }


def _failures_until_open(crew: Sequence[Environment]) -> int:
    """Return how many calls failed before one was refused; each environment fails in turn."""
    failed = 0
    while failed < 10 * INSTANCES:
        for one in crew:
            if one.ask(Job())["refused"]:
                return failed
            failed += 1
    return failed


def _calls_per_round(crew: Sequence[Environment]) -> list[int]:
    """Return how many of a hundred calls went to the provider each time the rest was over."""
    for one in crew:
        one.ask(Job(calls=5))
    came = []
    for _ in range(ROUNDS):
        time.sleep(REST_SECONDS + CACHE_SECONDS + 1)
        job = Job(CALLERS // INSTANCES, CALL_SECONDS)
        for one in crew:
            one.pipe.send(job)
        came.append(sum(one.pipe.recv()["called"] for one in crew))
    return came


def _after_a_probe(aws: Aws, error: type[Exception] | None) -> float:
    """Return the seconds from a probe's end to the next call that was let through.

    ``None`` kills the environment that probes.
    """
    key_checker, other = crew = _crew(aws, breaking, 2)
    key_checker.ask(Job(calls=5))
    time.sleep(REST_SECONDS + CACHE_SECONDS + 1)
    if error is None:
        key_checker.pipe.send(Job(seconds=3_600))
        time.sleep(CALL_SECONDS)
        key_checker.process.kill()
    else:
        key_checker.ask(Job(error=error))
    began = time.monotonic()
    while not other.ask(Job(error=None))["made"]:
        time.sleep(LOOK_SECONDS)
    waited = time.monotonic() - began
    _end(crew[1:] if error is None else crew)
    return round(waited, 1)


def _clicks(aws: Aws) -> dict[str, Any]:
    """Return what a hundred calls with one idempotency key came to, and a hundred later ones."""
    crew = _crew(aws, drawing, INSTANCES)
    found = {}
    for name in ("atOnce", "later"):
        for one in crew:
            one.pipe.send(Job(CALLERS // INSTANCES, DRAWING_SECONDS))
        came = sum((one.pipe.recv() for one in crew), Counter[str]())
        calls, errors = came.pop("call", 0), came.pop("in progress", 0)
        found[name] = {
            "calls": calls, "images": len(came), "answers": came.total(), "errors": errors
        }  # fmt: skip
    _end(crew)
    return found


def _crew(aws: Aws, work: Callable[[Connection, str, str], None], number: int) -> list[Environment]:
    table = f"powertools-{time.monotonic_ns()}"
    aws.dynamodb.create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    crew = []
    for _ in range(number):
        ours, theirs = CONTEXT.Pipe()
        process = CONTEXT.Process(target=work, args=(theirs, aws.endpoint, table), daemon=True)
        process.start()
        crew.append(Environment(process, ours))
    return crew


def _end(crew: Sequence[Environment]) -> None:
    for one in crew:
        one.pipe.send(None)
    for one in crew:
        one.process.join()
