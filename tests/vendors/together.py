"""Together AI (https://docs.together.ai/reference/post-images-generations)."""

from collections.abc import Mapping
from typing import Any

from tests.vendors import Refusals, Sent, Vendor


def order(model: str, prompt: str, params: dict[str, Any]) -> Sent:
    return Sent("/images/generations", {"n": 1, **params, "model": model, "prompt": prompt})


def picture(body: Any) -> str | None:
    return body["data"][0]["b64_json"] if body["data"] else None


def params_of(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in {"model", "prompt", "n"}}


VENDOR = Vendor(
    order=order,
    picture=picture,
    params_of=params_of,
    usual={"model": "black-forest-labs/FLUX.2-dev", "response_format": "base64"},
    usual_microusd=15_400,
    refusals=Refusals(bad_key=401, no_credit=402, model_gone=400, prompt=422),
    key_check="/models",
    accounts=(
        (401, "invalid_api_key", "Invalid API key provided."),
        (402, "of a new kind", "Credit limit exceeded."),
        (403, "third_party_data_sharing_blocked", "Turned off."),
    ),
    models=[{"id": "one"}, {"id": "two"}],
)
