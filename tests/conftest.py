"""What holds for every suite."""

import gc

from tests.examples import register_profiles

register_profiles()


def pytest_collection_finish() -> None:
    """Take what collection made out of every later garbage collection: it lives to the end."""
    gc.collect()
    gc.freeze()
