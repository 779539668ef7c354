"""The base of every model that is JSON at the edge, and the fields that it may leave out."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel


class EdgeModel(BaseModel):
    """The base of everything that a request or a response has as JSON."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, frozen=True, extra="forbid"
    )


class RequestModel(EdgeModel):
    """The base of what a request contains: a field that is null counts as left out.

    Clients with typed models send every field that they know, and null for those without a value.
    """

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {name: value for name, value in given.items() if value is not None}


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
