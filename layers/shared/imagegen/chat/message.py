"""The message that completes a chat's answer, for backends that run an LLM of their own."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from imagegen.wire.edge_model import EdgeModel

type Part = EdgeModel | Mapping[str, Any]


def message_complete(
    message_id: str,
    content: str,
    *,
    image_generations: Iterable[Part] = (),
    llm_api_calls: Iterable[Part] = (),
    stop_reason: Literal["end", "tool_limit", "length", "error"] = "end",
) -> dict[str, Any]:
    """Return the message in the form that the page's elements and clients of ``POST /chat`` read.

    ``image_generations`` are the result of ``extract_image_generations``.
    """
    return {
        "id": message_id,
        "role": "assistant",
        "content": content,
        "imageGenerations": [plain(one) for one in image_generations],
        "llmApiCalls": [plain(one) for one in llm_api_calls],
        "stopReason": stop_reason,
    }


def plain(part: Part) -> dict[str, Any]:
    """Return a part as JSON."""
    if isinstance(part, EdgeModel):
        return part.model_dump(mode="json", by_alias=True)
    return dict(part)
