"""What services with edits and sets get wrong: what is charged, said, stored and asked."""

import base64
import hashlib
import json
from typing import Any

import pytest

from imagegen.domain.ids import parse_image_id
from imagegen.domain.outcomes import Outcome
from imagegen.providers import PROVIDERS
from tests.adapters.conftest import role
from tests.adapters.providers.adapters import build_adapter
from tests.adapters.providers.conftest import port, server
from tests.adapters.providers.loopback import Loopback, json_reply
from tests.adapters.providers.test_forms import body_with
from tests.fakes.catalogs import real_catalog
from tests.fakes.marks import jumbf, with_png_chunk
from tests.fakes.pictures import picture, png
from tests.fakes.service import IMAGE_ID_KEY, Service
from tests.handlers.conftest import Functions
from tests.handlers.test_edges import request
from tests.unit.test_inputs import editors, upload

__all__ = ["port", "role", "server"]
PROMPT = "make it blue"
FAILURES = [one for one in Outcome if one is not Outcome.NOT_CALLED]


def ask(functions: Functions, path: str, body: Any, name: str) -> tuple[int, dict[str, Any]]:
    answer = functions.invoke(name, request(functions, "POST", path, body))
    return answer["statusCode"], json.loads(answer["body"])


def offered(functions: Functions, **given: Any) -> dict[str, Any]:
    body = {"prompt": PROMPT, "quality": "standard", **given}
    status, offer = ask(functions, "/estimate", body, "estimate")
    assert status == 200, offer
    return offer


