"""Input images as providers get them; what a provider cannot send is refused before any call."""

from collections.abc import Sequence
from dataclasses import dataclass

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.inputs import InputFile, Role
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageOrder
from imagegen.providers.json_body import Body, EncodedFile

ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


def pictures_of_order(order: ImageOrder) -> tuple[InputFile, ...]:
    """Return the inputs that are pictures, in their order."""
    return tuple(one for one in order.inputs if one.role is not Role.MASK)


def mask_of(order: ImageOrder) -> InputFile | None:
    """Return the mask, ``None`` without one."""
    return next((one for one in order.inputs if one.role is Role.MASK), None)


def file_name(number: int, file: InputFile) -> str:
    """Return a name for the file: its number, from 1, and the ending of its type."""
    stem = "mask" if file.role is Role.MASK else f"image-{number}"
    return f"{stem}.{ENDINGS.get(file.media_type, 'bin')}"


def base64_text(file: InputFile) -> EncodedFile:
    """Return the bytes in standard base64."""
    return EncodedFile(file.content)


def data_url(file: InputFile) -> EncodedFile:
    """Return the file as a data URL (RFC 2397)."""
    return EncodedFile(file.content, f"data:{file.media_type};base64,".encode())


def cannot_send(provider: str, detail: str) -> ProviderError:
    """Return the error for inputs that a provider has no field for; nothing was sent."""
    message = f"{provider} cannot be sent this request: {detail}."
    return ProviderError(provider, Outcome.NOT_CALLED, message, provider_code="input_not_sendable")


@dataclass(frozen=True, slots=True)
class InputLimits:
    """What a provider takes with one request, whatever the model."""

    takes_mask: bool = False
    most_pictures: int = 16
    most_bytes: int = 50_000_000
    """Of one picture; it must have fewer."""
    most_mask_bytes: int = 4_000_000
    """Of the mask; it must have fewer."""
    most_encoded_bytes: int | None = None
    """Of all of them in base64."""


def check_limits(provider: str, order: ImageOrder, limits: InputLimits) -> None:
    """Raise if a provider cannot be sent the inputs.

    Raises:
        ProviderError: ``NOT_CALLED``, before any call.
    """
    mask, pictures = mask_of(order), pictures_of_order(order)
    if mask:
        _check_mask(provider, mask, pictures, limits)
    if len(pictures) > limits.most_pictures:
        raise cannot_send(provider, f"it has more than {limits.most_pictures} input images")
    if any(len(one.content) >= limits.most_bytes for one in pictures):
        raise cannot_send(provider, f"an input image has {limits.most_bytes} bytes or more")
    unknown = [one.media_type for one in order.inputs if one.media_type not in ENDINGS]
    if unknown:
        raise cannot_send(provider, f"an input is of type {unknown[0]!r}")
    encoded_bytes = sum(-(-len(one.content) // 3) * 4 for one in order.inputs)
    if limits.most_encoded_bytes is not None and encoded_bytes > limits.most_encoded_bytes:
        most = limits.most_encoded_bytes
        raise cannot_send(provider, f"its input images have more than {most} bytes in base64")


def _check_mask(
    provider: str, mask: InputFile, pictures: Sequence[InputFile], limits: InputLimits
) -> None:
    if not limits.takes_mask:
        raise cannot_send(provider, "the model has no field for a mask")
    if not pictures:
        raise cannot_send(provider, "a mask without an input image")
    if mask.media_type != "image/png" or len(mask.content) >= limits.most_mask_bytes:
        raise cannot_send(provider, f"its mask is not a PNG below {limits.most_mask_bytes} bytes")
    if (mask.width, mask.height) != (pictures[0].width, pictures[0].height):
        raise cannot_send(provider, "its mask is not as large as the first input image")


def inline_parts(order: ImageOrder) -> list[Body]:
    """Return the inputs as Gemini takes them, in their order."""
    return [
        {"inlineData": {"mimeType": one.media_type, "data": base64_text(one)}}
        for one in order.inputs
    ]


def named_fields(provider: str, order: ImageOrder, values: Sequence[Body]) -> dict[str, Body]:
    """Return the request's fields for the inputs, under the model's own names.

    ``values`` has what is written for each input, in their order, such as its URL.

    Raises:
        ProviderError: ``NOT_CALLED``: the model has no field for an input.
    """
    check_named_fields(provider, order)
    fields = order.input_fields
    if fields is None or not order.inputs:
        return {}
    named = [(one.role, value) for one, value in zip(order.inputs, values, strict=True)]
    urls: list[Body] = [value for role, value in named if role is not Role.MASK]
    masks = [value for role, value in named if role is Role.MASK]
    found: dict[str, Body] = {fields.pictures: urls if fields.is_list else urls[0]}
    return {**found, fields.mask: masks[0]} if masks else found


def check_named_fields(provider: str, order: ImageOrder) -> None:
    """Raise unless the model has a field for each input.

    Raises:
        ProviderError: ``NOT_CALLED``, before any call.
    """
    if not order.inputs:
        return
    fields = order.input_fields
    if fields is None:
        raise cannot_send(provider, "the model has no field for input images")
    check_limits(provider, order, InputLimits(takes_mask=bool(fields.mask)))
    if len(pictures_of_order(order)) > 1 and not fields.is_list:
        raise cannot_send(provider, "the model takes one input image")
