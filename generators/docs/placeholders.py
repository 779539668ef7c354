"""Placeholders for values that differ from run to run, so that generating a page changes little."""

import json
import re
from typing import Any, Final

NOON: Final = "2026-11-22T12:00:0{}.000Z"
FIXED: Final = {
    "quote": "<quote>",
    "quotes": "<quote>",
    "quoteId": "<quote id>",
    "imageId": "<image id>",
    "imageIds": "<image id>",
    "uploadId": "<upload id>",
    "expiresAt": "2026-11-22T12:10:00.000Z",
    "startedAt": NOON.format(1),
    "createdAt": NOON.format(9),
    "timestamp": NOON.format(9),
    "checkedAt": NOON.format(0),
    "at": "2026-11-22T11:57:00.000Z",
    "durationMs": 8000,
    "day": "2026-11-22",
    "created": 1795348809,
    "b64_json": "<the file as base64>",
    "logName": "<name in logs>",
    "who": "user:<operator>",
    "start": "2026-11-22T00:00:00.000Z",
    "end": "2026-11-23T00:00:00.000Z",
    "askedAt": NOON.format(9),
    "erasingSince": NOON.format(9),
    "since": "2026-11-21T12:00:00.000Z",
    "lastAt": NOON.format(9),
    "keyId": "<key id>",
    "keyText": "ik_<64 characters>",
    "madeBy": "user:<operator>",
    "revokedAt": NOON.format(9),
    "oldTextUntil": "2026-11-23T12:00:00.000Z",
}
"""By field, also for each entry of a list of texts.

The times belong together: offered at noon, confirmed after 1 s, made in 8 s.
"""
USER: Final = re.compile(r"[0-9a-f]{32}$")
HOUR: Final = re.compile(r"\d\d:00$")
SUMS: Final = {
    "requests": 12,
    "images": 12,
    "promised": "0.181500",
    "charged": "0.158400",
    "billed": "0.158400",
    "inDoubt": "0.000000",
    "unsold": "0.000000",
    "abovePrice": "0.000000",
}
"""In the place of sums over all users, which grow with each run."""
WAITS: Final = {"retryAfterSeconds": 3590, "Retry-After": "3590"}
"""Waits until the end of an hour differ by seconds; waits up to ``LONG_WAIT`` stay as they are."""
LONG_WAIT: Final = 60
IMAGE: Final = re.compile(r"https?://\S+?/images/[a-z2-7]{20,}")
UPLOAD: Final = re.compile(r"https?://\S+?/inputs/[0-9a-f]{32}/\S+")
OFFER: Final = re.compile(r"https?://[^\s#]+#prompt=")
IDS: Final = {
    re.compile(r"[a-z2-7]{64}$"): "<image id>",
    re.compile(r"msg_"): "<message id>",
    re.compile(r"call_"): "<call id>",
}
ELSEWHERE: Final = {"imagegen/estimate": "<what POST /estimate answers>"}
"""By field: values that are shown elsewhere in the page."""
SHOWN: Final = {
    "data": 2,
    "models": 1,
    "providers": 1,
    "retired": 1,
    "sizes": 2,
    "entries": 1,
    "keys": 1,
    "groups": 1,
    **dict.fromkeys(("byTime", "byProvider", "byModel", "byPerson", "byOutcome"), 1),
}
"""How many entries of a list of objects are shown."""


def stable(value: Any, name: str = "") -> Any:
    """Return JSON with placeholders, and long lists cut."""
    match value:
        case dict():
            if value.keys() == SUMS.keys():
                return SUMS
            return {key: ELSEWHERE.get(key) or stable(one, key) for key, one in value.items()}
        case list():
            kept = SHOWN.get(name, len(value)) if value and isinstance(value[0], dict) else None
            return [stable(one, name) for one in value[:kept]]
        case None:
            return None
        case _:
            return _scalar(value, name)


def _scalar(value: Any, name: str) -> Any:
    if name in FIXED:
        return FIXED[name]
    if name in WAITS and int(value) > LONG_WAIT:
        return WAITS[name]
    if name in ("id", "file_id", "toolCallId"):
        return next((word for one, word in IDS.items() if one.match(str(value))), value)
    if isinstance(value, str) and (word := _of_users(value)):
        return word
    if isinstance(value, str) and value.startswith("{"):
        return json.dumps(stable(json.loads(value)), separators=(",", ":"))
    if isinstance(value, str):
        shown = IMAGE.sub("<generateUrl>/images/<image id>", value)
        shown = UPLOAD.sub("<upload url>", shown)
        return OFFER.sub("<pageUrl>/#prompt=", shown)
    return value


def _of_users(text: str) -> str:
    """Return the placeholder of a user's hash or of an hour with spending, else an empty text."""
    if USER.match(text):
        return "<user>"
    return "12:00" if HOUR.match(text) else ""
