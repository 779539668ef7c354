"""Bodies of clients that cannot be run here, as their sources write them, with their defaults."""

from dataclasses import dataclass
from typing import Any

PROMPT = "A red fox in fresh snow"


@dataclass(frozen=True, slots=True)
class Replayed:
    """One request of a client, and what the client reads of the answer."""

    client: str
    version: str
    body: dict[str, Any]
    reads: str
    """``b64_json``, ``url``, or ``either``."""


REPLAYED = (
    Replayed(
        "Open WebUI",
        "0.12.4",
        {
            "model": "dall-e-2",
            "prompt": PROMPT,
            "n": 1,
            "size": "512x512",
            "response_format": "b64_json",
        },
        "b64_json",
    ),
    Replayed(
        "Open WebUI, gpt-image",
        "0.12.4",
        {"model": "gpt-image-1", "prompt": PROMPT, "n": 2, "size": "1024x1024"},
        "b64_json",
    ),
    Replayed(
        "LibreChat, OpenAI Image Tools",
        "8731432f",
        {
            "model": "gpt-image-1",
            "prompt": PROMPT,
            "n": 1,
            "size": "auto",
            "quality": "auto",
            "background": "auto",
            "output_format": "png",
        },
        "b64_json",
    ),
    Replayed(
        "LibreChat, DALL-E 3",
        "8731432f",
        {
            "model": "dall-e-3",
            "prompt": PROMPT,
            "n": 1,
            "size": "1024x1024",
            "quality": "standard",
            "style": "vivid",
        },
        "url",
    ),
    Replayed(
        "n8n, OpenAI node v2",
        "2",
        {
            "model": "dall-e-3",
            "prompt": PROMPT,
            "n": 1,
            "size": "1024x1024",
            "quality": "standard",
            "style": "vivid",
            "response_format": "b64_json",
        },
        "b64_json",
    ),
    Replayed(
        "n8n, OpenAI node v2, DALL-E 2",
        "2",
        {
            "model": "dall-e-2",
            "prompt": PROMPT,
            "n": 1,
            "size": "256x256",
            "response_format": "url",
        },
        "url",
    ),
    Replayed(
        "Dify, OpenAI plugin",
        "gpt_image_2",
        {
            "model": "gpt-image-2",
            "prompt": PROMPT,
            "n": 1,
            "size": "1024x1024",
            "quality": "auto",
            "background": "opaque",
            "output_format": "webp",
            "moderation": "auto",
        },
        "b64_json",
    ),
    Replayed(
        "Spring AI",
        "2",
        {"model": "gpt-image-1", "prompt": PROMPT, "n": 1, "quality": "high", "size": "1536x1024"},
        "either",
    ),
    Replayed(
        "Spring AI, DALL-E 3",
        "2",
        {
            "model": "dall-e-3",
            "prompt": PROMPT,
            "n": 1,
            "quality": "hd",
            "response_format": "b64_json",
            "size": "1024x1792",
            "style": "natural",
            "user": "u-1",
        },
        "b64_json",
    ),
)
