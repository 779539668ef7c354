"""The image providers: name, key, address and colour of each, in one place.

Settings, tools, page and tests derive from this table. Importing it loads only the standard library
and our own errors, because the page function reads it too; a provider's own file loads its vendor's
client.
"""

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from imagegen.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from pydantic import SecretStr

    from imagegen.domain.ports import ImageProvider, Moderator


@dataclass(frozen=True, slots=True)
class About:
    """What is fixed about one provider."""

    title: str
    """The provider's name as people write it."""
    key_name: str
    """The name of the parameter, and of the line in ``.env``, that contains its keys."""
    keys_url: str
    """The page where its customers create keys."""
    base_url: str
    """The vendor's own address of the API, without a trailing slash."""
    colour: str = "#3f3f46"
    """As ``#rrggbb``, dark enough to be readable on a light tint of the same colour."""


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
"""By name. The file in this package that contains ``build``, and the catalog's rows, use it too."""

MODERATOR = "openai"
"""The provider that moderates the prompts, free of charge and with the same keys."""


def base_url_name(provider: str) -> str:
    """Return the environment variable whose address replaces the vendor's own."""
    return f"{provider.upper()}_BASE_URL"


@cache
def flag_name(provider: str) -> str:
    """Return the parameter whose value ``false`` takes a provider out of service."""
    return f"ENABLE_IMAGE_GENERATION_{provider.upper()}"


def build_provider(
    name: str, *, api_key: "SecretStr", base_url: str | None = None
) -> "ImageProvider":
    """Return the provider; without ``base_url`` it calls the vendor's own address.

    Raises:
        ConfigurationError: there is no provider of this name; the message lists the names.
    """
    if name not in PROVIDERS:
        raise ConfigurationError(
            f"There is no provider {name!r}; use one of {', '.join(PROVIDERS)}."
        )
    build = import_module(f"{__name__}.{name}").build
    provider: ImageProvider = build(api_key, _address(name, base_url))
    return provider


def build_moderator(api_key: "SecretStr", base_url: str | None = None) -> "Moderator":
    """Return OpenAI's moderation, which is free and uses OpenAI's key and address."""
    from imagegen.providers.moderation import build  # noqa: PLC0415 - loads requests

    return build(api_key, _address(MODERATOR, base_url))


def _address(name: str, base_url: str | None) -> str:
    return (base_url or PROVIDERS[name].base_url).rstrip("/")
