"""Builds what the first request needs while Lambda starts the environment.

During the start, the environment has a whole core. A request at 512 MB has 0.29 of a core, so the
same work takes three times as long. Parts that many requests do not need are built when they are
first used.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress

STARTING = "AWS_LAMBDA_INITIALIZATION_TYPE"
"""Set by Lambda only: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""


def prime(*builds: Callable[[], object], environ: Mapping[str, str] = os.environ) -> None:
    """Call each factory if Lambda is starting an environment; do nothing anywhere else."""
    if STARTING not in environ:
        return
    for build in builds:
        # A factory that fails here fails again in the request that needs it, which reports the
        # reason. An error during the start would make every request a 502 without a reason, also
        # for routes that do not need this factory.
        with suppress(Exception):
            build()
