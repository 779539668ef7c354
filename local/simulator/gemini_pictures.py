"""The pictures of a request to Gemini (https://ai.google.dev/gemini-api/docs/image-generation)."""

from collections.abc import Sequence

from local.simulator.desk import Order
from local.simulator.gemini_faults import invalid
from local.simulator.given import Given, from_base64
from local.simulator.wire import Body

MOST_PICTURES = 14
MOST_BYTES = 20_971_520
"""Of a whole request."""
TYPES = ("image/png", "image/jpeg", "image/webp", "image/heic", "image/heif")
PARTS = {"text", "inlineData"}
SPELLINGS = {"mime_type": "mimeType"}
STANDARD = str.maketrans("-_", "+/")
INPUT_TOKENS = {
    "gemini-3-pro-image": 560,
    "gemini-nano-banana-2.1": 1120,
    "gemini-3.1-flash-lite-image": 1120,
}
"""Of one picture, whatever its size."""
NANOUSD_PER_TOKEN = {
    "gemini-3-pro-image": 2_000,
    "gemini-nano-banana-2.1": 1_500,
    "gemini-3.1-flash-lite-image": 250,
}


def pictures_of(parts: Sequence[Body]) -> tuple[Given, ...]:
    """Return the pictures in the parts, in their order.

    Raises:
        FaultError: ``bad_parameter``: one cannot be opened, or there are too many.
    """
    for part in parts:
        for name in sorted(part.keys() - PARTS):
            place = "contents[0].parts[0]"
            raise invalid(f"Invalid JSON payload received. Unknown name \"{name}\" at '{place}'.")
    pictures = tuple(_opened(part["inlineData"]) for part in parts if "inlineData" in part)
    if len(pictures) > MOST_PICTURES:
        raise invalid(f"The request has more than {MOST_PICTURES} images.")
    return pictures


def added_microusd(model: str, inputs: Sequence[Given]) -> int:
    """Return what pictures add to the price of one image."""
    return len(inputs) * INPUT_TOKENS[model] * NANOUSD_PER_TOKEN[model] // 1000


def read_tokens(order: Order) -> int:
    """Return the tokens of all pictures of an order."""
    return len(order.inputs) * INPUT_TOKENS[order.model]


def _opened(inline: Body) -> Given:
    """Return a picture; Google reads both spellings of a name, and both alphabets of base64."""
    given = {SPELLINGS.get(name, name): value for name, value in inline.items()}
    if given.keys() - {"mimeType", "data"} or given.get("mimeType") not in TYPES:
        raise invalid(f"Unsupported MIME type: {given.get('mimeType')}")
    text = str(given.get("data")).translate(STANDARD).rstrip("=")
    try:
        return from_base64(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise invalid("Unable to process input image.") from error
