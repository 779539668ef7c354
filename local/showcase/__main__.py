"""``python -m local.showcase``: the page of states alone, without a stack, until Ctrl-C."""

import signal

from local.showcase.server import showcase

if __name__ == "__main__":
    with showcase() as address:
        print(f"Every state of the elements: {address}", flush=True)
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
