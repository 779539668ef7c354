"""The request and response models of OpenAI's image routes, and their conversion to ours.

Source: https://platform.openai.com/docs/api-reference/images/create. A parameter that the service
cannot apply is refused by its name, so that no client pays for less than it asked for.
"""

import json
from typing import Annotated, Any, Literal, LiteralString

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

from imagegen.domain.catalog import PIXEL_SIZE, Catalog, Tier
from imagegen.domain.errors import ParameterError, UnknownModelError
from imagegen.domain.money import parse_usd
from imagegen.wire.headers import MAX_COST
from imagegen.wire.images import (
    Allowance,
    Cost,
    EdgeModel,
    EstimateRequest,
    Replaced,
)
from imagegen.wire.prompts import Prompt, Style

TIER_OF_QUALITY: dict[str, Tier] = {
    "low": Tier.FAST,
    "medium": Tier.STANDARD,
    "standard": Tier.STANDARD,
    "high": Tier.HIGH,
    "hd": Tier.HIGH,
    "xhigh": Tier.ULTRA,
    "max": Tier.ULTRA,
}
"""The tier of each of OpenAI's qualities. With ``auto``, the model or the prompt decides."""
QUALITY_OF_TIER = {Tier.FAST: "low", Tier.STANDARD: "medium", Tier.HIGH: "high", Tier.ULTRA: "max"}
Quality = Literal["auto", "low", "medium", "high", "xhigh", "max", "standard", "hd"]
SIZES = rf"^(auto|square|landscape|portrait)$|{PIXEL_SIZE}"


FIXED_PARAMETERS: dict[str, tuple[bool | int | str | None, LiteralString]] = {
    "n": (1, "send one request for each image, each with an Idempotency-Key of its own"),
    "stream": (False, "answers are not streamed"),
    "partial_images": (0, "there are no partial images"),
    "moderation": ("auto", "the operator decides how prompts are moderated"),
    "background": ("auto", "a background cannot be chosen: describe it in the prompt"),
    "output_format": (None, "the model decides: the answer's output_format names it"),
    "output_compression": (None, "images are sent as the model made them"),
    "complexity": (None, "it cannot be chosen; use quality"),
    "frame_count": (None, "animations cannot be made"),
    "frame_duration_ms": (None, "animations cannot be made"),
    "svg": (None, "vector images cannot be made"),
}
"""Parameters that may be left out or have one value, by name: that value (``None``: no value), and
the reason why there is no other."""


def _fixed(name: str) -> Any:
    """Return the model field for a parameter of ``FIXED_PARAMETERS``."""
    only, why = FIXED_PARAMETERS[name]
    allowed: list[JsonValue] = [None] if only is None else [only, None]
    return Field(None, description=why, json_schema_extra={"enum": allowed})


