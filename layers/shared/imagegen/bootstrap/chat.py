"""What ``chat`` needs. The ``openai`` client loads with the first answer, not with the module."""

import os
import secrets
from collections.abc import Mapping
from functools import cache
from urllib.parse import urlsplit

from pydantic import SecretStr

from imagegen.bootstrap.estimate import get_estimator
from imagegen.bootstrap.shared import emit, get_catalog, get_parameters, now_ms
from imagegen.chat.instructions import INSTRUCTIONS
from imagegen.chat.tool import tool_definition
from imagegen.domain.errors import ConfigurationError
from imagegen.domain.ports import Llm
from imagegen.domain.token_prices import TokenPrices
from imagegen.edge.problems import to_problem
from imagegen.logs import logger, place_of
from imagegen.monitoring.samples import chat_samples
from imagegen.providers.keys import parse_keys
from imagegen.settings import ChatSettings
from imagegen.usecases.chat.chatter import Chatter
from imagegen.usecases.chat.limits import ChatLimits
from imagegen.wire.messages import MessageComplete

KEY, OPENAI_KEY = "CHAT_API_KEY", "OPENAI_API_KEY"
OPENAI = "https://api.openai.com"


@cache
def get_chat_settings() -> ChatSettings:
    """Return what ``chat`` reads.

    Raises:
        pydantic.ValidationError: names every variable that is missing or wrong.
    """
    return ChatSettings.from_env(os.environ)


@cache
def get_chatter() -> Chatter:
    """Return who answers chats."""
    settings = get_chat_settings()
    return Chatter(
        llm=llm,
        # Built with the first offer: small talk needs no ledger.
        offer=lambda request, user: get_estimator().estimate(request, user),
        to_problem=to_problem,
        now_ms=now_ms,
        new_id=lambda: secrets.token_hex(12),
        prices=TokenPrices(
            settings.chat_input_usd_per_million, settings.chat_output_usd_per_million
        ),
        limits=ChatLimits(input_characters=settings.chat_input_characters),
        on_answered=log_chat,
        on_unexpected=log_unexpected,
    )


def llm() -> Llm:
    """Return the LLM with the key that is set now.

    Raises:
        ConfigurationError: no model or no key is set.
    """
    settings = get_chat_settings()
    if not settings.chat_model:
        raise ConfigurationError("The chat has no LLM: set the parameter ChatModel.")
    key = chat_key(get_parameters().values(), settings.chat_base_url)
    return _llm(key, settings.chat_base_url, settings.chat_model)


def chat_key(values: Mapping[str, str], base_url: str) -> str:
    """Return the LLM's key: its own, or at OpenAI the images' first.

    Raises:
        ConfigurationError: none is set.
    """
    keys = parse_keys(values.get(KEY, ""))
    # Images' keys go nowhere but to OpenAI.
    if not keys and urlsplit(base_url or OPENAI)[:2] == urlsplit(OPENAI)[:2]:
        keys = parse_keys(values.get(OPENAI_KEY, ""))
    if not keys:
        raise ConfigurationError(f"{KEY} is not set: put it into .env and run `make deploy-env`.")
    return keys[0]


# Cached by the key's text: a key that is changed makes another client.
@cache
def _llm(key: str, base_url: str, model: str) -> Llm:
    from imagegen.llm.openai_chat import build_llm  # noqa: PLC0415 - half a second

    tool = tool_definition("openai", get_catalog().providers)
    return build_llm(SecretStr(key), base_url, model, instructions=INSTRUCTIONS, tool=tool)


def log_unexpected(error: Exception) -> None:
    """Log an error that nobody thought of, without its text, which may hold a prompt."""
    logger.error("unexpected error", kind=type(error).__name__, place=place_of(error))


def log_chat(message: MessageComplete) -> None:
    """Log and meter an answer: how much and how it ended, never what was said."""
    calls = [one for one in message.llm_api_calls if one.type == "text"]
    logger.info(
        "chat answered",
        outcome=message.stop_reason,
        code=message.problem.code if message.problem else None,
        llm_calls=len(calls),
        offers=len(message.image_generations),
        input_tokens=sum(one.input_tokens or 0 for one in calls),
        output_tokens=sum(one.output_tokens or 0 for one in calls),
        duration_ms=sum(one.duration_ms for one in calls),
    )
    emit(chat_samples(message))
