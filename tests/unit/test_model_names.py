"""Names of models that clients send: offered ones, earlier ones, and the operator's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.domain.catalog import Tier
from imagegen.domain.errors import ConfigurationError, ParameterError, UnknownModelError
from imagegen.domain.operations import Operation
from imagegen.openai_api.model_names import ModelNames, Named
from imagegen.openai_api.models import TIER_OF_QUALITY
from imagegen.settings import parse_pairs
from tests.fakes.catalogs import real_catalog

CATALOG = real_catalog()
GENERATING = CATALOG.rows_of(Operation.GENERATE)


def resolve(name: str | None, quality: str | None = None, aliases: str = "") -> Named:
    names = ModelNames(CATALOG, parse_pairs(aliases))
    return names.resolve(name, quality, TIER_OF_QUALITY.get(quality or "auto"))


@pytest.mark.parametrize("name", [None, ""])
def test_without_a_name_the_quality_or_the_prompt_decides(name: str | None) -> None:
    assert resolve(name) == Named(None, None)
    assert resolve(name, "hd") == Named(None, Tier.HIGH)


@pytest.mark.parametrize(
    "name", [*Tier, *(name for row in GENERATING for name in (row.key, row.model))]
)
def test_what_is_offered_is_never_replaced(name: str) -> None:
    assert resolve(name, aliases=f"{name}=fast").replaced is None


@pytest.mark.parametrize(
    ("name", "model", "reason"),
    [
        ("dall-e-2", "openai-standard", "retired"),
        ("dall-e-3", "openai-high", "retired"),
        ("DALL-E-3", "openai-high", "retired"),
        ("openai/dall-e-3", "openai-high", "retired"),
        ("gpt-image-1", "openai-high", "retired"),
        ("gpt-image-1-mini", "openai-fast", "retired"),
        ("gpt-image-1.5", "openai-high", "retired"),
        ("gpt-image-1.5-2025-12-16", "openai-high", "retired"),
        ("gpt-image-1-2025-04-23", "openai-high", "retired"),
        ("gpt-image-2", "openai-standard", "alias"),
        ("gpt-image-2-2026-04-21", "openai-standard", "alias"),
        ("gpt-image-2-20260421", "openai-standard", "alias"),
        ("gpt-image-2.5-flare-2026-09-08", "gpt-image-2.5-flare", "alias"),
        ("openai/gpt-image-2.5-flare", "gpt-image-2.5-flare", "alias"),
        ("imagen-4.0-fast-generate-001", "gemini-standard", "retired"),
        ("black-forest-labs/FLUX.1-schnell", "together-fast", "retired"),
    ],
)
def test_names_of_earlier_models_lead_to_a_row_and_are_told(
    name: str, model: str, reason: str
) -> None:
    found = resolve(name)
    assert (found.model, found.tier) == (model, None)
    assert found.replaced is not None
    assert (found.replaced.model, found.replaced.reason) == (name, reason)
    assert found.replaced.provider in CATALOG.providers


@pytest.mark.parametrize("name", ["gpt-image-99", "gpt-image-2.6-flare", "gpt-image-2.6", "high2"])
def test_newer_and_unknown_models_are_not_guessed(name: str) -> None:
    with pytest.raises(UnknownModelError, match="GET /v1/models"):
        resolve(name)


@pytest.mark.parametrize(
    ("quality", "tier"), [("standard", "standard"), ("hd", "high"), ("low", "fast")]
)
def test_the_quality_decides_between_the_rows_of_the_model_that_takes_the_place(
    quality: str, tier: str
) -> None:
    found = resolve("dall-e-3", quality)
    assert (found.model, found.tier) == (
        "openai-high" if tier == "high" else "gpt-image-2.5-flare",
        tier,
    )


def test_an_operator_gives_names_their_own_places_or_none() -> None:
    assert resolve("dall-e-3", aliases="dall-e-3=fast").tier is Tier.FAST
    assert resolve("house-style", aliases="house-style=gemini-high").model == "gemini-high"
    assert resolve("sd", aliases="sd=gpt-image-2.5-flare").model == "gpt-image-2.5-flare"
    with pytest.raises(UnknownModelError):
        resolve("gpt-image-2", aliases="gpt-image-2=")
    # A retired model without its alias is explained by the estimate.
    assert resolve("dall-e-3", aliases="dall-e-3=") == Named("dall-e-3", None)


def test_an_alias_to_nothing_is_the_operators_to_mend() -> None:
    with pytest.raises(ConfigurationError, match="MODEL_ALIASES leads to 'nothing'"):
        resolve("x", aliases="x=nothing")


@pytest.mark.parametrize(
    ("model", "quality", "words"),
    [
        ("standard", "hd", "'standard' is a quality tier, and the quality 'hd' is the tier 'high'"),
        ("fast", "max", "send the model 'ultra'"),
        ("openai-fast", "high", "offered only as fast"),
        ("gpt-image-2.5-sunburst", "low", "offered only as ultra"),
    ],
)
def test_a_quality_that_the_model_lacks_is_explained(model: str, quality: str, words: str) -> None:
    with pytest.raises(ParameterError, match=words) as caught:
        resolve(model, quality)
    assert caught.value.param == "quality"


@given(st.text(max_size=60), st.sampled_from([None, *TIER_OF_QUALITY]))
def test_any_name_is_resolved_or_a_clear_error(name: str, quality: str | None) -> None:
    try:
        found = resolve(name, quality)
    except (UnknownModelError, ParameterError):
        pass
    else:
        assert found.model is None or found.model in {
            *CATALOG.by_key,
            *(r.model for r in CATALOG.models),
        }


@pytest.mark.parametrize("text", ["x", "=y", "a=b,a=c", "a=b,,c"])
def test_aliases_that_cannot_be_read_stop_the_start(text: str) -> None:
    with pytest.raises(ValueError, match="name=target"):
        parse_pairs(text)


def test_a_retired_name_for_which_the_operator_has_an_alias_is_reported_as_an_alias() -> None:
    found = resolve("dall-e-3", aliases="dall-e-3=fast")
    assert found.replaced is not None
    assert found.replaced.reason == "alias"
    assert found.tier is Tier.FAST


@pytest.mark.parametrize("tier", Tier)
def test_a_tier_as_the_model_goes_with_its_own_quality_only(tier: Tier) -> None:
    names = ModelNames(CATALOG, {})
    assert names.resolve(tier, "its own", tier) == Named(None, tier)
    for other in set(Tier) - {tier}:
        with pytest.raises(ParameterError) as caught:
            names.resolve(tier, "another", other)
        assert caught.value.param == "quality"


def test_an_error_about_a_quality_names_the_tiers_of_the_model() -> None:
    tiers = [row.tier for row in CATALOG.models if row.model == "gpt-image-2.5-flare"]
    assert len(tiers) > 1
    (missing, *_) = set(Tier) - {*tiers}
    with pytest.raises(ParameterError, match=f"only as {' and '.join(dict.fromkeys(tiers))}\\."):
        ModelNames(CATALOG, {}).resolve("gpt-image-2.5-flare", "x", missing)


@pytest.mark.parametrize(
    ("name", "target", "provider"),
    [
        ("my-model", "together-fast", "together"),
        ("my-model", "openai-fast", "openai"),
        ("my-model", "gemini-standard", "gemini"),
        ("my-model", "fast", CATALOG.models[0].provider),
        ("dall-e-3", "together-fast", "openai"),
        ("dall-e-3", "fast", "openai"),
        ("imagen-4.0-fast-generate-001", "openai-fast", "gemini"),
    ],
)
def test_what_is_replaced_is_of_its_own_provider_or_else_of_that_of_the_target(
    name: str, target: str, provider: str
) -> None:
    found = resolve(name, aliases=f"{name}={target}")
    assert found.replaced is not None
    assert (found.replaced.model, found.replaced.provider) == (name, provider)


@pytest.mark.parametrize(("quality", "tier"), [(None, Tier.FAST), ("hd", Tier.HIGH)])
def test_a_quality_goes_before_the_tier_of_an_alias(quality: str | None, tier: Tier) -> None:
    found = resolve("my-model", quality, aliases="my-model=fast")
    assert (found.model, found.tier) == (None, tier)


@pytest.mark.parametrize("owner", ["someone", "", "open"])
def test_only_an_owner_that_is_a_provider_is_taken_off_a_name(owner: str) -> None:
    assert resolve("OpenAI/gpt-image-2.5-flare").model == "gpt-image-2.5-flare"
    with pytest.raises(UnknownModelError):
        resolve(f"{owner}/gpt-image-2.5-flare")
