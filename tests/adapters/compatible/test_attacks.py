"""Answers that no server documents, to the adapter of each preset."""

import base64
import json
from typing import Any

import pytest

from imagegen.domain.breaker import EFFECTS
from imagegen.domain.call_errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.providers.pictures import is_image
from imagegen.providers.presets import PRESETS
from tests.adapters.compatible.test_recorded import adapter_for, order_for
from tests.adapters.providers.loopback import PNG, Loopback, Reply, Wire, json_reply, serving
from tests.adapters.providers.loopback import ToolUse as Asked
from tests.adapters.providers.test_attacks import CLOSES, GIF, JUNK, changed, check, nodes

PICTURE = base64.b64encode(PNG).decode()
SUCCESS = {
    "created": 1,
    "model": "x",
    "data": [{"b64_json": PICTURE, "revised_prompt": "a fox", "respect_moderation": True}],
    "usage": {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
}
every = pytest.mark.parametrize("preset", PRESETS)


def run(preset: str, server: Loopback, reply: Reply) -> bytes | ProviderError:
    """Return the image or the error that an answer comes to."""

    def script(asked: Asked, _wire: Wire) -> Reply:
        return Reply(404) if asked.path.startswith("/files/") else reply

    server.script = script
    try:
        made = adapter_for(preset, server).generate(order_for(preset), timeout_seconds=20)
    except ProviderError as error:
        check(error)
        return error
    assert is_image(made.content)
    return made.content


@every
def test_whatever_stands_in_a_field_it_is_an_image_or_an_error_that_closes_nobody(
    preset: str,
) -> None:
    with serving() as server:
        for path in nodes(SUCCESS):
            for name, junk in JUNK.items():
                found = run(
                    preset, server, json_reply(200, json.dumps(changed(SUCCESS, path, junk)))
                )
                if isinstance(found, ProviderError):
                    assert EFFECTS[found.outcome] not in CLOSES, (path, name)


@every
@pytest.mark.parametrize(
    "value", [GIF, "undefined", "https://user:secret@example.com/1.png", "http://169.254.169.254/"]
)
def test_what_leads_to_no_image_was_made_and_is_a_loss(preset: str, value: Any) -> None:
    body = changed(SUCCESS, ("data", 0, "b64_json"), value)
    with serving() as server:
        error = run(preset, server, json_reply(200, json.dumps(body)))
    assert isinstance(error, ProviderError)
    assert (error.outcome, error.is_billed) == (Outcome.UNAVAILABLE, True)


@every
@pytest.mark.parametrize("body", [b'{"data": [{"b64', b"[" * 100_000, b"{} {}"])
def test_a_success_that_is_cut_off_may_have_been_made(preset: str, body: bytes) -> None:
    with serving() as server:
        error = run(preset, server, Reply(200, {"Content-Type": "application/json"}, body))
    assert isinstance(error, ProviderError)
    assert (error.outcome, error.is_billed) == (Outcome.NO_IMAGE, True)
