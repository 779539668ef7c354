"""``python -m local.simulator``: runs until interrupted; its first line of output has the URLs."""

import argparse
import json
import signal
import sys
from threading import Event

from local.simulator.server import Simulator


def arguments() -> argparse.Namespace:
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(prog="local.simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 means any free port")
    parser.add_argument(
        "--delay-scale",
        type=float,
        default=0,
        help="share of each model's typical seconds that a success takes",
    )
    parser.add_argument(
        "--varies", action="store_true", help="draw another picture for each equal order"
    )
    parser.add_argument("--verbose", action="store_true", help="log every request")
    return parser.parse_args()


def started(given: argparse.Namespace) -> Simulator:
    """Return the running simulator; if the port is taken, exit with a message."""
    try:
        return Simulator.start(**vars(given))
    except OSError as error:
        sys.exit(f"cannot listen on {given.host}:{given.port}: {error.strerror}")


def main() -> None:
    """Run the simulator until SIGINT or SIGTERM."""
    given = arguments()
    stopped = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with started(given) as simulator:
        bases = {name: simulator.url + base for name, base in simulator.world.bases.items()}
        print(json.dumps({"url": simulator.url, **bases}), flush=True)
        stopped.wait()


if __name__ == "__main__":
    main()
