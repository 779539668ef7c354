"""The real adapters, pointed at a server on loopback."""

from dataclasses import replace

from pydantic import SecretStr

from imagegen.domain.errors import ProviderError
from imagegen.domain.ports import ImageOrder, ImageProvider, Json
from imagegen.providers import build_provider
from imagegen.providers.replicate import ReplicateProvider
from tests.adapters.providers.loopback import Loopback

KEY = "sk-CANARY-KEY-0123456789"
PROMPT = "CANARY-PROMPT: a lighthouse in the fog"
PATHS = {"openai": "/v1", "together": "/v1", "replicate": "/v1", "gemini": "/v1beta"}
PARAMS: dict[str, dict[str, Json]] = {
    "openai": {"quality": "low", "size": "1024x1024"},
    "together": {"width": 1024, "height": 1024, "response_format": "base64"},
    "replicate": {"aspect_ratio": "1:1", "num_outputs": 1},
    "gemini": {"responseModalities": ["IMAGE"]},
}
MODELS = {
    "openai": "gpt-image-2.5-flare",
    "together": "black-forest-labs/FLUX.2-dev",
    "replicate": "black-forest-labs/flux-schnell",
    "gemini": "gemini-3-pro-image",
}


def build_adapter(name: str, server: Loopback, *, key: str = KEY) -> ImageProvider:
    """Return the adapter that is shipped; Replicate's alone does not sleep between polls."""
    base_url = server.origin + PATHS[name]
    provider = build_provider(name, api_key=SecretStr(key), base_url=base_url)
    if isinstance(provider, ReplicateProvider):
        return replace(provider, sleep=lambda _seconds: None)
    return provider


def order_for(name: str) -> ImageOrder:
    return ImageOrder(MODELS[name], PROMPT, PARAMS[name], 1024, 1024, "user-1")


def texts_of(error: ProviderError) -> str:
    """Return everything that a log could show of the error, causes included."""
    shown = [str(error), repr(error), repr(vars(error)), repr(error.args)]
    shown += [repr(chained) for chained in (error.__cause__, error.__context__) if chained]
    return "\n".join(shown)
