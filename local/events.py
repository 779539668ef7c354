"""Reads the events in ``events/`` and fills in the values that come from a running stack."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import requests

PROMPT: Final = "A photorealistic sunset over mountains"
"""The prompt that ``events/generate/confirmed.json`` confirms."""
TIMEOUT_SECONDS: Final = 60


def read_event(path: Path, stack: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event with its marks filled in: tokens, ``${QUOTE}`` and ``${IMAGE_ID}``."""
    text = path.read_text().replace("${TOKEN}", stack["token"])
    text = text.replace("${ADMIN_TOKEN}", stack["adminToken"])
    if "${QUOTE}" in text or "${IMAGE_ID}" in text:
        offer = estimate(stack)
        text = text.replace("${QUOTE}", offer["quote"]).replace("${IMAGE_ID}", offer["imageId"])
    event: dict[str, Any] = json.loads(text)
    return event


def estimate(stack: Mapping[str, Any]) -> dict[str, Any]:
    """Return a new offer of the running stack.

    Raises:
        requests.HTTPError: the stack answers with an error.
    """
    answer = requests.post(
        f"{stack['estimateUrl']}/estimate",
        json={"prompt": PROMPT},
        headers={"Authorization": f"Bearer {stack['token']}"},
        timeout=TIMEOUT_SECONDS,
    )
    answer.raise_for_status()
    offer: dict[str, Any] = answer.json()
    return offer
