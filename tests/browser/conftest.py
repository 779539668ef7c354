"""What every browser test starts from: a browser, and the elements' gallery."""

from collections.abc import Iterator
from functools import cache

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.stage import (
    FLAGS,
    PATIENCE_SECONDS,
    OpenGallery,
    StaticFiles,
    chromium_path,
    galleries,
    serving,
)

# Nothing is asked of how fast a machine is: each wait ends with what it waits for.
expect.set_options(timeout=PATIENCE_SECONDS * 1_000)


@pytest.fixture(scope="session")
def static_url() -> Iterator[str]:
    with serving(StaticFiles) as url:
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def open_gallery(browser: Browser, static_url: str) -> Iterator[OpenGallery]:
    """Open the gallery: ``width``, ``theme`` and what else a browser context takes."""
    with galleries(browser, static_url) as opened:
        yield opened


@pytest.fixture(scope="session")
def shared_gallery(browser: Browser, static_url: str) -> Iterator[OpenGallery]:
    """The same for tests that only look: one page for each width and theme."""
    with galleries(browser, static_url) as opened:
        yield cache(opened)
