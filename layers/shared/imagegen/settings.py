"""The settings that the functions read from their environment; none of them is a secret."""

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from imagegen.domain.budget_amounts import Amounts
from imagegen.domain.ledger import Limits
from imagegen.domain.money import Usd, UsdOrNone, UsdPerMillion
from imagegen.domain.ports import ModerationMode
from imagegen.places import is_on_loopback, public_url
from imagegen.providers import (
    ANY_MODERATOR,
    INSTANCES_URL,
    OFF,
    PROVIDERS,
    STAND_INS,
    RoleAccess,
    check_moderator,
    region_name,
    registry,
    role_arn_name,
    simulated_instances,
    stand_ins_in,
)

if TYPE_CHECKING:
    from imagegen.domain.chat_usage import DailyChatLimits

Text = Annotated[str, Field(min_length=1)]


def parse_pairs(text: str) -> dict[str, str]:
    """Return the targets in ``name=target,name=target`` by name; a target may be empty.

    Raises:
        ValueError: a part has no name or no equals sign, or a name is there twice.
    """
    found: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, target = (one.strip() for one in part.partition("="))
        if not name or not equals or name in found:
            raise ValueError("must be name=target, separated by commas, each name once")
        found[name] = target
    return found


Pairs = Annotated[Mapping[str, str], BeforeValidator(parse_pairs)]


class Settings(BaseModel):
    """The settings of every function."""

    model_config = ConfigDict(frozen=True, alias_generator=str.upper)

    table_name: Text
    parameters_path: Text
    stack_name: Text = "imagegen"
    powertools_log_level: str = "INFO"
    public_api_url: str = ""
    """The address in front of all functions; empty for the functions' own URLs."""
    origin_digests: str = ""
    """SHA-256 digests of the accepted values of the header that the front adds."""
    jwt_issuer: str = ""
    jwt_audience: str = ""
    jwt_jwks_url: str = ""
    jwt_algorithms: str = "RS256,ES256,EdDSA"
    jwt_user_scope: str = ""
    jwt_team_claim: str = ""
    jwt_admin_scope: str = "admin"
    clock_offset_seconds: int = 0
    aws_endpoint_url: str = ""
    base_urls: Pairs = Field({}, alias=STAND_INS)
    """Where a provider is called instead of its own address; empty for its own."""
    regions: Mapping[str, str] = {}
    """The Region in which a provider without keys is called, or ``off``."""
    role_arns: Mapping[str, str] = {}
    """The role that is assumed for a provider without keys; empty for the function's own."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Return the settings.

        Raises:
            pydantic.ValidationError: it names every variable that is missing or wrong.
        """
        by_role = [name for name, about in PROVIDERS.items() if about.region]
        found = {
            STAND_INS: ",".join((stand_ins_in(environ), *simulated_instances(environ))),
            # Without the variable there is no right to call it either.
            "REGIONS": {name: environ.get(region_name(name), OFF) for name in by_role},
            "ROLE_ARNS": {name: environ.get(role_arn_name(name), "") for name in by_role},
        }
        return cls.model_validate({**environ, **found})

    @model_validator(mode="after")
    def _stand_ins_are_on_loopback_only(self) -> Self:
        others = self.base_urls.keys() - PROVIDERS.keys()
        if unknown := others and others - registry().keys():
            raise ValueError(f"{STAND_INS}: no provider has the name {min(unknown)!r}")
        # The operator's file alone says where an instance is.
        local_ones = {"CLOCK_OFFSET_SECONDS": self.clock_offset_seconds, INSTANCES_URL: others}
        for name, is_set in local_ones.items():
            if is_set and not is_on_loopback(self.aws_endpoint_url):
                raise ValueError(f"{name} is for a local stack: AWS is not on loopback")
        return self

    def public_url(self, domain: str, url_id: str) -> str:
        """Return the public URL of a function, without a slash at the end."""
        return self.public_api_url or public_url(self.aws_endpoint_url, domain, url_id)

    def base_url(self, provider: str) -> str | None:
        """Return the URL that replaces a provider's own, or ``None`` if it is not set."""
        return self.base_urls.get(provider) or None

    def role_access(self, provider: str) -> RoleAccess | None:
        """Return how a provider without keys is called, or ``None`` if it is not."""
        region = self.regions.get(provider, OFF)
        return None if region == OFF else RoleAccess(region, self.role_arns.get(provider, ""))


