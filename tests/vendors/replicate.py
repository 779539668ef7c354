"""Replicate (https://replicate.com/docs/reference/http#models.predictions.create)."""

from collections.abc import Mapping
from typing import Any

from tests.vendors import Refusals, Sent, Vendor


def order(model: str, prompt: str, params: dict[str, Any]) -> Sent:
    body = {"input": {**params, "prompt": prompt}}
    return Sent(f"/models/{model}/predictions", body, {"prefer": "wait"})


def picture(body: Any) -> str | None:
    output = body["output"] if body["status"] == "succeeded" else None
    return output[0] if isinstance(output, list) else output


def params_of(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body["input"].items() if name != "prompt"}


VENDOR = Vendor(
    order=order,
    picture=picture,
    params_of=params_of,
    usual={"model": "black-forest-labs/flux-schnell"},
    usual_microusd=3_000,
    # A prediction is created first, and refuses afterwards.
    refusals=Refusals(bad_key=401, no_credit=402, model_gone=404, prompt=201),
    key_check="/account",
    check_calls=1,
    success=(200, 201, 202),
)
