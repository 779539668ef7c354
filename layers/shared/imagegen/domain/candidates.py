"""What a model is to a request: a candidate with its price, or left out with the reason."""

from dataclasses import dataclass
from enum import StrEnum

from imagegen.domain.catalog import Offering, Variant


class Reason(StrEnum):
    """Why a model is left out."""

    SIZE = "size_unsupported"
    PROMPT = "prompt_too_long"
    RETIRED = "retired"
    UNPRICED = "unpriced"
    NO_KEY = "no_key"
    DISABLED = "disabled"
    CIRCUIT = "circuit_open"
    TOO_DEAR = "above_max_cost"
    MULTIPLE = "above_price_multiple"
    QUALITY = "quality_unsupported"
    """Only of a named model: it is not in the tier that was requested."""
    FORMAT = "format_unsupported"
    MARKS = "marks_missing"
    PRICE = "price_unconfirmed"
    """Its vendor states another price than the catalog, or no longer takes the request."""
    INPUTS = "inputs_unsupported"
    WISH = "wish_unsupported"


UNAVAILABLE = frozenset({Reason.NO_KEY, Reason.DISABLED, Reason.CIRCUIT, Reason.PRICE})
"""The temporary reasons. The first model of a tier is replaced if it is left out for one of these,
and a named model if it is left out for any reason."""


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether a row can be called now; ``reason`` is ``None`` if it can."""

    reason: Reason | None = None
    retry_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that may make the image, at its price."""

    variant: Variant
    price_microusd: int
    file_format: str = ""
    """The file format that is requested; empty for the model's usual one."""

    @property
    def key(self) -> str:
        """The row's key."""
        return self.variant.row.key


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A model that may not make the image, and why."""

    row: Offering
    reason: Reason
    detail: str
    price_microusd: int | None = None