class MoneySettings(Settings):
    """The further settings of functions that price or spend."""

    hourly_images: Annotated[int, Field(ge=0, le=100)] = 10
    daily_images: Annotated[int, Field(ge=1)] = 50
    daily_attempts: Annotated[int, Field(ge=1, le=450)] = 100
    daily_spend_usd: Usd = 10_000_000
    monthly_spend_usd: UsdOrNone = None
    total_daily_spend_usd: UsdOrNone = 100_000_000
    total_monthly_spend_usd: UsdOrNone = None
    team_daily_spend_usd: UsdOrNone = None
    team_monthly_spend_usd: UsdOrNone = None
    fallback_price_multiple: Annotated[Decimal, Field(ge=1)] = Decimal("1.25")
    require_marks: bool = False
    price_drift_closes: bool = False
    max_count: Annotated[int, Field(ge=1, le=10)] = 4

    @property
    def limits(self) -> Limits:
        """What one user may do, without the budgets above."""
        return Limits(
            self.hourly_images,
            self.daily_images,
            self.daily_attempts,
            self.daily_spend_usd,
            self.monthly_spend_usd,
        )

    @property
    def organisation_amounts(self) -> Amounts:
        """What all users together may spend, unless an operator has set other amounts."""
        return Amounts(self.total_daily_spend_usd, self.total_monthly_spend_usd)

    @property
    def team_amounts(self) -> Amounts:
        """What each team may spend, as above."""
        return Amounts(self.team_daily_spend_usd, self.team_monthly_spend_usd)


class ChatLimitSettings(MoneySettings):
    """The further settings of functions that limit the chat, or show its limits."""

    daily_chats: Annotated[int, Field(ge=1)] = 200
    daily_chat_tokens: Annotated[int, Field(ge=50_000)] = 1_000_000

    @property
    def chat_limits(self) -> "DailyChatLimits":
        """What one person may use of the chat."""
        # Imported here: only chats and the report of their use need it.
        from imagegen.domain.chat_usage import DailyChatLimits  # noqa: PLC0415

        return DailyChatLimits(self.daily_chats, self.daily_chat_tokens)


class AdminSettings(ChatLimitSettings):
    """The settings of ``admin``: it shows the limits of users."""


class EstimateSettings(MoneySettings):
    """The settings of ``estimate``."""

    bucket_name: Text
    generate_url: str = ""
    health_url: str = ""
    admin_url: str = ""
    chat_url: str = ""
    public_page_url: str = ""
    """The address of the page for people, if it has one of its own."""
    aws_region: str = ""
    """The Region, which Lambda sets."""
    allowed_origins: str = "*"
    """Origins of pages that may call, separated by commas; ``*`` for all."""

    @property
    def origins(self) -> frozenset[str]:
        """The origins of pages that may call; ``*`` stands for all."""
        return frozenset(filter(None, (one.strip() for one in self.allowed_origins.split(","))))

    @property
    def other_urls(self) -> dict[str, str]:
        """The public URLs of the other functions, by name; one that is not set is missing."""
        given = {"generate": self.generate_url, "health": self.health_url, "chat": self.chat_url}
        given["admin"] = self.admin_url
        return {name: self._public(url) for name, url in given.items() if url}

    @property
    def images_url(self) -> str:
        """The public URL of images, without a slash at the end; empty if it is not set."""
        return self._public(self.generate_url) if self.generate_url else self.public_api_url

    def _public(self, function_url: str) -> str:
        host = urlsplit(function_url).hostname or ""
        return self.public_url(host, host.partition(".")[0])


class ChatSettings(ChatLimitSettings):
    """The settings of ``chat``."""

    chat_base_url: str = ""
    chat_model: str = ""
    chat_concurrency: Annotated[int, Field(ge=0)] = 10
    """How many chats may run at once; with 0, the chat is out of service."""
    chat_input_characters: Annotated[int, Field(ge=1_000, le=200_000)] = 60_000
    chat_input_usd_per_million: UsdPerMillion = None
    chat_output_usd_per_million: UsdPerMillion = None


class ModerationSettings(Settings):
    """The further settings of functions that moderate prompts, or show how."""

    moderation: ModerationMode = ModerationMode.REQUIRED
    moderator: Annotated[str, AfterValidator(check_moderator)] = ANY_MODERATOR


class GenerateSettings(ModerationSettings, ChatLimitSettings):
    """The settings of ``generate``."""

    bucket_name: Text
    aws_lambda_function_name: str = ""
    """The function's own name, which Lambda sets."""
    record_retention_days: Annotated[int, Field(ge=0)] = 0
    image_retention_days: Annotated[int, Field(ge=1)] = 365
    keep_prompts: bool = True
    fallback_after_unknown: bool = True
    model_aliases: Pairs = {}
    """What the names of other models lead to: rows, models and tiers by name."""
