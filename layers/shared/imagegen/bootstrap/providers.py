"""The providers with the keys that are set now; one is built when it is first called."""

from functools import cache, partial

from pydantic import SecretStr

from imagegen.bootstrap.shared import get_parameters, get_settings, now_ms
from imagegen.domain.errors import ConfigurationError
from imagegen.domain.ports import ImageProvider, Moderator
from imagegen.logs import logger
from imagegen.providers import MODERATOR, PROVIDERS, build_moderator, build_provider
from imagegen.providers.keys import Keychain, KeyedModerator, KeyedProvider, parse_keys


def provider(name: str) -> ImageProvider:
    """Return a provider with the keys that are set now.

    Raises:
        ConfigurationError: no such provider.
    """
    if name not in PROVIDERS:
        raise ConfigurationError(f"There is no provider {name!r}.")
    keys = get_parameters().values().get(PROVIDERS[name].key_name, "")
    return _provider(name, keys, get_settings().base_url(name))


# Cached by the keys' text: which of them are set aside is forgotten when they change.
@cache
def _provider(name: str, keys: str, base_url: str | None) -> ImageProvider:
    build = partial(build_provider, name, base_url=base_url)
    clients = [build(api_key=SecretStr(key)) for key in parse_keys(keys)]
    return KeyedProvider(Keychain(name, clients, now_ms, _log_set_aside))


def moderator() -> Moderator | None:
    """Return who checks prompts, ``None`` without a key for it."""
    keys = get_parameters().values().get(PROVIDERS[MODERATOR].key_name, "")
    return _moderator(keys, get_settings().base_url(MODERATOR)) if parse_keys(keys) else None


@cache
def _moderator(keys: str, base_url: str | None) -> Moderator:
    clients = [build_moderator(SecretStr(key), base_url) for key in parse_keys(keys)]
    return KeyedModerator(Keychain("moderation", clients, now_ms, _log_set_aside))


def _log_set_aside(name: str, number: int) -> None:
    """Name the key by its place among its provider's: no part of a key is logged."""
    logger.warning("key set aside", provider=name, key_number=number)
