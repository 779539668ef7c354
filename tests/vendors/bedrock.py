"""Amazon Bedrock (https://docs.aws.amazon.com/bedrock/latest/APIReference/).

Requests are signed. A test signs without a secret: the simulator looks at the form alone.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from tests.vendors import Refusals, Sent, Vendor

DAY = "20261126"
HEADERS = {"x-amz-date": f"{DAY}T120000Z", "content-type": "application/json"}


def order(model: str, prompt: str, params: dict[str, Any]) -> Sent:
    path = f"/model/{quote(model, safe='')}/invoke"
    return Sent(path, {**params, "prompt": prompt}, HEADERS)


def picture(body: Any) -> str | None:
    return body["images"][0] if body.get("images") else None


def params_of(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "prompt"}


def auth(key: str) -> dict[str, str]:
    signature = (
        f"AWS4-HMAC-SHA256 Credential={key}/{DAY}/us-west-2/bedrock/aws4_request, "
        f"SignedHeaders=content-type;host;x-amz-date, Signature={'0' * 64}"
    )
    return {"authorization": signature, **HEADERS}


def error(_status: int, code: str, message: str) -> Any:
    return {"__type": code, "message": message}


def empty(fields: Mapping[str, Any]) -> Any:
    return {"seeds": [1], "finish_reasons": [None], "images": [], **fields}


VENDOR = Vendor(
    order=order,
    picture=picture,
    params_of=params_of,
    usual={
        "model": "stability.stable-image-core-v1:1",
        "mode": "text-to-image",
        "output_format": "png",
        "aspect_ratio": "1:1",
    },
    usual_microusd=40_000,
    refusals=Refusals(bad_key=403, no_credit=403, model_gone=404, prompt=200),
    key_check="/foundation-models?byOutputModality=IMAGE&byInferenceType=ON_DEMAND",
    models={"modelSummaries": [{"modelId": "one"}, {"modelId": "two"}]},
    bad_key=(403, error(403, "UnrecognizedClientException", "The token {key} is invalid.")),
    accounts=(
        (403, "AccessDeniedException", "Your account is not authorized to invoke this operation."),
        (403, "AccessDeniedException", "An explicit deny in a service control policy."),
        (403, "ExpiredTokenException", "The security token included in the request is expired"),
        (403, "InvalidSignatureException", "The signature does not match."),
        (400, "ServiceQuotaExceededException", "The quota of the day is used up."),
    ),
    signed=auth,
    error=error,
    empty=empty,
)
