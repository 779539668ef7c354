"""The request model of OpenAI's image route, and its conversion to ours.

Source: https://platform.openai.com/docs/api-reference/images/create. A parameter that the service
cannot apply is refused by its name, so that no client pays for less than it asked for. A parameter
that asks for the default is accepted, because many clients send all of their defaults.
"""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, LiteralString

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from imagegen.domain.catalog import Catalog, FileFormat, Tier
from imagegen.domain.errors import ParameterError
from imagegen.domain.money import parse_usd
from imagegen.domain.operations import Operation
from imagegen.domain.price_rules import PIXEL_SIZE
from imagegen.domain.sizes import Shape
from imagegen.domain.text import Prompt, Style
from imagegen.wire.estimates import EstimateRequest
from imagegen.wire.headers import MAX_COST
from imagegen.wire.inputs import InputReference, MaskReference
from imagegen.wire.values import NO_TRUTH_VALUE, explained

if TYPE_CHECKING:
    # Only a request for images loads it.
    from imagegen.openai_api.model_names import Named

TIER_OF_QUALITY: dict[str, Tier] = {
    "low": Tier.FAST,
    "fast": Tier.FAST,
    "medium": Tier.STANDARD,
    "standard": Tier.STANDARD,
    "high": Tier.HIGH,
    "hd": Tier.HIGH,
    "xhigh": Tier.ULTRA,
    "max": Tier.ULTRA,
    "ultra": Tier.ULTRA,
}
"""The tier of each quality, by OpenAI's words or ours. With ``auto``, model or prompt decide."""
QUALITY_OF_TIER = {Tier.FAST: "low", Tier.STANDARD: "medium", Tier.HIGH: "high", Tier.ULTRA: "max"}
Quality = Literal[
    "auto", "low", "medium", "high", "xhigh", "max", "standard", "hd", "fast", "ultra"
]
SIZES = rf"^(auto|square|landscape|portrait)$|{PIXEL_SIZE}"
Size = Annotated[
    str,
    StringConstraints(pattern=SIZES),
    explained("must be auto, square, landscape, portrait, or pixels such as 1024x1024"),
]
EARLIER_SIZES = {
    "256x256": Shape.SQUARE,
    "512x512": Shape.SQUARE,
    "1792x1024": Shape.LANDSCAPE,
    "1024x1792": Shape.PORTRAIT,
}
"""The sizes of OpenAI's earlier models, which many clients still send, and the shape of each. Any
model makes its own nearest pixels of that shape, at their price."""


type Fixed = tuple[tuple[bool | int | str, ...], LiteralString]

FIXED_PARAMETERS: dict[str, Fixed] = {
    "stream": ((False,), "answers are not streamed"),
    "partial_images": ((0,), "there are no partial images"),
    "moderation": (("auto", "low"), "the operator decides how prompts are moderated"),
    "output_compression": ((100,), "images are sent as the model made them"),
    "complexity": ((), "it cannot be chosen; use quality"),
    "frame_count": ((), "animations cannot be made"),
    "frame_duration_ms": ((), "animations cannot be made"),
    "svg": ((), "vector images cannot be made"),
}
"""Parameters that may be left out or have certain values, by name: these values, and the reason why
there are no others."""


def fixed_field(fixed: Fixed) -> Any:
    """Return the model field for a parameter that may have certain values only."""
    values, why = fixed
    allowed: list[JsonValue] = [*values, None]
    return Field(None, description=why, json_schema_extra={"enum": allowed})


