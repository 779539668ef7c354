"""The composition root: the service of each function, built from a world and its settings.

In production the world is ``AwsWorld``; tests and benchmarks build the same services over worlds of
their own. No other code connects use cases with adapters.
"""

import gc
import os

STARTING = "AWS_LAMBDA_INITIALIZATION_TYPE"
"""Set by Lambda only: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""

# Loading modules makes many objects and next to no garbage. ``service.prime`` ends this.
if STARTING in os.environ:
    gc.disable()
