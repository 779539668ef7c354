"""Sends requests to a running local stack, and writes them and their answers for docs/api.md.

The answers are those of the stack, except that placeholders replace what differs from run to run,
and long lists are cut to their first entries.
"""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

import requests

from generators.docs.exchanges import JSON, Call
from generators.docs.operators import OPERATORS, operators
from generators.docs.visitor import SECONDS, Example, StackNotFreshError, Visitor
from generators.openapi import DOCUMENT
from imagegen.edge.openapi import FUNCTION
from local.stack import LocalStack

PROMPT: Final = "A red fox in fresh snow"
UPLOAD: Final = {
    "mediaType": "image/png",
    "bytes": 4096,
    "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
}
SLOW: Final = {"delaySeconds": 6, "times": 1, "model": "black-forest-labs/FLUX.2-max"}
"""The simulator's setting that makes one image slow enough to show the state ``generating``."""


EXAMPLES: Final = (
    Example("estimate", "estimateImage", 200),
    Example("estimate-refused", "estimateImage", 422),
    Example("estimate-retired", "estimateImage", 422),
    Example("no-token", "estimateImage", 401),
    Example("upload", "createUpload", 200),
    Example("models", "listModels", 200),
    Example("generate", "generateImage", 200),
    Example("generate-running", "generateImage", 202),
    Example("generate-mismatch", "generateImage", 409),
    Example("generate-refused", "generateImage", 422),
    Example("generate-limit", "generateImage", 429),
    Example("image", "getImage", 302),
    Example("image-running", "getImage", 200),
    Example("image-complete", "getImage", 200),
    Example("images", "listImages", 200),
    Example("image-deleted", "deleteImage", 204),
    Example("usage", "getUsage", 200),
    Example("own-limits", "setOwnLimits", 200),
    Example("erase-me", "eraseMe", 200),
    Example("health", "getProviderHealth", 200),
    Example("chat", "chat", 200),
    Example("chat-refused", "chat", 422),
    Example("tool", "getToolDefinition", 200),
    Example("mcp", "callMcp", 200),
    Example("openai-image", "createImage", 200),
    Example("openai-refused", "createImage", 400),
    Example("openai-edit", "editImage", 200),
    Example("openai-models", "listModelsForOpenai", 200),
    Example("openai-model", "getModelForOpenai", 200),
    *OPERATORS,
)


def played(description: Mapping[str, Any]) -> dict[str, str]:
    """Return every example, by the name of its block.

    Raises:
        StackNotFreshError: a provider is broken, or an answer differs from the example's status.
    """
    stack = LocalStack.attach(description)
    # The schedule's first run would be minutes away.
    stack.emulator.client("lambda").invoke(
        FunctionName=description["functions"]["health"],
        Qualifier="live",
        Payload=b'{"task": "probe"}',
    )
    visitor = Visitor(description, stack.issuer.token, addresses(), EXAMPLES)
    for part in (_state, _main_job, _errors, _limit, _on_its_way, _chat, _openai, operators):
        part(visitor)
    return visitor.pages


def addresses() -> dict[str, str]:
    """Return the name of each operation's URL."""
    document = json.loads(DOCUMENT.read_text())
    return {
        operation["operationId"]: f"{path[FUNCTION]}Url"
        for path in document["paths"].values()
        for method, operation in path.items()
        if method != FUNCTION
    }


def _estimate(**fields: Any) -> dict[str, Any]:
    return {"prompt": PROMPT, **fields}


def _offer(visitor: Visitor, token: str, **fields: Any) -> dict[str, Any]:
    call = Call("POST", "/estimate", _estimate(**fields), token)
    offer: dict[str, Any] = visitor.ask("estimateImage", call).json()
    return offer


def _confirmed(offer: Mapping[str, Any], token: str) -> Call:
    body = {"quote": offer["quote"], "prompt": offer["prompt"]}
    return Call("POST", "/generate-image", body, token)


def _state(visitor: Visitor) -> None:
    health = visitor.show("health", Call("GET", "/health-check/image-providers"))
    if health["status"] != "healthy":
        raise StackNotFreshError("a provider is broken: restart `make run`")
    visitor.show("models", Call("GET", "/models", token=visitor.person()))


