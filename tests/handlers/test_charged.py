"""``charged`` is said only by someone who looked: over HTTP, on every route, in both formats."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from imagegen.bootstrap import estimate, generate
from imagegen.domain.errors import ConfigurationError, StoreUnavailableError
from imagegen.domain.quote import Keyring
from imagegen.edge.problems import FREE_PATHS, FREE_ROUTES
from imagegen.usecases.generate.presenter import Presenter
from imagegen.wire.estimates import Estimate
from imagegen.wire.headers import USER_TOKEN
from tests.fakes.service import FakeWorld
from tests.handlers.conftest import DOCUMENT, Functions

PROMPT = "A photorealistic sunset over mountains"
GENERATE, IMAGES, OPENAI = "/generate-image", "/images/", "/v1/images/generations"


def charged(answer: dict[str, Any]) -> Any:
    """Return what an error says about the charge, in either format."""
    body = json.loads(answer["body"])
    return body["error"]["imagegen"]["charged"] if "error" in body else body["charged"]


def click(functions: Functions, offer: Estimate, **changes: Any) -> dict[str, Any]:
    """Confirm an offer over HTTP, with some parts of the event changed."""
    event = functions.event("generate/confirmed", QUOTE=offer.quote)
    event["headers"] |= changes.pop("headers", {})
    return functions.invoke("generate", event | changes)


def repeated(functions: Functions, **headers: str) -> dict[str, Any]:
    """Send a call of an OpenAI client with an idempotency key."""
    event = functions.event("generate/openai-image")
    event["headers"] |= {"idempotency-key": "order-66", **headers}
    return functions.invoke("generate", event)


def status_of(functions: Functions, image_id: str) -> dict[str, Any]:
    event = functions.event("generate/image-status", IMAGE_ID=image_id)
    event["rawPath"] = f"{IMAGES}{image_id}"
    event["headers"]["accept"] = "application/json"
    event["headers"].pop("authorization", None)
    return functions.invoke("generate", event)


class Down:
    """A store that cannot be reached."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def fail(*_: object, **__: object) -> Any:
            raise StoreUnavailableError(f"{name} cannot be reached")

        return fail


class Broken(FakeWorld):
    """A world of which a part is down or not set up."""

    down: frozenset[str] = frozenset()
    unset: bool = False
    keys: Keyring | None = None

    @property
    def ledgers(self) -> Any:
        return Down() if "ledgers" in self.down else super().ledgers

    @property
    def records(self) -> Any:
        return Down() if "records" in self.down else super().records

    @property
    def images(self) -> Any:
        return Down() if "images" in self.down else super().images

    def keyring(self) -> Keyring:
        if self.unset:
            raise ConfigurationError("QUOTE_KEYS is empty")
        return self.keys or super().keyring()

    def image_id_key(self) -> bytes:
        if self.unset:
            raise ConfigurationError("IMAGE_ID_KEY is not set")
        return super().image_id_key()


def broken(
    functions: Functions,
    *down: str,
    unset: bool = False,
    keys: Keyring | None = None,
    presenter: Presenter | None = None,
) -> Functions:
    """Let the functions go on in a world of which something is broken."""

    class World(Broken):
        pass

    World.down, World.unset, World.keys = frozenset(down), unset, keys
    service = functions.service
    found = replace(service.new_instance(), world=World(service))
    if presenter is not None:
        found.__dict__["presenter"] = presenter
    for module in functions.modules.values():
        module.api.dependency_overrides |= {
            generate.get_generate_service: lambda: found,
            estimate.get_estimate_service: lambda: found,
        }
    return functions


@pytest.fixture
def bought(functions: Functions, user: str) -> Estimate:
    """Return an offer whose image is made and charged; only its first answer was seen."""
    offer = functions.service.estimate(PROMPT, user)
    answer = click(functions, offer)
    assert answer["statusCode"] == 200
    return offer


# Before anybody looked.

