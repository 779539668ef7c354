"""Each vendor's own words as a client of it writes them: one file for each provider.

Adapters are held to it (what they send is this), and the simulator is asked with it. A provider in
the registry without its file here turns every suite red that goes by ``PROVIDERS``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from imagegen.providers import PROVIDERS, Credential, RoleAccess


@dataclass(frozen=True, slots=True)
class Sent:
    """A request for one image, below the base URL and without its key."""

    path: str
    body: dict[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)
    is_form: bool = False
    """Whether it is sent as a form, with the pictures as files, and not as JSON."""


@dataclass(frozen=True, slots=True)
class Refusals:
    """The HTTP status with which the vendor answers."""

    bad_key: int
    no_credit: int
    model_gone: int
    """To a request for a model that was retired."""
    prompt: int
    """To a prompt that it does not take; a refusal may be a success."""


def openai_error(_status: int, code: str, message: str) -> Any:
    """Return an error in the format that OpenAI began."""
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return {"error": error}


def openai_empty(fields: Mapping[str, Any]) -> Any:
    """Return a list of images without one."""
    data = [{"b64_json": None, **fields}] if fields else []
    return {"created": 1, "size": "1024x1024", "data": data}


@dataclass(frozen=True, slots=True)
class Vendor:
    """What a test has to know about one vendor."""

    order: Callable[[str, str, dict[str, Any]], Sent]
    """The request for a model, a prompt and the parameters that decide the price."""
    picture: Callable[[Any], str | None]
    """The image in the body of an answer, as base64 or as a URL; ``None`` without one."""
    params_of: Callable[[Mapping[str, Any]], dict[str, Any]]
    """The parameters that decide the price, in the body of a request."""
    usual: Mapping[str, Any]
    """Model and parameters of the order that the simulator's tests make."""
    usual_microusd: int
    """What that order costs by the catalog."""
    refusals: Refusals
    key_check: str
    """Path of the free call that checks a key."""
    check_body: Mapping[str, Any] | None = None
    """What is posted there; ``None`` where it is a GET."""
    check_calls: int = 2
    """How many free calls a scheduled check makes: the key, and the list where there is one."""
    models: Any = None
    """A list of the models "one" and "two"; ``None`` where the vendor's says nothing."""
    key_header: str = "authorization"
    key_scheme: str = "Bearer"
    """The word before the key in the header of that name."""
    bad_key: tuple[int, Any] = (401, {"error": {}})
    """Status and body of the answer to a bad key."""
    accounts: tuple[tuple[int, str, str], ...] = ()
    """Status, code and message of errors that are about the account."""
    error: Callable[[int, str, str], Any] = openai_error
    """The body of an error with a status, a code and a message."""
    empty: Callable[[Mapping[str, Any]], Any] = openai_empty
    """The body of a success without an image, with fields in the place of the model's words."""
    with_picture: Callable[[Any], Any] | None = None
    """Of a provider with jobs: an answer to both, the order and the question for its job, whose
    image is as given."""
    questions: int = 0
    """How many of them are asked until the image is known."""
    success: tuple[int, ...] = (200,)
    says_retry_after: bool = True
    """In the header of that name."""
    signed: Callable[[str], dict[str, str]] | None = None
    """The headers of a request that is signed with a key, which is never sent itself."""

    def auth(self, key: str) -> dict[str, str]:
        """Return the header with the key, or those of a signature."""
        if self.signed:
            return self.signed(key)
        scheme = f"{self.key_scheme} " if self.key_header == "authorization" else ""
        return {self.key_header: f"{scheme}{key}"}


def credential(name: str, key: str) -> Credential:
    """Return what a provider is called with: the key, or the role, which no test has."""
    region = PROVIDERS[name].region
    return RoleAccess(region) if region else SecretStr(key)


KEYED = [name for name, about in PROVIDERS.items() if about.key_name]
"""The providers that have keys."""


@cache
def vendor(name: str) -> Vendor:
    """Return what is known of a provider's vendor."""
    found: Vendor = import_module(f"tests.vendors.{name}").VENDOR
    return found


def vendor_path(name: str) -> str:
    """Return the path of the vendor's base URL, with which a stand-in's ends as well."""
    return urlsplit(PROVIDERS[name].base_url).path
