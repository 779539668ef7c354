"""What a request to price an image means: its criteria, and why no model may meet them."""

from collections.abc import Container

from imagegen.domain.candidates import UNAVAILABLE, Reason
from imagegen.domain.catalog import Tier
from imagegen.domain.criteria import SAME_SIZE, Criteria
from imagegen.domain.errors import (
    AboveMaxCostError,
    InvalidRequestError,
    NoProviderError,
    ParameterError,
    UnsupportedSizeError,
)
from imagegen.domain.inputs import QuotedInput, Role, encoded_bytes, without_mask
from imagegen.domain.money import label_text
from imagegen.domain.operations import Operation
from imagegen.domain.pricing import prompt_tokens
from imagegen.domain.quote import styled_prompt
from imagegen.domain.selection import Selection
from imagegen.domain.wishes import Wishes
from imagegen.usecases.operations import scale_of
from imagegen.wire.estimates import EstimateRequest


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
    return Wishes(clear, request.seed, request.partials, scale_of(request))


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
