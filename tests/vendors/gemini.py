"""Google Gemini (https://ai.google.dev/api/generate-content)."""

from collections.abc import Mapping
from typing import Any

from tests.vendors import Refusals, Sent, Vendor

BAD_KEY = {
    "error": {
        "code": 400,
        "message": "API key not valid: {key}",
        "status": "INVALID_ARGUMENT",
        "details": [{"reason": "API_KEY_INVALID"}],
    }
}


def order(model: str, prompt: str, params: dict[str, Any]) -> Sent:
    contents = [{"role": "user", "parts": [{"text": prompt}]}]
    body = {"contents": contents, "generationConfig": params}
    return Sent(f"/models/{model}:generateContent", body)


def picture(body: Any) -> str | None:
    parts = (body.get("candidates") or [{}])[0].get("content", {}).get("parts", [])
    return next((part["inlineData"]["data"] for part in parts if "inlineData" in part), None)


def params_of(body: Mapping[str, Any]) -> dict[str, Any]:
    return dict(body["generationConfig"])


def error(status: int, code: str, message: str) -> Any:
    return {"error": {"code": status, "message": message, "status": code}}


def empty(fields: Mapping[str, Any]) -> Any:
    candidate = {"content": {"parts": [fields] if fields else []}, "finishReason": "STOP"}
    return {"candidates": [candidate]}


VENDOR = Vendor(
    order=order,
    picture=picture,
    params_of=params_of,
    usual={"model": "gemini-nano-banana-2.1"},
    usual_microusd=33_600,
    # A refusal is a success without an image.
    refusals=Refusals(bad_key=400, no_credit=400, model_gone=404, prompt=200),
    key_check="/models?pageSize=1",
    models={"models": [{"name": "models/one"}, {"name": "models/two"}]},
    key_header="x-goog-api-key",
    bad_key=(400, BAD_KEY),
    accounts=(
        (401, "UNAUTHENTICATED", "Invalid credentials."),
        (400, "FAILED_PRECONDITION", "Billing is off."),
        (403, "PERMISSION_DENIED", "Your API key was reported as leaked."),
    ),
    error=error,
    empty=empty,
    says_retry_after=False,
)
