"""``make invoke``: runs one function on one event, in a container or, without an engine, in RIE."""

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from local import rie, sam
from local.emulator import Emulator
from local.events import read_event
from local.paths import BUILD, ROOT, SAM, STACK_FILE, STATE
from local.stack import FUNCTIONS

ENGINES: Final = ("docker", "finch", "podman")
VARIABLES: Final = STATE / "invoke-variables.json"
EVENT: Final = STATE / "invoke-event.json"
NO_ENGINE: Final = """\
No container engine ({engines}) is running here, and `sam local invoke` needs one.
The function runs in the runtime interface emulator instead: with the same runtime client, but with
this machine's Python and operating system.
"""
PODMAN: Final = """\
sam finds Podman only through DOCKER_HOST. Start Podman's socket and set the variable:

  systemctl --user start podman.socket
  export DOCKER_HOST=unix://$XDG_RUNTIME_DIR/podman/podman.sock"""
NO_STACK: Final = (
    "The function needs a table, keys and providers: start `make run` in another terminal first."
)


def main() -> None:
    """Run the function and print its answer."""
    parser = argparse.ArgumentParser(prog="make invoke", description=__doc__)
    parser.add_argument("function", choices=FUNCTIONS)
    parser.add_argument("event", type=Path, nargs="?")
    given = parser.parse_args()
    if not given.event or not given.event.is_file():
        sys.exit(f"Name an event:\n\n{examples(given.function)}")
    if not STACK_FILE.is_file():
        sys.exit(NO_STACK)
    stack = json.loads(STACK_FILE.read_text())
    sam.build()
    variables = deployed_variables(stack, given.function)
    event = read_event(given.event, stack)
    if engine := next(filter(answers, ENGINES), None):
        if engine == "podman" and not os.environ.get("DOCKER_HOST"):
            sys.exit(PODMAN)
        sys.exit(in_container(given.function, event, variables))
    print(NO_ENGINE.format(engines=", ".join(ENGINES)), file=sys.stderr)
    with rie.start(given.function, variables) as function:
        print(json.dumps(function.invoke(event), indent=2))


def answers(engine: str) -> bool:
    """Return whether a container engine is installed and running."""
    program = shutil.which(engine)
    if not program:
        return False
    return not subprocess.run([program, "info"], capture_output=True, check=False).returncode


def examples(function: str) -> str:
    """Return a command for each event of the function."""
    paths = sorted((ROOT / "events" / function).glob("*.json"))
    lines = [f"  make invoke FUNCTION={function} EVENT={path.relative_to(ROOT)}" for path in paths]
    return "\n".join(lines) or f"  there are none under events/{function}/"


def deployed_variables(stack: dict[str, Any], function: str) -> dict[str, str]:
    """Return the environment that the running stack gives the function."""
    client = Emulator(stack["awsEndpoint"], STATE).client("lambda")
    configuration = client.get_function_configuration(
        FunctionName=stack["functions"][function], Qualifier="live"
    )
    variables: dict[str, str] = configuration["Environment"]["Variables"]
    return {**variables, "AWS_ENDPOINT_URL": stack["awsEndpoint"]}


def in_container(function: str, event: dict[str, Any], variables: dict[str, str]) -> int:
    """Run ``sam local invoke`` on the host's network and return its exit status."""
    VARIABLES.write_text(json.dumps({resource_of(function): variables}))
    EVENT.write_text(json.dumps(event))
    command = container_command(function, sam.host_architecture())
    return subprocess.run(command, env=os.environ, check=False).returncode


def container_command(function: str, architecture: str) -> list[str | Path]:
    """Return the command that runs a function, built for this machine, in a container.

    Without the architecture sam would take the template's default, and start a container of another
    processor than the layer was built for.
    """
    template = str(BUILD / "template.yaml")
    command: list[str | Path] = [SAM, "local", "invoke", resource_of(function)]
    command += ["--template", template, "--parameter-overrides", f"Architecture={architecture}"]
    return [*command, "--event", EVENT, "--env-vars", VARIABLES, "--docker-network", "host"]


def resource_of(function: str) -> str:
    """Return a function's name in the template."""
    return f"{function.capitalize()}Function"


if __name__ == "__main__":
    main()