class ImagesRequest(BaseModel):
    """The body of ``images.generate``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: Prompt
    model: Annotated[str, StringConstraints(min_length=1, max_length=120)] | None = Field(
        None,
        description="A tier, a catalog key or a model's id, as listed by GET /v1/models.",
    )
    quality: Quality | None = None
    size: Annotated[str, StringConstraints(pattern=SIZES)] | None = None
    style: Style | None = None
    response_format: Literal["url", "b64_json"] | None = Field(
        None, description="b64_json by default; an image that is too large is sent as a url."
    )
    user: str | None = Field(None, description="Not used: the token identifies the user.")
    safety_identifier: str | None = Field(
        None, description="Not used: the token identifies the user."
    )
    n: Any = _fixed("n")
    stream: Any = _fixed("stream")
    partial_images: Any = _fixed("partial_images")
    moderation: Any = _fixed("moderation")
    background: Any = _fixed("background")
    output_format: Any = _fixed("output_format")
    output_compression: Any = _fixed("output_compression")
    complexity: Any = _fixed("complexity")
    frame_count: Any = _fixed("frame_count")
    frame_duration_ms: Any = _fixed("frame_duration_ms")
    svg: Any = _fixed("svg")

    @field_validator(*FIXED_PARAMETERS)
    @classmethod
    def _has_its_fixed_value(cls, value: Any, info: ValidationInfo) -> Any:
        only, why = FIXED_PARAMETERS[str(info.field_name)]
        if value is None or (value == only and isinstance(value, bool) == isinstance(only, bool)):
            return value
        raise PydanticCustomError("unsupported_parameter", why)


def canonical_body(request: ImagesRequest) -> str:
    """Return the request as JSON in canonical form: equal requests have equal text."""
    return json.dumps(request.model_dump(exclude_none=True), sort_keys=True, separators=(",", ":"))


def to_estimate_request(
    request: ImagesRequest, catalog: Catalog, max_cost: str | None
) -> EstimateRequest:
    """Return the request for an estimate; ``max_cost`` is a decimal number of dollars.

    Raises:
        ParameterError: the model does not have this ``quality``, or ``max_cost`` is not an amount.
        UnknownModelError: there is no such model.
    """
    tier = None if request.quality is None else TIER_OF_QUALITY.get(request.quality)
    return EstimateRequest(
        prompt=request.prompt,
        quality=_tier(request, tier, catalog),
        size="square" if request.size in (None, "auto") else request.size,
        style=request.style or "",
        max_cost=None if max_cost is None else _dollars(max_cost),
        model=None if request.model in tuple(Tier) else request.model,
    )


def _tier(request: ImagesRequest, tier: Tier | None, catalog: Catalog) -> Tier | None:
    """Return the tier that model and quality agree on, ``None`` if neither determines one."""
    model = request.model
    if model is None or catalog.retirement(model):
        return tier
    tiers = [row.tier for row in catalog.models if model in (row.key, row.model, row.tier)]
    if not tiers:
        raise UnknownModelError(f"Unknown model {model!r}: GET /v1/models lists them.")
    if tier is None:
        return tiers[0] if model in tuple(Tier) else None
    if tier not in tiers:
        words = ", ".join(sorted({word for word, one in TIER_OF_QUALITY.items() if one in tiers}))
        detail = f"{model!r} has the qualities {words}, not {request.quality}."
        raise ParameterError("quality", detail)
    return tier


def _dollars(text: str) -> str:
    try:
        parse_usd(text)
    except ValueError:
        raise ParameterError(MAX_COST, f'{MAX_COST} must be dollars, such as "0.05".') from None
    return text


class ImageData(BaseModel):
    """The image: its bytes as base64, or its URL."""

    b64_json: str | None = Field(None, exclude_if=lambda value: value is None)
    url: str | None = Field(None, exclude_if=lambda value: value is None)


class TokenDetails(BaseModel):
    """How many of the tokens are text and how many are images."""

    text_tokens: int
    image_tokens: int


class TokenUsage(BaseModel):
    """The tokens that the provider counted. All tokens of the prompt are text."""

    input_tokens: int
    input_tokens_details: TokenDetails
    output_tokens: int
    total_tokens: int


def to_token_usage(tokens: tuple[int, int] | None) -> TokenUsage | None:
    """Return the input and output tokens in OpenAI's form.

    ``tokens`` are input and output; they are ``None`` if the provider does not count tokens.
    """
    if tokens is None:
        return None
    input_tokens, output_tokens = tokens
    return TokenUsage(
        input_tokens=input_tokens,
        input_tokens_details=TokenDetails(text_tokens=input_tokens, image_tokens=0),
        output_tokens=output_tokens,
        total_tokens=input_tokens + output_tokens,
    )


class Receipt(EdgeModel):
    """What OpenAI's answer has no field for: the charge, and where the image is."""

    image_id: str
    image_url: str
    """Valid as long as the image is kept."""
    repeated: bool = Field(description="An earlier call made this image; it is not charged again.")
    provider: str
    model: str
    quality: Tier
    cost: Cost
    fallback: Replaced | None
    duration_ms: int
    url_instead: bool
    """Whether ``url`` replaces ``b64_json``, because of Lambda's limit of 6 MB for an answer."""
    remaining: Allowance


class ImagesAnswer(BaseModel):
    """The answer to ``images.generate``."""

    created: int
    """Seconds since 1970."""
    data: tuple[ImageData]
    size: str
    quality: str
    output_format: str
    usage: TokenUsage | None = Field(None, exclude_if=lambda value: value is None)
    imagegen: Receipt


class ListedModel(BaseModel):
    """One value that ``model`` may have."""

    id: str
    object: Literal["model"] = "model"
    created: int
    """When the price was last looked up, in seconds since 1970."""
    owned_by: str
    shutdown_date: str | None = Field(None, exclude_if=lambda value: value is None)


class ModelList(BaseModel):
    """The answer to ``models.list``."""

    object: Literal["list"] = "list"
    data: tuple[ListedModel, ...]
