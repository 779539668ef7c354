"""Which LLM the chat talks to, with which key, and what its answers cost."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from imagegen.bootstrap.providers import Providers, chat_key
from imagegen.domain.errors import ConfigurationError
from imagegen.llm.openai_chat import OpenAILlm
from imagegen.monitoring.metrics import Metric
from imagegen.monitoring.samples import chat_samples
from imagegen.settings import ChatSettings
from imagegen.wire.messages import MessageComplete, TextApiCall
from local.emulator import Emulator
from local.issuer import Issuer
from local.paths import ROOT
from local.stack import LocalStack, Options

ENVIRONMENT = {"TABLE_NAME": "table", "PARAMETERS_PATH": "/imagegen/test"}
OWN, IMAGES = "chat-key", "images-1,images-2"


@pytest.mark.parametrize(
    ("values", "base_url", "key"),
    [
        ({"CHAT_API_KEY": OWN, "OPENAI_API_KEY": IMAGES}, "", OWN),
        ({"CHAT_API_KEY": OWN}, "https://llm.example.com/v1", OWN),
        ({"CHAT_API_KEY": f" {OWN} , other"}, "", OWN),
        ({"OPENAI_API_KEY": IMAGES}, "", "images-1"),
        ({"OPENAI_API_KEY": IMAGES}, "https://api.openai.com/v1", "images-1"),
    ],
)
def test_the_chats_own_key_or_at_openai_the_images_first(
    values: dict[str, str], base_url: str, key: str
) -> None:
    assert chat_key(values, base_url) == key


@pytest.mark.parametrize(
    "base_url",
    [
        "https://llm.example.com/v1",
        "https://api.openai.com.example.com/v1",
        "https://example.com/api.openai.com",
        "https://api.openai.com@example.com/v1",
        "http://127.0.0.1:8000/v1",
        # Plain http would carry the key for everybody to read.
        "http://api.openai.com/v1",
    ],
)
def test_the_images_keys_go_nowhere_but_to_openai(base_url: str) -> None:
    with pytest.raises(ConfigurationError, match="CHAT_API_KEY"):
        chat_key({"OPENAI_API_KEY": IMAGES}, base_url)


def test_no_key_at_all_names_what_to_set() -> None:
    with pytest.raises(ConfigurationError, match="make deploy-env"):
        chat_key({}, "")


def providers_with(**variables: str) -> Providers:
    settings = ChatSettings.from_env({**ENVIRONMENT, "CHAT_MODEL": "m", **variables})
    return Providers(settings, (), lambda: {"CHAT_API_KEY": OWN}, lambda: 0, lambda *_: None)


def test_a_chat_without_a_brake_does_not_start() -> None:
    with pytest.raises(ConfigurationError, match="ChatConcurrency"):
        providers_with(CHAT_CONCURRENCY="0").llm()
    assert providers_with(CHAT_CONCURRENCY="1").llm().model == "m"


def test_what_was_learned_outlives_a_new_key_and_belongs_to_one_model() -> None:
    first, other = (providers_with(CHAT_MODEL=name).llm() for name in ("one", "two"))
    assert isinstance(first, OpenAILlm)
    assert isinstance(other, OpenAILlm)
    assert first.memory is not other.memory
    again = replace(providers_with(CHAT_MODEL="one"), values=lambda: {"CHAT_API_KEY": "new"}).llm()
    assert isinstance(again, OpenAILlm)
    assert again is not first
    assert again.memory is first.memory


def test_prices_that_are_not_set_are_none() -> None:
    settings = ChatSettings.from_env(
        {**ENVIRONMENT, "CHAT_INPUT_USD_PER_MILLION": "", "CHAT_OUTPUT_USD_PER_MILLION": "0.6"}
    )
    assert settings.chat_input_usd_per_million is None
    assert settings.chat_output_usd_per_million == Decimal("0.6")


@pytest.mark.parametrize("price", ["-1", "NaN", "Infinity", "cheap"])
def test_a_price_that_is_none_is_refused(price: str) -> None:
    with pytest.raises(ValidationError):
        ChatSettings.from_env({**ENVIRONMENT, "CHAT_INPUT_USD_PER_MILLION": price})


def test_an_answer_is_counted_with_its_calls_and_tokens() -> None:
    call = TextApiCall(
        provider="acme",
        model="m",
        input_tokens=100,
        output_tokens=20,
        cost=None,
        duration_ms=300,
        success=True,
        timestamp=0,
    )
    lost = call.model_copy(update={"input_tokens": None, "output_tokens": None, "success": False})
    message = MessageComplete(
        id="m", content="", image_generations=(), llm_api_calls=(call, lost), stop_reason="error"
    )
    (sample,) = chat_samples(message)
    assert dict(sample.values) == {
        Metric.CHATS: 1,
        Metric.CHAT_FAILURES: 1,
        Metric.CHAT_OFFERS: 0,
        Metric.LLM_CALLS: 2,
        Metric.LLM_MS: 600,
        Metric.LLM_INPUT_TOKENS: 100,
        Metric.LLM_OUTPUT_TOKENS: 20,
    }
    assert sample.dimensions == {}, "nothing of a user, a model or a prompt"


def stack_with(**dotenv: str) -> LocalStack:
    nobody: Any = None
    issuer = type("Nobody", (), {"url": "http://127.0.0.1:1"})()
    people: Issuer = issuer
    options = Options(dotenv=dotenv)
    return LocalStack(Emulator("", ROOT), people, "http://127.0.0.1:2", nobody or {}, options)


def test_a_local_stack_simulates_the_llm_until_a_model_is_named() -> None:
    simulated = stack_with()
    assert simulated.parameters()["ChatBaseUrl"] == "http://127.0.0.1:2/llm/v1"
    assert "CHAT_API_KEY" in simulated.provider_settings()
    real = stack_with(CHAT_MODEL="some-model", CHAT_API_KEY="sk-mine")
    assert real.parameters()["ChatModel"] == "some-model"
    assert "ChatBaseUrl" not in real.parameters()
    assert real.provider_settings()["CHAT_API_KEY"] == "sk-mine"
    at_openai = stack_with(CHAT_MODEL="some-model", OPENAI_API_KEY="sk-mine")
    assert "CHAT_API_KEY" not in at_openai.provider_settings(), "the images' key is the fallback"


def test_a_local_stack_simulates_the_dialect_of_an_endpoint() -> None:
    like_mistral = stack_with(CHAT_MODEL="as-mistral")
    assert like_mistral.parameters()["ChatModel"] == "as-mistral"
    assert like_mistral.parameters()["ChatBaseUrl"] == "http://127.0.0.1:2/llm/v1"
    assert "ChatBaseUrl" not in stack_with(CHAT_MODEL="as-nobody").parameters()
