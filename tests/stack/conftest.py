"""One stack for the whole suite: our own, or a running one that IMAGEGEN_STACK names."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack import LocalStack, Options
from tests.stack.driver import Driver


@pytest.fixture(scope="session")
def local_stack() -> Iterator[LocalStack]:
    """The stack itself."""
    running = os.environ.get("IMAGEGEN_STACK")
    if running:
        yield LocalStack.attach(json.loads(Path(running).read_text()))
        return
    # Neither the keys of .env nor the caller's variables: the suite spends nothing.
    with LocalStack.start(Options()) as started:
        yield started


@pytest.fixture
def stack(local_stack: LocalStack) -> Driver:
    """The stack as its users drive it, with every provider well and every circuit closed."""
    driver = Driver(local_stack)
    driver.reset()
    return driver
