"""The image providers by name. Importing this loads no vendor client: a provider's file does."""

from importlib import import_module

from pydantic import SecretStr

from imagegen.domain.errors import ConfigurationError
from imagegen.domain.ports import ImageProvider, Moderator

PROVIDERS = {
    "openai": "OPENAI_API_KEY",
    "together": "TOGETHER_API_KEY",
    "replicate": "REPLICATE_API_TOKEN",
    "gemini": "GEMINI_API_KEY",
}
"""Each provider's file in this package, which holds its ``build``, and the name of its key."""


def build_provider(name: str, *, api_key: SecretStr, base_url: str | None = None) -> ImageProvider:
    """Return the provider; without ``base_url`` it talks to the vendor's own address.

    Raises:
        ConfigurationError: there is no provider of this name; the message lists those there are.
    """
    if name not in PROVIDERS:
        raise ConfigurationError(
            f"There is no provider {name!r}; use one of {', '.join(PROVIDERS)}."
        )
    provider: ImageProvider = import_module(f"{__name__}.{name}").build(api_key, base_url)
    return provider


def build_moderator(api_key: SecretStr, base_url: str | None = None) -> Moderator:
    """Return OpenAI's free moderation, with OpenAI's key and address."""
    from imagegen.providers.moderation import build  # noqa: PLC0415 - loads requests

    return build(api_key, base_url)
