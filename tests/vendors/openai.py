"""OpenAI (https://developers.openai.com/api/reference/resources/images/methods/generate)."""

from collections.abc import Mapping
from typing import Any

from tests.vendors import Refusals, Sent, Vendor

ENVELOPE = {"model", "prompt", "n", "safety_identifier"}


def order(model: str, prompt: str, params: dict[str, Any]) -> Sent:
    return Sent("/images/generations", {"n": 1, **params, "model": model, "prompt": prompt})


def picture(body: Any) -> str | None:
    return body["data"][0]["b64_json"] if body["data"] else None


def params_of(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in ENVELOPE}


VENDOR = Vendor(
    order=order,
    picture=picture,
    params_of=params_of,
    usual={"model": "gpt-image-2.5-flare", "quality": "low"},
    usual_microusd=5_900,
    refusals=Refusals(bad_key=401, no_credit=429, model_gone=404, prompt=400),
    key_check="/models",
    accounts=(
        (401, "invalid_api_key", "Incorrect API key provided."),
        (401, "account_deactivated", "The account is deactivated."),
        (403, "unsupported_country_region_territory", "Not supported."),
        (429, "insufficient_quota", "You exceeded your quota."),
        (400, "billing_hard_limit_reached", "The limit has been reached."),
    ),
    models={"object": "list", "data": [{"id": "one"}, {"id": "two"}]},
)
