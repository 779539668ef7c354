"""The chat's LLM at any endpoint that is compatible with OpenAI's chat completions, streamed.

https://platform.openai.com/docs/api-reference/chat/create. The official client implements the
protocol, on the transport of ``imagegen.providers.sdk``: a total deadline, a size limit, no
retries, no redirects. The answer is read as JSON of unknown shape, because the endpoint need not be
OpenAI's.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2
import openai
from openai.types.chat import ChatCompletionChunk
from pydantic import BaseModel, SecretStr

from imagegen.domain.errors import LlmError, ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ChatTurn, Json, TextPart, TokenCount, ToolUse
from imagegen.llm.stream_reader import Reader, fault
from imagegen.places import LOOPBACK
from imagegen.providers import PROVIDERS
from imagegen.providers.faults import (
    HttpAnswer,
    dig,
    key_text,
    outcome_of,
    parse_retry_after,
    text_at,
    token,
)
from imagegen.providers.http import CONNECT_SECONDS, Clock
from imagegen.providers.openai import MONEY, NAME
from imagegen.providers.sdk import NOT_SENT, BoundedTransport, UnusableBodyError

BASE_URL = PROVIDERS[NAME].base_url
MAX_OUTPUT_TOKENS = 4_096
MAX_BYTES = 8 * 1024 * 1024
UNREADABLE = (
    openai.OpenAIError,
    httpx2.HTTPError,
    httpx2.InvalidURL,
    ValueError,
    RecursionError,  # JSON that is nested too deeply
)


@dataclass(frozen=True, slots=True)
class OpenAILlm:
    """One model at one endpoint."""

    client: openai.OpenAI
    provider: str
    model: str
    instructions: str
    tool: Mapping[str, Json]
    """The tool's definition, in OpenAI's format."""
    limit_name: str = "max_tokens"
    """The endpoint's name of the parameter that limits the tokens of an answer."""

    def answer(
        self, turns: Sequence[ChatTurn], *, timeout_seconds: float
    ) -> Iterator[TextPart | ToolUse | TokenCount]:
        """Yield the parts of the answer as they arrive.

        Raises:
            LlmError: there is no answer, or it broke off.
        """
        reader = Reader()
        try:
            with self._stream(turns, timeout_seconds) as chunks:
                for chunk in chunks:
                    yield from reader.read(chunk_json(chunk))
        except UNREADABLE as error:
            failure = to_fault(error)
        else:
            yield from reader.end()
            return
        raise failure

    def _stream(
        self, turns: Sequence[ChatTurn], timeout_seconds: float
    ) -> openai.Stream[ChatCompletionChunk]:
        limits = httpx2.Timeout(timeout_seconds, connect=min(CONNECT_SECONDS, timeout_seconds))
        messages: Any = [{"role": "system", "content": self.instructions}, *map(to_message, turns)]
        tool: Any = self.tool
        return self.client.chat.completions.create(
            model=self.model,
            messages=messages,
            tools=[tool],
            stream=True,
            stream_options={"include_usage": True},
            timeout=limits,
            extra_body={self.limit_name: MAX_OUTPUT_TOKENS},
        )


def build_llm(
    api_key: SecretStr,
    base_url: str,
    model: str,
    *,
    instructions: str,
    tool: Mapping[str, Json],
    clock: Clock = time.monotonic,
) -> OpenAILlm:
    """Return the LLM; an empty ``base_url`` means OpenAI's own address.

    Raises:
        LlmError: a header cannot contain the key.
    """
    wire = httpx2.Client(
        transport=BoundedTransport(clock, MAX_BYTES), trust_env=False, follow_redirects=False
    )
    client = openai.OpenAI(
        api_key=header_key(api_key),
        base_url=base_url or BASE_URL,
        max_retries=0,
        http_client=wire,
        default_headers={"User-Agent": "imagegen", "Accept-Encoding": "identity"},
    )
    name = "max_tokens" if base_url else "max_completion_tokens"
    return OpenAILlm(client, provider_of(base_url), model, instructions, tool, name)


def provider_of(base_url: str) -> str:
    """Return the provider's name for the list of API calls: ``local``, ``openai`` or the host."""
    host = urlsplit(base_url or BASE_URL).hostname or ""
    if host in LOOPBACK:
        return "local"
    return NAME if host == urlsplit(BASE_URL).hostname else host


def header_key(api_key: SecretStr) -> str:
    """Return the key as text for a header.

    Raises:
        LlmError: a header cannot contain the key. The HTTP client's own error would quote it.
    """
    try:
        return key_text(NAME, api_key)
    except ProviderError:
        failure = fault(Outcome.ACCOUNT)
    raise failure


def to_message(turn: ChatTurn) -> dict[str, Any]:
    """Return a turn as a message in OpenAI's format."""
    if turn.role == "tool":
        return {"role": "tool", "tool_call_id": turn.call_id, "content": turn.text}
    if not turn.asked:
        return {"role": turn.role, "content": turn.text}
    calls = [
        {
            "id": one.id,
            "type": "function",
            "function": {"name": one.name, "arguments": valid_arguments(one.arguments)},
        }
        for one in turn.asked
    ]
    return {"role": "assistant", "content": turn.text or None, "tool_calls": calls}


def valid_arguments(arguments: str) -> str:
    """Return the arguments if they are JSON, else ``{}``: some endpoints refuse other text."""
    try:
        json.loads(arguments)
    except (ValueError, RecursionError):
        return "{}"
    return arguments


def chunk_json(chunk: object) -> Json:
    """Return a chunk as JSON, ``None`` if it has none; the client builds chunks unvalidated."""
    if not isinstance(chunk, BaseModel):
        return None
    body: Json = chunk.model_dump(mode="json", warnings=False)
    return body


def to_fault(error: Exception) -> LlmError:
    """Return our error for a client error; it contains none of the endpoint's own text."""
    if isinstance(error, openai.APIStatusError):
        return status_fault(error)
    cause = error.__cause__ if isinstance(error, openai.APIConnectionError) else error
    if isinstance(cause, (*NOT_SENT, UnusableBodyError)):
        return fault(Outcome.UNAVAILABLE)
    if isinstance(error, openai.APIError) and not isinstance(error, openai.APIConnectionError):
        return fault(Outcome.UNAVAILABLE, provider_code=token(error.code))
    return fault(Outcome.UNKNOWN)


def _status_outcome(answer: HttpAnswer, codes: set[str]) -> Outcome:
    """Return the outcome of an error; one that is not JSON comes from in front of the endpoint."""
    if codes & MONEY:
        return Outcome.ACCOUNT
    if answer.status in {401, 402, 403}:
        return Outcome.ACCOUNT if isinstance(answer.body, Mapping) else Outcome.BLOCKED
    # No image is lost with an answer in words, so a gateway that gave up is an outage.
    return outcome_of(answer.status) if answer.status < 500 else Outcome.UNAVAILABLE


def status_fault(error: openai.APIStatusError) -> LlmError:
    """Return our error for an answer with an error status."""
    headers = {name.lower(): value for name, value in error.response.headers.items()}
    answer = HttpAnswer(error.status_code, headers, error.body)  # type: ignore[arg-type]
    codes = {text_at(answer.body, "code"), text_at(answer.body, "type")}
    return fault(
        _status_outcome(answer, codes),
        provider_code=token(dig(answer.body, "code")),
        http_status=answer.status,
        retry_after_seconds=parse_retry_after(headers),
    )
