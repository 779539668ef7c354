"""OpenAI's moderation (https://platform.openai.com/docs/api-reference/moderations)."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from local.simulator.desk import Desk, Order
from local.simulator.faults import Fault, FaultError, Shows, named
from local.simulator.keys import check_key
from local.simulator.openai import error_answer
from local.simulator.openai_faults import SHARED
from local.simulator.openai_inputs import body_of, gone, invalid
from local.simulator.prompts import CATEGORIES, categories_of
from local.simulator.wire import Answer, Body, Request, json_answer

NAME = "moderation"
MODELS = ("omni-moderation-latest", "omni-moderation-2024-09-26")
MOST_PICTURES = 1
DATA_URL = re.compile(r"data:image/(?:png|jpeg|webp|gif);base64,([A-Za-z0-9+/=]+)")
# A flagged prompt is not an error: the call succeeds.
FLAGGED = {"flagged": Fault(None, Shows.EMPTY, details={"categories": ("sexual",)})}
FAULTS = named(*SHARED, FLAGGED)


@dataclass(frozen=True, slots=True)
class Moderation:
    """The moderation endpoint, with faults of its own."""

    name: str = NAME

    @property
    def faults(self) -> Mapping[str, Fault]:
        """Return OpenAI's error table without the rows that only images have."""
        return FAULTS

    def key_of(self, request: Request) -> str:
        """Return the bearer token."""
        return request.bearer()

    def is_order(self, request: Request) -> bool:
        """Return whether the request is for moderation."""
        return (request.method, request.path) == ("POST", "/moderations")

    def order_from(self, request: Request) -> Order:
        """Return an order for zero pictures, with the texts as its parameters."""
        check_key(request.bearer(), FAULTS)
        body = body_of(request)
        model = body.get("model", MODELS[0])
        if model not in MODELS:
            raise FaultError(gone(str(model)))
        checked = parts_of(body.get("input"))
        texts = [one.text for one in checked]
        params = {
            "texts": texts,
            "pictures": [len(one.picture) for one in checked if one.picture],
            "results": [one.verdict() for one in checked],
        }
        return Order(model, "\n".join(texts), params, count=0)

    def free(self, request: Request) -> Answer:
        """Refuse the request: there is no other route."""
        raise FaultError(gone(request.path))

    def error(self, fault: Fault) -> Answer:
        """Return OpenAI's error body."""
        return error_answer(fault)

    def success(self, desk: Desk) -> Answer:
        """Return a verdict for each text."""
        return moderation_answer(desk.order.model, desk.order.params["results"])

    def empty(self, desk: Desk) -> Answer:
        """Return the verdict that the fault defines, or an answer without verdicts."""
        asked = desk.details.get("categories")
        return moderation_answer(desk.order.model, [verdict(asked)] if asked else [])


def build() -> Moderation:
    """Return the simulated moderation."""
    return Moderation()


def moderation_answer(model: str, results: list[Body]) -> Answer:
    """Return the verdicts in OpenAI's frame."""
    return json_answer({"id": f"modr-{token_hex(12)}", "model": model, "results": results})


@dataclass(frozen=True, slots=True)
class Checked:
    """What one verdict is about: a text, a picture, or both."""

    text: str
    picture: bytes = b""

    def verdict(self) -> Body:
        """Return the verdict: a picture is flagged for the same passwords, if its bytes have one.

        Only three kinds of categories are looked for in pictures.
        """
        shown = categories_of(self.picture.decode("latin-1"))
        seen = tuple(one for one in shown if one.startswith(SEEN_IN_PICTURES))
        return verdict(tuple(dict.fromkeys((*categories_of(self.text), *seen))), seen)


SEEN_IN_PICTURES = ("sexual", "violence", "self-harm")


def verdict(flagged: tuple[str, ...], seen: tuple[str, ...] = ()) -> Body:
    """Return the verdict; ``seen`` are the categories that a picture matches."""
    return {
        "flagged": bool(flagged),
        "categories": {category: category in flagged for category in CATEGORIES},
        "category_scores": {
            category: 0.98 if category in flagged else 0.0001 for category in CATEGORIES
        },
        "category_applied_input_types": {
            category: ["image"] if category in seen else ["text"] for category in CATEGORIES
        },
    }


def parts_of(given: Any) -> list[Checked]:
    """Return what is to be checked; the parts of one input get one verdict.

    Raises:
        FaultError: the input is missing or of another shape, or has more than one picture.
    """
    if isinstance(given, str) and given:
        return [Checked(given)]
    if isinstance(given, list) and given and all(isinstance(text, str) for text in given):
        return [Checked(text) for text in given]
    if isinstance(given, list) and given and all(isinstance(part, dict) for part in given):
        pictures = [picture_of(part) for part in given if part.get("type") == "image_url"]
        if len(pictures) > MOST_PICTURES:
            message = f"Number of images ({len(pictures)}) exceeds maximum of {MOST_PICTURES}"
            raise invalid("input", message, code="too_many_images")
        text = "\n".join(str(part.get("text", "")) for part in given)
        return [Checked(text, pictures[0] if pictures else b"")]
    raise invalid("input", "Invalid 'input'.")


def picture_of(part: dict[str, Any]) -> bytes:
    """Return the bytes of a picture, which must be in the request.

    Raises:
        FaultError: the part has no data URL of an image.
    """
    inner = part.get("image_url")
    url = inner.get("url") if isinstance(inner, dict) else None
    found = DATA_URL.fullmatch(url) if isinstance(url, str) else None
    try:
        content = base64.b64decode(found[1], validate=True) if found else b""
    except binascii.Error:
        content = b""
    if not content:
        raise invalid("input", "Invalid image.", code="invalid_image_url")
    return content