def _main_job(visitor: Visitor) -> None:
    token = visitor.person()
    offer = visitor.show("estimate", Call("POST", "/estimate", _estimate(), token))
    visitor.show("upload", Call("POST", "/inputs", UPLOAD, token))
    made = visitor.show("generate", _confirmed(offer, token))
    visitor.show("image", Call("GET", f"/images/{made['id']}"))
    visitor.show("image-complete", Call("GET", f"/images/{made['id']}", accept=JSON))
    visitor.show("images", Call("GET", "/images?limit=1", token=token))
    visitor.show("usage", Call("GET", "/usage", token=token))
    own = {"usdToday": "3.00", "usdThisMonth": "40.00"}
    visitor.show("own-limits", Call("POST", "/me/limits", own, token))
    visitor.ask("setOwnLimits", Call("POST", "/me/limits", {}, token))
    visitor.show("image-deleted", Call("DELETE", f"/images/{made['id']}", token=token))
    visitor.show("erase-me", Call("DELETE", "/me", token=token))


def _errors(visitor: Visitor) -> None:
    token = visitor.person()
    unknown = {"prompt": PROMPT, "qualtiy": "high"}
    visitor.show("estimate-refused", Call("POST", "/estimate", unknown, token))
    retired = _estimate(model="dall-e-3")
    visitor.show("estimate-retired", Call("POST", "/estimate", retired, token))
    visitor.show("no-token", Call("POST", "/estimate", _estimate()))
    changed = {**_offer(visitor, token), "prompt": "A blue fox in fresh snow"}
    visitor.show("generate-mismatch", _confirmed(changed, token))
    # The simulated moderation refuses this word.
    refused = _offer(visitor, token, prompt="A test of moderation-block:violence")
    visitor.show("generate-refused", _confirmed(refused, token))


def _limit(visitor: Visitor) -> None:
    token = visitor.person()
    for _ in range(10):
        visitor.ask("generateImage", _confirmed(_offer(visitor, token, quality="fast"), token))
    visitor.show("generate-limit", _confirmed(_offer(visitor, token, quality="fast"), token))


def _on_its_way(visitor: Visitor) -> None:
    token = visitor.person()
    slow = f"{visitor.stack['simulatorUrl']}/control/providers/together"
    requests.post(slow, json=SLOW, timeout=SECONDS)
    offer = _offer(visitor, token, quality="ultra", provider="together")
    call = _confirmed(offer, token)
    first = threading.Thread(target=visitor.ask, args=("generateImage", call))
    first.start()
    status = Call("GET", f"/images/{offer['imageId']}", accept=JSON)
    try:
        for answer in _answers(visitor, status):
            if answer.status_code == 200:
                break
        visitor.show("image-running", status)
        visitor.show("generate-running", call)
    finally:
        first.join()


def _chat(visitor: Visitor) -> None:
    token = visitor.person()
    wish = {"role": "user", "content": f"Draw {PROMPT[0].lower()}{PROMPT[1:]}"}
    visitor.show("chat", Call("POST", "/chat", {"messages": [wish]}, token))
    answered = {"messages": [wish, {"role": "assistant", "content": "Here it is."}]}
    visitor.show("chat-refused", Call("POST", "/chat", answered, token))
    arguments = {"prompt": PROMPT, "quality": "high"}
    params = {"name": "estimate_image", "arguments": arguments}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    answer = visitor.show("mcp", Call("POST", "/mcp", message, token))
    if answer["result"]["isError"]:
        raise StackNotFreshError(f"mcp: {answer['result']['content']}")
    visitor.show("tool", Call("GET", "/tools/generate_image?format=openai", token=token))


def _openai(visitor: Visitor) -> None:
    token, path = visitor.person(), "/v1/images/generations"
    body = {"model": "high", "prompt": PROMPT}
    most = {"x-max-cost": "0.06"}
    made = visitor.show("openai-image", Call("POST", path, body, token, others=most))
    picture = {"file_id": made["imagegen"]["imageId"]}
    edit = {"model": "standard", "prompt": "Make the fox blue", "images": [picture]}
    visitor.show("openai-edit", Call("POST", "/v1/images/edits", edit, token))
    visitor.show("openai-refused", Call("POST", path, {**body, "output_compression": 50}, token))
    visitor.show("openai-models", Call("GET", "/v1/models", token=token))
    visitor.show("openai-model", Call("GET", "/v1/models/dall-e-3", token=token))


def _answers(visitor: Visitor, call: Call) -> Iterator[requests.Response]:
    """Yield answers to the same request, for as long as an image takes."""
    ends = time.monotonic() + SLOW["delaySeconds"]  # type: ignore[operator]
    while time.monotonic() < ends:
        yield visitor.ask("getImage", call)
