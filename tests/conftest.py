"""What holds for every suite."""

import gc

from hypothesis import settings

# How long an example takes says how busy the machine is, nothing of the code.
settings.register_profile("imagegen", deadline=None)
settings.load_profile("imagegen")


def pytest_collection_finish() -> None:
    """Take what collection made out of every later garbage collection: it lives to the end."""
    gc.collect()
    gc.freeze()