EARLY: dict[str, tuple[int, dict[str, Any]]] = {
    "no token": (401, {"headers": {"authorization": ""}}),
    "a token that has ended": (401, {"headers": {"authorization": "Bearer eyJ.ended.token"}}),
    "two tokens": (401, {"headers": {USER_TOKEN: "another"}}),
    "another content type": (415, {"headers": {"content-type": "text/plain"}}),
    "no JSON": (400, {"body": "{"}),
    "a body that is too large": (413, {"body": " " * 262_145}),
    "a field too many": (422, {"body": json.dumps({"quote": "q", "prompt": "p", "more": 1})}),
    "a forged quote": (400, {"body": json.dumps({"quote": "q1.k1.x.y", "prompt": PROMPT})}),
}


@pytest.mark.parametrize("name", EARLY)
def test_an_error_before_the_look_does_not_say_that_a_charged_image_is_not_charged(
    functions: Functions, bought: Estimate, name: str
) -> None:
    status, changes = EARLY[name]
    answer = click(functions, bought, **changes)
    assert (answer["statusCode"], charged(answer)) == (status, None)
    assert '"charged":null' in answer["body"]


@pytest.mark.parametrize("name", [one for one in EARLY if "quote" not in one])
def test_the_routes_of_openai_say_the_same(functions: Functions, name: str) -> None:
    assert repeated(functions)["statusCode"] == 200
    status, changes = EARLY[name]
    event = functions.event("generate/openai-image")
    event["headers"] |= {"idempotency-key": "order-66", **changes.get("headers", {})}
    event["body"] = changes.get("body", event["body"])
    answer = functions.invoke("generate", event)
    assert answer["statusCode"] in (status, 400)
    assert charged(answer) is None


def test_the_quote_of_a_key_that_was_dropped_is_not_said_to_be_free(
    functions: Functions, bought: Estimate
) -> None:
    only_new = Keyring({"k9": b"a new key of thirty-two bytes..."})
    answer = click(broken(functions, keys=only_new), bought)
    problem = json.loads(answer["body"])
    assert (answer["statusCode"], problem["code"]) == (400, "quote_invalid")
    assert problem["charged"] is None
    assert "look at the status" in problem["detail"]
    # The status needs no quote key: there the look is possible.
    assert json.loads(status_of(functions, bought.image_id)["body"])["charged"] is True


def test_a_quote_with_another_prompt_is_not_said_to_be_free(
    functions: Functions, bought: Estimate
) -> None:
    body = json.dumps({"quote": bought.quote, "prompt": "another prompt"})
    answer = click(functions, bought, body=body)
    assert (answer["statusCode"], charged(answer)) == (409, None)


def test_without_keys_nothing_is_said_about_the_charge(
    functions: Functions, bought: Estimate
) -> None:
    functions = broken(functions, unset=True)
    for answer in (
        click(functions, bought),
        repeated(functions),
        status_of(functions, bought.image_id),
    ):
        assert (answer["statusCode"], charged(answer)) == (503, None)


def test_a_bug_after_the_charge_is_not_a_free_image(functions: Functions, user: str) -> None:
    class Bug(Presenter):
        def image(self, *_: object, **__: object) -> Any:
            raise RuntimeError("no answer")

    real = functions.service.presenter
    offer = functions.service.estimate(PROMPT, user)
    bug = Bug(real.catalog, real.limits, real.now_ms)
    answer = click(broken(functions, presenter=bug), offer)
    assert (answer["statusCode"], charged(answer)) == (500, None)
    assert functions.service.spent(user) > 0


# Somebody looks.


@pytest.mark.parametrize("down", [("ledgers",), ("ledgers", "records")])
def test_with_the_ledger_away_the_image_store_says_that_it_is_charged(
    functions: Functions, bought: Estimate, down: tuple[str, ...]
) -> None:
    answer = click(broken(functions, *down), bought)
    problem = json.loads(answer["body"])
    assert (answer["statusCode"], problem["charged"], problem["retryable"]) == (503, True, True)
    status = json.loads(status_of(functions, bought.image_id)["body"])
    assert (status["status"], status["charged"]) == ("complete", True)


@pytest.mark.parametrize("late_ms", [0, 601_000])
def test_that_holds_for_a_quote_that_has_expired_as_well(
    functions: Functions, bought: Estimate, late_ms: int
) -> None:
    functions.service.clock.advance(late_ms)
    assert charged(click(broken(functions, "ledgers"), bought)) is True


