"""OpenAI's image generation in our terms: what is asked for, refused, and answered.

Source: https://platform.openai.com/docs/api-reference/images/create. Parameters that no answer of
ours could honour are refused by name, so that nobody pays for less than they asked for.
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
    MAX_STYLE_CHARACTERS,
    Allowance,
    Cost,
    EdgeModel,
    EstimateRequest,
    Prompt,
    Replaced,
)

QUALITIES: dict[str, Tier] = {
    "low": Tier.FAST,
    "medium": Tier.STANDARD,
    "standard": Tier.STANDARD,
    "high": Tier.HIGH,
    "hd": Tier.HIGH,
    "xhigh": Tier.ULTRA,
    "max": Tier.ULTRA,
}
"""OpenAI's words for ours; ``auto`` leaves it to the model or to the prompt's words."""
SAID_QUALITIES = {Tier.FAST: "low", Tier.STANDARD: "medium", Tier.HIGH: "high", Tier.ULTRA: "max"}
Quality = Literal["auto", "low", "medium", "high", "xhigh", "max", "standard", "hd"]
SIZES = rf"^(auto|square|landscape|portrait)$|{PIXEL_SIZE}"


HONOURED: dict[str, tuple[bool | int | str | None, LiteralString]] = {
    "n": (1, "send one request for each image, each with an Idempotency-Key of its own"),
    "stream": (False, "answers are not streamed"),
    "partial_images": (0, "there are no partial images"),
    "moderation": ("auto", "the operator decides how prompts are moderated"),
    "background": ("auto", "a background cannot be chosen: describe it in the prompt"),
    "output_format": (None, "the model decides: the answer's output_format names it"),
    "output_compression": (None, "images are passed on as the model made them"),
    "complexity": (None, "it cannot be chosen; quality can"),
    "frame_count": (None, "images do not move"),
    "frame_duration_ms": (None, "images do not move"),
    "svg": (None, "images are made of pixels"),
}
"""Parameters that may be left out or say what is done anyway, and why nothing else."""


def _fixed(name: str) -> Any:
    """Return the field of a parameter of ``HONOURED``."""
    only, why = HONOURED[name]
    allowed: list[JsonValue] = [None] if only is None else [only, None]
    return Field(None, description=why, json_schema_extra={"enum": allowed})


class ImagesRequest(BaseModel):
    """The body of ``images.generate``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: Prompt
    model: Annotated[str, StringConstraints(min_length=1, max_length=120)] | None = Field(
        None,
        description="A tier, a catalog key or a model's id: GET /v1/models.",
    )
    quality: Quality | None = None
    size: Annotated[str, StringConstraints(pattern=SIZES)] | None = None
    style: Annotated[str, StringConstraints(max_length=MAX_STYLE_CHARACTERS)] | None = None
    response_format: Literal["url", "b64_json"] | None = Field(
        None, description="b64_json where it is left out, and a url where the image is too large."
    )
    user: str | None = Field(None, description="Not used: the token says who asks.")
    safety_identifier: str | None = Field(None, description="Not used: the token says who asks.")
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

    @field_validator(*HONOURED)
    @classmethod
    def _is_what_is_done_anyway(cls, value: Any, info: ValidationInfo) -> Any:
        only, why = HONOURED[str(info.field_name)]
        if value is None or (value == only and isinstance(value, bool) == isinstance(only, bool)):
            return value
        raise PydanticCustomError("unsupported_parameter", why)


def body_of(asked: ImagesRequest) -> str:
    """Return the same text for the same request, however it was written."""
    return json.dumps(asked.model_dump(exclude_none=True), sort_keys=True, separators=(",", ":"))


def wish_of(asked: ImagesRequest, catalog: Catalog, max_cost: str | None) -> EstimateRequest:
    """Return what an offer is asked for; ``max_cost`` is dollars as text.

    Raises:
        ParameterError: ``quality`` is not one of the model's, or ``max_cost`` is no amount.
        UnknownModelError: there is no such model.
    """
    tier = None if asked.quality is None else QUALITIES.get(asked.quality)
    return EstimateRequest(
        prompt=asked.prompt,
        quality=_tier(asked, tier, catalog),
        size="square" if asked.size in (None, "auto") else asked.size,
        style=asked.style or "",
        max_cost=None if max_cost is None else _dollars(max_cost),
        model=None if asked.model in tuple(Tier) else asked.model,
    )


def _tier(asked: ImagesRequest, tier: Tier | None, catalog: Catalog) -> Tier | None:
    """Return the tier that model and quality agree on, ``None`` where neither says one."""
    if asked.model is None or catalog.retirement(asked.model):
        return tier
    rows = [row.tier for row in catalog.models if asked.model in (row.key, row.model, row.tier)]
    if not rows:
        raise UnknownModelError(f"Unknown model {asked.model!r}: GET /v1/models lists them.")
    if tier is None:
        return rows[0] if asked.model in tuple(Tier) else None
    if tier not in rows:
        words = ", ".join(sorted({word for word, one in QUALITIES.items() if one in rows}))
        raise ParameterError(
            "quality", f"{asked.model!r} is drawn at {words}, not {asked.quality}."
        )
    return tier


def _dollars(text: str) -> str:
    try:
        parse_usd(text)
    except ValueError:
        raise ParameterError(MAX_COST, f'{MAX_COST} must be dollars, such as "0.05".') from None
    return text


class ImageData(BaseModel):
    """The image, in one of two ways."""

    b64_json: str | None = Field(None, exclude_if=lambda value: value is None)
    url: str | None = Field(None, exclude_if=lambda value: value is None)


class TokenDetails(BaseModel):
    """Tokens by what they stand for."""

    text_tokens: int
    image_tokens: int


class TokenUsage(BaseModel):
    """The tokens that the provider counted; a prompt is text alone."""

    input_tokens: int
    input_tokens_details: TokenDetails
    output_tokens: int
    total_tokens: int


def usage_of(tokens: tuple[int, int] | None) -> TokenUsage | None:
    """Return the tokens in and out as OpenAI tells them, ``None`` where nobody counted."""
    if tokens is None:
        return None
    asked, drawn = tokens
    details = TokenDetails(text_tokens=asked, image_tokens=0)
    return TokenUsage(
        input_tokens=asked,
        input_tokens_details=details,
        output_tokens=drawn,
        total_tokens=asked + drawn,
    )


class Receipt(EdgeModel):
    """What OpenAI's answer has no place for."""

    image_id: str
    image_url: str
    """Good as long as the image is kept."""
    repeated: bool = Field(
        description="An earlier call made this image: its charge is told again, not made again."
    )
    provider: str
    model: str
    quality: Tier
    cost: Cost
    fallback: Replaced | None
    duration_ms: int
    url_instead: bool
    """A ``url`` stands in the place of ``b64_json``: Lambda's answers end at 6 MB."""
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
    """One thing that ``model`` may say."""

    id: str
    object: Literal["model"] = "model"
    created: int
    """Seconds since 1970: when its price was last looked up."""
    owned_by: str
    shutdown_date: str | None = Field(None, exclude_if=lambda value: value is None)


class ModelList(BaseModel):
    """The answer to ``models.list``."""

    object: Literal["list"] = "list"
    data: tuple[ListedModel, ...]
