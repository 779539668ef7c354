"""Names of models that clients send: offered ones, earlier ones, and the operator's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.domain.catalog import Tier
from imagegen.domain.errors import ConfigurationError, ParameterError, UnknownModelError
from imagegen.openai_api.model_names import ModelNames, Named
from imagegen.openai_api.models import TIER_OF_QUALITY
from imagegen.settings import parse_aliases
from tests.fakes.catalogs import real_catalog

CATALOG = real_catalog()


def resolve(name: str | None, quality: str | None = None, aliases: str = "") -> Named:
    names = ModelNames(CATALOG, parse_aliases(aliases))
    return names.resolve(name, quality, TIER_OF_QUALITY.get(quality or "auto"))


@pytest.mark.parametrize("name", [None, ""])
def test_without_a_name_the_quality_or_the_prompt_decides(name: str | None) -> None:
    assert resolve(name) == Named(None, None)
    assert resolve(name, "hd") == Named(None, Tier.HIGH)


@pytest.mark.parametrize("name", [*Tier, *CATALOG.by_key, *(row.model for row in CATALOG.models)])
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
        parse_aliases(text)
