"""The messages of a chat, in both directions, with their images and calls.

An ``ImageGeneration`` is one image through its whole life in a chat: the server offers it, and the
person's page updates it.
"""

import json
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from imagegen.wire.estimates import Estimate
from imagegen.wire.history import MAX_CALLS, canonical_call, canonical_message
from imagegen.wire.images import GeneratedImage, ImageStatus, LlmApiCall, SetImage
from imagegen.wire.problems import Problem
from imagegen.wire.values import EdgeModel, Instant, MicroUsd, optional_field

TOOL = "generate_image"
"""The only tool. It makes an offer; no output of an LLM can make an image or spend anything."""
MAX_MESSAGES = 100
MAX_MESSAGE_CHARACTERS = 32_000


class ImageReference(EdgeModel):
    """An image that came with an earlier message."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class HistoryCall(EdgeModel):
    """A tool call in an assistant's message; OpenAI's form is read as well."""

    id: str = Field("", max_length=MAX_MESSAGE_CHARACTERS)
    name: str = Field("", max_length=MAX_MESSAGE_CHARACTERS)
    arguments: str = Field(
        "{}", max_length=MAX_MESSAGE_CHARACTERS, description="A JSON object, as text or as it is."
    )

    @model_validator(mode="before")
    @classmethod
    def _canonical(cls, value: Any) -> Any:
        return canonical_call(value)


class ChatMessage(EdgeModel):
    """One message of the history, which the client keeps."""

    role: Literal["user", "assistant", "tool"]
    content: Annotated[str, StringConstraints(max_length=MAX_MESSAGE_CHARACTERS)]
    image_generations: tuple[ImageReference, ...] = ()
    tool_calls: tuple[HistoryCall, ...] = Field(
        (), max_length=MAX_CALLS, description="The tool calls of an assistant's message."
    )
    tool_call_id: str = Field(
        "",
        max_length=MAX_MESSAGE_CHARACTERS,
        description="The call that the message of a tool answers.",
    )
    name: str = Field(
        "", max_length=MAX_MESSAGE_CHARACTERS, description="The tool that the message is from."
    )

    @model_validator(mode="before")
    @classmethod
    def _canonical(cls, value: Any) -> Any:
        return canonical_message(value)


class ChatRequest(EdgeModel):
    """The whole history; its last message is the user's and not empty."""

    messages: tuple[ChatMessage, ...] = Field(min_length=1, max_length=MAX_MESSAGES)


class ImageGeneration(EdgeModel):
    """One image in a chat, in the form that the page's element accepts."""

    id: str
    tool_call_id: str | None = optional_field()
    prompt: str
    status: Literal["pending", "generating", "complete", "failed", "declined", "cancelled"]
    estimate: Estimate | None = optional_field()
    image: GeneratedImage | ImageStatus | None = optional_field()
    images: tuple[SetImage, ...] | None = optional_field()
    """The images of an offer for several, once they are confirmed."""
    problem: Problem | None = optional_field()
    started_at: Instant | None = optional_field()
    preview_url: str | None = optional_field()


class TextApiCall(EdgeModel):
    """One call of the LLM as the chat's list of API calls shows it."""

    type: Literal["text"] = "text"
    provider: str
    model: str
    input_tokens: int | None
    """``None`` if the LLM did not report it."""
    output_tokens: int | None
    cost: MicroUsd | None
    """``None`` if no price is configured, or the LLM reported no tokens."""
    duration_ms: int
    success: bool
    timestamp: Instant


class MessageStart(EdgeModel):
    """The start of the answer."""

    id: str
    role: Literal["assistant"] = "assistant"
    created_at: Instant


class TextDelta(EdgeModel):
    """The next part of the answer's text."""

    text: str


class ToolCall(EdgeModel):
    """A tool call of the LLM, and its result: an offer or a problem."""

    id: str
    name: str
    arguments: dict[str, Any] | None
    """``None`` if they were not a JSON object, or one that cannot be sent on."""
    ok: bool
    image_generation: ImageGeneration | None = optional_field()
    problem: Problem | None = optional_field()


type StopReason = Literal["end", "tool_limit", "length", "error"]
"""Why an answer ended: ``length`` if the LLM reached the limit of its tokens."""


class MessageComplete(EdgeModel):
    """The whole answer: always the last event, and sent exactly once."""

    id: str
    role: Literal["assistant"] = "assistant"
    content: str
    image_generations: tuple[ImageGeneration, ...]
    llm_api_calls: tuple[TextApiCall | LlmApiCall, ...]
    stop_reason: StopReason
    problem: Problem | None = optional_field()


type ChatEvent = MessageStart | TextDelta | ToolCall | MessageComplete


def image_offer(estimate: Estimate, tool_call_id: str | None = None) -> ImageGeneration:
    """Return the image that an estimate offers; it is pending until the person clicks."""
    return ImageGeneration(
        id=estimate.image_id,
        tool_call_id=tool_call_id,
        prompt=estimate.prompt,
        status="pending",
        estimate=estimate,
    )


def tool_call_bytes(call: ToolCall) -> int:
    """Return how many bytes a tool call takes in Lambda's response.

    Its image is sent twice: in the call's event, where its field's name is not counted, and in the
    complete message.
    """
    alone, image = call.model_copy(update={"image_generation": None}), call.image_generation
    return _json_bytes(alone) + (2 * _json_bytes(image) if image else 0)


def _json_bytes(part: EdgeModel) -> int:
    """Return the bytes of a part's JSON: in the response, the text of an event is JSON text."""
    return len(json.dumps(part.model_dump_json(by_alias=True)))


def llm_result(estimate: Estimate, name: str = "") -> dict[str, Any]:
    """Return the tool result for the LLM: the price of an offer, never its quote or image id.

    ``name`` is that of the image in the conversation, empty if it has none.

    A quote can be confirmed by anyone who has it and its user's token, so it must not be in a text
    that an LLM reads and may repeat.
    """
    price = estimate.price.model_dump(mode="json", by_alias=True)
    blocked = {"blocked": estimate.blocked.detail} if estimate.blocked else {}
    return {
        "offered": True,
        **({"image": name} if name else {}),
        **blocked,
        "buttonLabel": estimate.button_label,
        "price": price,
        "provider": estimate.provider,
        "model": estimate.model,
        "quality": estimate.quality.value,
        "size": estimate.size,
        "note": "The user sees a button with this price. The image is made if they press it.",
    }
