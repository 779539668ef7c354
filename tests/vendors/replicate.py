"""Replicate (https://replicate.com/docs/reference/http#models.predictions.create)."""

from collections.abc import Mapping
from typing import Any

from tests.vendors import Refusals, Sent, Vendor


def order(model: str, prompt: str, params: dict[str, Any]) -> Sent:
    words = {"prompt": prompt} if prompt else {}
    body = {"input": {**params, **words}}
    return Sent(f"/models/{model}/predictions", body, {"prefer": "wait"})


def picture(body: Any) -> str | None:
    output = body["output"] if body["status"] == "succeeded" else None
    return output[0] if isinstance(output, list) else output


def params_of(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body["input"].items() if name != "prompt"}


def error(status: int, code: str, message: str) -> Any:
    return {"title": code, "detail": message, "status": status}


def empty(fields: Mapping[str, Any]) -> Any:
    job = {"id": "p1", "status": "succeeded", "input": {"prompt": "I can't say no"}}
    return {**job, "output": [fields] if fields else []}


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
    accounts=(
        (401, "Unauthenticated", "You did not pass a valid authentication."),
        (402, "Insufficient credit", "You have insufficient credit to run this model."),
    ),
    error=error,
    empty=empty,
    success=(200, 201, 202),
)
