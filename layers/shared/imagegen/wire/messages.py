"""What a chat sends and is sent: messages, and the images and calls that come with them.

An ``ImageGeneration`` is one image through its whole life in a chat: the server offers it, the
person's page moves it on.
"""

import json
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from imagegen.wire.images import (
    EdgeModel,
    Estimate,
    GeneratedImage,
    ImageStatus,
    Instant,
    LlmApiCall,
    MicroUsd,
)
from imagegen.wire.reports import Problem, absent

TOOL = "generate_image"
"""The one tool. It makes an offer; nothing an LLM can say makes an image or spends anything."""
MAX_MESSAGES = 100
MAX_MESSAGE_CHARACTERS = 32_000


class ImageReference(EdgeModel):
    """An image that came with an earlier message."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class ChatMessage(EdgeModel):
    """One message of the history, which the client keeps."""

    role: Literal["user", "assistant"]
    content: Annotated[str, StringConstraints(max_length=MAX_MESSAGE_CHARACTERS)]
    image_generations: tuple[ImageReference, ...] = ()


class ChatRequest(EdgeModel):
    """The whole history; its last message is the user's and not empty."""

    messages: tuple[ChatMessage, ...] = Field(min_length=1, max_length=MAX_MESSAGES)


class ImageGeneration(EdgeModel):
    """One image in a chat, as the page's element takes it."""

    id: str
    tool_call_id: str | None = absent()
    prompt: str
    status: Literal["pending", "generating", "complete", "failed", "declined", "cancelled"]
    estimate: Estimate | None = absent()
    image: GeneratedImage | ImageStatus | None = absent()
    problem: Problem | None = absent()
    started_at: Instant | None = absent()
    preview_url: str | None = absent()


class TextApiCall(EdgeModel):
    """One call of the LLM as the chat's list of API calls shows it."""

    type: Literal["text"] = "text"
    provider: str
    model: str
    input_tokens: int | None
    """``None`` where the LLM did not say."""
    output_tokens: int | None
    cost: MicroUsd | None
    """``None`` where no price is configured or no tokens were told."""
    duration_ms: int
    success: bool
    timestamp: Instant


class MessageStart(EdgeModel):
    """The answer begins."""

    id: str
    role: Literal["assistant"] = "assistant"
    created_at: Instant


class TextDelta(EdgeModel):
    """Some more of the answer's text."""

    text: str


class ToolCall(EdgeModel):
    """The LLM used the tool: an offer came of it, or a problem."""

    id: str
    name: str
    arguments: dict[str, Any] | None
    """``None`` where they were no JSON object, or none that can be repeated."""
    ok: bool
    image_generation: ImageGeneration | None = absent()
    problem: Problem | None = absent()


class MessageComplete(EdgeModel):
    """The whole answer; always the last event, exactly once."""

    id: str
    role: Literal["assistant"] = "assistant"
    content: str
    image_generations: tuple[ImageGeneration, ...]
    llm_api_calls: tuple[TextApiCall | LlmApiCall, ...]
    stop_reason: Literal["end", "tool_limit", "error"]
    problem: Problem | None = absent()


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


def json_bytes(part: EdgeModel) -> int:
    """Return the most bytes that a part takes in Lambda's answer.

    There, the part is JSON inside a string of the answer's JSON, so its quotes are escaped.
    """
    return len(json.dumps(part.model_dump_json(by_alias=True)))


def llm_result(estimate: Estimate) -> dict[str, Any]:
    """Return the tool result for the LLM: the price of an offer, never its quote or image id.

    A quote with its user's token is enough to accept the offer, so it must not be in text that an
    LLM reads and may repeat.
    """
    price = estimate.price.model_dump(mode="json", by_alias=True)
    return {
        "offered": True,
        "buttonLabel": estimate.button_label,
        "price": price,
        "provider": estimate.provider,
        "model": estimate.model,
        "quality": estimate.quality.value,
        "size": estimate.size,
        "note": "The user sees a button with this price. The image is made if they press it.",
    }
