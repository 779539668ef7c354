"""``sam build`` and ``sam deploy`` for this machine."""

import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from typing import Final

from local.emulator import Emulator
from local.paths import BUILD, ROOT, SAM, STATE
from local.processes import LocalStackError

# Named, or sam would look for it beside the built template.
CONFIG_FILE: Final = ("--config-file", str(ROOT / "samconfig.toml"))
ARCHITECTURES: Final = {"aarch64": "arm64", "arm64": "arm64", "x86_64": "x86_64", "amd64": "x86_64"}


def host_architecture() -> str:
    """Return what this machine is, in Lambda's words.

    Raises:
        LocalStackError: it is neither of Lambda's two.
    """
    machine = platform.machine().lower()
    try:
        return ARCHITECTURES[machine]
    except KeyError as error:
        raise LocalStackError(f"Lambda has no {machine!r}, so nothing can be run here") from error


def build() -> None:
    """Build the template's layer and functions for this machine, into ``BUILD``.

    Raises:
        LocalStackError: a part does not build; the message is sam's.
    """
    env = {**os.environ, "IMAGEGEN_ARCHITECTURE": "host", "SAM_CLI_TELEMETRY": "0"}
    architecture = f"Architecture={host_architecture()}"
    sam("build", "--build-dir", str(BUILD), "--parameter-overrides", architecture, env=env)


def deploy(emulator: Emulator, stack_name: str, parameters: Mapping[str, str]) -> None:
    """Deploy what was built to the emulator.

    Raises:
        LocalStackError: the emulator refused the stack; the message is sam's.
    """
    chosen = {**parameters, "Architecture": host_architecture()}
    bucket = artifacts_bucket(emulator)
    arguments = ["--template-file", str(BUILD / "template.yaml"), "--stack-name", stack_name]
    arguments += ["--s3-bucket", bucket, "--parameter-overrides", *quoted(chosen)]
    # Its own folder instead of ~/.aws-sam; in ours the next run finds it again.
    env = {**emulator.environment(), "__SAM_CLI_APP_DIR": str(STATE / "sam")}
    sam("deploy", *arguments, env=env)


def quoted(parameters: Mapping[str, str]) -> list[str]:
    """Return parameters as sam reads them; quoted, for a value may have commas and spaces."""
    return [f'{name}="{value}"' for name, value in sorted(parameters.items()) if value]


def artifacts_bucket(emulator: Emulator) -> str:
    """Return a bucket for what is deployed; sam's own takes a second stack and 10 s."""
    name = "imagegen-artifacts"
    emulator.client("s3").create_bucket(Bucket=name)
    return name


def sam(command: str, *arguments: str, env: Mapping[str, str]) -> None:
    """Run sam quietly; what it says is shown where it fails."""
    whole: Sequence[str] = [str(SAM), command, *CONFIG_FILE, "--config-env", "local", *arguments]
    done = subprocess.run(whole, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LocalStackError(f"sam {command} failed:\n{done.stdout}\n{done.stderr}")