class ImagesRequest(BaseModel):
    """The body of ``images.generate``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: Prompt
    model: Annotated[str, StringConstraints(max_length=120)] | None = Field(
        None,
        description="A tier, a catalog key or a model's id, as listed by GET /v1/models; or the "
        "name of an earlier model, which another one replaces.",
    )
    quality: Quality | None = None
    size: Size | None = None
    style: Style | None = None
    n: Annotated[int, Field(ge=1), NO_TRUTH_VALUE] | None = Field(
        None, description="How many images, each charged if it is stored; MAX_COUNT at most."
    )
    response_format: Literal["url", "b64_json"] | None = Field(
        None, description="Without it, both are sent; of a file that is too large, only the url."
    )
    output_format: FileFormat | None = Field(
        None, description="The file's format; without it, the model decides."
    )
    user: str | None = Field(None, description="Not used: the token identifies the user.")
    safety_identifier: str | None = Field(
        None, description="Not used: the token identifies the user."
    )
    background: Literal["auto", "opaque", "transparent"] | None = Field(
        None, description="transparent: as png or webp, by a model that makes it; else opaque."
    )
    stream: Any = fixed_field(FIXED_PARAMETERS["stream"])
    partial_images: Any = fixed_field(FIXED_PARAMETERS["partial_images"])
    moderation: Any = fixed_field(FIXED_PARAMETERS["moderation"])
    output_compression: Any = fixed_field(FIXED_PARAMETERS["output_compression"])
    complexity: Any = fixed_field(FIXED_PARAMETERS["complexity"])
    frame_count: Any = fixed_field(FIXED_PARAMETERS["frame_count"])
    frame_duration_ms: Any = fixed_field(FIXED_PARAMETERS["frame_duration_ms"])
    svg: Any = fixed_field(FIXED_PARAMETERS["svg"])

    @field_validator(*FIXED_PARAMETERS)
    @classmethod
    def _has_a_fixed_value(cls, value: Any, info: ValidationInfo) -> Any:
        return check_fixed(value, FIXED_PARAMETERS[str(info.field_name)])


def check_fixed(value: Any, fixed: Fixed) -> Any:
    """Return the value of a parameter that may have certain values only.

    Raises:
        PydanticCustomError: it has another one.
    """
    values, why = fixed
    # False is 0 for Python.
    known = [one for one in values if isinstance(one, bool) == isinstance(value, bool)]
    if value is None or value in known:
        return value
    raise PydanticCustomError("unsupported_parameter", why)


@dataclass(frozen=True, slots=True)
class Pictures:
    """The pictures of a call that changes some."""

    inputs: tuple[InputReference, ...] = ()
    mask: MaskReference | None = None
    identity: tuple[str, ...] = ()
    """What tells the call from one with other pictures: ids, and digests of files."""


NO_PICTURES = Pictures()


def canonical_body(request: ImagesRequest, pictures: Pictures = NO_PICTURES) -> str:
    """Return the request as JSON in canonical form: equal requests have equal text."""
    values = request.model_dump(exclude_none=True)
    if pictures.identity:
        values["pictures"] = pictures.identity
    return json.dumps(values, sort_keys=True, separators=(",", ":"))


def to_estimate_request(
    request: ImagesRequest,
    named: "Named",
    catalog: Catalog,
    max_cost: str | None,
    *,
    pictures: Pictures = NO_PICTURES,
) -> EstimateRequest:
    """Return the request for an estimate; ``max_cost`` is a decimal number of dollars.

    Raises:
        ParameterError: ``max_cost`` is not an amount.
    """
    # Without a size, an edit has that of its input.
    is_sized = not pictures.inputs or request.size not in (None, "auto")
    size: dict[str, Any] = {"size": to_size(request.size, catalog)} if is_sized else {}
    return EstimateRequest(
        prompt=request.prompt,
        quality=named.tier,
        **size,
        style=request.style or "",
        max_cost=None if max_cost is None else _dollars(max_cost),
        model=named.model,
        format=request.output_format,
        background="transparent" if request.background == "transparent" else None,
        inputs=pictures.inputs,
        mask=pictures.mask,
    )


def tier_of(request: ImagesRequest) -> Tier | None:
    """Return the tier of ``quality``, ``None`` if it does not determine one."""
    return None if request.quality is None else TIER_OF_QUALITY.get(request.quality)


def to_size(size: str | None, catalog: Catalog) -> str:
    """Return the size that is priced: a shape for a size of earlier models, unless a row has it."""
    if size in (None, "auto"):
        return Shape.SQUARE
    plain = [row for row in catalog.rows_of(Operation.GENERATE) if not row.needs_input]
    if size not in EARLIER_SIZES or any(row.option(size) for row in plain):
        return size
    return EARLIER_SIZES[size]


def check_count(request: ImagesRequest, most: int) -> int:
    """Return how many images are asked for.

    Raises:
        ParameterError: more than one call may make.
    """
    count = request.n or 1
    if count > most:
        raise ParameterError("n", f"n may be at most {most}: send further requests for more.")
    return count


def _dollars(text: str) -> str:
    try:
        parse_usd(text)
    except ValueError:
        raise ParameterError(MAX_COST, f'{MAX_COST} must be dollars, such as "0.05".') from None
    return text
