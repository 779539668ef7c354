"""Black Forest Labs (https://docs.bfl.ai): an order, and the questions for its job."""

from collections.abc import Mapping
from typing import Any

import requests

from tests.vendors import Refusals, Sent, Vendor


def order(model: str, prompt: str, params: dict[str, Any]) -> Sent:
    return Sent(f"/{model}", {**params, "prompt": prompt})


def picture(body: Any) -> str | None:
    asked = requests.get(body["polling_url"], headers={"x-key": "sk-simulated-1234"}, timeout=10)
    result = asked.json()["result"]
    return result["sample"] if result else None


def params_of(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "prompt"}


def error(_status: int, _code: str, message: str) -> Any:
    return {"detail": message}


def empty(fields: Mapping[str, Any]) -> Any:
    """An answer that is taken for both, the order's and the job's."""
    return {"id": "t1", "status": "Ready", "result": fields or None}


def with_picture(found: Any) -> Any:
    return {"id": "job", "status": "Ready", "result": {"sample": found}}


VENDOR = Vendor(
    order=order,
    picture=picture,
    params_of=params_of,
    usual={"model": "flux-2-klein-9b", "width": 1024, "height": 1024, "output_format": "jpeg"},
    usual_microusd=15_000,
    # A job is accepted first, and is moderated afterwards.
    refusals=Refusals(bad_key=422, no_credit=402, model_gone=404, prompt=200),
    key_check="/credits",
    check_calls=1,
    key_header="x-key",
    bad_key=(422, {"detail": "Invalid API key format"}),
    accounts=(
        (403, "", "Not authenticated"),
        (422, "", "Invalid API key format"),
        (402, "", "Insufficient credits. Please add credits."),
    ),
    error=error,
    empty=empty,
    with_picture=with_picture,
    questions=1,
    says_retry_after=False,
)
