"""The image providers: who each one is, said once. Settings, tools, page and tests derive from it.

Importing this loads the standard library and our own errors alone: the page reads it as well. A
provider's file loads its vendor's client.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from imagegen.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from pydantic import SecretStr

    from imagegen.domain.ports import ImageProvider, Moderator


@dataclass(frozen=True, slots=True)
class About:
    """Who a provider is."""

    title: str
    """Its name as people write it."""
    key_name: str
    """The parameter, and the line of ``.env``, that holds its keys."""
    keys_url: str
    """The page where its customers make keys."""
    base_url: str
    """The vendor's own address of the API, without a last slash."""
    colour: str = "#3f3f46"
    """As ``#rrggbb``, dark enough to be read on a light tint of itself."""


PROVIDERS = {
    "openai": About(
        title="OpenAI",
        key_name="OPENAI_API_KEY",
        keys_url="https://platform.openai.com/api-keys",
        base_url="https://api.openai.com/v1",
        colour="#166534",
    ),
    "together": About(
        title="Together AI",
        key_name="TOGETHER_API_KEY",
        keys_url="https://api.together.ai/settings/api-keys",
        base_url="https://api.together.ai/v1",
        colour="#1e40af",
    ),
    "replicate": About(
        title="Replicate",
        key_name="REPLICATE_API_TOKEN",
        keys_url="https://replicate.com/account/api-tokens",
        base_url="https://api.replicate.com/v1",
        colour="#6b21a8",
    ),
    "gemini": About(
        title="Google Gemini",
        key_name="GEMINI_API_KEY",
        keys_url="https://aistudio.google.com/apikey",
        base_url="https://generativelanguage.googleapis.com/v1beta",
        colour="#854d0e",
    ),
}
"""By name: that of the file in this package with its ``build``, and of the catalog's rows."""

MODERATOR = "openai"
"""The provider whose moderation checks the prompts, free of charge and with the same keys."""


def base_url_name(provider: str) -> str:
    """Return the environment variable with an address that stands in for the vendor's own."""
    return f"{provider.upper()}_BASE_URL"


def flag_name(provider: str) -> str:
    """Return the parameter that takes a provider out of service by saying ``false``."""
    return f"ENABLE_IMAGE_GENERATION_{provider.upper()}"


def build_provider(
    name: str, *, api_key: "SecretStr", base_url: str | None = None
) -> "ImageProvider":
    """Return the provider; without ``base_url`` it talks to the vendor's own address.

    Raises:
        ConfigurationError: there is no provider of this name; the message lists those there are.
    """
    if name not in PROVIDERS:
        raise ConfigurationError(
            f"There is no provider {name!r}; use one of {', '.join(PROVIDERS)}."
        )
    build = import_module(f"{__name__}.{name}").build
    provider: ImageProvider = build(api_key, _address(name, base_url))
    return provider


def build_moderator(api_key: "SecretStr", base_url: str | None = None) -> "Moderator":
    """Return OpenAI's free moderation, with OpenAI's key and address."""
    from imagegen.providers.moderation import build  # noqa: PLC0415 - loads requests

    return build(api_key, _address(MODERATOR, base_url))


def _address(name: str, base_url: str | None) -> str:
    return (base_url or PROVIDERS[name].base_url).rstrip("/")
