"""What a request to price an image means: its tier and criteria, and why no model may meet them.

An operation without a prompt takes one picture, and little else.
"""

from collections.abc import Container
from datetime import date

from imagegen.domain import quality
from imagegen.domain.candidates import UNAVAILABLE, Reason
from imagegen.domain.catalog import Catalog, Tier
from imagegen.domain.criteria import SAME_SIZE, Criteria
from imagegen.domain.errors import (
    AboveMaxCostError,
    InvalidRequestError,
    NoProviderError,
    ParameterError,
    RetiredModelError,
    UnknownModelError,
    UnsupportedSizeError,
)
from imagegen.domain.inputs import QuotedInput, Role, encoded_bytes, without_mask
from imagegen.domain.money import label_text
from imagegen.domain.operations import DEFAULT_SCALE, TITLES, Operation
from imagegen.domain.pricing import prompt_tokens
from imagegen.domain.quote import styled_prompt
from imagegen.domain.selection import Selection
from imagegen.domain.wishes import Wishes
from imagegen.wire.estimates import EstimateRequest

ALLOWED = frozenset(
    {"operation", "scale", "inputs", "format", "quality", "max_cost", "provider", "model"}
)
"""Of a request for an operation without a prompt, the fields that need not have their defaults."""


def check_operation(request: EstimateRequest) -> None:
    """Raise unless the request has what its operation needs, and nothing that it would ignore.

    Raises:
        ParameterError: a field does not fit the operation.
    """
    operation = request.operation
    if request.scale is not None and operation is not Operation.UPSCALE:
        raise ParameterError("scale", 'Only the operation "upscale" has a scale: leave it out.')
    if operation is Operation.GENERATE:
        return
    title = TITLES[operation]
    for name, field in EstimateRequest.model_fields.items():
        if name not in ALLOWED and getattr(request, name) not in (field.get_default(), ""):
            alias = field.alias or name
            raise ParameterError(alias, f"{title} takes no {alias}: leave it out.")
    if len(request.inputs) != 1:
        raise ParameterError("inputs", f"{title} needs exactly one picture in inputs.")
    if request.inputs[0].role == "reference":
        raise ParameterError("inputs.0.role", f"{title} changes its picture: leave role out.")


def choose_tier(request: EstimateRequest, catalog: Catalog, day: date) -> quality.QualityChoice:
    """Return the tier that ``quality`` or ``model`` determines, else the prompt's words.

    The rows of an operation without a prompt are all in one tier.

    Raises:
        InvalidRequestError: the provider or the model is unknown, retired, or for another
            operation.
    """
    if request.provider and request.provider not in catalog.providers:
        known = ", ".join(catalog.providers)
        raise InvalidRequestError(f"Unknown provider {request.provider!r}: use one of {known}.")
    if request.model:
        _check_known(request.model, catalog, day)
    if request.operation is not Operation.GENERATE:
        return _tier_of(request, catalog)
    if not request.model:
        return quality.choose_quality(request.prompt, request.quality)
    _check_generates(request, catalog)
    if request.quality:
        return quality.choose_quality(request.prompt, request.quality)
    tiers = [r.tier for r in catalog.models if request.model in (r.key, r.model)]
    return quality.choose_for_model(request.prompt, tiers)


def _tier_of(request: EstimateRequest, catalog: Catalog) -> quality.QualityChoice:
    """Return the tier that all rows of the request's operation are in.

    Raises:
        ParameterError: the catalog has no row for it, another quality is requested, or the named
            model does something else.
    """
    operation = request.operation
    title = TITLES[operation]
    rows = catalog.rows_of(operation)
    if not rows:
        raise ParameterError(
            "operation", f"No model here is for the operation {operation.value!r}."
        )
    if request.model and not any(request.model in (row.key, row.model) for row in rows):
        known = ", ".join(row.key for row in rows)
        raise ParameterError(
            "model",
            f"The model {request.model!r} is not for the operation {operation.value!r}: "
            f"use {known}.",
        )
    tier = rows[0].tier
    if request.quality not in (None, tier):
        raise ParameterError("quality", f"{title} has no quality levels: leave quality out.")
    return quality.QualityChoice(tier, "")


def _check_generates(request: EstimateRequest, catalog: Catalog) -> None:
    """Raise if the named model makes no images of prompts.

    Raises:
        ParameterError: it is only for an operation, which the message names.
    """
    rows = [row for row in catalog.models if request.model in (row.key, row.model)]
    operations = {row.operation for row in rows}
    if rows and Operation.GENERATE not in operations:
        name = next(iter(operations))
        raise ParameterError(
            "model",
            f"The model {request.model!r} makes no images of a prompt: send the operation "
            f"{name.value!r}.",
        )


def _check_known(model: str, catalog: Catalog, day: date) -> None:
    if retired := catalog.retirement(model):
        ends = "ended" if retired.shutdown_on <= day else "ends"
        better = catalog.by_key[retired.replaced_by]
        raise RetiredModelError(
            f"{model!r} {ends} on {retired.shutdown_on}; "
            f"{better.model!r} ({better.key}) replaces it."
        )
    if not any(model in (row.key, row.model) for row in catalog.models):
        raise UnknownModelError(f"Unknown model {model!r}: GET /models lists them.")


