"""The JSON of an offer: the request for its price, and the answer."""

from typing import Annotated, Any, Literal, cast

from pydantic import (
    Field,
    StringConstraints,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

from imagegen.domain.catalog import FileFormat, Tier
from imagegen.domain.choices import Label
from imagegen.domain.operations import Operation
from imagegen.domain.price_rules import PIXEL_SIZE
from imagegen.domain.text import MAX_STYLE_CHARACTERS, Prompt, Style
from imagegen.domain.wishes import MAX_SEED, MOST_PARTIALS
from imagegen.wire.inputs import MAX_INPUTS, InputReference, InputShown, MaskReference
from imagegen.wire.values import (
    NO_TRUTH_VALUE,
    DollarsIn,
    EdgeModel,
    Instant,
    MicroUsd,
    RequestModel,
    WholeNumber,
    explained,
    optional_field,
)

MOST_IMAGES = 10
"""The most that ``MAX_COUNT`` can be."""
_SIZES = rf"^(square|landscape|portrait|same)$|{PIXEL_SIZE}"
_SIZE_WORDS = explained("must be square, landscape, portrait, same, or pixels such as 1024x1024")


def _required_to_generate(
    value: object, handler: ValidatorFunctionWrapHandler, info: ValidationInfo
) -> object:
    """Return the prompt; only an operation that does not generate may have none."""
    operation = info.data.get("operation", Operation.GENERATE)
    if value is None and operation is Operation.GENERATE:
        raise PydanticCustomError("missing", "Field required")
    if value in (None, "") and operation is not Operation.GENERATE:
        return ""
    return handler(value)


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


class EstimateRequest(RequestModel):
    """The image to price: the body of POST /estimate."""

    operation: Operation = Field(
        Operation.GENERATE,
        description="generate makes an image of a prompt; upscale and cutout work on the one "
        "picture in inputs and take no prompt.",
    )
    prompt: Annotated[Prompt, WrapValidator(_required_to_generate)] = Field(
        default=cast("str", None),
        validate_default=True,
        json_schema_extra=_without_default,
        description="Required to generate; without it for the other operations.",
    )
    scale: Literal[2, 4] | None = Field(
        None,
        description="Only to upscale: how many times longer the edges become; 2 without it.",
    )
    quality: Tier | None = Field(None, description="Without it, the prompt's words decide.")
    size: Annotated[str, StringConstraints(pattern=_SIZES), _SIZE_WORDS] = Field(
        "square",
        description="square, landscape, portrait, exact pixels such as 1024x1024, or same: for "
        "each model, its size nearest to the first input. Without it, an edit has the same size.",
    )
    style: Style = ""
    max_cost: DollarsIn | None = Field(
        None, description="Dollars as text or number; a model that costs more is not offered."
    )
    provider: str | None = Field(None, max_length=40, description="Preferred, not required.")
    model: str | None = Field(None, max_length=120, description="Preferred, not required.")
    format: FileFormat | None = Field(None, description="Without it, the model decides.")
    count: WholeNumber = Field(
        1,
        ge=1,
        le=MOST_IMAGES,
        description="How many images; MAX_COUNT at most. maxCost is for all.",
    )
    inputs: tuple[InputReference, ...] = Field(
        (), max_length=MAX_INPUTS, description="Pictures to change or to look at, in their order."
    )
    mask: MaskReference | None = Field(
        None,
        description="A PNG of the first input's size: it is changed where the mask is transparent.",
    )
    background: Literal["transparent", "opaque"] | None = Field(
        None, description="transparent leaves out models that make no transparent background."
    )
    seed: Annotated[int, Field(ge=0, le=MAX_SEED), NO_TRUTH_VALUE] | None = Field(
        None, description="Leaves out models that have no seed."
    )
    partials: WholeNumber = Field(
        0,
        ge=0,
        le=MOST_PARTIALS,
        description="Preview frames while the image is made; each has a price.",
    )

    def without_prompt(self) -> dict[str, Any]:
        """Return what was sent beside the prompt, as JSON that can be sent again."""
        return self.model_dump(
            mode="json", by_alias=True, exclude={"prompt"}, exclude_unset=True, exclude_none=True
        )


class Price(EdgeModel):
    """The expected price of all images, and the most that can be charged for them."""

    per_image: MicroUsd = Field(description="The most that one of the images can cost.")
    expected: MicroUsd
    ceiling: MicroUsd
    count: int
    currency: Literal["USD"] = "USD"


class Alternative(EdgeModel):
    """Another model of the tier: a fallback of this offer, or the reason why it is not one."""

    key: str
    provider: str
    model: str
    price: MicroUsd | None
    available: bool
    reason: str | None = None
    detail: str | None = None


class ChoiceRequest(EdgeModel):
    """What turns the same request into an offer of a choice."""

    quality: Tier
    model: str


class PricedChoice(EdgeModel):
    """A model that the person may take instead, of any tier."""

    labels: tuple[Label, ...] = Field(
        description="What it is the best in; the first choice is what this offer makes."
    )
    quality: Tier
    provider: str
    model: str
    price: Price
    typical_seconds: int
    request: ChoiceRequest = Field(
        description="Send the same estimate with these fields to get its offer; that is free."
    )


class Blocked(EdgeModel):
    """Why a click would be refused now."""

    reason: str
    detail: str
    opens_at: Instant | None = Field(description="null: waiting does not help.")


class Replaced(EdgeModel):
    """The first choice that another model replaced, and why."""

    provider: str
    model: str
    reason: str
    price: MicroUsd | None = None


class Constraints(EdgeModel):
    """The sizes and lengths that the tier supports."""

    sizes: tuple[str, ...]
    max_prompt_characters: int
    max_style_characters: int = MAX_STYLE_CHARACTERS


class LevelAllowance(EdgeModel):
    """What all users of a level may still spend; ``null`` if there is no limit."""

    level: Literal["organisation", "team", "key"]
    usd_today: MicroUsd | None
    usd_this_month: MicroUsd | None


class Allowance(EdgeModel):
    """What the user may still do; ``null`` if there is no limit."""

    images_this_hour: int | None
    images_today: int
    usd_today: MicroUsd
    levels: tuple[LevelAllowance, ...] | None = optional_field(
        "In offers and in the report of usage: the budgets that the user shares with others."
    )


class Estimate(EdgeModel):
    """A priced offer; each of its quotes can be confirmed once, within ten minutes."""

    quote: str = Field(description="Empty for several images: send quotes.")
    quote_id: str
    image_id: str = Field(description="Of several images, the first one's.")
    quotes: tuple[str, ...] = Field(description="One for each image, each a promise of its own.")
    image_ids: tuple[str, ...]
    expires_at: Instant
    operation: Operation = Operation.GENERATE
    scale: int | None = Field(
        None, description="Of an upscale: how many times longer its edges are."
    )
    prompt: str = Field(
        description="Empty for an operation without a prompt; send it back as it is."
    )
    quality: Tier
    quality_reason: str = Field(description="Empty for an operation without quality levels.")
    provider: str
    model: str
    size: str
    style: str
    price: Price
    button_label: str = Field(description="With the most that can be charged.")
    button_note: str = Field(
        description="The usual price; empty if it is the same as on the button."
    )
    blocked: Blocked | None = Field(
        description="Why the click would be refused now: show this instead of the button."
    )
    choices: tuple[PricedChoice, ...]
    constraints: Constraints
    alternatives: tuple[Alternative, ...]
    fallback: Replaced | None
    typical_seconds: int
    remaining: Allowance
    inputs: tuple[InputShown, ...] = Field(
        (), description="The inputs as they were measured; the mask is the last one."
    )
    partials: int = Field(0, description="The preview frames that the price includes.")
    request: dict[str, Any] = Field(
        default_factory=dict,
        description="What was requested beside the prompt: send both again for a new price.",
    )
