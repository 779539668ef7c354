"""What Powertools for Lambda offers for R5, R9, R10 and R11, on the same store as ours.

https://docs.aws.amazon.com/powertools/python/latest/utilities/idempotency/
https://docs.aws.amazon.com/powertools/python/latest/utilities/circuit_breaker/

Each execution environment is a process of its own; used as its documentation says. Only the rest is
shorter than ours, for its clock cannot be passed in.
"""

import importlib.metadata
import multiprocessing
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, cast

import boto3
from aws_lambda_powertools.utilities.circuit_breaker import (
    CircuitBreakerConfig,
    CircuitBreakerOpenError,
    circuit_breaker,
)
from aws_lambda_powertools.utilities.circuit_breaker.persistence import (
    CircuitBreakerDynamoDBPersistence,
)
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
)
from aws_lambda_powertools.utilities.typing import LambdaContext

from local.emulator import CREDENTIALS, REGION
from tests.adapters.aws.world import Aws
from tests.exactness.ground import all_at_once

INSTANCES, CALLERS, ROUNDS, DEATHS = 20, 100, 5, 3
REST_SECONDS = 5
CALL_SECONDS = 0.5
"""How long a probe takes: the other 99 come meanwhile."""
DRAWING_SECONDS = 12.0
"""How long an image takes: the other 99 come meanwhile."""
LOOK_SECONDS = 0.25
CACHE_SECONDS = 1
CONTEXT = multiprocessing.get_context("forkserver")


class DownError(Exception):
    """The provider fails."""


class RefusedError(Exception):
    """The provider answers that it will not draw this."""


class Context:
    """What Lambda tells of an invocation: how long it may take."""

    def get_remaining_time_in_millis(self) -> int:
        """Return five minutes."""
        return 300_000


@dataclass(frozen=True, slots=True)
class Job:
    """What an environment is told to do at once, and how each call ends."""

    calls: int = 1
    seconds: float = 0.0
    error: type[Exception] | None = DownError


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
    crew = _crew(aws, _breaking, INSTANCES)
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
    key_checker, other = crew = _crew(aws, _breaking, 2)
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
    crew = _crew(aws, _drawing, INSTANCES)
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


# --- what runs in an environment


def _breaking(connection: Connection, endpoint: str, table: str) -> None:
    """Call through the circuit breaker, as often as told, and say what came of each call."""
    config = CircuitBreakerConfig(
        failure_threshold=5,
        recovery_timeout=REST_SECONDS,
        local_cache_max_age=CACHE_SECONDS,
        ignored_exceptions=(RefusedError,),
    )
    store = CircuitBreakerDynamoDBPersistence(table_name=table, boto3_client=_client(endpoint))

    @circuit_breaker(name="alpha", persistence_store=store, config=config)
    def call(job: Job) -> None:
        time.sleep(job.seconds)
        if job.error:
            raise job.error

    def one(job: Job) -> list[str]:
        try:
            call(job)
        except (DownError, RefusedError):
            return ["called"]
        except CircuitBreakerOpenError:
            return ["refused"]
        return ["made"]

    _serve(connection, one)


def _drawing(connection: Connection, endpoint: str, table: str) -> None:
    """Draw under one idempotency key, as often as told; say each call and each image."""
    store = DynamoDBPersistenceLayer(table_name=table, boto3_client=_client(endpoint))
    config = IdempotencyConfig(lambda_context=cast("LambdaContext", Context()))

    def make(*, quote: str, said: list[str], seconds: float) -> str:
        said.append("call")
        time.sleep(seconds)
        return f"{quote} {uuid.uuid4()}"

    draw = idempotent_function(
        make, data_keyword_argument="quote", persistence_store=store, config=config
    )

    def one(job: Job) -> list[str]:
        said = list[str]()
        try:
            said.append(draw(quote="one", said=said, seconds=job.seconds))
        except IdempotencyAlreadyInProgressError:
            said.append("in progress")
        return said

    _serve(connection, one)


def _serve(connection: Connection, one: Callable[[Job], list[str]]) -> None:
    while job := connection.recv():
        came = all_at_once(lambda _, job=job: one(job), range(job.calls), threads=job.calls)  # type: ignore[misc]
        connection.send(Counter(word for words in came for word in words))


def _client(endpoint: str) -> Any:
    return boto3.client(
        "dynamodb",
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )


# --- the environments


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
