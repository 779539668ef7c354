"""The page and the embeddable elements: fixed files, and the URLs of the functions."""

import os
from functools import cache
from pathlib import Path
from typing import Any

from imagegen.site import PageSettings, Site, build_site
from imagegen.site.files import read_files

# Read and compressed while Lambda starts the instance, which then has a whole processor.
FILES = read_files(Path(__file__).with_name("static"))


@cache
def get_site() -> Site:
    """Return this stack's site.

    Raises:
        ValueError: the settings are not for a stack like this one.
    """
    return build_site(FILES, PageSettings.from_env(os.environ))


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return the function URL's answer to one event."""
    return get_site().answer(event)
