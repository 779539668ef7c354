"""Whether an image that arrived is what was sold, and what is charged for it."""

from dataclasses import dataclass, replace
from enum import StrEnum

from imagegen.domain import pixels
from imagegen.domain.call_errors import ProviderError
from imagegen.domain.catalog import Variant
from imagegen.domain.operations import Operation
from imagegen.domain.outcomes import Outcome
from imagegen.domain.pixels import BrokenImageError, Measured
from imagegen.domain.ports import ImageAnswer
from imagegen.domain.pricing import charge_microusd
from imagegen.domain.quote import QuotedCandidate
from imagegen.usecases.generate.frames import Frames
from imagegen.usecases.generate.run import ImageMade, Run


class Undelivered(StrEnum):
    """Why an image that arrived is not sold; the code of the attempt."""

    BROKEN = "broken_image"
    BLANK = "blank_image"
    SMALL = "small_image"
    SIZE = "wrong_size"
    OPAQUE = "opaque_image"
    EMPTY = "empty_image"


UNDELIVERED = {
    Undelivered.BROKEN: Outcome.UNAVAILABLE,
    # One prompt may cause these.
    Undelivered.BLANK: Outcome.NO_IMAGE,
    Undelivered.SMALL: Outcome.NO_IMAGE,
    Undelivered.SIZE: Outcome.NO_IMAGE,
    Undelivered.OPAQUE: Outcome.NO_IMAGE,
    Undelivered.EMPTY: Outcome.NO_IMAGE,
}
"""What such an attempt counts as: the provider answered, and the next one is called."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What a quote promises of an image besides its model and size."""

    operation: Operation = Operation.GENERATE
    transparent: bool = False
    frames: Frames | None = None
    """The preview frames that were shown, if any were ordered."""


def promise_of(run: Run) -> Promise:
    """Return what the quote of a run promises."""
    return Promise(run.quote.operation, run.quote.wishes.transparent, run.frames)


def delivered(
    candidate: QuotedCandidate, variant: Variant, answer: ImageAnswer, *, promise: Promise
) -> ImageMade:
    """Return the image with its charge.

    Raises:
        ProviderError: it is damaged, has one colour only, is smaller than every size of the row, is
            not in the size that an operation promised, is opaque where the background had to be
            transparent, or a cut-out of which nothing is left.
    """
    try:
        return _delivered(candidate, variant, answer, promise)
    except BrokenImageError as error:
        raise _not_delivered(variant.row.provider, Undelivered.BROKEN, str(error)) from error


def _delivered(
    candidate: QuotedCandidate, variant: Variant, answer: ImageAnswer, promise: Promise
) -> ImageMade:
    """Return as ``delivered``.

    Raises:
        BrokenImageError: the image is damaged; whatever reads its bytes may find that.
        ProviderError: as ``delivered``, for the other reasons.
    """
    provider = variant.row.provider
    measured = _measured(answer.content, promise.operation)
    if measured.is_blank:
        raise _not_delivered(provider, Undelivered.BLANK, "the image has one colour only")
    quoted = candidate.price_microusd
    charged = charge_microusd(variant, measured, quoted_microusd=quoted)
    if charged is None:
        size = f"{measured.width}x{measured.height} instead of {variant.option.size}"
        plain = promise.operation is Operation.GENERATE
        raise _not_delivered(provider, Undelivered.SMALL if plain else Undelivered.SIZE, size)
    if promise.transparent:
        _check_transparency(provider, answer.content)
    if promise.operation is Operation.CUTOUT:
        _check_visible(provider, answer.content)
    if promise.frames is not None and (previews := variant.row.previews):
        # A preview frame that was not shown is not charged.
        charged -= promise.frames.missing() * previews.usd
    return ImageMade(candidate, variant, answer, measured, charged)


def _measured(content: bytes, operation: Operation) -> Measured:
    """Return the type and the size of an image; the size of a changed picture is the one seen.

    Raises:
        BrokenImageError: it is damaged.
    """
    measured = pixels.measure(content)
    if measured.media_type == pixels.MediaType.JPEG:
        # Imported here: a PNG does not need it.
        from imagegen.domain.jpeg_blocks import check_blocks  # noqa: PLC0415

        check_blocks(content)
    if measured.media_type == pixels.MediaType.WEBP:
        from imagegen.domain.webp_data import check_data  # noqa: PLC0415 as above

        check_data(content)
    if operation is Operation.GENERATE:
        return measured
    # Imported here: few requests change a picture. A provider may keep the rotation that the
    # picture's metadata request.
    from imagegen.domain.orientation import read_orientation, turned  # noqa: PLC0415

    width, height = turned(measured.width, measured.height, read_orientation(content))
    return replace(measured, width=width, height=height)


def _check_visible(provider: str, content: bytes) -> None:
    """Raise unless something is left of a picture without its background.

    Raises:
        BrokenImageError: it is damaged.
        ProviderError: every pixel is transparent.
    """
    from imagegen.domain.transparency import is_invisible  # noqa: PLC0415 as below

    if is_invisible(content):
        raise _not_delivered(provider, Undelivered.EMPTY, "nothing is left of the picture")


def _check_transparency(provider: str, content: bytes) -> None:
    """Raise unless some pixel of an image is transparent: alpha that is not used does not count.

    Raises:
        BrokenImageError: the alpha channel cannot be read.
        ProviderError: every pixel is opaque.
    """
    # Imported here: few requests want a transparent background.
    from imagegen.domain.transparency import read_transparency  # noqa: PLC0415

    if not read_transparency(content).is_transparent:
        raise _not_delivered(provider, Undelivered.OPAQUE, "the background is not transparent")


def _not_delivered(provider: str, why: Undelivered, message: str) -> ProviderError:
    error = ProviderError(provider, UNDELIVERED[why], message, provider_code=why.value)
    error.is_billed = True
    return error
