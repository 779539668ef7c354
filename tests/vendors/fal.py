"""fal (https://fal.ai/docs): an order, and the questions for its job's state and result."""

from collections.abc import Mapping
from typing import Any

import requests

from tests.vendors import Refusals, Sent, Vendor

KEY = {"Authorization": "Key sk-simulated-1234"}


def order(model: str, prompt: str, params: dict[str, Any]) -> Sent:
    return Sent(f"/{model}", {**params, "prompt": prompt})


def picture(body: Any) -> str | None:
    state = requests.get(body["status_url"], headers=KEY, timeout=10).json()
    assert state["status"] == "COMPLETED"
    result = requests.get(body["response_url"], headers=KEY, timeout=10).json()
    return result["images"][0]["url"] if result.get("images") else None


def params_of(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "prompt"}


def error(_status: int, code: str, message: str) -> Any:
    """A text, or with a type the list that models answer with."""
    return {"detail": [{"loc": ["body"], "msg": message, "type": code}] if code else message}


def empty(fields: Mapping[str, Any]) -> Any:
    """An answer that is taken for all three: the order's, the state's and the result's."""
    return {**with_picture(None), "images": [dict(fields)] if fields else []}


def with_picture(found: Any) -> Any:
    return {"request_id": "job", "status": "COMPLETED", "images": [{"url": found}]}


VENDOR = Vendor(
    order=order,
    picture=picture,
    params_of=params_of,
    usual={
        "model": "fal-ai/flux/schnell",
        "image_size": {"width": 992, "height": 992},
        "output_format": "jpeg",
    },
    usual_microusd=3_000,
    # An order is accepted first, and what it asks for is refused afterwards.
    refusals=Refusals(bad_key=401, no_credit=403, model_gone=404, prompt=200),
    key_check="/v1/models/pricing?endpoint_id=fal-ai%2Fflux%2Fschnell",
    check_calls=1,
    key_scheme="Key",
    bad_key=(401, {"detail": "Authentication is required to access this application."}),
    accounts=(
        (401, "", "Authentication is required to access this application."),
        (401, "", "Invalid key"),
        (402, "", "Your balance is used up."),
        (403, "", "User is locked. Reason: Exhausted balance."),
    ),
    error=error,
    empty=empty,
    with_picture=with_picture,
    questions=2,
    says_retry_after=False,
)