def clicked(functions: Functions, offer: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    return ask(
        functions,
        "/generate-image",
        {"prompt": PROMPT, "quotes": offer["quotes"]},
        "generate",
    )


@pytest.fixture
def service(functions: Functions) -> Service:
    functions.service = editors()
    return functions.service


@pytest.mark.parametrize("outcome", FAILURES)
@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("is_edit", [False, True])
def test_what_is_said_of_the_charge_is_what_the_ledger_holds(
    functions: Functions, user: str, outcome: Outcome, count: int, *, is_edit: bool
) -> None:
    functions.service = service = editors()
    given = {"inputs": [{"upload": upload(service, picture(), user)}]} if is_edit else {}
    offer = offered(functions, count=count, **given)
    for provider in service.providers.values():
        provider.reactions = [outcome]
    status, problem = clicked(functions, offer)
    assert status >= 400
    assert problem["charged"] is False
    assert service.spent(user) == 0
    service.check_charged_iff_stored(user)


@pytest.mark.parametrize("refused_at", [0, 1, 2])
def test_of_a_set_only_the_refused_image_is_missing_and_nobody_else_is_asked_for_it(
    functions: Functions, service: Service, user: str, refused_at: int
) -> None:
    offer = offered(functions, count=3)
    first = service.providers["alpha"]
    good = png((1024, 1024))
    first.reactions = [good, good, good, good]
    first.reactions[refused_at] = Outcome.REFUSED
    status, answer = clicked(functions, offer)
    assert status == 200
    states = sorted(one["status"] for one in answer["images"])
    assert states == ["complete", "complete", "failed"]
    (missing,) = [one for one in answer["images"] if one["status"] == "failed"]
    assert (missing["charged"], missing["problem"]["code"]) == (False, "content_refused")
    assert len(first.orders) == 3
    assert not service.providers["beta"].orders
    assert service.spent(user) == 2 * 50_000


@pytest.mark.parametrize("name", sorted(PROVIDERS))
def test_the_stored_file_is_the_providers_to_the_last_byte_with_its_manifest(
    functions: Functions, user: str, server: Loopback, name: str
) -> None:
    content = with_png_chunk(png((1024, 1024)), b"caBX", jumbf())
    adapters: Any = {one: build_adapter(one, server) for one in PROVIDERS}
    functions.service = service = Service(catalog=real_catalog(), providers=adapters)
    found = {"url": f"data:image/png;base64,{base64.b64encode(content).decode()}"}
    server.replies(json_reply(200, body_with(name, found)))
    offer = offered(functions, provider=name)
    status, answer = clicked(functions, offer)
    assert status == 200
    image = answer["images"][0]["image"]
    assert image["provider"] == name
    ref = parse_image_id(offer["imageId"], IMAGE_ID_KEY)
    stored = service.images.read(ref, limit_bytes=10**9)
    assert stored is not None
    assert hashlib.sha256(stored).digest() == hashlib.sha256(content).digest()
    assert image["provenance"]["c2pa"] == "present"
    service.check_charged_iff_stored(user)


JOBS: dict[str, Any] = {
    "failed": {"status": "failed", "error": "CUDA out of memory"},
    "canceled": {"status": "canceled"},
    "aborted": {"status": "aborted"},
    "nothing": {"status": "succeeded", "output": None},
    "an empty list": {"status": "succeeded", "output": []},
    "a list of nothing": {"status": "succeeded", "output": [None, ""]},
    "no output": {"status": "succeeded"},
    "a number": {"status": "succeeded", "output": 7},
}


@pytest.mark.parametrize("kind", JOBS)
def test_a_prediction_without_a_picture_is_never_charged(
    functions: Functions, user: str, server: Loopback, kind: str
) -> None:
    adapters: Any = {one: build_adapter(one, server) for one in PROVIDERS}
    functions.service = service = Service(catalog=real_catalog(), providers=adapters)
    for name in PROVIDERS:
        if name != "replicate":
            service.setups[name] = type(service.setups[name])(has_key=False, enabled=True)
    server.replies(json_reply(201, {"id": "p1", "logs": "", **JOBS[kind]}))
    offer = offered(functions, provider="replicate")
    status, problem = clicked(functions, offer)
    assert (status, problem["charged"]) == (502, False)
    assert service.spent(user) == 0


def only(name: str, server: Loopback) -> Service:
    """Return a service whose adapters call the loopback server, and of which one has a key."""
    adapters: Any = {one: build_adapter(one, server) for one in PROVIDERS}
    service = Service(catalog=real_catalog(), providers=adapters)
    for other in PROVIDERS:
        if other != name:
            service.setups[other] = type(service.setups[other])(has_key=False, enabled=True)
    return service


def test_of_three_pictures_in_one_answer_one_is_stored_and_charged_and_all_are_counted(
    functions: Functions, user: str, server: Loopback
) -> None:
    functions.service = service = only("gemini", server)
    pictures = [png((1024, 1024)), png((1024, 768)), png((768, 1024))]
    parts = [
        {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(one).decode()}}
        for one in pictures
    ]
    usage = {"promptTokenCount": 5, "candidatesTokenCount": 3_360, "totalTokenCount": 3_365}
    body = {
        "candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}],
        "usageMetadata": usage,
    }
    server.replies(json_reply(200, body))
    offer = offered(functions, provider="gemini")
    status, answer = clicked(functions, offer)
    assert status == 200
    assert len(service.images.objects) == 1
    ref = parse_image_id(offer["imageId"], IMAGE_ID_KEY)
    assert service.images.read(ref, limit_bytes=10**9) == pictures[0]
    charged = answer["images"][0]["image"]["cost"]["charged"]
    assert charged == offer["price"]["expected"]
    (record,) = service.finished
    # What the vendor bills for the two others is the operator's, and is measured.
    assert record.charged_microusd < (record.actual_microusd or 0)
    service.check_charged_iff_stored(user)


@pytest.mark.parametrize("data", [[], None, [None], [{}], [{"b64_json": ""}], [{"url": None}]])
@pytest.mark.parametrize("is_edit", [False, True])
def test_a_success_without_a_picture_is_never_one(
    functions: Functions, user: str, server: Loopback, data: Any, *, is_edit: bool
) -> None:
    functions.service = service = only("openai", server)
    server.replies(json_reply(200, {"created": 1, "data": data}))
    given = {"inputs": [{"upload": upload(service, picture(), user)}]} if is_edit else {}
    offer = offered(functions, provider="openai", **given)
    status, problem = clicked(functions, offer)
    assert status in (422, 502)
    assert problem["charged"] is False
    assert service.spent(user) == 0
    service.check_charged_iff_stored(user)
