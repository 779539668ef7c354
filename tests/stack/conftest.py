"""One stack for the whole suite: our own, or a running one that IMAGEGEN_STACK names."""

from collections.abc import Iterator

import pytest

from local.stack import LocalStack, own_or_running
from tests.stack.driver import Driver


@pytest.fixture(scope="session")
def local_stack() -> Iterator[LocalStack]:
    """The stack itself."""
    with own_or_running() as stack:
        yield stack


@pytest.fixture
def stack(local_stack: LocalStack) -> Driver:
    """The stack as its users drive it, with every provider well and every circuit closed."""
    driver = Driver(local_stack)
    driver.reset()
    return driver
