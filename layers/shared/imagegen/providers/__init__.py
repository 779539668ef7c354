"""The image providers by name, and what builds their clients.

The built-in ones are in ``builtin``, one entry each; the operator's own are in a file.

Settings, tools, page and tests derive from this table. Importing it loads only the standard library
and our own errors, because the page function reads it too; a provider's own file loads its vendor's
client.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from imagegen.domain.errors import ConfigurationError
from imagegen.providers.builtin import COLOUR, PROVIDERS, About
from imagegen.providers.instance_file import NO_INSTANCES, instances_text

__all__ = ["COLOUR", "PROVIDERS", "About"]

if TYPE_CHECKING:
    from pydantic import SecretStr

    from imagegen.domain.ports import ImageProvider, Moderator
    from imagegen.providers.instances import Instance


@dataclass(frozen=True, slots=True)
class RoleAccess:
    """How a provider without keys is called."""

    region: str
    role_arn: str = ""
    """The role that is assumed for each call; empty for the function's own."""


type Credential = SecretStr | RoleAccess


MODERATOR = "openai"
"""The provider that moderates the prompts free of charge, and with the same keys."""
MODERATORS = {MODERATOR: "moderation", "bedrock": "bedrock_checks"}
"""The modules of this package that moderate prompts, by provider; the first that has a credential
is used."""
ANY_MODERATOR = "auto"
VERSION = re.compile(r"/v\d")
NO_VERSION = "Its baseUrl has no version: most servers' ends with /v1."
STAND_INS = "STAND_INS"
"""The variable with the addresses that replace the providers' own."""
INSTANCES_URL = "INSTANCES_URL"
"""The variable with the address below which a local stack simulates the operator's instances."""
OFF = "off"
"""The Region of a provider without keys that is not called."""


@cache
def registry() -> Mapping[str, About]:
    """Return every provider by name: the built-in ones, then the operator's instances.

    Only what is read of the file is validated, because the page function has no pydantic.
    ``own_instances`` validates it whole, before a deployment and when prices are first needed.

    Raises:
        ConfigurationError: what is read is wrong; the message says where, and what to do.
    """
    try:
        listed: list[dict[str, Any]] = json.loads(instances_text())["instances"]
        return {**PROVIDERS, **{one["name"]: _about(one) for one in listed}}
    except (AttributeError, LookupError, TypeError, ValueError):
        own_instances()  # It raises the error that says what is wrong.
        raise


@cache
def own_instances() -> "Mapping[str, Instance]":
    """Return the operator's instances by name, validated.

    Raises:
        ConfigurationError: the file is wrong; the message says where, and what to do.
    """
    if "".join(instances_text().split()) == NO_INSTANCES:
        return {}  # Without instances, nothing is loaded for them.
    from imagegen.providers.instances import parse_instances  # noqa: PLC0415 as above

    return {one.name: one for one in parse_instances(instances_text())}


def _about(instance: Mapping[str, Any]) -> About:
    from imagegen.providers.presets import PRESETS  # noqa: PLC0415 - only with instances

    preset = PRESETS[instance["preset"]]
    base_url = (instance.get("baseUrl") or preset.base_url).rstrip("/")
    return About(
        title=instance["title"],
        key_name=instance.get("keyName") or "",
        keys_url=instance.get("keysUrl", ""),
        base_url=base_url,
        colour=instance.get("colour") or COLOUR,
        off_by_default=preset.bills_refusals,
        route_advice="" if VERSION.search(urlsplit(base_url).path) else NO_VERSION,
    )


def base_url_name(provider: str) -> str:
    """Return the environment variable whose address replaces the vendor's own."""
    return f"{provider.upper()}_BASE_URL"


def stand_ins_in(environ: Mapping[str, str]) -> str:
    """Return ``STAND_INS`` with the addresses that have variables of their own.

    ``OPENAI_BASE_URL`` and the like are as good, unless ``STAND_INS`` names the provider too.
    """
    text = environ.get(STAND_INS, "")
    named = {part.partition("=")[0].strip() for part in text.split(",")}
    urls = {name: environ.get(base_url_name(name)) for name in PROVIDERS}
    own = [f"{name}={url}" for name, url in urls.items() if url and name not in named]
    return ",".join(filter(None, (text, *own)))


def simulated_instances(environ: Mapping[str, str]) -> list[str]:
    """Return the operator's instances with their addresses below ``INSTANCES_URL``.

    Each is ``name=address``, as in ``STAND_INS``; there is none without that variable.
    """
    below = environ.get(INSTANCES_URL)
    if not below:
        return []
    own = {name: about for name, about in registry().items() if name not in PROVIDERS}
    return [f"{name}={below}/{name}{urlsplit(one.base_url).path}" for name, one in own.items()]


def region_name(provider: str) -> str:
    """Return the environment variable with the Region of a provider without keys."""
    return f"{provider.upper()}_REGION"


def role_arn_name(provider: str) -> str:
    """Return the environment variable with the role that is assumed for such a provider."""
    return f"{provider.upper()}_ROLE_ARN"


@cache
def flag_name(provider: str) -> str:
    """Return the parameter that switches a provider on (``true``) or off (``false``)."""
    return f"ENABLE_IMAGE_GENERATION_{provider.upper()}"


def build_provider(
    name: str, *, credential: "Credential", base_url: str | None = None
) -> "ImageProvider":
    """Return the provider; without ``base_url`` it calls the vendor's own address.

    Raises:
        ConfigurationError: there is no provider of this name; the message lists the names.
    """
    if name not in registry():
        raise ConfigurationError(
            f"There is no provider {name!r}; use one of {', '.join(registry())}."
        )
    if name not in PROVIDERS:
        from imagegen.providers.compatible import build_instance  # noqa: PLC0415 - loads requests

        # Only a provider with a Region is called by a role.
        api_key = cast("SecretStr", credential)
        return build_instance(own_instances()[name], api_key, _address(name, base_url))
    build = import_module(f"{__name__}.{name}").build
    provider: ImageProvider = build(credential, _address(name, base_url))
    return provider


def build_moderator(
    credential: "Credential", base_url: str | None = None, *, name: str = MODERATOR
) -> "Moderator":
    """Return the moderation of a provider, which has the same credential and address."""
    build = import_module(f"{__name__}.{MODERATORS[name]}").build
    moderator: Moderator = build(credential, _address(name, base_url))
    return moderator


def check_moderator(name: str) -> str:
    """Return the name.

    Raises:
        ValueError: it is neither a provider that moderates nor ``auto``.
    """
    if name not in (ANY_MODERATOR, *MODERATORS):
        raise ValueError(f"must be {ANY_MODERATOR} or one of {', '.join(MODERATORS)}")
    return name


def _address(name: str, base_url: str | None) -> str:
    """Return the address; empty for one without keys, whose Region decides it."""
    about = registry()[name]
    return (base_url or ("" if about.region else about.base_url)).rstrip("/")
