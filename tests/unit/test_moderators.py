"""Who moderates: the operator's choice, else the first with a credential; what health says."""

from collections.abc import Mapping
from contextlib import suppress

import pytest

from imagegen.bootstrap.providers import Providers
from imagegen.domain.errors import (
    ConfigurationError,
    ContentRefusedError,
    ImagegenError,
    ModerationUnavailableError,
)
from imagegen.domain.inputs import InputFile, Role
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import Moderation, ModerationMode
from imagegen.providers import MODERATORS, PROVIDERS, RoleAccess
from imagegen.settings import GenerateSettings, ModerationSettings, Settings
from imagegen.usecases.availability import ProviderSetup
from imagegen.usecases.generate.moderation import PromptModeration
from imagegen.usecases.health import public_summary
from tests.fakes.pictures import png
from tests.fakes.providers import ScriptedModerator
from tests.fakes.service import Service

FIXED = {"TABLE_NAME": "t", "PARAMETERS_PATH": "/p", "BUCKET_NAME": "b"}
KEY = {"OPENAI_API_KEY": "sk-1"}
REGION = {"BEDROCK_REGION": "us-west-2"}
OFF = {"BEDROCK_REGION": "off"}
MODES = (ModerationMode.REQUIRED, ModerationMode.BEST_EFFORT)


def providers(
    variables: Mapping[str, str],
    keys: Mapping[str, str],
    kind: type[Settings] = ModerationSettings,
) -> Providers:
    settings = kind.from_env({**FIXED, **variables})
    return Providers(settings, tuple(PROVIDERS), lambda: keys, lambda: 0, lambda *_: None)


@pytest.mark.parametrize(
    ("variables", "keys", "found"),
    [
        (REGION, KEY, "openai"),
        (REGION, {}, "bedrock"),
        (REGION, {"OPENAI_API_KEY": " , "}, "bedrock"),
        (REGION, {"GEMINI_API_KEY": "g"}, "bedrock"),
        (OFF, KEY, "openai"),
        (OFF, {}, ""),
        ({}, {}, ""),
        ({**REGION, "MODERATOR": "auto"}, KEY, "openai"),
        ({**REGION, "MODERATOR": "bedrock"}, KEY, "bedrock"),
        ({**REGION, "MODERATOR": "openai"}, {}, ""),
        ({**OFF, "MODERATOR": "bedrock"}, KEY, ""),
        # The switch of a provider is about its images.
        (REGION, {"ENABLE_IMAGE_GENERATION_BEDROCK": "false"}, "bedrock"),
    ],
)
def test_the_chosen_moderator_or_the_first_with_a_credential_moderates(
    variables: Mapping[str, str], keys: Mapping[str, str], found: str
) -> None:
    one = providers(variables, keys)
    assert one.moderated_by() == found
    assert (one.moderator() is None) == (found == "")


def test_only_bedrocks_checks_read_no_pictures() -> None:
    reads = {name: providers({**REGION, "MODERATOR": name}, KEY).moderator() for name in MODERATORS}
    assert {name for name, one in reads.items() if one and not one.reads_pictures} == {"bedrock"}


@pytest.mark.parametrize("name", ["anthropic", "", "OpenAI", "off"])
def test_an_unknown_moderator_is_no_setting(name: str) -> None:
    with pytest.raises(ValueError, match="must be auto or one of openai, bedrock"):
        GenerateSettings.from_env({**FIXED, "MODERATOR": name})


def test_a_provider_without_keys_has_a_credential_where_it_has_a_region() -> None:
    here, nowhere = providers(REGION, {}, Settings), providers(OFF, {}, Settings)
    assert here.setups()["bedrock"].has_key
    assert not nowhere.setups()["bedrock"].has_key
    assert {name for name, one in here.setups().items() if one.has_key} == {"bedrock"}
    switched = providers(REGION, {"ENABLE_IMAGE_GENERATION_BEDROCK": "false"}, Settings)
    assert not switched.setups()["bedrock"].enabled


def test_a_provider_that_is_off_is_not_built() -> None:
    with pytest.raises(ConfigurationError, match="BEDROCK_REGION"):
        providers(OFF, {}).image_provider("bedrock")


