"""The operator's file of instances: one instance of every preset."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from imagegen.providers.instances import Instance, parse_instances

GPU = "http://127.0.0.1:8000/v1"
SIZES = ("1024x1024", "1536x1024", "1024x1536")


def row(model: str, *, priority: int, **changes: Any) -> dict[str, Any]:
    """Return a row of an instance, free unless it has a price."""
    priced = {} if {"usd", "price"} & changes.keys() else {"free": True}
    return {
        "model": model,
        "tier": "standard",
        "fallbackPriority": priority,
        "sizes": list(SIZES),
        "typicalSeconds": 8,
        "slowSeconds": 40,
        "checkedOn": "2026-11-25",
        **priced,
    } | changes


def instance(name: str, preset: str, *models: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return an instance, without a key unless one is named."""
    return {"name": name, "title": name.title(), "preset": preset, "models": list(models)} | changes


def own(name: str = "gpu", preset: str = "vllm", **changes: Any) -> dict[str, Any]:
    """Return an own server on this machine."""
    at = {"baseUrl": GPU, "privateHost": "127.0.0.1"}
    model = row("Qwen/Qwen-Image", priority=91)
    return instance(name, preset, model, **at) | changes


def every_preset() -> list[dict[str, Any]]:
    """Return one instance of each preset, as an operator writes it."""
    azure = {"baseUrl": "https://own.openai.azure.com/openai/v1", "keyName": "AZURE_API_KEY"}
    public = {"baseUrl": "https://images.example.com/v1", "keyName": "OTHER_API_KEY"}
    bytes_row = row("seedream-5-0-260128", priority=74, usd="0.035", sizes=["2048x2048"])
    shapes = {"params": {"quality": "low"}, "sizes": ["1024x1024", "1248x832", "832x1248"]}
    grok = row("grok-imagine-image-2.0", priority=75, usd="0.04", **shapes)
    gpt = row("my-deployment", priority=76, usd="0.053", params={"quality": "high"})
    muse = row("muse-image-1.0", priority=71, usd="0.01")
    flash = row("recraftv4_1_flash", priority=72, usd="0.007", sizes=["1024x1024", "1536x768"])
    return [
        instance("muse", "meta", muse, keyName="MUSE_API_KEY"),
        instance("recraft", "recraft", flash, keyName="RECRAFT_API_TOKEN"),
        instance(
            "deepinfra",
            "deepinfra",
            row("black-forest-labs/FLUX-2-dev", priority=73, usd="0.012"),
            keyName="DEEPINFRA_API_KEY",
        ),
        instance("seedream", "byteplus", bytes_row, keyName="ARK_API_KEY"),
        instance("grok", "xai", grok, keyName="XAI_API_KEY"),
        instance("azure", "azure", gpt, **azure),
        own(),
        own("sgl", "sglang", models=[row("Qwen/Qwen-Image", priority=78, key="sgl")]),
        own("localai", "localai", models=[row("flux.1-dev", priority=79)]),
        instance("other", "generic", row("some-model", priority=80, usd="0.02"), **public),
    ]


def text_of(*listed: Mapping[str, Any]) -> str:
    """Return a file with these instances."""
    return json.dumps({"schemaVersion": 1, "instances": listed})


@cache
def instances_of_every_preset() -> dict[str, Instance]:
    """Return the instances by preset."""
    return {one.preset: one for one in parse_instances(text_of(*every_preset()))}
