"""``make run``: runs the whole stack on this machine until Ctrl-C."""

import argparse
import os
import signal
import sys
import time
import webbrowser
from collections.abc import Mapping
from typing import Any

from local.parameters import read_dotenv, set_values
from local.paths import DOTENV, STACK_FILE
from local.processes import LocalStackError
from local.showcase.inspector import McpHost
from local.showcase.server import showcase
from local.stack import LocalStack, Options, running_stack, write_description
from local.tour import tour


def main() -> None:
    """Start everything, print how to use it, and end everything on Ctrl-C."""
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="the emulator's port; default: any")
    dotenv = set_values(read_dotenv(DOTENV))
    options = Options(parser.parse_args().port, os.environ, dotenv, varies=True)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    try:
        running = running_stack(STACK_FILE)
        if running:
            deploy_again(running, options)
        else:
            serve(options)
    except LocalStackError as error:
        sys.exit(f"make run: {error}")
    except KeyboardInterrupt:
        print("\nStopped; no process is left running.")


def deploy_again(running: Mapping[str, Any], options: Options) -> None:
    """Deploy the current code to the stack that another terminal runs."""
    began = time.monotonic()
    print(f"A stack is running (process {running['pid']}); deploying to it ...", flush=True)
    stack = LocalStack.attach(running, options)
    stack.deploy()
    # There may be a new function. The process that ends the stack is still the other one.
    kept = {name: running[name] for name in ("pid", "statesUrl")}
    description = {**stack.describe(), **kept}
    write_description(description, STACK_FILE)
    print(tour(description, time.monotonic() - began))


def serve(options: Options) -> None:
    """Run the stack until it is interrupted."""
    began = time.monotonic()
    print("Starting the emulator and the simulated providers, building, deploying ...", flush=True)
    try:
        with LocalStack.start(options) as stack:
            show(stack, began)
    finally:
        STACK_FILE.unlink(missing_ok=True)


def show(stack: LocalStack, began: float) -> None:
    """Print how to use a stack that runs, and serve the pages beside it until it is interrupted."""
    description = stack.describe()
    host = McpHost(f"{description['estimateUrl']}/mcp", description["token"])
    with showcase(host) as states_url:
        description["statesUrl"] = states_url
        write_description(description, STACK_FILE)
        print(tour(description, time.monotonic() - began), flush=True)
        if may_open(os.environ, at_terminal=sys.stdout.isatty()):
            webbrowser.open(description["pageUrl"])
        while True:
            signal.pause()


def may_open(environ: Mapping[str, str], *, at_terminal: bool) -> bool:
    """Return whether a browser may be opened: at a terminal with a screen, unless disabled."""
    has_screen = sys.platform == "darwin" or bool({"DISPLAY", "WAYLAND_DISPLAY"} & environ.keys())
    return at_terminal and has_screen and not {"NO_OPEN", "CI"} & environ.keys()


def interrupt(*_: Any) -> None:
    """Stop; further signals are ignored, so that a second Ctrl-C cannot interrupt the cleanup."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
