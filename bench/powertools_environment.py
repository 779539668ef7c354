"""What runs in one environment of ``bench.peers_powertools``, used as its documentation says."""

import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
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
from tests.exactness.ground import all_at_once

REST_SECONDS = 5
CACHE_SECONDS = 1


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


def breaking(connection: Connection, endpoint: str, table: str) -> None:
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


def drawing(connection: Connection, endpoint: str, table: str) -> None:
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
