"""Each event file through its handler: the files that `sam local invoke` takes, too."""

import pytest

from local.paths import ROOT
from tests.handlers.conftest import Functions

EXPECTED: dict[str, tuple[int, str | None]] = {
    "estimate/prompt-only": (200, None),
    "estimate/all-fields": (200, None),
    "estimate/exact-size": (200, None),
    "estimate/retired-model": (422, "model_retired"),
    "estimate/empty-prompt": (422, "invalid_request"),
    "estimate/prompt-too-long": (422, "invalid_request"),
    "estimate/unknown-size": (422, "invalid_request"),
    "estimate/unsupported-size": (422, "unsupported_size"),
    "estimate/unknown-field": (422, "invalid_request"),
    "estimate/not-json": (400, "invalid_json"),
    "estimate/no-token": (401, "unauthorized"),
    "estimate/models": (200, None),
    "generate/confirmed": (200, None),
    "generate/other-prompt": (409, "quote_mismatch"),
    "generate/forged-quote": (400, "quote_invalid"),
    "generate/image": (302, None),
    "generate/image-status": (200, None),
    "generate/unknown-image": (404, "not_found"),
    "generate/usage": (200, None),
    "health/report": (200, None),
}
SCHEDULED = {"generate/reconcile", "health/probe"}


def test_every_event_file_is_expected_and_the_reverse() -> None:
    root = ROOT / "events"
    files = {str(path.relative_to(root).with_suffix("")) for path in root.rglob("*.json")}
    assert files == set(EXPECTED) | SCHEDULED


@pytest.mark.parametrize("name", EXPECTED)
def test_an_event_is_answered_as_expected(functions: Functions, user: str, name: str) -> None:
    offer = functions.service.estimate("A photorealistic sunset over mountains", user)
    if name.startswith("generate/image"):
        functions.service.confirm(offer, user)
    status, body = functions.answer(name, QUOTE=offer.quote, IMAGE_ID=offer.image_id)
    assert (status, body.get("code")) == EXPECTED[name]
    if status >= 400:
        assert body["charged"] is False
