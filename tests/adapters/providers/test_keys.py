"""Key checks and model lists: free calls, and what their answers mean."""

import json
from datetime import date
from urllib.parse import unquote

import pytest

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.providers import PROVIDERS
from tests.adapters.providers.adapters import KEY, PATHS, build_adapter
from tests.adapters.providers.loopback import Loopback, Reply, json_reply
from tests.fakes.catalogs import real_catalog
from tests.vendors import vendor

LISTING = [name for name in PROVIDERS if vendor(name).models]


def failure(name: str, server: Loopback) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        build_adapter(name, server).check_key(timeout_seconds=10)
    assert KEY not in repr(vars(caught.value)) + str(caught.value)
    return caught.value


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_key_is_checked_by_one_free_call(name: str, server: Loopback) -> None:
    server.replies(json_reply(200, vendor(name).models or {}))
    build_adapter(name, server).check_key(timeout_seconds=10)
    (asked,) = server.asked
    body = vendor(name).check_body
    method = "GET" if body is None else "POST"
    assert (asked.method, asked.path) == (method, PATHS[name] + vendor(name).key_check)
    assert body is None or asked.json() == body
    assert KEY in asked.headers[vendor(name).key_header]  # of a signature, its public part


@pytest.mark.parametrize("name", PROVIDERS)
def test_what_a_key_check_asks_the_price_of_is_in_the_catalog(name: str, server: Loopback) -> None:
    """A model that is retired there must not make every key look bad."""
    server.replies(json_reply(200, vendor(name).models or {}))
    build_adapter(name, server).check_key(timeout_seconds=10)
    (asked,) = server.asked
    models = {row.model for row in real_catalog().models if row.provider == name}
    named = {model for model in models if model in unquote(asked.path)}
    prices = ("dry_run", "pricing")
    assert bool(named) == any(word in asked.path for word in prices)


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_bad_key_is_the_accounts_fault(name: str, server: Loopback) -> None:
    status, body = vendor(name).bad_key
    server.replies(json_reply(status, json.loads(json.dumps(body).replace("{key}", KEY))))
    assert failure(name, server).outcome is Outcome.ACCOUNT


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_failing_provider_says_nothing_about_the_key(name: str, server: Loopback) -> None:
    server.replies(json_reply(503, None))
    assert failure(name, server).outcome is Outcome.UNAVAILABLE


@pytest.mark.parametrize("name", LISTING)
def test_the_list_holds_the_ids(name: str, server: Loopback) -> None:
    server.replies(json_reply(200, vendor(name).models))
    found = build_adapter(name, server).models(timeout_seconds=10)
    assert found == {"one": None, "two": None}


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("2026-12-01", date(2026, 12, 1)),
        ("2026-12-01T00:00:00Z", date(2026, 12, 1)),
        (None, None),
        ("soon", None),
        (1_796_083_200, None),
    ],
)
def test_openai_announces_a_models_last_day_in_its_list(
    said: object, day: date | None, server: Loopback
) -> None:
    server.replies(json_reply(200, {"data": [{"id": "one", "shutdown_date": said}]}))
    assert build_adapter("openai", server).models(timeout_seconds=10) == {"one": day}


def test_together_may_wrap_its_list(server: Loopback) -> None:
    server.replies(json_reply(200, vendor("openai").models))
    found = build_adapter("together", server).models(timeout_seconds=10)
    assert found == {"one": None, "two": None}


def test_replicate_has_no_list_and_is_not_asked(server: Loopback) -> None:
    assert build_adapter("replicate", server).models(timeout_seconds=10) is None
    assert server.asked == []


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (403, {"message": "Missing scopes: api.model.read.", "code": None}),
        (403, {"message": "You may not list models.", "code": "missing_scope"}),
        (403, {"message": "denied", "code": None}),
        (401, {"message": "You have insufficient permissions. Missing scopes: model.read."}),
    ],
)
def test_an_openai_key_that_may_not_list_models_is_still_a_key(
    status: int, error: dict[str, str | None], server: Loopback
) -> None:
    server.replies(json_reply(status, {"error": error}))
    adapter = build_adapter("openai", server)
    adapter.check_key(timeout_seconds=10)
    assert adapter.models(timeout_seconds=10) is None


def test_an_openai_key_from_the_wrong_country_is_not_good(server: Loopback) -> None:
    error = {"message": "no", "code": "unsupported_country_region_territory"}
    server.replies(json_reply(403, {"error": error}))
    assert failure("openai", server).outcome is Outcome.ACCOUNT


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize("status", [401, 402, 403, 406, 451, 503])
def test_a_page_in_front_says_nothing_about_the_key(
    name: str, status: int, server: Loopback
) -> None:
    page = b"<!DOCTYPE html><title>Attention Required!</title>"
    server.replies(Reply(status, {"Content-Type": "text/html"}, page))
    assert failure(name, server).outcome is Outcome.BLOCKED


@pytest.mark.parametrize("name", set(PROVIDERS) - {"openai"})
def test_a_403_without_a_known_code_says_nothing_about_the_key(name: str, server: Loopback) -> None:
    server.replies(json_reply(403, {"error": {"code": "new", "message": "no"}, "detail": "no"}))
    assert failure(name, server).outcome is Outcome.BLOCKED


def test_a_missing_right_in_googles_list_is_the_keys(server: Loopback) -> None:
    error = {"code": 403, "message": "The caller does not have permission."}
    server.replies(json_reply(403, {"error": {**error, "status": "PERMISSION_DENIED"}}))
    assert failure("gemini", server).outcome is Outcome.ACCOUNT