def test_the_role_and_the_region_are_the_operators() -> None:
    arn = "arn:aws:iam::123456789012:role/x"
    given = {"BEDROCK_REGION": "us-east-1", "BEDROCK_ROLE_ARN": arn}
    settings = Settings.from_env({**FIXED, **given})
    assert settings.role_access("bedrock") == RoleAccess("us-east-1", arn)
    assert settings.role_access("openai") is None


def test_without_a_moderator_the_message_names_every_way_out() -> None:
    service = Service(moderation=ModerationMode.REQUIRED, moderator=None)
    with pytest.raises(ConfigurationError) as caught:
        service.make()
    for name in ("OPENAI_API_KEY", "BedrockRegion", "Moderation", "best-effort", "Moderator is"):
        assert name in str(caught.value)


@pytest.mark.parametrize("outcome", [Outcome.ACCOUNT, Outcome.UNAVAILABLE])
def test_a_moderator_that_is_not_let_in_is_named(outcome: Outcome) -> None:
    service = Service(moderation=ModerationMode.REQUIRED, moderator=ScriptedModerator(outcome))
    with pytest.raises(ModerationUnavailableError) as caught:
        service.make()
    is_named = "does not accept the credential" in str(caught.value)
    assert is_named == (outcome is Outcome.ACCOUNT)
    assert not service.called
    service.check_charged_iff_stored()


PICTURE = InputFile(Role.EDIT, png((64, 64)), "image/png", 64, 64)
MASK = InputFile(Role.MASK, png((64, 64)), "image/png", 64, 64)


def moderating(
    mode: ModerationMode, *, flagged: bool = False
) -> tuple[PromptModeration, list[str]]:
    moderator = ScriptedModerator(Moderation(flagged), reads_pictures=False)
    return PromptModeration(lambda: moderator, mode), moderator.asked


def test_a_picture_that_nobody_can_check_is_refused_where_moderation_is_required() -> None:
    moderation, asked = moderating(ModerationMode.REQUIRED)
    with pytest.raises(ConfigurationError, match=r"read no pictures.* Moderator is auto"):
        moderation.check("a fox", [PICTURE])
    assert asked == []


def test_with_best_effort_its_prompt_is_checked() -> None:
    moderation, asked = moderating(ModerationMode.BEST_EFFORT)
    moderation.check("a fox", [PICTURE])
    assert asked == ["a fox"]
    with pytest.raises(ContentRefusedError):
        moderating(ModerationMode.BEST_EFFORT, flagged=True)[0].check("a fox", [PICTURE])


@pytest.mark.parametrize("mode", MODES)
def test_a_mask_shows_nothing_that_has_to_be_read(mode: ModerationMode) -> None:
    moderation, asked = moderating(mode)
    moderation.check("a fox", [MASK])
    assert asked == ["a fox"]


@pytest.mark.parametrize("mode", ModerationMode)
@pytest.mark.parametrize("by", ["openai", "bedrock", None])
def test_health_says_who_moderates(mode: ModerationMode, by: str | None) -> None:
    moderator = ScriptedModerator() if by else None
    service = Service(moderation=mode, moderator=moderator, moderated_by=by or "")
    found = service.reporter.report().moderation
    wanted = None if mode is ModerationMode.OFF else by
    assert (found.mode, found.provider) == (mode, wanted)


def test_health_says_what_to_do_about_a_role_that_is_not_let_in() -> None:
    advised = ProviderSetup(has_key=True, enabled=True, advice="ask the account's owner")
    service = Service(setups={"alpha": advised, "beta": ProviderSetup(has_key=True, enabled=True)})
    for name in ("alpha", "beta"):
        service.react(name, Outcome.ACCOUNT)
    with suppress(ImagegenError):
        service.make()
    report = service.reporter.report()
    hints = {one.provider: one.hint for one in report.providers}
    assert hints == {"alpha": "ask the account's owner", "beta": None, "gamma": None}
    assert {one.hint for one in public_summary(report).providers} == {None}


@pytest.mark.parametrize("outcome", [Outcome.UNAVAILABLE, Outcome.MODEL_GONE, Outcome.RATE_LIMITED])
def test_what_is_not_about_the_role_has_no_hint(outcome: Outcome) -> None:
    service = Service(setups={"alpha": ProviderSetup(has_key=True, enabled=True, advice="ask")})
    service.react("alpha", outcome)
    for number in range(6):
        with suppress(ImagegenError):
            service.make(user=f"{number:032x}")
    assert {one.hint for one in service.reporter.report().providers} == {None}
