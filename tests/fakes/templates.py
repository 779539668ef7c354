"""The template after SAM's transform, which takes a second: made once for all who read it."""

from functools import cache
from typing import Any

from operations.transform import transformed


@cache
def transformed_template() -> dict[str, Any]:
    """Return the template with the defaults of its parameters; nobody may change it."""
    return transformed()
