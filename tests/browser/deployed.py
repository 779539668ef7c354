"""A plugin: the stack whose page is visited, one for all the page's tests, and its visitors."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser

from tests.browser.pages import WATCH, Visit, Visitor
from tests.stack.conftest import local_stack
from tests.stack.driver import Driver, Person

__all__ = ["local_stack"]


@pytest.fixture
def stack(local_stack: Any) -> Driver:
    """The stack with every provider well and every circuit closed."""
    driver = Driver(local_stack)
    driver.reset()
    return driver


@pytest.fixture
def visit(browser: Browser, stack: Driver) -> Iterator[Visit]:
    """Open the page as somebody nobody has been before: ``width``, ``theme``, browser options."""
    with ExitStack() as ends:

        def opened(
            *, width: int = 1280, height: int = 800, theme: str = "light", **more: Any
        ) -> Visitor:
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme=theme,  # type: ignore[arg-type]
                locale="en-US",
                **more,
            )
            ends.callback(context.close)
            context.add_init_script(WATCH)
            # Also to a stack that other runs of this suite have visited.
            person = Person(stack, stack.local.issuer.token(f"visitor-{uuid4()}"))
            visitor = Visitor(stack, person, context, context.new_page())
            visitor.open()
            return visitor

        yield opened
