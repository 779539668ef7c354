"""Ideogram (https://developer.ideogram.ai/api-reference/images/generate/ideogram-4-5)."""

from collections.abc import Mapping
from typing import Any

from tests.vendors import Refusals, Sent, Vendor

REASONS = frozenset(
    {"insufficient_funds", "subscription_required", "daily_limit", "priority_credit_required"}
    | {"inflight_limit", "feature_limit"}
)
PATH = "/v2/image/generate"
EDIT = "-precise-edit"
NOT_OF_EDITS = frozenset({"magic_prompt", "size"})
NOT_PRICED = frozenset({"prompt", "num_images", "async"})


def order(model: str, prompt: str, params: dict[str, Any]) -> Sent:
    name = model.removesuffix(EDIT)
    body = {"num_images": 1, "async": True, **params, "prompt": prompt}
    if name == model:
        return Sent(f"{PATH}/{name}", body)
    taken = {name: value for name, value in body.items() if name not in NOT_OF_EDITS}
    return Sent(f"/v2/image/precise-edit/{name}", taken, is_form=True)


def picture(body: Any) -> str | None:
    return (body["data"][0].get("url") or None) if body.get("data") else None


def params_of(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in NOT_PRICED}


def error(_status: int, code: str, message: str) -> Any:
    reason = {"reject_reason": code} if code in REASONS else {}
    return {"error": message, **reason}


def empty(fields: Mapping[str, Any]) -> Any:
    made = {"prompt": "a fox", "resolution": "1024x1024", "seed": 1, "url": None}
    data = [{**made, "is_image_safe": True, **fields}] if fields else []
    return {"generation_id": "gen_1", "seed": 1, "data": data}


def with_picture(found: Any) -> Any:
    """An answer that is taken for both, the order's and the job's."""
    made = {"prompt": "a fox", "resolution": "1024x1024", "seed": 1, "is_image_safe": True}
    return {"generation_id": "gen_1", "status": "completed", "data": [{**made, "url": found}]}


VENDOR = Vendor(
    order=order,
    picture=picture,
    params_of=params_of,
    usual={
        "model": "ideogram-4-5",
        "magic_prompt": "off",
        "quality": "low",
        "size": "1024x1024",
        # It waits for its image, as by default; the service's orders are jobs.
        "async": False,
    },
    usual_microusd=30_000,
    refusals=Refusals(bad_key=401, no_credit=402, model_gone=404, prompt=422),
    key_check=f"{PATH}/ideogram-4-5?dry_run=true",
    check_body={
        "prompt": "a",
        "num_images": 1,
        "async": True,
        "magic_prompt": "off",
        "quality": "low",
        "size": "1024x1024",
    },
    check_calls=1,
    key_header="api-key",
    bad_key=(401, error(401, "", "Invalid API key: {key}")),
    accounts=(
        (401, "", "Invalid API key"),
        (401, "", "Unauthorized"),
        (402, "insufficient_funds", "Insufficient credits."),
        (402, "subscription_required", "Subscribe first."),
        (402, "priority_credit_required", "No priority credits."),
        (402, "feature_limit", "Limited."),
        (402, "of a new kind", "Your credits are used up."),
        (403, "", "This API key is disabled."),
        (429, "insufficient_funds", "Insufficient credits."),
    ),
    error=error,
    empty=empty,
)
