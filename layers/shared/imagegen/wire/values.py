"""The base of every model that is JSON at the edge, and its values: dollars, times, numbers."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, LiteralString

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from imagegen.domain.money import parse_usd, usd_text

DOLLARS = r"^([0-9]{1,9}|[0-9]{0,9}\.[0-9]{1,6})$"


class EdgeModel(BaseModel):
    """The base of everything that a request or a response has as JSON."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, frozen=True, extra="forbid"
    )


class RequestModel(EdgeModel):
    """The base of a request for images: a field that is null counts as left out.

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


def iso_time(at_ms: int) -> str:
    """Return milliseconds since 1970 as UTC: ``2026-11-22T10:00:00.000Z``."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def explained(words: LiteralString) -> WrapValidator:
    """Return a validator to put after a pattern; its error message is these words.

    People cannot read a regular expression; it remains in the JSON schema.
    """

    def check(value: object, handler: ValidatorFunctionWrapHandler) -> object:
        try:
            return handler(value)
        except ValidationError:
            raise PydanticCustomError("string_pattern_mismatch", words) from None

    return WrapValidator(check)


def _is_none(value: object) -> bool:
    return value is None


def _dollars(value: object) -> int:
    invalid = ValueError('must be dollars, such as "0.05"')
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise invalid
    try:
        # JSON may write one number as 1e-5 or as 0.00001: both are accepted.
        return parse_usd(value if isinstance(value, str) else f"{Decimal(str(value)):f}")
    except ValueError:
        raise invalid from None  # an answer must not repeat what was sent


def _no_truth_value(value: object) -> object:
    """Return what may be a number: for Python, ``true`` is the number 1."""
    if isinstance(value, bool):
        raise PydanticCustomError("int_type", "must be a whole number")
    return value


MicroUsd = Annotated[
    int,
    Field(ge=0),
    PlainSerializer(usd_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d+\.\d{6}$", "examples": ["0.052700"]}),
]
DollarsIn = Annotated[
    int,
    BeforeValidator(_dollars),
    # A number is accepted as well. Clients that are generated of a union need a class for it.
    PlainSerializer(usd_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": DOLLARS, "examples": ["0.05"]}),
]
Instant = Annotated[
    int,
    PlainSerializer(iso_time, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
NO_TRUTH_VALUE = BeforeValidator(_no_truth_value)
"""Stands after the bounds of an optional number, so that they are in its JSON schema."""
WholeNumber = Annotated[int, NO_TRUTH_VALUE]
"""An integer; LLMs and clients also write it as 4.0 or as text. ``true`` is not one."""
