"""Reads the signature of a request to AWS, and checks what can be checked without the secret key.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html.
"""

import re
from collections.abc import Mapping

from local.simulator.faults import Fault, FaultError
from local.simulator.keys import check_key
from local.simulator.wire import Request

SIGNATURE = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/, ]*)/(?P<day>\d{8})/(?P<region>[a-z0-9-]+)"
    r"/(?P<service>[a-z0-9-]+)/aws4_request, SignedHeaders=(?P<headers>[a-z0-9;-]+), "
    r"Signature=(?P<signature>[0-9a-f]{64})"
)
REGION, SERVICE = "us-west-2", "bedrock"
"""The only Region that serves these models, and the name under which both services sign."""


def access_key_of(request: Request) -> str:
    """Return the id of the access key, an empty text if there is no signature."""
    found = SIGNATURE.fullmatch(request.headers.get("authorization", ""))
    return found["key"] if found else ""


def check_signature(request: Request, faults: Mapping[str, Fault]) -> None:
    """Raise unless the request is signed for Bedrock in its Region, host and time included.

    Raises:
        FaultError: ``missing_key``, ``bad_key`` or ``bad_signature``.
    """
    check_key(access_key_of(request), faults)
    found = SIGNATURE.fullmatch(request.headers.get("authorization", ""))
    if found is None:
        raise FaultError(faults["missing_key"])
    date = request.headers.get("x-amz-date", "")
    is_right = (
        (found["region"], found["service"]) == (REGION, SERVICE)
        and {"host", "x-amz-date"} <= set(found["headers"].split(";"))
        and all(name in request.headers for name in found["headers"].split(";"))
        and date.startswith(f"{found['day']}T")
    )
    if not is_right:
        raise FaultError(faults["bad_signature"])
