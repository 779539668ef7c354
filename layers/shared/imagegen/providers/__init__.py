"""The image providers: name, key, address and colour of each, in one place.

Settings, tools, page and tests derive from this table. Importing it loads only the standard library
and our own errors, because the page function reads it too; a provider's own file loads its vendor's
client.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from imagegen.domain.errors import ConfigurationError
from imagegen.providers.instance_file import NO_INSTANCES, instances_text

if TYPE_CHECKING:
    from pydantic import SecretStr

    from imagegen.domain.ports import ImageProvider, Moderator
    from imagegen.providers.instances import Instance

COLOUR = "#3f3f46"
"""Of a provider that has chosen none."""


@dataclass(frozen=True, slots=True)
class About:
    """What is fixed about one provider."""

    title: str
    """The provider's name as people write it."""
    key_name: str
    """The name of the parameter, and of the line in ``.env``, that contains its keys; empty if the
    functions' own role is the credential."""
    keys_url: str
    """The page where its customers create keys, or read how they get access without one."""
    base_url: str
    """The vendor's own address of the API, without a trailing slash."""
    colour: str = COLOUR
    """As ``#rrggbb``, dark enough to be readable on a light tint of the same colour."""
    region: str = ""
    """The AWS Region in which it is called by default; empty for a provider with keys."""
    advice: str = ""
    """What an operator can do when it does not let the functions' role in."""
    off_by_default: bool = False
    """Whether it is out of service until its switch is ``true``: its vendor bills refusals."""

    @property
    def is_open(self) -> bool:
        """Whether it is called without any credential: a server of the operator's own."""
        return not self.key_name and not self.region


@dataclass(frozen=True, slots=True)
class RoleAccess:
    """How a provider without keys is called."""

    region: str
    role_arn: str = ""
    """The role that is assumed for each call; empty for the function's own."""


type Credential = SecretStr | RoleAccess


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
    "bedrock": About(
        title="Amazon Bedrock",
        key_name="",
        keys_url="https://docs.aws.amazon.com/bedrock/latest/userguide/model-access.html",
        base_url="https://bedrock-runtime.us-west-2.amazonaws.com",
        colour="#9f1239",
        region="us-west-2",
        advice=(
            "Its role needs bedrock:InvokeModel in its Region, and its account access to the "
            "model: see docs/providers.md, Amazon Bedrock."
        ),
    ),
    "ideogram": About(
        title="Ideogram",
        key_name="IDEOGRAM_API_KEY",
        keys_url="https://ideogram.ai/manage-api",
        base_url="https://api.ideogram.ai",
        colour="#3730a3",
    ),
}
"""By name. The file in this package that contains ``build``, and the catalog's rows, use it too."""

MODERATOR = "openai"
"""The provider that moderates the prompts free of charge, and with the same keys."""
MODERATORS = {MODERATOR: "moderation", "bedrock": "bedrock_checks"}
"""The modules of this package that moderate prompts, by provider; the first that has a credential
is used."""
ANY_MODERATOR = "auto"
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
    return About(
        title=instance["title"],
        key_name=instance.get("keyName") or "",
        keys_url=instance.get("keysUrl", ""),
        base_url=(instance.get("baseUrl") or preset.base_url).rstrip("/"),
        colour=instance.get("colour") or COLOUR,
        off_by_default=preset.bills_refusals,
    )


def base_url_name(provider: str) -> str:
    """Return the environment variable whose address replaces the vendor's own."""
    return f"{provider.upper()}_BASE_URL"


def region_name(provider: str) -> str:
    """Return the environment variable with the Region of a provider without keys."""
    return f"{provider.upper()}_REGION"


def role_arn_name(provider: str) -> str:
    """Return the environment variable with the role that is assumed for such a provider."""
    return f"{provider.upper()}_ROLE_ARN"


@cache
def flag_name(provider: str) -> str:
    """Return the parameter whose value ``false`` takes a provider out of service."""
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
