"""The base of every model that is JSON at the edge, and the fields that it may leave out."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class EdgeModel(BaseModel):
    """The base of everything that a request or a response has as JSON."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, frozen=True, extra="forbid"
    )


def optional_field(
    description: str | None = None, *, serialization_alias: str | None = None
) -> Any:
    """Return a field that is left out of the JSON if it has no value."""
    return Field(
        default=None,
        exclude_if=_is_none,
        description=description,
        serialization_alias=serialization_alias,
    )


def _is_none(value: object) -> bool:
    return value is None
