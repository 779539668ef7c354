"""OpenAI's moderation (https://platform.openai.com/docs/api-reference/moderations)."""

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
        texts = texts_of(body.get("input"))
        return Order(model, "\n".join(texts), {"texts": texts}, count=0)

    def free(self, request: Request) -> Answer:
        """Refuse the request: there is no other route."""
        raise FaultError(gone(request.path))

    def error(self, fault: Fault) -> Answer:
        """Return OpenAI's error body."""
        return error_answer(fault)

    def success(self, desk: Desk) -> Answer:
        """Return a verdict for each text."""
        results = [verdict(categories_of(text)) for text in desk.order.params["texts"]]
        return moderation_answer(desk.order.model, results)

    def empty(self, desk: Desk) -> Answer:
        """Return the verdict that the fault defines, or an answer without verdicts."""
        asked = desk.details.get("categories")
        return moderation_answer(desk.order.model, [verdict(asked)] if asked else [])


def moderation_answer(model: str, results: list[Body]) -> Answer:
    """Return the verdicts in OpenAI's frame."""
    return json_answer({"id": f"modr-{token_hex(12)}", "model": model, "results": results})


def verdict(flagged: tuple[str, ...]) -> Body:
    """Return the verdict on one text."""
    return {
        "flagged": bool(flagged),
        "categories": {category: category in flagged for category in CATEGORIES},
        "category_scores": {
            category: 0.98 if category in flagged else 0.0001 for category in CATEGORIES
        },
        "category_applied_input_types": {category: ["text"] for category in CATEGORIES},
    }


def texts_of(given: Any) -> list[str]:
    """Return the texts to check; the text parts of one input are one text.

    Raises:
        FaultError: the input is missing or of another shape.
    """
    if isinstance(given, str) and given:
        return [given]
    if isinstance(given, list) and given and all(isinstance(text, str) for text in given):
        return list(given)
    if isinstance(given, list) and given and all(isinstance(part, dict) for part in given):
        return ["\n".join(str(part.get("text", "")) for part in given)]
    raise invalid("input", "Invalid 'input'.")