def criteria_of(
    request: EstimateRequest,
    tier: Tier,
    most_bytes: int | None,
    given: tuple[QuotedInput, ...] = (),
) -> Criteria:
    """Return what the request needs of a model; ``most_bytes`` is the largest usable file.

    ``given`` are its inputs as they were measured.
    """
    text = styled_prompt(request.prompt, request.style)
    return Criteria(
        tier,
        request.size,
        len(text),
        prompt_tokens=prompt_tokens(text),
        max_cost_microusd=_share(request),
        provider=request.provider,
        model=request.model,
        file_format=request.format,
        most_bytes=most_bytes,
        inputs=tuple((one.width, one.height) for one in without_mask(given)),
        has_mask=any(one.role is Role.MASK for one in given),
        encoded_bytes=encoded_bytes(given),
        wishes=_wishes(request),
        operation=request.operation,
    )


def _wishes(request: EstimateRequest) -> Wishes:
    """Return what a request wants of its image besides its size.

    Raises:
        ParameterError: it wants preview frames of several images.
    """
    if request.partials and request.count > 1:
        raise ParameterError("partials", "Only one image has preview frames: leave out count.")
    clear = request.background == "transparent" or request.operation is Operation.CUTOUT
    return Wishes(clear, request.seed, request.partials, _scale(request))


def _scale(request: EstimateRequest) -> int:
    """Return how many times longer the edges of an upscale are, 0 for another operation."""
    is_upscale = request.operation is Operation.UPSCALE
    return (request.scale or DEFAULT_SCALE) if is_upscale else 0


def with_size(request: EstimateRequest, given: tuple[QuotedInput, ...]) -> EstimateRequest:
    """Return the request with the size that an edit has if none is requested: that of its input.

    An operation without a prompt has no other: an upscale's is computed from it.

    Raises:
        ParameterError: the size is that of the first input, and there is none.
    """
    if request.operation is not Operation.GENERATE:
        return request.model_copy(update={"size": SAME_SIZE})
    if request.size == SAME_SIZE and not given:
        raise ParameterError("size", "The size same needs an input. Send one, or another size.")
    if "size" in request.model_fields_set or not given or given[0].role is not Role.EDIT:
        return request
    return request.model_copy(update={"size": SAME_SIZE})


def no_offer(
    selection: Selection, request: EstimateRequest, tier: Tier
) -> InvalidRequestError | NoProviderError:
    """Return the error that explains why there is no offer.

    It is a 503 if waiting can help; otherwise the caller has to change the request.
    """
    left_out = selection.left_out
    models = f"{tier} model" if request.operation is Operation.GENERATE else "model"
    if not request.inputs:
        # Models that need an input explain nothing, unless there are no others.
        left_out = tuple(one for one in left_out if not one.row.needs_input) or left_out
    reasons = {one.reason for one in left_out}
    details = "; ".join(f"{one.row.key}: {one.detail}" for one in left_out) or "There is none."
    if reasons & UNAVAILABLE:
        return NoProviderError(f"No {models} is available now. {details}")
    if Reason.SIZE in reasons <= {Reason.SIZE, Reason.INPUTS}:
        # The models that could work with the inputs lack the size.
        return UnsupportedSizeError(f"No {models} has the size {request.size!r}. {details}")
    if Reason.FORMAT in reasons and Reason.TOO_DEAR not in reasons:
        return ParameterError("format", f"No {models} has a file as required. {details}")
    field = _at_fault(reasons, request)
    if field and Reason.TOO_DEAR not in reasons:
        return ParameterError(field, f"No {models} can do this. {details}")
    if Reason.TOO_DEAR in reasons:
        share = _share(request) if request.count > 1 else None
        each = f" It is for all {request.count} images, {label_text(share)} each." if share else ""
        return AboveMaxCostError(f"No {models} fits the request within maxCost.{each} {details}")
    return InvalidRequestError(f"No {models} fits the request. {details}")


def _at_fault(reasons: Container[Reason], request: EstimateRequest) -> str | None:
    """Return the field to change, ``None`` if no single one keeps the request from an offer."""
    # The last checks first: what a model fails there is what keeps the request from an offer.
    fields = [
        (Reason.PROMPT, "prompt"),
        (Reason.WISH, _wished(request)),
        (Reason.INPUTS, "inputs"),
    ]
    if request.operation is not Operation.GENERATE:
        # Another scale may be possible with another model, and a smaller picture with this one.
        fields.reverse()
    return next((field for reason, field in fields if reason in reasons), None)


def _wished(request: EstimateRequest) -> str:
    """Return the field of the first wish, which a model may not meet."""
    if request.operation is Operation.UPSCALE:
        return "scale"
    if request.background == "transparent":
        return "background"
    return "seed" if request.seed is not None else "partials"


def _share(request: EstimateRequest) -> int | None:
    """Return the most that one of the images may cost, in micro-dollars."""
    return None if request.max_cost is None else request.max_cost // request.count
