"""What a request to price an image means: its criteria, and why no model may meet them."""

from imagegen.domain.catalog import Tier
from imagegen.domain.criteria import Criteria
from imagegen.domain.errors import (
    AboveMaxCostError,
    InvalidRequestError,
    NoProviderError,
    ParameterError,
    UnsupportedSizeError,
)
from imagegen.domain.money import label_text
from imagegen.domain.pricing import prompt_tokens
from imagegen.domain.quote import styled_prompt
from imagegen.domain.selection import UNAVAILABLE, Reason, Selection
from imagegen.wire.images import EstimateRequest


def criteria_of(request: EstimateRequest, tier: Tier, most_bytes: int | None) -> Criteria:
    """Return what the request needs of a model; ``most_bytes`` is the largest usable file."""
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
    )


def no_offer(
    selection: Selection, request: EstimateRequest, tier: Tier
) -> InvalidRequestError | NoProviderError:
    """Return the error that explains why there is no offer.

    It is a 503 if waiting can help; otherwise the caller has to change the request.
    """
    reasons = {one.reason for one in selection.left_out}
    details = "; ".join(f"{one.row.key}: {one.detail}" for one in selection.left_out)
    if reasons & UNAVAILABLE:
        return NoProviderError(f"No {tier} model is available now. {details}")
    if reasons == {Reason.SIZE}:
        return UnsupportedSizeError(f"No {tier} model has the size {request.size!r}. {details}")
    if Reason.FORMAT in reasons and Reason.TOO_DEAR not in reasons:
        return ParameterError("format", f"No {tier} model has a file as required. {details}")
    if Reason.TOO_DEAR in reasons:
        share = _share(request) if request.count > 1 else None
        each = f" It is for all {request.count} images, {label_text(share)} each." if share else ""
        return AboveMaxCostError(
            f"No {tier} model fits the request within maxCost.{each} {details}"
        )
    return InvalidRequestError(f"No {tier} model fits the request. {details}")


def _share(request: EstimateRequest) -> int | None:
    """Return the most that one of the images may cost, in micro-dollars."""
    return None if request.max_cost is None else request.max_cost // request.count