def test_with_the_ledger_away_an_image_that_is_not_stored_is_not_said_to_be_free(
    functions: Functions, user: str
) -> None:
    offer = functions.service.estimate(PROMPT, user)
    answer = click(broken(functions, "ledgers"), offer)
    assert (answer["statusCode"], charged(answer)) == (503, None)
    assert charged(status_of(functions, offer.image_id)) is None


def test_with_every_store_away_nothing_is_said(functions: Functions, bought: Estimate) -> None:
    functions = broken(functions, "ledgers", "records", "images")
    assert charged(click(functions, bought)) is None
    assert charged(status_of(functions, bought.image_id)) is None


def test_a_key_whose_image_is_stored_is_charged_though_the_ledger_is_away(
    functions: Functions,
) -> None:
    assert repeated(functions)["statusCode"] == 200
    answer = repeated(broken(functions, "ledgers"))
    assert (answer["statusCode"], charged(answer)) == (503, True)


def test_a_key_without_an_image_is_not_said_to_be_free_while_the_ledger_is_away(
    functions: Functions,
) -> None:
    answer = repeated(broken(functions, "ledgers"))
    assert (answer["statusCode"], charged(answer)) == (503, None)


def test_an_offer_that_was_not_confirmed_is_looked_for_and_free(
    functions: Functions, user: str
) -> None:
    offer = functions.service.estimate(PROMPT, user)
    answer = status_of(functions, offer.image_id)
    assert (answer["statusCode"], charged(answer)) == (404, False)


def test_an_id_that_is_not_ours_gets_the_same_answer(functions: Functions, user: str) -> None:
    answer = status_of(functions, "a" * 64)
    assert (answer["statusCode"], charged(answer)) == (404, False)
    offer = functions.service.estimate(PROMPT, user)
    assert status_of(functions, offer.image_id)["body"] == answer["body"]


def test_a_limit_and_a_refusal_come_after_the_look(functions: Functions, user: str) -> None:
    for _ in range(10):
        functions.service.make("A cat", user)
    answer = click(functions, functions.service.estimate(PROMPT, user))
    assert (answer["statusCode"], charged(answer)) == (429, False)


# Routes that cannot charge.


def is_free(path: str) -> bool:
    return path.startswith(FREE_ROUTES) or path in FREE_PATHS


def test_every_route_is_known_to_charge_or_not_to_charge() -> None:
    assert {path for path in DOCUMENT["paths"] if not is_free(path)} == {
        GENERATE,
        "/images/{image_id}",
        OPENAI,
        "/v1/images/edits",
        "/mcp",
    }


@pytest.mark.parametrize(
    ("function", "path"),
    [
        ("estimate", "/estimate"),
        ("estimate", "/models"),
        ("estimate", "/tools/generate_image"),
        ("generate", "/usage"),
        ("generate", "/images"),
        ("generate", "/v1/models"),
        ("chat", "/chat"),
    ],
)
def test_a_route_that_cannot_charge_says_so_in_every_error(
    functions: Functions, function: str, path: str
) -> None:
    event = functions.event("estimate/prompt-only")
    event["rawPath"] = path
    event["headers"].pop("authorization")
    event["requestContext"]["http"]["method"] = (
        "POST" if "post" in DOCUMENT["paths"][path] else "GET"
    )
    answer = functions.invoke(function, event)
    assert (answer["statusCode"], charged(answer)) == (401, False)


def test_a_tool_that_prices_is_free_and_one_that_looks_up_an_image_is_not(
    functions: Functions, user: str
) -> None:
    def called(name: str, arguments: dict[str, Any]) -> Any:
        event = functions.event("estimate/mcp-estimate")
        message = json.loads(event["body"])
        message["params"] |= {"name": name, "arguments": arguments}
        event["body"] = json.dumps(message)
        event["headers"]["mcp-name"] = name
        answer = functions.invoke("estimate", event)
        result = json.loads(answer["body"])["result"]
        return result["_meta"]["imagegen/problem"]["charged"]

    offer = functions.service.estimate(PROMPT, user)
    assert called("estimate_image", {"prompt": "x", "size": "CANARY"}) is False
    assert called("image_status", {"imageId": offer.image_id}) is None
    assert called("image_status", {"imageId": "a" * 64}) is None
    assert called("image_status", {}) is None
