"""The providers with the keys that are set now; one is built when it is first called."""

from functools import cache

from pydantic import SecretStr

from imagegen.bootstrap.shared import get_parameters, get_settings
from imagegen.domain.ports import ImageProvider, Moderator
from imagegen.providers import PROVIDERS, build_moderator, build_provider


def provider(name: str) -> ImageProvider:
    """Return a provider with the key that is set now.

    Raises:
        ConfigurationError: no such provider.
    """
    key = get_parameters().values().get(PROVIDERS[name], "").strip()
    return _provider(name, key, get_settings().base_url(name))


@cache
def _provider(name: str, key: str, base_url: str | None) -> ImageProvider:
    return build_provider(name, api_key=SecretStr(key), base_url=base_url)


def moderator() -> Moderator | None:
    """Return who checks prompts, ``None`` without a key for it."""
    key = get_parameters().values().get(PROVIDERS["openai"], "").strip()
    return _moderator(key, get_settings().base_url("openai")) if key else None


@cache
def _moderator(key: str, base_url: str | None) -> Moderator:
    return build_moderator(SecretStr(key), base_url)
