"""MiniStack, the AWS emulator, in a folder of its own and on loopback only."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3

from local.paths import ROOT
from local.processes import LOOPBACK, free_port, running, wait_until_answering

PYTHON: Final = ROOT / ".tools" / "ministack" / "bin" / "python"
REGION: Final = "us-east-1"
HEALTH_PATH: Final = "/_ministack/health"
START_SECONDS: Final = 60.0
CREDENTIALS: Final = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running emulator."""

    endpoint: str
    directory: Path

    def client(self, service: Any) -> Any:
        """Return a boto3 client that can reach nothing but the emulator."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )

    def environment(self) -> dict[str, str]:
        """Return the variables of an AWS tool that shall talk to the emulator and nothing else."""
        return {
            **CREDENTIALS,
            **base_environment(self.directory),
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.endpoint,
            "SAM_CLI_TELEMETRY": "0",
        }


@contextmanager
def start(directory: Path, port: int = 0) -> Iterator[Emulator]:
    """Run an emulator that forgets everything at the end of the block.

    Raises:
        LocalStackError: the port is taken, or the emulator does not start.
    """
    port = free_port(port)
    log = directory / "ministack.log"
    # -P: a module of ours must not stand in for one of MiniStack's.
    command: list[str | Path] = [PYTHON, "-P", Path(__file__).with_name("emulator_main.py")]
    env = {**base_environment(directory), **settings(directory, port)}
    with running(command, env=env, log=log, cwd=directory) as process:
        endpoint = f"http://{LOOPBACK}:{port}"
        wait_until_answering(endpoint + HEALTH_PATH, process, log, START_SECONDS)
        yield Emulator(endpoint, directory)


def settings(directory: Path, port: int) -> dict[str, str]:
    """Return MiniStack's settings: loopback, nothing kept, room for 200 runs at once."""
    return {
        "BIND_HOST": LOOPBACK,
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # Each function's role is asked: a permission that the template lacks fails here too.
        "AUTH": "true",
        "PERSIST_STATE": "0",
        "STATE_DIR": str(directory / "state"),
        "LAMBDA_EXECUTOR": "local",
        "LAMBDA_ACCOUNT_CONCURRENCY": "1000",
        "LOG_LEVEL": "WARNING",
    }


def base_environment(directory: Path) -> Mapping[str, str]:
    """Return a clean environment. Functions inherit it, so no key of the caller's may be in it."""
    scratch = directory / "tmp"
    scratch.mkdir(exist_ok=True)
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(directory),
        "TMPDIR": str(scratch),
        "LANG": "C.UTF-8",
    }
