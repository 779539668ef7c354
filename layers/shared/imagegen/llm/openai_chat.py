"""The chat's LLM at any endpoint that is compatible with OpenAI's chat completions, streamed.

https://platform.openai.com/docs/api-reference/chat/create. The official client implements the
protocol, on the transport of ``imagegen.providers.sdk``: a total deadline, a size limit, no
retries, no redirects. The answer is read as JSON of unknown shape, because the endpoint need not be
OpenAI's.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx2
import openai
from pydantic import SecretStr

from imagegen.domain.call_errors import LlmError, ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import AnswerPart, ChatTurn, Json
from imagegen.llm.answer_filter import AnswerFilter
from imagegen.llm.call_filter import CallFilter
from imagegen.llm.dialect import LEARNING_CALLS, LIMITS, Dialect, DialectMemory
from imagegen.llm.event_stream import EventStream
from imagegen.llm.llm_faults import RefusedRequestError, advise, llm_fault, status_fault
from imagegen.llm.stream_reader import Reader
from imagegen.llm.thinking import UnopenedFilter
from imagegen.places import LOOPBACK
from imagegen.providers import PROVIDERS
from imagegen.providers.bounds import CONNECT_SECONDS, Clock
from imagegen.providers.faults import key_text, parse_retry_after, text_at, token
from imagegen.providers.openai import NAME
from imagegen.providers.sdk import NOT_SENT, BoundedTransport, UnusableBodyError

BASE_URL = PROVIDERS[NAME].base_url
AZURE = (".openai.azure.com", ".services.ai.azure.com", ".cognitiveservices.azure.com")
MAX_BYTES = 8 * 1024 * 1024
UNREADABLE_ERRORS = (
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
    memory: DialectMemory = field(default_factory=lambda: DialectMemory(Dialect()))
    clock: Clock = time.monotonic

    @property
    def limit_name(self) -> str:
        """The endpoint's name of the parameter that limits the tokens of an answer."""
        return next(iter(self.memory.dialect.limit_names), "")

    def answer(
        self, turns: Sequence[ChatTurn], *, timeout_seconds: float, user: str = ""
    ) -> Iterator[AnswerPart]:
        """Yield the parts of the answer as they arrive.

        A request that is refused is sent again in another form while its refusals show what to
        change; ``timeout_seconds`` is for all of them.

        Raises:
            LlmError: there is no answer, or it broke off.
        """
        ends, dialect = self.clock() + timeout_seconds, self.memory.dialect
        for _ in range(LEARNING_CALLS + 1):
            sent = self._body(dialect, turns, user)
            has_begun = False
            try:
                for part in self._parts(sent, turns, max(0.001, ends - self.clock())):
                    if not has_begun:
                        has_begun = True
                        self.memory.keep(dialect)
                    yield part
            except RefusedRequestError as error:
                failure = error
            else:
                self.memory.keep(dialect)
                return
            after = None if has_begun else self.memory.after(dialect, sent, failure.answer)
            if after is None or self.clock() >= ends:
                break
            dialect = after
        raise failure.without_answer()

    def _body(self, dialect: Dialect, turns: Sequence[ChatTurn], user: str) -> dict[str, Json]:
        return dialect.body(
            self.model, turns, instructions=self.instructions, tool=self.tool, user=user
        )

    def _parts(
        self, sent: Mapping[str, Json], turns: Sequence[ChatTurn], timeout_seconds: float
    ) -> Iterator[AnswerPart]:
        """Yield the parts of the answer to one request."""
        reader = Reader(
            frozenset(one.id for turn in turns for one in turn.asked),
            AnswerFilter(
                CallFilter(text_at(self.tool, "function", "name")),
                UnopenedFilter(self.memory.leaves_thinking_open),
            ),
        )
        failure = None
        try:
            with self._stream(sent, timeout_seconds) as response:
                events = EventStream()
                for body in events.read(response.iter_bytes()):
                    yield from reader.read(body)
                reader.is_done = events.is_done
        except UNREADABLE_ERRORS as error:
            failure = advise(to_llm_fault(error), str(self.client.base_url))
        except LlmError as error:
            raise advise(error, str(self.client.base_url)) from None
        if failure is not None and not reader.finish:
            raise failure
        # After the reason for its end, an answer is whole even if the connection is cut.
        yield from reader.end()
        if reader.text.raw:
            self.memory.leaves_thinking_open = reader.text.unopened.was_found

    def _stream(
        self, sent: Mapping[str, Json], timeout_seconds: float
    ) -> AbstractContextManager[openai.APIResponse[Any]]:
        limits = httpx2.Timeout(timeout_seconds, connect=min(CONNECT_SECONDS, timeout_seconds))
        messages: Any = sent["messages"]
        rest = {name: one for name, one in sent.items() if name not in ("model", "messages")}
        completions = self.client.chat.completions.with_streaming_response
        # The body is sent as ``extra_body``, so that it is exactly what the endpoint accepts.
        return completions.create(
            model=self.model, messages=messages, timeout=limits, extra_body=rest
        )


def build_llm(
    api_key: SecretStr,
    base_url: str,
    model: str,
    *,
    instructions: str,
    tool: Mapping[str, Json],
    memory: DialectMemory | None = None,
    clock: Clock = time.monotonic,
) -> OpenAILlm:
    """Return the LLM; an empty ``base_url`` means OpenAI's own address.

    ``memory`` is what this instance has learned about the model at that address.

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
    return OpenAILlm(
        client,
        provider_of(base_url),
        model,
        instructions,
        tool,
        memory or DialectMemory(first_dialect(base_url)),
        clock,
    )


def first_dialect(base_url: str) -> Dialect:
    """Return the dialect to begin with; OpenAI and Azure prefer the newer name of the limit."""
    host = urlsplit(base_url or BASE_URL).hostname or ""
    is_openai = provider_of(base_url) == NAME or host.endswith(AZURE)
    return Dialect(limit_names=LIMITS[::-1] if is_openai else LIMITS)


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
        failure = llm_fault(Outcome.ACCOUNT)
    raise failure


def to_llm_fault(error: Exception) -> LlmError:
    """Return our error for a client error; it contains none of the endpoint's own text."""
    if isinstance(error, openai.APIStatusError):
        return answer_fault(error)
    cause = error.__cause__ if isinstance(error, openai.APIConnectionError) else error
    if isinstance(cause, (*NOT_SENT, UnusableBodyError)):
        return llm_fault(Outcome.UNAVAILABLE)
    if isinstance(error, openai.APIError) and not isinstance(error, openai.APIConnectionError):
        return llm_fault(Outcome.UNAVAILABLE, provider_code=token(error.code))
    return llm_fault(Outcome.UNKNOWN)


def _words_of(response: httpx2.Response) -> Json:
    """Return the body of an error, as text if it is not JSON."""
    try:
        body: Json = response.json()
    except (ValueError, RecursionError):
        return response.text
    return body


def answer_fault(error: openai.APIStatusError) -> LlmError:
    """Return our error for an answer with an error status."""
    headers = {name.lower(): value for name, value in error.response.headers.items()}
    body: Json = error.message
    with suppress(httpx2.HTTPError):
        body = _words_of(error.response)
    return status_fault(error.status_code, body, retry_after_seconds=parse_retry_after(headers))
