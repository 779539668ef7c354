"""What the rows stand on: an emulator, tables and buckets, clients, clocks, processes, a seed."""

import multiprocessing
import random
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import requests
from botocore.config import Config

from imagegen.aws import clients
from local import faults
from local.emulator import CREDENTIALS, REGION
from local.faults import CONTROL, Fault
from tests.adapters.aws.world import Aws, build_client
from tests.exactness.wire import ThinDynamo
from tests.fakes.clock import NOON_MS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

CONTEXT: ForkServerContext = multiprocessing.get_context("forkserver")
"""Children are copies of a process with one thread that has loaded all and opened nothing."""
CONTEXT.set_forkserver_preload(["tests.exactness.warm"])
WAIT_SECONDS = 240


@dataclass(frozen=True, slots=True)
class Place:
    """Where a child process finds the stores."""

    endpoint: str
    table: str
    bucket: str = ""

    def dynamodb(self, connections: int = 10) -> "DynamoDBClient":
        """Return a client as the functions make it: their timeouts, their retries."""
        client: DynamoDBClient = _client("dynamodb", self.endpoint, clients._STORE, connections)
        return client

    def unhurried(self) -> "DynamoDBClient":
        """Return the same with the time that an emulator gets: a busy machine is no lost reply."""
        config = clients._STORE.merge(clients._EMULATED)
        client: DynamoDBClient = _client("dynamodb", self.endpoint, config, 10)
        return client

    def s3(self, connections: int = 10) -> "S3Client":
        """Return a client as the functions make it."""
        client: S3Client = _client("s3", self.endpoint, clients._BYTES, connections)
        return client

    def patient(self) -> "DynamoDBClient":
        """Return a client that waits: 200 threads on two cores are slow and not what is tested."""
        client: DynamoDBClient = build_client("dynamodb", self.endpoint)
        return client

    def thin(self) -> ThinDynamo:
        """Return a client without the SDK, for many requests whose retries are not the point."""
        return ThinDynamo(self.endpoint)


def _client(service: Any, endpoint: str, config: Config, connections: int) -> Any:
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        config=config.merge(Config(max_pool_connections=connections)),
    )


@dataclass(frozen=True, slots=True)
class Ground:
    """What one run of the bar uses."""

    aws: Aws
    directory: Path
    seed: int
    soak_seconds: float = 20.0
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def random(self, *parts: object) -> random.Random:
        """Return dice that fall alike for the same seed."""
        return random.Random(f"{self.seed}/{parts}")

    def place(self, *, bucket: bool = False) -> Place:
        """Return a new table, and a new bucket where one is asked for."""
        name = self.aws.new_bucket() if bucket else ""
        return Place(self.aws.endpoint, self.aws.new_table(), name)

    def user(self) -> str:
        """Return a user nobody has seen before."""
        return f"{next(self._numbers):032x}"

    @contextmanager
    def proxy(self, *parts: object) -> Iterator["Proxy"]:
        """Run a fault proxy in front of the emulator."""
        seed = self.random("proxy", *parts).getrandbits(32)
        python = sys.executable
        with faults.start(self.aws.endpoint, self.directory, python=python, seed=seed) as url:
            yield Proxy(url)


@dataclass(frozen=True, slots=True)
class Proxy:
    """A running fault proxy."""

    url: str

    def set(self, **rates: float) -> None:
        """Say what happens to how many of the requests from now on."""
        wanted = {Fault(name): rate for name, rate in rates.items()}
        requests.post(self.url + CONTROL, json={"rates": wanted}, timeout=10).raise_for_status()

    def done(self) -> dict[str, int]:
        """Return what was done to how many requests."""
        came: dict[str, int] = requests.get(self.url + CONTROL, timeout=10).json()
        return came


@dataclass(slots=True)
class Clock:
    """The time of the whole fleet; it moves when it is told to."""

    at_ms: int = NOON_MS

    def __call__(self) -> int:
        """Return the time."""
        return self.at_ms


@dataclass(frozen=True, slots=True)
class Skewed:
    """One instance's idea of the time."""

    clock: Callable[[], int]
    skew_ms: int

    def __call__(self) -> int:
        """Return the time as this instance has it."""
        return self.clock() + self.skew_ms


def child(work: Callable[..., None], *arguments: object) -> tuple[ForkServerProcess, Connection]:
    """Start a process that runs ``work(connection, *arguments)``."""
    ours, theirs = CONTEXT.Pipe()
    process = CONTEXT.Process(target=work, args=(theirs, *arguments), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def receive(connection: Connection, works_seconds: float = 0.0) -> Any:
    """Return what a child sends, which may work for so long.

    Raises:
        TimeoutError: it is silent for four minutes.
    """
    if not connection.poll(WAIT_SECONDS + works_seconds):
        raise TimeoutError("a worker process is silent")
    return connection.recv()


def all_at_once[T, R](work: Callable[[T], R], values: Sequence[T], *, threads: int) -> list[R]:
    """Return what each value came to; as many threads as asked take them from one heap."""
    came: dict[int, R] = {}
    failed = list[Exception]()
    numbers, gate = iter(range(len(values))), threading.Barrier(threads)
    lock = threading.Lock()

    def take() -> int | None:
        with lock:
            return next(numbers, None)

    def run() -> None:
        gate.wait()
        while (number := take()) is not None:
            try:
                came[number] = work(values[number])
            except Exception as error:  # noqa: BLE001 told to the row below
                failed.append(error)

    crew = [threading.Thread(target=run, daemon=True) for _ in range(threads)]
    for one in crew:
        one.start()
    for one in crew:
        one.join()
    if failed:
        raise failed[0]
    return [came[number] for number in range(len(values))]
