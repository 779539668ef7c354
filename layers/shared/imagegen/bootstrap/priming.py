"""What the first request would build, built while Lambda starts the environment.

While it starts it has a whole core; a request at 512 MB has 0.29 of one, so the same work takes
three times as long. What may not be needed at all is still left until it is asked for.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress

STARTING = "AWS_LAMBDA_INITIALIZATION_TYPE"
"""Lambda sets it, nothing else does: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""


def prime(*builds: Callable[[], object], environ: Mapping[str, str] = os.environ) -> None:
    """Call each factory, where Lambda starts an environment; elsewhere nothing happens."""
    if STARTING not in environ:
        return
    for build in builds:
        # What fails here fails again for whoever asks, who is told why. An error at the start
        # would be a 502 without a word, and would hide the routes that need nothing of it.
        with suppress(Exception):
            build()
