"""The tier of a request, and what it supports."""

from datetime import date

from imagegen.domain import quality
from imagegen.domain.catalog import Catalog
from imagegen.domain.errors import InvalidRequestError, RetiredModelError, UnknownModelError
from imagegen.domain.operations import Operation
from imagegen.domain.quality import QualityChoice
from imagegen.domain.selection import Selection
from imagegen.usecases.operations import check_generates, tier_of
from imagegen.wire.estimates import Constraints, EstimateRequest


def choose_tier(request: EstimateRequest, catalog: Catalog, day: date) -> QualityChoice:
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
        return tier_of(request, catalog)
    if not request.model:
        return quality.choose_quality(request.prompt, request.quality)
    check_generates(request, catalog)
    if request.quality:
        return quality.choose_quality(request.prompt, request.quality)
    tiers = [r.tier for r in catalog.models if request.model in (r.key, r.model)]
    return quality.choose_for_model(request.prompt, tiers)


def constraints_of(selection: Selection, catalog: Catalog) -> Constraints:
    """Return the sizes and lengths that the tier of an offer supports, or its one size."""
    first = selection.candidates[0].variant
    if first.row.operation is not Operation.GENERATE:
        return Constraints(sizes=(first.option.size,), max_prompt_characters=0)
    rows = [row for row in catalog.tier(first.row.tier) if not row.needs_input]
    sizes = dict.fromkeys(option.size for row in rows for option in row.sizes)
    return Constraints(
        sizes=("square", "landscape", "portrait", *sizes),
        max_prompt_characters=max(row.max_prompt_characters for row in rows),
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
