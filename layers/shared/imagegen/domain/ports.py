"""The outside services that the use cases call, as protocols for adapters and test fakes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Literal, Protocol

from imagegen.domain.inputs import InputFields, InputFile, PreviewFrame
from imagegen.domain.text import legible

type ServedModels = Mapping[str, date | None]
"""The models that a provider lists, by id, each with its last day if one is announced."""
type Json = bool | int | float | str | list[Json] | Mapping[str, Json] | None


@dataclass(frozen=True, slots=True)
class ImageOrder:
    """The order of one image, as the catalog priced it, to one provider."""

    model: str
    prompt: str
    """With the style already appended; empty for an operation without a prompt."""
    params: Mapping[str, Json]
    """Exactly what was priced, under the provider's own names; sent unchanged."""
    width: int
    height: int
    """What ``params`` requests, in pixels; the image may differ and is measured."""
    user: str
    """A keyed hash, the same for each order of one user to one provider."""
    inputs: tuple[InputFile, ...] = ()
    """The pictures in their order, the mask last; a provider that would drop one raises."""
    input_fields: InputFields | None = None
    """The names of the fields for them, where a provider's models differ."""
    on_preview: Callable[[PreviewFrame], None] | None = field(
        default=None, compare=False, repr=False
    )
    """Gets each preview frame that ``params`` requests and that comes, before the image."""
    on_job: Callable[[str], None] | None = field(default=None, compare=False, repr=False)
    """Gets the ticket of the job that is to be asked for the image, as soon as there is one."""


@dataclass(frozen=True, slots=True)
class ImageAnswer:
    """A provider's answer; ``content`` is the image's bytes as received."""

    content: bytes
    job_id: str | None = None
    usage: Mapping[str, int] | None = None
    """Billed tokens by kind, if the provider reports them."""


@dataclass(frozen=True, slots=True)
class Moderation:
    """The verdict of moderation on a prompt."""

    flagged: bool
    categories: tuple[str, ...] = ()


class ImageProvider(Protocol):
    """One provider, called with one key."""

    def generate(self, order: ImageOrder, *, timeout_seconds: float) -> ImageAnswer:
        """Return the image's bytes.

        Raises:
            ProviderError: every failure, with its ``Outcome``; never anything else.
        """
        ...

    def check_key(self, *, timeout_seconds: float) -> None:
        """Raise unless the key is good. The call costs nothing.

        Raises:
            ProviderError: the key is bad (``Outcome.ACCOUNT``), or it could not be checked.
        """
        ...

    def models(self, *, timeout_seconds: float) -> ServedModels | None:
        """Return the models listed now, or ``None`` if there is no list. The call costs nothing.

        Raises:
            ProviderError: the list could not be read.
        """
        ...


class Moderator(Protocol):
    """Checks whether an image may be made of a prompt, before anything is spent."""

    @property
    def reads_pictures(self) -> bool:
        """Whether pictures can be checked. Otherwise, a check with one raises."""
        ...

    def check(
        self, prompt: str, pictures: Sequence[InputFile] = (), *, timeout_seconds: float
    ) -> Moderation:
        """Return the verdict on the prompt and all pictures, within ``timeout_seconds`` in all.

        Raises:
            ProviderError: there is no verdict.
        """
        ...


@dataclass(frozen=True, slots=True)
class TextPart:
    """A part of an LLM's text, as it arrives; always encodable as UTF-8."""

    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", legible(self.text))


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A tool call that an LLM requests; always encodable as UTF-8."""

    id: str
    name: str
    arguments: str
    """As the LLM wrote them: they should be JSON, but may be invalid."""
    extras: Mapping[str, Json] = field(default_factory=dict)
    """Further fields of the call, which its endpoint gets back unchanged; never read."""

    def __post_init__(self) -> None:
        for name in ("id", "name", "arguments"):
            object.__setattr__(self, name, legible(getattr(self, name)))


@dataclass(frozen=True, slots=True)
class TokenCount:
    """The tokens that one call of an LLM used."""

    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class AnswerEnd:
    """How an LLM's answer ended, if there is something to say about it."""

    ran_out: bool = False
    """Whether the answer was cut off because it reached the limit of its tokens."""
    extras: Mapping[str, Json] = field(default_factory=dict)
    """Further fields of the message, which its endpoint gets back unchanged; never read."""


type AnswerPart = TextPart | ToolUse | TokenCount | AnswerEnd


@dataclass(frozen=True, slots=True)
class ChatTurn:
    """One turn of a conversation, as it is sent to an LLM."""

    role: Literal["user", "assistant", "tool"]
    text: str
    asked: tuple[ToolUse, ...] = ()
    """The tool calls that an assistant's turn requested."""
    call_id: str = ""
    """The id of the tool call that a tool's turn answers."""
    extras: Mapping[str, Json] = field(default_factory=dict)
    """Further fields of an assistant's message, as its endpoint sent them."""
    name: str = ""
    """The name of the tool in a tool's turn, where a client sent it."""
    is_earlier: bool = False
    """Whether it is from the history that a client sent, so that its length has no other limit."""


class Llm(Protocol):
    """An LLM that can use our tool."""

    @property
    def provider(self) -> str:
        """Return the name of the provider that runs it."""
        ...

    @property
    def model(self) -> str:
        """Return the model's id."""
        ...

    def answer(
        self, turns: Sequence[ChatTurn], *, timeout_seconds: float, user: str = ""
    ) -> Iterator[AnswerPart]:
        """Yield the answer: text as it arrives, then tool calls, its end, and the tokens used.

        ``user`` is an opaque, stable reference to the end user, for endpoints that want one.

        Raises:
            LlmError: every failure: there is no answer, or it broke off; never anything else.
        """
        ...


class WaitingPlaces(Protocol):
    """One place for each held request, in which a repetition waits for its end.

    A call that waits occupies an instance of the function, so equal calls must not wait without
    limit. The ledger store has the places.
    """

    def wait(self, user: str, quote_id: str, *, until_ms: int, now_ms: int) -> bool:
        """Take the place until a time. Return ``False`` if it is taken, or if nothing is held.

        Raises:
            StoreUnavailableError: it may or may not have been taken.
        """
        ...


class ModerationMode(StrEnum):
    """What happens when moderation gives no verdict."""

    REQUIRED = "required"
    BEST_EFFORT = "best-effort"
    OFF = "off"
