"""The clients of image providers, moderation and LLM, with the keys that are set now.

A client is built when it is first used, and again after its key has changed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr

from imagegen.domain.errors import ConfigurationError
from imagegen.domain.ports import ImageProvider, Llm, Moderator
from imagegen.providers import (
    ANY_MODERATOR,
    MODERATORS,
    PROVIDERS,
    RoleAccess,
    build_moderator,
    build_provider,
    flag_name,
    region_name,
    registry,
)
from imagegen.providers.keys import Keychain, KeyedModerator, KeyedProvider, parse_keys
from imagegen.settings import ChatSettings, ModerationSettings, Settings
from imagegen.usecases.availability import ProviderSetup

if TYPE_CHECKING:
    from imagegen.llm.dialect import DialectMemory

CHAT_KEY = "CHAT_API_KEY"
OPENAI = PROVIDERS["openai"]
"""Its keys may serve the chat, too, at its own address."""

type SetAside = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Providers:
    """Builds clients from the current values of the parameters."""

    settings: Settings
    names: tuple[str, ...]
    """The providers of the catalog."""
    values: Callable[[], Mapping[str, str]]
    now_ms: Callable[[], int]
    on_set_aside: SetAside

    def setups(self) -> dict[str, ProviderSetup]:
        """Return for each provider whether it has a credential and whether it is switched on."""
        values = self.values()
        return {
            name: ProviderSetup(
                self._has_credential(name, values),
                _is_enabled(name, values),
                registry()[name].advice,
                registry()[name].route_advice,
            )
            for name in self.names
        }

    def image_provider(self, name: str) -> ImageProvider:
        """Return a provider.

        Raises:
            ConfigurationError: there is no such provider, or one without keys is switched off.
        """
        about = registry().get(name)
        if about is None:
            raise ConfigurationError(f"There is no provider {name!r}.")
        base_url = self.settings.base_url(name)
        if about.region:
            return _role_provider(name, self._role_access(name), base_url)
        keys = self.values().get(about.key_name, "")
        return _image_provider(name, keys, base_url, self.now_ms, self.on_set_aside)

    def moderated_by(self) -> str:
        """Return the provider that moderates the prompts, an empty text if there is none.

        That is the one that the operator chose, else the first of those that have a credential.
        """
        settings = self.settings
        chosen = settings.moderator if isinstance(settings, ModerationSettings) else ANY_MODERATOR
        names = MODERATORS if chosen == ANY_MODERATOR else (chosen,)
        values = self.values()
        return next((name for name in names if self._has_credential(name, values)), "")

    def moderator(self) -> Moderator | None:
        """Return the moderator, ``None`` without a credential for it."""
        name = self.moderated_by()
        if not name:
            return None
        base_url = self.settings.base_url(name)
        if PROVIDERS[name].region:
            return _role_moderator(name, self._role_access(name), base_url)
        keys = self.values()[PROVIDERS[name].key_name]
        return _moderator(name, keys, base_url, self.now_ms, self.on_set_aside)

    def llm(self) -> Llm:
        """Return the chat's LLM.

        Raises:
            ConfigurationError: no model or no key is set, or ``ChatConcurrency`` is 0.
        """
        settings = self.settings
        if not isinstance(settings, ChatSettings) or not settings.chat_model:
            raise ConfigurationError("The chat has no LLM: set the parameter ChatModel.")
        if not settings.chat_concurrency:
            raise ConfigurationError(
                "The chat is out of service: set the parameter ChatConcurrency to 1 or more."
            )
        key = chat_key(self.values(), settings.chat_base_url)
        return _llm(key, settings.chat_base_url, settings.chat_model, self.names)

    def _has_credential(self, name: str, values: Mapping[str, str]) -> bool:
        about = registry()[name]
        if about.region:
            return self.settings.role_access(name) is not None
        return bool(parse_keys(values.get(about.key_name, ""))) or about.is_open

    def _role_access(self, name: str) -> RoleAccess:
        access = self.settings.role_access(name)
        if access is None:
            raise ConfigurationError(f"{name} is off: set its Region, as in {region_name(name)}.")
        return access


def _is_enabled(name: str, values: Mapping[str, str]) -> bool:
    switch = values.get(flag_name(name), "").strip().lower()
    return switch == "true" if registry()[name].off_by_default else switch != "false"


def chat_key(values: Mapping[str, str], base_url: str) -> str:
    """Return the LLM's own key. At OpenAI, the first image key replaces it if it is not set.

    Raises:
        ConfigurationError: no key is set.
    """
    keys = parse_keys(values.get(CHAT_KEY, ""))
    # OpenAI's image key must not be sent to any other host.
    if not keys and urlsplit(base_url or OPENAI.base_url)[:2] == urlsplit(OPENAI.base_url)[:2]:
        keys = parse_keys(values.get(OPENAI.key_name, ""))
    if not keys:
        raise ConfigurationError(
            f"{CHAT_KEY} is not set: put it into .env and run `make deploy-env`."
        )
    return keys[0]


# Cached by the text of the keys: a changed list of keys starts with none of them set aside.
@cache
def _image_provider(
    name: str, keys: str, base_url: str | None, now_ms: Callable[[], int], on_set_aside: SetAside
) -> ImageProvider:
    build = partial(build_provider, name, base_url=base_url)
    used = ("",) if registry()[name].is_open else parse_keys(keys)
    clients = [build(credential=SecretStr(key)) for key in used]
    return KeyedProvider(Keychain(name, clients, now_ms, on_set_aside))


@cache
def _role_provider(name: str, access: RoleAccess, base_url: str | None) -> ImageProvider:
    return build_provider(name, credential=access, base_url=base_url)


@cache
def _role_moderator(name: str, access: RoleAccess, base_url: str | None) -> Moderator:
    return build_moderator(access, base_url, name=name)


@cache
def _moderator(
    name: str, keys: str, base_url: str | None, now_ms: Callable[[], int], on_set_aside: SetAside
) -> Moderator:
    clients = [build_moderator(SecretStr(key), base_url, name=name) for key in parse_keys(keys)]
    return KeyedModerator(Keychain("moderation", clients, now_ms, on_set_aside))


@cache
def _llm(key: str, base_url: str, model: str, providers: tuple[str, ...]) -> Llm:
    # Imported here: the client takes half a second to load, and only chat answers need it.
    from imagegen.chat.tool import INSTRUCTIONS, tool_definition  # noqa: PLC0415
    from imagegen.llm.openai_chat import build_llm  # noqa: PLC0415

    tool = tool_definition("openai", providers, pictures=True)
    memory = _dialect_memory(base_url, model)
    return build_llm(
        SecretStr(key), base_url, model, instructions=INSTRUCTIONS, tool=tool, memory=memory
    )


@cache
def _dialect_memory(base_url: str, _model: str) -> "DialectMemory":
    """Return what this instance has learned about a model; it outlives a change of the key."""
    from imagegen.llm.dialect import DialectMemory  # noqa: PLC0415
    from imagegen.llm.openai_chat import first_dialect  # noqa: PLC0415

    return DialectMemory(first_dialect(base_url))
