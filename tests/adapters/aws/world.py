"""An AWS of our own for the length of a test run: tables, buckets and clients on an emulator."""

import os
import threading
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from local import emulator
from local.emulator import CREDENTIALS, REGION, START_SECONDS
from local.processes import LOOPBACK, free_port, running, wait_until_answering

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

MINISTACK_BIN = "MINISTACK_BIN"
"""Another MiniStack than the one under ``.tools``."""
CONNECTIONS = 200


@dataclass(frozen=True, slots=True)
class Aws:
    """A running emulator, and one client of each kind for all threads."""

    endpoint: str
    dynamodb: "DynamoDBClient"
    s3: "S3Client"
    _numbers: Iterator[int] = field(default_factory=count)

    def new_table(self) -> str:
        """Return a table as the template makes it."""
        name = f"table-{next(self._numbers)}"
        self.dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": one, "AttributeType": "S"} for one in ("pk", "sk", "lp", "lx")
            ],
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "leases",
                    "KeySchema": [
                        {"AttributeName": "lp", "KeyType": "HASH"},
                        {"AttributeName": "lx", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
            ],
        )
        return name

    def new_bucket(self) -> str:
        """Return an empty bucket."""
        name = f"bucket-{next(self._numbers)}"
        self.s3.create_bucket(Bucket=name)
        return name


@contextmanager
def running_aws(directory: Path) -> Iterator[Aws]:
    """Run an emulator on a free port until the block ends."""
    with _endpoint(directory) as endpoint:
        dynamodb: Any = build_client("dynamodb", endpoint)
        s3: Any = build_client("s3", endpoint)
        s3.meta.events.register("provide-client-params.s3.PutObject", check_metadata)
        try:
            yield Aws(endpoint, dynamodb, s3)
        finally:
            dynamodb.close()
            s3.close()


def check_metadata(params: dict[str, Any], **_: Any) -> None:
    """Refuse metadata above AWS's limit of 2 KB, which the emulator does not know.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
    """
    pairs = params.get("Metadata", {}).items()
    size = sum(len(f"x-amz-meta-{name}{value}".encode()) for name, value in pairs)
    if size > 2_048:
        answer = {"Error": {"Code": "MetadataTooLarge", "Message": f"{size} bytes"}}
        raise ClientError(answer, "PutObject")  # type: ignore[arg-type]


@contextmanager
def _endpoint(directory: Path) -> Iterator[str]:
    binary = os.environ.get(MINISTACK_BIN)
    if not binary:
        with emulator.start(directory) as started:
            yield started.endpoint
        return
    port = free_port()
    log = directory / "ministack.log"
    env = {**emulator.base_environment(directory), **emulator.settings(directory, port)}
    with running([binary], env=env, log=log, cwd=directory) as process:
        endpoint = f"http://{LOOPBACK}:{port}"
        wait_until_answering(f"{endpoint}/_ministack/health", process, log, START_SECONDS)
        yield endpoint


def build_client(service: Any, endpoint: str, *, attempts: int = 2) -> Any:
    """Return a client that can reach nothing but the endpoint."""
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        config=Config(
            max_pool_connections=CONNECTIONS,
            connect_timeout=10,
            read_timeout=60,
            retries={"mode": "standard", "total_max_attempts": attempts},
            signature_version="s3v4" if service == "s3" else "v4",
        ),
    )


def at_once[T, R](work: Callable[[T], R], values: Sequence[T]) -> list[R]:
    """Return what each value came to, one thread for each, all let go together."""
    gate = threading.Barrier(len(values))

    def run(value: T) -> R:
        gate.wait()
        return work(value)

    with ThreadPoolExecutor(len(values)) as pool:
        return list(pool.map(run, values))


def fetched(url: str) -> tuple[bytes, dict[str, str]]:
    """Return the body and the headers behind an address on loopback."""
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 loopback
        return answer.read(), {name.lower(): value for name, value in answer.headers.items()}


@contextmanager
def every_request_sent_twice(client: Any, operation: str) -> Iterator[None]:
    """Let the SDK believe that each first reply was lost, so that it sends again."""

    def again(attempts: int, **_: Any) -> float | None:
        return 0.0 if attempts == 1 else None

    event = f"needs-retry.{client.meta.service_model.service_name}.{operation}"
    client.meta.events.register_first(event, again)
    try:
        yield
    finally:
        client.meta.events.unregister(event, again)


@dataclass(slots=True)
class Meter:
    """What was asked of DynamoDB, and what it cost."""

    calls: list[str] = field(default_factory=list)
    units: float = 0.0

    @contextmanager
    def running(self, client: Any) -> Iterator[None]:
        """Count until the block ends."""
        hooks = {"provide-client-params": self._ask, "after-call": self._count}
        for event, hook in hooks.items():
            client.meta.events.register(f"{event}.dynamodb", hook)
        try:
            yield
        finally:
            for event, hook in hooks.items():
                client.meta.events.unregister(f"{event}.dynamodb", hook)

    def _ask(self, params: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {**params, "ReturnConsumedCapacity": "TOTAL"}

    def _count(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        self.calls.append(model.name)
        self.units += parsed.get("ConsumedCapacity", {}).get("CapacityUnits", 0)
