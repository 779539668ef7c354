"""What a request for an operation without a prompt may have: one picture, and little else."""

from imagegen.domain.catalog import Catalog
from imagegen.domain.errors import ParameterError
from imagegen.domain.operations import DEFAULT_SCALE, TITLES, Operation
from imagegen.domain.pixels import BrokenImageError
from imagegen.domain.quality import QualityChoice
from imagegen.wire.estimates import EstimateRequest

ALLOWED = frozenset(
    {"operation", "scale", "inputs", "format", "quality", "max_cost", "provider", "model"}
)
"""The fields of such a request that may differ from their defaults."""


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


def scale_of(request: EstimateRequest) -> int:
    """Return how many times longer the edges of an upscale are, 0 for another operation."""
    is_upscale = request.operation is Operation.UPSCALE
    return (request.scale or DEFAULT_SCALE) if is_upscale else 0


def tier_of(request: EstimateRequest, catalog: Catalog) -> QualityChoice:
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
    return QualityChoice(tier, "")


def check_generates(request: EstimateRequest, catalog: Catalog) -> None:
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


def check_opaque(content: bytes, field: str = "inputs.0") -> None:
    """Raise if some pixel of a picture is transparent: an upscaled image is opaque.

    Raises:
        ParameterError: it is transparent, or its alpha cannot be read.
    """
    from imagegen.domain.transparency import read_transparency  # noqa: PLC0415 - rarely needed

    try:
        is_transparent = read_transparency(content).is_transparent
    except BrokenImageError as error:
        raise ParameterError(field, f"The file is damaged: {error}. Choose another one.") from None
    if is_transparent:
        raise transparent_input(field)


def transparent_input(field: str) -> ParameterError:
    """Return the error for a transparent picture that is to be upscaled."""
    return ParameterError(
        field,
        "The picture is transparent, and an upscale would fill that. Upscale the picture that it "
        "was cut out of, then cut that out.",
    )
