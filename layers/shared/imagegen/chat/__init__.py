"""For any chat backend: the tool for its LLM, the images in tool results, the message for its page.

Nothing here uses AWS, the environment or a clock, so that it works in any other backend's process.
"""

from imagegen.chat.aisdk import from_aisdk, to_aisdk
from imagegen.chat.results import extract_image_generations, message_complete, result_for_llm
from imagegen.chat.sse import to_sse, to_sse_pieces
from imagegen.chat.tool import FORMATS, INSTRUCTIONS, tool_definition
from imagegen.wire.handles import with_inputs

__all__ = [
    "FORMATS",
    "INSTRUCTIONS",
    "extract_image_generations",
    "from_aisdk",
    "message_complete",
    "result_for_llm",
    "to_aisdk",
    "to_sse",
    "to_sse_pieces",
    "tool_definition",
    "with_inputs",
]
