"""Gemini's answer bodies: a picture, a refusal in its many forms, an error."""

from collections.abc import Mapping
from secrets import token_urlsafe
from typing import Any

from local.simulator.desk import Desk, Order
from local.simulator.faults import Fault
from local.simulator.gemini_faults import KINDS
from local.simulator.gemini_pictures import read_tokens
from local.simulator.gemini_sizes import TOKENS, thoughts_of
from local.simulator.prompts import token_count
from local.simulator.spoil import base64_of
from local.simulator.wire import Body

RETIREMENT = "2026-12-31T00:00:00Z"


def error_payload(fault: Fault) -> Body:
    """Return Google's error body, with the time to wait if there is one."""
    error: Body = {
        "code": fault.status,
        "message": fault.message,
        "status": fault.kind or KINDS.get(fault.status, "UNKNOWN"),
    }
    details = list(fault.details.get("details", []))
    if fault.retry_after_seconds is not None:
        kind = "type.googleapis.com/google.rpc.RetryInfo"
        details.append({"@type": kind, "retryDelay": f"{fault.retry_after_seconds}s"})
    return {"error": {**error, "details": details} if details else error}


def image_answer(desk: Desk) -> Body:
    """Return a candidate with the picture, after its thoughts if the fault asks for them."""
    inline: list[Body] = [
        {
            "inlineData": {
                "mimeType": picture.media_type,
                "data": base64_of(picture, desk.spoil),
            }
        }
        for picture in desk.pictures
    ]
    thoughts = [{**part, "thought": True} for part in ({"text": "A draft first."}, *inline)]
    parts = [*thoughts, *inline] if desk.details.get("thoughts") else inline
    candidate = {
        "content": {"role": "model", "parts": parts},
        "finishReason": "STOP",
        "index": 0,
    }
    counts = usage(desk.order, len(desk.pictures))
    return {"candidates": [candidate], **frame(desk.order.model, desk.details), **counts}


def blocked_answer(model: str, prompt: str, details: Mapping[str, Any]) -> Body:
    """Return a successful body without a picture, for the reason in ``details``."""
    body: Body = {**frame(model, details), "usageMetadata": prompt_usage(prompt)}
    if "blockReason" in details:
        return {**body, "promptFeedback": {"blockReason": details["blockReason"]}}
    if "candidates" in details:
        return {**body, "candidates": details["candidates"]}
    text = details.get("text")
    parts = [{"text": text}] if text else []
    reason = details.get("finishReason", "STOP")
    candidate = {
        "content": {"role": "model", "parts": parts},
        "finishReason": reason,
        "finishMessage": f"Generation stopped: {reason}",
        "index": 0,
    }
    return {**body, "candidates": [candidate]}


def frame(model: str, details: Mapping[str, Any]) -> Body:
    """Return the fields that every answer has."""
    stage = details.get("modelStage", "STABLE")
    status = {"modelStage": stage}
    if stage != "STABLE":
        status["retirementTime"] = RETIREMENT
    return {"modelVersion": model, "responseId": token_urlsafe(16), "modelStatus": status}


def usage(order: Order, images: int) -> Body:
    """Return the tokens of the drawn pictures, and of what the model thought."""
    config = order.params.get("generationConfig", {})
    drawn = images * TOKENS[order.model][config.get("imageConfig", {}).get("imageSize", "1K")]
    read = prompt_usage(order.prompt, read_tokens(order))
    thoughts = thoughts_of(order.model, config)
    counts = {
        **read,
        "candidatesTokenCount": drawn,
        "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": drawn}],
        "totalTokenCount": read["promptTokenCount"] + drawn + thoughts,
    }
    return {"usageMetadata": counts | ({"thoughtsTokenCount": thoughts} if thoughts else {})}


def prompt_usage(prompt: str, image_tokens: int = 0) -> Body:
    """Return the tokens of the prompt and of the pictures with it."""
    text = token_count(prompt)
    details = [{"modality": "TEXT", "tokenCount": text}]
    if image_tokens:
        details.append({"modality": "IMAGE", "tokenCount": image_tokens})
    read = text + image_tokens
    return {"promptTokenCount": read, "promptTokensDetails": details, "totalTokenCount": read}
