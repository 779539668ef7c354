"""Each event file through its handler: the files that `sam local invoke` takes, too."""

import pytest

from imagegen.domain.keys import KeyLine, ProgramKey
from local.paths import ROOT
from tests.handlers.conftest import Functions

EXPECTED: dict[str, tuple[int, str | int | None]] = {
    "estimate/prompt-only": (200, None),
    "estimate/all-fields": (200, None),
    "estimate/exact-size": (200, None),
    "estimate/retired-model": (422, "model_retired"),
    "estimate/empty-prompt": (422, "invalid_request"),
    "estimate/prompt-too-long": (422, "invalid_request"),
    "estimate/unknown-size": (422, "invalid_request"),
    "estimate/unsupported-size": (422, "unsupported_size"),
    "estimate/unknown-field": (422, "invalid_request"),
    "estimate/edit-unknown-image": (404, "not_found"),
    "estimate/upload": (200, None),
    "estimate/upload-too-large": (422, "invalid_request"),
    "estimate/not-json": (400, "invalid_json"),
    "estimate/no-token": (401, "unauthorized"),
    "estimate/models": (200, None),
    "estimate/tool-definition": (200, None),
    "estimate/tool-unknown-format": (422, "invalid_request"),
    "chat/asks-for-an-image": (200, None),
    "chat/two-images": (200, None),
    "chat/small-talk": (200, None),
    "chat/unclear": (200, None),
    "chat/retired-model": (200, None),
    "chat/history": (200, None),
    "chat/no-token": (401, "unauthorized"),
    "chat/no-messages": (422, "invalid_request"),
    "chat/last-is-assistant": (422, "invalid_request"),
    "chat/unknown-role": (422, "invalid_request"),
    "chat/unknown-field": (422, "invalid_request"),
    "chat/too-long": (422, "invalid_request"),
    "chat/not-json": (400, "invalid_json"),
    "estimate/mcp-discover": (200, None),
    "estimate/mcp-tools": (200, None),
    "estimate/mcp-estimate": (200, None),
    "estimate/mcp-initialize": (200, None),
    "estimate/mcp-unknown-method": (404, -32601),
    "estimate/mcp-batch": (400, -32600),
    "estimate/mcp-not-json": (400, -32700),
    "estimate/mcp-stream": (405, "method_not_allowed"),
    "estimate/openapi": (200, None),
    "estimate/sign-in": (200, None),
    "estimate/mcp-sign-in": (200, None),
    "generate/openai-image": (200, None),
    "generate/openai-too-dear": (400, "above_max_cost"),
    "generate/openai-two-images": (200, None),
    "generate/openai-unknown-model": (404, "model_not_found"),
    "generate/openai-retired-model": (200, None),
    "generate/openai-models": (200, None),
    "generate/openai-model": (200, None),
    "generate/openai-model-with-slash": (200, None),
    "generate/openai-edit": (200, None),
    "generate/openai-edits": (400, "unsupported_parameter"),
    "generate/openai-form": (415, "unsupported_media_type"),
    "generate/confirmed": (200, None),
    "generate/other-prompt": (409, "quote_mismatch"),
    "generate/forged-quote": (400, "quote_invalid"),
    "generate/image": (302, None),
    "generate/image-status": (200, None),
    "generate/image-status-of-owner": (200, None),
    "generate/image-deleted": (204, None),
    "generate/delete-unknown-image": (404, "not_found"),
    "generate/images": (200, None),
    "generate/images-unknown-cursor": (422, "unsupported_parameter"),
    "generate/unknown-image": (404, "not_found"),
    "generate/usage": (200, None),
    "generate/own-limits": (200, None),
    "generate/erase-me": (200, None),
    "health/report": (200, None),
    "admin/spending": (200, None),
    "admin/spending-month": (200, None),
    "admin/spending-unknown-day": (422, "unsupported_parameter"),
    "admin/spending-of-user": (403, "forbidden"),
    "admin/failures": (200, None),
    "admin/providers": (200, None),
    "admin/switch-off": (200, None),
    "admin/switch-unknown": (422, "unsupported_parameter"),
    "admin/reset-circuit": (200, None),
    "admin/find-person": (200, None),
    "admin/block-person": (200, None),
    "admin/erase-person": (200, None),
    "admin/find-budget": (200, None),
    "admin/set-budget": (200, None),
    "admin/set-no-budget": (422, "unsupported_parameter"),
    "admin/keys": (200, None),
    "admin/make-key": (200, None),
    "admin/make-key-wrong": (422, "invalid_request"),
    "admin/rotate-key": (200, None),
    "admin/revoke-key": (200, None),
    "admin/rotate-unknown-key": (422, "unsupported_parameter"),
    "admin/revoke-unknown-key": (422, "unsupported_parameter"),
    "admin/trail": (200, None),
}
BEFORE_THE_LOOK = {
    "estimate/mcp-stream",
    "generate/openai-form",
    "generate/openai-edits",
    "generate/openai-unknown-model",
    "generate/other-prompt",
    "generate/forged-quote",
}
"""Errors on a route that takes a quote, a key or an id, before anybody looked for its image."""
SCHEDULED = {"generate/reconcile", "health/prices", "health/probe"}


def test_every_event_file_is_expected_and_the_reverse() -> None:
    root = ROOT / "events"
    files = {str(path.relative_to(root).with_suffix("")) for path in root.rglob("*.json")}
    # What the elements show, and what the page's own test sends.
    files = {name for name in files if not name.startswith(("ui/", "page/"))}
    assert files == set(EXPECTED) | SCHEDULED


@pytest.mark.parametrize("name", EXPECTED)
def test_an_event_is_answered_as_expected(functions: Functions, user: str, name: str) -> None:
    offer = functions.service.estimate("A photorealistic sunset over mountains", user)
    if name.startswith("generate/image"):
        functions.service.confirm(offer, user)
    key = ProgramKey("abcdefgh", "a", frozenset({"images"}), KeyLine(1), b"", 0, "eve")
    assert functions.service.program_keys.add(key)
    marks = {"QUOTE": offer.quote, "IMAGE_ID": offer.image_id, "KEY_ID": key.id}
    status, body = functions.answer(name, **marks)
    error = body.get("error", body)  # as OpenAI and JSON-RPC wrap it
    assert (status, error.get("code")) == EXPECTED[name]
    if status >= 400 and "jsonrpc" not in body:
        expected = None if name in BEFORE_THE_LOOK else False
        assert error.get("imagegen", error)["charged"] is expected
