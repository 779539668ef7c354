"""Converts an ImageGeneration to the tool part of an AI SDK UI message and back, without loss.

https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol. ``aisdk.js`` beside the elements does the same,
and the fixtures in ``events/ui`` test both. Fields that the part has no place for are in
``toolMetadata.imageGeneration``; where they differ, the part's own fields are newer and win.
"""

from collections.abc import Callable, Mapping
from typing import Any

TYPE = "tool-generate_image"
APPROVED = {"approved": True}
OWN = ("toolCallId", "prompt", "status")
"""The fields of an ImageGeneration that the part's own fields contain."""

type UiPart = dict[str, Any]


def to_aisdk(generation: Mapping[str, Any]) -> UiPart:
    """Return an image generation as a tool part."""
    made = PARTS[generation["status"]](generation)
    estimate = generation.get("estimate") or {}
    rest = {name: value for name, value in generation.items() if name not in OWN}
    return {
        "type": TYPE,
        "toolCallId": generation.get("toolCallId", generation["id"]),
        "state": made["state"],
        "input": {"prompt": generation["prompt"]},
        "approval": {
            "id": estimate.get("quoteId", generation["id"]),
            **made.get("decided", {}),
        },
        **made.get("tail", {}),
        "toolMetadata": {"imageGeneration": rest, **made.get("facts", {})},
    }


def from_aisdk(part: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the image generation in a tool part, ``None`` if the part is not one of ours."""
    rest = _mapping(_mapping(part.get("toolMetadata")).get("imageGeneration"))
    call_id, prompt = part.get("toolCallId"), _mapping(part.get("input")).get("prompt")
    named = (rest.get("id"), call_id, prompt)
    if part.get("type") != TYPE or not all(isinstance(one, str) for one in named):
        return None
    return {
        **rest,
        **({"toolCallId": call_id} if call_id != rest["id"] else {}),
        "prompt": prompt,
        "status": _status(part),
    }


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _pending(generation: Mapping[str, Any]) -> UiPart:
    estimate = generation.get("estimate")
    if not estimate:
        return {"state": "approval-requested"}
    price = estimate["price"]
    facts = {
        "price": price["expected"],
        "ceiling": price["ceiling"],
        "currency": price["currency"],
        **{name: estimate[name] for name in ("expiresAt", "provider", "model")},
    }
    return {"state": "approval-requested", "facts": facts}


def _generating(generation: Mapping[str, Any]) -> UiPart:
    seen = {name: generation[name] for name in ("startedAt", "previewUrl") if name in generation}
    if not seen:
        return {"state": "approval-responded", "decided": APPROVED}
    estimate = generation.get("estimate")
    typical = {"typicalMs": estimate["typicalSeconds"] * 1000} if estimate else {}
    output = {"status": "generating", **typical, **seen}
    tail = {"preliminary": True, "output": output}
    return {"state": "output-available", "decided": APPROVED, "tail": tail}


def _complete(generation: Mapping[str, Any]) -> UiPart:
    image = generation.get("image") or {}
    output = {
        "id": generation["id"],
        "url": image.get("imageUrl"),
        "alt": image.get("alt") or generation["prompt"],
        "provider": image.get("provider"),
        "model": image.get("model"),
        "cost": (image.get("cost") or {}).get("charged"),
        **({"fallback": image["fallback"]} if image.get("fallback") else {}),
    }
    return {"state": "output-available", "decided": APPROVED, "tail": {"output": output}}


def _failed(generation: Mapping[str, Any]) -> UiPart:
    problem = generation.get("problem")
    failure = problem or generation.get("image") or {}
    facts = {
        "code": failure.get("code") or "unknown",
        "retryable": bool(failure.get("retryable")),
        "charged": failure.get("charged"),
    }
    text = (problem or {}).get("detail") or facts["code"]
    return {
        "state": "output-error",
        "decided": APPROVED,
        "tail": {"errorText": text},
        "facts": facts,
    }


def _denied(reason: str) -> Callable[[Mapping[str, Any]], UiPart]:
    decided = {"approved": False, "reason": reason}
    return lambda _generation: {"state": "output-denied", "decided": decided}


PARTS: Mapping[str, Callable[[Mapping[str, Any]], UiPart]] = {
    "pending": _pending,
    "generating": _generating,
    "complete": _complete,
    "failed": _failed,
    "declined": _denied("declined"),
    "cancelled": _denied("cancelled"),
}


def _status(part: Mapping[str, Any]) -> str:
    approval = _mapping(part.get("approval"))
    match part.get("state"):
        case "approval-responded":
            # Only True is a yes and only False a no: anything else is an open question.
            answers = ((True, "generating"), (False, "declined"))
            given = approval.get("approved")
            return next((status for answer, status in answers if given is answer), "pending")
        case "output-available":
            return "generating" if part.get("preliminary") else "complete"
        case "output-error":
            return "failed"
        case "output-denied":
            return "cancelled" if approval.get("reason") == "cancelled" else "declined"
        case _:
            return "pending"
