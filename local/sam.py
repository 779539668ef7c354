"""``sam build`` and ``sam deploy`` for this machine."""

import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from typing import Final

from local.emulator import Emulator
from local.parameters import RELEASE
from local.paths import BUILD, ROOT, SAM, STATE
from local.processes import LocalStackError
from local.release import release

# Without this option, sam would look for the file beside the built template.
CONFIG_FILE: Final = ("--config-file", str(ROOT / "samconfig.toml"))
ARCHITECTURES: Final = {"aarch64": "arm64", "arm64": "arm64", "x86_64": "x86_64", "amd64": "x86_64"}


def host_architecture() -> str:
    """Return Lambda's name of this machine's architecture.

    Raises:
        LocalStackError: Lambda does not have this architecture.
    """
    machine = platform.machine().lower()
    try:
        return ARCHITECTURES[machine]
    except KeyError as error:
        raise LocalStackError(
            f"Lambda does not have the architecture {machine!r}, so functions cannot run here"
        ) from error


def build() -> None:
    """Build the template's layer and functions for this machine, into ``BUILD``.

    Raises:
        LocalStackError: the build failed; the message contains sam's output.
    """
    env = {**os.environ, "IMAGEGEN_ARCHITECTURE": "host", "SAM_CLI_TELEMETRY": "0"}
    architecture = f"Architecture={host_architecture()}"
    sam("build", "--build-dir", str(BUILD), "--parameter-overrides", architecture, env=env)


def deploy(emulator: Emulator, stack_name: str, parameters: Mapping[str, str]) -> None:
    """Deploy the build to the emulator.

    Raises:
        LocalStackError: the emulator refused the stack; the message contains sam's output.
    """
    chosen = {**parameters, "Architecture": host_architecture()}
    chosen[RELEASE] = release(BUILD, chosen)
    bucket = artifacts_bucket(emulator)
    arguments = ["--template-file", str(BUILD / "template.yaml"), "--stack-name", stack_name]
    arguments += ["--s3-bucket", bucket, "--parameter-overrides", *quoted(chosen)]
    # sam's state goes into our folder instead of ~/.aws-sam, where the next run finds it again.
    env = {**emulator.environment(), "__SAM_CLI_APP_DIR": str(STATE / "sam")}
    sam("deploy", *arguments, env=env)


def quoted(parameters: Mapping[str, str]) -> list[str]:
    """Return parameters for sam's command line, quoted because of commas and spaces in values."""
    return [f'{name}="{value}"' for name, value in sorted(parameters.items())]


def artifacts_bucket(emulator: Emulator) -> str:
    """Create a bucket for the build and return its name; sam's own needs another stack and 10 s."""
    name = "imagegen-artifacts"
    emulator.client("s3").create_bucket(Bucket=name)
    return name


def sam(command: str, *arguments: str, env: Mapping[str, str]) -> None:
    """Run sam; its output is shown only if it fails.

    Raises:
        LocalStackError: sam failed; the message contains its output.
    """
    whole: Sequence[str] = [str(SAM), command, *CONFIG_FILE, "--config-env", "local", *arguments]
    done = subprocess.run(whole, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LocalStackError(f"sam {command} failed:\n{done.stdout}\n{done.stderr}")
