"""Runs MiniStack, the AWS emulator, in a folder of its own and on loopback only."""

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
        """Return a boto3 client that connects only to the emulator."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )

    def environment(self) -> dict[str, str]:
        """Return the variables with which an AWS tool connects only to the emulator."""
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
    """Run an emulator until the end of the block; nothing is kept after that.

    Raises:
        LocalStackError: the port is taken, or the emulator does not start.
    """
    port = free_port(port)
    log = directory / "ministack.log"
    # -P: a module of ours must not shadow one of MiniStack's.
    command: list[str | Path] = [PYTHON, "-P", Path(__file__).with_name("emulator_main.py")]
    env = {**base_environment(directory), **settings(directory, port)}
    with running(command, env=env, log=log, cwd=directory) as process:
        endpoint = f"http://{LOOPBACK}:{port}"
        wait_until_answering(endpoint + HEALTH_PATH, process, log, START_SECONDS)
        yield Emulator(endpoint, directory)


def settings(directory: Path, port: int) -> dict[str, str]:
    """Return MiniStack's settings: loopback only, nothing kept, 1,000 concurrent runs."""
    return {
        "BIND_HOST": LOOPBACK,
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # Each function's role is enforced: a permission that the template lacks fails here too.
        "AUTH": "true",
        "PERSIST_STATE": "0",
        "STATE_DIR": str(directory / "state"),
        "LAMBDA_EXECUTOR": "local",
        "LAMBDA_ACCOUNT_CONCURRENCY": "1000",
        "LOG_LEVEL": "WARNING",
    }


def base_environment(directory: Path) -> Mapping[str, str]:
    """Return a minimal environment without the user's keys, because functions inherit it."""
    scratch = directory / "tmp"
    scratch.mkdir(exist_ok=True)
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(directory),
        "TMPDIR": str(scratch),
        "LANG": "C.UTF-8",
    }
